"""The ROC curve as counts, from which every ranking metric is read.

Counts, not rates: areas are then exact in integers, a limit on the false-positive rate is compared with a quotient
rounded once, and equal scores are one point of the curve, so that no metric depends on the order of its input.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spectell.evaluation.checks import FloatArray, check_scores

__all__ = ["RocCurve", "roc_curve"]


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """How many images of each class reach each threshold, from the strictest threshold to the loosest.

    Attributes
    ----------
    thresholds : ndarray of shape (k,), float64
        Infinity, then every distinct score in falling order.
    false_positives, true_positives : ndarray of shape (k,), int64
        Real and generated images whose score is at least the threshold; they start at 0 and end at the class sizes.
    """

    thresholds: FloatArray
    false_positives: npt.NDArray[np.int64]
    true_positives: npt.NDArray[np.int64]

    @property
    def fpr(self) -> FloatArray:
        """False-positive rate at each threshold."""
        return np.asarray(self.false_positives / self.false_positives[-1])

    @property
    def tpr(self) -> FloatArray:
        """True-positive rate at each threshold."""
        return np.asarray(self.true_positives / self.true_positives[-1])

    def area(self) -> float:
        """Area under the curve, with straight lines between its points."""
        steps = np.diff(self.false_positives)
        doubled = int(np.sum(steps * (self.true_positives[1:] + self.true_positives[:-1])))
        return doubled / (2 * int(self.false_positives[-1]) * int(self.true_positives[-1]))

    def average_precision(self) -> float:
        """Mean over the generated images of the precision at each one's own score."""
        reached = self.true_positives[1:]
        precision = reached / (reached + self.false_positives[1:])
        return float(np.sum(np.diff(self.true_positives) * precision) / reached[-1])

    def tpr_at(self, fpr: float) -> float:
        """Largest true-positive rate whose false-positive rate does not exceed `fpr`."""
        allowed = int(np.searchsorted(self.fpr, fpr, side="right")) - 1
        return float(self.true_positives[allowed] / self.true_positives[-1])

    def equal_error_rate(self) -> float:
        """Rate at which the curve, straight between its points, has as many false alarms as misses."""
        fpr, miss_rate = self.fpr, 1 - self.tpr
        after = int(np.argmax(fpr >= miss_rate))
        gap_before = miss_rate[after - 1] - fpr[after - 1]
        gap_after = fpr[after] - miss_rate[after]
        share = gap_before / (gap_before + gap_after)
        return float(fpr[after - 1] + share * (fpr[after] - fpr[after - 1]))


def roc_curve(labels: npt.ArrayLike, scores: npt.ArrayLike) -> RocCurve:
    """Count the images of each class that reach each threshold.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated.
    scores : array_like of shape (n,), finite
        Higher means more likely generated.

    Raises
    ------
    ParameterError
        If a class is missing, a score is not finite, or a label is neither 0 nor 1.
    ShapeError
        If labels and scores differ in length.

    References
    ----------
    .. [1] Fawcett (2006). An introduction to ROC analysis. Pattern Recognition Letters 27(8), 861-874.
       :doi:`10.1016/j.patrec.2005.10.010`

    Examples
    --------
    >>> curve = roc_curve([0, 0, 1, 1], [1.0, 2.0, 2.0, 3.0])
    >>> curve.thresholds.tolist()
    [inf, 3.0, 2.0, 1.0]
    >>> curve.false_positives.tolist(), curve.true_positives.tolist()
    ([0, 0, 1, 2], [0, 1, 2, 2])
    """
    generated, values = check_scores(labels, scores, both_classes=True)
    falling = np.argsort(-values, kind="stable")  # linear in time where the input is sorted, as bootstrap resamples are
    ordered = values[falling]
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    true_positives = np.cumsum(generated[falling], dtype=np.int64)[last]
    return RocCurve(
        thresholds=np.append(np.inf, ordered[last]),
        false_positives=np.append(0, last + 1 - true_positives),
        true_positives=np.append(0, true_positives),
    )
