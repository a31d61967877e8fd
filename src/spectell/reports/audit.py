"""The page of an audit: what leaks and what to do about it, how well each thing separates, what the files are."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from spectell.evaluation.intervals import Interval
from spectell.figures.separation import SeparationRow, plot_separations
from spectell.figures.style import Theme
from spectell.reports.markup import Content, Markup, join
from spectell.reports.numbers import percent
from spectell.reports.page import render_page, section
from spectell.reports.parts import callout, details, facts, figure, gallery, items, paragraph, table
from spectell.reports.render import Drawing, render_drawing
from spectell.workflows.auditing.report import AuditReport, ClassFacts, Comparison, Leak

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["render_audit"]

_DASH = "–"
_SHOWN_VALUES = 3
_MOST_PANELS = 6
_ENLARGED = 20

FACTS_TOGETHER = "all file facts together"
THUMBNAILS = "8 × 8 thumbnails"


def render_audit(report: AuditReport, name: str) -> str:
    """Put the page together.

    Parameters
    ----------
    report : AuditReport
        What `spectell.workflows.audit.audit_manifest` found.
    name : str
        The data set, as the user called it.

    Returns
    -------
    page : str
        One HTML document that needs no network.
    """
    number = len(report.leaks)
    lead = (
        f"{number} {'way' if number == 1 else 'ways'} to tell the classes, or the splits, apart without looking for "
        "a generator's trace."
        if number
        else "Nothing was found that tells the classes apart but what the pictures themselves are made of."
    )
    return render_page(
        f"Audit of {PurePath(name).name or name}",
        section("What leaks", *_findings(report)),
        section("How well each thing separates the classes", *_separations(report)),
        section("What the files are", *_classes(report)),
        section("Copies", *_copies(report)),
        section("How it was measured", *_method(report)),
        eyebrow="Data set audit",
        lead=lead,
        footer=f"{report.examined:,} of {report.images:,} images of {name} were read; {report.unreadable:,} of these "
        "could not be.",
        contents=True,
    )


def _findings(report: AuditReport) -> Iterator[Markup]:
    kinds: dict[tuple[str, str], list[Leak]] = {}
    for leak in report.leaks:
        kinds.setdefault((leak.what.rpartition(" of ")[0], leak.remedy), []).append(leak)
    for (kind, remedy), leaks in kinds.items():
        yield _finding(kind, remedy, leaks)
    if not report.leaks:
        looked = "" if report.pixels else " The pixels were not looked at."
        yield callout("No leak was found", paragraph(f"See below for what was compared.{looked}"), kind="good")
    if report.notes:
        yield details("What was left out", items(*report.notes))


def _finding(kind: str, remedy: str, leaks: Sequence[Leak]) -> Markup:
    """Say once what is to be done about what several generators leak."""
    title = leaks[0].what if len(leaks) == 1 else f"{kind} of {len(leaks)} generators"
    said = paragraph(f"{leaks[0].evidence}.") if len(leaks) == 1 else items(*(leak.evidence for leak in leaks))
    return callout(f"{title[0].upper()}{title[1:]}", said, paragraph(f"What to do: {remedy}."), kind="bad")


def _separations(report: AuditReport) -> Iterator[Markup]:
    panels = [(each.generator, rows) for each in report.comparisons if (rows := list(_rows(each, report)))]
    if not panels:
        yield paragraph("There are too few images of both classes to measure it.")
        return
    shown = sorted(panels, key=lambda panel: -max(row.low for row in panel[1]))[:_MOST_PANELS]

    def make(theme: Theme) -> Figure:
        return plot_separations(shown, theme=theme)

    caption = (
        "Dots: how well one thing alone separates a generator from the real images, on pictures whose groups the "
        "classifier did not see. Filled and red: the whole interval lies above the limit, which the short line marks."
    )
    alt = "Areas under the ROC curve with intervals, in a row for each thing compared; the table below has the numbers."
    yield render_drawing(Drawing("separations", make, alt, caption)).figure()
    if len(panels) > len(shown):
        yield paragraph(f"The {len(shown)} generators that leak most are drawn; the table has all {len(panels)}.")
    cells = [[name, row.name, _number(row), "leak" if row.leaks else _DASH] for name, rows in panels for row in rows]
    headers = ["generator", "seen by the classifier", "AUC [95 % interval]", ""]
    listed = table(headers, cells, caption="Separation by each thing alone", numeric=[2])
    yield details("The numbers", listed)


def _rows(comparison: Comparison, report: AuditReport) -> Iterator[SeparationRow]:
    found: list[tuple[str, Interval | None, str]] = [
        *((name, auc, "facts") for name, auc in comparison.by_fact.items()),
        (FACTS_TOGETHER, comparison.auc, "facts"),
        *((name, auc, "facts") for name, auc in comparison.by_trace.items()),
        (THUMBNAILS, comparison.thumbnails, "thumbnails"),
    ]
    for name, auc, kind in found:
        if auc is not None:
            yield SeparationRow(name, auc.estimate, auc.low, auc.high, report.limits[kind])


def _number(row: SeparationRow) -> str:
    return str(Interval(row.estimate, row.low, row.high))


def _classes(report: AuditReport) -> Iterator[Markup]:
    names = [*report.classes[0].values] if report.classes else []
    rows: list[list[Content]] = [
        [each.generator, f"{each.images:,}", f"{each.examined:,}", *(_counted(each.values[name]) for name in names)]
        for each in report.classes
    ]
    yield table(["class", "images", "read", *names], rows, caption="What the files say", numeric=[1, 2])
    if not report.pixels:
        return
    traces = [*next(each.traces for each in report.classes if each.traces)]
    rows = [
        [each.generator, *(_counted(each.traces[name]) for name in traces)] for each in report.classes if each.traces
    ]
    yield table(["class", *traces], rows, caption="What the pixels remember")
    yield paragraph("Mean of the 8 × 8 thumbnails of each class, enlarged: what a glance at many pictures shows.")
    yield gallery(*(_thumbnail(each) for each in report.classes if each.mean_thumbnail is not None))


def _thumbnail(each: ClassFacts) -> Markup:
    pixels = np.array(each.mean_thumbnail).round().astype(np.uint8)
    buffer = io.BytesIO()
    enlarged = pixels.repeat(_ENLARGED, axis=0).repeat(_ENLARGED, axis=1)
    Image.fromarray(enlarged).save(buffer, format="PNG")
    alt = f"Mean thumbnail of {each.generator}"
    return figure(buffer.getvalue(), alt=alt, caption=f"{each.generator} ({each.examined:,})", width=160)


def _copies(report: AuditReport) -> Iterator[Markup]:
    copies = report.duplicates
    yield facts(
        [
            ("same bytes", f"{copies.exact:,} images beyond the first of each"),
            ("look the same", f"{copies.near:,} images beyond the first of each"),
            ("same bytes, both classes", f"{copies.exact_across_classes:,} files"),
            ("look the same, both classes", f"{copies.near_across_classes:,} pictures"),
            ("in more than one split", f"{copies.across_splits:,} pictures"),
        ]
    )
    yield paragraph(
        "Pictures that look the same in both classes are photographs and what was made of them, as a rule: good, as "
        "long as a split does not divide them."
    )


def _method(report: AuditReport) -> Iterator[Markup]:
    limits = report.limits
    yield paragraph(
        "For each thing a small classifier is trained on four fifths of the groups and scores the images of the last "
        "fifth, five times: a decision tree of at most 16 leaves, for thumbnails logistic regression. The interval "
        "resamples groups. A file fact or a trace leaks when the lower end of its interval exceeds "
        f"{limits['facts']:g}, thumbnails when it exceeds {limits['thumbnails']:g}. JPEG quality and subsampling are "
        "compared among JPEG files."
    )
    if report.pixels:
        yield paragraph(
            "The grid and quality of an earlier JPEG compression are found from the zeros of block transforms, "
            "resizing from the periodicity of second differences; images with a side below 64 pixels get no statement. "
            "Enlarging by exactly 2, 4 or 8 is not seen. What a generator's own up-sampling leaves may count as "
            "resizing."
        )


def _counted(counts: Mapping[str, int]) -> Content:
    total = sum(counts.values())
    shown: Sequence[str] = [
        f"{value} ({percent(number / total)})" for value, number in list(counts.items())[:_SHOWN_VALUES]
    ]
    more = len(counts) - len(shown)
    return join([*shown, *([f"{more:,} more"] if more > 0 else [])], Markup("<br>")) or _DASH
