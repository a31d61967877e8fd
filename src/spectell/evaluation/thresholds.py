r"""From a score to a verdict, at a false-positive rate that holds.

The threshold for a rate is an order statistic of the scores of real images that took no part in training. Write
:math:`k = \lfloor f (n + 1) \rfloor` for a rate `f` and `n` such images: an image is called generated when its score
exceeds the `k`-th largest of them. A fresh real image that is exchangeable with those exceeds it with probability at
most :math:`k / (n + 1) \le f`, whatever the distribution of the scores; among them at most ``k - 1`` do. Equal scores
make the rule stricter, never looser.

The guarantee is an average over calibration sets: with one given set the realised rate is beta distributed around
:math:`k / (n + 1)`. With fewer than three expected exceedances its standard deviation is more than half of the rate
itself, so such rates are refused (`supported`).

This module and `calibration` import nothing beyond NumPy: every verdict passes through them.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from spectell.errors import MismatchError, ParameterError, ShapeError
from spectell.evaluation.checks import FloatArray, check_rate, check_scores

__all__ = ["DEFAULT_FPR", "MAX_FPR", "MIN_EXCEEDANCES", "MISS_RATE", "Thresholds", "VerdictName", "fit_thresholds"]

VerdictName = Literal["generated", "real", "inconclusive"]

DEFAULT_FPR = 0.01
"""One real photograph in a hundred may be called generated."""

MIN_EXCEEDANCES = 3
"""Calibration images that a supported rate must expect above its threshold: 0.1 % needs 3,000."""

MAX_FPR = 0.5
"""Above this rate a verdict would be wrong about most photographs."""

MISS_RATE = 0.05
"""Largest share of generated validation images that the verdict *real* may cost."""

MIN_REAL = math.ceil(MIN_EXCEEDANCES / MAX_FPR)


@dataclass(frozen=True, slots=True, eq=False)
class Thresholds:
    """The scores of the calibration images, and the verdict that they imply.

    Parameters
    ----------
    real_scores : array_like of shape (n,), n >= 6, finite
        Scores of real images that the detector was not trained on, in any order; kept sorted, `float64`, read-only.
    fake_floor : float
        Scores up to this one are called real, provided that they are below the threshold.

    Raises
    ------
    ParameterError
        If there are fewer than six scores, one is not finite, or `fake_floor` is NaN.
    ShapeError
        If `real_scores` is not one-dimensional.

    References
    ----------
    .. [1] Vovk, Gammerman, Shafer (2005). Algorithmic Learning in a Random World. Springer. :doi:`10.1007/b106715`

    Examples
    --------
    With real images at 1, 2, ..., 99, a rate of 5 % allows four of them above the threshold, just above 95:

    >>> thresholds = Thresholds(real_scores=range(1, 100), fake_floor=20.0)
    >>> round(thresholds.at(0.05), 6)
    95.0
    >>> [thresholds.verdict(score, 0.05) for score in (96.0, 95.0, 20.0)]
    ['generated', 'inconclusive', 'real']
    """

    real_scores: FloatArray
    fake_floor: float

    def __post_init__(self) -> None:
        if np.ndim(self.real_scores) != 1:
            raise ShapeError(f"real_scores must be one-dimensional, got shape {np.shape(self.real_scores)}")
        if len(self.real_scores) < MIN_REAL:
            raise MismatchError(
                f"real_scores must hold at least {MIN_REAL} calibration images, got {len(self.real_scores)}; "
                "calibrate on more photographs"
            )
        if math.isnan(self.fake_floor):
            raise ParameterError("fake_floor must be a number, got nan")
        _, scores = check_scores(np.zeros(len(self.real_scores)), self.real_scores, name="real_scores")
        ordered = np.sort(scores)
        ordered.flags.writeable = False
        object.__setattr__(self, "real_scores", ordered)
        object.__setattr__(self, "fake_floor", float(self.fake_floor))

    @property
    def supported(self) -> tuple[float, float]:
        """Lowest and highest rate that the number of calibration images can support, both included."""
        return MIN_EXCEEDANCES / len(self.real_scores), MAX_FPR

    @property
    def lowest_rate(self) -> float:
        """The lowest supported rate with three digits, rounded upwards, so that it is supported itself.

        Examples
        --------
        >>> Thresholds(real_scores=range(7), fake_floor=0.0).lowest_rate
        0.429
        """
        return _round_up(self.supported[0])

    def at(self, fpr: float) -> float:
        """Return the threshold `t` for a false-positive rate: generated if and only if the score is at least `t`.

        It is the smallest number above the `k`-th largest calibration score (see the head of the module), and it
        never rises when `fpr` does.

        Raises
        ------
        MismatchError
            If `fpr` is below `supported`.
        ParameterError
            If no number of images supports it.
        """
        return float(np.nextafter(self.real_scores[-self.rank(fpr)], np.inf))

    def rank(self, fpr: float) -> int:
        """Return k: the threshold for a false-positive rate stands just above the k-th largest calibration score.

        Raises
        ------
        MismatchError, ParameterError
            As `at`.

        Examples
        --------
        >>> Thresholds(real_scores=range(1, 100), fake_floor=20.0).rank(0.05)
        5
        """
        low, high = self.supported
        if not low <= fpr <= high:
            wrong = MismatchError if 0 < fpr <= MAX_FPR else ParameterError  # with more images it could be right
            raise wrong(
                f"fpr must lie between {self.lowest_rate} and {high} with {len(self.real_scores)} calibration images, "
                f"got {fpr!r}; {_remedy(fpr)}"
            )
        return _floor_share(fpr, len(self.real_scores) + 1)

    def verdict(self, score: float, fpr: float) -> VerdictName:
        """Say what an image with this score is, at this false-positive rate.

        Raises
        ------
        ParameterError
            If `fpr` is outside `supported`, or `score` is NaN.
        """
        if math.isnan(score):
            raise ParameterError("score must be a number, got nan; an image without a score has no verdict")
        if score >= self.at(fpr):
            return "generated"
        return "real" if score <= self.fake_floor else "inconclusive"


def fit_thresholds(labels: npt.ArrayLike, scores: npt.ArrayLike, *, miss_rate: float = MISS_RATE) -> Thresholds:
    """Take the thresholds from images that the detector was not trained on.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated.
    scores : array_like of shape (n,), finite
        Calibrated log-odds; the verdicts will apply to scores on the same scale.
    miss_rate : float in (0, 1)
        At most this share of the generated images lies at or below the floor.

    Raises
    ------
    ParameterError
        If there is no generated image or fewer than six real ones, a score is not finite, a label is neither 0 nor
        1, or `miss_rate` is not in (0, 1).
    ShapeError
        If labels and scores differ in length.

    Examples
    --------
    Of forty generated images 5 % are two, so the floor lies just below the third lowest:

    >>> labels = [0] * 6 + [1] * 40
    >>> thresholds = fit_thresholds(labels, [*range(-6, 0), *range(1, 41)])
    >>> round(thresholds.fake_floor, 6), thresholds.verdict(2.0, 0.5), thresholds.supported
    (3.0, 'generated', (0.5, 0.5))
    """
    check_rate(miss_rate, "miss_rate")
    generated, values = check_scores(labels, scores, both_classes=True)
    fakes = np.sort(values[generated])
    floor = np.nextafter(fakes[_floor_share(miss_rate, len(fakes))], -np.inf)
    return Thresholds(real_scores=values[~generated], fake_floor=float(floor))


def _floor_share(rate: float, count: int) -> int:
    """Return the largest integer k with ``k / count <= rate``.

    ``floor(rate * count)`` is one too low for 0.29 of 100, since the product is 28.999...; the quotient 29 / 100 is
    rounded to the same double as the literal 0.29, so the comparison is exact where it matters.
    """
    share = int(rate * count) + 1
    while share / count > rate:
        share -= 1
    return share


def _round_up(rate: float) -> float:
    """Round to three digits, upwards, so that the limit that a message names is itself accepted."""
    digits = 2 - math.floor(math.log10(rate))
    nearest = round(rate, digits)
    return nearest if nearest >= rate else round(nearest + 10.0**-digits, digits)


def _remedy(fpr: float) -> str:
    if not 0 < fpr <= 1:
        return "a rate is a share, such as 0.01"
    if fpr > MAX_FPR:
        return "ask for a lower rate"
    return "calibrate on more photographs or ask for a higher rate"
