"""How sure a verdict is: where the score stands among those of the calibration, and what the rate means.

The numbers come from the model's card. Sentences are made here, once, so that the page and the JSON say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from spectell.detectors import Model
    from spectell.detectors.card import RateCard

__all__ = ["Standing", "find_standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A score among those of the photographs that the model was calibrated on.

    Parameters
    ----------
    score : float
    fpr : float
        The rate that was asked for.
    threshold : float
        Score from which on the verdict is *generated*.
    floor : float
        Score up to which the verdict is *real*.
    n_real : int
        Photographs (rows of them) that set the threshold.
    n_as_high : int
        How many of them score at least as high as this image.
    n_generated : int
        Generated images that set the floor.
    worst : RateCard or None
        Of the rates that were measured on photographs of a source that training had not seen, the highest.
    overall : RateCard or None
        Of all such photographs together.
    """

    score: float
    fpr: float
    threshold: float
    floor: float
    n_real: int
    n_as_high: int
    n_generated: int
    worst: RateCard | None = None
    overall: RateCard | None = None

    @property
    def share_as_high(self) -> float:
        """Share of photographs that score at least as high, with this image counted among them.

        That is ``(n_as_high + 1) / (n_real + 1)``: never zero, since n photographs cannot tell a smaller share from
        ``1 / (n + 1)``.
        """
        return (self.n_as_high + 1) / (self.n_real + 1)

    def as_dict(self) -> dict[str, Any]:
        """Return the standing as values that JSON knows."""
        return {
            "score": self.score,
            "fpr": self.fpr,
            "threshold": self.threshold,
            "floor": self.floor,
            "n_real": self.n_real,
            "n_as_high": self.n_as_high,
            "share_as_high": self.share_as_high,
            "n_generated": self.n_generated,
            "measured_worst": None if self.worst is None else self.worst.as_json(),
            "measured_overall": None if self.overall is None else self.overall.as_json(),
        }


def find_standing(score: float, model: Model, *, fpr: float) -> Standing:
    """Place a score among those of a model's calibration.

    Parameters
    ----------
    score : float
        Calibrated log-odds.
    model : Model
    fpr : float
        A rate that the model supports.
    """
    thresholds = model.thresholds
    measured = [rate for rate in model.card.thresholds.verified if rate.fpr == fpr and rate.n]
    return Standing(
        score=score,
        fpr=fpr,
        threshold=thresholds.at(fpr),
        floor=min(thresholds.fake_floor, float(np.nextafter(thresholds.at(fpr), -np.inf))),
        n_real=len(thresholds.real_scores),
        n_as_high=int((thresholds.real_scores >= score).sum()),
        n_generated=model.card.thresholds.n_generated,
        worst=max(measured, key=lambda rate: rate.exceeded / rate.n, default=None),
        overall=max(measured, key=lambda rate: rate.n, default=None),
    )
