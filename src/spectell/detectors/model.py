"""A model in memory: front end, standardisation, head, calibration, and the thresholds of its verdicts."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.detectors.card import ModelCard
from spectell.detectors.class_heads import ClassHead
from spectell.detectors.features import FrontEnd
from spectell.detectors.heads import Head
from spectell.detectors.parts import Uint8Array, prefixed
from spectell.detectors.standardisation import Standardisation
from spectell.errors import ArtifactError, ShapeError
from spectell.evaluation.calibration import PlattCalibration
from spectell.evaluation.thresholds import Thresholds

__all__ = ["Model", "Score"]


@dataclass(frozen=True, slots=True)
class Score:
    """What a model says about one image.

    Parameters
    ----------
    score : float
        Calibrated log-odds, in nats, that the image is generated at a prior of one half.
    distance : float >= 0
        How unlike the training images it is, in units of the model's limit; the score means little above 1.
    classes : tuple of float
        One number for each of the model's classes, the largest of which names the class; empty where there are two.
    """

    score: float
    distance: float
    classes: tuple[float, ...] = ()


class Model:
    """A trained detector: scores pixels.

    Parameters
    ----------
    card : ModelCard
        Its calibration, thresholds and distance are those that the model uses.
    front_end : FrontEnd
    standardisation : Standardisation
    head : Head
    distance : BandDistance or another of the registry
    real_scores : array_like of shape (n,)
        Scores of the real images that set the thresholds.
    training_hashes : ndarray of shape (m,), uint64, optional
        `training_hash` of every image in training or calibration; none if unknown.

    Raises
    ------
    ArtifactError
        If the parts do not fit one another or the card.
    """

    def __init__(
        self,
        card: ModelCard,
        *,
        front_end: FrontEnd,
        standardisation: Standardisation,
        head: Head,
        distance: Any,
        real_scores: npt.ArrayLike,
        training_hashes: npt.NDArray[np.uint64] | None = None,
    ) -> None:
        self.card = card
        self.front_end = front_end
        self.standardisation = standardisation
        self.head = head
        self.distance = distance
        self.calibration = PlattCalibration(card.calibration.slope, card.calibration.intercept)
        self.thresholds = Thresholds(np.asarray(real_scores, np.float64), card.thresholds.fake_floor)
        hashes = np.empty(0, np.uint64) if training_hashes is None else np.sort(training_hashes)
        self.training_hashes: npt.NDArray[np.uint64] = hashes
        # Asked once: whether an object keeps a protocol takes as long as judging a tenth of a small image.
        self._class_head = head if isinstance(head, ClassHead) and head.n_classes > 2 else None
        self._check_fit()

    def _check_fit(self) -> None:
        """Refuse parts and a card that contradict one another, naming the field."""
        card = self.card
        facts: list[tuple[str, Any, Any]] = [
            ("front_end.name", card.front_end.name, self.front_end.name),
            ("head.name", card.head.name, self.head.name),
            ("min_size", card.min_size, self.front_end.min_size),
            ("log_offset", card.log_offset, self.front_end.log_offset),
            ("thresholds.n_real", card.thresholds.n_real, len(self.thresholds.real_scores)),
            ("distance.limit", card.distance.limit, self.distance.limit),
            ("features of the head", self.head.n_features, self.front_end.n_features),
            ("class_names", len(card.class_names), getattr(self.head, "n_classes", 2)),
            ("features of the standardisation", len(self.standardisation.mean), self.front_end.n_features),
        ]
        for field, stated, found in facts:
            if stated != found:
                raise ArtifactError(f"the model's parts do not fit: {field} is {stated!r} where the rest has {found!r}")
        for rate, stated in card.thresholds.table.items():
            self._check_threshold(rate, stated)

    def _check_threshold(self, rate: str, stated: float) -> None:
        """Refuse a threshold for readers that is not the one that verdicts use."""
        try:
            found: float | str = self.thresholds.at(float(rate))
        except ValueError:  # no number, or a rate that so few images do not support; ours are ValueErrors too
            found = "no threshold for it"
        if isinstance(found, str) or not math.isclose(stated, found, rel_tol=1e-9, abs_tol=1e-9):
            raise ArtifactError(
                f"the model's parts do not fit: thresholds.table[{rate[:20]!r}] is {stated!r} where the real scores "
                f"in the file give {found}"
            )

    @property
    def name(self) -> str:
        """How verdicts call the model."""
        return self.card.name

    @property
    def min_size(self) -> int:
        """Smallest height and width that the model scores, in pixels."""
        return self.card.min_size

    def score(self, pixels: Uint8Array, *, thorough: bool = False) -> Score:
        """Score one image.

        Where the front end cuts an image into tiles, the raw output and the distance are the means over the tiles.

        Parameters
        ----------
        pixels : ndarray of shape (H, W, 3), uint8
            RGB, at its native size.
        thorough : bool
            Look at all of a large image instead of a bounded number of tiles or blocks.

        Raises
        ------
        ShapeError
            If the image is smaller than `min_size` or not of shape (H, W, 3).
        """
        if pixels.ndim != 3 or min(pixels.shape[:2]) < self.min_size:
            raise ShapeError(
                f"the model {self.name!r} scores images of shape (H, W, 3) from {self.min_size} x {self.min_size} "
                f"pixels up, got {pixels.shape}"
            )
        rows = self.standardisation.apply(self.front_end.rows(pixels, thorough=thorough))
        raw = float(self.head.decide(rows).mean()) * self.trust(pixels.shape[0] * pixels.shape[1])
        classes: tuple[float, ...] = ()
        if self._class_head is not None:
            classes = tuple(self._class_head.classify(rows).mean(axis=0).tolist())
        return Score(float(self.calibration.apply(raw)), float(self.distance.measure(rows).mean()), classes)

    def trust(self, n_pixels: int) -> float:
        """Return what the raw output of a small image is multiplied by, see `CalibrationCard`."""
        full_pixels = self.card.calibration.full_pixels
        return 1.0 if n_pixels >= full_pixels else float(np.sqrt(n_pixels / full_pixels))

    def replaced(self, **parts: Any) -> "Model":
        """Return a copy with some of the constructor's arguments replaced."""
        kept = {
            "card": self.card,
            "front_end": self.front_end,
            "standardisation": self.standardisation,
            "head": self.head,
            "distance": self.distance,
            "real_scores": self.thresholds.real_scores,
            "training_hashes": self.training_hashes,
        }
        return Model(**{**kept, **parts})

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything that the file holds, by name."""
        return {
            **prefixed("front_end", self.front_end.arrays),
            **prefixed("head", self.head.arrays),
            **prefixed("distance", self.distance.arrays),
            "standardisation.mean": self.standardisation.mean,
            "standardisation.scale": self.standardisation.scale,
            "thresholds.real_scores": self.thresholds.real_scores,
            "training.hashes": self.training_hashes,
        }
