"""What scoring and evaluating a data set give, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.datasets import Manifest
from spectell.errors import ManifestError
from spectell.evaluation.attribution import Attribution
from spectell.evaluation.intervals import Interval
from spectell.workflows.reading.image_files import Skipped

__all__ = ["OUTCOMES", "ClassFigures", "Evaluation", "MetricSlice", "ScoredImages"]

OUTCOMES = ("real", "inconclusive", "generated")
"""Columns of a confusion matrix, in order."""


@dataclass(frozen=True, slots=True)
class ScoredImages:
    """What a model says about the images of a data set.

    Parameters
    ----------
    manifest : Manifest
        The images that have a score.
    scores, distances : ndarray of shape (n,)
        See `spectell.detectors.Score`.
    hashes : ndarray of shape (n,), uint64
        `training_hash` of each image.
    skipped : tuple of Skipped
        The images that have none.
    classes : ndarray of shape (n, K), optional
        One number for each class, of a model that tells generators apart.
    """

    manifest: Manifest
    scores: npt.NDArray[np.float64]
    distances: npt.NDArray[np.float64]
    hashes: npt.NDArray[np.uint64]
    skipped: tuple[Skipped, ...]
    classes: npt.NDArray[np.float64] | None = None

    def select(self, mask: npt.NDArray[np.bool_]) -> ScoredImages:
        """Return the images where `mask`, shape (n,), is true.

        Raises
        ------
        ManifestError
            If there is none.
        """
        if not mask.any():
            raise ManifestError(f"none of the {len(mask)} images is left; all were in the model's training")
        chosen = self.manifest.select(mask), self.scores[mask], self.distances[mask], self.hashes[mask]
        return ScoredImages(*chosen, self.skipped, None if self.classes is None else self.classes[mask])


@dataclass(frozen=True, slots=True)
class MetricSlice:
    """The metrics of some of the images.

    Parameters
    ----------
    name : str
        ``overall``, ``source: NAME`` or ``generator: NAME``.
    compared_with : str
        Which real images stand on the other side.
    n_real, n_generated : int
    metrics : dict of str to Interval
        See `spectell.evaluation.summary.evaluate_scores`.
    """

    name: str
    compared_with: str
    n_real: int
    n_generated: int
    metrics: dict[str, Interval]

    def as_dict(self) -> dict[str, Any]:
        """Return the slice as JSON has it."""
        return {
            "name": self.name,
            "compared_with": self.compared_with,
            "n_real": self.n_real,
            "n_generated": self.n_generated,
            "metrics": {name: interval.as_dict() for name, interval in self.metrics.items()},
        }


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How well a model tells generators apart.

    Parameters
    ----------
    class_names : tuple of str
        ``real`` first.
    attribution : Attribution
        Its classes in that order.
    n_unknown : int
        Images of generators that the model does not know, which are not counted.
    """

    class_names: tuple[str, ...]
    attribution: Attribution
    n_unknown: int

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as JSON has them; `confusion` by class, then by the class that was named."""
        found = self.attribution
        rows = zip(self.class_names, found.confusion.tolist(), strict=True)
        each = zip(self.class_names, found.per_class, strict=True)
        return {
            "class_names": list(self.class_names),
            "confusion": {name: dict(zip(self.class_names, row, strict=True)) for name, row in rows},
            "overall": {name: interval.as_dict() for name, interval in found.overall.items()},
            "per_class": {name: {key: value.as_dict() for key, value in figures.items()} for name, figures in each},
            "unknown": self.n_unknown,
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation found.

    Parameters
    ----------
    model : str
        Name of the model.
    fpr : float
        False-positive rate whose threshold gave the verdicts.
    slices : tuple of MetricSlice
        Overall first, then each source, then each generator.
    confusion : dict of str to dict of str to int
        For ``real`` and each generator, how many images got which verdict: `OUTCOMES`.
    in_training : int
        Images that the model was trained or calibrated on.
    skipped : tuple of Skipped
        Images without a score: unreadable or too small.
    warnings : tuple of str
        What a reader of the figures must know.
    classes : ClassFigures or None
        Of a model that tells generators apart.
    """

    model: str
    fpr: float
    slices: tuple[MetricSlice, ...]
    confusion: dict[str, dict[str, int]]
    in_training: int
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]
    classes: ClassFigures | None = None

    @property
    def overall(self) -> MetricSlice:
        """The metrics of all images together."""
        return self.slices[0]

    def as_dict(self) -> dict[str, Any]:
        """Return the evaluation as JSON has it."""
        return {
            "model": self.model,
            "fpr": self.fpr,
            "slices": [part.as_dict() for part in self.slices],
            "confusion": self.confusion,
            "in_training": self.in_training,
            "skipped": [{"path": image.path, "reason": image.reason} for image in self.skipped],
            "warnings": list(self.warnings),
            **({} if self.classes is None else {"attribution": self.classes.as_dict()}),
        }
