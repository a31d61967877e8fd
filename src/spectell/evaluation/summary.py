"""All metrics of one set of scores at once, each with its interval.

The intervals of one set come from the same bootstrap resamples, so that they cost one sort together and their
differences are meaningful.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from spectell.evaluation.calibration import logistic
from spectell.evaluation.checks import BoolArray, FloatArray, IntArray, check_groups, check_limit, check_scores
from spectell.evaluation.intervals import Interval, bootstrap_distribution, clopper_pearson, quantile_interval
from spectell.evaluation.metrics import brier_score, expected_calibration_error
from spectell.evaluation.roc import roc_curve

__all__ = ["FPRS", "evaluate_scores", "measure_scores"]

FPRS = (0.01, 0.05)
"""False-positive rates at which the true-positive rate is reported."""


def measure_scores(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    fprs: Sequence[float] = FPRS,
    operating_points: Mapping[float, float] | None = None,
) -> dict[str, float]:
    """Every metric of calibrated scores, without intervals.

    Parameters
    ----------
    labels, scores, fprs, operating_points
        As in `evaluate_scores`.

    Returns
    -------
    metrics : dict of str to float
        Under the names that `evaluate_scores` lists, in that order.

    Raises
    ------
    ParameterError, ShapeError
        If an argument does not fit.

    Examples
    --------
    >>> measured = measure_scores([0, 0, 1, 1], [-2.0, 1.0, 0.5, 3.0])
    >>> measured["accuracy"], measured["auc"], measured["false_positive_rate"]
    (0.75, 0.75, 0.5)
    >>> list(measure_scores([0, 0], [-2.0, 1.0]))
    ['accuracy', 'false_positive_rate']
    """
    generated, values = check_scores(labels, scores)
    measured = {"accuracy": float(np.mean((values >= 0) == generated))}
    if generated.any() and not generated.all():
        measured |= _two_class_metrics(generated, values, fprs)
    for suffix, threshold in _points(operating_points).items():
        called = values >= threshold
        for name, members in _rates(generated).items():
            measured[name + suffix] = float(called[members].mean())
    return measured


def evaluate_scores(
    labels: npt.ArrayLike,
    scores: npt.ArrayLike,
    *,
    fprs: Sequence[float] = FPRS,
    operating_points: Mapping[float, float] | None = None,
    groups: npt.ArrayLike | None = None,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    rng: np.random.Generator | int,
) -> dict[str, Interval]:
    """Every metric of calibrated scores, each with its interval.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated; one class alone is allowed.
    scores : array_like of shape (n,), finite
        Calibrated log-odds at a prior of one half.
    fprs : sequence of float in [0, 1]
        Limits for ``tpr_at_fpr_*``.
    operating_points : mapping of float to float, optional
        A model's own thresholds, by the false-positive rate that each promises (`Thresholds.at`).
    groups : array_like of shape (n,), optional
        Images with equal labels are one picture and what was made from it.
    n_resamples : int > 0
        Bootstrap resamples.
    confidence : float in (0, 1)
        Of each interval by itself.
    rng : Generator or int
        Source of the resamples, or its seed.

    Returns
    -------
    metrics : dict of str to Interval
        In this order. ``accuracy``: at score 0. ``auc``, ``ap``, ``tpr_at_fpr_0.01`` and so on for every limit,
        ``eer``, ``ece``, ``brier``: absent where only one class is present. ``false_positive_rate``: of the real
        images, the share with a score of at least 0, absent without real images; ``true_positive_rate``: likewise
        of the generated ones. For every operating point the same two rates at that threshold, named by what was
        promised: ``false_positive_rate_at_0.01``, ``true_positive_rate_at_0.01``.

    Raises
    ------
    ParameterError, ShapeError
        If an argument does not fit the above.

    Notes
    -----
    ECE (15 bins) and Brier score weigh both classes the same, because the probability is stated at a prior of one
    half; in a set of equal classes that changes nothing. The ECE's bounds are mirrored (`quantile_interval`): in a
    simulation of 300 images a class that raised the coverage of a true ECE of 0.075 from 76 % to 97 %, and of 0
    from none to 43 %. Read its interval as an upper limit, for noise alone makes the ECE of a few hundred images 0.05.

    Accuracy and the rates are proportions. Where each image is its own group their interval is Clopper and
    Pearson's. Otherwise it is the bootstrap's, except where no image or every image counts: there the bootstrap is
    silent and the exact interval takes the number of groups as the number of trials.

    Where the classes are apart the bootstrap is silent about AUC and ``tpr_at_fpr_*`` too. Pairs of a real and a
    generated image without a common member are independent trials of the AUC, as many as the smaller class has groups;
    the true-positive rate is a share of the generated groups, at a threshold taken as given. AP and EER of classes that
    are apart keep an interval without width, which says nothing (`Interval.degenerate`).

    Examples
    --------
    >>> evaluated = evaluate_scores([0, 0, 0, 1, 1], [-3.0, -1.0, -2.0, 2.0, -0.5], rng=0)
    >>> evaluated["auc"].estimate, evaluated["true_positive_rate"].estimate
    (1.0, 0.5)
    >>> print(evaluated["false_positive_rate"])
    0.000 [0.000, 0.708]
    """
    generated, values = check_scores(labels, scores)
    measured = measure_scores(generated, values, fprs=fprs, operating_points=operating_points)
    resampled = bootstrap_distribution(
        lambda *resample: list(measure_scores(*resample, fprs=fprs, operating_points=operating_points).values()),
        generated,
        values,
        groups,
        n_resamples,
        rng=rng,
    )
    intervals = {
        name: _clip(quantile_interval(estimate, resampled[:, column], confidence, reflect=name == "ece"))
        for column, (name, estimate) in enumerate(measured.items())
    }
    group_of = check_groups(groups, len(values))
    for name, (counted, members) in _proportions(generated, values, operating_points).items():
        exact = _exact_interval(counted[members], group_of[members], confidence)
        if exact is not None:
            intervals[name] = exact
    for name, trials in _trials_of_silent(generated, group_of, fprs).items():
        if name in intervals and intervals[name].degenerate and intervals[name].estimate in (0.0, 1.0):
            intervals[name] = clopper_pearson(trials if intervals[name].estimate else 0, trials, confidence)
    return intervals


def _trials_of_silent(generated: BoolArray, group_of: IntArray, fprs: Sequence[float]) -> dict[str, int]:
    """Return, for the metrics that the bootstrap is silent about at 0 or 1, how many independent trials there were."""
    n_real, n_generated = (len(np.unique(group_of[members])) for members in (~generated, generated))
    return {"auc": min(n_real, n_generated)} | {f"tpr_at_fpr_{fpr:g}": n_generated for fpr in fprs}


def _two_class_metrics(generated: BoolArray, values: FloatArray, fprs: Sequence[float]) -> dict[str, float]:
    curve = roc_curve(generated, values)
    probabilities = logistic(values)
    return {
        "auc": curve.area(),
        "ap": curve.average_precision(),
        **{f"tpr_at_fpr_{fpr:g}": curve.tpr_at(check_limit(fpr)) for fpr in fprs},
        "eer": curve.equal_error_rate(),
        "ece": expected_calibration_error(generated, probabilities, balance=True),
        "brier": brier_score(generated, probabilities, balance=True),
    }


def _points(operating_points: Mapping[float, float] | None) -> dict[str, float]:
    """Return the thresholds by the suffix of their metrics' names; equal odds come first and have none."""
    return {"": 0.0} | {f"_at_{fpr:g}": threshold for fpr, threshold in (operating_points or {}).items()}


def _rates(generated: BoolArray) -> dict[str, BoolArray]:
    """Return the images that each rate is a share of, for the classes that are present."""
    rates = {"false_positive_rate": ~generated, "true_positive_rate": generated}
    return {name: members for name, members in rates.items() if members.any()}


def _proportions(
    generated: BoolArray, values: FloatArray, operating_points: Mapping[float, float] | None
) -> dict[str, tuple[BoolArray, BoolArray]]:
    """Return, for every metric that is a proportion, which images count and which it is a share of."""
    found = {"accuracy": (np.asarray((values >= 0) == generated), np.ones_like(generated))}
    for suffix, threshold in _points(operating_points).items():
        for name, members in _rates(generated).items():
            found[name + suffix] = (np.asarray(values >= threshold), members)
    return found


def _exact_interval(counted: BoolArray, group_of: IntArray, confidence: float) -> Interval | None:
    n_groups = len(np.unique(group_of))
    if n_groups == len(counted):
        return clopper_pearson(int(counted.sum()), len(counted), confidence)
    if counted.all() or not counted.any():
        return clopper_pearson(n_groups if counted.all() else 0, n_groups, confidence)
    return None


def _clip(interval: Interval) -> Interval:
    """Every metric here lies between 0 and 1; a mirrored bound need not."""
    low, high = (float(np.clip(bound, 0.0, 1.0)) for bound in (interval.low, interval.high))
    return Interval(interval.estimate, low, high, interval.undefined)
