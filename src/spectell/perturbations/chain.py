"""JPEG over JPEG: a picture that was saved, cropped a little, and saved again.

Each compression has its own quality and its own grid of 8 x 8 blocks. Where two grids differ, the second compression
finds coefficients that the first did not quantise, and both leave their trace.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from spectell.errors import ParameterError
from spectell.perturbations.base import Pixels, check_image, check_shape
from spectell.perturbations.files import EncodedFile
from spectell.perturbations.jpeg import GRID_PERIOD, JpegRecompression

__all__ = ["JpegChain"]

_BLOCK = 8


@dataclass(frozen=True, slots=True)
class JpegChain:
    """Compress several times, every time with another grid; that of the last starts at the first pixel.

    Parameters
    ----------
    min_quality, max_quality : int in [1, 100]
        Bounds of libjpeg's quality factor, both included, drawn anew for each compression.
    compressions : int >= 2
        How often.
    subsamplings : tuple of {"4:4:4", "4:2:2", "4:2:0"}
        Ways to store the colour differences, of which one is drawn for each compression.

    Raises
    ------
    ParameterError
        If a parameter does not fit the above.

    Examples
    --------
    >>> chain = JpegChain(min_quality=80, max_quality=90)
    >>> first, last = chain.draw(np.random.default_rng(0), (64, 64))
    >>> (first["grid_row"] % 8, first["grid_column"] % 8) != (0, 0), last["grid_row"], last["grid_column"]
    (True, 0, 0)
    """

    min_quality: int = 50
    max_quality: int = 95
    compressions: int = 2
    subsamplings: tuple[str, ...] = ("4:2:0",)

    def __post_init__(self) -> None:
        if self.compressions < 2:
            raise ParameterError(f"compressions must be at least 2, got {self.compressions!r}; for one, use jpeg")
        self._jpeg()

    def _jpeg(self) -> JpegRecompression:
        return JpegRecompression(self.min_quality, self.max_quality, self.subsamplings)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> list[dict[str, Any]]:
        """Pick every compression, the first one first; no block of one lies where a block of the next lies."""
        jpeg = self._jpeg()
        drawn: list[dict[str, Any]] = [jpeg.draw(rng, shape)]
        while len(drawn) < self.compressions:
            later = drawn[0]
            # One of the 63 other places for a block of 8, and one of the four for such a block among those of 16.
            row, column = divmod(int(rng.integers(1, _BLOCK**2)), _BLOCK)
            row, column = (each + _BLOCK * int(rng.integers(GRID_PERIOD // _BLOCK)) for each in (row, column))
            moved = {
                "grid_row": (later["grid_row"] + row) % GRID_PERIOD,
                "grid_column": (later["grid_column"] + column) % GRID_PERIOD,
            }
            drawn.insert(0, jpeg.draw(rng, shape) | moved)
        return drawn

    def apply(self, image: Pixels, parameters: list[dict[str, Any]]) -> Pixels:
        """Return the image after every compression, of the same size."""
        changed = check_image(image)
        for each in parameters:
            changed = self._jpeg().apply(changed, each)
        return changed

    def encode(self, image: Pixels, parameters: list[dict[str, Any]]) -> EncodedFile | None:
        """Return the file of the last compression."""
        return self._jpeg().encode(self.apply(image, parameters[:-1]), parameters[-1])

    def resulting_shape(self, shape: tuple[int, ...], parameters: list[dict[str, Any]]) -> tuple[int, int]:  # noqa: ARG002
        """Return the size unchanged."""
        return check_shape(shape)
