"""What a worker does with a batch of images: every kind of spectrum in one pass.

Memory traffic decides here, not arithmetic. So the transforms of a few images are laid side by side and reduced in
strips that stay in the processor's cache: an array of sums is touched once for all of them. Sums within these few are
`float32`; from there on everything is `float64`.

Full-size results are large, so they go to the parent through a file and not through a pipe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spectell.errors import ImageError
from spectell.images import read_image
from spectell.spectra import SpectrumStatistics, block_spectra
from spectell.spectra.blocks import LUMA_AND_DIFFERENCES
from spectell.spectra.periodogram import tile_periodogram
from spectell.transforms.scaling import LOG_OFFSET
from spectell.workflows.spectrum_means import BLOCK_CHANNELS, CHANNELS
from spectell.workflows.spectrum_sums import SetSums, Tally, radial_histogram
from spectell.workflows.spectrum_tiles import log_profile
from spectell.workflows.worker import Gate

__all__ = [
    "ACTIVITY_SIZES",
    "BLOCK_SIZE",
    "MAX_BLOCKS",
    "MAX_TILES",
    "TILE_SIZES",
    "Batch",
    "Part",
    "Spool",
    "measure_batch",
]

BLOCK_SIZE, MAX_BLOCKS = 32, 16
"""Side of a block in pixels, and how many of them of one image."""

TILE_SIZES, MAX_TILES = (128, 64, 32), 4
"""Sides of a tile, the largest that fits is used; and how many tiles of one image."""

ACTIVITY_SIZES = (128, 64)
"""Sides of the tiles whose activity is looked at; in smaller ones the grid of a JPEG fills the spectrum."""

_CHUNK_VALUES = 2**22  # of coefficients side by side, 16 MB
_CHUNK_IMAGES = (2, 32)
_STRIP_VALUES = 2**18  # of one channel of all images: with smaller strips, calls cost more than the cache saves

_NEARLY_CONSTANT = 1e-4  # share of the mean square that is variance
_EVERY = 16  # coefficient is asked whether it is
_GREY = np.array(LUMA_AND_DIFFERENCES[0], np.float32)

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
    """

    name: str
    files: tuple[str, ...]
    detailed: tuple[bool, ...]


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


def measure_batch(
    batch: Batch, gate: Gate, *, sizes: frozenset[tuple[int, int]], folder: str, source: str, generator: str
) -> Part:
    """Measure a batch.

    Parameters
    ----------
    batch : Batch
        The files.
    gate : context manager
        Held while a large file is decoded.
    sizes : frozenset of (int, int)
        Heights and widths that get full-size spectra.
    folder : str
        Where large results are written.
    source, generator : str
        What the set is.
    """
    sums = SetSums(source, generator)
    details = _Details(sums)
    full: dict[tuple[int, int], _FullSums] = {}
    for pixels, detailed in _images(batch, gate, sums.tally):
        size = (pixels.shape[0], pixels.shape[1])
        if size in sizes:
            if size not in full:
                full[size] = _full_sums(*size)
                full[size].clear()
            full[size].add(pixels)
        if detailed:
            details.add(pixels)
    details.flush()
    return Part(sums, _spool(full, Path(folder, batch.name)))


def _images(batch: Batch, gate: Gate, tally: Tally) -> Iterator[tuple[Pixels, bool]]:
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
        yield image.pixels, detailed


@cache
def _full_sums(height: int, width: int) -> _FullSums:
    """Return the sums for images of a size, which a worker keeps from batch to batch: fresh pages cost a tenth more."""
    return _FullSums(height, width)


class _FullSums:
    """Sums and sums of squares of the coefficients of images of one size, and of their logarithms."""

    def __init__(self, height: int, width: int) -> None:
        self.shape = height, width
        least, most = _CHUNK_IMAGES
        n_values = len(CHANNELS) * height * width
        n_images = min(max(_CHUNK_VALUES // n_values, least), most)
        self._coefficients = np.empty((n_images, len(CHANNELS), height, width), np.float32)
        self._strip = min(_STRIP_VALUES // n_images, height * width)
        self._work = np.empty((n_images, len(CHANNELS), self._strip), np.float32)
        self._partial = np.empty((2, len(CHANNELS), self._strip), np.float32)
        self._sums: dict[str, Float64Array] = {kind: np.empty((2, n_values)) for kind in ("signed", "log")}
        self.clear()

    def clear(self) -> None:
        """Forget all images."""
        self.count = self._filled = 0
        for sums in self._sums.values():
            sums.fill(0.0)

    def add(self, pixels: Pixels) -> None:
        """Transform an image; reduce when there are enough of them."""
        from scipy import fft  # 70 ms that importing this module need not cost

        colours = self._coefficients[self._filled, 1:]
        np.copyto(colours, pixels.transpose(2, 0, 1))
        transformed = fft.dctn(colours, type=2, norm="ortho", axes=(1, 2), overwrite_x=True)
        if transformed.__array_interface__["data"] != colours.__array_interface__["data"]:
            np.copyto(colours, transformed)
        self._filled += 1
        if self._filled == len(self._coefficients):
            self._reduce()

    def moments(self) -> Iterator[tuple[str, int, Float32Array, Float32Array]]:
        """Yield kind and channel, count, mean and sum of squared deviations; the sums are used up."""
        self._reduce()
        n = self.count
        for kind, sums in self._sums.items():
            factor = 0.5 if kind == "log" else 1.0  # ln |c| is half of ln c**2
            totals, squares = sums.reshape(2, len(CHANNELS), *self.shape)
            for channel, total, square in zip(CHANNELS, totals, squares, strict=True):
                total *= factor / n
                square *= factor**2
                square -= n * np.square(total)
                yield f"{kind}/{channel}", n, total.astype(np.float32), np.maximum(square, 0.0).astype(np.float32)

    def _reduce(self) -> None:
        n, self._filled = self._filled, 0
        if not n:
            return
        self.count += n
        chunk = self._coefficients[:n].reshape(n, len(CHANNELS), -1)
        signed, logs = (self._sums[kind].reshape(2, len(CHANNELS), -1) for kind in ("signed", "log"))
        before = [sums[:, :, 0].copy() for sums in (signed, logs)]
        for start in range(0, chunk.shape[2], self._strip):
            here = slice(start, start + self._strip)
            strip = chunk[:, :, here]
            # The transform is linear, so grey is a sum of coefficients.
            np.matmul(_GREY, strip[:, 1:], out=strip[:, 0])
            self._add_strip(strip, signed[:, :, here], logs[:, :, here])
        # The mean of the pixels is large beside its deviation: squares in single precision would not do.
        flat = chunk[:, :, 0].astype(np.float64)
        for sums, earlier, values in zip((signed, logs), before, (flat, np.log(flat**2 + LOG_OFFSET**2)), strict=True):
            sums[:, :, 0] = np.add(earlier, [values.sum(axis=0), np.square(values).sum(axis=0)])

    def _add_strip(self, strip: Float32Array, signed: Float64Array, logs: Float64Array) -> None:
        """Add some coefficients of all images side by side, shape (n, channels, coefficients), to the sums."""
        n, width = len(strip), strip.shape[2]
        # Nothing is allocated here: the system's pages for fresh arrays would cost more than the arithmetic.
        work, (totals, squares) = self._work[:n, :, :width], self._partial[..., :width]
        np.add.reduce(strip, axis=0, out=totals)
        np.multiply(strip, strip, out=work)
        np.add.reduce(work, axis=0, out=squares)
        signed[0] += totals
        if _nearly_constant(totals, squares, n):
            _add_deviations(strip, totals, signed[1])
        else:
            signed[1] += squares
        # ln(sqrt(c**2 + offset**2)) is ln(|c| + offset) wherever c is not itself as small as the offset.
        np.add(work, np.float32(LOG_OFFSET**2), out=work)
        np.log(work, out=work)
        logs[0] += np.add.reduce(work, axis=0, out=totals)
        np.multiply(work, work, out=work)
        logs[1] += np.add.reduce(work, axis=0, out=totals)


def _nearly_constant(totals: Float32Array, squares: Float32Array, n: int) -> bool:
    """Whether squares in single precision would drown what little n images vary by, at most coefficients."""
    total, square = totals[:, ::_EVERY], squares[:, ::_EVERY]
    return bool(np.mean(square - total * total / np.float32(n) < np.float32(_NEARLY_CONSTANT) * square) >= 0.5)


def _add_deviations(strip: Float32Array, totals: Float32Array, squares: Float64Array) -> None:
    """Add the sum of squares of n images as that of deviations from their mean, and of the mean."""
    deviations = strip - totals / np.float32(len(strip))
    squares += np.add.reduce(np.square(deviations, out=deviations), axis=0)
    squares += np.square(totals.astype(np.float64)) / len(strip)


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


def _spool(full: dict[tuple[int, int], _FullSums], path: Path) -> list[Spool]:
    """Write full-size results one after the other."""
    spooled: list[Spool] = []
    if not full:
        return spooled
    with path.open("wb") as file:
        for size in sorted(full):
            for key, n_images, mean, squared_deviation in full[size].moments():
                mean.tofile(file)
                squared_deviation.tofile(file)
                spooled.append(Spool(f"{size[1]}x{size[0]}/{key}", n_images, size))
    return spooled
