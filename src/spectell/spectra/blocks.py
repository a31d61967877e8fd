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
    workspace = _workspaces.get(size, pixels.shape[2], 3 if colour else 1)
    power, log_power = np.zeros((2, workspace.n_planes, size, size))
    for planes in workspace.powers(pixels, rows, columns):
        power += np.add.reduce(planes, axis=0)
        np.add(planes, np.float32(offset), out=planes)
        np.log(planes, out=planes)
        log_power += np.add.reduce(planes, axis=0)
    n_blocks = len(rows)
    return BlockSpectrum(
        _channels_last(np.log(power / n_blocks + offset)), _channels_last(log_power / n_blocks), n_blocks
    )


class _Workspace:
    """The arrays that one thread computes in, for blocks of one size."""

    def __init__(self, size: int, n_channels: int, n_planes: int) -> None:
        n_blocks = max(_CHUNK_PIXELS // (size**2 * n_planes), 1)
        self.n_planes = n_planes
        self._basis = dct_matrix(size, "float32")
        weights = LUMA_AND_DIFFERENCES[:n_planes] if n_channels == 3 else [[1]]
        self._weights = np.array(weights, np.float32)
        self._blocks = np.empty((n_blocks, size, size, n_channels), np.float32)
        self._planes, self._product = np.empty((2, n_blocks, n_planes, size, size), np.float32)

    def powers(self, pixels: npt.NDArray[Any], rows: IndexArray, columns: IndexArray) -> Iterator[Float32Array]:
        """Squared coefficients of as many blocks at a time as there is room for, shape (n, C, size, size).

        Each array overwrites the last.
        """
        n_blocks, size, _, n_channels = self._blocks.shape
        windows = np.lib.stride_tricks.as_strided(
            pixels,
            (pixels.shape[0] - size + 1, pixels.shape[1] - size + 1, size, size, n_channels),
            (*pixels.strides[:2], *pixels.strides),
            writeable=False,
        )
        for start in range(0, len(rows), n_blocks):
            chosen = windows[rows[start : start + n_blocks], columns[start : start + n_blocks]]
            blocks = self._blocks[: len(chosen)]
            np.copyto(blocks, chosen, casting="unsafe")
            yield self._power(blocks)

    def _power(self, blocks: Float32Array) -> Float32Array:
        """Squared coefficients of blocks of shape (n, size, size, channels)."""
        n, size, _, n_channels = blocks.shape
        planes, product = self._planes[:n], self._product[:n]
        # One product a block stays on one thread; one product for all of them would start every thread.
        channels = blocks.reshape(n, size * size, n_channels).swapaxes(1, 2)
        np.matmul(self._weights, channels, out=planes.reshape(n, self.n_planes, size * size))
        np.matmul(self._basis, planes, out=product)
        np.matmul(product, self._basis.T, out=planes)
        return np.multiply(planes, planes, out=planes)


class _Workspaces(threading.local):
    """The workspaces of one thread, made at the first use of a kind of block and kept: 20 bytes a pixel of a chunk."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, int, int], _Workspace] = {}

    def get(self, size: int, n_channels: int, n_planes: int) -> _Workspace:
        """Return the workspace for blocks of a size with so many channels, from which so many planes are made."""
        kind = size, n_channels, n_planes
        if kind not in self._kept:
            self._kept[kind] = _Workspace(*kind)
        return self._kept[kind]


_workspaces = _Workspaces()


@lru_cache(maxsize=1)
def _weights() -> Float32Array:
    return np.array(LUMA_AND_DIFFERENCES, np.float32)


def _channels_last(planes: npt.NDArray[np.float64]) -> Float32Array:
    return np.ascontiguousarray(np.moveaxis(planes, 0, -1), dtype=np.float32)
