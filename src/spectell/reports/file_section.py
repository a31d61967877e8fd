"""What a report says of the file itself: facts of its structure, and warnings that bear on the verdict.

The facts are those of `spectell.images.ImageFacts`, which name no place, owner or device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spectell.reports.markup import Content, Markup, join
from spectell.reports.page import Section, section
from spectell.reports.parts import callout, code, facts, paragraph

if TYPE_CHECKING:
    from spectell.workflows.explain import Explanation

__all__ = ["WARNING_MEANINGS", "file_section", "warning_callouts"]

WARNING_MEANINGS = {
    "too small for this model": "It has fewer pixels a side than the model judges, hence no score.",
    "unlike anything in training": "Its spectrum is farther from the training images than all but a few of them are. "
    "The model cannot know; the verdict is inconclusive whatever the score.",
    "heavily compressed": "JPEG quality below 50: most of what the model looks at is gone.",
    "looks resized, which hides what generators leave": "Its pixels repeat as interpolation repeats them. A hint, not "
    "a proof; weaving, fences and screens can look like it.",
    "only the first frame was judged": "The file holds several pictures.",
    "transparency was ignored": "The pixels were judged as stored, those that a viewer hides included.",
    "carries a C2PA manifest, which is no evidence": "A statement of origin that nobody here has checked. It can be "
    "added and removed, and did not move the verdict.",
    "declares a digital source type, which is no evidence": "The file says how it was made. Anybody can write that; it "
    "did not move the verdict.",
    "carries a generator's parameters, which are no evidence": "Settings that image generators leave in files. Anybody "
    "can write them; they did not move the verdict.",
}
"""What each warning of a verdict means (`spectell.workflows.verdict`)."""


def warning_callouts(found: Explanation) -> Markup:
    """Make a remark of each warning, and one if the model knows the very picture."""
    made = []
    if found.in_training:
        made.append(
            callout(
                "The model was trained on this very picture",
                paragraph("Its verdict on a picture that it has seen says little about pictures that it has not."),
                kind="caution",
            )
        )
    made += [
        callout(_capital(warning), paragraph(WARNING_MEANINGS[warning]), kind="caution")
        for warning in found.verdict.warnings
    ]
    return join(made)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def file_section(found: Explanation) -> Section:
    """List the facts of the file."""
    known = found.facts
    listed: list[tuple[Content, Content]] = [
        ("name", found.file.name),
        ("format", known.format),
        ("size", f"{known.width} × {known.height} pixels, {found.file.n_bytes:,} bytes"),
        ("stored as", known.mode + (", with transparency" if known.transparent else "")),
    ]
    if known.jpeg_quality is not None:
        listed.append(("JPEG quality", f"{known.jpeg_quality} of 100, estimated from its tables"))
    if known.jpeg_subsampling is not None:
        listed.append(("colour subsampling", known.jpeg_subsampling))
    if known.frames > 1:
        listed.append(("pictures in the file", known.frames))
    listed += [
        ("C2PA manifest", "present, not checked" if known.c2pa else "none"),
        ("declared source type", known.digital_source_type or "none"),
        ("generator's parameters", known.generation_parameters or "none"),
        ("SHA-256", code(found.file.sha256)),
    ]
    return section(
        "The file",
        facts(listed),
        paragraph(
            "Marks of provenance are facts about the file and no evidence: they are as easily added as removed, and "
            "they do not move the verdict. Place, owner, device and serial numbers, where a file has them, are not "
            "read into this report."
        ),
    )
