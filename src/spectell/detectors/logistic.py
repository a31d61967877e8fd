r"""Logistic regression with an L1 penalty, an L2 penalty, or both.

With :math:`z` the standardised features, :math:`s_i` the weights of the images, which sum to :math:`S`, and a strength
:math:`\gamma`, it minimises

.. math:: \frac{1}{S} \sum_i s_i \log\left(1 + e^{-y_i (w^T z_i + b)}\right) + \gamma R(w),

with :math:`R(w) = \lVert w \rVert_2^2` (``l2``), :math:`\lVert w \rVert_1` (``l1``) or their sum (``elasticnet``), as
in the paper's code. The intercept is not penalised. scikit-learn's `C` is :math:`1 / (2 \gamma S)` for ``l2``,
:math:`1 / (\gamma S)` for ``l1`` and :math:`1 / (3 \gamma S)` with ``l1_ratio=1/3`` for both.

Of more than two classes each has its weights, the loss is the cross entropy of the softmax of the outputs, and
:math:`R` sums over all weights.
"""

import inspect
import warnings
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from spectell.detectors.linear import Folds, LinearDetector, group_folds
from spectell.detectors.parts import Float64Array
from spectell.detectors.ridge import check_strength
from spectell.detectors.slabs import stream_features
from spectell.detectors.streaming import DEFAULT_MEMORY, Source, StreamedFeatures
from spectell.errors import ParameterError
from spectell.evaluation.calibration import logistic

__all__ = ["LOGISTIC_STRENGTHS", "LogisticDetector"]

LOGISTIC_STRENGTHS = tuple(float(f"{10.0 ** (k / 2):.3g}") for k in range(-10, 3))
"""Searched by ``strength="cv"``: half decades from 1e-5 to 10. Block features need the weak end."""

Penalty = Literal["l1", "l2", "elasticnet"]


class LogisticDetector(LinearDetector):
    """Logistic regression on scikit-learn's solvers.

    With an L2 penalty and more features than images the problem is rotated into the space that the images span,
    which leaves the solution exactly as it was: then one Gram matrix serves every fold and strength, and features may
    be streamed. The other penalties need all features in memory.

    Parameters
    ----------
    penalty : {"l2", "l1", "elasticnet"}
        Last two: many weights become exactly zero.
    strength : float > 0 or "cv"
        Weight of the penalty beside the mean log loss; 0.01 is the paper's. ``"cv"`` takes the one of `strengths` with
        the smallest log loss in cross-validation over whole groups.
    balanced : bool
        Whether all classes weigh the same, however many images each has.
    strengths : sequence of float > 0, optional
        What ``"cv"`` searches; by default `LOGISTIC_STRENGTHS`.
    folds : int >= 2
        Of the cross-validation.
    max_iter : int
        Iterations of the solver; where they do not suffice, `converged_` is False and the detector still answers.
    tol : float > 0
        Tolerance of the solver.
    seed : int
        Of the folds and of the solver for L1.
    memory : float
        Bytes that features may take: blocks of streamed ones, or all of them for L1.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (D,)
        Standardisation.
    coef_ : ndarray of shape (D,), or (K, D) for K > 2 classes
        Weights of the standardised features.
    intercept_ : float or ndarray of shape (K,)
    strength_ : float
        The strength that was used.
    errors_ : dict of float to float or None
        Mean held-out log loss of every strength that was tried.
    n_iter_ : int
    converged_ : bool
        Whether the solver met `tol` within `max_iter` iterations.

    References
    ----------
    .. [1] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML. :arxiv:`2003.08685`
    .. [2] Zou, Hastie (2005). Regularization and variable selection via the elastic net. JRSS B 67(2), 301-320.
       :doi:`10.1111/j.1467-9868.2005.00503.x`

    Examples
    --------
    >>> detector = LogisticDetector(strength=0.1).fit([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1])
    >>> detector.predict([[-0.5], [3.0]]).tolist(), detector.converged_
    ([0, 1], True)
    """

    def __init__(
        self,
        penalty: Penalty = "l2",
        strength: float | Literal["cv"] = 0.01,
        *,
        balanced: bool = True,
        strengths: Sequence[float] | None = None,
        folds: int = 5,
        max_iter: int = 1000,
        tol: float = 1e-4,
        seed: int = 0,
        memory: float = DEFAULT_MEMORY,
    ) -> None:
        self.penalty = penalty
        self.strength = strength
        self.balanced = balanced
        self.strengths = strengths
        self.folds = folds
        self.max_iter = max_iter
        self.tol = tol
        self.seed = seed
        self.memory = memory

    def predict_proba(self, X: npt.ArrayLike) -> Float64Array:
        """Return the probability of each class, shape (n, K), at the prior of the training weights."""
        outputs = self.decision_function(X)
        if outputs.ndim == 2:
            return np.exp(outputs - np.logaddexp.reduce(outputs, axis=1, keepdims=True))
        generated = logistic(outputs)
        return np.stack([1 - generated, generated], axis=1)

    def _fit_source(
        self, source: Source, codes: npt.NDArray[np.intp], weights: Float64Array, groups: npt.ArrayLike | None
    ) -> None:
        if self.penalty not in ("l1", "l2", "elasticnet"):
            raise ParameterError(f"penalty must be l1, l2 or elasticnet, got {self.penalty!r}")
        strengths = check_strength(self.strength, self.strengths, LOGISTIC_STRENGTHS)
        features = stream_features(source, weights, self.memory)
        self.mean_, self.scale_ = features.mean, features.scale
        rotated = self.penalty == "l2" and features.n_features > len(codes)
        coordinates = _RotatedRows(features) if rotated else _PlainRows(features, len(codes), self.memory)
        self.errors_ = None
        self.strength_ = strengths[0]
        if self.strength == "cv":
            folds = group_folds(codes, groups, self.folds, np.random.default_rng(self.seed))
            self.errors_ = self._search(coordinates.rows, codes, weights, strengths, folds)
            # Of equal errors the strongest, which is the last.
            self.strength_ = min(reversed(strengths), key=self.errors_.__getitem__)
        solver = self._solve(coordinates.rows, codes, weights, self.strength_)
        self.n_iter_ = int(solver.n_iter_[0])
        self.converged_ = self.n_iter_ < self.max_iter
        # Of two classes scikit-learn gives one row.
        self.coef_ = coordinates.weights(solver.coef_ if len(solver.coef_) > 1 else solver.coef_[0])
        self.intercept_ = solver.intercept_ if len(solver.coef_) > 1 else float(solver.intercept_[0])

    def _solve(self, rows: Float64Array, codes: npt.NDArray[np.intp], weights: Float64Array, strength: float) -> Any:
        per_image = strength * weights.sum()
        ratio, inverse = {"l2": (0.0, 2.0), "l1": (1.0, 1.0), "elasticnet": (1 / 3, 3.0)}[self.penalty]
        solver = LogisticRegression(
            C=1 / (inverse * per_image),
            **_penalty_arguments(self.penalty, ratio),
            solver="lbfgs" if self.penalty == "l2" else "saga",
            max_iter=self.max_iter,
            tol=self.tol,
            random_state=self.seed,
        )
        # One thread: products this small are faster so, and far faster where other processes hold the cores.
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore", ConvergenceWarning)  # recorded as converged_
            return solver.fit(rows, codes, sample_weight=weights)

    def _search(
        self,
        rows: Float64Array,
        codes: npt.NDArray[np.intp],
        weights: Float64Array,
        strengths: Sequence[float],
        folds: Folds,
    ) -> dict[float, float]:
        losses = dict.fromkeys(strengths, 0.0)
        for fold in folds:
            kept = np.delete(np.arange(len(rows)), fold)
            if np.unique(codes[kept]).size <= codes.max():
                raise ParameterError("a search over strengths needs images of every class outside every fold")
            for strength in strengths:
                solver = self._solve(rows[kept], codes[kept], weights[kept], strength)
                losses[strength] += float(weights[fold] @ _losses(solver.decision_function(rows[fold]), codes[fold]))
        return {strength: loss / float(weights.sum()) for strength, loss in losses.items()}


def _losses(outputs: Float64Array, codes: npt.NDArray[np.intp]) -> Float64Array:
    """Return the cross entropy of each row, shape (n,), in nats."""
    if outputs.ndim == 1:
        return np.asarray(np.logaddexp(0.0, np.where(codes == 1, -outputs, outputs)))
    return np.asarray(np.logaddexp.reduce(outputs, axis=1) - outputs[np.arange(len(codes)), codes])


class _PlainRows:
    """The standardised features themselves."""

    def __init__(self, features: StreamedFeatures, n_rows: int, memory: float) -> None:
        needed = 8 * n_rows * features.n_features
        if needed > 4 * memory:
            raise ParameterError(
                f"{n_rows} images with {features.n_features} features take {needed / 1e9:.1f} GB, more than "
                f"{4 * memory / 1e9:.1f} GB; use fewer features, or l2, which streams more features than images"
            )
        self.rows = features.matrix()

    def weights(self, coefficients: Float64Array) -> Float64Array:
        return np.asarray(coefficients, np.float64)


class _RotatedRows:
    """Coordinates of the rows in the space that they span: all inner products, and so the L2 problem, are the same."""

    def __init__(self, features: StreamedFeatures) -> None:
        values, vectors = np.linalg.eigh(features.gram())
        kept = values > values[-1] * 1e-12
        self._features = features
        self._basis = vectors[:, kept]
        self._root = np.sqrt(values[kept])
        self.rows: Float64Array = self._basis * self._root

    def weights(self, coefficients: Float64Array) -> Float64Array:
        return self._features.combine(self._basis @ (coefficients / self._root).T)


def _penalty_arguments(penalty: str, l1_ratio: float) -> dict[str, Any]:
    """Name the penalty as this scikit-learn wants it: from 1.8 on by `l1_ratio` alone."""
    if inspect.signature(LogisticRegression).parameters["penalty"].default == "deprecated":
        return {"l1_ratio": l1_ratio}
    return {"penalty": penalty, "l1_ratio": l1_ratio if penalty == "elasticnet" else None}
