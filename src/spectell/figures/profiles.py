"""How power falls with frequency: profiles of several sets in one picture, each named beside its end.

Frequencies lie on a logarithmic axis whose ticks are powers of two, because up-sampling and JPEG leave their marks
there; power is in decibels, which is logarithmic too, so a power law is a straight line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError
from spectell.figures.canvas import cycle, drawable, grid_shape, themed
from spectell.figures.style import LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BIN_POWER",
    "RING_POWER",
    "Curve",
    "PowerLawLine",
    "plot_directional_profiles",
    "plot_radial_profiles",
    "spread_labels",
]

Float64Array = npt.NDArray[np.float64]

RING_POWER = "mean power of a ring, geometric mean of images (dB)"
"""What a radial profile shows: within an image the mean, between images the mean of the logarithms."""

BIN_POWER = "geometric mean power of bins and images (dB)"
"""What directional profiles show: the mean of the logarithms of single bins."""

_HIGHEST = 0.5
_DASHES = ("solid", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
_LABEL_HEIGHT = 0.052
"""Height of a line of text as a share of that of the axes."""


@dataclass(frozen=True, slots=True)
class PowerLawLine:
    """A fitted power law, drawn as a thin dashed line.

    Parameters
    ----------
    exponent : float
        Power falls as one over the frequency to this exponent.
    decibels_at_one : float
        What the law gives at one cycle per pixel.
    low, high : float
        Frequencies between which it was fitted, in cycles per pixel.
    """

    exponent: float
    decibels_at_one: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The profile of one set.

    Parameters
    ----------
    name : str
        What stands at its end.
    frequency : ndarray of shape (B,)
        In cycles per pixel, increasing; zero is not drawn.
    decibels : ndarray of shape (B,)
        Power, as `RING_POWER` or `BIN_POWER` says. NaN where there is none.
    spread : ndarray of shape (B,), optional
        Half the height of the band around the curve, in decibels.
    law : PowerLawLine, optional
        The law that was fitted.
    """

    name: str
    frequency: Float64Array
    decibels: Float64Array
    spread: Float64Array | None = None
    law: PowerLawLine | None = None


def plot_radial_profiles(
    curves: Sequence[Curve], *, band: str = "band: one standard deviation", theme: Theme = LIGHT
) -> Figure:
    """Radial profiles of several sets.

    Parameters
    ----------
    curves : sequence of Curve
        At least one. The first is the reference, in the colour of the text.
    band : str
        What the bands are; said where there is one.
    theme : Theme
        Colours.

    Returns
    -------
    figure : matplotlib.figure.Figure
        One panel.

    Raises
    ------
    ParameterError
        If there is no curve.

    Examples
    --------
    >>> frequency = np.array([0.0, 0.125, 0.25, 0.5])
    >>> figure = plot_radial_profiles([Curve("real", frequency, np.array([9.0, 3.0, 2.0, 1.0]))])
    >>> figure.axes[0].lines[0].get_xdata().tolist()
    [0.125, 0.25, 0.5]
    """
    if not curves:
        raise ParameterError("a picture of profiles needs at least one curve, got none")
    with themed(theme):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(9.6, 4.8), layout="constrained")
        axes = figure.subplots()
        for k, (curve, colour) in enumerate(zip(curves, cycle(theme, len(curves)), strict=True)):
            _draw(axes, curve, colour, dashes=k // len(theme.cycle))
        _frequency_axis(axes, curves)
        axes.set_ylabel(RING_POWER)
        _name_at_end(axes, curves, cycle(theme, len(curves)))
        said = [band] if any(curve.spread is not None for curve in curves) else []
        said += ["dashed: fitted power law"] if any(curve.law for curve in curves) else []
        if said:
            axes.text(0.01, 0.02, "\n".join(said), transform=axes.transAxes, color=theme.muted, fontsize=8, va="bottom")
    return figure


def plot_directional_profiles(
    sets: Sequence[tuple[str, Float64Array, Sequence[Float64Array]]],
    *,
    directions: Sequence[str] = ("horizontal", "vertical", "diagonal"),
    theme: Theme = LIGHT,
) -> Figure:
    """Profiles along some directions, a panel for each direction and a curve for each set.

    Parameters
    ----------
    sets : sequence of (str, ndarray of shape (B,), sequence of ndarray of shape (B,))
        Name, frequencies in cycles per pixel, and power in decibels in each direction, NaN where there is none.
    directions : sequence of str
        Titles of the panels.
    theme : Theme
        Colours.

    Returns
    -------
    figure : matplotlib.figure.Figure
        A panel for each direction; all share both axes.

    Raises
    ------
    ParameterError
        If there is no set, or a set has another number of profiles than there are directions.
    """
    if not sets or any(len(profiles) != len(directions) for _, _, profiles in sets):
        raise ParameterError(f"each of at least one set needs {len(directions)} profiles, one for each direction")
    rows, columns = grid_shape(len(directions))
    with themed(theme):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(3.3 * columns + 1.3, 3.6 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for number, (axes, direction) in enumerate(zip(panels, directions, strict=False)):
            curves = [Curve(name, frequency, profiles[number]) for name, frequency, profiles in sets]
            colours = cycle(theme, len(curves))
            for k, (curve, colour) in enumerate(zip(curves, colours, strict=True)):
                _draw(axes, curve, colour, dashes=k // len(theme.cycle))
            axes.set_title(direction, loc="left")
            _frequency_axis(axes, curves, every=2)
            if number == len(directions) - 1:
                _name_at_end(axes, curves, colours)
        panels[0].set_ylabel(BIN_POWER)
    return figure


def spread_labels(heights: Sequence[float], distance: float) -> list[float]:
    """Move labels apart until none covers another, each as little as need be.

    Parameters
    ----------
    heights : sequence of float
        Where they would stand.
    distance : float
        Between neighbours, at least.

    Returns
    -------
    moved : list of float
        In the order of `heights`, which they keep.

    Examples
    --------
    >>> spread_labels([0.0, 1.0, 0.1], 0.5)
    [-0.2, 1.0, 0.3]
    """
    order = sorted(range(len(heights)), key=lambda k: heights[k])
    blocks: list[tuple[list[int], float]] = []  # labels that touch, and the middle of them all
    for k in order:
        members, centre = [k], float(heights[k])
        while blocks and centre - _half(members, distance) < blocks[-1][1] + _half(blocks[-1][0], distance):
            below, middle = blocks.pop()
            centre = (middle * len(below) + centre * len(members)) / (len(below) + len(members))
            members = below + members
        blocks.append((members, centre))
    moved = [0.0] * len(heights)
    for members, centre in blocks:
        for rank, k in enumerate(members):
            moved[k] = round(centre + (rank - (len(members) - 1) / 2) * distance, 12)
    return moved


def _half(members: Sequence[int], distance: float) -> float:
    return len(members) * distance / 2


def _draw(axes: Axes, curve: Curve, colour: str, *, dashes: int) -> None:
    drawn = (curve.frequency > 0) & (curve.frequency <= _HIGHEST + 1e-9)
    frequency, decibels = curve.frequency[drawn], curve.decibels[drawn]
    axes.plot(frequency, decibels, color=colour, linestyle=_DASHES[dashes % len(_DASHES)], zorder=3)
    if curve.spread is not None:
        half = curve.spread[drawn]
        axes.fill_between(frequency, decibels - half, decibels + half, color=colour, alpha=0.13, linewidth=0, zorder=1)
    if curve.law is not None:
        ends = np.array([curve.law.low, curve.law.high])
        law = curve.law.decibels_at_one - 10 * curve.law.exponent * np.log10(ends)
        axes.plot(ends, law, color=colour, linewidth=0.9, linestyle=(0, (4, 2.5)), zorder=2)


def _frequency_axis(axes: Axes, curves: Sequence[Curve], *, every: int = 1) -> None:
    """Ticks at powers of two, from the lowest frequency to half a cycle per pixel."""
    lowest = min(float(curve.frequency[curve.frequency > 0].min()) for curve in curves)
    powers = range(1, int(np.floor(-np.log2(lowest))) + 1)
    ticks = [2**-power for power in powers][::-1]
    axes.set_xscale("log", base=2)
    axes.set_xlim(lowest, _HIGHEST)
    named = [
        f"1/{2**power}" if (power - 1) % every == 0 and 2**-power > 1.5 * lowest * (every - 1) else ""
        for power in powers
    ][::-1]
    axes.set_xticks(ticks, named)
    axes.set_xticks([], minor=True)
    axes.grid(True, axis="both")
    axes.set_axisbelow(True)
    axes.set_xlabel("frequency (cycles per pixel)")


def _name_at_end(axes: Axes, curves: Sequence[Curve], colours: Sequence[str]) -> None:
    """Write each curve's name, and the exponent of its law, to the right of it."""
    low, high = axes.get_ylim()
    ends = [_end(curve, low) for curve in curves]
    places = spread_labels([(end - low) / (high - low) for end in ends], _LABEL_HEIGHT)
    shift = min(0.0, 1.0 - max(places))
    for curve, colour, end, place in zip(curves, colours, ends, places, strict=True):
        law = f"  1/f^{curve.law.exponent:z.2f}".replace("-", "−") if curve.law else ""
        axes.annotate(
            f"{drawable(curve.name)}{law}",
            xy=(1.0, (end - low) / (high - low)),
            xytext=(1.03, place + shift),
            xycoords="axes fraction",
            textcoords="axes fraction",
            color=colour,
            va="center",
            fontsize=8.5,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "linewidth": 0.5,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )


def _end(curve: Curve, otherwise: float) -> float:
    known = curve.decibels[(curve.frequency <= _HIGHEST + 1e-9) & np.isfinite(curve.decibels)]
    return float(known[-1]) if known.size else otherwise
