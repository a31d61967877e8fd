"""What the pages of attribution, data efficiency and robustness share: tables of accuracies, images, method."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.detectors.registry import DETECTORS
from spectell.experiments.cells import SKIPPED
from spectell.experiments.identification.cells import DOMAINS
from spectell.experiments.identification.summary import INTERVAL_WORDS
from spectell.experiments.page_parts import how_to_repeat
from spectell.experiments.plan import duration
from spectell.figures.accuracy import AccuracyRow
from spectell.reports.markup import Content, Markup, join
from spectell.reports.page import Section, section
from spectell.reports.parts import callout, facts, file_link, items, paragraph, table

__all__ = [
    "CALLED",
    "DOMAIN_NAMES",
    "accuracy_rows",
    "confusion_table",
    "cost_columns",
    "cost_table",
    "domain_words",
    "images_section",
    "in_order",
    "interval_text",
    "method_section",
    "repeat_section",
    "skipped_section",
]

DOMAIN_NAMES = {"pixel": "pixel", "dct": "DCT"}
CALLED = {
    "knn": "kNN",
    "eigenfaces": "Eigenfaces",
    "prnu": "PRNU",
    "ridge": "ridge",
    "logistic": "logistic",
    "mlp": "one hidden layer",
    "cnn": "CNN of the paper",
    "resnet": "ResNet",
    "yu2019": "CNN of Yu et al.",
}
"""Detectors as the paper's tables call them."""
_ORDER = ("knn", "eigenfaces", "prnu", "ridge", "logistic", "mlp", "resnet", "yu2019", "cnn")
_CLASSES = {"real": "real", "progan": "ProGAN", "sngan": "SNGAN", "cramer": "CramerGAN", "mmd": "MMDGAN"}
_DASH = "–"

Summaries = Mapping[str, Mapping[str, Mapping[str, Any]]]


def in_order(detectors: Iterable[str]) -> list[str]:
    """Sort detectors as the paper's table has them, others after them.

    Examples
    --------
    >>> in_order(["cnn", "new", "knn"])
    ['knn', 'cnn', 'new']
    """
    known = list(detectors)
    return [name for name in _ORDER if name in known] + [name for name in known if name not in _ORDER]


def interval_text(found: Mapping[str, Any] | None) -> str:
    """Write an accuracy with its interval, in per cent.

    Examples
    --------
    >>> interval_text({"estimate": 0.9, "low": 0.85, "high": 0.94}), interval_text(None)
    ('90.0 [85.0, 94.0]', '–')
    >>> interval_text({"skipped": ["over the limit of 60 s"]})
    'skipped'
    """
    if found is None:
        return _DASH
    if "estimate" not in found:
        return SKIPPED
    values = [100 * float(found[key] or 0.0) for key in ("estimate", "low", "high")]
    return "{:.1f} [{:.1f}, {:.1f}]".format(*values)


def accuracy_rows(summaries: Summaries) -> list[AccuracyRow]:
    """Return what a figure shows of each detector that has a result."""
    rows = []
    for name in in_order(summaries):
        values = {
            DOMAIN_NAMES[domain]: tuple(100 * float(one[key]) for key in ("estimate", "low", "high"))
            for domain, one in summaries[name].items()
            if "estimate" in one
        }
        if values:
            rows.append(AccuracyRow(CALLED.get(name, name), values))  # type: ignore[arg-type]  # tuples of three
    return rows


def domain_words(summaries: Summaries, chance: float) -> Markup:
    """Say in how many detectors one domain is ahead of the other, and by how much."""
    pairs = {
        name: (one["pixel"], one["dct"])
        for name, one in summaries.items()
        if "estimate" in one.get("pixel", {}) and "estimate" in one.get("dct", {})
    }
    ahead = [name for name, (pixel, dct) in pairs.items() if dct["low"] > pixel["high"]]
    behind = [name for name, (pixel, dct) in pairs.items() if dct["high"] < pixel["low"]]
    level = [name for name in pairs if name not in {*ahead, *behind}]
    said = [
        f"Of {len(pairs)} detectors that work in both domains, the DCT is ahead with intervals apart in {len(ahead)}"
        f"{_listed(ahead)}, pixels in {len(behind)}{_listed(behind)}, and {len(level)} are not told apart"
        f"{_listed(level)}.",
        f"Naming the most frequent class would be right in {100 * chance:.1f} %.",
    ]
    return paragraph(" ".join(said))


def _listed(names: Sequence[str]) -> str:
    return f" ({', '.join(CALLED.get(name, name) for name in in_order(names))})" if names else ""


def confusion_table(confusion: npt.NDArray[np.int64], classes: Sequence[str], caption: str) -> Markup:
    """Show what images of each class were called, in per cent of the class."""
    names = [_CLASSES.get(name, name) for name in classes]
    totals = confusion.sum(axis=1)
    rows: list[list[Content]] = [
        [name, f"{total:,}", *(f"{100 * count / total:.1f}" for count in row)]
        for name, total, row in zip(names, totals.tolist(), confusion.tolist(), strict=True)
    ]
    headers = ["source", "images", *names]
    return table(headers, rows, caption=caption, numeric=range(1, len(headers)))


def cost_columns(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Write parameters, training times and passes of a detector, one after the other for its domains."""
    there = [found[domain] for domain in DOMAINS if "estimate" in found.get(domain, {})]
    if not there:
        return [_DASH, _DASH, _DASH]
    parameters = list(dict.fromkeys(f"{one['parameters']:,}" for one in there))
    times = [duration(one["training_seconds"]) for one in there]
    passes = [_passes(one) for one in there if one["epochs"] is not None]
    return [" / ".join(parameters), " / ".join(times), " / ".join(passes) or _DASH]


def _passes(found: Mapping[str, Any]) -> str:
    return f"{found['epochs']:g}{'*' if found['stopped_by_limit'] else ''}"


def cost_table(summaries: Summaries) -> Markup:
    """Show parameters, training times and passes of each detector."""
    rows: list[list[Content]] = [
        [CALLED.get(name, name), *cost_columns(summaries[name])] for name in in_order(summaries)
    ]
    headers = ["detector", "parameters", "training", "passes"]
    shown = table(headers, rows, caption="What the detectors hold and cost", numeric=range(1, len(headers)))
    note = paragraph(
        "Training times and passes are pixel / DCT; a star at passes says that a training ended because it may take no "
        "more."
    )
    return join([shown, note])


def skipped_section(record: Mapping[str, Any]) -> list[Section]:
    """List what was skipped; no section where nothing was."""
    if not record["skipped"]:
        return []
    lines = [f"{name}: {reason}" for name, reason in record["skipped"].items()]
    words = paragraph(
        "These cells have no result. A run with a larger limit, in Python, tries them again and keeps all others."
    )
    return [section("What was skipped", words, items(*lines))]


def images_section(record: Mapping[str, Any]) -> Section:
    """Say which images took part, and how they were divided."""
    counts = ", ".join(f"{_CLASSES.get(name, name)} {number:,}" for name, number in record["images"].items())
    split = ", ".join(f"{number:,} {name}" for name, number in record["split"].items())
    pairs: list[tuple[Content, Content]] = [
        ("photographs", record["source"]),
        ("images of each class", counts),
        ("size", f"{record['side']} x {record['side']} pixels"),
        ("split of the first seed", split),
        ("groups, never divided", f"{record['groups']:,}"),
    ]
    words = _OWN if record["own"] else _SAMPLED
    left = record["notes"]
    return section(
        "The images", *map(paragraph, words), facts(pairs), join([paragraph("Not used:"), items(*left)] if left else [])
    )


_SAMPLED = (
    "The real class are photographs of faces; each became its centre square, reduced by at least two with an "
    "antialiased filter. The other classes are samples of four generators that were trained on faces brought to size "
    "in the same way; the photographs are among those that the generators learned from, as in the paper. All pixels "
    "came into memory from the generator or the filter: no file format, and so no fact about a file, tells the classes "
    "apart.",
    "Photographs that are not such faces would be told apart by what they show, which the thumbnails of the experiment "
    "attribution measure.",
)
_OWN = (
    "All classes are those of the data set, with their own names. Where images are larger than 64 pixels at the small "
    "scale, the middle was cut out; none was resized. What the files tell beside the pictures was not looked at here: "
    "spectell dataset audit does that.",
)


def method_section(record: Mapping[str, Any], *more: str) -> Section:
    """Say how detectors were trained and judged."""
    study = record["study"]
    cut = ", ".join(
        f"{CALLED.get(name, name)} {number}" for name, number in study["epochs"].items() if name in study["detectors"]
    )
    seeds = " and ".join(map(str, record["seeds"])) if len(record["seeds"]) < 3 else str(record["seeds"])
    lines = [
        f"Seeds {seeds}: each is a split of its own, by groups, and an initialisation of its own.",
        "Detectors have the project's defaults, which are the paper's where they are known; nothing was searched. "
        "Validation images stop the training of networks; test images give the figures and decide nothing.",
        f"Passes over the training images, at most: {cut}. Early stopping has a patience of 5. Fewer passes than the "
        "paper's 50 keep the small scale within its time.",
        INTERVAL_WORDS,
        "Parameters are the numbers that a fitted detector holds; of kNN these are its training images. Times are of "
        "one core, training alone, and depend on the machine.",
        *more,
    ]
    return section("How it was done", items(*lines), _references(study["detectors"]))


def _references(detectors: Sequence[str]) -> Markup:
    rows = [
        [CALLED.get(name, name), DETECTORS[name].summary, DETECTORS[name].reference] for name in in_order(detectors)
    ]
    return table(["detector", "what it is", "from"], rows, caption="The detectors")


def repeat_section(record: dict[str, Any], named_scale: bool) -> Section:
    """Show the command; say so where no command repeats the run."""
    note = (
        []
        if named_scale
        else [callout("The run was started from Python with other sizes", paragraph("The command repeats another."))]
    )
    link = paragraph("Every number of every seed is in ", file_link("record.json"), ".")
    return section("How to repeat it", *note, how_to_repeat(record), link)
