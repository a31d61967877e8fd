"""What a worker does with a batch of images: every kind of spectrum in one pass.

Full-size results are large, so they go to the parent through a file and not through a pipe.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spectell.errors import ImageError
from spectell.images import read_image
from spectell.spectra import SpectrumStatistics, block_spectra
from spectell.spectra.periodogram import tile_periodogram
from spectell.workflows.mean_spectra.full import FullSums
from spectell.workflows.mean_spectra.means import BLOCK_CHANNELS
from spectell.workflows.mean_spectra.sums import SetSums, radial_histogram
from spectell.workflows.mean_spectra.tiles import log_profile
from spectell.workflows.workers.worker import Gate

__all__ = [
    "ACTIVITY_SIZES",
    "BLOCK_SIZE",
    "MAX_BLOCKS",
    "MAX_TILES",
    "TILE_SIZES",
    "Batch",
    "Measuring",
    "Part",
    "Spool",
    "Unwritten",
]

BLOCK_SIZE, MAX_BLOCKS = 32, 16
"""Side of a block in pixels, and how many of them of one image."""

TILE_SIZES, MAX_TILES = (128, 64, 32), 4
"""Sides of a tile, the largest that fits is used; and how many tiles of one image."""

ACTIVITY_SIZES = (128, 64)
"""Sides of the tiles whose activity is looked at; in smaller ones the grid of a JPEG fills the spectrum."""

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]


class Batch(NamedTuple):
    """Some files of a set.

    Parameters
    ----------
    name : str
        Of the file in which full-size results are handed over.
    files : tuple of str
    detailed : tuple of bool
        Which of them take part in block, tile and radial spectra.
    sizes : frozenset of (int, int)
        Heights and widths that get full-size spectra.
    source, generator : str
        What the set is.
    """

    name: str
    files: tuple[str, ...]
    detailed: tuple[bool, ...]
    sizes: frozenset[tuple[int, int]]
    source: str
    generator: str


class Spool(NamedTuple):
    """Statistics that lie in a file: mean and squared deviation as `float32`, one after the other."""

    key: str
    n_images: int
    shape: tuple[int, int]


@dataclass(slots=True)
class Part:
    """What a worker found in a batch: the small sums themselves, and an index of the large ones in their file."""

    sums: SetSums
    spooled: list[Spool]


class Unwritten(NamedTuple):
    """That large results could not be handed over, which is no fault of the images."""

    reason: str


class Measuring:
    """The work of a study, for a `Crew`: the size of an image, or the spectra of a batch.

    Parameters
    ----------
    folder : str
        Where large results are written.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._kept: dict[tuple[int, int], FullSums] = {}

    def __call__(self, item: str | Batch, gate: Gate) -> tuple[int, int] | Part | Unwritten | None:
        """Return height and width of the image at a path, None if it cannot be read; or measure a batch.

        The gate is held while a large file is decoded.
        """
        return self._measure(item, gate) if isinstance(item, Batch) else _size(item, gate)

    def _measure(self, batch: Batch, gate: Gate) -> Part | Unwritten:
        sums = SetSums(batch.source, batch.generator)
        details = _Details(sums)
        # Sums stay from batch to batch, since fresh pages cost a tenth more; those of another set's sizes go.
        self._kept = {size: self._kept[size] for size in batch.sizes & self._kept.keys()}
        full: dict[tuple[int, int], FullSums] = {}
        for pixels, detailed in _images(batch, gate, sums):
            size = (pixels.shape[0], pixels.shape[1])
            if size in batch.sizes:
                if size not in full:
                    full[size] = self._cleared(size)
                full[size].add(pixels)
            if detailed:
                details.add(pixels)
        details.flush()
        path = Path(self._folder, batch.name)
        try:
            return Part(sums, _spool(full, path))
        except OSError as error:
            with suppress(OSError):  # a full disk needs the room
                path.unlink()
            return Unwritten(error.strerror or str(error))

    def _cleared(self, size: tuple[int, int]) -> FullSums:
        if size in self._kept:
            self._kept[size].clear()
        else:
            self._kept[size] = FullSums(*size)
        return self._kept[size]


def _size(path: str, gate: Gate) -> tuple[int, int] | None:
    try:
        height, width, _ = read_image(path, large_gate=gate).pixels.shape
    except ImageError:
        return None
    return height, width


def _images(batch: Batch, gate: Gate, sums: SetSums) -> Iterator[tuple[Pixels, bool]]:
    tally = sums.tally
    for path, detailed in zip(batch.files, batch.detailed, strict=True):
        try:
            image = read_image(path, large_gate=gate)
        except ImageError as error:
            tally.refuse(str(error))
            continue
        facts = image.facts
        tally.n_files += 1
        tally.n_images += 1
        tally.formats[facts.format] += 1
        tally.sizes[f"{facts.width}x{facts.height}"] += 1
        if facts.jpeg_quality is not None:
            tally.jpeg_qualities[str(facts.jpeg_quality)] += 1
        sums.sketch.add(image.pixels)
        yield image.pixels, detailed


class _Details:
    """Block, tile and radial spectra of the images that take part in them."""

    _PENDING = 32

    def __init__(self, sums: SetSums) -> None:
        self._sums = sums
        self._blocks: list[Float32Array] = []
        self._tiles: dict[int, list[npt.NDArray[Any]]] = {}
        self._activity: dict[int, list[npt.NDArray[Any]]] = {}

    def add(self, pixels: Pixels) -> None:
        """Measure an image; one that is smaller than a block is passed over."""
        side = min(pixels.shape[:2])
        if side < BLOCK_SIZE:
            return
        self._sums.tally.n_detailed += 1
        self._blocks.append(block_spectra(pixels, size=BLOCK_SIZE, max_blocks=MAX_BLOCKS, colour=True).mean_log_power)
        size = next(size for size in TILE_SIZES if size <= side)
        self._tiles.setdefault(size, []).append(tile_periodogram(pixels, size=size, max_tiles=MAX_TILES))
        if size in ACTIVITY_SIZES:
            activity = tile_periodogram(pixels, size=size, max_tiles=MAX_TILES, signal="activity")
            self._activity.setdefault(size, []).append(activity)
        if len(self._blocks) == self._PENDING:
            self.flush()

    def flush(self) -> None:
        """Add what has been collected to the sums."""
        if self._blocks:
            blocks = np.stack(self._blocks)
            for index, channel in enumerate(BLOCK_CHANNELS):
                self._add(f"blocks/{channel}", blocks[..., index])
            self._blocks.clear()
        for size in sorted(self._tiles):
            tiles = np.stack(self._tiles.pop(size))
            self._add(f"tiles{size}/log_power", tiles)
            profiles = log_profile(tiles)
            self._add(f"tiles{size}/radial", profiles)
            self._sums.add_histogram(f"tiles{size}/radial", radial_histogram(profiles))
        for size in sorted(self._activity):
            self._add(f"tiles{size}/activity", np.stack(self._activity.pop(size)))

    def _add(self, key: str, spectra: npt.NDArray[Any]) -> None:
        self._sums.add(key, SpectrumStatistics(spectra.shape[1:]).update(spectra))


def _spool(full: dict[tuple[int, int], FullSums], path: Path) -> list[Spool]:
    """Write full-size results one after the other."""
    spooled: list[Spool] = []
    if not full:
        return spooled
    with path.open("wb") as file:
        for size in sorted(full):
            for key, n_images, mean, squared_deviation in full[size].moments():
                file.write(mean.data)
                file.write(squared_deviation.data)
                spooled.append(Spool(f"{size[1]}x{size[0]}/{key}", n_images, size))
    return spooled
