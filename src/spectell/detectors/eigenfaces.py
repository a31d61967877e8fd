"""Eigenfaces: principal components, then a linear support vector machine; a baseline of the paper."""

import warnings
from typing import ClassVar

import numpy as np
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from spectell.detectors.class_heads import LinearClassesHead
from spectell.detectors.classes import ClassDetector, Labels, Rows
from spectell.detectors.heads import LinearHead
from spectell.detectors.parts import Float64Array
from spectell.detectors.streaming import DEFAULT_MEMORY
from spectell.errors import ParameterError

__all__ = ["EigenfacesDetector"]


class EigenfacesDetector(ClassDetector):
    """Principal components that hold a share of the variance, then a linear support vector machine.

    Both are linear, so that what was learned is one weight a feature, and for more than two classes one a feature and
    class (each against the others): that is what a model keeps.

    Parameters
    ----------
    variance : float in (0, 1)
        Share of the variance of the standardised features that the components keep.
    C : float > 0
        Of the support vector machine: weight of the losses beside the norm of the weights.
    balanced : bool
        Whether all classes weigh the same, however many images each has.
    max_iter : int
        Iterations of the solver; where they do not suffice, `converged_` is False and the detector still answers.
    seed : int
        Of the solver.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (D,)
        Standardisation.
    pca_ : PCA
    svm_ : LinearSVC
        Of scikit-learn.
    n_iter_ : int
    converged_ : bool

    References
    ----------
    .. [1] Turk, Pentland (1991). Eigenfaces for recognition. Journal of Cognitive Neuroscience 3(1), 71-86.
       :doi:`10.1162/jocn.1991.3.1.71`
    .. [2] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML. :arxiv:`2003.08685`

    Examples
    --------
    >>> detector = EigenfacesDetector(C=1.0).fit([[-2.0, 0.0], [-1.0, 0.1], [1.0, 0.0], [2.0, 0.1]], [0, 0, 1, 1])
    >>> detector.predict([[-3.0, 0.0], [3.0, 0.1]]).tolist()
    [0, 1]
    """

    GRID: ClassVar = {"variance": (0.25, 0.5, 0.75, 0.95), "C": (1e-4, 1e-3, 1e-2, 1e-1)}

    def __init__(
        self,
        variance: float = 0.95,
        C: float = 0.01,
        *,
        balanced: bool = True,
        max_iter: int = 10_000,
        seed: int = 0,
    ) -> None:
        self.variance = variance
        self.C = C
        self.balanced = balanced
        self.max_iter = max_iter
        self.seed = seed

    def _check_size(self, n_rows: int, n_features: int) -> None:
        if not 0 < self.variance < 1:
            raise ParameterError(f"variance must lie between 0 and 1, got {self.variance!r}")
        if not 0 < self.C < np.inf:
            raise ParameterError(f"C must be positive and finite, got {self.C!r}")
        needed = 4 * n_rows * n_features
        if needed > DEFAULT_MEMORY:
            raise ParameterError(
                f"the components of {n_rows} images with {n_features} features take {needed / 1e9:.1f} GB, more than "
                f"{DEFAULT_MEMORY / 1e9:.1f} GB; use fewer images or a smaller size"
            )

    def _fit_rows(self, rows: Rows, codes: Labels) -> None:
        self.pca_ = PCA(self.variance, svd_solver="full").fit(rows)
        self.svm_ = LinearSVC(
            C=self.C,
            class_weight="balanced" if self.balanced else None,
            max_iter=self.max_iter,
            random_state=self.seed,
        )
        with warnings.catch_warnings(), threadpool_limits(1):
            warnings.simplefilter("ignore", ConvergenceWarning)  # recorded as converged_
            self.svm_.fit(self.pca_.transform(rows), codes)
        self.n_iter_ = int(self.svm_.n_iter_)
        self.converged_ = self.n_iter_ < self.max_iter

    def _outputs(self, rows: Rows) -> Float64Array:
        return np.asarray(self.svm_.decision_function(self.pca_.transform(rows)), np.float64)

    @property
    def head(self) -> LinearHead | LinearClassesHead:
        """What a model file keeps: the product of both, one weight a feature."""
        weights = self.svm_.coef_ @ self.pca_.components_
        intercepts = self.svm_.intercept_ - weights @ self.pca_.mean_
        return LinearHead(weights[0], intercepts[0]) if len(weights) == 1 else LinearClassesHead(weights, intercepts)
