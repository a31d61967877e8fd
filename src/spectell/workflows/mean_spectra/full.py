"""Sums over images of one size: coefficients of the DCT and their logarithms, with squares, for grey and each colour.

Memory traffic decides here, not arithmetic. The transforms of a few images are laid side by side and reduced in one go,
by compiled kernels or, where there are none, in strips that stay in the processor's cache from the first operation to
the last, each in the place of the one before; sums over images are then products with a row of ones, which the linear
algebra beneath NumPy does fastest. A few images are summed in single precision, some dozens of such sums too,
everything beyond in double.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spectell.compiled import load_kernels
from spectell.spectra.blocks import LUMA_AND_DIFFERENCES
from spectell.transforms.scaling import LOG_OFFSET
from spectell.workflows.mean_spectra.means import CHANNELS

__all__ = ["FullSums"]

_CHUNK_VALUES, _LARGEST_CHUNK = 2**21, 2**23  # of coefficients side by side, 8 MB; 32 MB if images are large
_CHUNK_IMAGES = (8, 32)
_STRIP_VALUES = 2**17  # of all images: with smaller strips, calls cost more than the cache saves
_SINGLE_IMAGES = 128  # whose sums are kept in single precision

_NEARLY_CONSTANT = 1e-4  # share of the mean square that is variance
_SHARE_CONSTANT = 0.125  # of the coefficients that are asked
_IMAGES_ASKED, _ROWS_ASKED, _COLUMNS_ASKED = 4, 8, 32

_KINDS = ("signed", "log")
_LOG_OF_ZERO = np.float32(2.0 * np.log(LOG_OFFSET))  # of the square, as all logarithms here
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
        self._coefficients = np.empty((n_images, len(CHANNELS), height, width), np.float32)
        self._strip = min(_STRIP_VALUES // n_images, n_values)
        self._moments = np.empty((4, self._strip), np.float32)
        # Of coefficients, of their squares, of logarithms, of their squares; a row is all channels one after the other.
        self._single = np.empty((4, n_values), np.float32)
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
        n = self._count
        for kind, sums in zip(_KINDS, self._sums.reshape(2, 2, len(CHANNELS), *self.shape), strict=True):
            factor = 0.5 if kind == "log" else 1.0  # ln |c| is half of ln c**2
            for channel, total, square in zip(CHANNELS, *sums, strict=True):
                total *= factor / n
                square *= factor**2
                square -= n * np.square(total)
                yield f"{kind}/{channel}", n, total.astype(np.float32), np.maximum(square, 0.0).astype(np.float32)

    def _reduce(self) -> None:
        n, self._filled = self._filled, 0
        if not n:
            return
        self._count += n
        self._in_single += n
        by_channel = self._coefficients[:n].reshape(n, len(CHANNELS), -1)
        colours = by_channel[:, 1:]
        # The mean of the pixels is large beside its deviation: single precision would not do.
        every_mean = slice(None, None, by_channel.shape[2])
        exact = self._sums[:, every_mean] + _exact_sums(_with_grey(colours[..., 0].astype(np.float64)))
        nearly_constant = _nearly_constant(colours.reshape(n, len(_GREY), *self.shape))
        if self._kernels is not None and not nearly_constant:
            sums = self._single.reshape(4, len(CHANNELS), -1)
            self._kernels.add_moments(colours, _GREY, LOG_OFFSET**2, sums)
        else:
            np.matmul(_GREY, colours, out=by_channel[:, 0])
            self._add_in_strips(by_channel.reshape(n, -1), nearly_constant=nearly_constant)
        self._single[:, every_mean] = 0.0
        self._sums[:, every_mean] = exact
        if self._in_single >= _SINGLE_IMAGES:
            self._flush()

    def _add_in_strips(self, coefficients: Float32Array, *, nearly_constant: bool) -> None:
        """Add coefficients of shape (n, coefficients of all channels), which are used up."""
        add = self._add_deviations if nearly_constant else self._add_strip
        with np.errstate(divide="ignore"):  # of the logarithm of zero
            for start in range(0, coefficients.shape[1], self._strip):
                add(coefficients[:, start : start + self._strip], slice(start, start + self._strip))

    def _add_strip(self, strip: Float32Array, here: slice) -> None:
        """Add some coefficients of all images side by side, shape (n, coefficients), which are used up."""
        ones = np.ones(len(strip), np.float32)
        # Nothing is allocated here: the system's pages for fresh arrays would cost more than the arithmetic.
        moments = self._moments[:, : strip.shape[1]]
        np.matmul(ones, strip, out=moments[0])
        np.multiply(strip, strip, out=strip)
        np.matmul(ones, strip, out=moments[1])
        # The offset of the logarithm is far below what single precision leaves of a coefficient that is not zero.
        np.log(strip, out=strip)
        np.matmul(ones, strip, out=moments[2])
        if moments[2].min() == -np.inf:
            np.maximum(strip, _LOG_OF_ZERO, out=strip)
            np.matmul(ones, strip, out=moments[2])
        np.multiply(strip, strip, out=strip)
        np.matmul(ones, strip, out=moments[3])
        single = self._single[:, here]
        np.add(single, moments, out=single)

    def _add_deviations(self, strip: Float32Array, here: slice) -> None:
        """Do the same where little n images vary by would drown: squares of deviations, and of the mean in double."""
        sums = self._sums[:, here]
        sums[:2] += _deviation_sums(strip)
        np.log(np.multiply(strip, strip, out=strip), out=strip)
        np.maximum(strip, _LOG_OF_ZERO, out=strip)
        sums[2:] += _deviation_sums(strip)

    def _flush(self) -> None:
        self._sums += self._single
        self._single.fill(0.0)
        self._in_single = 0


def _images_side_by_side(n_values: int) -> int:
    """As many as stay near the processor, and some more where these are too few to be worth a sum."""
    few, many = _CHUNK_IMAGES
    return max(min(_CHUNK_VALUES // n_values, many), min(_LARGEST_CHUNK // n_values, few), 1)


def _transform(pixels: Pixels, out: Float32Array) -> None:
    """Write the DCT of each colour, shape (3, H, W)."""
    from scipy import fft  # 70 ms that importing this module need not cost

    np.copyto(out, pixels.transpose(2, 0, 1))
    transformed = fft.dctn(out, type=2, norm="ortho", axes=(1, 2), overwrite_x=True)
    if transformed.__array_interface__["data"] != out.__array_interface__["data"]:
        np.copyto(out, transformed)


def _with_grey(colours: Float64Array) -> Float64Array:
    """Put grey before the colours of shape (n, 3): the transform is linear, so it is a sum of coefficients."""
    return np.column_stack([colours @ _GREY.astype(np.float64), colours])


def _exact_sums(values: Float64Array) -> Float64Array:
    """Return sums over the first axis of values, of their squares, of the logarithms of these, and of their squares."""
    squares = np.square(values)
    logs = np.log(squares + LOG_OFFSET**2)
    return np.stack([each.sum(axis=0) for each in (values, squares, logs, np.square(logs))])


def _deviation_sums(values: Float32Array) -> tuple[Float64Array, Float64Array]:
    """Return sum and sum of squares over the first axis."""
    n = len(values)
    total = np.add.reduce(values, axis=0)
    deviations = values - total / np.float32(n)
    squares = np.add.reduce(np.square(deviations, out=deviations), axis=0).astype(np.float64)
    exact = total.astype(np.float64)
    return exact, squares + np.square(exact) / n


def _nearly_constant(colours: Float32Array) -> bool:
    """Whether many grey coefficients of n images, shape (n, 3, height, width), are alike in nearly all of their size.

    Few are asked: they lie far apart, and fetching them takes longer than the question.
    """
    every_image, every_row = max(len(colours) // _IMAGES_ASKED, 1), max(colours.shape[2] // _ROWS_ASKED, 1)
    some = colours[::every_image, :, ::every_row, :_COLUMNS_ASKED]
    asked = np.einsum("c,nck->nk", _GREY, some.reshape(len(some), len(_GREY), -1))
    total, square = np.add.reduce(asked, axis=0), np.einsum("nk,nk->k", asked, asked)
    constant = square - total * total / np.float32(len(asked)) < np.float32(_NEARLY_CONSTANT) * square
    return bool(np.mean(constant) >= _SHARE_CONSTANT)
