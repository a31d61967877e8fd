"""What the up-sampling study measures of each set of images: its spectrum, its peaks, and how well it is told apart.

Detectors are trained and judged on images of different groups; an original and its reconstruction are one group. The
interval of an accuracy counts groups, not images: two images of a group are one trial, since they err together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import MismatchError
from spectell.evaluation.intervals import Interval, clopper_pearson
from spectell.evaluation.metrics import accuracy
from spectell.experiments.group_draws import draw_groups
from spectell.experiments.upsampling.theory import image_places, places_between
from spectell.perturbations import GaussianNoise, JpegRecompression, Perturbation, perturb
from spectell.spectra.blocks import luma_and_differences
from spectell.spectra.peaks import DECIBELS, Peak, find_peaks
from spectell.spectra.periodogram import tile_periodogram, unfold_periodogram
from spectell.spectra.statistics import SpectrumStatistics
from spectell.transforms import dct2, log_scale

__all__ = [
    "BANDS",
    "CONDITIONS",
    "DETECTORS",
    "DOMAINS",
    "Accuracy",
    "Spectrum",
    "band_differences",
    "line_excess",
    "measure_accuracies",
    "measure_set",
    "measure_spectrum",
    "peak_facts",
]

Pixels = npt.NDArray[np.uint8]
Float64Array = npt.NDArray[np.float64]

CONDITIONS: dict[str, Perturbation | None] = {
    "as made": None,
    "JPEG 75": JpegRecompression(75, 75),
    "noise 10": GaussianNoise(10.0, 10.0),
}
"""Difficulties: both classes, in training and test, after the same perturbation. Noise by its standard deviation."""
DETECTORS = ("ridge", "logistic")
DOMAINS = ("pixel", "DCT")
BANDS = {"low": (0.0, 0.25), "high": (0.25, 0.4375), "edge": (0.4375, 0.5001)}
"""Of the larger of a coefficient's two frequencies, in cycles per pixel; the edge is where images of content lie."""

_TRAIN_SHARE = 0.6
_RING = 2
_FLOOR = 1e-3
"""Added to powers before logarithms: far below that of rounding to 8 bits, 1/12."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """One accuracy on images that training never saw.

    Parameters
    ----------
    condition, domain, detector : str
    interval : Interval
        Of 95 %.
    n_train, n_test : int
        Groups.
    """

    condition: str
    domain: str
    detector: str
    interval: Interval
    n_train: int
    n_test: int

    def as_dict(self) -> dict[str, Any]:
        """Return the values for JSON."""
        facts = {"condition": self.condition, "domain": self.domain, "detector": self.detector}
        return {**facts, **self.interval.as_dict(), "n_train": self.n_train, "n_test": self.n_test}


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Mean spectra of the luma of a set.

    Attributes
    ----------
    power_db : ndarray of shape (S, S)
        Mean power of the DCT, in decibels.
    peaks : tuple of Peak
        Narrow ones of the mean log periodogram.
    lines_db : ndarray of shape (N, 2 P)
        Of every image: how far its periodogram at each of the P places of theory, then at each of those between them,
        is above what lies around it, in decibels.
    """

    power_db: Float64Array
    peaks: tuple[Peak, ...]
    lines_db: Float64Array


def measure_spectrum(images: Pixels, doublings: int) -> Spectrum:
    """Measure a set of images of one size.

    Parameters
    ----------
    images : ndarray of shape (N, S, S, 3), uint8
        N >= 2.
    doublings : int >= 1
        Decides where theory expects lines.
    """
    size = images.shape[1]
    powers = SpectrumStatistics((size, size))
    logs = SpectrumStatistics((size, size // 2 + 1))
    lines, places = [], [*image_places(doublings), *places_between(doublings)]
    for start in range(0, len(images), 256):
        batch = np.asarray(images[start : start + 256])
        luma = luma_and_differences(batch)[..., :1]
        powers.update(np.square(dct2(luma)[..., 0]))
        periodograms = np.stack([tile_periodogram(image, size=size, max_tiles=1) for image in batch])
        logs.update(periodograms)
        lines.append(_lines(periodograms.astype(np.float64), places))
    error = np.sqrt(logs.variance(ddof=1) / logs.count)
    return Spectrum(10 * np.log10(powers.mean + _FLOOR), find_peaks(logs.mean, error).peaks, np.concatenate(lines))


def peak_facts(peak: Peak, doublings: int) -> dict[str, Any]:
    """Describe a peak, and the place of theory that it stands at, to within half a bin, or None."""
    places = [
        place
        for place in image_places(doublings)
        if all(abs(a - b) <= peak.resolution / 2 for a, b in zip(place, (peak.vertical, peak.horizontal), strict=True))
    ]
    return {
        "vertical": round(peak.vertical, 4),
        "horizontal": round(peak.horizontal, 4),
        "height_db": round(peak.height_db, 2),
        "theory": list(places[0]) if places else None,
    }


def line_excess(made_db: Float64Array, real_db: Float64Array, *, paired: bool) -> list[dict[str, float]]:
    """How much higher each line of generated images is than that of real ones, in decibels.

    Parameters
    ----------
    made_db, real_db : ndarray of shape (N, P)
        `Spectrum.lines_db`.
    paired : bool
        Whether image k of one was made from image k of the other.

    Returns
    -------
    lines : list of P dicts
        ``estimate``, ``low``, ``high``: intervals that hold for all places together with 95 % (Bonferroni).

    Examples
    --------
    >>> line_excess(np.array([[4.0], [5.0], [6.0]]), np.array([[1.0], [2.0], [3.0]]), paired=True)
    [{'estimate': 3.0, 'low': 3.0, 'high': 3.0}]
    """
    from statistics import NormalDist

    parts = [made_db - real_db] if paired else [made_db, real_db]
    errors = np.sqrt(sum(part.var(axis=0, ddof=1) / len(part) for part in parts))
    width = NormalDist().inv_cdf(1 - 0.05 / (2 * made_db.shape[1])) * errors
    means = made_db.mean(axis=0) - real_db.mean(axis=0)
    return [
        {name: round(float(value), 3) for name, value in zip(("estimate", "low", "high"), values, strict=True)}
        for values in zip(means, means - width, means + width, strict=True)
    ]


def measure_set(
    real: Pixels, made: Pixels, groups: npt.NDArray[np.int64], *, doublings: int, paired: bool, seed: int
) -> tuple[dict[str, Any], Float64Array]:
    """Measure generated images against the real ones.

    Parameters
    ----------
    real, made, groups, paired, seed
        As for `measure_accuracies`.
    doublings : int >= 1
        Of the network.

    Returns
    -------
    facts : dict
        ``bands_db``, ``lines``, ``between``, ``peaks`` and ``accuracies``, ready for JSON.
    power_db : ndarray of shape (S, S)
        See `Spectrum`.
    """
    found, reference = measure_spectrum(made, doublings), measure_spectrum(real, doublings)
    places = [*image_places(doublings), *places_between(doublings)]
    lines = line_excess(found.lines_db, reference.lines_db, paired=paired)
    excess = [{"place": list(place), **line} for place, line in zip(places, lines, strict=True)]
    facts = {
        "bands_db": band_differences(found.power_db, reference.power_db),
        "lines": excess[: len(places) // 2],
        "between": excess[len(places) // 2 :],
        "peaks": [peak_facts(peak, doublings) for peak in found.peaks],
        "accuracies": [one.as_dict() for one in measure_accuracies(real, made, groups, paired=paired, seed=seed)],
    }
    return facts, found.power_db


def variety(made: Pixels, real: Pixels) -> float:
    """Variance from image to image, averaged over the pixels, beside that of the real images; near 0 for one picture.

    Parameters
    ----------
    made, real : ndarray of shape (N, S, S, 3), uint8

    Examples
    --------
    >>> real = np.array([0, 4], np.uint8).reshape(2, 1, 1, 1)
    >>> variety(real, real), variety(real // 2, real), variety(real * 0, real)
    (1.0, 0.25, 0.0)
    """
    spread = [np.asarray(images, np.float32).var(axis=0).mean(dtype=np.float64) for images in (made, real)]
    return float(spread[0] / max(spread[1], _FLOOR))


def band_differences(power_db: Float64Array, reference_db: Float64Array) -> dict[str, float]:
    """Mean difference of two spectra in each band, in decibels.

    Examples
    --------
    >>> flat = np.zeros((16, 16))
    >>> band_differences(flat + 3.0, flat)
    {'low': 3.0, 'high': 3.0, 'edge': 3.0}
    """
    size = len(power_db)
    frequency = np.arange(size) / (2 * size)
    larger = np.maximum(frequency[:, np.newaxis], frequency)
    difference = power_db - reference_db
    return {
        name: round(float(difference[(larger >= low) & (larger < high)].mean()), 3)
        for name, (low, high) in BANDS.items()
    }


def measure_accuracies(
    real: Pixels, generated: Pixels, groups: npt.NDArray[np.int64], *, paired: bool, seed: int
) -> Iterator[Accuracy]:
    """Train and judge every detector in every domain under every condition.

    Parameters
    ----------
    real, generated : ndarray of shape (N, S, S, 3), uint8
    groups : ndarray of shape (N,)
        Numbers of the groups of the real images.
    paired : bool
        Whether image k of `generated` was made from image k of `real`; otherwise each is a group of its own.
    seed : int
        Of the split and of what the conditions draw.

    Yields
    ------
    accuracy : Accuracy

    Raises
    ------
    MismatchError
        If the sets differ in their shapes.
    """
    if real.shape != generated.shape:
        raise MismatchError(f"both classes must have as many images of one size, got {real.shape}, {generated.shape}")
    every_group = np.concatenate([groups, groups if paired else groups.max() + 1 + np.arange(len(generated))])
    labels = np.repeat([0, 1], len(real)).astype(np.int8)
    train = draw_groups(every_group, labels, _TRAIN_SHARE, np.random.default_rng((seed, 77)))
    for number, (condition, perturbation) in enumerate(CONDITIONS.items()):
        images = np.concatenate(
            [_perturbed(part, perturbation, (seed, number, k)) for k, part in enumerate((real, generated))]
        )
        for domain in DOMAINS:
            features = _features(images, domain)
            for detector in DETECTORS:
                fitted = _detector(detector, seed).fit(features[train], labels[train], groups=every_group[train])
                scores = fitted.decision_function(features[~train])
                n_test = len(np.unique(every_group[~train]))
                share = accuracy(labels[~train], scores)
                bounds = clopper_pearson(round(share * n_test), n_test)
                interval = Interval(share, min(bounds.low, share), max(bounds.high, share))
                n_train = len(np.unique(every_group[train]))
                yield Accuracy(condition, domain, detector, interval, n_train, n_test)


def _lines(periodograms: Float64Array, places: list[tuple[float, float]]) -> Float64Array:
    """Level of each place over the mean of the ring two bins around it, which its own leakage does not reach."""
    size = periodograms.shape[1]
    whole = np.stack([unfold_periodogram(one) for one in periodograms])
    ring = [(i, j) for i in range(-_RING, _RING + 1) for j in range(-_RING, _RING + 1) if max(abs(i), abs(j)) == _RING]
    levels = []
    for place in places:
        row, column = (round(value * size) for value in place)
        around = np.mean([whole[:, (row + i) % size, (column + j) % size] for i, j in ring], axis=0)
        levels.append(whole[:, row % size, column % size] - around)
    return np.asarray(DECIBELS * np.stack(levels, axis=1))


def _perturbed(images: Pixels, perturbation: Perturbation | None, seed: tuple[int, ...]) -> Pixels:
    if perturbation is None:
        return np.asarray(images)
    rng = np.random.default_rng(seed)
    return np.stack([perturb(perturbation, np.asarray(image), rng)[0] for image in images])


def _features(images: Pixels, domain: str) -> npt.NDArray[np.float32]:
    values = images.astype(np.float32)
    made = values / np.float32(127.5) - 1 if domain == "pixel" else log_scale(dct2(values))
    return np.asarray(made.reshape(len(images), -1), dtype=np.float32)


def _detector(name: str, seed: int) -> Any:
    """Ridge with its strength from cross-validation within training; logistic with the paper's strength."""
    if name == "ridge":
        from spectell.detectors.ridge import RidgeDetector

        return RidgeDetector("cv", seed=seed)
    from spectell.detectors.logistic import LogisticDetector

    return LogisticDetector(seed=seed)
