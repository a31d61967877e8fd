"""Fingerprints of generators in the noise of their images: what photo response non-uniformity is for cameras."""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from spectell.detectors.class_heads import FingerprintHead
from spectell.detectors.parts import Float64Array, Uint8Array
from spectell.detectors.residual import ResidualFeatures
from spectell.detectors.standardisation import Standardisation
from spectell.detectors.streaming import Source
from spectell.errors import ParameterError, ShapeError

__all__ = ["PRNUDetector"]

_ROWS = 64
"""Residuals that are in memory at a time."""


class PRNUDetector(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no type information
    """Mean denoising residual of each class; an image is of the class that its own residual correlates with most.

    It takes images and not rows of features, so scikit-learn's checks do not apply; arguments, attributes and methods
    are those of its classifiers.

    Parameters
    ----------
    levels : int >= 1
        Of the wavelet transform.
    sigma : float > 0
        Standard deviation of the noise that is expected, in pixel values.

    Attributes
    ----------
    size_ : int
        Side of the tiles that were learned from.
    fingerprints_ : ndarray of shape (K, size, size, 3)
        Mean residual of each class, in pixel values.
    classes_ : ndarray of shape (K,)

    References
    ----------
    .. [1] Marra, Gragnaniello, Verdoliva, Poggi (2019). Do GANs leave artificial fingerprints? MIPR.
       :arxiv:`1812.11842`

    Examples
    --------
    Noise with stripes, and noise with a grid of two:

    >>> noise = np.random.default_rng(0).integers(99, 102, (40, 32, 32, 3)).astype(np.uint8)
    >>> noise[:20, ::2] += 3
    >>> noise[20:, ::2, ::2] += 3
    >>> detector = PRNUDetector(levels=1).fit(noise[5:35], [0] * 15 + [1] * 15)
    >>> detector.predict(noise[[0, 1, 38, 39]]).tolist()
    [0, 0, 1, 1]
    """

    GRID: ClassVar = {"levels": (1, 2, 3, 4), "sigma": tuple(round(0.05 * i, 2) for i in range(1, 20))}

    def __init__(self, levels: int = 3, sigma: float = 0.8) -> None:
        self.levels = levels
        self.sigma = sigma

    def fit(self, images: Iterable[Uint8Array], y: npt.ArrayLike) -> Self:
        """Fit to images.

        Parameters
        ----------
        images : iterable of ndarray of shape (H, W, 3), uint8
            Larger ones than the smallest are cut into tiles of its size.
        y : array_like of shape (n,)
            Two classes or more.

        Raises
        ------
        ParameterError, ShapeError
            If the labels do not fit the images, or an argument does not fit their size.
        """
        pictures = [np.asarray(image) for image in images]
        if len(pictures) != len(np.asarray(y)) or not pictures:
            raise ShapeError(f"images and y must have one length, got {len(pictures)} and {len(np.asarray(y))}")
        front_end = ResidualFeatures(min(min(image.shape[:2]) for image in pictures), self.levels, self.sigma)
        return self.fit_streamed(lambda start, stop: front_end.transform(pictures[start:stop]), y)

    def fit_streamed(self, source: Source, y: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Self:  # noqa: ARG002
        """Fit to residuals that `ResidualFeatures` gives, shape (n, size * size * 3), a few at a time."""
        self.classes_, codes = np.unique(np.asarray(y), return_inverse=True)
        if len(self.classes_) < 2:
            raise ParameterError("y must hold two classes, got 1 class; add images of another class")
        n_features = source(0, 1).shape[1]
        self.size_ = round(np.sqrt(n_features / 3))
        sums = np.zeros((len(self.classes_), n_features))
        for start in range(0, len(codes), _ROWS):
            part = codes[start : start + _ROWS]
            rows = source(start, start + len(part)).astype(np.float64)
            if not np.isfinite(rows).all():
                raise ParameterError(f"features must be finite, and those of images {start} to {start + _ROWS} are not")
            np.add.at(sums, part, rows)
        means = sums / np.bincount(codes)[:, np.newaxis]
        self.fingerprints_: Float64Array = means.reshape(-1, self.size_, self.size_, 3)
        return self

    def decision_function(self, images: Iterable[Uint8Array]) -> Float64Array:
        """Lead of the larger label's correlation, shape (n,), or the correlation with each of K classes, (n, K)."""
        check_is_fitted(self)
        residuals = ResidualFeatures(self.size_, self.levels, self.sigma)
        head = self.head
        found = [head.classify(residuals.rows(np.asarray(image))).mean(axis=0) for image in images]
        correlations = np.array(found).reshape(-1, len(self.classes_))
        return correlations[:, 1] - correlations[:, 0] if len(self.classes_) == 2 else correlations

    def predict(self, images: Iterable[Uint8Array]) -> npt.NDArray[Any]:
        """Return the label of each image, shape (n,)."""
        outputs = self.decision_function(images)
        codes = (outputs > 0).astype(np.intp) if outputs.ndim == 1 else outputs.argmax(axis=1)
        return np.asarray(self.classes_[codes])

    @property
    def standardisation(self) -> Standardisation:
        """None to speak of: residuals are compared as they are."""
        n_features = self.fingerprints_[0].size
        return Standardisation(np.zeros(n_features), np.ones(n_features))

    @property
    def head(self) -> FingerprintHead:
        """What a model file keeps: the fingerprints."""
        return FingerprintHead(self.fingerprints_.reshape(len(self.fingerprints_), -1))
