"""Power spectra averaged over blocks of one image: many noisy estimates become one good one.

A coefficient of one transform is a single draw; the mean of its power over blocks has a variance smaller by
about the number of blocks (Bartlett 1948, Welch 1967), for an image of any size and without resizing it.

This is the hot path of a scan. Only the sampled blocks are ever converted to floating point, a few at a time
in buffers that each thread keeps, so the cost and the memory do not grow with the image; the page faults of fresh
arrays can cost more than the arithmetic (``docs/transforms.md`` has the timings).
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError
from spectell.spectra.sampling import IndexArray, sample_blocks
from spectell.transforms.dct import dct_matrix

__all__ = ["LUMA_AND_DIFFERENCES", "POWER_OFFSET", "BlockSpectrum", "block_spectra", "luma_and_differences"]

Float32Array = npt.NDArray[np.float32]

LUMA_AND_DIFFERENCES = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
"""Rows: luma, blue difference, red difference from R, G, B, as in JPEG files (ITU-T T.871), without their offset.

JPEG quantises these three, so whatever subsampling does to the colours stays out of the luma.
"""

POWER_OFFSET = 1e-3
"""Added to a power, in squared pixel values, before its logarithm.

Far below the 1/12 that rounding to 8 bits leaves in a coefficient and far above the rounding of `float32`, so a
perfectly flat block gives ``ln(1e-3)`` on every machine.
"""

_CHUNK_PIXELS = 64 * 1024


@dataclass(frozen=True, slots=True)
class BlockSpectrum:
    """Averages over the blocks of one image; entry ``[k, l, c]`` belongs to DCT frequency ``[k, l]``.

    Attributes
    ----------
    log_mean_power : ndarray of shape (size, size, C), float32
        Logarithm of the mean power, in nats: dominated by the busiest blocks.
    mean_log_power : ndarray of shape (size, size, C), float32
        Mean of the logarithm of the power, in nats: every block counts alike. Never above `log_mean_power`; the
        difference tells how unevenly the power is spread over the image.
    n_blocks : int
        How many blocks were averaged.
    """

    log_mean_power: Float32Array
    mean_log_power: Float32Array
    n_blocks: int


def luma_and_differences(pixels: npt.ArrayLike) -> Float32Array:
    """Luma, blue difference and red difference of RGB pixels.

    Parameters
    ----------
    pixels : array_like of shape (..., 3)
        Red, green, blue, 0 to 255.

    Returns
    -------
    channels : ndarray, same shape as `pixels`, float32
        Luma 0 to 255, differences -127.5 to 127.5, neither rounded nor clipped.

    Raises
    ------
    ShapeError
        If the last axis does not hold three channels.

    References
    ----------
    .. [1] ITU-T T.871 (2011). JPEG File Interchange Format, section 7.

    Examples
    --------
    Grey has no colour; pure blue is dark and has the largest blue difference:

    >>> luma_and_differences([[200, 200, 200], [0, 0, 255]]).round().astype(int).tolist()
    [[200, 0, 0], [29, 128, -21]]
    """
    rgb = np.asarray(pixels, dtype=np.float32)
    if rgb.ndim == 0 or rgb.shape[-1] != 3:
        raise ShapeError(f"pixels must have shape (..., 3), got {rgb.shape}; repeat a single channel three times")
    return np.asarray((rgb.reshape(-1, 3) @ _weights().T).reshape(rgb.shape))


def block_spectra(
    pixels: npt.NDArray[Any],
    *,
    size: int = 32,
    max_blocks: int | None = 256,
    seed: int = 0,
    colour: bool = False,
    offset: float = POWER_OFFSET,
) -> BlockSpectrum:
    """Block-averaged log power spectra of one image.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3) or (H, W, 1)
        Red, green, blue, or a single channel that is taken as luma; 0 to 255. Need not be contiguous.
    size : int >= 1
        Height and width of a block, in pixels; at most the smaller side of the image.
    max_blocks, seed
        Which blocks are used, see `sample_blocks`; ``max_blocks=None`` uses all that overlap by half.
    colour : bool
        Also the blue and the red difference: C = 3 instead of 1, at three times the cost.
    offset : float > 0
        Added to every power before its logarithm, in squared pixel values.

    Returns
    -------
    spectrum : BlockSpectrum
        Two arrays of shape (size, size, C), with C = 1 or 3.

    Raises
    ------
    ShapeError
        If `pixels` does not have 1 or 3 channels, has 1 where `colour` needs 3, or is smaller than one block.
    ParameterError
        If `size`, `max_blocks` or `offset` is not positive.

    References
    ----------
    .. [1] Bartlett (1948). Smoothing periodograms from time-series with continuous spectra. Nature 161, 686-687.
       :doi:`10.1038/161686a0`
    .. [2] Welch (1967). The use of fast Fourier transform for the estimation of power spectra. IEEE Transactions
       on Audio and Electroacoustics 15(2), 70-73. :doi:`10.1109/TAU.1967.1161901`

    Examples
    --------
    White noise of variance 9 has power 9 at every frequency but the mean's:

    >>> noise = np.random.default_rng(0).normal(scale=3.0, size=(256, 256, 1))
    >>> spectrum = block_spectra(noise, size=8)
    >>> spectrum.n_blocks, round(float(np.exp(spectrum.log_mean_power[1:, 1:]).mean()))
    (256, 9)
    """
    if not 0 < offset < np.inf:
        raise ParameterError(f"offset must be positive and finite, got {offset!r}")
    if pixels.ndim != 3 or pixels.shape[2] not in {1, 3} or (colour and pixels.shape[2] == 1):
        need = "(H, W, 3) for colour" if colour else "(H, W, 3) or (H, W, 1)"
        raise ShapeError(f"pixels must have shape {need}, got {pixels.shape}")
    rows, columns = sample_blocks(pixels.shape, size=size, max_blocks=max_blocks, seed=seed)
    n_channels, n_blocks = 3 if colour else 1, len(rows)
    power, log_power = np.zeros((2, size, n_channels, size))
    for squares in _workspaces.get(size, n_channels).squares(pixels, rows, columns):
        power += _sum_over_blocks(squares)
        np.add(squares, np.float32(offset), out=squares)
        np.log(squares, out=squares)
        log_power += _sum_over_blocks(squares)
    return BlockSpectrum(
        _channels_last(np.log(power / n_blocks + offset)), _channels_last(log_power / n_blocks), n_blocks
    )


class _Workspace:
    """The arrays that one thread computes in, for blocks of one size.

    Blocks lie in the order (row, block, channel, column), so that each half of a transform is one matrix product for
    all of them: as many small products take longer.
    """

    def __init__(self, size: int, n_channels: int) -> None:
        self._size, self._n_channels = size, n_channels
        self._most = max(_CHUNK_PIXELS // (size**2 * n_channels), 1)
        self._basis = dct_matrix(size, "float32")
        self._product, self._squares = np.empty((2, size**2 * self._most * n_channels), np.float32)

    def squares(self, pixels: npt.NDArray[Any], rows: IndexArray, columns: IndexArray) -> Iterator[Float32Array]:
        """Squared coefficients, shape (size, n, C, size), as many blocks at a time as there is room for.

        Each overwrites the last. Where blocks overlap so much that they have more pixels than the image, the colours
        of the image are converted instead of those of the blocks.
        """
        overlapping = len(rows) * self._size**2 > pixels.shape[0] * pixels.shape[1]
        source = np.moveaxis(_planes(pixels, self._n_channels), 0, 2) if overlapping else pixels
        runs = _runs(source, self._size, channels_first=overlapping)
        every_row = rows + np.arange(self._size)[:, np.newaxis]
        for start in range(0, len(rows), self._most):
            part = slice(start, start + self._most)
            blocks = runs[every_row[:, part], columns[part]]
            yield self._transform(blocks if overlapping else np.moveaxis(_planes(blocks, self._n_channels), 0, 2))

    def _transform(self, blocks: Float32Array) -> Float32Array:
        size = self._size
        product, squares = self._product[: blocks.size], self._squares[: blocks.size].reshape(-1, size)
        np.matmul(self._basis, blocks.reshape(size, -1), out=product.reshape(size, -1))
        np.matmul(product.reshape(-1, size), self._basis.T, out=squares)
        return np.multiply(squares, squares, out=squares).reshape(blocks.shape)


def _runs(image: npt.NDArray[Any], size: int, *, channels_first: bool) -> npt.NDArray[Any]:
    """`size` pixels of an image of shape (H, W, C), from every pixel to the right, as a view.

    Shape (H, W', size, C), or (H, W', C, size) if the channels are wanted first.
    """
    height, width, n_channels = image.shape
    row, column, channel = image.strides
    if channels_first:
        shape, strides = (height, width - size + 1, n_channels, size), (row, column, channel, column)
    else:
        shape, strides = (height, width - size + 1, size, n_channels), (row, column, column, channel)
    return np.lib.stride_tricks.as_strided(image, shape, strides, writeable=False)


def _planes(pixels: npt.NDArray[Any], n_channels: int) -> Float32Array:
    """Luma, and the differences if three are wanted, of pixels of shape (..., 3) or (..., 1): shape (n, ...)."""
    values = pixels.reshape(-1, pixels.shape[-1]).astype(np.float32)
    planes = _weights()[:n_channels] @ values.T if values.shape[1] == 3 else values.T
    return planes.reshape(n_channels, *pixels.shape[:-1])


def _sum_over_blocks(squares: Float32Array) -> Float32Array:
    """Sum of shape (size, C, size): a product with ones, five times as fast as a sum over a middle axis."""
    size, n, n_channels, _ = squares.shape
    total: Float32Array = np.matmul(np.ones(n, np.float32), squares.reshape(size, n, n_channels * size))
    return total.reshape(size, n_channels, size)


class _Workspaces(threading.local):
    """The workspaces of one thread, made at the first use of a block size and kept: 20 bytes a pixel of a chunk."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int], _Workspace] = {}

    def get(self, size: int, n_channels: int) -> _Workspace:
        """Return the workspace for blocks of `size` with `n_channels`."""
        if (size, n_channels) not in self._kept:
            self._kept[size, n_channels] = _Workspace(size, n_channels)
        return self._kept[size, n_channels]


_workspaces = _Workspaces()


@lru_cache(maxsize=1)
def _weights() -> Float32Array:
    return np.array(LUMA_AND_DIFFERENCES, np.float32)


def _channels_last(planes: npt.NDArray[np.float64]) -> Float32Array:
    """Order (row, channel, column) as (row, column, channel)."""
    return np.ascontiguousarray(planes.swapaxes(1, 2), dtype=np.float32)
