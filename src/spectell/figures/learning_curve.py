"""How a figure grows with the number of training images: a line for each kind of feature, its interval as a band.

The number of images lies on a logarithmic axis. Lines differ in colour, dash and marker, and are named at their ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spectell.errors import ParameterError
from spectell.figures.canvas import cycle, drawable, themed
from spectell.figures.profiles import spread_labels
from spectell.figures.style import LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["LearningCurve", "plot_learning_curves"]

_DASHES = ("solid", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
_MARKERS = "osD^v"
_LABEL_HEIGHT = 0.07
"""Height of a line of text as a share of that of the axes."""


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """One line.

    Parameters
    ----------
    name : str
        What stands at its end.
    images : sequence of int > 0
        Numbers of training images of each class, rising.
    values, low, high : sequence of float
        The figure and its interval, in per cent, for each number.
    """

    name: str
    images: Sequence[int]
    values: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


def plot_learning_curves(
    curves: Sequence[LearningCurve], *, label: str = "accuracy (%)", chance: float = 50.0, theme: Theme = LIGHT
) -> Figure:
    """Draw learning curves in one panel.

    Parameters
    ----------
    curves : sequence of LearningCurve
    label : str
        Of the vertical axis.
    chance : float
        Where a line marks what guessing reaches.
    theme : Theme

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ParameterError
        If there is nothing to draw.

    Examples
    --------
    >>> drawn = plot_learning_curves([LearningCurve("DCT", [25, 50], [60.0, 70.0], [55.0, 66.0], [65.0, 74.0])])
    >>> drawn.axes[0].get_ylabel()
    'accuracy (%)'
    """
    if not curves or not all(curve.images for curve in curves):
        raise ParameterError("curves must hold at least one, each with at least one point, got none")
    with themed(theme):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.subplots()
        for k, (curve, colour) in enumerate(zip(curves, _colours(theme, len(curves)), strict=True)):
            style: Any = {"linestyle": _DASHES[k % len(_DASHES)], "marker": _MARKERS[k % len(_MARKERS)]}
            axes.fill_between(curve.images, curve.low, curve.high, color=colour, alpha=0.13, linewidth=0)
            axes.plot(curve.images, curve.values, color=colour, markersize=4, label=curve.name, **style)
        _scales(axes, curves, chance, theme)
        axes.set_ylabel(label)
        _names(axes, curves, chance, theme)
    return figure


def _colours(theme: Theme, number: int) -> Sequence[str]:
    """Leave the first, the colour of text, to what is not a curve."""
    return cycle(theme, number + 1)[1:]


def _scales(axes: Axes, curves: Sequence[LearningCurve], chance: float, theme: Theme) -> None:
    ticks = sorted({number for curve in curves for number in curve.images})
    axes.set_xscale("log")
    axes.set_xlim(ticks[0] / 1.08, ticks[-1] * 1.08)
    axes.set_xticks(ticks, [f"{number:,}" for number in ticks])
    axes.minorticks_off()
    axes.set_xlabel("training images of each class")
    low = min(min(curve.low) for curve in curves)
    high = max(max(curve.high) for curve in curves)
    axes.set_ylim(min(low, chance) - 2, max(high, chance) + 2)
    axes.axhline(chance, color=theme.muted, linewidth=0.8)
    axes.grid(axis="y")
    axes.set_axisbelow(True)


def _names(axes: Axes, curves: Sequence[LearningCurve], chance: float, theme: Theme) -> None:
    """Write what every line is to the right of it, chance among them."""
    low, high = axes.get_ylim()
    said = [(drawable(curve.name), curve.values[-1]) for curve in curves] + [("chance", chance)]
    places = spread_labels([(value - low) / (high - low) for _, value in said], _LABEL_HEIGHT)
    for (name, _), place, colour in zip(said, places, [*_colours(theme, len(curves)), theme.muted], strict=True):
        axes.text(1.015, place, name, transform=axes.transAxes, color=colour, va="center")
