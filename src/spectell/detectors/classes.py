"""What the detectors share that learn from all features at once, and know two classes or more.

Two classes: the larger label is the one that a high output means, as for the linear detectors. More: the first label
in order is the real one, and there is an output for every class.
"""

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from spectell.detectors.heads import Head
from spectell.detectors.parts import Float64Array
from spectell.detectors.standardisation import Standardisation
from spectell.detectors.streaming import DEFAULT_MEMORY, Source, StreamedFeatures
from spectell.errors import ParameterError

__all__ = ["ClassDetector", "Labels"]

Labels = npt.NDArray[np.intp]
Rows = npt.NDArray[np.floating[Any]]


class ClassDetector(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]  # scikit-learn has no type information
    """Base: a subclass has `_fit_rows`, `_outputs` and `head`."""

    classes_: npt.NDArray[Any]
    mean_: Float64Array
    scale_: Float64Array

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to features in memory.

        Parameters
        ----------
        X : array_like of shape (n, D), finite
            Features, not standardised.
        y : array_like of shape (n,)
            Two classes or more.

        Raises
        ------
        ValueError
            If `X` or `y` does not fit, or `y` holds one class.
        """
        checked: tuple[Any, Any] = validate_data(self, X, y, dtype=[np.float64, np.float32])
        rows, labels = checked
        return self._fit(lambda start, stop: rows[start:stop], labels)

    def fit_streamed(self, source: Source, y: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002
        """Fit to features that a source gives, all of which must fit into memory.

        Parameters
        ----------
        source : callable
            ``source(start, stop)`` returns features of shape (stop - start, D), `float32`.
        y : array_like of shape (n,)
        groups : ignored
            The linear detectors' folds need it.

        Raises
        ------
        ParameterError, ShapeError
            If `y` holds one class, or the source returns what it should not.
        """
        self._fit(source, np.asarray(y))
        self.n_features_in_ = len(self.mean_)
        return self

    def _fit(self, source: Source, y: npt.NDArray[Any]) -> Self:
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ParameterError("y must hold two classes, got 1 class; add images of another class")
        n_rows = len(codes)
        self._check_size(n_rows, source(0, 1).shape[1])
        self.mean_, self.scale_ = self._statistics(source, n_rows)
        rows = source(0, n_rows)
        self._fit_rows(self._standardised(rows), codes)
        return self

    def _check_size(self, n_rows: int, n_features: int) -> None:
        """Refuse what would not fit into a model file or memory."""

    def _statistics(self, source: Source, n_rows: int) -> tuple[Float64Array, Float64Array]:
        features = StreamedFeatures(source, np.ones(n_rows), DEFAULT_MEMORY)
        return features.mean, features.scale

    def _standardised(self, rows: Rows) -> Rows:
        return np.asarray((rows - self.mean_.astype(rows.dtype)) / self.scale_.astype(rows.dtype))

    @abstractmethod
    def _fit_rows(self, rows: Rows, codes: Labels) -> None:
        """Learn from standardised rows and their classes, 0 to K - 1."""

    @abstractmethod
    def _outputs(self, rows: Rows) -> Float64Array:
        """Map standardised rows to outputs: (n,) for two classes, else (n, K)."""

    @property
    @abstractmethod
    def head(self) -> Head:
        """What a model file keeps of what was learned."""

    def decision_function(self, X: npt.ArrayLike) -> Float64Array:
        """Return the raw output of each row of `X`: shape (n,), higher for the larger label, or (n, K)."""
        check_is_fitted(self)
        rows: Any = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return self._outputs(self._standardised(rows))

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the label of each row of `X`, shape (n,)."""
        outputs = self.decision_function(X)
        codes = (outputs > 0).astype(np.intp) if outputs.ndim == 1 else outputs.argmax(axis=1)
        return np.asarray(self.classes_[codes])

    @property
    def standardisation(self) -> Standardisation:
        """What a model file keeps of mean and scale."""
        return Standardisation(self.mean_, self.scale_)
