"""Where in an image the evidence lies: the model's score on native tiles, each with its uncertainty.

A tile is a small image, judged like any other, and so less surely than the whole. Its uncertainty is the standard error
that the scatter of its four quarters gives. A tile without texture, or that repeats itself, has no such four and says
nothing, whatever its score. None of this says that a part was generated and another was not: texture,
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

__all__ = ["CLEAR_ERRORS", "LEAST_ERROR", "MAX_TILES", "EvidenceMap", "is_blank", "map_evidence", "tile_grid"]

MAX_TILES = 300
"""Most tiles of an image: beyond, tiles become larger."""

SMALLEST_TILE = 64
LARGE_SIDE = 512
"""Images with no side below it have tiles of 128 pixels or more, which are judged more surely."""

CLEAR_ERRORS = 3.182
"""A tile points somewhere when its score is this many standard errors from zero: of Student's distribution with the
three degrees of freedom that four quarters leave, 95 % lies within. One tile in twenty exceeds it by chance."""

LEAST_ERROR = 0.05
"""Log-odds: no tile counts as known more exactly. Of pictures with texture, hardly one tile in twenty is as exact by
its quarters; and a score under 3.18 times this is a probability of 46 to 54 %, which points nowhere."""

FLAT = 0.5
"""Levels of 255: a quarter whose channels deviate from a plane by less (root mean square) has no texture. Rounding
alone leaves 0.29."""

_FEWEST_QUARTERS = 3


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
    blank : ndarray of the same shape, bool, or None
        Which tiles say nothing, see `is_blank`; None for none of them.
    """

    side: int
    tops: tuple[int, ...]
    lefts: tuple[int, ...]
    scores: npt.NDArray[np.float64]
    errors: npt.NDArray[np.float64] | None
    blank: npt.NDArray[np.bool_] | None = None

    @property
    def clear(self) -> npt.NDArray[np.bool_]:
        """Which tiles point somewhere at all; none where the uncertainty is unknown."""
        if self.errors is None:
            return np.zeros(self.scores.shape, bool)
        says = np.ones(self.scores.shape, bool) if self.blank is None else ~self.blank
        return np.asarray(says & (np.abs(self.scores) >= CLEAR_ERRORS * np.maximum(self.errors, LEAST_ERROR)))

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
            "blank": np.zeros(self.scores.shape, bool).tolist() if self.blank is None else self.blank.tolist(),
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
    height, width = pixels.shape[:2]
    # Tiles whose quarters the model can judge, where the image holds two of them: only those have an uncertainty.
    grid = tile_grid(height, width, 2 * model.min_size) or tile_grid(height, width, model.min_size)
    if grid is None:
        return None
    side, tops, lefts = grid
    tiles = [pixels[top : top + side, left : left + side] for top in tops for left in lefts]
    shape = (len(tops), len(lefts))
    scores = np.array([model.score(tile).score for tile in tiles]).reshape(shape)
    blank = np.array([is_blank(tile) for tile in tiles]).reshape(shape)
    if side // 2 < model.min_size:
        return EvidenceMap(side, tops, lefts, scores, None, blank)
    errors = np.array([standard_error(tile, model) for tile in tiles]).reshape(shape)
    return EvidenceMap(side, tops, lefts, scores, errors, blank)


def is_blank(tile: npt.NDArray[np.uint8]) -> bool:
    """Whether a tile has fewer than three quarters with a texture, each unlike the others.

    Such a tile carries no evidence, or once that of one quarter: quarters that are equal have equal scores, and their
    scatter, zero, would make any score a clear one.

    Parameters
    ----------
    tile : ndarray of shape (S, S, 3), uint8

    Examples
    --------
    >>> noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    >>> is_blank(noise), is_blank(noise // 255), is_blank(np.tile(noise[:32, :32], (2, 2, 1)))
    (False, True, True)
    """
    textured = {quarter.tobytes() for quarter in _quarters(tile) if _roughness(quarter) >= FLAT}
    return len(textured) < _FEWEST_QUARTERS


def _roughness(quarter: npt.NDArray[np.uint8]) -> float:
    """Root mean square of what the plane of least squares leaves, in the channel that has most."""
    values = quarter - quarter.mean(axis=(0, 1))
    middles = [np.arange(n) - (n - 1) / 2 for n in quarter.shape[:2]]
    down, across = (middle / np.linalg.norm(middle) for middle in middles)
    slopes = np.square(down @ values.mean(axis=1)) / len(down) + np.square(across @ values.mean(axis=0)) / len(across)
    return math.sqrt(max(float((np.square(values).mean(axis=(0, 1)) - slopes).max()), 0.0))


def standard_error(tile: npt.NDArray[np.uint8], model: Model) -> float:
    """Return the standard error of a tile's score, from the scatter of the scores of its quarters.

    A quarter's score is first brought to the scale of the tile's, since a model trusts fewer pixels less.
    """
    scale = model.trust(len(tile) ** 2) / model.trust((len(tile) // 2) ** 2)
    scores = [model.score(np.ascontiguousarray(quarter)).score for quarter in _quarters(tile)]
    return float(scale * np.std(scores, ddof=1) / math.sqrt(len(scores)))


def _quarters(tile: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.uint8]]:
    half = len(tile) // 2
    return [tile[top : top + half, left : left + half] for top in (0, half) for left in (0, half)]
