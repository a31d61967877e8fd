r"""The noise of an image: what a wavelet denoiser takes out of it.

Fingerprints of cameras and of generators are looked for in it, because the picture itself is mostly gone.
"""

import math
from typing import Any

import numpy as np

from spectell.detectors.features import TileFeatures
from spectell.detectors.front_end import check_positive, check_whole
from spectell.detectors.parts import Float32Array, Uint8Array
from spectell.errors import ParameterError

__all__ = ["ResidualFeatures", "denoising_residual", "most_levels"]

WAVELET = "db4"
"""Daubechies' wavelet with four vanishing moments, as in the work on cameras' sensor noise that this comes from."""

_FILTER_LENGTH = 8

WINDOWS = (3, 5, 7, 9)
"""Sides of the squares over which the variance of a coefficient is estimated; the smallest estimate counts."""


def most_levels(size: int) -> int:
    """Return the levels of the transform that an image of `size` pixels allows; below 1, it is too small.

    Beyond it even the middle coefficients are made of pixels that lie outside the image.

    Examples
    --------
    >>> [most_levels(size) for size in (13, 14, 32, 64, 128)]
    [0, 1, 2, 3, 4]
    """
    return max(int(math.log2(size / (_FILTER_LENGTH - 1))), 0) if size >= _FILTER_LENGTH else 0


def denoising_residual(image: Uint8Array, *, levels: int = 3, sigma: float = 0.8) -> Float32Array:
    r"""Noise in an image: the image less what a wavelet denoiser leaves of it.

    Every detail coefficient `c` of the wavelet transform is split by the Wiener filter of Mihçak et al. [1]_ for white
    noise of deviation `sigma` into :math:`c\, v / (v + \sigma^2)`, which is picture, and the rest, which is noise.
    `v` is the smallest of the local mean squares of `c` over `WINDOWS`, less :math:`\sigma^2`, and not below 0. The
    residual is the transform back of the rest alone.

    Parameters
    ----------
    image : ndarray of shape (H, W, C), uint8
    levels : int >= 1
        Of the transform, at most `most_levels`.
    sigma : float > 0
        Standard deviation of the noise, in pixel values, 0 to 255.

    Returns
    -------
    residual : ndarray of shape (H, W, C), float32
        In pixel values, each channel by itself.

    Raises
    ------
    ParameterError
        If `levels` or `sigma` does not fit the image.

    References
    ----------
    .. [1] Mihçak, Kozintsev, Ramchandran (1999). Spatially adaptive statistical modeling of wavelet image coefficients
       and its application to denoising. ICASSP. :doi:`10.1109/ICASSP.1999.757535`
    .. [2] Lukáš, Fridrich, Goljan (2006). Digital camera identification from sensor pattern noise. IEEE Transactions on
       Information Forensics and Security 1(2), 205-214. :doi:`10.1109/TIFS.2006.873602`

    Examples
    --------
    A flat image has no noise:

    >>> float(abs(denoising_residual(np.full((32, 32, 1), 9, np.uint8), levels=1)).max()) < 1e-3
    True
    """
    import pywt

    _check(min(image.shape[:2]), levels, sigma)
    _, *details = pywt.wavedec2(image.astype(np.float32), WAVELET, level=levels, axes=(0, 1))
    noise = [tuple(_noise_of(band, sigma**2) for band in level) for level in details]
    smooth = np.zeros_like(details[0][0])
    whole = pywt.waverec2([smooth, *noise], WAVELET, axes=(0, 1))
    return np.ascontiguousarray(whole[: image.shape[0], : image.shape[1]], dtype=np.float32)


def _noise_of(band: Float32Array, variance: float) -> Float32Array:
    """Share of the coefficients that is noise of this variance."""
    from scipy.ndimage import uniform_filter

    power = np.square(band)
    local = np.minimum.reduce([uniform_filter(power, (side, side, 0), mode="constant") for side in WINDOWS])
    picture = np.maximum(local - np.float32(variance), np.float32(0))
    return np.asarray(band * (np.float32(variance) / (picture + np.float32(variance))))


def _check(size: int, levels: int, sigma: float) -> None:
    check_whole("levels", levels, 1)
    if levels > most_levels(size):
        raise ParameterError(
            f"{levels} levels need images of at least {7 * 2**levels} pixels, got {size}; use fewer levels or larger "
            "tiles"
        )
    check_positive("sigma", sigma)


class ResidualFeatures(TileFeatures):
    """Denoising residual of a native tile.

    Parameters
    ----------
    size : int >= 14
        Side of a tile, in pixels. A row holds ``size * size * 3`` features in the order row, column, channel.
    levels : int >= 1
        Of the wavelet transform.
    sigma : float > 0
        Standard deviation of the noise that is expected, in pixel values.

    See Also
    --------
    denoising_residual

    Examples
    --------
    >>> ResidualFeatures(size=16, levels=1).transform([np.zeros((16, 16, 3), np.uint8)]).any()
    np.False_
    """

    name = "residual"

    def __init__(self, size: int = 128, levels: int = 3, sigma: float = 0.8) -> None:
        super().__init__(size)
        self.levels = levels
        self.sigma = sigma

    @property
    def n_strips(self) -> int:
        """One: the transform reaches across the tile."""
        return 1

    def strips(self, pixels: Uint8Array, start: int, stop: int) -> Float32Array:  # noqa: ARG002 (the only strip)
        """Return the row."""
        return self.row(pixels)

    def check_params(self) -> None:
        """Raise `ParameterError` if an argument has no meaning."""
        super().check_params()
        _check(self.size, self.levels, self.sigma)

    def _encode(self, tile: Uint8Array, start: int, stop: int) -> Float32Array:
        residual: Any = denoising_residual(tile, levels=self.levels, sigma=self.sigma)
        return np.asarray(residual[start:stop].ravel())
