"""The periodogram of one image: the power of its Fourier transform, averaged over windowed tiles.

A Fourier transform, not a DCT: it has a bin at half the sampling rate, where up-sampling by two leaves its mark, and
tells rising from falling diagonals. The window keeps the step between opposite borders of a tile from filling the axes.
Logarithms are averaged, not powers, so that every tile and every image counts alike.

Two signals are looked at, since grids come in two kinds. A pattern that is added to the picture, as by the
checkerboards of transposed convolutions, has lines in the spectrum of the luma. Where only the strength of detail
repeats, with steps of either sign between the blocks of a JPEG or smoother pixels between interpolated ones, that
spectrum has none (nor does any linear filter make one): the activity has them.
"""

from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError
from spectell.spectra.blocks import LUMA_AND_DIFFERENCES, POWER_OFFSET
from spectell.spectra.sampling import sample_blocks

__all__ = ["MAX_TILES", "TILE_SIZE", "Signal", "noise_error", "tile_periodogram", "unfold_periodogram"]

Float32Array = npt.NDArray[np.float32]
Signal = Literal["luma", "activity"]

TILE_SIZE = 128
"""Height and width of a tile: every multiple of 1/8 cycles per pixel has a bin, 16 bins from the next."""

MAX_TILES = 4
"""Tiles of an image; what more tiles of one image add is less than what another image adds."""


def tile_periodogram(
    pixels: npt.NDArray[np.uint8],
    *,
    size: int = TILE_SIZE,
    max_tiles: int = MAX_TILES,
    seed: int = 0,
    signal: Signal = "luma",
) -> Float32Array:
    """Mean log power of the luma, or of its activity, in windowed tiles of one image, at native pixels.

    A tile minus its mean under the window, times a periodic Hann window, is transformed; its power is divided by
    the sum of the squared window, so white noise of variance s2 has power s2. At the three frequencies other than DC
    whose coefficients are real, the power is doubled: there the logarithm of the power of noise is ``ln 2`` lower on
    average than at the others. Then `POWER_OFFSET` is added, and the logarithm taken.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3) or (H, W, 1), uint8
        Red, green, blue, or a single channel that is taken as luma.
    size : int >= 4, even
        Height and width of a tile in pixels; at most the smaller side of the image.
    max_tiles, seed
        Which tiles are used, see `sample_blocks`.
    signal : {"luma", "activity"}
        ``"activity"`` is ``ln(1 + abs(y[r, c] - y[r+1, c] - y[r, c+1] + y[r+1, c+1]))`` of the luma y, for the
        grids of JPEGs and of interpolation.

    Returns
    -------
    log_power : ndarray of shape (size, size // 2 + 1), float32
        In nats, in the layout of ``numpy.fft.rfft2``: entry [k, l] at k / size (minus 1 above 0.5) cycles per pixel
        down and l / size across. DC holds nothing: ``ln(POWER_OFFSET)``.

    Raises
    ------
    ShapeError
        If `pixels` does not have 1 or 3 channels, or is smaller than one tile.
    ParameterError
        If `size` is not even and at least 4, `max_tiles` is not positive, or `signal` is not one of the two.

    References
    ----------
    .. [1] Welch (1967). The use of fast Fourier transform for the estimation of power spectra. IEEE Transactions
       on Audio and Electroacoustics 15(2), 70-73. :doi:`10.1109/TAU.1967.1161901`

    Examples
    --------
    Upright stripes that repeat every fourth pixel have their power at 1/4 cycles per pixel across, bin 4 of 16:

    >>> stripes = np.tile(np.array([0, 0, 200, 200], np.uint8), (16, 4))[:, :, None]
    >>> log_power = tile_periodogram(stripes, size=16)
    >>> [int(i) for i in np.unravel_index(log_power.argmax(), log_power.shape)]
    [0, 4]
    """
    if size < 4 or size % 2:
        raise ParameterError(f"size must be even and at least 4, got {size!r}")
    if signal not in {"luma", "activity"}:
        raise ParameterError(f"signal must be 'luma' or 'activity', got {signal!r}")
    if pixels.ndim != 3 or pixels.shape[2] not in {1, 3}:
        raise ShapeError(f"pixels must have shape (H, W, 3) or (H, W, 1), got {pixels.shape}")
    rows, columns = sample_blocks(pixels.shape, size=size, max_blocks=max_tiles, seed=seed)
    weights, window = _plan(size)
    signals = np.empty((len(rows), size, size), np.float32)
    for out, row, column in zip(signals, rows, columns, strict=True):
        tile = pixels[row : row + size, column : column + size].astype(np.float32)
        luma = (tile.reshape(-1, 3) @ weights).reshape(size, size) if tile.shape[2] == 3 else tile[..., 0]
        np.copyto(out, _activity(luma) if signal == "activity" else luma)
    return np.asarray(np.mean(_log_power(signals, window), axis=0))


def noise_error(n_tiles: int, size: int) -> npt.NDArray[np.float64]:
    """Return the standard error of the mean log power of independent tiles of Gaussian noise.

    The least that can be claimed of any image: its tiles overlap, and are more alike than those of noise only where
    they hold nothing, and there a spectrum scatters by rounding alone.

    Parameters
    ----------
    n_tiles : int >= 1
    size : int, even
        Height and width of a tile in pixels.

    Returns
    -------
    error : ndarray of shape (size, size // 2 + 1), float64
        In nats: ``pi / sqrt(6 n_tiles)``, the deviation of the logarithm of the sum of two squared Gaussians, and
        ``sqrt(3)`` times that at the four frequencies whose coefficients are real, where there is one.

    Examples
    --------
    >>> noise_error(1, 4).round(2).tolist()
    [[2.22, 1.28, 2.22], [1.28, 1.28, 1.28], [2.22, 1.28, 2.22], [1.28, 1.28, 1.28]]
    """
    error = np.full((size, size // 2 + 1), np.pi / np.sqrt(6 * n_tiles))
    error[:: size // 2, :: size // 2] *= np.sqrt(3)
    return error


def unfold_periodogram(half: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Fill in the half that `numpy.fft.rfft2` leaves out, in the layout of `numpy.fft.fft2`.

    Parameters
    ----------
    half : array_like of shape (N, N // 2 + 1), N even
        Power or its logarithm, which is the same at a frequency and at its negative.

    Returns
    -------
    full : ndarray of shape (N, N), float64

    Raises
    ------
    ShapeError
        If `half` does not have that shape.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(size=(8, 8))
    >>> bool(np.allclose(unfold_periodogram(abs(np.fft.rfft2(image))), abs(np.fft.fft2(image))))
    True
    """
    values = np.asarray(half, dtype=np.float64)
    if values.ndim != 2 or values.shape[0] % 2 or values.shape[1] != values.shape[0] // 2 + 1:
        raise ShapeError(f"half must have shape (N, N // 2 + 1) with N even, got {values.shape}")
    mirrored = np.roll(values[::-1, -2:0:-1], 1, axis=0)
    return np.concatenate((values, mirrored), axis=1)


def _activity(luma: Float32Array) -> Float32Array:
    """Logarithm of 1 + the absolute cross-difference; 0 in the last row and column, where the window is near 0 too."""
    activity = np.zeros_like(luma)
    across = luma[:, :-1] - luma[:, 1:]
    inner = activity[:-1, :-1]
    np.subtract(across[:-1], across[1:], out=inner)
    np.abs(inner, out=inner)
    inner += 1
    np.log(inner, out=inner)  # log1p takes ten times as long, and these are no small numbers
    return activity


def _log_power(signals: Float32Array, window: Float32Array) -> Float32Array:
    """Logarithm of the power of signals of shape (N, size, size), which are overwritten."""
    from scipy import fft  # twice as fast as NumPy's in single precision; a verdict on one file needs neither

    # The mean under the window, not that of the tile: so nothing of it is left in DC and its neighbours.
    means = signals.reshape(len(signals), -1) @ (window / window.sum()).ravel()
    signals -= means[:, np.newaxis, np.newaxis]
    signals *= window
    spectrum = fft.rfft2(signals, overwrite_x=True)
    power = np.square(spectrum.real)
    power += np.square(spectrum.imag)
    half = len(window) // 2
    power[:, [0, half, half], [half, 0, half]] *= 2  # before the offset, which is no noise: nothing stays nothing
    power += np.float32(POWER_OFFSET)
    return np.asarray(np.log(power, out=power))


@lru_cache(maxsize=16)
def _plan(size: int) -> tuple[Float32Array, Float32Array]:
    """Luma weights, and a periodic Hann window of unit energy."""
    taper = np.hanning(size + 1)[:-1]
    window = np.outer(taper, taper)
    return np.array(LUMA_AND_DIFFERENCES[0], np.float32), (window / np.linalg.norm(window)).astype(np.float32)
