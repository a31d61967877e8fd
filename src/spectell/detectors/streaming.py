r"""Sums over a feature matrix that is never in memory as a whole.

A `Source` gives rows ``start`` to ``stop`` of the matrix, computing them anew at every call. Everything that a linear
detector needs from it are three sums: mean and scale of every feature, the Gram matrix of the standardised rows, and
:math:`X^T a`. A block is standardised once when it arrives, in its own precision, and sums are taken in `float64`.
Where features are very many the products within a slice of columns are `float32`: their error, some 1e-8 of the
diagonal, is far below the smallest eigenvalue, which then is of the order of `D`.

With `n` rows of `D` features the Gram matrix costs :math:`n^2 D / 2` multiplications whatever the blocks are; larger
blocks save calls of the source, about :math:`(n / b) / 2` for every row with blocks of `b` rows. A source that can give
some columns of all rows without computing the others is a `StripSource`, and saves most of them: see `slabs`.
"""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from spectell.detectors.parts import Float64Array
from spectell.errors import ParameterError, ShapeError

__all__ = ["DEFAULT_MEMORY", "Source", "StreamedFeatures", "StripSource", "safe_scale"]


class Source(Protocol):
    """What gives the features: a function will do."""

    def __call__(self, start: int, stop: int, /) -> npt.NDArray[np.floating]:
        """Return the features of images `start` to `stop`, shape (stop - start, D), the same at every call."""


@runtime_checkable
class StripSource(Protocol):
    """A source whose columns fall into equal strips that can be computed apart."""

    def __call__(self, start: int, stop: int, /) -> npt.NDArray[np.floating]:
        """Return whole rows, see `Source`."""

    @property
    def n_features(self) -> int:
        """Number D of columns."""

    @property
    def n_strips(self) -> int:
        """Number of strips of ``D / n_strips`` neighbouring columns."""

    def fill(self, rows: slice, strips: slice, out: npt.NDArray[np.float32], /) -> None:
        """Write these strips of these rows, shape (number of rows, number of strips * D / n_strips)."""


DEFAULT_MEMORY = 2_500_000_000
"""Bytes that blocks may take: two of a Gram matrix, and one while it is standardised."""

_SLICE = 8192
"""Columns that are multiplied or converted to `float64` at a time."""

_MANY_FEATURES = 100_000
"""From here on slices are multiplied in the precision of the features, twice as fast."""

_DEAD = 1e-7
"""A feature whose deviation is below this share of its magnitude varied by rounding alone, and says nothing."""


def safe_scale(mean: Float64Array, variance: Float64Array) -> Float64Array:
    """Return the standard deviation of features, or 1 for one that varied by rounding alone.

    Examples
    --------
    >>> safe_scale(np.array([5.0, 5.0]), np.array([4.0, 0.0])).tolist()
    [2.0, 1.0]
    """
    deviation = np.sqrt(variance)
    return np.where(deviation > _DEAD * np.maximum(np.abs(mean), 1e-5), deviation, 1.0)


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
        self._block_rows = min(max(1, int(memory / (3 * max(first.nbytes, 1)))), self._n_rows)
        self._buffers: dict[int, npt.NDArray[np.floating]] = {}
        self._converted: tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]] | None = None
        self.mean, self.scale = self._mean_and_scale()

    def _take(self, start: int, stop: int) -> npt.NDArray[np.floating]:
        rows = self._source(start, stop)
        if rows.ndim != 2 or len(rows) != stop - start:
            raise ShapeError(f"source({start}, {stop}) must return {stop - start} rows, got shape {rows.shape}")
        return rows

    def _whole(self, start: int, stop: int) -> npt.NDArray[np.floating]:
        """Return rows that the next call may overwrite."""
        return self._take(start, stop)

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
        for start, stop in self._blocks(self._block_rows):
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
        return mean, safe_scale(mean, squares / total)

    def _standardised(self, start: int, stop: int, buffer: int = 0) -> npt.NDArray[np.floating]:
        """Return a block, in a buffer of ours that the next call with the same number overwrites.

        Fresh arrays of this size would cost more in page faults than in arithmetic.
        """
        rows = self._take(start, stop)
        if buffer not in self._buffers:
            self._buffers[buffer] = np.empty((self._block_rows, self.n_features), rows.dtype)
        mean, factor = self._shift(rows.dtype)
        block: npt.NDArray[np.floating] = self._buffers[buffer][: len(rows)]
        np.subtract(rows, mean, out=block)
        block *= factor
        return block

    def _shift(self, dtype: np.dtype[np.floating]) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
        if self._converted is None:
            self._converted = self.mean.astype(dtype), (1 / self.scale).astype(dtype)
        return self._converted

    def gram(self) -> Float64Array:
        """Return the (n, n) matrix of inner products of the standardised rows, block pair by block pair."""
        gram = np.zeros((self._n_rows, self._n_rows))
        for start, stop in self._blocks(self._block_rows):
            left = self._standardised(start, stop)
            gram[start:stop, start:stop] = self._inner(left, left)
            for other_start, other_stop in self._blocks(self._block_rows):
                if other_start > start:
                    product = self._inner(left, self._standardised(other_start, other_stop, 1))
                    gram[start:stop, other_start:other_stop] = product
                    gram[other_start:other_stop, start:stop] = product.T
        return gram

    def _inner(self, left: npt.NDArray[np.floating], right: npt.NDArray[np.floating]) -> Float64Array:
        product = np.zeros((len(left), len(right)))
        for start in range(0, left.shape[1], _SLICE):
            # Where both are one block NumPy sees that the product is symmetric, and computes half of it.
            first, second = (self._exact(block[:, start : start + _SLICE]) for block in (left, right))
            product += first @ second.T
        return product

    def _exact(self, values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Return values in the precision that products are computed in."""
        return values if self.n_features > _MANY_FEATURES else values.astype(np.float64, copy=False)

    def covariance(self, target: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Return the weighted :math:`X^T S X`, shape (D, D), and :math:`X^T S y`, shape (D,) or, of (n, K), (D, K)."""
        matrix = np.zeros((self.n_features, self.n_features))
        vector = np.zeros((self.n_features, *target.shape[1:]))
        for start, stop in self._blocks(self._block_rows):
            rows = self._standardised(start, stop).astype(np.float64, copy=False)
            weighted = rows * self._weights[start:stop, np.newaxis]
            matrix += weighted.T @ rows
            vector += weighted.T @ target[start:stop]
        return matrix, vector

    def combine(self, coefficients: Float64Array) -> Float64Array:
        """Return :math:`X^T a`, shape (D,), for `a` of shape (n,); of `a` of shape (n, K) a row each, shape (K, D)."""
        result = np.zeros((*coefficients.shape[1:], self.n_features))
        for start, stop in self._blocks(self._block_rows):
            rows = self._whole(start, stop)
            mean, factor = self._shift(rows.dtype)
            for part in self._slices():
                block = self._exact((rows[:, part] - mean[part]) * factor[part])
                result[..., part] += coefficients[start:stop].T.astype(block.dtype) @ block
        return result

    def matrix(self) -> Float64Array:
        """Return all standardised rows, shape (n, D), for solvers that need them in memory."""
        whole = np.empty((self._n_rows, self.n_features))
        for start, stop in self._blocks(self._block_rows):
            whole[start:stop] = self._standardised(start, stop)
        return whole
