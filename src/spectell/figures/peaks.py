"""Peaks marked on the spectra that they stand out of.

Peaks are located on a Fourier transform and drawn on a DCT, whose frequencies have no sign: rising and falling
diagonals fall together. Shapes say what a peak may mean, so that nothing rests on colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy.typing as npt

from spectell.errors import ParameterError
from spectell.figures.canvas import themed
from spectell.figures.heat_maps import MEAN, Scale, plot_heat_maps
from spectell.figures.style import LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Mark", "plot_peaks"]

_SHAPES = ("o", "s", "^", "D", "v", "P")
_LETTER = 0.062
"""Inches that a letter of the explanation takes, on average."""
_LINE, _GAP = 0.16, 0.12
"""Inches that a line of the explanation takes, and what parts it from the next meaning."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A peak to be marked.

    Parameters
    ----------
    vertical, horizontal : float
        Frequency in cycles per pixel; the sign does not count.
    meaning : str
        What it may come from; marks of one meaning have one shape, explained below the panels.
    """

    vertical: float
    horizontal: float
    meaning: str


def plot_peaks(
    values: Sequence[npt.ArrayLike],
    captions: Sequence[str],
    marks: Sequence[Sequence[Mark]],
    *,
    scale: Scale = MEAN,
    theme: Theme = LIGHT,
) -> Figure:
    """Spectra side by side with their peaks marked.

    Parameters
    ----------
    values, captions, scale, theme
        As in `spectell.figures.heat_maps.plot_heat_maps`.
    marks : sequence of sequences of Mark
        The peaks of each spectrum.

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        If a spectrum is not a matrix.
    ParameterError
        If the lengths of the arguments differ.

    Examples
    --------
    >>> figure = plot_peaks([[[0.0, 1.0], [2.0, 3.0]]], ["gan"], [[Mark(-0.25, 0.125, "period 8")]])
    >>> [float(x) for x in figure.axes[0].lines[0].get_xydata()[0]]
    [0.125, 0.25]
    """
    if len(marks) != len(values):
        raise ParameterError(f"marks must have one entry for each of {len(values)} spectra, got {len(marks)}")
    meanings = list(dict.fromkeys(mark.meaning for each in marks for mark in each))
    shapes = {meaning: _SHAPES[k % len(_SHAPES)] for k, meaning in enumerate(meanings)}
    figure = plot_heat_maps(values, captions, scale=scale, theme=theme)
    with themed(theme):
        for axes, each in zip(figure.axes, marks, strict=False):
            for meaning in meanings:
                places = [(abs(mark.horizontal), abs(mark.vertical)) for mark in each if mark.meaning == meaning]
                if places:
                    across, down = zip(*places, strict=True)
                    # A white rim in a black one is seen on every colour of the map.
                    for colour, width in (("black", 2.6), ("white", 1.2)):
                        axes.plot(across, down, shapes[meaning], ms=7, mfc="none", mec=colour, mew=width, clip_on=False)
        if meanings:
            _explain(figure, shapes, theme)
    return figure


def _explain(figure: Figure, shapes: dict[str, str], theme: Theme) -> None:
    from textwrap import fill

    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker=shape, linestyle="none", ms=6, mfc="none", mec=theme.ink, mew=1.2)
        for shape in shapes.values()
    ]
    width, height = figure.get_size_inches()
    letters = int((width - 0.6) / _LETTER)  # less the mark and the borders
    labels = [fill(meaning, letters) for meaning in shapes]
    lines = sum(label.count("\n") + 1 for label in labels)
    figure.set_size_inches(width, height + _LINE * lines + _GAP * len(labels))
    figure.legend(handles, labels, loc="outside lower left", labelspacing=0.7)
