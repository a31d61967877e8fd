"""The page of separability: the paper's table on these images, what else tells the classes apart, each comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spectell.evaluation.intervals import Interval
from spectell.experiments.page_parts import how_to_repeat
from spectell.experiments.plan import duration
from spectell.experiments.separability.cells import FOUND
from spectell.experiments.separability.features import DOMAINS
from spectell.experiments.separability.figures import drawings_of
from spectell.experiments.separability.measure import DETECTORS
from spectell.experiments.separability.summary import Summary
from spectell.reports.markup import Content, Markup, join
from spectell.reports.page import Section, render_page, section
from spectell.reports.parts import callout, facts, figure, file_link, gallery, items, paragraph, table
from spectell.reports.render import Rendered
from spectell.reports.spectrum import shown_figure, write_figures
from spectell.spectra.jpeg_history import MIN_SIDE
from spectell.workflows.audit import THUMBNAIL_AUC

__all__ = ["PAPER", "separability_page"]

PAPER = {"pixel": "75.78", "DCT": "100.00"}
"""Accuracy in per cent, FFHQ against StyleGAN at 1024 x 1024: as recalled, unverified."""

_DASH = "–"


def separability_page(record: dict[str, Any], summaries: Sequence[Summary], folder: Path) -> str:
    """Put the page together; its figures are written to `folder`.

    Parameters
    ----------
    record : dict
        What ``record.json`` holds.
    summaries : sequence of Summary
        Each comparison as found, followed by the same under other conditions.
    folder : Path
        Where the page will lie.

    Returns
    -------
    page : str
        One HTML document.
    """
    done = [summary for summary in summaries if summary.n_splits]
    best = max(done, key=lambda one: one.auc["DCT", "ridge"].estimate, default=None)
    return render_page(
        "Linear separability",
        section("What was found", *_found(done)),
        *(_comparison(summary, folder, weights=summary is best) for summary in done),
        section("What was done", *_method(record)),
        *([section("Passed over", items(*_passed_over(record)))] if _passed_over(record) else []),
        section("How to repeat it", *_repeat(record)),
        eyebrow="Experiment 3 of Frank et al. (2020)",
        lead="Linear detectors on pixels and on the DCT of the same images, each generator against the real images of "
        "its own source, on images that training never saw.",
        contents=True,
    )


def _found(done: Sequence[Summary]) -> Iterator[Markup]:
    paper = ["FFHQ: StyleGAN, the paper", PAPER["pixel"], PAPER["DCT"], _DASH, _DASH]
    rows: list[list[Content]] = [[*paper, "native 1024²; as recalled, unverified"]]
    for one in done:
        rows.append([_titled(one), *(_percent(one.accuracy[d, "ridge"]) for d in DOMAINS), one.prepared["window"]])
    yield table(
        ["source: generator", *DOMAINS, "images"],
        rows,
        caption="Accuracy (%) of ridge regression, 95 % interval; chance is 50",
        numeric=range(1, 5),
    )
    yield paragraph(
        "Blocks are log spectra averaged over blocks of the same image, our addition. Thumbnails are 8 × 8 pixels: a "
        "detector that sees no more knows the content, not the trace. Only what exceeds it is evidence of a trace."
    )
    if done:
        yield items(*(_verdict(one) for one in done))
    for one in done:
        yield from _warnings(one)


def _verdict(one: Summary) -> str:
    """Say whether the claim of the paper holds here."""
    gain, dct, pixel = one.gain["ridge"], one.accuracy["DCT", "ridge"], one.accuracy["pixel", "ridge"]
    by = f"{_points(gain)} points, DCT less pixels"
    if gain.low > 0:
        said = f"the DCT separates better than pixels ({by}), as the paper claims"
    elif gain.high < 0:
        said = f"pixels separate better than the DCT ({by}), against the paper's claim"
    else:
        said = f"no difference between DCT and pixels is established ({by})"
    said += f"; thumbnails of the same squares reach {_percent(one.accuracy['thumbnails', 'ridge'])}"
    chance = [name for name, each in (("DCT", dct), ("pixels", pixel)) if each.low <= 0.5]
    if chance:
        said += f"; chance is not excluded for {' and '.join(chance)}"
    if one.condition == FOUND and one.prepared["histories_differ"]:
        said += "; the histories of the files differ, which may be what is seen"
    return f"{_titled(one)}: {said}."


def _warnings(one: Summary) -> Iterator[Markup]:
    """Say what tells the classes apart besides a trace."""
    if one.condition != FOUND:
        return
    audit, said = one.prepared["audit"], []
    thumbnails = one.auc["thumbnails", "ridge"]
    if thumbnails.low > THUMBNAIL_AUC or _exceeds(audit["thumbnails"], THUMBNAIL_AUC):
        whole = audit["thumbnails"]
        beside = f"; of whole pictures {_interval(whole)}" if whole else ""
        said.append(
            f"Content: thumbnails of what the detectors see separate the classes with AUC {thumbnails}{beside}."
        )
    said += [f"{leak['what']}: {leak['evidence']}." for leak in audit["leaks"] if "thumbnails" not in leak["what"]]
    if said:
        yield callout(f"{one.comparison.title}: not the trace alone", items(*said), kind="caution")


def _comparison(one: Summary, folder: Path, *, weights: bool) -> Section:
    drawn = write_figures(list(drawings_of(one, folder, weights=weights)), folder)
    return section(_titled(one), _about(one), _figures_table(one), *_shown(drawn))


def _shown(drawn: Sequence[Rendered]) -> Iterator[Markup]:
    maps = [made for made in drawn if made.drawing.name.endswith(("-difference", "-effect", "-weights"))]
    yield from (shown_figure(made) for made in drawn if made not in maps)
    if maps:
        yield gallery(*map(_small, maps))


def _small(made: Rendered) -> Markup:
    """Show a figure as wide as its place in a gallery, with a link to its file in full size."""
    name = f"{made.drawing.name}.pdf"
    caption = join([made.drawing.caption, file_link(name, "PDF")], " ")
    return figure(made.light, dark=made.dark, alt=made.drawing.alt, caption=caption)


def _about(one: Summary) -> Markup:
    audit = one.prepared["audit"]
    return facts(
        [
            ("images", f"{one.prepared['images']:,} of each class, {one.prepared['window']}"),
            ("groups", f"{one.groups['train']:,} in training, {one.groups['test']:,} in test; {one.n_splits} splits"),
            ("file facts alone", f"AUC {_interval(audit['facts'])}"),
            ("thumbnails of whole pictures", f"AUC {_interval(audit['thumbnails'])}"),
            ("histories as found", _histories(one.prepared)),
            *([("solvers", f"{one.unconverged} fits stopped before they converged")] if one.unconverged else []),
        ]
    )


def _histories(prepared: Mapping[str, Any]) -> str:
    if prepared["histories_differ"]:
        return f"differ in {', '.join(prepared['histories_differ'])}"
    if prepared["side"] < MIN_SIDE:
        return "files alike; the images are too small to tell what their pixels went through"
    return "no difference found"


def _figures_table(one: Summary) -> Markup:
    rows = [
        [domain, *(_percent(one.accuracy[domain, name]) for name in DETECTORS)]
        + [str(one.auc[domain, name]) for name in DETECTORS]
        for domain in DOMAINS
    ]
    rows.append(["DCT less pixel", *(_points(one.gain[name]) for name in DETECTORS), _DASH, _DASH])
    headers = ["domain", *(f"{name}, accuracy (%)" for name in DETECTORS), *(f"{name}, AUC" for name in DETECTORS)]
    return table(headers, rows, caption="Both detectors, 95 % intervals", numeric=range(1, 5))


def _method(record: Mapping[str, Any]) -> Iterator[Markup]:
    study = record["study"]
    strengths = ", ".join(f"{value:g}" for value in study["logistic_strengths"])
    searched = f"cross-validation among {strengths}" if len(study["logistic_strengths"]) > 1 else strengths
    yield facts(
        [
            ("images", f"at most {study['images']:,} of each class, as many of both; at most {study['side']}² pixels"),
            ("splits", f"{study['splits']}, {100 * study['test_share']:g} % of the groups for test"),
            ("strength of ridge", "cross-validation within training"),
            ("strength of logistic (L2)", searched),
            ("searched for leaks", f"{study['audited']:,} images of each class"),
        ]
    )
    yield items(
        "No image is resized. Where most images of both classes have one size, these take part; otherwise all that "
        "hold a common square. Squares are cut at the centre.",
        "Copies and pictures that look the same are one group, and so are pictures of one name. A group is never on "
        "both sides of a split, nor of a fold.",
        "Pixels from −1 to 1; DCT: log magnitudes of the whole square, each colour by itself. Standardised "
        "on training images alone, as all that is chosen. Test images are scored once.",
        "Intervals are the wider of two: of repeated splits, corrected for the images that they share (Nadeau and "
        "Bengio 2003), and of one split's number of test groups (Clopper and Pearson; for AUC Newcombe 2006).",
    )


def _passed_over(record: Mapping[str, Any]) -> list[str]:
    return [*record["notes"], *(f"{name}: skipped, {why}" for name, why in record["skipped"].items())]


def _repeat(record: dict[str, Any]) -> Iterator[Markup]:
    if not record["scale_is_named"]:
        yield callout(
            "Not by this command alone",
            "The study was run from Python with sizes of its own, which record.json states; the command runs it at the "
            "size that it names.",
            kind="caution",
        )
    yield how_to_repeat(record)
    yield paragraph(f"All cells together took {duration(record['cell_seconds'])}, whichever run measured them.")


def _titled(one: Summary) -> str:
    return one.comparison.title + ("" if one.condition == FOUND else f", {one.condition}")


def _percent(interval: Interval) -> str:
    return f"{100 * interval.estimate:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def _points(interval: Interval) -> str:
    """Write a difference of accuracies in points of a per cent.

    Examples
    --------
    >>> _points(Interval(-0.052, -0.1, 0.0))
    '−5.2 [−10.0, +0.0]'
    """
    value, low, high = (
        f"{100 * each:+.1f}".replace("-", "−") for each in (interval.estimate, interval.low, interval.high)
    )
    return f"{value} [{low}, {high}]"


def _interval(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "not known, too few images"
    if found["low"] is None:
        return f"{found['estimate']:.3f}"
    return str(Interval(found["estimate"], found["low"], found["high"]))


def _exceeds(found: Mapping[str, Any] | None, limit: float) -> bool:
    return found is not None and found["low"] is not None and found["low"] > limit
