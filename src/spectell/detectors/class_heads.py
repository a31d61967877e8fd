"""Heads that know two classes or more: a number for every class, and from those one for the verdict.

Class 0 is real. `classify` says which class, `decide` whether any of the generated ones. NumPy only, and products of
small matrices in `float64` where differences of large numbers are taken.
"""

from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from spectell.detectors.heads import Head, expect_parts
from spectell.detectors.parts import Arrays, Float32Array, Float64Array, take_array
from spectell.errors import ArtifactError, ParameterError

__all__ = ["ClassHead", "FingerprintHead", "LinearClassesHead", "NearestHead", "nearest_lead"]

IntArray = npt.NDArray[np.int32]

_CHUNK = 256
"""Kept images that are compared with at a time."""


@runtime_checkable
class ClassHead(Head, Protocol):
    """A head that tells classes apart."""

    @property
    def n_classes(self) -> int:
        """Number K of classes, the real images' included."""

    def classify(self, rows: Float32Array) -> Float64Array:
        """Map standardised features, shape (T, D), to one number a class, shape (T, K); the largest names the class."""


def _lead(scores: Float64Array) -> Float64Array:
    """How far the best generated class is ahead of the real one, shape (T,)."""
    return np.asarray(scores[:, 1:].max(axis=1) - scores[:, 0])


class LinearClassesHead:
    """A weighted sum of the features for each class, plus a constant.

    Parameters
    ----------
    weights : array_like of shape (K, D), K >= 2
        Kept as `float32`.
    intercepts : array_like of shape (K,)

    Raises
    ------
    ParameterError
        If the numbers of classes differ, or there is one class.

    Examples
    --------
    >>> head = LinearClassesHead([[1.0], [-1.0], [0.5]], [0.0, 1.0, 0.0])
    >>> rows = np.array([[2.0]], np.float32)
    >>> head.classify(rows).tolist(), head.decide(rows).tolist()
    ([[2.0, -1.0, 1.0]], [-1.0])
    """

    name = "linear_classes"

    def __init__(self, weights: npt.ArrayLike, intercepts: npt.ArrayLike) -> None:
        self.weights = take_array({"weights": np.asarray(weights, np.float64)}, "weights", (None, None))
        self.intercepts: Float64Array = np.asarray(intercepts, np.float64)
        if len(self.weights) < 2 or self.intercepts.shape != (len(self.weights),):
            raise ParameterError(
                f"weights and intercepts must be of two classes or more, got {self.weights.shape} and "
                f"{self.intercepts.shape}"
            )

    @property
    def config(self) -> dict[str, Any]:
        """Nothing: the arrays say it all."""
        return {}

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """``weights`` (K, D) and ``intercepts`` (K,)."""
        return {"weights": self.weights, "intercepts": self.intercepts}

    @property
    def n_features(self) -> int:
        """Length of a row that it accepts."""
        return int(self.weights.shape[1])

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.weights)

    def classify(self, rows: Float32Array) -> Float64Array:
        """One sum a class, shape (T, K)."""
        return np.asarray(rows @ self.weights.T, dtype=np.float64) + self.intercepts

    def decide(self, rows: Float32Array) -> Float64Array:
        """Largest sum of a generated class less that of the real one, shape (T,)."""
        return _lead(self.classify(rows))

    @classmethod
    def from_config(cls, config: dict[str, Any], arrays: Arrays) -> Self:
        """Make the head again; raises `ArtifactError` if a part does not fit."""
        expect_parts(cls.name, config, arrays, config_keys=set(), names={"weights", "intercepts"})
        take_array(arrays, "intercepts", (None,))
        return cls(take_array(arrays, "weights", (None, None)), arrays["intercepts"])


class FingerprintHead:
    """Normalised cross-correlation of a residual with the fingerprint of each class.

    The correlation is that of Pearson over all features: 1 for the fingerprint itself, 0 for anything unrelated.

    Parameters
    ----------
    fingerprints : array_like of shape (K, D), K >= 2
        Mean residual of each class; kept as `float32`.

    Raises
    ------
    ParameterError
        If there is one class, or a fingerprint is constant.

    References
    ----------
    .. [1] Marra, Gragnaniello, Verdoliva, Poggi (2019). Do GANs leave artificial fingerprints? MIPR.
       :arxiv:`1812.11842`

    Examples
    --------
    >>> head = FingerprintHead([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    >>> head.classify(np.array([[10.0, 20.0, 30.0]], np.float32)).round(6).tolist()
    [[1.0, -1.0]]
    """

    name = "fingerprint"

    def __init__(self, fingerprints: npt.ArrayLike) -> None:
        self.fingerprints: Float32Array = np.asarray(fingerprints, np.float32)
        if self.fingerprints.ndim != 2 or len(self.fingerprints) < 2:
            raise ParameterError(
                f"fingerprints must have shape (K, D) with two classes or more, got {self.fingerprints.shape}"
            )
        centred = self.fingerprints - self.fingerprints.mean(axis=1, keepdims=True, dtype=np.float64)
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        if not (length > 0).all():
            raise ParameterError("the fingerprint of a class is constant; its images are flat, or too many were mixed")
        self._units: Float64Array = centred / length

    @property
    def config(self) -> dict[str, Any]:
        """Nothing: the arrays say it all."""
        return {}

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """``fingerprints`` (K, D)."""
        return {"fingerprints": self.fingerprints}

    @property
    def n_features(self) -> int:
        """Length of a row that it accepts."""
        return int(self.fingerprints.shape[1])

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.fingerprints)

    def classify(self, rows: Float32Array) -> Float64Array:
        """Correlation with each fingerprint, shape (T, K), -1 to 1; 0 for a residual that is flat."""
        centred = rows - rows.mean(axis=1, keepdims=True, dtype=np.float64)
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        products = centred @ self._units.T
        return np.asarray(np.divide(products, length, out=np.zeros_like(products), where=length > 0))

    def decide(self, rows: Float32Array) -> Float64Array:
        """Largest correlation with a generated class less that with the real one, shape (T,)."""
        return _lead(self.classify(rows))

    @classmethod
    def from_config(cls, config: dict[str, Any], arrays: Arrays) -> Self:
        """Make the head again; raises `ArtifactError` if a part does not fit."""
        expect_parts(cls.name, config, arrays, config_keys=set(), names={"fingerprints"})
        return cls(take_array(arrays, "fingerprints", (None, None)))


class NearestHead:
    """Votes of the k nearest of the images that it keeps.

    With ``m = (k + 1) / 2`` more than half of the k nearest are generated exactly where the m-th nearest generated
    image is nearer than the m-th nearest real one. `decide` gives the difference of the two distances by their sum:
    its sign is the vote, and it has as many values as thresholds need, where votes have k + 1.

    Parameters
    ----------
    kept : array_like of shape (n, D)
        Standardised features of the training images; kept as `float32`.
    classes : array_like of shape (n,)
        Their classes, 0 (real) to ``n_classes - 1``.
    k : int, odd, from 1 to n
    n_classes : int >= 2

    Raises
    ------
    ParameterError
        If an argument does not fit.

    References
    ----------
    .. [1] Cover, Hart (1967). Nearest neighbor pattern classification. IEEE Transactions on Information Theory 13(1),
       21-27. :doi:`10.1109/TIT.1967.1053964`

    Examples
    --------
    >>> head = NearestHead([[0.0], [1.0], [5.0]], [0, 0, 1], k=1)
    >>> head.classify(np.array([[4.0]], np.float32)).tolist(), head.decide(np.array([[4.0]], np.float32)).tolist()
    ([[0.0, 1.0]], [0.5])
    """

    name = "nearest"

    def __init__(self, kept: npt.ArrayLike, classes: npt.ArrayLike, k: int = 1, n_classes: int = 2) -> None:
        self.kept = take_array({"kept": np.asarray(kept, np.float32)}, "kept", (None, None))
        self.classes: IntArray = np.asarray(classes, np.int32)
        self.k = check_neighbours(k, len(self.kept))
        self.n_classes = n_classes
        if self.classes.shape != (len(self.kept),) or not (
            n_classes >= 2 and self.classes.min() >= 0 and self.classes.max() < n_classes
        ):
            raise ParameterError(f"classes must give each of the {len(self.kept)} images one of {n_classes} classes")

    @property
    def config(self) -> dict[str, Any]:
        """Neighbours and classes."""
        return {"k": self.k, "n_classes": self.n_classes}

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """``kept`` (n, D) and ``classes`` (n,)."""
        return {"kept": self.kept, "classes": self.classes}

    @property
    def n_features(self) -> int:
        """Length of a row that it accepts."""
        return int(self.kept.shape[1])

    def classify(self, rows: Float32Array) -> Float64Array:
        """Share of each class among the k nearest, shape (T, K)."""
        nearest = np.argsort(self._distances(rows), axis=1, kind="stable")[:, : self.k]
        votes = self.classes[nearest][:, :, np.newaxis] == np.arange(self.n_classes)
        return np.asarray(votes.mean(axis=1))

    def decide(self, rows: Float32Array) -> Float64Array:
        """Lead of the generated images, shape (T,), -1 to 1."""
        return nearest_lead(self._distances(rows), self.classes > 0, self.k)

    def _distances(self, rows: Float32Array) -> Float64Array:
        exact = rows.astype(np.float64)
        squares = np.square(exact).sum(axis=1, keepdims=True)
        found = np.empty((len(rows), len(self.kept)))
        for start in range(0, len(self.kept), _CHUNK):
            part = self.kept[start : start + _CHUNK].astype(np.float64)
            found[:, start : start + _CHUNK] = squares + np.square(part).sum(axis=1) - 2 * (exact @ part.T)
        return np.asarray(np.sqrt(np.maximum(found, 0)))

    @classmethod
    def from_config(cls, config: dict[str, Any], arrays: Arrays) -> Self:
        """Make the head again; raises `ArtifactError` if a part does not fit."""
        expect_parts(cls.name, config, arrays, config_keys={"k", "n_classes"}, names={"kept", "classes"})
        classes = arrays["classes"]
        if classes.dtype != np.int32 or classes.ndim != 1 or not all(type(value) is int for value in config.values()):
            raise ArtifactError("the head 'nearest' must have int32 classes and whole numbers in its configuration")
        return cls(take_array(arrays, "kept", (len(classes), None)), classes, **config)


def check_neighbours(k: int, n_images: int) -> int:
    """Return `k` if so many of the images can vote without a tie between two classes.

    Raises
    ------
    ParameterError
        If it is even, not positive, or larger than the number of images.

    Examples
    --------
    >>> check_neighbours(3, 10)
    3
    """
    if k < 1 or k % 2 == 0 or k > n_images:
        raise ParameterError(f"k must be odd and from 1 to the number of training images, {n_images}, got {k}")
    return int(k)


def nearest_lead(distances: Float64Array, generated: npt.NDArray[np.bool_], k: int) -> Float64Array:
    """How much nearer the generated images are than the real ones: see `NearestHead`.

    Parameters
    ----------
    distances : ndarray of shape (T, n)
    generated : ndarray of shape (n,), bool
    k : int, odd

    Returns
    -------
    lead : ndarray of shape (T,), -1 to 1

    Examples
    --------
    >>> nearest_lead(np.array([[1.0, 3.0]]), np.array([False, True]), 1).tolist()
    [-0.5]
    """
    place = (k - 1) // 2
    real, made = (_smallest(distances[:, chosen], place) for chosen in (~generated, generated))
    total = real + made
    known = np.isfinite(total)
    lead = np.where(known, 0.0, np.where(np.isfinite(made), 1.0, -1.0))
    return np.divide(real - made, total, out=lead, where=known & (total > 0))


def _smallest(distances: Float64Array, place: int) -> Float64Array:
    """Return the value at a place in rising order, infinite where there are fewer."""
    if place >= distances.shape[1]:
        return np.full(len(distances), np.inf)
    return np.asarray(np.partition(distances, place, axis=1)[:, place])
