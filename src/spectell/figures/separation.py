"""How well each of many things separates two classes: a dot and its interval in a row each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spectell.errors import ParameterError
from spectell.figures.canvas import drawable, themed
from spectell.figures.style import LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["SeparationRow", "plot_separations"]

_ROW = 0.27  # inches
_LEFT = 0.4


@dataclass(frozen=True, slots=True)
class SeparationRow:
    """One thing, and how well it separates.

    Parameters
    ----------
    name : str
    estimate, low, high : float in [0, 1]
        Area under the ROC curve, and its 95 % interval.
    limit : float
        What `low` must exceed for a leak.
    """

    name: str
    estimate: float
    low: float
    high: float
    limit: float

    @property
    def leaks(self) -> bool:
        """Whether the interval lies above the limit."""
        return self.low > self.limit


def plot_separations(panels: Sequence[tuple[str, Sequence[SeparationRow]]], *, theme: Theme = LIGHT) -> Figure:
    """Draw a panel for each generator, a row for each thing.

    A filled dot is a leak, a hollow one is none; a tick in each row is its limit.

    Parameters
    ----------
    panels : sequence of (str, sequence of SeparationRow)
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
    >>> drawn = plot_separations([("gan", [SeparationRow("size", 0.9, 0.8, 1.0, 0.55)])])
    >>> drawn.axes[0].get_title(loc="left")
    'gan against real'
    """
    if not panels or not all(rows for _, rows in panels):
        raise ParameterError("panels must hold at least one, with at least one row each, got none")
    from matplotlib.figure import Figure

    heights = [len(rows) * _ROW + 0.45 for _, rows in panels]
    with themed(theme):
        figure = Figure(figsize=(7.2, sum(heights) + 0.5), layout="constrained")
        axes = figure.subplots(len(panels), 1, height_ratios=heights, sharex=True, squeeze=False)[:, 0]
        for axis, (name, rows) in zip(axes, panels, strict=True):
            _draw(axis, rows, theme)
            axis.set_title(f"{drawable(name)} against real", loc="left")
        axes[-1].set_xlabel("area under the ROC curve (0.5 is chance), 95 % interval")
    return figure


def _draw(axis: Axes, rows: Sequence[SeparationRow], theme: Theme) -> None:
    axis.axvline(0.5, color=theme.muted, linewidth=0.8)
    for place, row in enumerate(rows):
        colour = theme.bad if row.leaks else theme.ink
        axis.plot([row.low, row.high], [place, place], color=colour, linewidth=1.6)
        face = colour if row.leaks else theme.paper
        axis.plot(row.estimate, place, "o", markersize=5, markerfacecolor=face, markeredgecolor=colour, clip_on=False)
        axis.plot([row.limit, row.limit], [place - 0.3, place + 0.3], color=theme.muted, linewidth=0.8)
    axis.set_yticks(range(len(rows)), [row.name for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    axis.set_xlim(min(_LEFT, *(row.low - 0.02 for row in rows)), 1.01)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x")
    axis.set_axisbelow(True)
