"""The report on one image, as one page: verdict first, then how sure it is, then why.

The page holds what `spectell.workflows.explain` found, in the same numbers as its JSON.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from spectell.reports.explanation_figures import (
    evidence_figure,
    preview,
    profile_figure,
    reasons_figures,
    spectrum_figures,
)
from spectell.reports.explanation_words import (
    BAND_MEANINGS,
    HEADLINES,
    KIND_NAMES,
    SHAPES,
    evidence_sentence,
    measured_sentence,
    peaks_sentence,
    profile_sentence,
    rate_sentence,
    reasons_sentence,
    spectrum_sentence,
    standing_sentences,
    trials_sentence,
    unshared_sentence,
)
from spectell.reports.file_section import file_section, warning_callouts
from spectell.reports.markup import Markup, element, join
from spectell.reports.numbers import NO_BREAK, percent, plain, signed
from spectell.reports.page import Section, render_page, section
from spectell.reports.parts import callout, details, facts, items, paragraph, subsection, table
from spectell.reports.verdict_panel import verdict_panel

if TYPE_CHECKING:
    from spectell.workflows.explain import Explanation

__all__ = ["render_explanation"]


def render_explanation(found: Explanation) -> str:
    """Make the page.

    Parameters
    ----------
    found : Explanation

    Returns
    -------
    page : str
        An HTML document that needs no network and no second file.
    """
    verdict = found.verdict
    panel = verdict_panel(
        verdict.verdict,
        preview(found.pixels),
        size=(found.facts.width, found.facts.height),
        standing=found.standing,
        remarks=paragraph(rate_sentence(found.standing)) if found.standing else "",
    )
    parts = [
        _sure(found),
        _changes(found),
        _where(found),
        _reasons(found),
        _spectrum(found),
        _peaks(found),
        file_section(found),
        _method(found),
    ]
    return render_page(
        found.file.name,
        panel + warning_callouts(found),
        *parts,
        eyebrow="Spectell · explanation of one image",
        lead=f"{HEADLINES[verdict.verdict]}, at a false-positive rate of {percent(verdict.fpr)}.",
        footer=f"Made by Spectell {version('spectell')} with the model {verdict.model}. The page is complete in "
        "itself: it loads nothing and sends nothing. It holds a reduced copy of the picture, and nothing of the file's "
        "metadata beyond what the section on the file lists.",
        contents=True,
    )


def _sure(found: Explanation) -> Section:
    title = "How sure is this?"
    if found.standing is None:
        size = found.model.min_size
        return section(title, paragraph(f"Not at all: the model judges images from {size} × {size} pixels up."))
    said = [*standing_sentences(found.standing), measured_sentence(found.standing)]
    caution = callout(
        "What the verdict is not",
        paragraph(
            "It is no proof, in either direction. “Generated” can hit a photograph that was processed in an unusual "
            "way; “real” only means that the traces of known generators were not found. The probability supposes that "
            "half of all pictures are generated: where few are, it is too high."
        ),
        kind="caution",
    )
    return section(title, *(paragraph(text) for text in said if text), caution)


def _changes(found: Explanation) -> Section:
    rows = []
    for trial in found.trials:
        verdict = trial.judgement.verdict
        score = plain(trial.judgement.score) if trial.judged else "–"
        share = percent(trial.judgement.probability) if trial.judged else "too small to judge"
        size = f"{trial.width}{NO_BREAK}×{NO_BREAK}{trial.height}"
        name = join([_brief(trial.name), element("small", size)])  # a column of its own would not fit a telephone
        rows.append([name, f"{SHAPES[verdict]}{NO_BREAK}{verdict}", share, score])
    made = table(
        ["the picture, its pixels", "verdict", "probability", "score"],
        rows,
        caption="The same picture, judged again after what web sites do to pictures",
        numeric=[2, 3],
    )
    return section("What would change the verdict", paragraph(trials_sentence(found.trials)), made)


def _brief(name: str) -> str:
    """Shorten what was done to a picture, so that the verdict beside it fits a telephone."""
    return name.removeprefix("saved ").removesuffix(" in size")


def _where(found: Explanation) -> Section:
    title = "Where the evidence lies"
    if found.evidence is None:
        return section(
            title,
            paragraph("There is no map: the picture is smaller than two tiles, or too small for the model altogether."),
        )
    caution = callout(
        "How to read the map",
        paragraph(
            "A tile is a small picture and judged less surely than the whole. Texture, sharpness and light differ over "
            "a picture, and the scores with them: photographs, too, have tiles that point to “generated”. The map does "
            "not show that a part was added or replaced, and the model was not made to find that."
        ),
    )
    errors = "" if found.evidence.errors is not None else " The uncertainty of these tiles is not known."
    text = evidence_sentence(found.evidence) + errors
    return section(title, paragraph(text), evidence_figure(found.pixels, found.evidence), caution)


def _reasons(found: Explanation) -> Section:
    title = "What moved the score"
    reasons = found.reasons
    if reasons is None and found.standing is not None:
        return section(title, paragraph(unshared_sentence(found.model.head.name)))
    if reasons is None:
        return section(title, paragraph("Nothing: the picture is too small to have a score."))
    how = (
        "The model is a weighted sum, so the parts are exact."
        if reasons.exact
        else "The parts are integrated gradients (Sundararajan and others, 2017). They say what this model did with "
        "the picture's numbers, which is not always what a person would call a reason."
    )
    closing = f"Start and parts add up to the score to within {abs(reasons.gap):.1g}. {how}"
    if found.model.trust(found.facts.width * found.facts.height) < 1:
        closing += (
            " The score of a small image is scaled down with its size, and the start with it: pages of images of "
            "different sizes have different starts."
        )
    rows = [
        [KIND_NAMES[kind], f"{down:.3f}", f"{across:.3f}", signed(value)]
        for kind, down, across, value in reasons.strongest()
    ]
    strongest = details(
        "The single frequencies that moved it most",
        table(
            ["kind", "down", "across", "moves the score by"],
            rows,
            caption="Frequencies in cycles per pixel, the mean of those in a cell of 1/32",
            numeric=[1, 2, 3],
        ),
        unfolded=True,
    )
    bands = items(*(f"{name}: {meaning}" for name, meaning in BAND_MEANINGS.items()))
    return section(
        title,
        paragraph(reasons_sentence(reasons)),
        reasons_figures(reasons),
        details("What the bands are", bands, unfolded=True),
        strongest if rows else "",
        paragraph(closing),
    )


def _spectrum(found: Explanation) -> Section:
    title = "The spectrum beside those of photographs"
    if found.spectrum is None:
        return section(title, paragraph("The picture is smaller than one block of 32 × 32 pixels and has no spectrum."))
    return section(
        title,
        paragraph(spectrum_sentence(found.spectrum)),
        spectrum_figures(found.spectrum),
        subsection(
            "How power falls with frequency",
            paragraph(profile_sentence(found.spectrum)),
            profile_figure(found.spectrum),
        ),
        paragraph(
            "A difference from the mean is no suspicion by itself: what a picture shows, its sharpness, noise and "
            "compression all move its spectrum. Frequencies that lie side by side deviate together."
        ),
    )


def _peaks(found: Explanation) -> Section:
    title = "Regular peaks"
    if found.peaks is None:
        return section(title, paragraph("The picture is too small to look for peaks: that takes 64 pixels a side."))
    said = paragraph(peaks_sentence(found.peaks))
    if not found.peaks.groups:
        return section(title, said)
    lines = []
    for group in found.peaks.groups:
        highest, count = group.peaks[0], len(group.peaks)
        number = "one peak" if count == 1 else f"{count} peaks"
        period = "No period up to 16 pixels" if group.period is None else f"Period of {group.period} pixels"
        lines.append(
            join(
                [
                    element("strong", f"{period}, {number}. "),
                    f"The highest is {highest.height_db:.1f} dB above its surroundings, at {abs(highest.vertical):.3f} "
                    f"cycles per pixel down and {highest.horizontal:.3f} across. {group.meaning}",
                ]
            )
        )
    return section(title, said, items(*lines))


def _method(found: Explanation) -> Section:
    card, reference = found.model.card, found.reference.card
    sources = items(*(str(text) for text in reference["sources"].values()))
    about = facts(
        [
            ("model", card.name),
            ("trained on", card.trained_on),
            ("not good at", card.not_good_at),
            ("licence of the weights", card.licence),
            ("photographs compared with", _counted(reference)),
        ]
    )
    return section(
        "What it was compared with",
        paragraph(
            "“Real photographs” on this page are those of the collections below, each with the same weight, and "
            "no others."
        ),
        sources,
        details("The model and the reference in their own words", about),
    )


def _counted(reference: dict[str, dict[str, dict[str, int]]]) -> Markup:
    lines = [
        f"{blocks} blocks: {', '.join(f'{n:,} of {source}' for source, n in counts.items())}"
        for blocks, counts in reference["n_photographs"].items()
    ]
    return join([items(*lines), str(reference["licence"])])
