"""The steps of a training run, each with one use of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.datasets import Manifest
from spectell.datasets.duplicates import fingerprint
from spectell.datasets.splits import assign_splits, merge_duplicates
from spectell.detectors.class_heads import ClassHead
from spectell.detectors.distance import BandDistance, band_statistics
from spectell.detectors.front_end import FrontEnd
from spectell.detectors.heads import Head
from spectell.detectors.standardisation import Standardisation
from spectell.detectors.streaming import Source
from spectell.errors import ManifestError, ParameterError
from spectell.evaluation.calibration import PlattCalibration, fit_platt
from spectell.evaluation.thresholds import MIN_REAL, Thresholds, fit_thresholds
from spectell.workflows.reading.fingerprints import IsolatedFingerprints
from spectell.workflows.reading.image_files import FileReader, Pixels, Skipped
from spectell.workflows.reading.image_passes import Progress, counted
from spectell.workflows.reading.image_set import ImageSet

__all__ = [
    "DISTANCE_QUANTILE",
    "SPLITS",
    "Fitted",
    "ImageFeatures",
    "UsableImages",
    "Validated",
    "feature_source",
    "fit_distance",
    "fit_facts",
    "solver_notes",
    "validate",
    "with_splits",
]

SPLITS = ("train", "validation", "test")

FEATURE_BYTES = 1_000_000_000
"""Features of the training images are kept up to this size; more are computed again whenever they are needed."""

DISTANCE_QUANTILE = 0.99
"""Share of validation images that must not be called unlike the training images."""

DISTANCE_IMAGES = 1000
"""Training images that the distance is fitted on, at most."""


def with_splits(
    manifest: Manifest, seed: int, workers: int | None, on_progress: Progress, *, files: FileReader | None = None
) -> tuple[Manifest, tuple[Skipped, ...]]:
    """Return the images that have a split, or assign splits if none has; only files are compared for duplicates.

    Files that ended or stopped the process that compared them are left out, and returned beside the others.
    """
    given = set(manifest.splits.tolist()) - {""}
    if given and not set(SPLITS) <= given:
        raise ManifestError(
            f"the manifest's splits are {', '.join(sorted(given))}; training needs {', '.join(SPLITS)}, or none at all "
            "to have them assigned"
        )
    if given:
        return manifest.select(np.isin(manifest.splits, SPLITS)), ()
    if files is None:
        return assign_splits(manifest, seed=seed, near_duplicates=False), ()
    report, read = counted(on_progress, "comparing", len(manifest)), IsolatedFingerprints(files)
    merged = merge_duplicates(manifest, fingerprint(manifest, read=read, workers=workers, on_progress=report))
    if read.skipped:
        merged = merged.select(~np.isin(np.array(merged.paths), [each.path for each in read.skipped]))
    return assign_splits(merged, seed=seed, near_duplicates=False), tuple(read.skipped)


class UsableImages:
    """The images that are large enough, by split.

    Attributes
    ----------
    manifest : Manifest
        All of them.
    rows : dict of str to ndarray
        Rows of the `ImageSet`, by split.
    skipped : tuple of Skipped
        The others.

    Raises
    ------
    ManifestError
        If a split lacks one of the classes.
    """

    def __init__(self, images: ImageSet, front_end: FrontEnd) -> None:
        large = images.sides >= front_end.min_size
        reason = f"smaller than {front_end.min_size} pixels"
        self.skipped = tuple(Skipped(images.manifest.paths[index], reason) for index in np.flatnonzero(~large).tolist())
        self.rows = {split: np.flatnonzero(large & (images.manifest.splits == split)) for split in SPLITS}
        self.manifest = images.manifest.select(large)
        labels = images.manifest.labels
        for split, rows in self.rows.items():
            counts = np.bincount(labels[rows], minlength=2)
            least = MIN_REAL if split == "validation" else 1
            if counts[0] < least or not counts[1]:
                small = f"; {len(self.skipped)} images are {reason}" if self.skipped else ""
                remedy = "a smaller size" if small else "more images"
                raise ManifestError(
                    f"the split {split!r} has {counts[0]} real and {counts[1]} generated images{small}; "
                    f"at least {least} and 1 are needed: use {remedy}, or another seed"
                )


class ImageFeatures:
    """Features of some images, computed again at every call: a `spectell.detectors.streaming.StripSource`.

    Parameters
    ----------
    images : ImageSet
    front_end : FrontEnd
    rows : ndarray of shape (n,)
        Which of the images.
    """

    def __init__(self, images: ImageSet, front_end: FrontEnd, rows: npt.NDArray[np.intp]) -> None:
        self._images, self._front_end, self._rows = images, front_end, rows
        self.n_features = front_end.n_features
        self.n_strips = front_end.n_strips

    def __call__(self, start: int, stop: int, /, stage: str = "") -> npt.NDArray[np.float32]:
        """Return whole rows, shape (stop - start, D)."""
        block = np.empty((stop - start, self.n_features), np.float32)
        for index, row in enumerate(self._images.map(self._front_end.row, self._rows[start:stop], stage)):
            block[index] = row
        return block

    def fill(self, rows: slice, strips: slice, out: npt.NDArray[np.float32], /) -> None:
        """Write some strips of some rows."""
        n_rows = len(self._rows)
        first, *_ = numbers = range(n_rows)[rows]
        start, *_ = wanted = range(self.n_strips)[strips]
        parts = self._images.map(
            lambda pixels: self._front_end.strips(pixels, start, start + len(wanted)), self._rows[rows]
        )
        stage = "features" if len(numbers) == n_rows else "weights"
        for index, part in enumerate(parts):
            out[index] = part
            done = start * n_rows + (first + index + 1) * len(wanted)
            self._images.on_progress(stage, done // self.n_strips, n_rows)


def feature_source(images: ImageSet, front_end: FrontEnd, rows: npt.NDArray[np.intp]) -> Source:
    """Give the features of the training images: kept if they are few, else computed again at every call."""
    source = ImageFeatures(images, front_end, rows)
    if 4 * len(rows) * front_end.n_features > FEATURE_BYTES:
        return source
    whole = source(0, len(rows), "features")
    return lambda start, stop: whole[start:stop]


def fit_facts(detector: Any) -> dict[str, Any]:
    """Return what the fit used and found out, as JSON has it."""
    facts: dict[str, Any] = {}
    if hasattr(detector, "strength_"):
        facts["strength"] = detector.strength_
        if detector.errors_ is not None:
            facts["errors"] = {f"{strength:g}": error for strength, error in detector.errors_.items()}
            facts["at_edge"] = detector.strength_ in (min(detector.errors_), max(detector.errors_))
    for name in getattr(detector, "GRID", {}):
        facts[name] = getattr(detector, name)
    for name in ("n_iter", "converged"):
        if hasattr(detector, f"{name}_"):
            facts[name] = getattr(detector, f"{name}_")
    return facts | getattr(detector, "fit_facts_", {})


def solver_notes(facts: dict[str, Any]) -> list[str]:
    """Say in words what a reader must know of the fit."""
    notes = []
    if not facts.get("converged", True):
        notes.append(f"the solver stopped after {facts['n_iter']} iterations, before it had converged")
    if facts.get("at_edge"):
        notes.append(f"the best strength, {facts['strength']:g}, lies at the edge of those that were searched")
    if "best_epoch" in facts and facts["best_epoch"] == facts["epochs"]:
        notes.append(
            f"the validation loss was the smallest after the last epoch, {facts['epochs']}; --resume and more --epochs "
            "go on from there"
        )
    return notes


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the training split decided; the distance is fitted last."""

    front_end: FrontEnd
    standardisation: Standardisation
    head: Head
    distance: BandDistance | None

    def measure(self, pixels: Pixels) -> tuple[float, float]:
        """Return the raw output and the distance of one image, means over its tiles."""
        rows = self.standardisation.apply(self.front_end.rows(pixels))
        distance = 0.0 if self.distance is None else float(self.distance.measure(rows).mean())
        return float(self.head.decide(rows).mean()), distance

    def name_class(self, pixels: Pixels) -> int:
        """Return the class that the detector names, before any calibration."""
        rows = self.standardisation.apply(self.front_end.rows(pixels))
        if isinstance(self.head, ClassHead) and self.head.n_classes > 2:
            return int(self.head.classify(rows).mean(axis=0).argmax())
        return int(self.head.decide(rows).mean() > 0)


def fit_distance(
    images: ImageSet, rows: npt.NDArray[np.intp], front_end: FrontEnd, standardisation: Standardisation
) -> BandDistance:
    """Fit the distance to the tiles of evenly spaced training images, as it will be measured on tiles."""
    chosen = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), DISTANCE_IMAGES)).astype(np.intp))]
    statistics = images.map(
        lambda pixels: band_statistics(standardisation.apply(front_end.rows(pixels))), chosen, "distance"
    )
    return BandDistance.fit(np.concatenate(list(statistics)))


@dataclass(frozen=True, slots=True)
class Validated:
    """What the validation split decided.

    Parameters
    ----------
    calibration : PlattCalibration
    thresholds : Thresholds
    distance : BandDistance
        In units of its limit.
    n_real, n_generated : int
    note : str
        Empty, or what a reader must know.
    """

    calibration: PlattCalibration
    thresholds: Thresholds
    distance: BandDistance
    n_real: int
    n_generated: int
    note: str


def validate(fitted: Fitted, images: ImageSet, rows: npt.NDArray[np.intp]) -> Validated:
    """Take calibration, thresholds and the limit of the distance from the images at `rows`.

    Raises
    ------
    MismatchError
        If there are too few real images for any threshold.
    """
    labels = images.manifest.labels[rows]
    raw, distances = np.array(list(images.map(fitted.measure, rows, "calibrating"))).T
    calibration, note = _calibrate(labels, raw)
    if fitted.distance is None:
        raise ParameterError("the distance must be fitted before it is validated")
    limit = max(float(np.quantile(distances, DISTANCE_QUANTILE)), 1e-6)
    n_generated = int(labels.sum())
    return Validated(
        calibration,
        fit_thresholds(labels, calibration.apply(raw)),
        fitted.distance.limited(limit),
        len(labels) - n_generated,
        n_generated,
        note,
    )


def _calibrate(labels: npt.NDArray[np.int8], raw: npt.NDArray[np.float64]) -> tuple[PlattCalibration, str]:
    try:
        return fit_platt(labels, raw), ""
    except ParameterError:
        slope = 1e-3 / max(float(raw.std()), 1e-9)
        note = "on the validation split the detector is no better than chance: all its scores are close to 0"
        return PlattCalibration(slope, -slope * float(raw.mean())), note
