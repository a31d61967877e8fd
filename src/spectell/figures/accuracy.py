"""Accuracies side by side: a dot and its interval for each detector and domain, and lines over a quantity.

A series has one colour and one marker wherever it stands; what it was trained on is told by its dashes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spectell.errors import ParameterError
from spectell.figures.canvas import cycle, drawable, grid_shape, themed
from spectell.figures.style import LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["AccuracyLine", "AccuracyPanel", "AccuracyRow", "plot_accuracies", "plot_accuracy_panels"]

Triple = tuple[float, float, float]

_ROW = 0.42  # inches
_MARKERS = "osD^v"
_DASHES = ("solid", (0, (4, 1.8)))


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """One detector.

    Parameters
    ----------
    name : str
    values : mapping of str to (float, float, float)
        Accuracy and the bounds of its interval in per cent, by series; a series may be missing.
    """

    name: str
    values: Mapping[str, Triple]


@dataclass(frozen=True, slots=True)
class AccuracyLine:
    """Accuracy over a quantity.

    Parameters
    ----------
    series : int
        Decides colour and marker.
    name : str
    places : sequence of float
    values, low, high : sequence of float
        Per cent.
    dashed : bool
    """

    series: int
    name: str
    places: Sequence[float]
    values: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class AccuracyPanel:
    """Lines over one quantity.

    Parameters
    ----------
    title, label : str
        Above the panel, and of its horizontal axis.
    lines : sequence of AccuracyLine
    logarithmic, falling : bool
        Of the horizontal axis; falling runs from large to small.
    """

    title: str
    label: str
    lines: Sequence[AccuracyLine]
    logarithmic: bool = False
    falling: bool = False


def plot_accuracies(rows: Sequence[AccuracyRow], *, chance: float, theme: Theme = LIGHT) -> Figure:
    """Draw a row for each detector with a dot and an interval for each series.

    Parameters
    ----------
    rows : sequence of AccuracyRow
    chance : float
        Per cent that naming the most frequent class reaches.
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
    >>> drawn = plot_accuracies([AccuracyRow("knn", {"pixel": (50, 45, 55), "DCT": (70, 66, 74)})], chance=20)
    >>> [text.get_text() for text in drawn.axes[0].get_legend().get_texts()]
    ['pixel', 'DCT']
    """
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    if not names:
        raise ParameterError("rows must hold one accuracy at least, got none")
    with themed(theme):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(7.2, _ROW * len(rows) + 1.1), layout="constrained")
        axes = figure.subplots()
        for k, (name, colour) in enumerate(zip(names, _colours(theme, len(names)), strict=True)):
            _draw_series(axes, rows, name, (k - (len(names) - 1) / 2) * 0.24, colour, _MARKERS[k % len(_MARKERS)])
        axes.axvline(chance, color=theme.muted, linewidth=0.8)
        axes.set_yticks(range(len(rows)), [drawable(row.name) for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(min(0.0, chance - 5), 101.0)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x")
        axes.set_axisbelow(True)
        axes.set_xlabel("accuracy (%), 95 % interval; the line is chance")
        axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(names), borderaxespad=0.2)
    return figure


def plot_accuracy_panels(panels: Sequence[AccuracyPanel], *, chance: float, theme: Theme = LIGHT) -> Figure:
    """Draw lines in panels beside each other, on one vertical axis.

    Parameters
    ----------
    panels : sequence of AccuracyPanel
        With one legend: lines of one name look alike.
    chance : float
        As for `plot_accuracies`.
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
    >>> line = AccuracyLine(0, "pixel", [1, 2], [60, 50], [55, 45], [65, 55])
    >>> plot_accuracy_panels([AccuracyPanel("noise", "sigma", [line])], chance=20).axes[0].get_title(loc="left")
    'noise'
    """
    if not any(panel.lines for panel in panels):
        raise ParameterError("panels must hold one line at least, got none")
    rows, columns = grid_shape(len(panels), columns=2 if len(panels) in (2, 4) else 3)
    with themed(theme):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(3.1 * columns + 0.6, 2.5 * rows + 0.6), layout="constrained")
        drawn = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
        for axes, panel in zip(drawn, panels, strict=False):
            _draw_panel(axes, panel, chance, theme)
        for axes in drawn[len(panels) :]:
            axes.set_visible(False)
        for row in range(rows):
            drawn[row * columns].set_ylabel("accuracy (%)")
        shown: dict[str, Any] = {}
        for axes in drawn:
            handles, names = axes.get_legend_handles_labels()
            shown |= {name: handle for handle, name in zip(handles, names, strict=True) if name not in shown}
        figure.legend(
            shown.values(), shown.keys(), loc="outside upper left", ncols=min(len(shown), 4 if columns > 2 else 2)
        )
    return figure


def _draw_series(axes: Axes, rows: Sequence[AccuracyRow], name: str, shift: float, colour: str, marker: str) -> None:
    found = [(place + shift, row.values[name]) for place, row in enumerate(rows) if name in row.values]
    places = [place for place, _ in found]
    axes.hlines(places, [low for _, (_, low, _) in found], [high for _, (_, _, high) in found], color=colour, lw=1.6)
    axes.plot([value for _, (value, _, _) in found], places, marker, color=colour, markersize=5, label=name, zorder=3)


def _draw_panel(axes: Axes, panel: AccuracyPanel, chance: float, theme: Theme) -> None:
    colours = _colours(theme, len(theme.cycle) - 1)
    for line in panel.lines:
        colour = colours[line.series % len(colours)]
        axes.fill_between(line.places, line.low, line.high, color=colour, alpha=0.12, linewidth=0)
        style: Any = {"linestyle": _DASHES[line.dashed], "marker": _MARKERS[line.series % len(_MARKERS)]}
        axes.plot(line.places, line.values, color=colour, markersize=3.5, label=line.name, **style)
    axes.axhline(chance, color=theme.muted, linewidth=0.8)
    axes.set_title(drawable(panel.title), loc="left")
    axes.set_xlabel(panel.label)
    if panel.logarithmic:
        ticks = sorted({place for line in panel.lines for place in line.places})
        axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    if panel.falling:
        axes.invert_xaxis()
    axes.set_ylim(0, 103)
    axes.grid(axis="y")
    axes.set_axisbelow(True)


def _colours(theme: Theme, number: int) -> Sequence[str]:
    """Leave the first, the colour of text, to what is not a series."""
    return cycle(theme, number + 1)[1:]
