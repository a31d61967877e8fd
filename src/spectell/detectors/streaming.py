r"""Sums over a feature matrix that is never in memory as a whole.

A `Source` gives rows ``start`` to ``stop`` of the matrix, computing them anew at every call. Everything that a linear
detector needs from it are three sums: mean and scale of every feature, the Gram matrix of the standardised rows, and
:math:`X^T a`. Features are taken in `float32` and summed in `float64`; standardisation is folded in, a slice of columns
at a time, so that no standardised copy of a block exists.

With `n` rows of `D` features the Gram matrix costs :math:`n^2 D` multiplications whatever the blocks are; larger
blocks save calls of the source, about :math:`(n / b) / 2` for every row with blocks of `b` rows.
"""

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from spectell.detectors.parts import Float64Array
from spectell.errors import ParameterError, ShapeError

__all__ = ["DEFAULT_MEMORY", "Source", "StreamedFeatures"]

Source = Callable[[int, int], npt.NDArray[np.floating]]
"""``source(start, stop)`` returns the features of images `start` to `stop`, shape (stop - start, D)."""

DEFAULT_MEMORY = 2_000_000_000
"""Bytes that the two blocks of a Gram matrix may take together."""

_SLICE = 8192
"""Columns that are standardised in `float64` at a time."""

_DEAD = 1e-7
"""A feature whose deviation is below this share of its magnitude varied by rounding alone, and says nothing."""


class StreamedFeatures:
    """A standardised feature matrix of which a few rows are known at a time.

    Parameters
    ----------
    source : callable
        ``source(start, stop)`` returns rows of shape (stop - start, D); repeated calls return the same.
    weights : array_like of shape (n,), >= 0
        Weight of each row in mean and scale.
    memory : int
        Bytes that blocks may take.

    Attributes
    ----------
    mean : ndarray of shape (D,), float64
        Weighted mean of every feature.
    scale : ndarray of shape (D,), float64
        Weighted standard deviation; 1 for a feature that never varies, so that it becomes 0 for all rows.

    Raises
    ------
    ParameterError
        If the source returns a value that is not finite.
    ShapeError
        If it returns another number of rows than it was asked for.

    Examples
    --------
    >>> X = np.array([[0.0, 5.0], [2.0, 5.0]])
    >>> features = StreamedFeatures(lambda start, stop: X[start:stop], np.ones(2))
    >>> features.mean.tolist(), features.scale.tolist()
    ([1.0, 5.0], [1.0, 1.0])
    >>> features.gram().tolist()
    [[1.0, -1.0], [-1.0, 1.0]]
    >>> features.combine(np.array([0.0, 3.0])).tolist()
    [3.0, 0.0]
    """

    def __init__(self, source: Source, weights: npt.ArrayLike, memory: float = DEFAULT_MEMORY) -> None:
        self._source = source
        self._weights: Float64Array = np.asarray(weights, np.float64)
        self._n_rows = len(self._weights)
        first = self._take(0, 1)
        self.n_features = first.shape[1]
        self._block_rows = max(1, int(memory / (2 * first.nbytes))) if first.size else self._n_rows
        self.mean, self.scale = self._mean_and_scale()

    def _take(self, start: int, stop: int) -> npt.NDArray[np.floating]:
        rows = self._source(start, stop)
        if rows.ndim != 2 or len(rows) != stop - start:
            raise ShapeError(f"source({start}, {stop}) must return {stop - start} rows, got shape {rows.shape}")
        return rows

    def _blocks(self, rows: int) -> Iterator[tuple[int, int]]:
        for start in range(0, self._n_rows, rows):
            yield start, min(start + rows, self._n_rows)

    def _slices(self) -> Iterator[slice]:
        for start in range(0, self.n_features, _SLICE):
            yield slice(start, start + _SLICE)

    def _mean_and_scale(self) -> tuple[Float64Array, Float64Array]:
        """Weighted mean and deviation in one pass, by the pairwise update of Chan, Golub and LeVeque (1983)."""
        mean, squares = np.zeros((2, self.n_features))
        total = 0.0
        for start, stop in self._blocks(max(1, self._block_rows)):
            rows, weights = self._take(start, stop), self._weights[start:stop]
            weight = float(weights.sum())
            if not weight > 0:
                continue
            share = weight / (total + weight)
            for part in self._slices():
                block = rows[:, part].astype(np.float64)
                if not np.isfinite(block).all():
                    raise ParameterError(f"features must be finite, and those of images {start} to {stop} are not")
                centre = weights @ block / weight
                delta = centre - mean[part]
                np.square(np.subtract(block, centre, out=block), out=block)
                squares[part] += weights @ block + np.square(delta) * (total * share)
                mean[part] += delta * share
            total += weight
        deviation = np.sqrt(squares / total)
        return mean, np.where(deviation > _DEAD * np.maximum(np.abs(mean), 1e-5), deviation, 1.0)

    def _standardised(self, rows: npt.NDArray[np.floating], part: slice) -> Float64Array:
        block = rows[:, part].astype(np.float64)
        block -= self.mean[part]
        block /= self.scale[part]
        return block

    def gram(self) -> Float64Array:
        """Return the (n, n) matrix of inner products of the standardised rows, block pair by block pair."""
        gram = np.zeros((self._n_rows, self._n_rows))
        for start, stop in self._blocks(self._block_rows):
            left = self._take(start, stop)
            for other_start, other_stop in self._blocks(self._block_rows):
                if other_start < start:
                    continue
                right = left if other_start == start else self._take(other_start, other_stop)
                product = self._inner(left, right)
                gram[start:stop, other_start:other_stop] = product
                gram[other_start:other_stop, start:stop] = product.T
                del right
        return gram

    def _inner(self, left: npt.NDArray[np.floating], right: npt.NDArray[np.floating]) -> Float64Array:
        product = np.zeros((len(left), len(right)))
        for part in self._slices():
            first = self._standardised(left, part)
            product += first @ (first if right is left else self._standardised(right, part)).T
        return product

    def covariance(self, target: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return the weighted :math:`X^T S X`, shape (D, D), and :math:`X^T S y`, shape (D,)."""
        matrix = np.zeros((self.n_features, self.n_features))
        vector = np.zeros(self.n_features)
        for start, stop in self._blocks(self._block_rows):
            rows = self._standardised(self._take(start, stop), slice(None))
            weighted = rows * self._weights[start:stop, np.newaxis]
            matrix += weighted.T @ rows
            vector += weighted.T @ target[start:stop]
        return matrix, vector

    def combine(self, coefficients: Float64Array) -> Float64Array:
        """Return :math:`X^T a`, shape (D,), for `a` of shape (n,)."""
        result = np.zeros(self.n_features)
        for start, stop in self._blocks(self._block_rows):
            rows = self._take(start, stop)
            for part in self._slices():
                result[part] += coefficients[start:stop] @ self._standardised(rows, part)
        return result

    def matrix(self) -> Float64Array:
        """Return all standardised rows, shape (n, D), for solvers that need them in memory."""
        whole = np.empty((self._n_rows, self.n_features))
        for start, stop in self._blocks(self._block_rows):
            whole[start:stop] = self._standardised(self._take(start, stop), slice(None))
        return whole
