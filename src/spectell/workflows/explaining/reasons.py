"""What moved the score: contributions by kind of feature, by band of frequencies, and by single frequency.

All numbers are in units of the score (calibrated log-odds). They start from the score of the average photograph, and
start and contributions add up to the score of the image, up to the stated gap of the numerical integration.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spectell.detectors.attribution import attribute
from spectell.detectors.features import BlockFeatures, DCTFeatures
from spectell.detectors.layout import COLOUR, GRID, LUMA, lay_out
from spectell.detectors.stack import StackedFeatures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spectell.detectors import Model
    from spectell.detectors.front_end import FrontEnd
    from spectell.detectors.reference import PhotographReference

__all__ = ["BANDS", "Reasons", "band_of_cells", "cell_frequencies", "find_reasons"]

Float64Array = npt.NDArray[np.float64]

BANDS = (
    ("broad", "waves longer than 16 pixels", 1 / 16),
    ("medium", "waves of 8 to 16 pixels", 1 / 8),
    ("fine", "waves of 4 to 8 pixels", 1 / 4),
    ("finest", "waves shorter than 4 pixels", math.inf),
)
"""Name, meaning and upper end (in cycles per pixel) of the bands of frequencies."""

N_STRONGEST = 6


@dataclass(frozen=True, slots=True, eq=False)
class Reasons:
    """What moved a score away from that of the average photograph.

    Attributes
    ----------
    start : float
        Score of the start.
    starts_from : str
        What the start is: the average of the bundled photographs, or the model's own average training image.
    score : float
        Score of the image: `start` plus all contributions, up to `gap`.
    gap : float
        What the numerical integration leaves: the sum of the contributions minus (score minus start).
    exact : bool
        Whether the contributions are exact (a weighted sum) rather than integrated.
    kinds : dict of str to float
        Contribution of each kind of feature, see `spectell.detectors.layout`.
    bands : dict of str to dict of str to float
        For each kind that is a spectrum: contribution of each of `BANDS`, by name.
    maps : dict of str to ndarray of shape (GRID, GRID)
        For each such kind: contribution of each cell of frequencies, 1/32 of a cycle per pixel a side.
    frequencies : dict of str to ndarray of shape (GRID,)
        For each such kind: where the rows, and the columns, of its map lie, see `cell_frequencies`.
    """

    start: float
    starts_from: str
    score: float
    gap: float
    exact: bool
    kinds: dict[str, float]
    bands: dict[str, dict[str, float]]
    maps: dict[str, Float64Array]
    frequencies: dict[str, Float64Array]

    def strongest(self, number: int = N_STRONGEST) -> list[tuple[str, float, float, float]]:
        """Return the cells that moved the score most: kind, vertical and horizontal frequency, contribution."""
        cells = [
            (kind, down, across, float(values[row, column]))
            for kind, values in self.maps.items()
            for row, down in enumerate(self.frequencies[kind].tolist())
            for column, across in enumerate(self.frequencies[kind].tolist())
        ]
        return sorted(cells, key=lambda cell: -abs(cell[3]))[:number]

    def as_dict(self) -> dict[str, Any]:
        """Return the reasons as values that JSON knows."""
        strongest = [
            {"kind": kind, "vertical": down, "horizontal": across, "contribution": round(value, 5)}
            for kind, down, across, value in self.strongest()
        ]
        return {
            "start": self.start,
            "starts_from": self.starts_from,
            "score": self.score,
            "gap": self.gap,
            "exact": self.exact,
            "kinds": self.kinds,
            "bands": self.bands,
            "strongest": strongest,
            "maps": {kind: np.round(values, 5).tolist() for kind, values in self.maps.items()},
            "map_frequencies": {kind: values.tolist() for kind, values in self.frequencies.items()},
        }


def find_reasons(pixels: npt.NDArray[np.uint8], model: Model, reference: PhotographReference) -> Reasons:
    """Share a model's score of an image among its features.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8
        At least as large as the model asks.
    model : Model
    reference : PhotographReference
        Supplies the average photograph, for models with the front end that it was measured with.

    Returns
    -------
    reasons : Reasons
    """
    rows = model.standardisation.apply(model.front_end.rows(pixels))
    average = reference.features_for(model.front_end)
    if average is None:
        start, starts_from = np.zeros(rows.shape[1], np.float32), "the model's average training image"
    else:
        start = model.standardisation.apply(average[np.newaxis])[0]
        starts_from = "the average of the reference photographs"
    found = attribute(model.head, rows, start)
    # The score is linear in the raw output, so contributions keep their proportions.
    scale = model.calibration.slope * model.trust(pixels.shape[0] * pixels.shape[1])
    layout = lay_out(model.front_end, scale * found.contributions)
    frequencies = cell_frequencies(model.front_end)
    return Reasons(
        start=scale * found.start + model.calibration.intercept,
        starts_from=starts_from,
        score=scale * found.end + model.calibration.intercept,
        gap=scale * found.gap,
        exact=model.head.name == "linear",
        kinds=layout.sums,
        bands={kind: _by_band(values, frequencies[kind]) for kind, values in layout.maps.items()},
        maps=layout.maps,
        frequencies=frequencies,
    )


def cell_frequencies(front_end: FrontEnd) -> dict[str, Float64Array]:
    """Where the cells of each map of `spectell.detectors.layout` lie: the mean frequency of what they hold.

    Coefficient k of a block of N pixels lies at ``k / (2 N)`` cycles per pixel. A cell of the common grid holds one
    such coefficient of a block of 16 pixels, which is at the cell's start, and two along each axis of one of 32, which
    begin there. Where blocks of several sizes are summed into one map, every coefficient counts alike.

    Parameters
    ----------
    front_end : FrontEnd

    Returns
    -------
    frequencies : dict of str to ndarray of shape (GRID,)
        In cycles per pixel, along either axis, by kind. A cell that holds nothing is placed at its start.

    Examples
    --------
    >>> found = cell_frequencies(BlockFeatures(size=32, colour=False))["luma"]
    >>> found[1] == (2 / 64 + 3 / 64) / 2, found[15] == (30 / 64 + 31 / 64) / 2
    (np.True_, np.True_)
    """
    sums: dict[str, Float64Array] = {}
    counts: dict[str, Float64Array] = {}
    for kind, side in _spectra(front_end):
        cells = np.arange(side) * GRID // side
        held = np.bincount(cells, minlength=GRID)
        rows = held.mean()  # each column of a map holds so many coefficients in one cell, on average
        total = np.bincount(cells, np.arange(side) / (2 * side), minlength=GRID)
        sums[kind] = sums.get(kind, np.zeros(GRID)) + rows * total
        counts[kind] = counts.get(kind, np.zeros(GRID)) + rows * held
    starts = np.arange(GRID) / (2 * GRID)
    return {kind: np.divide(sums[kind], counts[kind], out=starts.copy(), where=counts[kind] > 0) for kind in sums}


def _spectra(front_end: FrontEnd) -> Iterator[tuple[str, int]]:
    """Yield kind and side of every square of DCT frequencies that `spectell.detectors.layout` sums into a map."""
    if isinstance(front_end, StackedFeatures):
        for part in front_end.parts:
            yield from _spectra(part)
    elif isinstance(front_end, BlockFeatures):
        yield from ((kind, front_end.size) for kind in ((LUMA, COLOUR) if front_end.colour else (LUMA,)))
    elif isinstance(front_end, DCTFeatures):
        yield LUMA, front_end.size


def band_of_cells(frequencies: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return the band, by its place in `BANDS`, of every cell of a map.

    Parameters
    ----------
    frequencies : array_like of shape (N,)
        Of the rows and of the columns, in cycles per pixel.

    Returns
    -------
    bands : ndarray of shape (N, N)

    Examples
    --------
    >>> band_of_cells([0.0, 0.0625, 0.25]).tolist()
    [[0, 1, 3], [1, 1, 3], [3, 3, 3]]
    """
    places = np.asarray(frequencies, np.float64)
    radius = np.hypot(places[:, np.newaxis], places)
    return np.asarray(np.searchsorted([end for _, _, end in BANDS[:-1]], radius, side="right"))


def _by_band(values: Float64Array, frequencies: Float64Array) -> dict[str, float]:
    bands = band_of_cells(frequencies)
    return {name: float(values[bands == number].sum()) for number, (name, _, _) in enumerate(BANDS)}
