"""Tiles on their way to the device. Importing this module imports torch.

On a processor the rows of a batch are read when they are wanted. On a GPU all tiles are copied once, as bytes, and
stay there: 500,000 of 128 x 128 are 25 GB. Where they do not fit, batches are copied.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch

from spectell.detectors.tiles import Tiles

__all__ = ["Feed"]

BATCH = 64
"""Tiles that pass together where nothing is learned from them."""

_SHARE = 0.7
"""Of the free memory of a GPU that tiles may take."""


class Feed:
    """Gives tiles by their numbers.

    Parameters
    ----------
    tiles : Tiles
    device : torch.device

    Examples
    --------
    >>> feed = Feed(Tiles.of_images(np.full((3, 2, 2, 3), 7, np.uint8)), torch.device("cpu"))
    >>> feed.take(np.array([2, 0])).float().mean().item()
    7.0
    """

    def __init__(self, tiles: Tiles, device: torch.device) -> None:
        self.tiles = tiles
        self._device = device
        self._resident = self._copy() if self._fits() else None

    def _fits(self) -> bool:
        if self._device.type != "cuda":
            return False
        free, _ = torch.cuda.mem_get_info(self._device)
        return len(self.tiles.places) * self.tiles.size**2 * 3 < _SHARE * free

    def _copy(self) -> torch.Tensor:
        n, size = len(self.tiles.places), self.tiles.size
        resident = torch.empty((n, size, size, 3), dtype=torch.uint8, device=self._device)
        for start in range(0, n, 1024):
            resident[start : start + 1024] = self._read(np.arange(start, min(start + 1024, n)))
        return resident

    def _read(self, numbers: npt.NDArray[np.intp]) -> torch.Tensor:
        return torch.from_numpy(np.array(self.tiles.pixels[self.tiles.places[numbers]]))

    def take(self, numbers: npt.NDArray[np.intp]) -> torch.Tensor:
        """Return tiles, shape (len(numbers), S, S, 3), uint8, on the device."""
        if self._resident is not None:
            return self._resident[torch.from_numpy(numbers).to(self._device)]
        return self._read(numbers).to(self._device)

    def __iter__(self) -> Iterator[torch.Tensor]:
        """Yield all tiles in order, in batches."""
        n = len(self.tiles.places)
        for start in range(0, n, BATCH):
            yield self.take(np.arange(start, min(start + BATCH, n)))
