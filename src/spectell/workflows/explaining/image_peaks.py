"""Narrow peaks in the spectrum of one image, and what may have made them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spectell.spectra import find_peaks, group_peaks, peak_meaning, sample_blocks, tile_periodogram
from spectell.spectra.peaks import FALSE_ALARM, Peak
from spectell.spectra.periodogram import noise_error

if TYPE_CHECKING:
    from spectell.images import ImageFacts

__all__ = ["MAX_PERIODOGRAM_TILES", "ImagePeaks", "PeakGroup", "find_image_peaks"]

TILE_SIZES = (128, 64)
"""The larger one that fits into the image; below 64 pixels a side no peaks are looked for."""

MAX_PERIODOGRAM_TILES = 64
"""Tiles that are averaged: more than a set's images give, since one image has only itself."""


@dataclass(frozen=True, slots=True)
class PeakGroup:
    """Peaks at multiples of one frequency, and a cautious reading of them.

    Parameters
    ----------
    period : int or None
        Of the grid, in pixels.
    meaning : str
        Possible causes.
    peaks : tuple of Peak
        Highest first.
    """

    period: int | None
    meaning: str
    peaks: tuple[Peak, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the group as values that JSON knows."""
        return {
            "period": self.period,
            "meaning": self.meaning,
            "peaks": [
                {
                    "vertical": round(peak.vertical, 5),
                    "horizontal": round(peak.horizontal, 5),
                    "height_db": round(peak.height_db, 2),
                    "p_value": peak.p_value,
                }
                for peak in self.peaks
            ],
        }


@dataclass(frozen=True, slots=True)
class ImagePeaks:
    """What was found in one image.

    Parameters
    ----------
    tile_size : int
        Side of the tiles whose spectra were averaged, in pixels.
    false_alarm : float
        Probability that a spectrum without peaks shows one or more.
    groups : tuple of PeakGroup
        That with the highest peak first.
    """

    tile_size: int
    false_alarm: float
    groups: tuple[PeakGroup, ...]

    @property
    def count(self) -> int:
        """How many peaks there are."""
        return sum(len(group.peaks) for group in self.groups)

    def as_dict(self) -> dict[str, Any]:
        """Return the findings as values that JSON knows."""
        return {
            "tile_size": self.tile_size,
            "false_alarm": self.false_alarm,
            "count": self.count,
            "groups": [group.as_dict() for group in self.groups],
        }


def find_image_peaks(pixels: npt.NDArray[np.uint8], facts: ImageFacts) -> ImagePeaks | None:
    """Look for narrow peaks in the luma of an image.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8
    facts : ImageFacts
        Of its file. A JPEG has a JPEG history; of other files nobody knows, and none counts as untouched.

    Returns
    -------
    peaks : ImagePeaks or None
        None for an image smaller than the smallest tile.
    """
    size = next((size for size in TILE_SIZES if min(pixels.shape[:2]) >= size), None)
    if size is None:
        return None
    n_tiles = len(sample_blocks(pixels.shape, size=size, max_blocks=MAX_PERIODOGRAM_TILES)[0])
    spectrum = tile_periodogram(pixels, size=size, max_tiles=MAX_PERIODOGRAM_TILES)
    # One image has no standard error of its own; that of noise is the least, however flat most of the picture is.
    search = find_peaks(spectrum, noise_error(n_tiles, size))
    history = True if facts.format == "JPEG" else None
    groups = tuple(
        PeakGroup(
            grid.period,
            peak_meaning(grid.own_peak, jpeg_history=history, lossless=False).text,
            grid.peaks,
        )
        for grid in group_peaks(search.peaks)
    )
    return ImagePeaks(size, FALSE_ALARM, groups)
