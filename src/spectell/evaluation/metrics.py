"""Single numbers that say how well scores or probabilities tell generated images from real ones.

Every function takes labels (0 real, 1 generated) first and does not depend on the order of the images. Those that
need a threshold call an image generated when its score is at least the threshold, as a verdict does; the default 0 is
where calibrated log-odds give either class the same chance.

See `spectell.evaluation.intervals` for the interval around each, and `spectell.evaluation.summary` for all at once.
"""

import numpy as np
import numpy.typing as npt

from spectell.errors import MismatchError, ParameterError
from spectell.evaluation.checks import BoolArray, FloatArray, check_limit, check_probabilities, check_scores
from spectell.evaluation.roc import roc_curve

__all__ = [
    "accuracy",
    "average_precision",
    "brier_score",
    "confusion_matrix",
    "equal_error_rate",
    "expected_calibration_error",
    "roc_auc",
    "tpr_at_fpr",
]


def accuracy(labels: npt.ArrayLike, scores: npt.ArrayLike, *, threshold: float = 0.0) -> float:
    """Share of the images on the right side of a threshold.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated; one class alone is allowed.
    scores : array_like of shape (n,), finite
        Higher means more likely generated.
    threshold : float
        Scores from this one up are called generated.

    Raises
    ------
    ParameterError, ShapeError
        If labels and scores do not fit the above.

    Examples
    --------
    >>> accuracy([0, 0, 1, 1], [-2.0, 1.0, 0.0, 3.0])
    0.75
    """
    generated, values = check_scores(labels, scores)
    return float(np.mean((values >= threshold) == generated))


def confusion_matrix(labels: npt.ArrayLike, scores: npt.ArrayLike, *, threshold: float = 0.0) -> npt.NDArray[np.int64]:
    """Count images by what they are (rows) and what they are called (columns), real before generated.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated; one class alone is allowed.
    scores : array_like of shape (n,), finite
        Higher means more likely generated.
    threshold : float
        Scores from this one up are called generated.

    Returns
    -------
    counts : ndarray of shape (2, 2), int64
        ``[[true negatives, false positives], [false negatives, true positives]]``.

    Raises
    ------
    ParameterError, ShapeError
        If labels and scores do not fit the above.

    Examples
    --------
    >>> confusion_matrix([0, 0, 0, 1], [-2.0, -1.0, 1.0, 3.0]).tolist()
    [[2, 1], [0, 1]]
    """
    generated, values = check_scores(labels, scores)
    cells = 2 * generated.astype(np.int64) + (values >= threshold)
    return np.bincount(cells, minlength=4).reshape(2, 2).astype(np.int64)


def roc_auc(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Area under the ROC curve.

    It is the chance that a generated image scores higher than a real one, a tie counting one half (the Mann-Whitney
    statistic): 0.5 for scores without information, below it for inverted ones.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated; both are needed.
    scores : array_like of shape (n,), finite
        Higher means more likely generated.

    Raises
    ------
    ParameterError, ShapeError
        If labels and scores do not fit the above.

    References
    ----------
    .. [1] Hanley, McNeil (1982). The meaning and use of the area under a receiver operating characteristic (ROC)
       curve. Radiology 143(1), 29-36. :doi:`10.1148/radiology.143.1.7063747`

    Examples
    --------
    Of four pairs of one real and one generated image, three are in order and one is a tie:

    >>> roc_auc([0, 0, 1, 1], [1.0, 2.0, 2.0, 3.0])
    0.875
    """
    return roc_curve(labels, scores).area()


def average_precision(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Mean over the generated images of the precision at each one's own score.

    Also the area under the precision-recall curve taken in steps, without interpolation. Unlike the ROC area it
    depends on the share of generated images: scores without information reach that share.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated; both are needed.
    scores : array_like of shape (n,), finite
        Higher means more likely generated.

    Raises
    ------
    ParameterError, ShapeError
        If labels and scores do not fit the above.

    Examples
    --------
    The generated images come first and third, at precision 1 and 2/3:

    >>> round(average_precision([1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0]), 6)
    0.833333
    """
    return roc_curve(labels, scores).average_precision()


def tpr_at_fpr(labels: npt.ArrayLike, scores: npt.ArrayLike, fpr: float) -> float:
    """Largest share of generated images found while the false-positive rate does not exceed `fpr`.

    The limit is kept, never approached from above: with fewer than ``1 / fpr`` real images, no real image at all may
    reach the threshold. The threshold is chosen on these very images, so this describes the ranking; what a
    threshold that was fixed beforehand does is another question.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated; both are needed.
    scores : array_like of shape (n,), finite
        Higher means more likely generated.
    fpr : float in [0, 1]
        The limit.

    Raises
    ------
    ParameterError, ShapeError
        If labels, scores or `fpr` do not fit the above.

    Examples
    --------
    >>> tpr_at_fpr([0, 0, 1, 1, 1], [1.0, 3.0, 2.0, 4.0, 5.0], fpr=0.4)
    0.6666666666666666
    >>> tpr_at_fpr([0, 0, 1, 1, 1], [1.0, 3.0, 2.0, 4.0, 5.0], fpr=0.5)
    1.0
    """
    return roc_curve(labels, scores).tpr_at(check_limit(fpr))


def equal_error_rate(labels: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Error rate where the shares of false alarms and of misses are equal.

    Between two points of the ROC curve the rates are interpolated linearly.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated; both are needed.
    scores : array_like of shape (n,), finite
        Higher means more likely generated.

    Raises
    ------
    ParameterError, ShapeError
        If labels and scores do not fit the above.

    Examples
    --------
    A threshold of 2 misses one generated image of two and accuses one real image of two:

    >>> equal_error_rate([0, 0, 1, 1], [0.0, 2.0, 1.0, 3.0])
    0.5
    """
    return roc_curve(labels, scores).equal_error_rate()


def expected_calibration_error(
    labels: npt.ArrayLike, probabilities: npt.ArrayLike, n_bins: int = 15, *, balance: bool = False
) -> float:
    r"""Mean distance between the probability that was stated and the share that was generated, over bins.

    The interval [0, 1] is cut into bins of equal width, each holding its lower edge, the last one both edges. With
    weights `w` that sum to 1 the error is
    :math:`\sum_b |\sum_{i \in b} w_i (p_i - y_i)|`.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated.
    probabilities : array_like of shape (n,), values in [0, 1]
        Stated probability that the image is generated.
    n_bins : int > 0
        15 as in [1]_. Finite bins hide miscalibration inside a bin and noise adds to the error, so compare only
        values with the same bins and similar `n`.
    balance : bool
        Give both classes the same total weight. Right for probabilities at a prior of one half, as Spectell's are,
        on a set whose classes differ in size; it needs both.

    Raises
    ------
    ParameterError, ShapeError
        If an argument does not fit the above.

    References
    ----------
    .. [1] Guo, Pleiss, Sun, Weinberger (2017). On calibration of modern neural networks. ICML. :arxiv:`1706.04599`

    Examples
    --------
    One bin says 0.75 where 1 of 2 is generated, the other 0.25 where 0 of 2 are:

    >>> expected_calibration_error([1, 0, 0, 0], [0.75, 0.75, 0.25, 0.25], n_bins=2)
    0.25
    """
    if n_bins < 1:
        raise ParameterError(f"n_bins must be at least 1, got {n_bins!r}")
    generated, values = check_probabilities(labels, probabilities)
    weights = _weights(generated, balance=balance)
    bins = np.minimum((values * n_bins).astype(np.intp), n_bins - 1)
    return float(np.abs(np.bincount(bins, weights=weights * (values - generated))).sum())


def brier_score(labels: npt.ArrayLike, probabilities: npt.ArrayLike, *, balance: bool = False) -> float:
    """Mean squared distance between the stated probability and the truth; 0 is perfect, 0.25 is "one half" always.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated.
    probabilities : array_like of shape (n,), values in [0, 1]
        Stated probability that the image is generated.
    balance : bool
        Give both classes the same total weight, as in `expected_calibration_error`.

    Raises
    ------
    ParameterError, ShapeError
        If an argument does not fit the above.

    References
    ----------
    .. [1] Brier (1950). Verification of forecasts expressed in terms of probability. Monthly Weather Review 78(1), 1-3.
       :doi:`10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2`

    Examples
    --------
    >>> brier_score([0, 1], [0.5, 1.0])
    0.125
    """
    generated, values = check_probabilities(labels, probabilities)
    return float(np.sum(_weights(generated, balance=balance) * np.square(values - generated)))


def _weights(generated: BoolArray, *, balance: bool) -> FloatArray:
    n_generated = int(generated.sum())
    n_real = len(generated) - n_generated
    if not balance:
        return np.full(len(generated), 1 / len(generated))
    if not n_generated or not n_real:
        raise MismatchError(
            f"balance needs both classes, got {n_real} real and {n_generated} generated images; pass balance=False"
        )
    return np.where(generated, 0.5 / n_generated, 0.5 / n_real)
