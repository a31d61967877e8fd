"""What the linear detectors share: weights of the classes, folds of whole groups, and the line that they end as.

A linear detector standardises its features itself and answers ``(x - mean) / scale @ coef + intercept``. Its learned
state goes into a model file as a `Standardisation` and a `LinearHead`.
"""

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

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
    intercept_: float

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
            Two classes; the larger label is the one that a high output means.
        sample_weight : array_like of shape (n,), >= 0, optional
        groups : array_like of shape (n,), optional
            Rows with equal labels stay on one side of every fold; only a search over strengths uses them.

        Raises
        ------
        ValueError
            If `X` or `y` does not fit, or `y` does not hold two classes.
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
            If the labels do not hold two classes, or the source returns what it should not.
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
        self.classes_, generated = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            raise ParameterError(_class_message(y, len(self.classes_)))
        weights = _class_balanced(generated, sample_weight) if self.balanced else sample_weight
        self._fit_source(source, generated, weights, groups)
        return self

    @abstractmethod
    def _fit_source(
        self, source: Source, generated: npt.NDArray[np.intp], weights: Float64Array, groups: npt.ArrayLike | None
    ) -> None:
        """Set ``mean_``, ``scale_``, ``coef_`` and ``intercept_``."""

    def decision_function(self, X: npt.ArrayLike) -> Float64Array:
        """Return the raw output of each row of `X`, shape (n,); higher for the larger label."""
        check_is_fitted(self)
        rows: Any = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return np.asarray((rows - self.mean_) / self.scale_ @ self.coef_ + self.intercept_)

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the label of each row of `X`, shape (n,), at an output of zero."""
        above = self.decision_function(X) > 0
        return np.asarray(self.classes_[above.astype(np.intp)])

    @property
    def standardisation(self) -> Standardisation:
        """What a model file keeps of mean and scale."""
        return Standardisation(self.mean_, self.scale_)

    @property
    def head(self) -> LinearHead:
        """What a model file keeps of weights and intercept."""
        return LinearHead(self.coef_, self.intercept_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def _class_message(y: npt.NDArray[Any], n_classes: int) -> str:
    if n_classes > 2:
        return f"Only binary classification is supported. The type of the target is {type_of_target(y)}."
    return f"y must hold two classes, got {n_classes} class; add images of the other class"


def _class_balanced(generated: npt.NDArray[np.intp], weights: Float64Array) -> Float64Array:
    """Give both classes half of the total weight."""
    totals = np.bincount(generated, weights, minlength=2)
    if not (totals > 0).all():
        raise ParameterError("sample_weight must leave both classes a positive weight")
    return np.asarray(weights * (totals.sum() / (2 * totals))[generated])


def group_folds(
    generated: npt.NDArray[np.intp], groups: npt.ArrayLike | None, n_folds: int, rng: np.random.Generator
) -> Folds:
    """Deal rows to folds, whole groups at a time, each fold with about the same share of each class.

    Parameters
    ----------
    generated : ndarray of shape (n,), 0 or 1
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
    n_rows = len(generated)
    names = np.arange(n_rows) if groups is None else np.asarray(groups)
    if names.shape != (n_rows,):
        raise ShapeError(f"groups must hold one label for each of the {n_rows} rows, got shape {names.shape}")
    number = np.unique(names, return_inverse=True)[1]
    n_groups = int(number.max()) + 1
    if min(n_folds, n_groups) < 2:
        raise ParameterError(f"a search over strengths needs two folds and two groups, got {n_folds} and {n_groups}")
    share = np.bincount(number, generated) / np.bincount(number)
    order = rng.permutation(n_groups)
    dealt = order[np.argsort(share[order], kind="stable")]
    fold_of = np.empty(n_groups, np.intp)
    fold_of[dealt] = np.arange(n_groups) % n_folds
    return [np.flatnonzero(fold_of[number] == fold) for fold in range(min(n_folds, n_groups))]
