"""Figures of an explanation: an image's spectrum beside those of photographs, and what moved its score.

Each figure is small and stands by itself, so that a page can set several side by side and a telephone one below the
other. Contributions and deviations use the diverging map: purple for less and for real, orange for more and for
generated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spectell.errors import ShapeError
from spectell.figures.canvas import HALF_CYCLE_TICKS, colour_map, themed
from spectell.figures.heat_maps import Limits, Scale, draw_heat_map, limits_of
from spectell.figures.style import LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["PROFILE_LABELS", "plot_contributions", "plot_profile_band", "plot_spectrum_panel"]

PANEL_INCHES = (3.6, 3.35)
_TICK_NAMES = ("0", "1/8", "1/4", "3/8", "1/2")
PROFILE_LABELS = ("this image", "median of photographs", "half of the photographs", "90 of 100 photographs")


def plot_spectrum_panel(
    values: npt.ArrayLike,
    *,
    scale: Scale,
    limits: Limits | None = None,
    frequencies: npt.ArrayLike | None = None,
    theme: Theme = LIGHT,
) -> Figure:
    """One spectrum, or one number for each frequency.

    Parameters
    ----------
    values : array_like of shape (N, N)
        Low frequencies first, in the unit of `scale`.
    scale : Scale
        What the colours mean.
    limits : tuple of float, optional
        Values of the first and the last colour; from the values by default.
    frequencies : array_like of shape (N,), optional
        Of the rows and of the columns, in cycles per pixel; those of the DCT of N pixels by default.
    theme : Theme

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        If `values` is not a square matrix, or has not one frequency for each row.

    Examples
    --------
    >>> figure = plot_spectrum_panel(np.eye(8), scale=Scale("power (dB)"))
    >>> figure.axes[1].get_xlabel()
    'power (dB)'
    """
    matrix = np.asarray(values, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ShapeError(f"values must have shape (N, N), got {matrix.shape}")
    if frequencies is not None and np.shape(frequencies) != matrix.shape[:1]:
        raise ShapeError(f"frequencies must have shape ({len(matrix)},), got {np.shape(frequencies)}")
    chosen = limits_of([matrix], centred=scale.centred) if limits is None else limits
    with themed(theme):
        from matplotlib.figure import Figure

        figure = Figure(figsize=PANEL_INCHES, layout="constrained")
        axes = figure.subplots()
        image = draw_heat_map(axes, matrix, chosen, centred=scale.centred, frequencies=frequencies, theme=theme)
        axes.set_xlabel("across (cycles per pixel)")
        axes.set_ylabel("down (cycles per pixel)")
        bar = figure.colorbar(image, ax=axes, location="bottom", label=scale.label, extend="both", aspect=28, pad=0.02)
        bar.outline.set_visible(False)
    return figure


def plot_profile_band(
    frequencies: npt.ArrayLike, profile: npt.ArrayLike, percentiles: npt.ArrayLike, *, theme: Theme = LIGHT
) -> Figure:
    """Draw the power of an image at each distance from zero frequency, in the band of photographs.

    Parameters
    ----------
    frequencies : array_like of shape (n,)
        In cycles per pixel.
    profile : array_like of shape (n,)
        Of the image, in decibels.
    percentiles : array_like of shape (5, n)
        5, 25, 50, 75, 95 per cent of the photographs, in decibels.
    theme : Theme

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        If the arrays do not have these shapes.

    Examples
    --------
    >>> figure = plot_profile_band([0.1, 0.2], [3.0, 1.0], np.zeros((5, 2)))
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['median of photographs', 'this image']
    """
    x, y, band = (np.asarray(values, np.float64) for values in (frequencies, profile, percentiles))
    if x.ndim != 1 or y.shape != x.shape or band.shape != (5, len(x)):
        raise ShapeError(f"need shapes (n,), (n,) and (5, n), got {x.shape}, {y.shape} and {band.shape}")
    image, median, half, most = PROFILE_LABELS
    with themed(theme):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(4.8, 3.3), layout="constrained")
        axes = figure.subplots()
        axes.fill_between(x, band[0], band[4], color=theme.cycle[1], alpha=0.16, linewidth=0, label=most)
        axes.fill_between(x, band[1], band[3], color=theme.cycle[1], alpha=0.26, linewidth=0, label=half)
        axes.plot(x, band[2], color=theme.cycle[1], linewidth=1.1, linestyle=(0, (5, 2)), label=median)
        axes.plot(x, y, color=theme.cycle[2], linewidth=2, marker="o", markersize=3.2, label=image)
        axes.set_xlim(0, 0.52)
        axes.set_xticks(HALF_CYCLE_TICKS, _TICK_NAMES)
        axes.set_xlabel("frequency (cycles per pixel)")
        axes.set_ylabel("power of the luma (dB)")
        axes.grid(axis="y")
        handles, labels = axes.get_legend_handles_labels()
        order = sorted(range(len(labels)), key=lambda i: PROFILE_LABELS.index(labels[i]))
        axes.legend([handles[i] for i in order], [labels[i] for i in order], loc="upper right")
    return figure


def plot_contributions(
    names: Sequence[str],
    values: npt.ArrayLike,
    *,
    start: float,
    end: float,
    theme: Theme = LIGHT,
    start_name: str = "start",
) -> Figure:
    """Draw the way from one score to another, step by step.

    Parameters
    ----------
    names : sequence of str
        What each step is.
    values : array_like of shape (n,)
        By how much it moves the score; they lead from `start` to `end`, which closes the way whatever is missing.
    start, end : float
        Scores.
    theme : Theme
    start_name : str
        What the start is.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Bars to the right, orange, towards generated; to the left, purple, towards real. The number stands at each.

    Raises
    ------
    ShapeError
        If there is not one name for each value.

    Examples
    --------
    >>> figure = plot_contributions(["luma", "colour"], [1.0, -0.5], start=0.0, end=0.5)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['+0.00', '+1.00', '−0.50', '+0.50']
    """
    steps = np.asarray(values, np.float64)
    if steps.shape != (len(names),):
        raise ShapeError(f"values must have shape ({len(names)},), one for each name, got {steps.shape}")
    before = start + np.concatenate([[0.0], np.cumsum(steps)[:-1]]) if len(steps) else np.zeros(0)
    less, more = _ends(theme)
    with themed(theme):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(4.5, 0.29 * (len(names) + 2) + 0.65), layout="constrained")
        axes = figure.subplots()
        rows = np.arange(1, len(names) + 1)
        colours = [more if step > 0 else less for step in steps]
        axes.barh(rows, steps, left=before, color=colours, height=0.62)
        axes.plot([start, end], [0, len(names) + 1], "D", color=theme.ink, markersize=5, linestyle="none")
        _label_steps(axes, start, end, before, steps)
        axes.axvline(0, color=theme.muted, linewidth=0.8)
        axes.set_yticks(range(len(names) + 2), [start_name, *names, "this image"])
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlim(*_room([start, end, 0.0, *before, *(before + steps)]))
        axes.set_xlabel("score (log-odds)")
        axes.grid(axis="x")
        axes.set_axisbelow(True)
    return figure


def _room(places: Sequence[float]) -> tuple[float, float]:
    """Limits with room for a number on either side."""
    low, high = min(places), max(places)
    room = 0.2 * max(high - low, 0.1)
    return low - room, high + room


def _ends(theme: Theme) -> tuple[str, str]:
    """Colours for less and more that are legible on the ground of the theme."""
    from matplotlib.colors import to_hex

    colours = colour_map(theme, diverging=True)
    return to_hex(colours(0.14)), to_hex(colours(0.86))


def _label_steps(
    axes: object, start: float, end: float, before: npt.NDArray[np.float64], steps: npt.NDArray[np.float64]
) -> None:
    """Write each number beyond the end of its bar."""
    marks = [(start, 1.0), *zip(before + steps, np.where(steps < 0, -1.0, 1.0), strict=True), (end, 1.0)]
    numbers = [start, *steps, end]
    for row, ((place, side), number) in enumerate(zip(marks, numbers, strict=True)):
        axes.annotate(  # type: ignore[attr-defined]
            f"{number:+.2f}".replace("-", "−"),
            (place, row),
            xytext=(7 * side, 0),
            textcoords="offset points",
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=8,
        )
