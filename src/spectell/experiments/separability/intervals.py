"""Intervals of 95 % for figures that are repeated over splits of the same images.

Splits share images, so that their figures agree more than those of new images would. Two widths are known: how much the
figures of the splits differ, corrected for what they share, and how much one split leaves open because its test images
are few. The interval covers both. Test images count by groups, since images of a group err together.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError
from spectell.evaluation.intervals import Interval, clopper_pearson
from spectell.evaluation.metrics import accuracy

__all__ = ["accuracy_interval", "auc_interval", "difference_interval", "over_splits"]

_CONFIDENCE = 0.95
_Z = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2)


def accuracy_interval(labels: npt.NDArray[np.int8], scores: npt.NDArray[np.float64], n_groups: int) -> Interval:
    """Accuracy at a threshold of zero, with the exact interval of as many trials as there are groups.

    Examples
    --------
    >>> str(accuracy_interval(np.array([0, 1], np.int8), np.array([-1.0, 1.0]), 2))
    '1.000 [0.158, 1.000]'
    """
    share = accuracy(labels, scores)
    bounds = clopper_pearson(round(share * n_groups), n_groups)
    return Interval(share, min(bounds.low, share), max(bounds.high, share))


def auc_interval(estimate: float, n_real: int, n_generated: int) -> Interval:
    """Score interval of an area under the ROC curve, which keeps a width where every pair is in order.

    Parameters
    ----------
    estimate : float in [0, 1]
    n_real, n_generated : int >= 1
        Independent images, that is groups, of each class.

    Returns
    -------
    interval : Interval
        All areas from which `estimate` is no further away than 1.96 of their standard deviations.

    References
    ----------
    .. [1] Hanley, McNeil (1982). The meaning and use of the area under a receiver operating characteristic curve.
       Radiology 143(1), 29-36. :doi:`10.1148/radiology.143.1.7063747`
    .. [2] Newcombe (2006). Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part 2.
       Statistics in Medicine 25(4), 559-573. :doi:`10.1002/sim.2324`

    Examples
    --------
    >>> str(auc_interval(1.0, 50, 50)), str(auc_interval(0.5, 50, 50))
    ('1.000 [0.960, 1.000]', '0.500 [0.390, 0.610]')
    """
    from scipy.optimize import brentq

    if not 0 <= estimate <= 1 or min(n_real, n_generated) < 1:
        raise ParameterError(f"an area in [0, 1] and a group of each class are needed, got {estimate!r}")
    pairs, extra = n_real * n_generated, (n_real + n_generated) / 2 - 1

    def beyond(area: float) -> float:
        shape = 1 + extra * (1 - area) / (2 - area) + extra * area / (1 + area)
        return float((area - estimate) ** 2 - _Z**2 * area * (1 - area) * shape / pairs)

    tiny = 1e-9
    inside = min(max(estimate, tiny), 1 - tiny)
    low = float(brentq(beyond, 0.0, inside)) if estimate > tiny else 0.0
    high = float(brentq(beyond, inside, 1.0)) if estimate < 1 - tiny else 1.0
    return Interval(estimate, low, high)


def difference_interval(
    labels: npt.NDArray[np.int8],
    scores: npt.NDArray[np.float64],
    others: npt.NDArray[np.float64],
    groups: npt.NDArray[np.integer],
) -> Interval:
    """By how much the accuracy of one detector exceeds that of another on the same images.

    Parameters
    ----------
    labels : ndarray of shape (n,)
    scores, others : ndarray of shape (n,)
        Of the one and of the other detector; their threshold is zero.
    groups : ndarray of shape (n,)

    Returns
    -------
    interval : Interval
        Normal, from the deviation of the sums of groups; no width where both agree on every image.

    Examples
    --------
    >>> labels = np.array([0, 1, 0, 1], np.int8)
    >>> right, half = np.array([-1.0, 1.0, -1.0, 1.0]), np.array([1.0, 1.0, -1.0, -1.0])
    >>> str(difference_interval(labels, right, half, np.arange(4)))
    '0.500 [-0.066, 1.066]'
    """
    gains = ((scores > 0) == (labels == 1)).astype(np.float64) - ((others > 0) == (labels == 1))
    numbers = np.unique(groups, return_inverse=True)[1]
    sums = np.bincount(numbers, gains - gains.mean())
    n = len(sums)
    error = np.sqrt(np.square(sums).sum() * n / (n - 1)) / len(gains) if n > 1 else 1.0
    mean = float(gains.mean())
    return Interval(mean, float(mean - _Z * error), float(mean + _Z * error))


def over_splits(
    parts: Sequence[Interval], n_train: int, n_test: int, bounds: tuple[float, float] = (0.0, 1.0)
) -> Interval:
    """Mean of a figure over repeated splits of the same images.

    Parameters
    ----------
    parts : sequence of Interval
        Of each split, for its test images.
    n_train, n_test : int
        Groups on either side of a split.
    bounds : tuple of two float
        Between which the figure lies.

    Returns
    -------
    interval : Interval
        The wider end on either side of two intervals: Nadeau and Bengio's for repeated splits [1]_, and the mean
        bounds of the splits.

    Raises
    ------
    ParameterError
        If there is no split.

    References
    ----------
    .. [1] Nadeau, Bengio (2003). Inference for the generalization error. Machine Learning 52, 239-281.
       :doi:`10.1023/A:1024068626366`

    Examples
    --------
    Splits that agree leave what each leaves open; splits that differ widen it:

    >>> str(over_splits([Interval(0.8, 0.7, 0.9)] * 3, 60, 40))
    '0.800 [0.700, 0.900]'
    >>> str(over_splits([Interval(x, x - 0.01, x + 0.01) for x in (0.7, 0.8, 0.9)], 60, 40))
    '0.800 [0.370, 1.000]'
    """
    if not parts:
        raise ParameterError("a mean over splits needs at least one split, got none")
    from scipy.stats import t

    values = np.array([part.estimate for part in parts])
    mean, half = float(values.mean()), 0.0
    if len(values) > 1:
        error = np.sqrt((1 / len(values) + n_test / n_train) * values.var(ddof=1))
        half = float(t.ppf((1 + _CONFIDENCE) / 2, len(values) - 1) * error)
    low = min(mean - half, float(np.mean([part.low for part in parts])))
    high = max(mean + half, float(np.mean([part.high for part in parts])))
    return Interval(mean, max(low, bounds[0]), min(high, bounds[1]))
