"""Figures for people to read: evaluations, calibrations and cards as lines of text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spectell.cli.progress import Progress

if TYPE_CHECKING:
    from spectell.detectors.card import RateCard
    from spectell.evaluation.intervals import Interval
    from spectell.workflows.calibrate import CalibrationResult
    from spectell.workflows.evaluate import Evaluation
    from spectell.workflows.models import ModelDescription

__all__ = ["calibration_lines", "card_lines", "evaluation_lines", "stage_progress"]

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
        f"{found.n_first} photographs set the thresholds; {found.n_second} others verified them.",
        f"False-positive rates from {100 * low:.2g} % to {100 * high:.0f} % can be asked for.",
        "",
        "promised   measured on the second half",
        *(_rate(rate) for rate in found.rates),
        "",
        "at the thresholds that the model had before, all photographs:",
        *(_rate(rate) for rate in found.before),
    ]
    return lines + [f"Note: {note}" for note in found.notes]


def _rate(rate: RateCard) -> str:
    return (
        f"{100 * rate.fpr:6.3g} %   {rate.exceeded} of {rate.n}: {100 * rate.exceeded / rate.n:.2f} % "
        f"[{100 * rate.low:.2f}, {100 * rate.high:.2f}]"
    )


def card_lines(model: ModelDescription) -> list[str]:
    """Return the card of a model, without its longest parts."""
    card = model.card
    low, high = model.supported
    lines = [
        f"{card.name}  ({model.path}, {model.n_bytes / 1e6:.2f} MB)",
        f"  front end       {card.front_end.name}; head {card.head.name}; images from {card.min_size} pixels up",
        f"  trained on      {card.trained_on}",
        f"  not good at     {card.not_good_at}",
        f"  calibrated on   {card.calibration.data}: {card.calibration.n_real} real, "
        f"{card.calibration.n_generated} generated",
        f"  thresholds      {card.thresholds.n_real} real images, {card.thresholds.data}; "
        f"false-positive rates from {100 * low:.2g} % to {100 * high:.0f} %",
        f"  licence         {card.licence}",
    ]
    for metric in card.metrics:
        if metric.name in ("auc", "tpr_at_fpr_0.01", "ece"):
            bounds = "" if metric.low is None else f" [{metric.low:.3f}, {metric.high:.3f}]"
            lines.append(f"  {_metric_name(metric.name):15} {metric.estimate:.3f}{bounds}  ({metric.data})")
    return lines
