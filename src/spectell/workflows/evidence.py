"""Where in an image the evidence lies: the model's score on native tiles, each with its uncertainty.

A tile is a small image, judged like any other, and so less surely than the whole. Its uncertainty is the standard error
that the scatter of its four quarters gives. None of this says that a part was generated and another was not: texture,
sharpness and light differ over a picture, and the scores with them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from spectell.detectors import Model

__all__ = ["CLEAR_ERRORS", "MAX_TILES", "EvidenceMap", "map_evidence", "tile_grid"]

MAX_TILES = 300
"""Most tiles of an image: beyond, tiles become larger."""

SMALLEST_TILE = 64
LARGE_SIDE = 512
"""Images with no side below it have tiles of 128 pixels or more, which are judged more surely."""

CLEAR_ERRORS = 3.182
"""A tile points somewhere when its score is this many standard errors from zero: of Student's distribution with the
three degrees of freedom that four quarters leave, 95 % lies within. One tile in twenty exceeds it by chance."""


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceMap:
    """Scores of tiles.

    Attributes
    ----------
    side : int
        Height and width of a tile, in native pixels.
    tops, lefts : tuple of int
        First row and first column of the tiles: they form a grid.
    scores : ndarray of shape (len(tops), len(lefts)), float64
        Calibrated log-odds of each tile alone.
    errors : ndarray of the same shape, or None
        Standard errors; None where a quarter of a tile is too small for the model.
    """

    side: int
    tops: tuple[int, ...]
    lefts: tuple[int, ...]
    scores: npt.NDArray[np.float64]
    errors: npt.NDArray[np.float64] | None

    @property
    def clear(self) -> npt.NDArray[np.bool_]:
        """Which tiles point somewhere at all; all of them where the uncertainty is unknown."""
        if self.errors is None:
            return np.ones(self.scores.shape, bool)
        return np.asarray(np.abs(self.scores) >= CLEAR_ERRORS * self.errors)

    def counts(self) -> dict[str, int]:
        """How many tiles point clearly towards generated, clearly towards real, and to neither.

        Examples
        --------
        >>> found = EvidenceMap(64, (0,), (0, 64), np.array([[1.0, -1.0]]), np.array([[0.3, 0.4]]))
        >>> found.counts()
        {'generated': 1, 'real': 0, 'neither': 1}
        """
        up = int((self.clear & (self.scores > 0)).sum())
        down = int((self.clear & (self.scores < 0)).sum())
        return {"generated": up, "real": down, "neither": self.scores.size - up - down}

    def as_dict(self) -> dict[str, Any]:
        """Return the map as values that JSON knows."""
        return {
            "side": self.side,
            "tops": list(self.tops),
            "lefts": list(self.lefts),
            "scores": np.round(self.scores, 4).tolist(),
            "standard_errors": None if self.errors is None else np.round(self.errors, 4).tolist(),
            "counts": self.counts(),
        }


def tile_grid(height: int, width: int, min_size: int = 32) -> tuple[int, tuple[int, ...], tuple[int, ...]] | None:
    """Where the tiles of an image lie.

    Parameters
    ----------
    height, width : int
        Of the image, in pixels.
    min_size : int
        Smallest side of a tile that the model can score.

    Returns
    -------
    side, tops, lefts : int, tuple of int, tuple of int
        Tiles overlap by half where that needs no more than `MAX_TILES`, else by less; they reach every border. None
        for an image that does not hold two tiles side by side.

    Examples
    --------
    >>> tile_grid(64, 128)
    (64, (0,), (0, 32, 64))
    >>> tile_grid(100, 100) is None
    True
    >>> side, tops, lefts = tile_grid(3000, 4000)
    >>> side, len(tops) * len(lefts)
    (256, 300)
    """
    side = SMALLEST_TILE if min(height, width) < LARGE_SIDE else 2 * SMALLEST_TILE
    side = max(side, min_size)
    while math.ceil(height / side) * math.ceil(width / side) > MAX_TILES:
        side *= 2
    if min(height, width) < side or max(height, width) < 2 * side:
        return None
    steps = [max(math.ceil(2 * (length - side) / side), 0) + 1 for length in (height, width)]
    fewest = [math.ceil(length / side) for length in (height, width)]  # with which no pixel is left out
    while steps[0] * steps[1] > MAX_TILES:
        # Thin out where tiles lie closest, but leave no gap.
        close = [
            (length - side) / n if n > few else math.inf
            for length, n, few in zip((height, width), steps, fewest, strict=True)
        ]
        steps[close.index(min(close))] -= 1
    tops, lefts = (_spread(length - side, n) for length, n in zip((height, width), steps, strict=True))
    return side, tops, lefts


def _spread(last: int, n: int) -> tuple[int, ...]:
    """Return n places from 0 to `last`, evenly spaced."""
    return tuple(round(i * last / (n - 1)) for i in range(n)) if n > 1 else (last // 2,)


def map_evidence(pixels: npt.NDArray[np.uint8], model: Model) -> EvidenceMap | None:
    """Score the tiles of an image.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8
    model : Model

    Returns
    -------
    evidence : EvidenceMap or None
        None for an image smaller than two tiles.
    """
    grid = tile_grid(pixels.shape[0], pixels.shape[1], model.min_size)
    if grid is None:
        return None
    side, tops, lefts = grid
    tiles = [pixels[top : top + side, left : left + side] for top in tops for left in lefts]
    shape = (len(tops), len(lefts))
    scores = np.array([model.score(tile).score for tile in tiles]).reshape(shape)
    if side // 2 < model.min_size:
        return EvidenceMap(side, tops, lefts, scores, None)
    errors = np.array([standard_error(tile, model) for tile in tiles]).reshape(shape)
    return EvidenceMap(side, tops, lefts, scores, errors)


def standard_error(tile: npt.NDArray[np.uint8], model: Model) -> float:
    """Return the standard error of a tile's score, from the scatter of the scores of its quarters.

    A quarter's score is first brought to the scale of the tile's, since a model trusts fewer pixels less.
    """
    half = len(tile) // 2
    quarters = [tile[top : top + half, left : left + half] for top in (0, half) for left in (0, half)]
    scale = model.trust(len(tile) ** 2) / model.trust(half**2)
    scores = [model.score(np.ascontiguousarray(quarter)).score for quarter in quarters]
    return float(scale * np.std(scores, ddof=1) / math.sqrt(len(scores)))
