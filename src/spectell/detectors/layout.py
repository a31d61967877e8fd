"""Where in a row of features each number comes from: which front end, which frequency, which channel.

A row is what a front end made of it; who explains a score wants frequencies back. Numbers that belong to the features
of a row (contributions, say) are summed here into maps over frequency and into one sum for each kind of feature, and
nothing is lost on the way: the kinds sum to the row.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spectell.detectors.cooccurrence import CooccurrenceFeatures
from spectell.detectors.features import BlockFeatures, DCTFeatures
from spectell.detectors.front_end import FrontEnd
from spectell.detectors.parts import Float64Array
from spectell.detectors.stack import StackedFeatures
from spectell.errors import ShapeError

__all__ = ["COLOUR", "COOCCURRENCE", "GRID", "LUMA", "PIXELS", "RowLayout", "lay_out"]

LUMA = "luma"
"""Spectrum of the luma (of red, green and blue together where the front end takes those)."""

COLOUR = "colour"
"""Spectra of the two colour differences."""

COOCCURRENCE = "cooccurrence"
"""Histograms of runs of neighbouring pixel differences."""

PIXELS = "pixels"
"""Pixel values, or features of a kind that is not known here: they have no frequency."""

GRID = 16
"""Cells a side of the common grid of frequencies: 1/32 of a cycle per pixel each, from 0 to 1/2."""


@dataclass(frozen=True, slots=True, eq=False)
class RowLayout:
    """Numbers of a row, by kind of feature and by frequency.

    Attributes
    ----------
    sums : dict of str to float
        Sum over all features of each kind that the front end has.
    maps : dict of str to ndarray of shape (GRID, GRID), float64
        For the kinds that are spectra: the sums of the features whose frequency lies in each cell, vertical
        frequency down, horizontal frequency across.
    """

    sums: dict[str, float]
    maps: dict[str, Float64Array]


def lay_out(front_end: FrontEnd, values: npt.ArrayLike) -> RowLayout:
    """Sum the numbers of a row by kind of feature and by frequency.

    Parameters
    ----------
    front_end : FrontEnd
    values : array_like of shape (D,)
        One number a feature.

    Raises
    ------
    ShapeError
        If `values` does not hold one number for each feature of the front end.

    Examples
    --------
    A block of 2 x 2 without colour has eight features, two of each of four frequencies:

    >>> found = lay_out(BlockFeatures(size=2, colour=False), np.arange(8.0))
    >>> found.sums, found.maps["luma"][0, 0], found.maps["luma"][8, 8]
    ({'luma': 28.0}, np.float64(4.0), np.float64(10.0))
    """
    row = np.asarray(values, np.float64)
    if row.shape != (front_end.n_features,):
        raise ShapeError(f"values must have shape ({front_end.n_features},), got {row.shape}")
    sums: dict[str, float] = {}
    maps: dict[str, Float64Array] = {}
    for kind, part in _parts(front_end, row):
        sums[kind] = sums.get(kind, 0.0) + float(part.sum())
        if part.ndim == 2:
            maps[kind] = maps.get(kind, np.zeros((GRID, GRID))) + _on_grid(part)
    return RowLayout(sums, maps)


def _parts(front_end: FrontEnd, row: Float64Array) -> Iterator[tuple[str, Float64Array]]:
    """Yield kind and numbers: a square of frequencies for a spectrum, a flat array for anything else."""
    if isinstance(front_end, StackedFeatures):
        ends = np.cumsum([part.n_features for part in front_end.parts])
        for part, values in zip(front_end.parts, np.split(row, ends[:-1]), strict=True):
            yield from _parts(part, values)
    elif isinstance(front_end, BlockFeatures):
        spectra = row.reshape(2, front_end.size, front_end.size, -1).sum(axis=0)
        yield LUMA, spectra[..., 0]
        if front_end.colour:
            yield COLOUR, spectra[..., 1:].sum(axis=-1)
    elif isinstance(front_end, DCTFeatures):
        yield LUMA, row.reshape(front_end.size, front_end.size, 3).sum(axis=-1)
    else:
        yield COOCCURRENCE if isinstance(front_end, CooccurrenceFeatures) else PIXELS, row


def _on_grid(square: Float64Array) -> Float64Array:
    """Sum a square of DCT frequencies into the cells of the common grid."""
    cells = np.arange(len(square)) * GRID // len(square)
    grid = np.zeros((GRID, GRID))
    np.add.at(grid, (cells[:, np.newaxis], cells[np.newaxis, :]), square)
    return grid
