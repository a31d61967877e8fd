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
IN_DISTRIBUTION, LEFT_OUT = "in distribution", "generator left out"


@dataclass(frozen=True)
class Cell:
    """One generator under one condition: the model's figures, and the AUC of each baseline."""

    kind: str
    generator: str
    condition: str
    n_real: int
    n_generated: int
    metrics: dict[str, tuple[float, float, float]]
    baselines: dict[str, tuple[float, float, float]]

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def measure_cells(
    table: Table, study: Study, baselines: Mapping[str, Study], calibrated: Calibrated, seed: int
) -> Iterator[Cell]:
    """Every generator under every condition, in distribution and left out."""
    for kind in (IN_DISTRIBUTION, LEFT_OUT):
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
        return found.in_distribution if kind == IN_DISTRIBUTION else found.generator_out[generator]

    scores = calibrated.scores(table, raw(study))
    rows = compared_rows(table, generator, condition, scores)
    labels = table.labels[rows]
    if len(set(labels.tolist())) < 2:
        return None
    rng, groups = np.random.default_rng(seed), table.group[rows]

    def metrics(values: np.ndarray[Any, Any], names: tuple[str, ...]) -> dict[str, tuple[float, float, float]]:
        found = evaluate_scores(labels, values[rows], groups=groups, n_resamples=N_RESAMPLES, rng=rng)
        return {name: _triple(found[name]) for name in names}

    return Cell(
        kind,
        generator,
        condition,
        int((labels == 0).sum()),
        int(labels.sum()),
        metrics(scores, ("auc", "tpr_at_fpr_0.01", "ece")),
        {name: metrics(raw(found), ("auc",))["auc"] for name, found in baselines.items()},
    )


def _triple(interval: Interval) -> tuple[float, float, float]:
    return interval.estimate, interval.low, interval.high


def metric_cards(cells: list[Cell]) -> tuple[MetricCard, ...]:
    """Return the figures that go into the card: those of files as found."""
    cards = []
    for cell in cells:
        if cell.condition != "clean":
            continue
        compared = "+".join(COMPARED_WITH[cell.generator]) or "the crops it was made from"
        for name, (estimate, low, high) in cell.metrics.items():
            bounds = (None if math.isnan(bound) else bound for bound in (low, high))
            data = f"{cell.kind}: {cell.generator} against real {compared}"
            cards.append(MetricCard(data, name, estimate, *bounds, cell.n_real, cell.n_generated))
    return tuple(cards)


def figures_page(cells: list[Cell], rates: Mapping[str, tuple[int, int, Interval]]) -> str:
    """Return the page of the documentation that holds every figure, in Markdown."""
    lines = [
        "# Figures of the default model",
        "",
        "Written by `python -m recipes.default_model`; what they mean is said in [default-model.md](default-model.md).",
        "Brackets hold 95 % intervals (bootstrap over groups). The last three columns are the AUC of the baselines.",
        "",
        *(line for kind in (IN_DISTRIBUTION, LEFT_OUT) for name in GENERATORS for line in as_table(cells, kind, name)),
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
    """Lines of a Markdown table: a condition a row."""
    chosen = [cell for cell in cells if (cell.kind, cell.generator) == (kind, generator)]
    if not chosen:
        return []
    compared = ", ".join(COMPARED_WITH[generator]) or "the very crops it was made from"
    lines = [
        f"### {generator}, {kind}",
        "",
        f"Against real images of: {compared}.",
        "",
        "| condition | real, generated | AUC | TPR at 1 % FPR | ECE | " + " | ".join(chosen[0].baselines) + " |",
        "|---|---|---|---|---|" + "---|" * len(chosen[0].baselines),
    ]
    for cell in chosen:
        figures = [_figure(cell.metrics[name]) for name in ("auc", "tpr_at_fpr_0.01", "ece")]
        figures += [_figure(value) for value in cell.baselines.values()]
        lines.append(f"| {cell.condition} | {cell.n_real}, {cell.n_generated} | " + " | ".join(figures) + " |")
    return [*lines, ""]


def _figure(value: tuple[float, float, float]) -> str:
    estimate, low, high = value
    if math.isnan(low) or math.isnan(high):
        return f"{estimate:.3f}"
    return f"{estimate:.3f} [{low:.3f}, {high:.3f}]"
