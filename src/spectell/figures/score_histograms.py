"""Scores of both classes: a panel for each detector, real above the axis and generated below it.

Mirrored histograms show two classes without one hiding the other, and need no colour to be told apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from spectell.errors import ParameterError
from spectell.figures.canvas import drawable, themed
from spectell.figures.style import LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_score_histograms"]

_BINS = 32
_TAIL = 0.5
"""Per cent of the scores of a panel that may lie beyond either end of its axis; they count in the last bins."""


def plot_score_histograms(
    panels: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    *,
    names: tuple[str, str] = ("real", "generated"),
    theme: Theme = LIGHT,
) -> Figure:
    """Draw the scores of two classes.

    Parameters
    ----------
    panels : sequence of (str, sequence of float, sequence of float)
        Title, scores of real images, scores of generated ones; zero is the threshold.
    names : tuple of two str
        What the classes are called.
    theme : Theme

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ParameterError
        If there is no panel, or a class of one is empty.

    Examples
    --------
    >>> drawn = plot_score_histograms([("pixel", [-1.0, -0.5], [0.5, 1.0]), ("DCT", [-1.0, 0.0], [0.0, 1.0])])
    >>> [axes.get_title(loc="left") for axes in drawn.axes]
    ['pixel', 'DCT']
    """
    if not panels or not all(len(real) and len(made) for _, real, made in panels):
        raise ParameterError("panels must hold at least one, with scores of both classes, got none")
    with themed(theme):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(2.7 * len(panels) + 0.5, 2.7), layout="constrained")
        for axes, (title, *classes) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
            reach = max(abs(float(bound)) for bound in np.percentile(np.concatenate(classes), [_TAIL, 100 - _TAIL]))
            edges = np.linspace(-(reach or 1.0), reach or 1.0, _BINS + 1)
            tallest = 0.0
            for scores, sign, colour in zip(classes, (1, -1), theme.cycle[1:3], strict=True):
                shares = np.histogram(np.clip(scores, edges[0], edges[-1]), edges)[0] / len(scores)
                tallest = max(tallest, float(shares.max()))
                axes.stairs(sign * shares, edges, fill=True, color=colour)
            axes.axhline(0, color=theme.ink, linewidth=0.8)
            axes.axvline(0, color=theme.muted, linewidth=0.8, linestyle=(0, (3, 2)))
            axes.set(ylim=(-1.25 * tallest, 1.25 * tallest), yticks=[], xlabel="score")
            axes.spines[["left", "bottom"]].set_visible(False)
            axes.set_title(drawable(title), loc="left")
            for name, place, colour in zip(names, (0.99, 0.01), theme.cycle[1:3], strict=True):
                align = "top" if place > 0.5 else "bottom"
                axes.text(0.01, place, drawable(name), transform=axes.transAxes, color=colour, va=align)
    return figure
