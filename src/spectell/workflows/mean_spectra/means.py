"""Mean spectra and profiles over the images of a set, read from a file when they are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from spectell.spectra.radial import PowerLaw

__all__ = ["BLOCK_CHANNELS", "CHANNELS", "FullSpectra", "MeanSpectrum", "RadialBand"]

Float64Array = npt.NDArray[np.float64]

CHANNELS = ("grey", "red", "green", "blue")
"""Channels of full-size spectra; grey is the luma of JPEG files, 0.299 R + 0.587 G + 0.114 B."""

BLOCK_CHANNELS = ("luma", "blue_difference", "red_difference")
"""Channels of block-averaged spectra, as `spectell.spectra.luma_and_differences` makes them."""


@dataclass(frozen=True, eq=False)
class MeanSpectrum:
    """Mean and spread of one kind of spectrum of one channel over the images of a set.

    Parameters
    ----------
    count : int >= 1
        Number N of images.
    arrays : mapping of str to ndarray
        Where `mean` and `variance` are read from at every access: keep what is needed twice.
    key : str
        The arrays are called ``{key}/mean`` and ``{key}/variance``.

    Examples
    --------
    >>> spectrum = MeanSpectrum(5, {"a/mean": np.zeros((2, 2)), "a/variance": np.full((2, 2), 4.0)}, "a")
    >>> spectrum.std[0, 0], spectrum.standard_error[0, 0].round(3)
    (np.float64(2.0), np.float64(0.894))
    """

    count: int
    arrays: Mapping[str, npt.NDArray[Any]]
    key: str

    @property
    def mean(self) -> Float64Array:
        """Mean over the images, shape of one spectrum, float64."""
        return np.asarray(self.arrays[f"{self.key}/mean"], np.float64)

    @property
    def variance(self) -> Float64Array:
        """Variance between images, dividing by N - 1; zeros where a single image has none to show."""
        return np.asarray(self.arrays[f"{self.key}/variance"], np.float64)

    @property
    def std(self) -> Float64Array:
        """Standard deviation between images."""
        return np.sqrt(self.variance)

    @property
    def standard_error(self) -> Float64Array:
        """Standard error of the mean."""
        return np.sqrt(self.variance / self.count)


@dataclass(frozen=True, eq=False)
class FullSpectra:
    """Full-size orthonormal DCT of the images of one size.

    Parameters
    ----------
    height, width : int
        Of the images in pixels, and of every array in coefficients. Entry ``[k, l]`` lies at ``k / (2 * height)`` and
        ``l / (2 * width)`` cycles per pixel.
    signed : dict of str to MeanSpectrum
        Of the coefficients as they are, by channel (`CHANNELS`), in pixel values 0 to 255 times sqrt(height * width).
    log : dict of str to MeanSpectrum
        Of ``ln(|c| + 1e-12)``, by channel, in nats of amplitude.
    """

    height: int
    width: int
    signed: dict[str, MeanSpectrum]
    log: dict[str, MeanSpectrum]

    @property
    def count(self) -> int:
        """Number of images."""
        return self.log["grey"].count

    @property
    def name(self) -> str:
        """Width and height as people write them: ``256x256``."""
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, eq=False)
class RadialBand:
    """Radial profiles of the images of a set: mean, spread, and the band that most of them lie in.

    Parameters
    ----------
    count : int
        Number of images.
    frequency : ndarray of shape (B,)
        Centre of each ring, in cycles per pixel, from 0.
    mean, std : ndarray of shape (B,)
        Over images, of the natural logarithm of the power in a ring, in nats.
    low, median, high : ndarray of shape (B,)
        5th, 50th and 95th percentile over images, in nats, from a histogram with bins of 0.05 nats.
    power_law : PowerLaw or None
        Fit to `mean`, as `spectell.spectra.radial.fit_power_law` gives it; None without power or with too few rings.
    """

    count: int
    frequency: Float64Array
    mean: Float64Array
    std: Float64Array
    low: Float64Array
    median: Float64Array
    high: Float64Array
    power_law: PowerLaw | None = None
