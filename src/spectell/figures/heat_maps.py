"""Heat maps of spectra in the manner of Frank et al. (2020): low frequencies top left, one scale for all panels.

What is drawn is what was given: no smoothing, no clipping of values, no transform. Colours saturate at the limits of
the scale, and its arrows say on which side. DC, at [0, 0], takes no part in a scale: it would be the brightest of all
and the reason why nothing else is seen.

References
----------
Frank, Eisenhofer, Schönherr, Fischer, Kolossa, Holz (2020). Leveraging frequency analysis for deep fake image
recognition. ICML. :arxiv:`2003.08685`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError
from spectell.figures.canvas import HALF_CYCLE_TICKS, colour_map, drawable, grid_shape, themed
from spectell.figures.style import LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

__all__ = [
    "DIFFERENCE",
    "EFFECT",
    "GEOMETRIC_MEAN",
    "MEAN",
    "RATIO",
    "SPREAD",
    "Scale",
    "draw_heat_map",
    "limits_of",
    "plot_heat_maps",
]

Float64Array = npt.NDArray[np.float64]
Limits = tuple[float, float]

_LEAST_SIDE, _PAGE_WIDTH = 2.75, 9.25
"""Inches of a panel, and of the column of a page: two panels fill it, a single one half of it."""

_LEGEND = 0.3
"""Inches of the line that says what is muted."""

_PAD = 0.07
"""Inches around panels, above and below: with matplotlib's own 0.04 titles are cut where a figure has a legend."""

_TAIL = 0.25
"""Per cent of all cells that may lie beyond either end of a scale."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What the colours of a heat map mean.

    Parameters
    ----------
    label : str
        The quantity and its unit, which stand beside the colour bar.
    centred : bool
        Whether zero is in the middle, where two colours meet.
    """

    label: str
    centred: bool = False


MEAN = Scale("mean power (dB)")
GEOMETRIC_MEAN = Scale("geometric mean power (dB)")
"""Of means of logarithms: below the mean power, by 5.5 dB for the coefficients of Gaussian noise."""

SPREAD = Scale("standard deviation (dB)")
DIFFERENCE = Scale("difference to the reference (dB)", centred=True)
RATIO = Scale("ratio to the reference (dB)", centred=True)
EFFECT = Scale("effect size (standard deviations)", centred=True)


def plot_heat_maps(
    values: Sequence[npt.ArrayLike],
    captions: Sequence[str],
    *,
    scale: Scale = MEAN,
    shown: Sequence[npt.ArrayLike] | None = None,
    columns: int | None = None,
    theme: Theme = LIGHT,
) -> Figure:
    """Spectra side by side on one scale of colours.

    Parameters
    ----------
    values : sequence of array_like of shape (H, W)
        A value for each DCT coefficient, low frequencies first, in the unit of `scale`. Sizes may differ.
    captions : sequence of str
        What stands above each.
    scale : Scale
        What the values are.
    shown : sequence of array_like of shape (H, W), bool, optional
        Which coefficients are drawn; the others are muted, as those that do not differ significantly. All by default.
    columns : int >= 1, optional
        Panels beside each other; up to four by default, in rows as even as can be.
    theme : Theme
        Colours.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The panels come first among its axes, then the colour bar. Axes run from 0 to half a cycle per pixel.

    Raises
    ------
    ShapeError
        If there is no spectrum, or one that is not a matrix of at least 2 x 2.
    ParameterError
        If the lengths of the arguments differ.

    Examples
    --------
    >>> figure = plot_heat_maps([np.zeros((8, 8)), np.ones((4, 4))], ["real", "progan"])
    >>> [axes.get_title(loc="left") for axes in figure.axes[:2]], figure.axes[2].get_ylabel()
    (['real', 'progan'], 'mean power (dB)')
    """
    masks = [None] * len(values) if shown is None else shown
    if not len(values) == len(captions) == len(masks):
        raise ParameterError(
            f"values, captions and shown must have one length, got {len(values)}, {len(captions)} and {len(masks)}"
        )
    drawn = [_masked(_matrix(value), mask) for value, mask in zip(values, masks, strict=True)]
    limits = limits_of(drawn, centred=scale.centred)
    rows, columns = grid_shape(len(drawn)) if columns is None else (-(-len(drawn) // columns), columns)
    with themed(theme):
        from matplotlib.figure import Figure
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        side = max(_LEAST_SIDE, (_PAGE_WIDTH / (1 if columns > 1 else 2) - 1.0) / columns)
        height = (side - 0.05) * rows + (0.45 if shown is None else 0.45 + _LEGEND)
        layout = ConstrainedLayoutEngine(compress=True, h_pad=_PAD)
        figure = Figure(figsize=(side * columns + 1.0, height), layout=layout)
        panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
        for axes, value, caption in zip(panels, drawn, captions, strict=False):
            image = draw_heat_map(axes, value, limits, centred=scale.centred, theme=theme)
            axes.set_title(drawable(caption), loc="left")
        for axes in panels[len(drawn) :]:
            axes.remove()
        figure.colorbar(
            image, ax=list(panels[: len(drawn)]), label=scale.label, extend=_extend(drawn, limits), aspect=24 * rows
        )
        for number, axes in enumerate(panels[: len(drawn)]):
            below = number + columns >= len(drawn)
            axes.tick_params(labelbottom=below)
            axes.set_xlabel("horizontal frequency (cycles per pixel)" if below else "")
            axes.set_ylabel("" if number % columns else "vertical frequency (cycles per pixel)")
        if shown is not None:
            _explain_muted(figure, theme)
    return figure


def draw_heat_map(
    axes: Axes,
    values: npt.NDArray[np.float64],
    limits: Limits,
    *,
    centred: bool = False,
    frequencies: npt.ArrayLike | None = None,
    theme: Theme = LIGHT,
) -> ScalarMappable:
    """Draw one value for each DCT coefficient, each cell centred on its frequency.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where.
    values : ndarray of shape (H, W)
        Coefficient (k, l) completes ``k / (2 H)`` cycles per pixel downwards and ``l / (2 W)`` to the right. The panel
        is square whatever H and W are. Masked values are muted.
    limits : tuple of float
        Values of the first and the last colour.
    centred : bool
        Use the diverging map.
    frequencies : array_like of shape (H,), optional
        Frequencies of the rows, and of as many columns, in cycles per pixel, where they are not those above. Cells meet
        half-way between them.
    theme : Theme
        Colours.

    Returns
    -------
    image : matplotlib.image.AxesImage or matplotlib.collections.QuadMesh
        The mesh where `frequencies` are given.
    """
    height, width = values.shape
    # Cells are centred on their frequencies, which is why the picture begins below zero.
    top, left = -0.25 / height, -0.25 / width
    axes.set_xticks(HALF_CYCLE_TICKS, ["0", "1/8", "1/4", "3/8", "1/2"])
    axes.set_yticks(HALF_CYCLE_TICKS, ["0", "1/8", "1/4", "3/8", "1/2"])
    axes.spines[:].set_visible(False)
    colours = colour_map(theme, diverging=centred)
    if frequencies is not None:
        edges = _edges(np.asarray(frequencies, np.float64))
        mesh = axes.pcolormesh(edges, edges, values, cmap=colours, vmin=limits[0], vmax=limits[1])
        axes.set_aspect("equal")
        axes.set_xlim(edges[0], max(0.5, edges[-1]))
        axes.set_ylim(max(0.5, edges[-1]), edges[0])
        return mesh
    image = axes.imshow(
        values,
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        extent=(left, 0.5 + left, 0.5 + top, top),
        interpolation="nearest",
        aspect="equal",
    )
    axes.set_xlim(left, 0.5)
    axes.set_ylim(0.5, top)
    return image


def _edges(middles: Float64Array) -> Float64Array:
    """Borders of cells around increasing frequencies; the outer ones are as far out as their neighbours are in."""
    inner = (middles[1:] + middles[:-1]) / 2
    return np.concatenate([[2 * middles[0] - inner[0]], inner, [2 * middles[-1] - inner[-1]]])


def limits_of(values: Sequence[npt.NDArray[np.float64]], *, centred: bool = False) -> Limits:
    """Limits of a scale that several panels share, from all cells that are shown but DC.

    Parameters
    ----------
    values : sequence of ndarray of shape (H, W)
        Masked values and those that are not finite do not count.
    centred : bool
        Put zero in the middle.

    Returns
    -------
    limits : tuple of float
        All but a quarter of a per cent of the cells on either side; never equal.

    Examples
    --------
    >>> limits_of([np.array([[99.0, 1.0], [2.0, 3.0]]), np.full((2, 2), 2.0)], centred=True)
    (-3.0, 3.0)
    """
    cells = [np.ma.masked_invalid(value).ravel()[1:].compressed() for value in values]
    pooled = np.concatenate(cells) if cells else np.zeros(0)
    if not pooled.size:
        return (-1.0, 1.0) if centred else (0.0, 1.0)
    if centred:
        largest = float(np.percentile(np.abs(pooled), 100 - 2 * _TAIL, method="higher")) or 1.0
        return -largest, largest
    low = float(np.percentile(pooled, _TAIL, method="lower"))
    high = float(np.percentile(pooled, 100 - _TAIL, method="higher"))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _matrix(values: npt.ArrayLike) -> Float64Array:
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or min(matrix.shape) < 2:
        raise ShapeError(f"a spectrum must have shape (H, W) with H and W of at least 2, got {matrix.shape}")
    return matrix


def _masked(
    values: Float64Array, shown: npt.ArrayLike | None
) -> np.ma.MaskedArray[tuple[int, ...], np.dtype[np.float64]]:
    if shown is None:
        return np.ma.masked_invalid(values)
    mask = np.asarray(shown, dtype=bool)
    if mask.shape != values.shape:
        raise ShapeError(f"shown must have the shape of its spectrum, {values.shape}, got {mask.shape}")
    return np.ma.masked_array(values, ~mask | ~np.isfinite(values))


def _extend(values: Sequence[Float64Array], limits: Limits) -> Literal["neither", "both", "min", "max"]:
    """Say on which side values lie beyond the scale, DC apart."""
    cells = [np.ma.masked_invalid(value).ravel()[1:] for value in values]
    below = any(cell.min(fill_value=np.inf) < limits[0] for cell in cells if cell.count())
    above = any(cell.max(fill_value=-np.inf) > limits[1] for cell in cells if cell.count())
    if below and above:
        return "both"
    return "min" if below else "max" if above else "neither"


def _explain_muted(figure: Figure, theme: Theme) -> None:
    from matplotlib.patches import Patch

    figure.legend(
        handles=[Patch(facecolor=theme.line, edgecolor=theme.muted, linewidth=0.5, label="no significant difference")],
        loc="outside lower right",
    )
