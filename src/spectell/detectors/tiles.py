"""Tiles of images as 8-bit pixels: what networks learn from. No coefficient is stored anywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spectell.detectors.parts import Uint8Array
from spectell.errors import ShapeError

__all__ = ["Tiles"]

Places = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """Tiles of one size, one or more an image.

    Parameters
    ----------
    pixels : ndarray of shape (M, S, S, 3), uint8
        In memory or a memory map, of which only the rows that are used are read.
    places : ndarray of shape (n,)
        Row of `pixels` of each tile.
    owners : ndarray of shape (n,), rising
        Number of the image that each tile is cut from, 0 to the number of images - 1, each at least once.

    Raises
    ------
    ShapeError
        If the pixels are not square tiles of 8 bits, or there is none.

    Examples
    --------
    >>> tiles = Tiles.of_images(np.zeros((2, 8, 8, 3), np.uint8))
    >>> tiles.size, tiles.n_images
    (8, 2)
    """

    pixels: Uint8Array
    places: Places
    owners: Places

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if len(shape) != 4 or shape[1] != shape[2] or shape[3] != 3 or self.pixels.dtype != np.uint8:
            raise ShapeError(
                f"images must be uint8 of one size, shape (N, S, S, 3), got {self.pixels.dtype} of shape {shape}; "
                "cut tiles of one size"
            )
        if not len(self.places) or self.places.shape != self.owners.shape:
            raise ShapeError(f"there must be one tile or more, each with an owner, got {len(self.places)} tiles")

    @classmethod
    def of_images(cls, images: npt.ArrayLike) -> Tiles:
        """Take every image as one tile.

        Raises
        ------
        ShapeError
            If the images differ in size, or are not square ones of 8 bits.
        """
        if not isinstance(images, np.ndarray):
            sizes = sorted({np.shape(image) for image in images})  # type: ignore[union-attr]
            if len(sizes) != 1:
                raise ShapeError(f"images must have one size, got {len(sizes)}: {', '.join(map(str, sizes[:3]))}")
        pixels = np.asarray(images)
        everything = np.arange(len(pixels)) if pixels.ndim else np.arange(0)
        return cls(pixels, everything, everything)

    @property
    def size(self) -> int:
        """Side of a tile, in pixels."""
        return int(self.pixels.shape[1])

    @property
    def n_images(self) -> int:
        """How many images the tiles are cut from."""
        return int(self.owners[-1]) + 1

    def select(self, images: Places) -> Tiles:
        """Return the tiles of some images, in rising order."""
        chosen = np.isin(self.owners, images)
        _, owners = np.unique(self.owners[chosen], return_inverse=True)
        return Tiles(self.pixels, self.places[chosen], owners)

    def draw(self, rng: np.random.Generator) -> Places:
        """Shuffle the images, and draw one tile of each.

        Returns
        -------
        chosen : ndarray of shape (n_images,)
            Numbers of tiles.

        Examples
        --------
        >>> tiles = Tiles(np.zeros((3, 8, 8, 3), np.uint8), np.arange(3), np.array([0, 0, 1]))
        >>> chosen = tiles.draw(np.random.default_rng(0))
        >>> sorted(tiles.owners[chosen].tolist())
        [0, 1]
        """
        counts = np.bincount(self.owners)
        chosen = np.cumsum(counts) - counts + rng.integers(counts)
        return np.asarray(rng.permutation(chosen))
