"""The page of the source identification: the paper's table with ours in it, and where the best detectors err."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spectell.experiments.identification.cells import DOMAINS, IMAGES, THUMBNAILS, IdentificationCell
from spectell.experiments.identification.page import (
    CALLED,
    DOMAIN_NAMES,
    accuracy_rows,
    confusion_table,
    cost_columns,
    cost_table,
    domain_words,
    images_section,
    in_order,
    interval_text,
    method_section,
    repeat_section,
    skipped_section,
)
from spectell.experiments.identification.summary import best_by_validation, confusion_of
from spectell.experiments.paper_figures import RECALLED, recalled
from spectell.figures.accuracy import plot_accuracies
from spectell.reports.markup import Content, Markup, join
from spectell.reports.page import render_page, section
from spectell.reports.parts import paragraph, table
from spectell.reports.render import Drawing
from spectell.reports.spectrum import shown_figure, write_figures

__all__ = ["attribution_page", "figure_of"]


def attribution_page(record: dict[str, Any], cells: Sequence[IdentificationCell], folder: Path) -> str:
    """Put the page together; its figure is written to `folder`.

    Parameters
    ----------
    record : dict
        What ``record.json`` holds.
    cells : sequence of IdentificationCell
    folder : Path
        Where the page will lie.

    Returns
    -------
    page : str
        One HTML document.
    """
    summaries = record["tables"][IMAGES]
    drawn = write_figures(figure_of(summaries, record["chance"], "accuracies"), folder)
    tables = _paper_table(summaries), cost_table(summaries)
    found = [domain_words(summaries, record["chance"]), *map(shown_figure, drawn), *tables]
    return render_page(
        "Which source an image comes from",
        section("What was found", *found),
        section("Where the best detectors err", *_confusions(record, cells)),
        section("What thumbnails tell", *_thumbnails(record)),
        *skipped_section(record),
        images_section(record),
        method_section(record),
        repeat_section(record, record["scale_is_named"]),
        eyebrow="Experiment 4 of Frank et al. (2020)",
        lead=f"{len(record['classes'])} sources, {sum(record['images'].values()):,} images of {record['side']} x "
        f"{record['side']} pixels, every detector on pixels and on the DCT.",
        contents=True,
    )


def figure_of(summaries: Mapping[str, Any], chance: float, name: str) -> list[Drawing]:
    """Return the figure of a table of accuracies; none where all was skipped."""
    rows = accuracy_rows(summaries)
    if not rows:
        return []
    said = "; ".join(
        f"{row.name}: {', '.join(f'{domain} {values[0]:.0f} %' for domain, values in row.values.items())}"
        for row in rows
    )
    caption = "Accuracy on the test images, means over the seeds with their interval."
    return [Drawing(name, lambda theme: plot_accuracies(rows, chance=100 * chance, theme=theme), said, caption)]


def _paper_table(summaries: Mapping[str, Any]) -> Markup:
    rows: list[list[Content]] = []
    for name in in_order(summaries):
        ours = [interval_text(summaries[name].get(domain)) for domain in DOMAINS]
        rows.append([CALLED.get(name, name), *ours, *(recalled(data, name) for data in ("CelebA", "LSUN"))])
    headers = ["detector", *(f"{DOMAIN_NAMES[domain]} (%)" for domain in DOMAINS), "paper, CelebA *", "paper, LSUN *"]
    shown = table(headers, rows, caption="Accuracy of source identification", numeric=range(1, len(headers)))
    note = paragraph(
        f"Ours with their 95 % interval. * The paper's, pixel → DCT, {RECALLED}: of 128 x 128 pixels and about 100,000 "
        "training images a class."
    )
    return join([shown, note])


def _confusions(record: Mapping[str, Any], cells: Sequence[IdentificationCell]) -> list[Markup]:
    shown = [cell for cell in cells if cell.view == IMAGES]
    found = [paragraph("Of each domain the detector that was best on the validation images; test images of all seeds.")]
    for domain in DOMAINS:
        best = best_by_validation(record["tables"][IMAGES], domain)
        if best is not None:
            matrix = confusion_of(shown, record["cells"], best, domain)
            caption = (
                f"{DOMAIN_NAMES[domain]}, {CALLED.get(best, best)}: what the images of each source were called (%)"
            )
            found.append(confusion_table(matrix, record["classes"], caption))
    return found


def _thumbnails(record: Mapping[str, Any]) -> list[Markup]:
    summaries = record["tables"].get(THUMBNAILS, {})
    words = paragraph(
        "The same images as 8 x 8 thumbnails, in which no up-sampling leaves a trace: what is right above chance is "
        "told by what the pictures show, such as colours and the place of a face, and no detector needs a trace for "
        f"it. Chance is {100 * record['chance']:.1f} %."
    )
    rows = [
        [CALLED.get(name, name), interval_text(found["pixel"]), *cost_columns(found)]
        for name, found in summaries.items()
    ]
    headers = ["detector", "thumbnails (%)", "parameters", "training", "passes"]
    caption = "Accuracy on 8 x 8 thumbnails, with its 95 % interval"
    shown = [table(headers, rows, caption=caption, numeric=range(1, len(headers)))] if rows else []
    return [words, *shown]
