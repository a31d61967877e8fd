"""From tile periodograms to profiles, peaks and bands."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError
from spectell.spectra.blocks import POWER_OFFSET
from spectell.spectra.periodogram import unfold_periodogram
from spectell.spectra.radial import (
    FIT_LOW,
    PowerLaw,
    RadialProfile,
    directional_profiles,
    fit_power_law,
    radial_profile,
)
from spectell.spectra.rings import coefficient_rings
from spectell.workflows.mean_spectra.sums import HISTOGRAM_LOW, HISTOGRAM_STEP

__all__ = ["directions", "histogram_quantile", "log_profile", "power_law", "ring_frequencies"]

Float64Array = npt.NDArray[np.float64]

_ROUNDING = 1e-3  # of a logarithm in single precision, in nats


def log_profile(tiles: npt.NDArray[np.floating[Any]]) -> Float64Array:
    """Logarithm of the radial profile of each image's periodogram.

    Equals ``log(radial_profile(exp(unfold_periodogram(tile)), transform="dft").power)``, for many at once.

    Parameters
    ----------
    tiles : ndarray of shape (N, size, size // 2 + 1)
        Mean log power, in nats.

    Returns
    -------
    profiles : ndarray of shape (N, B), float64
        In nats.

    Examples
    --------
    >>> log_profile(np.ones((1, 4, 3))).tolist()
    [[1.0, 1.0, 1.0, 1.0]]
    """
    n, size = tiles.shape[:2]
    powers = np.exp(tiles, dtype=np.float64).reshape(n, -1)
    rings, weights, totals = _half_rings(size)
    sums = np.stack([np.bincount(rings, power * weights, minlength=len(totals)) for power in powers])
    return np.asarray(np.log(sums / totals))


@lru_cache(maxsize=8)
def _half_rings(size: int) -> tuple[npt.NDArray[np.intp], Float64Array, Float64Array]:
    """Ring and weight of every coefficient of half a periodogram, and the sum of the weights in each ring."""
    # Coefficients that stand for their mirror image too count twice.
    ring = coefficient_rings((size, size), transform="dft").ring[:, : size // 2 + 1].ravel()
    weights = np.full((size, size // 2 + 1), 2.0)
    weights[:, [0, -1]] = 1.0
    totals = np.asarray(np.bincount(ring, weights.ravel()), np.float64)
    kept = np.cumsum(totals > 0) - 1  # rings without a coefficient are left out
    return kept[ring], weights.ravel(), totals[totals > 0]


def ring_frequencies(size: int) -> Float64Array:
    """Frequencies of the rings of `log_profile`, in cycles per pixel.

    Examples
    --------
    >>> ring_frequencies(4).round(2).tolist()
    [0.0, 0.3, 0.54, 0.71]
    """
    return radial_profile(np.zeros((size, size)), transform="dft").frequency


def power_law(mean_log_power: Float64Array, size: int, count: int) -> PowerLaw | None:
    """Fit a power law to a mean logarithmic profile; None where there is no power or too few rings.

    The fit is linear in the logarithms, so the exponent of the mean of logarithms (the geometric mean of the images)
    is the mean of the exponents that the images have one by one under the same weights: that of a typical image, where
    an arithmetic mean would be that of the few with most contrast. The weights of `fit_power_law` hold for either: to
    first order, the mean of the logarithms of n independent powers scatters as the logarithm of their mean. The
    interval is that of the slope of this profile; exponents of single images differ by much more.

    Parameters
    ----------
    mean_log_power : ndarray of shape (B,)
        In nats, at the frequencies of `ring_frequencies`; of pixels from 0 to 255, as `tile_periodogram` has it.
    size : int
        Of the tiles, in pixels.
    count : int
        Images behind the mean.

    Examples
    --------
    >>> power_law(np.zeros(4), 4, 10) is None
    True
    >>> frequency = ring_frequencies(64)
    >>> law = power_law(-2 * np.log(np.maximum(frequency, 1e-3)), 64, 10)
    >>> round(law.exponent, 6)
    2.0
    >>> power_law(np.full(frequency.shape, np.log(1e-3)), 64, 10) is None
    True
    """
    plan = radial_profile(np.zeros((size, size)), transform="dft")
    if not (mean_log_power[1:] > np.log(POWER_OFFSET) + _ROUNDING).any():
        return None  # of images without contrast: only the offset of the logarithm is left
    # The mean that is taken off under the window takes some of the first ring along: 1.4 dB of white noise.
    low = max(FIT_LOW, float(plan.frequency[2]))
    profile = RadialProfile(plan.frequency, np.exp(mean_log_power), plan.count)
    try:
        return fit_power_law(profile, low=low, n_spectra=count)
    except ParameterError:
        return None


def directions(mean_log_power: Float64Array) -> dict[str, Float64Array]:
    """Mean log power of a periodogram along three directions, with its frequencies.

    Parameters
    ----------
    mean_log_power : ndarray of shape (size, size // 2 + 1)
        In nats.

    Examples
    --------
    >>> sorted(directions(np.zeros((4, 3))))
    ['diagonal', 'frequency', 'horizontal', 'vertical']
    """
    found = directional_profiles(unfold_periodogram(mean_log_power), transform="dft")
    names = ("frequency", "horizontal", "vertical", "diagonal")
    return {name: np.asarray(getattr(found, name)) for name in names}


def histogram_quantile(counts: npt.NDArray[np.int64], quantile: float) -> Float64Array:
    """Quantile of each ring's log power, interpolated within a bin of its histogram.

    Parameters
    ----------
    counts : ndarray of shape (B, 800)
        Of `sums.radial_histogram`.
    quantile : float in (0, 1)

    Returns
    -------
    values : ndarray of shape (B,)
        In nats, off by at most a bin of 0.05.

    Examples
    --------
    >>> from spectell.workflows.mean_spectra.sums import radial_histogram
    >>> profiles = np.linspace(0.0, 10.0, 10_001)[:, np.newaxis]
    >>> histogram_quantile(radial_histogram(profiles), 0.25).round(2).tolist()
    [2.5]
    """
    cumulative = np.cumsum(counts, axis=1)
    wanted = quantile * cumulative[:, -1]
    bins = (cumulative < wanted[:, np.newaxis]).sum(axis=1)
    rows = np.arange(len(counts))
    inside = counts[rows, bins]
    below = cumulative[rows, bins] - inside
    return np.asarray(HISTOGRAM_LOW + HISTOGRAM_STEP * (bins + (wanted - below) / inside))
