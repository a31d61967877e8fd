r"""What the spectra of real photographs look like: the bundled statistics that an explanation compares with.

An image's spectrum is averaged over its blocks, so a small image has a noisier one. The reference was therefore
measured at several sizes, and its standard deviation fits the number of blocks: between two measured sizes mean and
variance are taken linear in 1 / n, as they are for n blocks of one kind. Beyond the largest, nothing is extrapolated.

"Photographs" are the collections that the reference's card names, each with equal weight, and no others. The file
holds statistics and no images; ``recipes/photographs.py`` makes it.
"""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.detectors.container import read_container
from spectell.detectors.front_end import FrontEnd
from spectell.detectors.parts import Arrays, Float32Array, Float64Array, Uint8Array, take_array, under
from spectell.errors import ArtifactError, ParameterError, ShapeError
from spectell.spectra.blocks import block_spectra
from spectell.spectra.radial import radial_profile

__all__ = [
    "BLOCK",
    "MAX_BLOCKS",
    "N_RINGS",
    "PERCENTILES",
    "REFERENCE",
    "REFERENCE_KEY",
    "PhotographReference",
    "Spectrum",
    "SpectrumNorm",
    "load_reference",
    "measure_spectrum",
    "overall_deviation",
    "read_reference",
    "ring_frequencies",
    "ring_means",
]

REFERENCE = Path(__file__).parent.parent / "weights" / "photographs.safetensors"
"""The bundled statistics, beside the code as the models are."""

REFERENCE_KEY = "spectell.photographs"
BLOCK = 32
"""Side of a block, in pixels; smaller images have no spectrum here."""

MAX_BLOCKS = 256
"""Most blocks of one image; a larger image is sampled everywhere."""

N_RINGS = 17
"""Rings of 1/32 of a cycle per pixel, the mean by itself, up to half a cycle per pixel."""

PERCENTILES = (5, 25, 50, 75, 95)
"""Of the radial profiles of photographs."""


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """The spectrum of one image.

    Attributes
    ----------
    power : ndarray of shape (BLOCK, BLOCK, 3), float32
        Logarithm of the mean power over blocks, in nats, of luma, blue and red difference; ``[k, l]`` is the DCT
        frequency of k / 64 cycles per pixel down and l / 64 across.
    profile : ndarray of shape (n_rings,), float64
        Logarithm of the mean power of the luma in each ring of frequencies, in nats.
    n_blocks : int
        Blocks that overlap by half in the image: what its noise depends on.
    """

    power: Float32Array
    profile: Float64Array
    n_blocks: int


def measure_spectrum(pixels: Uint8Array) -> Spectrum:
    """Measure an image as the reference was measured.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8
        At least `BLOCK` pixels a side.

    Raises
    ------
    ShapeError
        If the image is smaller than one block or does not have three channels.

    Examples
    --------
    >>> measure_spectrum(np.zeros((64, 48, 3), np.uint8)).n_blocks
    6
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ShapeError(f"pixels must have shape (H, W, 3), got {pixels.shape}")
    found = block_spectra(pixels, size=BLOCK, max_blocks=MAX_BLOCKS, colour=True)
    stride = BLOCK // 2
    rows, columns = (math.ceil((side - BLOCK + 1) / stride) for side in pixels.shape[:2])
    return Spectrum(found.log_mean_power, ring_means(found.log_mean_power[..., 0]), rows * columns)


def ring_means(log_power: npt.ArrayLike) -> Float64Array:
    """Logarithm of the mean power in each of the first `N_RINGS` rings of frequencies, in nats.

    Examples
    --------
    >>> ring_means(np.log(np.full((32, 32), 4.0)))[:3].round(3).tolist()
    [1.386, 1.386, 1.386]
    """
    power = np.exp(np.asarray(log_power, np.float64))
    return np.asarray(np.log(radial_profile(power).power[:N_RINGS]))


def ring_frequencies() -> Float64Array:
    """Mean frequency of each ring, in cycles per pixel.

    Examples
    --------
    >>> float(ring_frequencies()[0]), len(ring_frequencies())
    (0.0, 17)
    """
    return radial_profile(np.ones((BLOCK, BLOCK))).frequency[:N_RINGS]


@dataclass(frozen=True, slots=True, eq=False)
class SpectrumNorm:
    """What photographs show at one number of blocks.

    Attributes
    ----------
    mean, sd : ndarray of shape (BLOCK, BLOCK, 3), float64
        Of the logarithm of the power, in nats, between photographs.
    profile : ndarray of shape (len(PERCENTILES), N_RINGS), float64
        Percentiles of the radial profiles, in nats.
    deviations : ndarray of shape (101,), float64
        Percentiles 0 to 100 of `overall_deviation` among the photographs themselves.
    n_photographs : int
        How many were measured, at the nearest of the sizes measured.
    """

    mean: Float64Array
    sd: Float64Array
    profile: Float64Array
    deviations: Float64Array
    n_photographs: int

    def z_scores(self, power: npt.ArrayLike) -> Float64Array:
        """Return by how many standard deviations a spectrum differs from the mean of photographs, cell by cell."""
        return np.asarray((np.asarray(power, np.float64) - self.mean) / self.sd)

    def share_below(self, deviation: float) -> float:
        """Return the share of photographs, 0 to 1, whose overall deviation is smaller; in steps of one hundredth."""
        return min(int(np.searchsorted(self.deviations, deviation)), 100) / 100


def overall_deviation(z_scores: npt.ArrayLike) -> float:
    """Root mean square of the luma's deviations, that of the mean brightness left out.

    Examples
    --------
    >>> z = np.full((2, 2, 3), 2.0)
    >>> z[0, 0] = 99
    >>> overall_deviation(z)
    2.0
    """
    luma = np.asarray(z_scores, np.float64)[..., 0].ravel()[1:]
    return float(np.sqrt(np.square(luma).mean()))


class PhotographReference:
    """Statistics of the spectra of photographs at several numbers of blocks.

    Parameters
    ----------
    card : dict
        What the file says about itself: sources, counts, licence.
    n_blocks : sequence of int, increasing
        The numbers of blocks that were measured.
    levels : sequence of SpectrumNorm
        One for each.
    features : ndarray of shape (D,), optional
        Mean features of the photographs, for models whose front end has the configuration that the card names.

    Raises
    ------
    ParameterError
        If there is no level, or they are not in order.
    """

    def __init__(
        self,
        card: dict[str, Any],
        n_blocks: Sequence[int],
        levels: Sequence[SpectrumNorm],
        features: Float32Array | None = None,
    ) -> None:
        self.card, self.n_blocks, self.levels = card, list(n_blocks), list(levels)
        self._features = features
        if not self.levels or len(self.levels) != len(self.n_blocks) or self.n_blocks != sorted(set(self.n_blocks)):
            raise ParameterError(f"n_blocks must increase and have one level each, got {self.n_blocks}")

    def at(self, n_blocks: int) -> SpectrumNorm:
        """Return what photographs show at a number of blocks.

        Parameters
        ----------
        n_blocks : int >= 1
            As `measure_spectrum` counts them. Beyond those measured the nearest level stands.
        """
        low = max(sum(known <= n_blocks for known in self.n_blocks) - 1, 0)
        high = min(low + 1, len(self.levels) - 1)
        share = _share(n_blocks, self.n_blocks[low], self.n_blocks[high])
        first, second = self.levels[low], self.levels[high]
        nearest = second if share > 0.5 else first
        return SpectrumNorm(
            mean=_between(first.mean, second.mean, share),
            sd=np.sqrt(_between(first.sd**2, second.sd**2, share)),
            profile=_between(first.profile, second.profile, share),
            deviations=_between(first.deviations, second.deviations, share),
            n_photographs=nearest.n_photographs,
        )

    def features_for(self, front_end: FrontEnd) -> Float32Array | None:
        """Return the mean features of photographs for a front end; None for one that they were not measured with."""
        from spectell.detectors.registry import load_front_end

        described = self.card.get("front_end")
        if self._features is None or described is None or described["name"] != front_end.name:
            return None
        try:  # compared as this version builds it: configurations gain parameters
            measured = load_front_end(described["name"], described["config"], {})
        except ArtifactError:
            return None
        return self._features if measured.config == front_end.config else None


def _share(n_blocks: int, low: int, high: int) -> float:
    """Return how far n lies from `low` to `high`, both at least 1, in terms of 1 / n; 0 to 1."""
    if low == high:
        return 0.0
    return min(max((1 / low - 1 / max(n_blocks, 1)) / (1 / low - 1 / high), 0.0), 1.0)


def _between(first: Float64Array, second: Float64Array, share: float) -> Float64Array:
    return np.asarray(first + share * (second - first))


@lru_cache(maxsize=1)
def load_reference() -> PhotographReference:
    """Load the bundled statistics.

    Raises
    ------
    ArtifactError
        If the file is missing or damaged.

    Examples
    --------
    >>> reference = load_reference()
    >>> reference.n_blocks[:4], reference.at(9).mean.shape
    ([1, 9, 49, 225], (32, 32, 3))
    """
    return read_reference(REFERENCE)


def read_reference(path: str | os.PathLike[str]) -> PhotographReference:
    """Load statistics that ``recipes/photographs.py`` wrote; raises `ArtifactError` if the file does not fit."""
    arrays, metadata = read_container(path)
    try:
        card = json.loads(metadata[REFERENCE_KEY])
        n_blocks, counts = list(map(int, card["n_blocks"])), card["n_photographs"]
        levels = [_level(under(str(i), arrays), sum(counts[str(n)].values())) for i, n in enumerate(n_blocks)]
        features = take_array(arrays, "features", (None,)) if "features" in arrays else None
        return PhotographReference(card, n_blocks, levels, features)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        reason = error if isinstance(error, ArtifactError | ParameterError) else f"its card lacks {error}"
        raise ArtifactError(f"cannot use the reference {os.fspath(path)}: {reason}") from None


def _level(arrays: Arrays, n_photographs: int) -> SpectrumNorm:
    square = (BLOCK, BLOCK, 3)
    shapes = {"mean": square, "sd": square, "profile": (len(PERCENTILES), N_RINGS), "deviations": (101,)}
    found = {name: take_array(arrays, name, shape).astype(np.float64) for name, shape in shapes.items()}
    return SpectrumNorm(**found, n_photographs=n_photographs)
