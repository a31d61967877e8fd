"""An image's spectrum beside those of real photographs: level, deviation, profile.

All powers are given in decibels. Deviations are in standard deviations between photographs of the same number of
blocks (`spectell.detectors.reference`), so a small image, whose spectrum is noisier, is compared with noisier ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spectell.detectors.reference import (
    BLOCK,
    PERCENTILES,
    measure_spectrum,
    overall_deviation,
    ring_frequencies,
)
from spectell.workflows.explaining.reasons import BANDS

if TYPE_CHECKING:
    from spectell.detectors.reference import PhotographReference

__all__ = ["DECIBELS_PER_NAT", "FEW_BLOCKS", "USUAL", "Comparison", "compare_spectrum"]

Float64Array = npt.NDArray[np.float64]

DECIBELS_PER_NAT = 10 / math.log(10)
USUAL = 2.0
"""Standard deviations within which about 95 of 100 photographs lie."""

FEW_BLOCKS = 49
"""Below this number of blocks, that of an image of 128 x 128 pixels, a spectrum is called noisy."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The spectrum of an image, that of photographs, and by how much they differ.

    Attributes
    ----------
    n_blocks : int
        Blocks that overlap by half in the image.
    n_photographs : int
        Photographs measured at the nearest number of blocks.
    power, mean, z : ndarray of shape (BLOCK, BLOCK, 3), float64
        The logarithm of the mean power of the image's blocks, in decibels; the mean of it over photographs; and their
        difference in standard deviations. Luma, blue and red difference.
    deviation : float
        Root mean square of the luma's deviations.
    share_below : float
        Share of the photographs whose deviation is smaller.
    bands : dict of str to dict of str to float
        Mean deviation in each band of frequencies, of the luma and of both colour differences.
    unusual : dict of str to float
        Share of the cells that deviate by more than `USUAL`, of the luma and of the colours. About 0.05 is expected
        on average over photographs; neighbours deviate together, so a single photograph may well show more.
    frequencies : ndarray of shape (n_rings,)
        Of the profile, in cycles per pixel, without DC.
    profile : ndarray of shape (n_rings,)
        Of the image, in decibels.
    percentiles : ndarray of shape (len(PERCENTILES), n_rings)
        Of the photographs, in decibels.
    """

    n_blocks: int
    n_photographs: int
    power: Float64Array
    mean: Float64Array
    z: Float64Array
    deviation: float
    share_below: float
    bands: dict[str, dict[str, float]]
    unusual: dict[str, float]
    frequencies: Float64Array
    profile: Float64Array
    percentiles: Float64Array

    @property
    def outside(self) -> tuple[int, int]:
        """How many rings of the profile lie below the 5th percentile of photographs, and above the 95th."""
        return int((self.profile < self.percentiles[0]).sum()), int((self.profile > self.percentiles[-1]).sum())

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as values that JSON knows."""
        below, above = self.outside
        return {
            "n_blocks": self.n_blocks,
            "n_photographs": self.n_photographs,
            "deviation": self.deviation,
            "share_of_photographs_below": self.share_below,
            "bands": self.bands,
            "unusual_share": self.unusual,
            "power_db": np.round(self.power, 2).tolist(),
            "mean_db": np.round(self.mean, 2).tolist(),
            "z": np.round(self.z, 2).tolist(),
            "profile": {
                "frequency": np.round(self.frequencies, 5).tolist(),
                "image_db": np.round(self.profile, 2).tolist(),
                "photographs_db": {
                    str(percent): np.round(row, 2).tolist()
                    for percent, row in zip(PERCENTILES, self.percentiles, strict=True)
                },
                "rings_below": below,
                "rings_above": above,
            },
        }


def compare_spectrum(pixels: npt.NDArray[np.uint8], reference: PhotographReference) -> Comparison | None:
    """Compare an image's spectrum with those of photographs.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8
    reference : PhotographReference

    Returns
    -------
    comparison : Comparison or None
        None for an image smaller than one block.
    """
    if min(pixels.shape[:2]) < BLOCK:
        return None
    found = measure_spectrum(pixels)
    norm = reference.at(found.n_blocks)
    z = norm.z_scores(found.power)
    deviation = overall_deviation(z)
    return Comparison(
        n_blocks=found.n_blocks,
        n_photographs=norm.n_photographs,
        power=DECIBELS_PER_NAT * found.power.astype(np.float64),
        mean=DECIBELS_PER_NAT * norm.mean,
        z=z,
        deviation=deviation,
        share_below=norm.share_below(deviation),
        bands={"luma": _by_band(z[..., :1]), "colour": _by_band(z[..., 1:])},
        unusual={"luma": _unusual(z[..., :1]), "colour": _unusual(z[..., 1:])},
        frequencies=ring_frequencies()[1:],
        profile=DECIBELS_PER_NAT * found.profile[1:],
        percentiles=DECIBELS_PER_NAT * norm.profile[:, 1:],
    )


def _by_band(z: Float64Array) -> dict[str, float]:
    """Mean deviation in each band; DC belongs to none."""
    axis = np.arange(BLOCK) / (2 * BLOCK)
    bands = np.searchsorted([end for _, _, end in BANDS[:-1]], np.hypot(axis[:, np.newaxis], axis), side="right")
    bands[0, 0] = -1
    return {name: float(z[bands == number].mean()) for number, (name, _, _) in enumerate(BANDS)}


def _unusual(z: Float64Array) -> float:
    return float((np.abs(z).reshape(-1, z.shape[-1])[1:] > USUAL).mean())
