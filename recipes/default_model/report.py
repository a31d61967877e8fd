"""Every figure with its interval, as JSON and as the tables of the documentation."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recipes.default_model.calibrate import Calibrated
from recipes.default_model.history import CONDITIONS
from recipes.default_model.study import COMPARED_WITH, GENERATORS, Study, compared_rows
from recipes.default_model.table import Table
from spectell.detectors.card import MetricCard
from spectell.evaluation.intervals import Interval
from spectell.evaluation.summary import evaluate_scores

__all__ = ["Cell", "figures_page", "measure_cells", "metric_cards"]

N_RESAMPLES = 400
IN_DISTRIBUTION, LEFT_OUT, SOURCE_OUT = "in distribution", "generator left out", "source left out"
KINDS = (IN_DISTRIBUTION, LEFT_OUT, SOURCE_OUT)
METRICS = ("auc", "tpr_at_fpr_0.01", "ece")


@dataclass(frozen=True)
class Cell:
    """One generator under one condition: the figures of the model and of each baseline."""

    kind: str
    generator: str
    condition: str
    n_real: int
    n_generated: int
    metrics: dict[str, tuple[float, float, float]]
    baselines: dict[str, dict[str, tuple[float, float, float]]]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def measure_cells(
    table: Table, study: Study, baselines: Mapping[str, Study], calibrated: Calibrated, seed: int
) -> Iterator[Cell]:
    """Every generator under every condition: in distribution, itself left out, and every source left out."""
    for kind in KINDS:
        for generator in GENERATORS:
            for condition in CONDITIONS:
                cell = _cell(table, study, baselines, calibrated, kind, generator, condition, seed)
                if cell is not None:
                    yield cell


def _cell(
    table: Table,
    study: Study,
    baselines: Mapping[str, Study],
    calibrated: Calibrated,
    kind: str,
    generator: str,
    condition: str,
    seed: int,
) -> Cell | None:
    def raw(found: Study) -> np.ndarray[Any, Any]:
        if kind == LEFT_OUT:
            return found.generator_out[generator]
        return found.in_distribution if kind == IN_DISTRIBUTION else found.source_out

    scores = calibrated.scores(table, raw(study))
    rows = compared_rows(table, generator, condition, scores)
    labels = table.labels[rows]
    if len(set(labels.tolist())) < 2:
        return None
    rng, groups = np.random.default_rng(seed), table.group[rows]

    def metrics(values: np.ndarray[Any, Any]) -> dict[str, tuple[float, float, float]]:
        found = evaluate_scores(labels, values[rows], groups=groups, n_resamples=N_RESAMPLES, rng=rng)
        return {name: _triple(found[name]) for name in METRICS}

    return Cell(
        kind,
        generator,
        condition,
        int((labels == 0).sum()),
        int(labels.sum()),
        metrics(scores),
        {name: metrics(raw(found)) for name, found in baselines.items()},
    )


def _triple(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.low, interval.high


def metric_cards(cells: list[Cell]) -> tuple[MetricCard, ...]:
    """Return the figures of the model that go into the card."""
    cards = []
    for cell in cells:
        compared = "+".join(COMPARED_WITH[cell.generator]) or "the crops it was made from"
        for name, (estimate, low, high) in cell.metrics.items():
            bounds = (None if math.isnan(bound) else bound for bound in (low, high))
            condition = "" if cell.condition == "clean" else f", after {cell.condition}"
            data = f"{cell.kind}: {cell.generator} against real {compared}{condition}"
            cards.append(MetricCard(data, name, estimate, *bounds, cell.n_real, cell.n_generated))
    return tuple(cards)


def figures_page(cells: list[Cell], rates: Mapping[str, tuple[int, int, Interval]]) -> str:
    """Return the page of the documentation that holds every figure, in Markdown."""
    lines = [
        "# Figures of the default model",
        "",
        "Written by `python -m recipes.default_model`; what they mean is said in [default-model.md](default-model.md).",
        "Brackets hold 95 % intervals (bootstrap over groups; exact where the classes are apart). A second table holds",
        "the same for the baselines; their calibration errors are those of logistic regressions as they come.",
        "",
        *(line for kind in KINDS for name in GENERATORS for line in as_table(cells, kind, name)),
        "## False positives by source left out",
        "",
        "Files as found, threshold for 1 % set on the other sources.",
        "",
        "| source | false positives | rate |",
        "|---|---|---|",
        *(
            f"| {name} | {k} of {n} | {i.estimate:.4f} [{i.low:.4f}, {i.high:.4f}] |"
            for name, (k, n, i) in rates.items()
        ),
        "",
    ]
    return "\n".join(lines)


def as_table(cells: list[Cell], kind: str, generator: str) -> list[str]:
    """Lines of two Markdown tables, of the model and of the baselines: a condition a row."""
    chosen = [cell for cell in cells if (cell.kind, cell.generator) == (kind, generator)]
    if not chosen:
        return []
    compared = ", ".join(COMPARED_WITH[generator]) or "the very crops it was made from"
    titles = ("AUC", "TPR at 1 % FPR", "ECE")
    names = list(chosen[0].baselines)
    model = [[f"{cell.n_real}, {cell.n_generated}", *map(_figure, cell.metrics.values())] for cell in chosen]
    baselines = [[_figure(value) for name in names for value in cell.baselines[name].values()] for cell in chosen]
    return [
        f"### {generator}, {kind}",
        "",
        f"Against real images of: {compared}.",
        "",
        *_lines(["real, generated", *titles], chosen, model),
        "",
        *_lines([f"{name}: {title}" for name in names for title in titles], chosen, baselines),
        "",
    ]


def _lines(header: list[str], cells: list[Cell], rows: list[list[str]]) -> list[str]:
    lines = ["| " + " | ".join(["condition", *header]) + " |", "|" + "---|" * (len(header) + 1)]
    return [*lines, *(f"| {cell.condition} | " + " | ".join(row) + " |" for cell, row in zip(cells, rows, strict=True))]


def _figure(value: tuple[float, float, float]) -> str:
    estimate, low, high = value
    if math.isnan(low) or math.isnan(high):
        return f"{estimate:.3f}"
    return f"{estimate:.3f} [{low:.3f}, {high:.3f}]"
