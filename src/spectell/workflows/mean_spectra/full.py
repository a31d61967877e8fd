"""Sums over images of one size: coefficients of the DCT and their logarithms, with squares, for grey and each colour.

Memory traffic decides here, not arithmetic. The transforms of a few images are laid side by side and reduced in one go,
by compiled kernels or, where there are none, in strips that stay in the processor's cache from the first operation to
the last, each in the place of the one before; sums over images are then products with a row of ones, which the linear
algebra beneath NumPy does fastest. Up to some dozens of images are summed in single precision, everything beyond in
double.

All sums are of deviations from a pilot, the mean of the first few images. Images may share a pattern that is far larger
than what they differ by, and squares of the whole in single precision would hold nothing of the latter. About the mean
of m of n images little is lost: the mean of all is off it by at most sqrt(n / m) standard deviations.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spectell.compiled import Kernels, load_kernels
from spectell.spectra.blocks import LUMA_AND_DIFFERENCES
from spectell.transforms.scaling import LOG_OFFSET
from spectell.workflows.mean_spectra.means import CHANNELS

__all__ = ["FullSums"]

_CHUNK_VALUES, _LARGEST_CHUNK = 2**21, 2**23  # of coefficients side by side, 8 MB; 32 MB if images are large
_CHUNK_IMAGES = (8, 32)
_STRIP_VALUES = 2**17  # of all images: with smaller strips, calls cost more than the cache saves
_SINGLE_IMAGES = 128  # whose sums are kept in single precision

_PILOT_IMAGES = 4
_LINE = 16  # numbers in a line of the cache

_KINDS = ("signed", "log")
_LEAST = LOG_OFFSET**2  # of squares before their logarithm
_GREY = np.array(LUMA_AND_DIFFERENCES[0], np.float32)

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]


class FullSums:
    """Sums and sums of squares of the coefficients of images of one size, and of their logarithms.

    Parameters
    ----------
    height, width : int > 0
        Size of every image.

    Attributes
    ----------
    shape : tuple of (int, int)
        As given.

    Examples
    --------
    >>> sums = FullSums(2, 2)
    >>> for value in (10, 30):
    ...     sums.add(np.full((2, 2, 3), value, np.uint8))
    >>> found = {key: (n, mean[0, 0].round(3), squared[0, 0].round(3)) for key, n, mean, squared in sums.moments()}
    >>> found["signed/red"]
    (2, np.float32(40.0), np.float32(800.0))
    """

    def __init__(self, height: int, width: int) -> None:
        self.shape = height, width
        n_values = len(CHANNELS) * height * width
        n_images = _images_side_by_side(n_values)
        self._coefficients = _aligned(n_images, len(CHANNELS), height, width)
        self._strip = min(_STRIP_VALUES // n_images, n_values)
        self._deviations = _aligned(n_images, self._strip)
        self._moments = _aligned(4, self._strip)
        # Of coefficients and logarithms; a row is all channels one after the other.
        self._pilot = _aligned(2, n_values)
        # Of deviations of coefficients, of their squares, of deviations of logarithms, of their squares.
        self._single = _aligned(4, n_values)
        self._sums = np.empty((4, n_values))
        self._kernels = load_kernels()
        self.clear()

    def clear(self) -> None:
        """Forget all images."""
        self._count = self._filled = self._in_single = 0
        self._single.fill(0.0)
        self._sums.fill(0.0)

    def add(self, pixels: Pixels) -> None:
        """Transform an image of shape (H, W, 3), uint8; reduce when there are enough of them."""
        colours = self._coefficients[self._filled, 1:]
        if self._kernels is not None and self._kernels.transforms(*self.shape):
            self._kernels.dct(np.ascontiguousarray(pixels), colours)
        else:
            _transform(pixels, colours)
        self._filled += 1
        if self._filled == len(self._coefficients):
            self._reduce()

    def moments(self) -> Iterator[tuple[str, int, Float32Array, Float32Array]]:
        """Yield kind and channel, count, mean and sum of squared deviations; the sums are used up."""
        self._reduce()
        self._flush()
        n, shape = self._count, (2, -1, len(CHANNELS), *self.shape)
        for kind, (pilots,), sums in zip(_KINDS, self._pilot.reshape(shape), self._sums.reshape(shape), strict=True):
            factor = 0.5 if kind == "log" else 1.0  # ln |c| is half of ln c**2
            for channel, pilot, total, square in zip(CHANNELS, pilots, *sums, strict=True):
                total /= n
                square -= n * np.square(total)
                square *= factor**2
                total += pilot
                total *= factor
                yield f"{kind}/{channel}", n, total.astype(np.float32), np.maximum(square, 0.0).astype(np.float32)

    def _reduce(self) -> None:
        n, self._filled = self._filled, 0
        if not n:
            return
        first = not self._count
        self._count += n
        self._in_single += n
        by_channel = self._coefficients[:n].reshape(n, len(CHANNELS), -1)
        if self._kernels is not None:
            self._add_compiled(self._kernels, by_channel[:, 1:], first=first)
        else:
            np.matmul(_GREY, by_channel[:, 1:], out=by_channel[:, 0])
            self._add_in_strips(by_channel.reshape(n, -1), first=first)
        if self._in_single >= _SINGLE_IMAGES:
            self._flush()

    def _add_compiled(self, kernels: Kernels, colours: Float32Array, *, first: bool) -> None:
        """Add coefficients of shape (n, 3, H * W)."""
        pilot, sums = (each.reshape(-1, len(CHANNELS), colours.shape[2]) for each in (self._pilot, self._single))
        if first:
            self._pilot.fill(0.0)
            few = colours[:_PILOT_IMAGES]
            kernels.add_moments(few, _GREY, _LEAST, pilot, sums)
            np.divide(self._single[::2], np.float32(len(few)), out=self._pilot)
            self._single.fill(0.0)
        kernels.add_moments(colours, _GREY, _LEAST, pilot, sums)

    def _add_in_strips(self, coefficients: Float32Array, *, first: bool) -> None:
        """Add coefficients of shape (n, coefficients of all channels), which are used up."""
        for start in range(0, coefficients.shape[1], self._strip):
            here = slice(start, start + self._strip)
            strip = coefficients[:, here]
            n, width = strip.shape
            # Nothing is allocated here: the system's pages for fresh arrays would cost more than the arithmetic.
            deviations, moments = self._deviations[:n, :width], self._moments[:, :width]
            pilot, single = self._pilot[:, here], self._single[:, here]
            _add_about(strip, pilot[0], deviations, moments[:2], first=first)
            np.multiply(strip, strip, out=strip)
            np.add(strip, _LEAST, out=strip)  # far below what single precision leaves of a coefficient that is not zero
            np.log(strip, out=strip)
            _add_about(strip, pilot[1], strip, moments[2:], first=first)
            np.add(single, moments, out=single)

    def _flush(self) -> None:
        self._sums += self._single
        self._single.fill(0.0)
        self._in_single = 0


def _images_side_by_side(n_values: int) -> int:
    """As many as stay near the processor, and some more where these are too few to be worth a sum."""
    few, many = _CHUNK_IMAGES
    return max(min(_CHUNK_VALUES // n_values, many), min(_LARGEST_CHUNK // n_values, few), 1)


def _aligned(*shape: int) -> Float32Array:
    """Return memory from the start of a cache line on: registers as long as a line would else be filled from two."""
    size = math.prod(shape)
    memory = np.empty(size + _LINE, np.float32)
    start = -memory.ctypes.data // memory.itemsize % _LINE
    return memory[start : start + size].reshape(shape)


def _transform(pixels: Pixels, out: Float32Array) -> None:
    """Write the DCT of each colour, shape (3, H, W).

    The mean, to the nearest whole number, is taken off before, as the compiled kernel does: coefficients lose less
    beside a small one, and nothing beside none, so that a flat image has exactly one coefficient.
    """
    from scipy import fft  # 70 ms that importing this module need not cost

    np.copyto(out, pixels.transpose(2, 0, 1))
    _, height, width = out.shape
    sums = out @ np.ones(width, np.float32)  # of rows; a third of the time of a mean
    means = np.rint(sums.mean(axis=1, dtype=np.float64) / width)
    np.subtract(out, means.astype(np.float32)[:, np.newaxis, np.newaxis], out=out)
    transformed = fft.dctn(out, type=2, norm="ortho", axes=(1, 2), overwrite_x=True)
    if transformed.__array_interface__["data"] != out.__array_interface__["data"]:
        np.copyto(out, transformed)
    out[:, 0, 0] += means * math.sqrt(height * width)


def _add_about(
    values: Float32Array, pilot: Float32Array, deviations: Float32Array, moments: Float32Array, *, first: bool
) -> None:
    """Write sums of deviations and of their squares; the deviations are used up, and may lie where the values are."""
    ones = np.ones(len(values), np.float32)
    if first:
        few = values[:_PILOT_IMAGES]
        np.matmul(ones[: len(few)], few, out=pilot)
        np.divide(pilot, np.float32(len(few)), out=pilot)
    np.subtract(values, pilot, out=deviations)
    np.matmul(ones, deviations, out=moments[0])
    np.multiply(deviations, deviations, out=deviations)
    np.matmul(ones, deviations, out=moments[1])
