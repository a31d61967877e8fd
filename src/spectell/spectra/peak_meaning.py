"""What may have made a peak: causes that are possible, in words that claim no more than the spectrum can show.

The grid of a JPEG, of a camera's colour filters and of an up-sampling layer have the same frequencies where their
periods are the same. No position of a peak proves one of them; the history of the file can rule one out.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from spectell.spectra.peaks import Peak

__all__ = ["PeakCause", "PeakGrid", "PeakMeaning", "grid_period", "group_peaks", "peak_meaning"]
__all__ += ["peak_meanings"]

MAX_PERIOD = 16
"""Longest period that is named, in pixels: generators up-sample by 2 several times, JPEG has 8, or 16 for colours."""

# In bins, for waves in noise, at multiples of 1/8, in tiles of 32 to 128: 1 to 2 in 100 lie farther. A bin on an axis
# or at half the sampling rate and its neighbours across have backgrounds of their own: 0.3 there loses up to 8 in 100.
_TOLERANCE, _TOLERANCE_ACROSS = 0.3, 0.6
_REACH = 1.0  # in bins: a pattern whose strength varies over the picture, as noise of 1/f does, may be so far off
_JPEG_BLOCK = 8
_MOSAIC = 2  # period of colour filters

_JPEG = "A multiple of 1/8 cycles per pixel: JPEG grid or up-sampling, not distinguishable."
_JPEG_CHROMA = (
    "A multiple of 1/16 cycles per pixel: JPEG grid with colours at half the resolution or up-sampling, "
    "not distinguishable."
)
_MOSAIC_TOO = " Interpolation of a camera's colour filters is possible as well."
_MOSAIC_OR_UPSAMPLING = (
    "A period of 2 pixels: interpolation of a camera's colour filters, or up-sampling by 2 or a multiple of it, "
    "not distinguishable."
)
_UPSAMPLING = (
    "A period of {period} pixels: up-sampling by {period} or a multiple of it, or by 2 several times, is possible; "
    "so is a regular pattern in what is pictured."
)
_RESAMPLING = (
    "Not a frequency of a JPEG grid: resizing or up-sampling is possible; so is a regular pattern in what is pictured."
)
_BESIDE = (
    "Beside a frequency of a JPEG grid, not on it: a pattern whose strength varies over the picture can lie there, and "
    "so can resizing or a regular pattern in what is pictured."
)


class PeakCause(StrEnum):
    """Kinds of explanation."""

    JPEG_OR_UPSAMPLING = "jpeg-or-upsampling"
    COLOUR_FILTER_OR_UPSAMPLING = "colour-filter-or-upsampling"
    UPSAMPLING = "upsampling"
    RESAMPLING = "resampling"


@dataclass(frozen=True, slots=True)
class PeakMeaning:
    """A cautious reading of one peak.

    Attributes
    ----------
    cause : PeakCause
        For programs.
    text : str
        For readers: one or two sentences.
    period : int or None
        Smallest number of pixels, up to 16, that fits the peak; see `grid_period`.
    upsampling_factor : int or None
        The smallest factor that would leave this peak, and of `peak_meanings` all peaks of its grid, for files that are
        lossless in origin; otherwise None. Multiples of it would leave the same.
    """

    cause: PeakCause
    text: str
    period: int | None
    upsampling_factor: int | None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class PeakGrid:
    """Peaks at multiples of one frequency.

    Attributes
    ----------
    period : int or None
        Of the grid, in pixels; None for one peak that fits no period up to 16.
    peaks : tuple of Peak
        Highest first.
    """

    period: int | None
    peaks: tuple[Peak, ...]

    @property
    def own_peak(self) -> Peak:
        """The highest peak that has the grid's own period, by which the grid is read; its harmonics have shorter ones.

        Examples
        --------
        >>> harmonic, own = Peak(0.0, 0.5, 9.0, 1e-9, 8.0, 1 / 128), Peak(0.0, 0.125, 6.0, 1e-9, 8.0, 1 / 128)
        >>> PeakGrid(8, (harmonic, own)).own_peak.horizontal
        0.125
        """
        return next((peak for peak in self.peaks if grid_period(peak) == self.period), self.peaks[0])


def grid_period(peak: Peak) -> int | None:
    """Smallest p, 2 to 16, for which both coordinates are multiples of 1/p; else None.

    To within 0.3 bins, and 0.6 of 0 and of 1/2. At 128 bins a random position has a period up to 8 with a probability
    of 0.006, one on an axis of 0.11; at 64 bins of 0.02 and 0.23.

    Examples
    --------
    >>> grid_period(Peak(0.125, 0.25, 6.0, 1e-9, 8.0, 1 / 128)), grid_period(Peak(0.3, 0.21, 6.0, 1e-9, 8.0, 1 / 128))
    (8, None)
    """
    return next((period for period in range(2, MAX_PERIOD + 1) if max(_distances(peak, period)) <= 1), None)


def group_peaks(peaks: Iterable[Peak]) -> tuple[PeakGrid, ...]:
    """Put the harmonics of one grid together, so that a reader is told of it once.

    A period of 8 takes the peaks of 4 and of 2 with it. A period above 8 needs two peaks of its own, since by chance
    three in ten on an axis lie near some multiple of one of them.

    Parameters
    ----------
    peaks : iterable of Peak

    Returns
    -------
    grids : tuple of PeakGrid
        Each peak in exactly one; that with the highest peak first.

    Examples
    --------
    >>> grids = group_peaks(Peak(v, h, 6.0, 1e-9, 8.0, 1 / 128) for v, h in [(0.125, 0), (0, 0.5), (0.3, 0.21)])
    >>> [(grid.period, len(grid.peaks)) for grid in grids]
    [(8, 2), (None, 1)]
    """
    remaining = [(grid_period(peak), peak) for peak in peaks]
    grids = []
    for period in range(MAX_PERIOD, 1, -1):
        own = sum(p == period for p, _ in remaining)
        if own >= (1 if period <= _JPEG_BLOCK else 2):
            members = [peak for p, peak in remaining if p is not None and period % p == 0]
            remaining = [(p, peak) for p, peak in remaining if p is None or period % p != 0]
            grids.append(PeakGrid(period, _highest_first(members)))
    grids.extend(PeakGrid(None, (peak,)) for _, peak in remaining)
    return tuple(sorted(grids, key=lambda grid: -grid.peaks[0].height_db))


def peak_meaning(peak: Peak, *, jpeg_history: bool | None, lossless: bool) -> PeakMeaning:
    """Name the possible causes of a peak.

    Parameters
    ----------
    peak : Peak
    jpeg_history : bool or None
        Whether the image was ever stored as a JPEG: True for JPEG files and for what was made from them, False where
        that is known not to be, None where nobody knows, as for most PNG files from the web.
    lossless : bool
        Whether the image is known to have been stored without loss from its origin on, untouched. A PNG file alone does
        not say so. Counts only if `jpeg_history` is False.

    Returns
    -------
    meaning : PeakMeaning

    Examples
    --------
    >>> peak = Peak(0.0, 0.125, 6.0, 1e-9, 8.0, 1 / 128)
    >>> print(peak_meaning(peak, jpeg_history=None, lossless=False))
    A multiple of 1/8 cycles per pixel: JPEG grid or up-sampling, not distinguishable.
    >>> peak_meaning(peak, jpeg_history=False, lossless=True).upsampling_factor
    8
    """
    period = grid_period(peak)
    if period is None or not _is_power_of_two(period):
        beside = period is None and max(_distances(peak, _JPEG_BLOCK, _REACH, _REACH)) <= 1
        return PeakMeaning(PeakCause.RESAMPLING, _BESIDE if beside else _RESAMPLING, period, None)
    if jpeg_history is not False:
        text = _JPEG_CHROMA if period > _JPEG_BLOCK else _JPEG
        text += _MOSAIC_TOO if period == _MOSAIC else ""
        return PeakMeaning(PeakCause.JPEG_OR_UPSAMPLING, text, period, None)
    factor = period if lossless else None
    if period == _MOSAIC:
        return PeakMeaning(PeakCause.COLOUR_FILTER_OR_UPSAMPLING, _MOSAIC_OR_UPSAMPLING, period, factor)
    return PeakMeaning(PeakCause.UPSAMPLING, _UPSAMPLING.format(period=period), period, factor)


def peak_meanings(peaks: Iterable[Peak], *, jpeg_history: bool | None, lossless: bool) -> tuple[PeakMeaning, ...]:
    """Name the possible causes of the peaks of one spectrum.

    Each is read as by `peak_meaning`, but for the factor of up-sampling: enlarging by 4 leaves peaks at 1/2 as well,
    which by themselves suggest 2. So all that suggest one have the largest of their grid.

    Parameters
    ----------
    peaks : iterable of Peak
    jpeg_history : bool or None
    lossless : bool

    Returns
    -------
    meanings : tuple of PeakMeaning
        In the order of the peaks.

    Examples
    --------
    >>> peaks = [Peak(v, h, 6.0, 1e-9, 8.0, 1 / 128) for v, h in [(0.5, 0.5), (0.0, 0.25), (0.3, 0.21)]]
    >>> [meaning.upsampling_factor for meaning in peak_meanings(peaks, jpeg_history=False, lossless=True)]
    [4, 4, None]
    """
    peaks = tuple(peaks)
    meanings = {peak: peak_meaning(peak, jpeg_history=jpeg_history, lossless=lossless) for peak in peaks}
    for grid in group_peaks(peaks):
        factors = {peak: meanings[peak].upsampling_factor for peak in grid.peaks}
        largest = None if grid.period is None else max(filter(None, factors.values()), default=None)
        for peak, factor in factors.items():
            meanings[peak] = replace(meanings[peak], upsampling_factor=factor and largest)
    return tuple(meanings[peak] for peak in peaks)


def _highest_first(peaks: Iterable[Peak]) -> tuple[Peak, ...]:
    return tuple(sorted(peaks, key=lambda peak: -peak.height_db))


def _distances(
    peak: Peak, period: int, along: float = _TOLERANCE, across: float = _TOLERANCE_ACROSS
) -> tuple[float, float]:
    """How far the two coordinates lie from multiples of 1 / period, over the tolerances (in bins)."""

    def distance(value: float) -> float:
        multiple = round(value * period)
        tolerance = across if 2 * multiple % period == 0 else along
        return abs(value - multiple / period) / (tolerance * peak.resolution)

    return distance(peak.vertical), distance(peak.horizontal)


def _is_power_of_two(period: int) -> bool:
    return math.log2(period).is_integer()
