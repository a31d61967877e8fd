"""The page of robustness: a table after the paper's, and accuracy over the strength of each perturbation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spectell.experiments.cells import SKIPPED
from spectell.experiments.identification.cells import CLEAN, DOMAINS, IdentificationCell
from spectell.experiments.identification.page import (
    CALLED,
    DOMAIN_NAMES,
    images_section,
    in_order,
    interval_text,
    method_section,
    repeat_section,
    skipped_section,
)
from spectell.experiments.identification.summary import over_seeds
from spectell.experiments.plan import duration
from spectell.experiments.robustness_images import PERTURBATIONS, STRENGTHS
from spectell.figures.accuracy import AccuracyLine, AccuracyPanel, plot_accuracy_panels
from spectell.reports.markup import Content, Markup
from spectell.reports.page import Section, render_page, section
from spectell.reports.parts import facts, file_link, items, paragraph, table
from spectell.reports.render import Drawing
from spectell.reports.spectrum import shown_figure, write_figures

__all__ = ["robustness_page"]

_AXES = {
    "blur": "side of the kernel (pixels)",
    "crop": "share of each side cut off (%)",
    "jpeg": "JPEG quality",
    "noise": "standard deviation (pixel values)",
}
_NAMES = {"jpeg": "JPEG"}
_PERTURBED = "perturbed"

Key = tuple[str, str, str]
"""Detector, domain, what it was trained on."""
Grouped = Mapping[Key, Sequence[Mapping[str, Any]]]


def robustness_page(record: dict[str, Any], cells: Sequence[IdentificationCell], folder: Path) -> str:
    """Put the page together; its figures are written to `folder`.

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
    found = _grouped(cells, record["cells"])
    detectors = in_order(dict.fromkeys(cell.detector for cell in cells))
    return render_page(
        "Source identification after perturbations",
        section("What was found", _words(found, detectors, record["chance"]), *_tables(found, detectors)),
        *(_curves_section(found, name, record, folder) for name in detectors),
        *skipped_section(record),
        _perturbation_section(record),
        images_section(record),
        method_section(
            record,
            "What a detector was trained on holds for its validation images too: they stop the training of a network.",
        ),
        repeat_section(record, record["scale_is_named"]),
        eyebrow="Experiment 6 of Frank et al. (2020)",
        lead="Blur, crop, JPEG, noise, and all of them: detectors trained on clean images and on perturbed ones, "
        "judged on the same perturbed test images.",
        contents=True,
    )


def _grouped(cells: Sequence[IdentificationCell], results: Mapping[str, Mapping[str, Any]]) -> Grouped:
    grouped: dict[Key, list[Mapping[str, Any]]] = {}
    for cell in cells:
        several = grouped.setdefault((cell.detector, cell.domain, cell.trained_on), [])
        if SKIPPED not in results[cell.name]:
            several.append(results[cell.name])
    return grouped


def _test(found: Grouped, key: Key, condition: str) -> dict[str, Any] | None:
    """Put the seeds of a condition together; no estimate where all were skipped, None where none was planned."""
    if key not in found:
        return None
    there = [one["tests"][condition] for one in found[key]]
    return over_seeds(there) if there else {SKIPPED: True}


def _words(found: Grouped, detectors: Sequence[str], chance: float) -> Markup:
    said = []
    for trained, words in ((False, "clean"), (True, "perturbed")):
        ahead = behind = level = 0
        for name in detectors:
            for condition in PERTURBATIONS:
                keys: list[Key] = [(name, domain, condition if trained else CLEAN) for domain in DOMAINS]
                pixel, dct = (_test(found, key, condition) or {} for key in keys)
                if "estimate" in pixel and "estimate" in dct:
                    ahead += dct["low"] > pixel["high"]
                    behind += dct["high"] < pixel["low"]
                    level += not (dct["low"] > pixel["high"] or dct["high"] < pixel["low"])
        said.append(
            f"Trained on {words} images, the DCT is ahead with intervals apart in {ahead} of "
            f"{ahead + behind + level} pairs of detector and perturbation, pixels in {behind}."
        )
    said.append(f"Naming the most frequent class would be right in {100 * chance:.1f} %.")
    return paragraph(" ".join(said))


def _tables(found: Grouped, detectors: Sequence[str]) -> list[Markup]:
    tables = []
    for name in detectors:
        rows: list[list[Content]] = []
        for condition in (CLEAN, *PERTURBATIONS):
            row: list[Content] = [_NAMES.get(condition, condition)]
            for domain in DOMAINS:
                row.append(interval_text(_test(found, (name, domain, CLEAN), condition)))
                row.append(
                    interval_text(_test(found, (name, domain, condition), condition)) if condition != CLEAN else "–"
                )
            rows.append(row)
        headers = ["test images"]
        for domain in DOMAINS:
            headers += [f"{DOMAIN_NAMES[domain]}, trained clean", f"{DOMAIN_NAMES[domain]}, trained perturbed"]
        caption = f"{CALLED.get(name, name)}: accuracy (%) with its 95 % interval{_cost(found, name)}"
        tables.append(table(headers, rows, caption=caption, numeric=range(1, len(headers))))
    return [*tables, paragraph("The paper has a table like this; its figures are not recalled here.")]


def _cost(found: Grouped, detector: str) -> str:
    """Say how large a detector is and how long a training took, the mean over all of them."""
    facts = [one["facts"] for key, several in found.items() if key[0] == detector for one in several]
    if not facts:
        return ""
    seconds = float(np.mean([one["training_seconds"] for one in facts]))
    return f"; {max(one['parameters'] for one in facts):,} parameters, a training took {duration(seconds)}"


def _curves_section(found: Grouped, detector: str, record: Mapping[str, Any], folder: Path) -> Section:
    panels = [panel for name in STRENGTHS if (panel := _panel(found, detector, name)).lines]
    called = CALLED.get(detector, detector)
    if not panels:
        return section(f"Over the strength: {called}", paragraph("All cells of this detector were skipped."))
    chance = 100 * record["chance"]
    caption = "Every test image is perturbed; bands are intervals, the thin line is chance. Stronger to the right."
    drawing = Drawing(
        f"strength-{detector}",
        lambda theme: plot_accuracy_panels(panels, chance=chance, theme=theme),
        f"{called}: accuracy over the strength of {', '.join(panel.title for panel in panels)}, pixels and DCT, "
        "trained on clean and on perturbed images.",
        caption,
    )
    return section(f"Over the strength: {called}", *map(shown_figure, write_figures([drawing], folder)))


def _panel(found: Grouped, detector: str, name: str) -> AccuracyPanel:
    lines = []
    for series, domain in enumerate(DOMAINS):
        for trained, words in ((CLEAN, CLEAN), (name, _PERTURBED)):
            several = [one["curves"][name] for one in found.get((detector, domain, trained), [])]
            if several:
                lines.append(_line(series, f"{DOMAIN_NAMES[domain]}, trained {words}", several, name, trained != CLEAN))
    return AccuracyPanel(_NAMES.get(name, name), _AXES[name], lines, falling=name == "jpeg")


def _line(
    series: int, called: str, several: Sequence[Sequence[Mapping[str, Any]]], name: str, dashed: bool
) -> AccuracyLine:
    points = [over_seeds(point) for point in zip(*several, strict=True)]
    scale = 100 if name == "crop" else 1
    places = [scale * strength for strength in STRENGTHS[name]]
    values, low, high = ([100 * point[key] for point in points] for key in ("estimate", "low", "high"))
    return AccuracyLine(series, called, places, values, low, high, dashed=dashed)


def _perturbation_section(record: Mapping[str, Any]) -> Section:
    rows: list[tuple[Content, Content]] = [
        (_NAMES.get(name, name), f"{100 * found['changed']:.1f} % of the images changed")
        for name, found in record["perturbed"].items()
    ]
    links = [file_link(found["draws"]) for found in record["perturbed"].values()]
    return section(
        "The perturbations",
        paragraph(
            "As the paper describes them, each with probability one half: Gaussian blur with a kernel of 3, 5, 7 or 9 "
            "pixels; 5 to 20 % of each side cut off and the rest enlarged again; JPEG of quality 10 to 75; noise of a "
            "variance between 5 and 20; combined, all of them one after the other, each with probability one half. The "
            "paper's own code does otherwise in places: spectell perturb --preset frank2020-code. Images of 32 pixels "
            "suffer more from a kernel of 9 than those of 128, and a crop of less than 6.25 % takes no whole pixel "
            "from either end of a side of 32."
        ),
        facts(rows),
        paragraph("Every draw, a line an image:"),
        items(*links),
    )
