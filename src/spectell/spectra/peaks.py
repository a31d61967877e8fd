"""Narrow peaks of a log power spectrum against a smooth background.

A regular grid in pixel space, of a JPEG's blocks or of an up-sampling layer, is a set of narrow peaks at multiples
of one frequency. They are looked for on the Fourier transform: a DCT has no coefficient at half the sampling rate,
there a peak leaks.

The background is made of running medians, which a peak narrower than half their windows does not move. Upright and
level things draw a cross along the axes of every photograph's spectrum; so the two axes, the two lines at half the
sampling rate, and the neighbours that the window of the periodogram smears them into, are each compared with
themselves only: a bright line is not a peak, a bright spot on it is. Medians are off where a spectrum bends, by more
than the noise of a few hundred images; so what they find has to stand out of the parabolas through its surroundings
too.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError
from spectell.spectra.local_background import local_background
from spectell.spectra.periodogram import unfold_periodogram

__all__ = ["DECIBELS", "FALSE_ALARM", "LOWEST_FREQUENCY", "Peak", "PeakSearch", "dct_position", "find_peaks"]

Float64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FALSE_ALARM = 0.01
"""Accepted probability that a spectrum without peaks shows one."""

LOWEST_FREQUENCY = 0.05
"""In cycles per pixel; peaks below are not looked for: what lies there is content, the size and place of things."""

DECIBELS = 10 / math.log(10)
"""Decibels of power in a nat of the logarithm of power."""

_HALF_WINDOW = 5  # bins on each side that make the background of a bin off the lines
_HALF_LINE = 12  # and on the lines: three of four bins lie between the peaks of a grid of 8 pixels at 128 bins
_SEPARATION = 2  # a peak is the highest within so many bins; a Hann window makes a line 3 bins wide
_LAST_RING = 0.6  # in cycles per pixel: rings beyond hold few bins, the last is the corner alone
_SMEAR = 1  # bins on each side of a line into which a Hann window spreads it
_SNAP = 0.1  # in bins: smaller offsets from a bin are those of noise
_OWN_SHARE = 0.4  # of a peak's height that no bend explains: of bends 0.3 at most, of weak peaks 0.4 and more
_GAUSSIAN_MAD = 1.4826  # standard deviation of a Gaussian over its median absolute deviation
_SMALLEST_ERROR = 1e-6  # nats, so that spectra that are exactly equal do not divide by zero


@dataclass(frozen=True, slots=True)
class Peak:
    """One peak; the one at the opposite frequency is the same and not listed.

    Attributes
    ----------
    vertical, horizontal : float
        Position in cycles per pixel, interpolated between bins: -0.5 < vertical <= 0.5 and 0 <= horizontal <= 0.5.
    height_db : float > 0
        Power at the highest bin over that of the background, in decibels.
    p_value : float
        Probability that the highest of all bins of a spectrum without peaks is as far above its background.
    standard_errors : float
        Height over its standard error, which contains the roughness of the background.
    resolution : float
        Distance between bins, in cycles per pixel.
    """

    vertical: float
    horizontal: float
    height_db: float
    p_value: float
    standard_errors: float
    resolution: float


@dataclass(frozen=True, slots=True)
class PeakSearch:
    """What `find_peaks` found, and what it compared with.

    Attributes
    ----------
    peaks : tuple of Peak
        Highest first.
    background : ndarray of shape (N, N // 2 + 1), float64
        The smooth background, in nats, in the layout of the spectrum.
    error : ndarray of shape (N, N // 2 + 1), float64
        Standard error of the difference to the background, in nats.
    threshold : float
        Standard errors from which on a bin counts as a peak.
    """

    peaks: tuple[Peak, ...]
    background: Float64Array
    error: Float64Array
    threshold: float


def find_peaks(
    log_power: npt.ArrayLike,
    standard_error: npt.ArrayLike | None,
    *,
    false_alarm: float = FALSE_ALARM,
    lowest: float = LOWEST_FREQUENCY,
    min_height_db: float = 0.0,
) -> PeakSearch:
    """Find narrow peaks of a mean log periodogram.

    From the spectrum the median over rings is taken, then a running median: over 11 x 11 bins off the lines, and
    along the line on them. Twice, since a median over a curved surface is off by a constant. The noise of a bin is
    the largest of its own standard error, the median of those around it, and what the bins around it and all of its
    kind scatter about the background (a Gaussian's deviation from the median absolute deviation): a background that
    fits badly has no peaks. A peak is the highest bin within 2 bins, with a height that one Gaussian of all bins
    examined exceeds with at most the probability `false_alarm` (Bonferroni's bound, so neighbouring bins may be
    dependent). And it is as narrow as a peak is: two fifths of its height or more are above
    `spectell.spectra.local_background.local_background`, which follows a spectrum that bends.

    Parameters
    ----------
    log_power : array_like of shape (N, N // 2 + 1), N even
        Mean of `tile_periodogram` over tiles or images, in nats.
    standard_error : array_like of the same shape, a number, or None
        Standard error of that mean, in nats: ``sqrt(variance(ddof=1) / count)``, of five or more: that of two is often
        near zero by chance, and one spectrum of noise in nine then shows a peak. None where it is not known, as for
        one image: then the scatter about the background is all the noise. Between the two stands the least that noise
        scatters, `spectell.spectra.periodogram.noise_error`, for pictures that are flat over most of their area.
    false_alarm : float in (0, 1)
        Probability of one peak or more in a spectrum that has none.
    lowest : float in [0, 0.5)
        No peaks are looked for within this distance of zero frequency, in cycles per pixel, and within 3 bins of it.
    min_height_db : float >= 0
        Peaks of a smaller height are left out.

    Returns
    -------
    search : PeakSearch

    Raises
    ------
    ShapeError
        If the arrays do not have that shape, or N is less than 32.
    ParameterError
        If a value is not finite, a standard error is negative, or a parameter is outside its domain.

    Examples
    --------
    Noise, with stripes of a quarter of its deviation that repeat every fifth pixel down the rows:

    >>> from spectell.spectra.periodogram import tile_periodogram
    >>> noise = np.random.default_rng(0).normal(128, 20, (256, 256, 1))
    >>> stripes = 7 * np.cos(2 * np.pi * np.arange(256) / 5)[:, None, None]
    >>> (peak,) = find_peaks(tile_periodogram((noise + stripes).astype(np.uint8)), None).peaks
    >>> round(peak.vertical, 2), round(peak.horizontal, 2)
    (0.2, 0.0)
    """
    from statistics import NormalDist  # with decimal and random, which a verdict does not need

    values, errors = _check(log_power, standard_error, false_alarm, lowest, min_height_db)
    size = len(values)
    background = _background(values)
    excess = values - background
    error = _error(excess, errors, known=standard_error is not None)
    scores = excess / error
    examined = _examined(size, lowest)
    threshold = -NormalDist().inv_cdf(false_alarm / int(examined.sum()))
    chosen = examined & (scores >= threshold) & (excess * DECIBELS >= min_height_db) & _highest_around(excess)
    rows, columns = np.nonzero(chosen)
    narrow = values[rows, columns] - local_background(values, error, rows, columns) >= _OWN_SHARE * excess[chosen]
    order = sorted(zip(rows[narrow], columns[narrow], strict=True), key=lambda index: -excess[index])
    peaks = tuple(_peak(excess, scores, index, int(examined.sum())) for index in order)
    half = size // 2 + 1
    return PeakSearch(peaks, background[:, :half], error[:, :half], threshold)


def dct_position(peak: Peak) -> tuple[float, float]:
    """Where a peak lies on the spectrum of a DCT, whose frequencies have no sign.

    Parameters
    ----------
    peak : Peak

    Returns
    -------
    vertical, horizontal : float
        0 to 0.5 cycles per pixel; at 2 N times that in coefficients of a DCT of N. Rising and falling diagonals fall
        together; what lies at 0.5 is seen in the last coefficients, at ``(N - 1) / (2 N)``.

    Examples
    --------
    >>> dct_position(Peak(-0.25, 0.125, 6.0, 1e-9, 8.0, 1 / 128))
    (0.25, 0.125)
    """
    return abs(peak.vertical), abs(peak.horizontal)


def _check(
    log_power: npt.ArrayLike, standard_error: npt.ArrayLike | None, false_alarm: float, lowest: float, height: float
) -> tuple[Float64Array, Float64Array]:
    """Spectrum and standard error, unfolded to (N, N)."""
    if not (0 < false_alarm < 1 and 0 <= lowest < 0.5 and height >= 0):
        raise ParameterError(
            "need 0 < false_alarm < 1, 0 <= lowest < 0.5 and min_height_db >= 0, "
            f"got false_alarm={false_alarm!r}, lowest={lowest!r}, min_height_db={height!r}"
        )
    values = _symmetric(unfold_periodogram(log_power))
    if len(values) < 32:
        raise ShapeError(f"log_power must have at least 32 rows, got {len(values)}; use larger tiles")
    half_shape = (len(values), len(values) // 2 + 1)
    given = np.asarray(1.0 if standard_error is None else standard_error, dtype=np.float64)
    if given.ndim and given.shape != half_shape:
        raise ShapeError(f"standard_error must have the shape {half_shape} of log_power, got {given.shape}")
    if not np.isfinite(values).all() or not np.isfinite(given).all() or (given < 0).any():
        raise ParameterError("log_power and standard_error must be finite, and no standard error negative")
    errors = _symmetric(unfold_periodogram(np.broadcast_to(given, half_shape)))
    if standard_error is None:
        # The logarithm of the square of one Gaussian varies three times as much as that of a sum of two.
        errors[np.ix_([0, len(values) // 2], [0, len(values) // 2])] = math.sqrt(3)
    return values, np.maximum(errors, _SMALLEST_ERROR)


def _symmetric(values: Float64Array) -> Float64Array:
    """Mean over opposite frequencies, so that rounding does not make one of two equal ones the higher."""
    return (values + np.roll(values[::-1, ::-1], 1, axis=(0, 1))) / 2


def _background(values: Float64Array) -> Float64Array:
    rings = _ring_medians(values)
    smooth = _running_median(values - rings)
    return rings + smooth + _running_median(values - rings - smooth)


def _ring_medians(values: Float64Array) -> Float64Array:
    """Median over rings one bin wide, interpolated linearly over the radius; constant where rings are too short."""
    size = len(values)
    radius = _radius(size).ravel()
    ring = np.rint(radius * size).astype(np.intp)
    ring[radius > _LAST_RING] = size
    order = np.argsort(ring, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(ring[order])) + 1)[:-1]
    centres = [radius[part].mean() for part in parts]
    medians = [np.median(values.ravel()[part]) for part in parts]
    return np.asarray(np.interp(radius, centres, medians)).reshape(size, size)


def _running_median(values: Float64Array) -> Float64Array:
    """Median of the surroundings: in two dimensions off the lines, along them on the lines."""
    off_lines = values.copy()
    for line in _line_starts(len(values)):
        before, after = line - _SMEAR - 1, line + _SMEAR + 1
        for view in (off_lines, off_lines.T):
            # A line's neighbours stand in for it, so that it does not raise the background of what is beside it.
            view[line - 1], view[(line + 1) % len(values)] = view[before], view[after]
            view[line] = (view[before] + view[after]) / 2
    padded = np.pad(off_lines, _HALF_WINDOW, mode="wrap")
    window = 2 * _HALF_WINDOW + 1
    views = np.lib.stride_tricks.sliding_window_view(padded, (window, window))[:, : len(values) // 2 + 1]
    half = _median(views.reshape(*views.shape[:2], window * window))
    result = unfold_periodogram(half)
    rows = _line_rows(len(values))
    result[rows] = _median_along(values[rows])
    result[:, rows] = _median_along(values[:, rows].T).T
    corners = np.ix_(rows, rows)
    result[corners] = np.maximum(_median_along(values[rows])[:, rows], result[corners])
    return result


def _median_along(lines: Float64Array) -> Float64Array:
    half = min(_HALF_LINE, lines.shape[1] // 4)
    padded = np.pad(lines, ((0, 0), (half, half)), mode="wrap")
    return _median(np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1, axis=1))


def _median(values: Float64Array) -> Float64Array:
    """Median of an odd number of values along the last axis; `numpy.median` takes ten times as long."""
    middle = values.shape[-1] // 2
    ordered = np.array(values, dtype=np.float32)
    ordered.partition(middle, axis=-1)
    return np.asarray(ordered[..., middle], dtype=np.float64)


def _error(excess: Float64Array, errors: Float64Array, *, known: bool) -> Float64Array:
    """Noise of every bin: its standard error, or what its surroundings and its kind scatter, if that is more."""
    typical = np.maximum(errors, _running_median(errors))
    scaled = np.abs(excess) / typical
    roughness = _GAUSSIAN_MAD * _running_median(scaled)
    lines = np.zeros(excess.shape, dtype=np.bool_)
    rows = _line_rows(len(excess))
    lines[rows] = lines[:, rows] = True
    for kind in (lines, ~lines):
        roughness[kind] = np.maximum(roughness[kind], _GAUSSIAN_MAD * np.median(scaled[kind]))
    return np.asarray(typical * np.maximum(roughness, 1.0 if known else _SMALLEST_ERROR))


def _examined(size: int, lowest: float) -> BoolArray:
    """Bins of the half plane that are looked at, each frequency once, as a mask over (N, N)."""
    mask = _radius(size) >= max(lowest, 3 / size)
    half = size // 2
    mask[:, half + 1 :] = False
    mask[half + 1 :, [0, half]] = False
    return mask


def _highest_around(values: Float64Array) -> BoolArray:
    padded = np.pad(values, _SEPARATION, mode="wrap")
    window = 2 * _SEPARATION + 1
    views = np.lib.stride_tricks.sliding_window_view(padded, (window, window))
    return np.asarray(values >= views.max(axis=(-2, -1)))


def _peak(excess: Float64Array, scores: Float64Array, index: tuple[np.intp, np.intp], n_examined: int) -> Peak:
    size = len(excess)
    row, column = int(index[0]), int(index[1])
    vertical = (row + _offset(excess[:, column], row)) / size
    horizontal = (column + _offset(excess[row], column)) / size
    vertical, horizontal = _canonical(vertical - round(vertical), horizontal - round(horizontal))
    single = math.erfc(float(scores[index]) / math.sqrt(2)) / 2
    return Peak(
        vertical=vertical,
        horizontal=horizontal,
        height_db=float(excess[index]) * DECIBELS,
        p_value=min(single * n_examined, 1.0),
        standard_errors=float(scores[index]),
        resolution=1 / size,
    )


def _offset(line: Float64Array, index: int) -> float:
    """Top of the parabola through a bin and its neighbours, in bins from it; for a Hann window nearly right."""
    before, here, after = line[index - 1], line[index], line[(index + 1) % len(line)]
    curvature = float(before - 2 * here + after)
    offset = float(before - after) / (2 * curvature) if curvature < 0 else 0.0
    return max(-0.5, min(offset, 0.5)) if abs(offset) >= _SNAP else 0.0


def _canonical(vertical: float, horizontal: float) -> tuple[float, float]:
    """Of a frequency and its opposite, that with the horizontal part positive, or the vertical one if that is equal."""
    half = 0.5
    if horizontal < 0 and horizontal != -half:
        vertical, horizontal = -vertical, -horizontal
    horizontal = abs(horizontal)
    vertical = half if vertical == -half else vertical
    return (abs(vertical) if horizontal in {0.0, half} else vertical), horizontal


def _radius(size: int) -> Float64Array:
    frequency = np.fft.fftfreq(size)
    return np.asarray(np.hypot(frequency[:, None], frequency))


def _line_starts(size: int) -> tuple[int, int]:
    return 0, size // 2


def _line_rows(size: int) -> npt.NDArray[np.intp]:
    """Rows, and columns, that hold an axis or half the sampling rate, and their neighbours."""
    return np.unique([(line + shift) % size for line in _line_starts(size) for shift in range(-_SMEAR, _SMEAR + 1)])
