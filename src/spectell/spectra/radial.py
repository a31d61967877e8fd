"""Power spectra along the radius: how power falls with frequency, in all directions or in some.

Every frequency is in cycles per pixel on its own axis, never an index, so images that are not square are right: rings
are circles. Every coefficient belongs to exactly one ring and DC has ring 0 to itself, so the power of all rings is
the power of the spectrum, a flat image lies in ring 0 alone, and white noise is flat.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError
from spectell.spectra.rings import RING_TIE, Transform, coefficient_rings

__all__ = [
    "FIT_HIGH",
    "FIT_LOW",
    "WEDGE_DEGREES",
    "DirectionalProfiles",
    "PowerLaw",
    "RadialProfile",
    "directional_profiles",
    "fit_power_law",
    "radial_profile",
]

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

WEDGE_DEGREES = 15.0
"""Half the opening angle of a direction: the axis of the direction and what lies within this angle of it."""

FIT_LOW, FIT_HIGH = 0.02, 0.4
"""Range of a power law, in cycles per pixel: below lie the few waves of the composition, above the interpolation of
colour filters and the quantisation of JPEG files."""


@dataclass(frozen=True, slots=True)
class RadialProfile:
    """Mean power over rings of equal width around zero frequency; rings without a coefficient are left out.

    Attributes
    ----------
    frequency : ndarray of shape (B,), float64
        Mean radius of the coefficients in each ring, 0 to sqrt(1/2) cycles per pixel, increasing. First is DC alone.
    power : ndarray of shape (B,), float64
        Their mean power.
    count : ndarray of shape (B,), intp
        How many they are; ``sum(count * power)`` is the total power.
    """

    frequency: Float64Array
    power: Float64Array
    count: IntArray


@dataclass(frozen=True, slots=True)
class DirectionalProfiles:
    """Mean power over the parts of rings that lie in a direction; see `directional_profiles`.

    Attributes
    ----------
    frequency : ndarray of shape (B,), float64
        That of the `RadialProfile` of the same power.
    horizontal, vertical, diagonal : ndarray of shape (B,), float64
        Power of the waves whose brightness changes along a row, along a column, and obliquely. NaN in rings without
        a coefficient in that direction, such as those beyond 0.5 cycles per pixel for the first two.
    """

    frequency: Float64Array
    horizontal: Float64Array
    vertical: Float64Array
    diagonal: Float64Array


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """Power as ``exp(log_power_at_one) / frequency**exponent``.

    Attributes
    ----------
    exponent : float
        Photographs have about 2; white noise has 0.
    low, high : float
        Confidence interval of the exponent.
    log_power_at_one : float
        Natural logarithm of the power that the law gives at 1 cycle per pixel, which no image reaches.
    r_squared : float
        Share of the weighted variance of the logarithm of the power that the law explains; 1 where there is none.
    frequency_range : tuple of float
        Lowest and highest frequency of a ring that was fitted, in cycles per pixel.
    """

    exponent: float
    low: float
    high: float
    log_power_at_one: float
    r_squared: float
    frequency_range: tuple[float, float]


def radial_profile(power: npt.ArrayLike, *, transform: Transform = "dct") -> RadialProfile:
    """Mean power at each distance from zero frequency.

    The rings are those of `spectell.spectra.rings.coefficient_rings`. A square image of N pixels a side has N/2 rings
    up to 0.5 and its corners in 0.2 N more.

    Parameters
    ----------
    power : array_like of shape (H, W)
        Power of each coefficient, or any other quantity to be averaged.
    transform : {"dct", "dft"}
        What the coefficients are. ``"dct"``: DC first, coefficient k of N at ``k / (2 N)`` cycles per pixel.
        ``"dft"``: all of ``numpy.fft.fft2``, unshifted.

    Returns
    -------
    profile : RadialProfile
        B rings.

    Raises
    ------
    ShapeError
        If `power` does not have two axes, or is empty.
    ParameterError
        If `transform` is not one of the two.

    Examples
    --------
    The frequencies of a DCT of 4 x 4 are 0, 1/8, 1/4 and 3/8 on each axis. Ring 0 is DC, ring 1 reaches from 1/8 to
    3/8, ring 2 holds the rest:

    >>> profile = radial_profile([[16, 2, 1, 0], [2, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    >>> profile.count.tolist(), profile.power.tolist()
    ([1, 8, 7], [16.0, 1.0, 0.0])
    """
    values, radius, ring, _ = _flat_rings(power, transform)
    count = np.bincount(ring)
    kept = count > 0
    members = count[kept]
    return RadialProfile(np.bincount(ring, radius)[kept] / members, np.bincount(ring, values)[kept] / members, members)


def directional_profiles(power: npt.ArrayLike, *, transform: Transform = "dct") -> DirectionalProfiles:
    """Mean power at each distance from zero frequency, in three directions.

    The rings are those of `radial_profile`. A coefficient belongs to a direction if its frequency, in cycles per pixel,
    lies at most 15 degrees from it: to *horizontal* if ``|v| <= tan(15 deg) |h|`` with the vertical frequency v and the
    horizontal frequency h, to *vertical* if ``|h| <= tan(15 deg) |v|``, to *diagonal* if its angle to both axes
    is between 30 and 60 degrees. The axes themselves, with the cross that upright things draw on the spectra of
    photographs, belong to the first two. DC belongs to all three.

    Parameters
    ----------
    power, transform
        See `radial_profile`.

    Returns
    -------
    profiles : DirectionalProfiles
        B rings, the same as in the radial profile.

    Raises
    ------
    ShapeError
        If `power` does not have two axes, or is empty.
    ParameterError
        If `transform` is not one of the two.

    Examples
    --------
    Upright stripes have their power in the first row:

    >>> profiles = directional_profiles([[0, 0, 0, 8], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    >>> profiles.horizontal.tolist(), profiles.vertical.tolist(), profiles.diagonal.tolist()
    ([0.0, 0.0, 8.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    """
    values, radius, ring, angle = _flat_rings(power, transform)
    count = np.bincount(ring)
    kept = count > 0

    def mean_near(direction: float) -> Float64Array:
        near = (np.abs(angle - direction) <= WEDGE_DEGREES + RING_TIE) | (ring == 0)
        total = np.bincount(ring[near], values[near], minlength=len(count))[kept]
        members = np.bincount(ring[near], minlength=len(count))[kept]
        return np.asarray(np.divide(total, members, out=np.full(len(members), np.nan), where=members > 0))

    frequency = np.bincount(ring, radius)[kept] / count[kept]
    return DirectionalProfiles(frequency, mean_near(0.0), mean_near(90.0), mean_near(45.0))


def fit_power_law(
    profile: RadialProfile,
    *,
    low: float = FIT_LOW,
    high: float = FIT_HIGH,
    confidence: float = 0.95,
    n_spectra: int = 1,
) -> PowerLaw:
    """Fit ``power = a / frequency**exponent`` to a profile, by least squares of logarithms.

    The logarithm of a ring's mean power scatters for two reasons: few coefficients, and a spectrum that is no power
    law. Its variance is taken as ``tau2 + 2 / (count * n_spectra)``: the second term is that of the mean of
    independent squared Gaussian coefficients (in a DFT the two of a conjugate pair count as one), the first is the
    misfit, chosen so that the weighted squares sum to their degrees of freedom (Paule and Mandel 1982 [1]_); the
    weights are the inverse. So rings weigh by their counts where the law holds, and alike where it does not.

    The interval is Student's, with the variance scaled by the weighted residuals (Knapp and Hartung 2003 [2]_). A
    misfit is smooth: neighbouring rings err together. Hence, with r the correlation of neighbouring residuals where
    positive, the variance is ``(1 + r) / (1 - r)`` times as large, as if so many fewer rings had been seen. The
    interval is that of the slope over this range of frequencies; the choice of the range is not in it, and for
    photographs matters more.

    Parameters
    ----------
    profile : RadialProfile
        Of one power spectrum, or of the arithmetic or geometric mean of several; powers, not their logarithms.
    low, high : float
        Rings with a mean radius from `low` to `high` cycles per pixel, both included, are fitted.
    confidence : float in (0, 1)
        Of the interval.
    n_spectra : int >= 1
        How many independent spectra were averaged.

    Returns
    -------
    law : PowerLaw

    Raises
    ------
    ParameterError
        If the range holds fewer than 3 rings or one without power, or an argument is outside its domain.

    References
    ----------
    .. [1] Paule, Mandel (1982). Consensus values and weighting factors. Journal of Research of the National Bureau of
       Standards 87(5), 377-385. :doi:`10.6028/jres.087.022`
    .. [2] Knapp, Hartung (2003). Improved tests for a random effects meta-regression with a single covariate.
       Statistics in Medicine 22(17), 2693-2710. :doi:`10.1002/sim.1482`

    Examples
    --------
    >>> frequency = np.arange(1, 33) / 64
    >>> law = fit_power_law(RadialProfile(frequency, 5 / frequency**2, np.full(32, 50)))
    >>> round(law.exponent, 6), round(law.log_power_at_one, 4), law.frequency_range
    (2.0, 1.6094, (0.03125, 0.390625))
    """
    if not 0 < low < high or not 0 < confidence < 1 or n_spectra < 1:
        raise ParameterError(
            "need 0 < low < high, 0 < confidence < 1 and n_spectra >= 1, "
            f"got low={low!r}, high={high!r}, confidence={confidence!r}, n_spectra={n_spectra!r}"
        )
    used = (profile.frequency >= low) & (profile.frequency <= high)
    frequency, power = profile.frequency[used], profile.power[used]
    if len(frequency) < 3:
        raise ParameterError(f"{low} to {high} cycles per pixel hold {len(frequency)} rings, a fit needs 3; widen it")
    if not (np.isfinite(power) & (power > 0)).all():
        raise ParameterError("a ring in the range has no power, so no logarithm; a flat image follows no power law")
    sampling = 2 / (profile.count[used] * float(n_spectra))
    return _fit(np.log(frequency), np.log(power), sampling, confidence)


def _fit(x: Float64Array, y: Float64Array, sampling: Float64Array, confidence: float) -> PowerLaw:
    from scipy.special import stdtrit

    n = len(x)
    weights = 1 / (_misfit(x, y, sampling) + sampling)
    intercept, slope, residuals = _weighted_line(x, y, weights)
    centred = x - np.average(x, weights=weights)
    variance = float(weights @ residuals**2 / (n - 2) / (weights @ centred**2))
    scaled = residuals * np.sqrt(weights)
    squares = float(scaled @ scaled)
    together = max(float(scaled[1:] @ scaled[:-1]) / squares, 0.0) if squares > 0 else 0.0
    half = float(stdtrit(n - 2, (1 + confidence) / 2)) * math.sqrt(variance * (1 + together) / (1 - together))
    spread = float(weights @ (y - np.average(y, weights=weights)) ** 2)
    explained = 1 - float(weights @ residuals**2) / spread if spread > 0 else 1.0
    ends = float(np.exp(x[0])), float(np.exp(x[-1]))
    return PowerLaw(-slope, -slope - half, -slope + half, intercept, explained, ends)


def _weighted_line(x: Float64Array, y: Float64Array, weights: Float64Array) -> tuple[float, float, Float64Array]:
    """Intercept, slope and residuals of a weighted least-squares line."""
    x_mean, y_mean = np.average(x, weights=weights), np.average(y, weights=weights)
    slope = float(weights @ ((x - x_mean) * (y - y_mean)) / (weights @ (x - x_mean) ** 2))
    intercept = float(y_mean - slope * x_mean)
    return intercept, slope, y - intercept - slope * x


def _misfit(x: Float64Array, y: Float64Array, sampling: Float64Array) -> float:
    """Variance that, added to those of the sampling, makes the weighted squares of residuals sum to n - 2."""

    def excess(tau2: float) -> float:
        weights = 1 / (tau2 + sampling)
        return float(weights @ _weighted_line(x, y, weights)[2] ** 2) - (len(x) - 2)

    if excess(0.0) <= 0:
        return 0.0
    below, above = 0.0, float(np.var(y)) + 1e-12
    while excess(above) > 0:
        above *= 2
    for _ in range(40):
        middle = (below + above) / 2
        below, above = (middle, above) if excess(middle) > 0 else (below, middle)
    return above


def _flat_rings(
    power: npt.ArrayLike, transform: Transform
) -> tuple[Float64Array, Float64Array, IntArray, Float64Array]:
    """Power, radius, ring and angle of every coefficient, flat."""
    values = np.asarray(power, dtype=np.float64)
    if values.ndim != 2 or values.size == 0:
        raise ShapeError(f"power must have shape (H, W) with at least one coefficient, got {values.shape}")
    rings = coefficient_rings((values.shape[0], values.shape[1]), transform=transform)
    return values.ravel(), rings.radius.ravel(), rings.ring.ravel(), rings.angle.ravel()
