"""The page of data efficiency: a fifth of the training images beside all of them, and curves between."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spectell.experiments.identification.cells import DOMAINS
from spectell.experiments.identification.page import (
    CALLED,
    DOMAIN_NAMES,
    cost_table,
    domain_words,
    images_section,
    in_order,
    interval_text,
    method_section,
    repeat_section,
    skipped_section,
)
from spectell.figures.accuracy import AccuracyLine, AccuracyPanel, plot_accuracy_panels
from spectell.reports.markup import Content, Markup
from spectell.reports.page import render_page, section
from spectell.reports.parts import paragraph, table
from spectell.reports.render import Drawing
from spectell.reports.spectrum import shown_figure, write_figures

__all__ = ["data_efficiency_page"]

_DASH = "–"
_ALL = "1"
Table = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Accuracies by detector and domain."""


def data_efficiency_page(record: dict[str, Any], folder: Path, *, share: float) -> str:
    """Put the page together; its figure is written to `folder`.

    Parameters
    ----------
    record : dict
        What ``record.json`` holds.
    folder : Path
        Where the page will lie.
    share : float in (0, 1)
        Of the training images, that is set beside all of them; the record has a table for it.

    Returns
    -------
    page : str
        One HTML document.
    """
    less, full = record["tables"][f"{share:g}"], record["tables"][_ALL]
    part = f"{100 * share:g} %"
    drawn = write_figures(_figure(record), folder)
    return render_page(
        "Source identification from fewer images",
        section(
            "What was found",
            paragraph(f"With {part} of the training images:"),
            domain_words(less, record["chance"]),
            paragraph(_losses(less, full)),
            _table(less, full, part),
            paragraph("The paper has this table; its figures are not recalled here."),
        ),
        section("From a few images to all", *map(shown_figure, drawn)),
        section("What training with all images costs", cost_table(full)),
        *skipped_section(record),
        images_section(record),
        method_section(
            record,
            "A share is one of the training images of each class, a smaller one a part of a larger. Of a share "
            "networks may take as many more passes as make the same number of steps.",
        ),
        repeat_section(record, record["scale_is_named"]),
        eyebrow="Experiment 5 of Frank et al. (2020)",
        lead=f"The same detectors, trained on {part} of the images and on all of them, judged on the same test images.",
        contents=True,
    )


def _losses(less: Table, full: Table) -> str:
    """Say how much the smaller share costs, as means over the detectors that have both."""
    said, worse = [], []
    for domain in DOMAINS:
        pairs = {
            name: (few, every)
            for name in in_order(full)
            if (few := _found(less, name, domain)) and (every := _found(full, name, domain))
        }
        lost = [100 * (every["estimate"] - few["estimate"]) for few, every in pairs.values()]
        if lost:
            said.append(f"{np.mean(lost):.1f} points of accuracy in the {DOMAIN_NAMES[domain]} domain")
        worse += [
            f"{CALLED.get(name, name)} on {DOMAIN_NAMES[domain]}"
            for name, (few, every) in pairs.items()
            if every["high"] < few["low"]
        ]
    more = f" With all images, intervals apart, this does worse: {', '.join(worse)}." if worse else ""
    return f"On average over the detectors it costs {' and '.join(said)}.{more}" if said else ""


def _found(accuracies: Table, name: str, domain: str) -> Mapping[str, Any] | None:
    found = accuracies.get(name, {}).get(domain, {})
    return found if "estimate" in found else None


def _table(less: Table, full: Table, part: str) -> Markup:
    rows: list[list[Content]] = []
    for name in in_order(full):
        row: list[Content] = [CALLED.get(name, name)]
        for domain in DOMAINS:
            few, every = less[name].get(domain), full[name].get(domain)
            row += [interval_text(few), interval_text(every), _lost(few, every)]
        rows.append(row)
    headers = ["detector"]
    for domain in DOMAINS:
        called = DOMAIN_NAMES[domain]
        headers += [f"{called}, {part}", f"{called}, all", "lost"]
    caption = "Accuracy (%) with its 95 % interval, and the points that are lost"
    return table(headers, rows, caption=caption, numeric=range(1, len(headers)))


def _lost(less: Mapping[str, Any] | None, full: Mapping[str, Any] | None) -> str:
    if not less or not full or "estimate" not in less or "estimate" not in full:
        return _DASH
    return f"{100 * (full['estimate'] - less['estimate']):.1f}".replace("-", "−")


def _figure(record: Mapping[str, Any]) -> list[Drawing]:
    tables: Mapping[str, Table] = record["tables"]
    n_train = record["split"]["train"] / len(record["classes"])
    panels = []
    for name in in_order(tables[_ALL]):
        lines = [line for k, domain in enumerate(DOMAINS) if (line := _line(tables, name, domain, k, n_train))]
        if lines:
            panels.append(
                AccuracyPanel(CALLED.get(name, name), "training images of each class", lines, logarithmic=True)
            )
    if not panels:
        return []
    said = "Accuracy over the number of training images, a panel for each detector: " + ", ".join(
        panel.title for panel in panels
    )
    caption = "Accuracy on the test images over training images of each class; bands are intervals, the line is chance."
    chance = 100 * record["chance"]
    return [Drawing("shares", lambda theme: plot_accuracy_panels(panels, chance=chance, theme=theme), said, caption)]


def _line(tables: Mapping[str, Table], name: str, domain: str, series: int, n_train: float) -> AccuracyLine | None:
    found = [(float(share), one) for share, each in tables.items() if (one := _found(each, name, domain))]
    if not found:
        return None
    found.sort(key=lambda pair: pair[0])
    values, low, high = ([100 * float(one[key]) for _, one in found] for key in ("estimate", "low", "high"))
    places = [round(share * n_train) for share, _ in found]
    return AccuracyLine(series, DOMAIN_NAMES[domain], places, values, low, high)
