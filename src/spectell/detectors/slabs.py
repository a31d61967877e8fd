r"""A feature matrix in slabs: a few columns of all rows at a time.

Row blocks make each image's features again for every pair of blocks that it is in. A slab holds all images, so that its
columns have their exact mean and scale, and their whole share of the Gram matrix, at once: each column is computed
once for the Gram matrix, and once, with whole rows, for :math:`X^T a`. What remains is what a strip costs beyond its
share of a row: a DCT transforms all columns of an image to keep some of their coefficients.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from spectell.detectors.parts import Float32Array, Float64Array
from spectell.detectors.streaming import DEFAULT_MEMORY, Source, StreamedFeatures, StripSource, safe_scale
from spectell.errors import ParameterError

__all__ = ["SlabbedFeatures", "stream_features"]

_COLUMNS = 128
"""Columns that are standardised together: those of 1,000 images, in `float64`, fit a processor's cache."""

_ROWS = 16
"""Rows that are combined together: enough for every core, few enough to stay small."""


def stream_features(source: Source, weights: npt.ArrayLike, memory: float = DEFAULT_MEMORY) -> StreamedFeatures:
    """Standardise a matrix of which a part is known at a time: in slabs where the source has them and they save work.

    Parameters
    ----------
    source, weights, memory
        See `StreamedFeatures`.

    Raises
    ------
    ParameterError, ShapeError
        As there.

    Examples
    --------
    >>> X = np.array([[0.0, 5.0], [2.0, 5.0]])
    >>> type(stream_features(lambda start, stop: X[start:stop], np.ones(2))).__name__
    'StreamedFeatures'
    """
    if isinstance(source, StripSource) and source.n_strips > 1 and source.n_features > np.size(weights):
        return SlabbedFeatures(source, weights, memory)
    return StreamedFeatures(source, weights, memory)


class SlabbedFeatures(StreamedFeatures):
    """`StreamedFeatures` whose mean, scale and Gram matrix come from one pass over slabs.

    Parameters
    ----------
    source : StripSource
    weights : array_like of shape (n,), >= 0
        Weight of each row in mean and scale.
    memory : int
        Bytes that a slab may take; at least one strip is taken.

    Raises
    ------
    ParameterError
        If the source gives a value that is not finite.
    """

    def __init__(self, source: StripSource, weights: npt.ArrayLike, memory: float = DEFAULT_MEMORY) -> None:
        self._strips, self._memory = source, memory
        self._rows: Float32Array | None = None
        super().__init__(source, weights, memory)
        self._block_rows = min(self._block_rows, _ROWS)

    def gram(self) -> Float64Array:
        """Return the (n, n) matrix of inner products of the standardised rows."""
        return self._gram

    def _whole(self, start: int, stop: int) -> Float32Array:
        """Return rows in a buffer of ours: fresh memory of this size costs more in page faults than the transforms."""
        if self._rows is None:
            self._rows = np.empty((self._block_rows, self.n_features), np.float32)
        block = self._rows[: stop - start]
        self._strips.fill(slice(start, stop), slice(self._strips.n_strips), block)
        return block

    def _mean_and_scale(self) -> tuple[Float64Array, Float64Array]:
        mean, scale = np.empty((2, self.n_features))
        self._gram = np.zeros((self._n_rows, self._n_rows))
        n_strips = self._strips.n_strips
        width = self.n_features // n_strips
        most = max(int(self._memory / (4 * self._n_rows * width)), 1)
        n_slabs = -(-n_strips // most)
        most = -(-n_strips // n_slabs)  # slabs of about one size
        buffer = np.empty((self._n_rows, most * width), np.float32)
        for start in range(0, n_strips, most):
            stop = min(start + most, n_strips)
            slab, columns = buffer[:, : (stop - start) * width], slice(start * width, stop * width)
            self._strips.fill(slice(self._n_rows), slice(start, stop), slab)
            self._standardise(slab, mean[columns], scale[columns])
            self._gram += self._inner(slab, slab)
        return mean, scale

    def _standardise(self, slab: Float32Array, mean: Float64Array, scale: Float64Array) -> None:
        """Standardise a slab in place, and write down its mean and scale."""
        from threadpoolctl import threadpool_limits

        def work(start: int) -> None:
            part = slice(start, start + _COLUMNS)
            block = slab[:, part].astype(np.float64)
            share = self._weights / self._weights.sum()
            mean[part] = share @ block
            block -= mean[part]
            scale[part] = safe_scale(mean[part], share @ np.square(block))
            np.multiply(block, 1 / scale[part], out=slab[:, part], casting="same_kind")

        # One thread for each product: they are small, and the bits do not depend on how many threads there are.
        with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(work, range(0, slab.shape[1], _COLUMNS)))
        if not (np.isfinite(mean).all() and np.isfinite(scale).all()):
            raise ParameterError("features must be finite, and those of some image are not")
