"""The figures of the page of separability: learning curves, scores of both classes, where in the DCT they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.experiments.cells import read_cell
from spectell.experiments.separability.cells import FOUND, Cell
from spectell.experiments.separability.features import DOMAINS
from spectell.experiments.separability.measure import SPECTRA, spectra_file
from spectell.experiments.separability.summary import Summary
from spectell.figures.canvas import DECIBELS_PER_NAT
from spectell.figures.heat_maps import DIFFERENCE, EFFECT, Scale, plot_heat_maps
from spectell.figures.learning_curve import LearningCurve, plot_learning_curves
from spectell.figures.score_histograms import plot_score_histograms
from spectell.figures.style import Theme
from spectell.reports.render import Drawing

__all__ = ["drawings_of"]

WEIGHTS = Scale("weight of a standardised coefficient", centred=True)

Float64Array = npt.NDArray[np.float64]


def drawings_of(summary: Summary, folder: Path, *, weights: bool) -> Iterator[Drawing]:
    """Return the figures of a comparison under a condition.

    Parameters
    ----------
    summary : Summary
    folder : Path
        Of the study.
    weights : bool
        Whether to show the weights of the detector on the DCT too.
    """
    cell = Cell(summary.comparison.name, summary.condition, 0)
    stem = cell.name.removesuffix("-0").lower().replace("_", "-").replace(".", "-").replace("+", "-")
    yield _curve(summary, f"{stem}-curve")
    result = read_cell(folder, cell) or {}
    if result.get("scores"):
        yield _scores(summary, result["scores"], f"{stem}-scores")
    spectra = _read_spectra(folder, cell)
    if spectra is not None:
        yield _differences(summary, spectra, f"{stem}-difference")
        yield _effect(summary, spectra, f"{stem}-effect")
        if weights:
            yield _weights(summary, spectra, f"{stem}-weights")


def _read_spectra(folder: Path, cell: Cell) -> dict[str, Float64Array] | None:
    try:
        found = np.load(spectra_file(folder, cell), allow_pickle=False)
    except (OSError, ValueError):
        return None
    return dict(zip(SPECTRA, found, strict=True))


def _what(summary: Summary) -> str:
    return summary.comparison.title + ("" if summary.condition == FOUND else f", {summary.condition}")


def _curve(summary: Summary, name: str) -> Drawing:
    curves = []
    for domain in dict.fromkeys(point.domain for point in summary.curve):
        points = [point for point in summary.curve if point.domain == domain]
        values = [[100 * getattr(point.accuracy, end) for point in points] for end in ("estimate", "low", "high")]
        curves.append(LearningCurve(domain, [point.images for point in points], *values))

    def make(theme: Theme) -> Any:
        return plot_learning_curves(curves, theme=theme)

    alt = f"Learning curves of {_what(summary)}: accuracy in each domain over the number of training images."
    caption = "Accuracy of ridge regression over the number of training images; bands are 95 % intervals."
    return Drawing(name, make, alt, caption)


def _scores(summary: Summary, scores: Mapping[str, Mapping[str, Sequence[float]]], name: str) -> Drawing:
    panels = [(domain, scores[domain]["real"], scores[domain]["generated"]) for domain in DOMAINS]

    def make(theme: Theme) -> Any:
        return plot_score_histograms(panels, theme=theme)

    alt = f"Histograms of the scores of both classes of {_what(summary)} in each domain."
    caption = (
        "Scores of test images of the first split, ridge regression; dashed: the threshold. What is on the wrong side "
        "of it is an error."
    )
    return Drawing(name, make, alt, caption)


def _heat_map(values: Float64Array, title: str, scale: Scale, name: str, alt: str, caption: str) -> Drawing:
    def make(theme: Theme) -> Any:
        return plot_heat_maps([values], [title], scale=scale, theme=theme)

    return Drawing(name, make, alt, caption)


def _differences(summary: Summary, spectra: Mapping[str, Float64Array], name: str) -> Drawing:
    values = 2 * DECIBELS_PER_NAT * spectra["difference"]
    generator = summary.comparison.generator
    alt = f"Difference of the mean log spectra of {_what(summary)}, {generator} less real."
    caption = (
        "Mean log DCT of generated less that of real training images, mean of the colours; low frequencies top left."
    )
    return _heat_map(values, generator, DIFFERENCE, name, alt, caption)


def _effect(summary: Summary, spectra: Mapping[str, Float64Array], name: str) -> Drawing:
    generator = summary.comparison.generator
    alt = f"The same difference in units of the deviation within the classes, {_what(summary)}."
    caption = "The same in standard deviations within the classes: what a linear detector has to go by."
    return _heat_map(spectra["effect"], generator, EFFECT, name, alt, caption)


def _weights(summary: Summary, spectra: Mapping[str, Float64Array], name: str) -> Drawing:
    alt = f"Weights of ridge regression on the DCT of {_what(summary)}."
    caption = (
        "Weights of ridge regression on the DCT, mean of the colours: where it looks. Orange speaks for generated."
    )
    return _heat_map(spectra["weights"], "weights", WEIGHTS, name, alt, caption)
