"""Figures for people to read: evaluations, calibrations and cards as lines of text."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spectell.cli.progress import Progress

if TYPE_CHECKING:
    from spectell.detectors.card import MetricCard, RateCard
    from spectell.evaluation.intervals import Interval
    from spectell.workflows.calibrate import CalibrationResult
    from spectell.workflows.evaluate import Evaluation
    from spectell.workflows.evaluation import ClassFigures
    from spectell.workflows.models import ModelDescription

__all__ = ["calibration_lines", "card_lines", "evaluation_lines", "refutation_lines", "stage_progress"]

_NAMES = {
    "accuracy": "accuracy",
    "auc": "AUC",
    "ap": "AP",
    "eer": "EER",
    "ece": "ECE",
    "brier": "Brier score",
    "false_positive_rate": "FPR at score 0",
    "true_positive_rate": "TPR at score 0",
}


@contextmanager
def stage_progress(*, shown: bool = True) -> Iterator[Callable[[str, int, int], None]]:
    """Show the progress of a run of several stages, on a terminal alone."""
    bars: dict[str, Progress] = {}

    def report(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            for bar in bars.values():
                bar.clear()
            bars[stage] = Progress(total, shown=shown)
        bars[stage].update(done)

    try:
        yield report
    finally:
        for bar in bars.values():
            bar.clear()


_AFTER = ", after "
"""Comes before what was done to the images that a figure on a card is of."""


def evaluation_lines(found: Evaluation) -> list[str]:
    """Return the metrics of every slice, then the confusion matrix."""
    lines = []
    for part in found.slices:
        against = f", against {part.compared_with}" if part.compared_with else ""
        lines += ["", f"{part.name}{against}: {part.n_real} real, {part.n_generated} generated"]
        lines += [f"  {_metric_name(name):28} {_interval(interval)}" for name, interval in part.metrics.items()]
    lines += ["", f"verdicts at a false-positive rate of {100 * found.fpr:.3g} %:"]
    lines.append(f"  {'':28} {'real':>12} {'inconclusive':>12} {'generated':>12}")
    for name, counts in found.confusion.items():
        lines.append(f"  {name:28} {counts['real']:12} {counts['inconclusive']:12} {counts['generated']:12}")
    return lines + ([] if found.classes is None else _class_lines(found.classes))


def _class_lines(found: ClassFigures) -> list[str]:
    """Return how generators are told apart: the means, each class, and which was taken for which."""
    names, measured = found.class_names, found.attribution
    lines = ["", f"which of {len(names)} classes ({measured.confusion.sum()} images):"]
    lines += [f"  {name.replace('_', ' '):28} {_interval(interval)}" for name, interval in measured.overall.items()]
    lines += ["", f"  {'':28} {'recall':22} {'precision':22} F1"]
    for name, figures in zip(names, measured.per_class, strict=True):
        cells = [_interval(figures[key]) for key in ("recall", "precision", "f1")]
        lines.append(f"  {name:28} {cells[0]:22} {cells[1]:22} {cells[2]}")
    width = max(12, *(len(name) + 1 for name in names))
    lines += ["", f"  {'class, and what it was called':28}" + "".join(f"{name:>{width}}" for name in names)]
    for name, counts in zip(names, measured.confusion.tolist(), strict=True):
        lines.append(f"  {name:28} " + "".join(f"{count:{width}}" for count in counts))
    return lines


def _metric_name(name: str) -> str:
    """Return a metric's name as people write it.

    Examples
    --------
    >>> [_metric_name(name) for name in ("auc", "tpr_at_fpr_0.01", "false_positive_rate_at_0.05")]
    ['AUC', 'TPR at 1 % FPR', 'FPR at the 5 % threshold']
    """
    base, _, rate = name.rpartition("_at_")
    if name.startswith("tpr_at_fpr_"):
        return f"TPR at {100 * float(name.removeprefix('tpr_at_fpr_')):.3g} % FPR"
    if base in ("false_positive_rate", "true_positive_rate"):
        return f"{'FPR' if base.startswith('f') else 'TPR'} at the {100 * float(rate):.3g} % threshold"
    return _NAMES.get(name, name)


def _interval(interval: Interval) -> str:
    if math.isnan(interval.low) or math.isnan(interval.high):
        return f"{interval.estimate:.3f} [too few images for an interval]"
    return str(interval)


def calibration_lines(found: CalibrationResult) -> list[str]:
    """Return what a calibration did, then the rates that were verified."""
    low, high = found.supported
    lines = [
        f"{found.n_first} photographs set the thresholds; {found.n_second} others {_verdict(found)}.",
        f"False-positive rates from {100 * low:.2g} % to {100 * high:.0f} % can be asked for.",
        "",
        "promised   measured on the second half",
        *(_rate(rate) + _remark(rate, found) for rate in found.rates),
        "",
        "at the thresholds that the model had before, all photographs:",
        *(_rate(rate) for rate in found.before),
    ]
    return lines + [f"Note: {note}" for note in found.notes]


def _verdict(found: CalibrationResult) -> str:
    if found.refuted:
        return "refuted them"
    return "measured some above the promise" if found.above else "verified them"


def _remark(rate: RateCard, found: CalibrationResult) -> str:
    if rate in found.refuted:
        return "   REFUTED"
    return "   above the promise" if rate in found.above else ""


def refutation_lines(found: CalibrationResult) -> list[str]:
    """Return a warning for each rate that was measured to be above its promise."""
    return [
        f"a rate of {100 * rate.fpr:g} % is {'refuted' if rate in found.refuted else 'exceeded'}: {rate.exceeded} of "
        f"{rate.n} photographs that had no part in the thresholds pass it, {100 * rate.low:.2f} to "
        f"{100 * rate.high:.2f} % with 95 % confidence"
        for rate in found.above
    ]


def _rate(rate: RateCard) -> str:
    return (
        f"{100 * rate.fpr:6.3g} %   {rate.exceeded} of {rate.n}: {100 * rate.exceeded / rate.n:.2f} % "
        f"[{100 * rate.low:.2f}, {100 * rate.high:.2f}]"
    )


def card_lines(model: ModelDescription) -> list[str]:
    """Return the card of a model, without its longest parts."""
    card = model.card
    low, high = model.supported
    words = {
        "front end": f"{card.front_end.name}; head {card.head.name}; images from {card.min_size} pixels up",
        "trained on": card.trained_on,
        "not good at": card.not_good_at,
        "calibrated on": f"{card.calibration.data}: {card.calibration.n_real} real, "
        f"{card.calibration.n_generated} generated",
        "thresholds": f"{card.thresholds.n_real} scores of real images, {card.thresholds.data}; "
        f"false-positive rates from {100 * low:.2g} % to {100 * high:.0f} %",
        "licence": card.licence,
    }
    lines = [f"{card.name}  ({model.path}, {model.n_bytes / 1e6:.2f} MB)"]
    for name, text in words.items():
        lines += textwrap.wrap(text, 80, initial_indent=f"  {name:16}", subsequent_indent=" " * 18)
    return lines + _card_figures(card.metrics)


def _card_figures(metrics: Sequence[MetricCard]) -> list[str]:
    """Return a line for each set of images, and one with its figures; of what was done to them, how often."""
    shown = ("auc", "tpr_at_fpr_0.01", "ece")
    measured: dict[str, dict[str, str]] = {}
    for metric in metrics:
        if metric.name in shown:
            bounds = "" if metric.low is None else f" [{metric.low:.3f}, {metric.high:.3f}]"
            measured.setdefault(metric.data, {})[metric.name] = f"{metric.estimate:.3f}{bounds}"
    if not measured:
        return []
    lines = [_columns("figures", [_metric_name(name) for name in shown])]
    for data, figures in measured.items():
        if data.partition(_AFTER)[0] in measured and _AFTER in data:
            continue
        lines += textwrap.wrap(data, 80, initial_indent="  ", subsequent_indent="    ")
        lines.append(_columns("", [figures.get(name, "-") for name in shown]))
    changed = sum(_AFTER in data for data in measured)
    return lines + (
        [f"  and {changed} more, of the same images after perturbations: --json has them"] if changed else []
    )


def _columns(name: str, cells: Sequence[str]) -> str:
    return f"  {name:10}{''.join(f'{cell:23}' for cell in cells)}".rstrip()
