"""What the linear detectors share: weights of the classes, folds of whole groups, and the line that they end as.

A linear detector standardises its features itself and answers ``(x - mean) / scale @ coef + intercept``: one number for
two classes, one a class for more. Its learned state goes into a model file as a `Standardisation` and a `LinearHead` or
a `LinearClassesHead`.
"""

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from spectell.detectors.class_heads import LinearClassesHead
from spectell.detectors.heads import LinearHead
from spectell.detectors.parts import Float64Array
from spectell.detectors.standardisation import Standardisation
from spectell.detectors.streaming import Source
from spectell.errors import ParameterError, ShapeError

__all__ = ["LinearDetector", "group_folds"]

Folds = list[npt.NDArray[np.intp]]


class LinearDetector(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no type information
    """Base of the linear detectors: a subclass has `balanced`, `memory`, `folds`, `seed` and `_fit_source`."""

    balanced: bool
    folds: int
    seed: int
    classes_: npt.NDArray[Any]
    mean_: Float64Array
    scale_: Float64Array
    coef_: Float64Array
    intercept_: float | Float64Array

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Fit to features in memory.

        Parameters
        ----------
        X : array_like of shape (n, D), finite
            Features, not standardised.
        y : array_like of shape (n,)
            Two classes, of which the larger label is the one that a high output means, or more, with an output each.
        sample_weight : array_like of shape (n,), >= 0, optional
        groups : array_like of shape (n,), optional
            Rows with equal labels stay on one side of every fold; only a search over strengths uses them.

        Raises
        ------
        ValueError
            If `X` or `y` does not fit, or `y` holds one class.
        """
        checked: tuple[Any, Any] = validate_data(self, X, y, dtype=[np.float64, np.float32])
        rows, labels = checked
        weights = _check_sample_weight(sample_weight, rows, dtype=np.float64)
        return self._fit(lambda start, stop: rows[start:stop], labels, weights, groups)

    def fit_streamed(
        self,
        source: Source,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
    ) -> Self:
        """Fit to features that are computed again whenever they are needed, and never all in memory.

        Parameters
        ----------
        source : callable
            ``source(start, stop)`` returns features of shape (stop - start, D), `float32`, the same at every call.
        y, sample_weight, groups
            As in `fit`; `y` says how many rows there are.

        Raises
        ------
        ParameterError, ShapeError
            If the labels hold one class, or the source returns what it should not.
        """
        labels = np.asarray(y)
        weights = np.ones(len(labels)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        self._fit(source, labels, weights, groups)
        self.n_features_in_ = len(self.mean_)
        return self

    def _fit(
        self,
        source: Source,
        y: npt.NDArray[Any],
        sample_weight: Float64Array,
        groups: npt.ArrayLike | None,
    ) -> Self:
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ParameterError("y must hold two classes, got 1 class; add images of another class")
        weights = _class_balanced(codes, sample_weight, len(self.classes_)) if self.balanced else sample_weight
        self._fit_source(source, codes, weights, groups)
        return self

    @abstractmethod
    def _fit_source(
        self, source: Source, codes: npt.NDArray[np.intp], weights: Float64Array, groups: npt.ArrayLike | None
    ) -> None:
        """Set ``mean_``, ``scale_``, ``coef_`` and ``intercept_``; `codes` are places in ``classes_``."""

    def decision_function(self, X: npt.ArrayLike) -> Float64Array:
        """Return the raw output of each row of `X`: shape (n,), higher for the larger label, or (n, K)."""
        check_is_fitted(self)
        rows: Any = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return np.asarray((rows - self.mean_) / self.scale_ @ self.coef_.T + self.intercept_)

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the label of each row of `X`, shape (n,): that of the largest output, or by its sign."""
        outputs = self.decision_function(X)
        codes = (outputs > 0).astype(np.intp) if outputs.ndim == 1 else outputs.argmax(axis=1)
        return np.asarray(self.classes_[codes])

    @property
    def standardisation(self) -> Standardisation:
        """What a model file keeps of mean and scale."""
        return Standardisation(self.mean_, self.scale_)

    @property
    def head(self) -> LinearHead | LinearClassesHead:
        """What a model file keeps of weights and intercepts."""
        if self.coef_.ndim == 2:
            return LinearClassesHead(self.coef_, self.intercept_)
        return LinearHead(self.coef_, float(self.intercept_))


def _class_balanced(codes: npt.NDArray[np.intp], weights: Float64Array, n_classes: int) -> Float64Array:
    """Give every class the same share of the total weight."""
    totals = np.bincount(codes, weights, minlength=n_classes)
    if not (totals > 0).all():
        raise ParameterError("sample_weight must leave every class a positive weight")
    return np.asarray(weights * (totals.sum() / (n_classes * totals))[codes])


def group_folds(
    codes: npt.NDArray[np.intp], groups: npt.ArrayLike | None, n_folds: int, rng: np.random.Generator
) -> Folds:
    """Deal rows to folds, whole groups at a time, each fold with about the same share of each class.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Class of each row, 0 to K - 1.
    groups : array_like of shape (n,), optional
        By default each row is a group.
    n_folds : int >= 2
        At most as many are made as there are groups.
    rng : Generator

    Returns
    -------
    folds : list of index arrays, which together hold every row once

    Raises
    ------
    ParameterError
        If there are fewer than two groups or folds.
    ShapeError
        If `groups` has another length.

    Examples
    --------
    >>> folds = group_folds(np.array([0, 0, 1, 1]), ["a", "b", "a", "b"], 2, np.random.default_rng(0))
    >>> sorted(fold.tolist() for fold in folds)
    [[0, 2], [1, 3]]
    """
    n_rows = len(codes)
    names = np.arange(n_rows) if groups is None else np.asarray(groups)
    if names.shape != (n_rows,):
        raise ShapeError(f"groups must hold one label for each of the {n_rows} rows, got shape {names.shape}")
    number = np.unique(names, return_inverse=True)[1]
    n_groups = int(number.max()) + 1
    if min(n_folds, n_groups) < 2:
        raise ParameterError(f"a search over strengths needs two folds and two groups, got {n_folds} and {n_groups}")
    mean_code = np.bincount(number, codes) / np.bincount(number)
    order = rng.permutation(n_groups)
    dealt = order[np.argsort(mean_code[order], kind="stable")]
    fold_of = np.empty(n_groups, np.intp)
    fold_of[dealt] = np.arange(n_groups) % n_folds
    return [np.flatnonzero(fold_of[number] == fold) for fold in range(min(n_folds, n_groups))]
