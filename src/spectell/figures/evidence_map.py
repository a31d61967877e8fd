"""Scores of tiles over the picture that they belong to.

Only tiles whose score is clearly not zero are coloured, and those carry a plus or a minus as well, so that nothing
rests on hue. The picture beneath is grey and faint: it is there to find one's way, not to be judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ShapeError
from spectell.figures.canvas import colour_map, themed
from spectell.figures.style import LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

__all__ = ["LEAST_SHARE", "SCORE_LIMIT", "cell_edges", "plot_evidence"]

LEAST_SHARE = 1 / 8
"""Shorter side of the map over the longer one: a picture that is flatter is stretched, or its tiles were not seen."""

SCORE_LIMIT = 1.5
"""Log-odds of the last colours: the same on every map, so that maps can be compared."""

Float64Array = npt.NDArray[np.float64]

_LUMA = np.array([0.299, 0.587, 0.114])
_BOX = (4.6, 4.0)
"""Inches of the width and of the height in which a picture has room."""
_NARROWEST = 2.6  # inches: the words below the bar of colours need them


def plot_evidence(
    picture: npt.NDArray[np.uint8],
    scores: npt.ArrayLike,
    clear: npt.ArrayLike,
    *,
    centres: tuple[Sequence[float], Sequence[float]],
    theme: Theme = LIGHT,
) -> Figure:
    """Scores of a grid of tiles over a picture.

    Parameters
    ----------
    picture : ndarray of shape (H, W, 3), uint8
        The image, at any size. One whose shorter side is less than `LEAST_SHARE` of the longer is stretched to that.
    scores : array_like of shape (R, C)
        Log-odds of each tile.
    clear : array_like of shape (R, C), bool
        Which tiles are coloured.
    centres : two sequences of float, of lengths R and C
        Middles of the tiles, as shares (0 to 1) of the picture's height and width. A tile is drawn up to the middle
        between it and the next, since tiles overlap.
    theme : Theme

    Returns
    -------
    figure : matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        If the shapes do not agree.

    Examples
    --------
    >>> figure = plot_evidence(
    ...     np.zeros((4, 8, 3), np.uint8), [[1.0, -1.0]], [[True, False]], centres=([0.5], [0.25, 0.75])
    ... )
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['+']
    """
    values, coloured = np.asarray(scores, np.float64), np.asarray(clear, bool)
    downs, acrosses = (np.asarray(middle, np.float64) for middle in centres)
    if values.shape != (len(downs), len(acrosses)) or coloured.shape != values.shape:
        raise ShapeError(
            f"scores and clear must have shape ({len(downs)}, {len(acrosses)}), got {values.shape} and {coloured.shape}"
        )
    height, width = picture.shape[:2]
    inches, aspect = _frame(height, width)
    shown = np.ma.masked_array(values, ~coloured)
    with themed(theme):
        from matplotlib.figure import Figure

        figure = Figure(figsize=inches, layout="constrained")
        axes = figure.subplots()
        axes.imshow(_faint(picture, theme), extent=(0, width, height, 0), interpolation="bilinear", aspect=aspect)
        mesh = _draw_tiles(axes, shown, cell_edges(downs) * height, cell_edges(acrosses) * width, theme)
        _draw_signs(axes, shown, downs * height, acrosses * width, theme)
        axes.set_xlim(0, width)
        axes.set_ylim(height, 0)
        axes.set_axis_off()
        bar = figure.colorbar(mesh, ax=axes, location="bottom", extend="both", aspect=34, shrink=0.9, pad=0.02)
        bar.set_label("score of each tile alone (log-odds)")
        bar.outline.set_visible(False)
    return figure


def cell_edges(middles: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Borders of the cells around increasing places: half-way between neighbours, and 0 and 1 at the ends.

    Examples
    --------
    >>> cell_edges([0.25, 0.75]).tolist()
    [0.0, 0.5, 1.0]
    """
    places = np.asarray(middles, np.float64)
    return np.concatenate([[0.0], (places[1:] + places[:-1]) / 2, [1.0]])


def _frame(height: int, width: int) -> tuple[tuple[float, float], float]:
    """Return the figure's width and height in inches, and the height of a pixel over its width."""
    across, down = (max(side, LEAST_SHARE * max(width, height)) for side in (width, height))
    scale = min(_BOX[0] / across, _BOX[1] / down)
    return (max(across * scale, _NARROWEST) + 0.1, down * scale + 0.75), (down / height) / (across / width)


def _draw_tiles(
    axes: Axes, shown: np.ma.MaskedArray[Any, Any], downs: Float64Array, acrosses: Float64Array, theme: Theme
) -> QuadMesh:
    """Colour the tiles that are shown; `downs` and `acrosses` are their borders, in pixels."""
    return axes.pcolormesh(
        acrosses,
        downs,
        shown,
        cmap=_see_through(theme),
        vmin=-SCORE_LIMIT,
        vmax=SCORE_LIMIT,
        alpha=0.62,
        edgecolors="none",
    )


def _draw_signs(
    axes: Axes, shown: np.ma.MaskedArray[Any, Any], downs: Float64Array, acrosses: Float64Array, theme: Theme
) -> None:
    """Write a plus or a minus into the middle of every tile that is shown, at `downs` and `acrosses`, in pixels."""
    size = float(np.clip(125 / max(shown.shape), 5, 13))
    for row, column in np.argwhere(~np.ma.getmaskarray(shown)):
        sign = "+" if shown[row, column] > 0 else "−"
        axes.text(acrosses[column], downs[row], sign, ha="center", va="center", fontsize=size, color=theme.ink)


def _faint(picture: npt.NDArray[np.uint8], theme: Theme) -> npt.NDArray[np.float64]:
    """Return the luma, half-way to the ground of the theme."""
    from matplotlib.colors import to_rgb

    grey = (picture.astype(np.float64) @ _LUMA / 255)[..., np.newaxis]
    return np.asarray(0.55 * grey + 0.45 * np.array(to_rgb(theme.paper)))


def _see_through(theme: Theme) -> Colormap:
    """Return the diverging map; through it a tile that is not coloured shows the picture."""
    return colour_map(theme, diverging=True).with_extremes(bad=(0, 0, 0, 0))
