r"""From a detector's raw output to log-odds at a prior of one half.

Platt's sigmoid: the log-odds are a straight line in the raw output. The two classes weigh the same in the fit, however
many images each has, so the result answers "generated or real?" for someone who holds both equally likely beforehand;
another prior adds :math:`\ln(p / (1 - p))` to the score.

This module and `thresholds` import nothing beyond NumPy: every verdict passes through them.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spectell.errors import MismatchError, ParameterError
from spectell.evaluation.checks import FloatArray, check_scores

__all__ = ["PlattCalibration", "fit_platt", "logistic"]

MAX_ITERATIONS = 100
"""Newton needs five to ten; a hundred means that the scores are not usable."""


def logistic(log_odds: npt.ArrayLike) -> FloatArray:
    r"""Probability that belongs to log-odds, :math:`1 / (1 + e^{-s})`, without overflow at either end.

    Parameters
    ----------
    log_odds : array_like of any shape
        In nats.

    Returns
    -------
    probability : ndarray, same shape, float64

    Examples
    --------
    >>> logistic([0.0, np.log(3.0), -1e4]).tolist()
    [0.5, 0.75, 0.0]
    """
    return np.asarray(np.exp(-np.logaddexp(0.0, np.negative(np.asarray(log_odds, dtype=np.float64)))))


@dataclass(frozen=True, slots=True)
class PlattCalibration:
    """A rising straight line from raw output to log-odds.

    Parameters
    ----------
    slope : float > 0
        In nats a unit of raw output. A falling line would turn the detector's answer around, which is never right.
    intercept : float
        In nats.

    Raises
    ------
    ParameterError
        If `slope` is not positive and finite, or `intercept` is not finite.

    Examples
    --------
    >>> PlattCalibration(slope=2.0, intercept=-1.0).apply([0.5, 3.0]).tolist()
    [0.0, 5.0]
    """

    slope: float
    intercept: float

    def __post_init__(self) -> None:
        if not (self.slope > 0 and math.isfinite(self.slope)):
            raise ParameterError(f"slope must be positive and finite, got {self.slope!r}")
        if not math.isfinite(self.intercept):
            raise ParameterError(f"intercept must be finite, got {self.intercept!r}")

    def apply(self, raw: npt.ArrayLike) -> FloatArray:
        """Return the log-odds at a prior of one half, shaped like `raw`, in nats."""
        return np.asarray(self.slope * np.asarray(raw, dtype=np.float64) + self.intercept)


def fit_platt(labels: npt.ArrayLike, raw: npt.ArrayLike) -> PlattCalibration:
    r"""Fit the line on images that the detector was not trained on.

    Minimises the mean over classes of the mean log loss within a class, by Newton's method. As Platt proposes, the
    targets are :math:`(n_1 + 1) / (n_1 + 2)` and :math:`1 / (n_0 + 2)` instead of 1 and 0: perfectly separated classes
    get a finite slope, and the fewer the images, the more modest the odds.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated.
    raw : array_like of shape (n,), finite
        The detector's output, in any unit, higher for generated.

    Raises
    ------
    ParameterError
        If a class is missing, a value is not finite, the output is the same for every image, or the fitted line
        falls, that is, real images have the higher output.
    ShapeError
        If labels and output differ in length.

    References
    ----------
    .. [1] Platt (1999). Probabilistic outputs for support vector machines and comparisons to regularized likelihood
       methods. Advances in Large Margin Classifiers, 61-74.
    .. [2] Lin, Lin, Weng (2007). A note on Platt's probabilistic outputs for support vector machines. Machine Learning
       68, 267-276. :doi:`10.1007/s10994-007-5018-6`

    Examples
    --------
    One image a class has targets 2/3 and 1/3, whose log-odds are ln 2 and -ln 2:

    >>> calibration = fit_platt([0, 1], [-1.0, 1.0])
    >>> bool(np.isclose(calibration.slope, np.log(2.0))), bool(abs(calibration.intercept) < 1e-9)
    (True, True)
    """
    generated, values = check_scores(labels, raw, both_classes=True, name="raw")
    centre, spread = float(values.mean()), float(values.std())
    if spread <= 1e-12 * max(1.0, abs(centre)):
        raise MismatchError(
            f"raw must differ between images, got {centre:.6g} for every one; the detector learnt nothing"
        )
    slope, intercept = _newton(generated, (values - centre) / spread)
    if slope <= 0:
        raise MismatchError(
            f"raw must be higher for generated images, but the fitted slope is {slope / spread:.3g}; "
            "check the labels, or the detector is no better than chance here"
        )
    return PlattCalibration(slope=slope / spread, intercept=intercept - slope * centre / spread)


def _newton(generated: npt.NDArray[np.bool_], standardised: FloatArray) -> tuple[float, float]:
    n_generated = int(generated.sum())
    n_real = len(generated) - n_generated
    target = np.where(generated, (n_generated + 1) / (n_generated + 2), 1 / (n_real + 2))
    weight = np.where(generated, 0.5 / n_generated, 0.5 / n_real)
    design = np.stack([standardised, np.ones_like(standardised)], axis=1)
    line: FloatArray = np.zeros(2)
    for _ in range(MAX_ITERATIONS):
        probability = logistic(design @ line)
        gradient = design.T @ (weight * (probability - target))
        curvature = weight * probability * (1 - probability)
        hessian = (design.T * curvature) @ design + 1e-12 * np.eye(2)
        step = np.asarray(np.linalg.solve(hessian, gradient), dtype=np.float64)
        line = _descend(line, step, design, target, weight)
        if np.abs(step).max() < 1e-10:
            break
    return float(line[0]), float(line[1])


def _descend(
    line: FloatArray, step: FloatArray, design: FloatArray, target: FloatArray, weight: FloatArray
) -> FloatArray:
    """Halve the step until the loss does not grow: far out the curvature vanishes and a full step overshoots."""

    def loss(candidate: FloatArray) -> float:
        log_odds = design @ candidate
        return float(weight @ (np.logaddexp(0.0, log_odds) - target * log_odds))

    before = loss(line)
    for _ in range(30):
        candidate = line - step
        if loss(candidate) <= before:
            return candidate
        step = step / 2
    return line
