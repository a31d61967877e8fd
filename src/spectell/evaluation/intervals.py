"""How far a number measured on some images may be from the number for all images.

Two kinds of interval. Clopper and Pearson's is exact for a count of independent images. The bootstrap serves every
other metric, and images that are not independent: it resamples whole groups, where a group is one picture and all
that was made from it.

The bootstrap keeps the composition of the set. Groups are sorted into those that hold real images only, generated
images only, or both, and each kind is resampled among itself. Without mixed groups that is a bootstrap within each
class; if every group is mixed (photographs and their reconstructions), it is a bootstrap of the pairs; and no
resample can lose a class. What it cannot do is invent variation: with all images right, or with one group in a
class, it has nothing to say, and `Interval.degenerate` says that.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError
from spectell.evaluation.checks import BoolArray, FloatArray, IntArray, check_groups, check_rate, check_scores

__all__ = ["Interval", "Metric", "bootstrap_distribution", "bootstrap_interval", "clopper_pearson", "quantile_interval"]

Metric = Callable[[npt.NDArray[np.int8], FloatArray], float]
"""A number from labels and scores that does not depend on the order of the images."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the range that its uncertainty leaves.

    Parameters
    ----------
    estimate : float
        The metric on all images.
    low, high : float
        Bounds of the interval; NaN where the images allow none.
    undefined : int
        Bootstrap resamples on which the metric had no value, and which the bounds leave out.

    Examples
    --------
    >>> interval = Interval(0.9, 0.85, 0.94)
    >>> str(interval), interval.degenerate
    ('0.900 [0.850, 0.940]', False)
    >>> Interval(1.0, 1.0, 1.0).degenerate
    True
    """

    estimate: float
    low: float
    high: float
    undefined: int = 0

    @property
    def degenerate(self) -> bool:
        """Whether the bounds are missing or coincide, and so say nothing about the uncertainty."""
        return not self.low < self.high

    def as_dict(self) -> dict[str, float | int | None]:
        """Return the fields for JSON, which has no NaN: a missing number is None."""
        numbers = {"estimate": self.estimate, "low": self.low, "high": self.high}
        return {name: None if math.isnan(value) else value for name, value in numbers.items()} | {
            "undefined": self.undefined
        }

    def __str__(self) -> str:
        return f"{self.estimate:.3f} [{self.low:.3f}, {self.high:.3f}]"


def clopper_pearson(successes: int, trials: int, confidence: float = 0.95) -> Interval:
    """Exact interval for a proportion of independent trials.

    Its coverage is at least `confidence` whatever the true proportion, so it is rather too wide than too narrow.

    Parameters
    ----------
    successes, trials : int
        ``0 <= successes <= trials`` and at least one trial.
    confidence : float in (0, 1)
        Probability that the interval covers the true proportion.

    Raises
    ------
    ParameterError
        If a number does not fit the above.

    References
    ----------
    .. [1] Clopper, Pearson (1934). The use of confidence or fiducial limits illustrated in the case of the binomial.
       Biometrika 26(4), 404-413. :doi:`10.1093/biomet/26.4.404`

    Examples
    --------
    No error in 100 trials still allows a rate p with ``(1 - p)**100 = 0.025``:

    >>> interval = clopper_pearson(0, 100)
    >>> interval.low, round((1 - interval.high) ** 100, 6)
    (0.0, 0.025)
    """
    from scipy.special import betaincinv

    check_rate(confidence, "confidence")
    if not 0 <= successes <= trials or trials < 1:
        raise ParameterError(f"successes must lie between 0 and trials >= 1, got {successes} of {trials}")
    tail = (1 - confidence) / 2
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, trials - successes, 1 - tail)) if successes < trials else 1.0
    return Interval(successes / trials, low, high)


def bootstrap_interval(
    metric: Metric,
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    *,
    rng: np.random.Generator | int,
) -> Interval:
    """Percentile bootstrap interval of any metric, resampling whole groups.

    Parameters
    ----------
    metric : callable
        From labels and scores to a number, such as `spectell.evaluation.metrics.roc_auc`. It must not depend on the
        order of the images: a resample comes in falling order of score. Where it returns NaN or raises
        `ParameterError` on a resample, that resample is counted as undefined.
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated; one class alone is allowed if the metric allows it.
    scores : array_like of shape (n,), finite
        Higher means more likely generated; or probabilities, for metrics of those.
    groups : array_like of shape (n,), optional
        Images with equal labels stay together; by default each image is its own group.
    n_resamples : int > 0
        How many resamples are drawn.
    confidence : float in (0, 1)
        Share of the resampled values between the bounds.
    rng : Generator or int
        Source of the draws, or its seed.

    Returns
    -------
    interval : Interval
        The bounds are NaN where a class is present with fewer than two groups, or where the metric was undefined on
        a larger share of the resamples than ``1 - confidence``.

    Raises
    ------
    ParameterError, ShapeError
        If an argument does not fit the above, or the metric has no value on all images.

    References
    ----------
    .. [1] Efron, Tibshirani (1993). An Introduction to the Bootstrap. Chapman and Hall.
       :doi:`10.1201/9780429246593`

    Examples
    --------
    >>> from spectell.evaluation.metrics import roc_auc
    >>> labels, scores = [0, 0, 0, 1, 1, 1], [0.0, 1.0, 3.0, 2.0, 4.0, 5.0]
    >>> interval = bootstrap_interval(roc_auc, labels, scores, rng=0)
    >>> round(interval.estimate, 3), interval.low < interval.estimate < interval.high
    (0.889, True)
    """
    check_rate(confidence, "confidence")
    generated, values = check_scores(labels, scores)
    estimate = float(metric(generated.astype(np.int8), values))
    distribution = bootstrap_distribution(
        lambda *resample: [metric(*resample)], generated, values, groups, n_resamples, rng=rng
    )
    return quantile_interval(estimate, distribution[:, 0], confidence)


def bootstrap_distribution(
    statistic: Callable[[npt.NDArray[np.int8], FloatArray], Sequence[float]],
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    groups: npt.ArrayLike | None = None,
    n_resamples: int = 1000,
    *,
    rng: np.random.Generator | int,
) -> FloatArray:
    """Values of several metrics on the same resamples, as `bootstrap_interval` draws them.

    Parameters
    ----------
    statistic : callable
        From labels and scores to `k` numbers, `k` being the same for every resample.
    labels, scores, groups, n_resamples, rng
        As in `bootstrap_interval`.

    Returns
    -------
    values : ndarray of shape (n_resamples, k), float64
        NaN where a number is undefined; a row of NaN where the statistic raised `ParameterError`; only NaN where a
        class is present with fewer than two groups.

    Raises
    ------
    ParameterError, ShapeError
        If an argument does not fit.

    Examples
    --------
    >>> shares = bootstrap_distribution(lambda labels, scores: [labels.mean()], [0, 0, 1, 1], [1, 2, 3, 4], rng=0)
    >>> shares.shape, float(shares.min()), float(shares.max())
    ((1000, 1), 0.5, 0.5)
    """
    if n_resamples < 1:
        raise ParameterError(f"n_resamples must be at least 1, got {n_resamples!r}")
    generated, values = check_scores(labels, scores)
    group_of = check_groups(groups, len(values))
    width = len(statistic(generated.astype(np.int8), values))
    found = np.full((n_resamples, width), np.nan)
    if _smallest_number_of_groups(generated, group_of) < 2:
        return found
    resamples = _resamples(generated, values, group_of, n_resamples, np.random.default_rng(rng))
    for row, (resampled_labels, resampled_scores) in zip(found, resamples, strict=True):
        try:
            row[:] = statistic(resampled_labels, resampled_scores)
        except ParameterError:
            continue
    return found


def quantile_interval(
    estimate: float, resampled: npt.ArrayLike, confidence: float = 0.95, *, reflect: bool = False
) -> Interval:
    """Turn resampled values of a metric into an interval that holds the estimate.

    Parameters
    ----------
    estimate : float
        The metric on all images.
    resampled : array_like of shape (n_resamples,)
        Its values on the resamples, NaN where undefined.
    confidence : float in (0, 1)
        Share of the defined values between the bounds.
    reflect : bool
        Mirror the bounds at the estimate (the basic bootstrap). For a metric that noise can only raise, such as the
        calibration error, a resample is biased once more in the same direction, and the mirror takes that out.

    Returns
    -------
    interval : Interval
        NaN bounds where more than ``1 - confidence`` of the values are undefined.

    Raises
    ------
    ParameterError
        If `confidence` is not in (0, 1).

    Examples
    --------
    >>> print(quantile_interval(0.5, np.linspace(0.0, 1.0, 101), confidence=0.9))
    0.500 [0.050, 0.950]
    """
    check_rate(confidence, "confidence")
    values = np.asarray(resampled, dtype=np.float64)
    defined = values[~np.isnan(values)]
    undefined = len(values) - len(defined)
    if not defined.size or undefined > (1 - confidence) * len(values):
        return Interval(estimate, math.nan, math.nan, undefined)
    tail = (1 - confidence) / 2
    low, high = (float(bound) for bound in np.quantile(defined, [tail, 1 - tail]))
    if reflect:
        low, high = 2 * estimate - high, 2 * estimate - low
    return Interval(estimate, min(low, estimate), max(high, estimate), undefined)


def _smallest_number_of_groups(generated: BoolArray, group_of: IntArray) -> int:
    classes = (generated, ~generated)
    return min(len(np.unique(group_of[chosen])) for chosen in classes if chosen.any())


def _resamples(
    generated: BoolArray, scores: FloatArray, group_of: IntArray, n_resamples: int, rng: np.random.Generator
) -> Iterator[tuple[npt.NDArray[np.int8], FloatArray]]:
    """Yield labels and scores of each resample in falling order of score.

    The images are sorted once and then repeated in place, so that a metric's own sort has nothing left to do.
    """
    falling = np.argsort(-scores, kind="stable")
    labels, scores, group_of = generated[falling].astype(np.int8), scores[falling], group_of[falling]
    strata = _strata(labels, group_of)
    times_drawn = np.zeros(group_of.max() + 1, dtype=np.intp)
    for _ in range(n_resamples):
        for members in strata:
            drawn = rng.integers(len(members), size=len(members))
            times_drawn[members] = np.bincount(drawn, minlength=len(members))
        chosen = np.repeat(np.arange(len(scores)), times_drawn[group_of])
        yield labels[chosen], scores[chosen]


def _strata(labels: npt.NDArray[np.int8], group_of: IntArray) -> list[IntArray]:
    """Return the groups that hold real images only, generated ones only, and both."""
    n_images = np.bincount(group_of)
    n_generated = np.bincount(group_of, weights=labels)
    kinds = (n_generated == 0, n_generated == n_images, (n_generated > 0) & (n_generated < n_images))
    return [np.flatnonzero(kind) for kind in kinds if kind.any()]
