"""Standardisation on the way of every verdict: `float32`, and nothing computed twice.

`spectell.transforms.Standardizer` is its exact counterpart for analyses; here the scale is already safe to divide by.
"""

import numpy as np
import numpy.typing as npt

from spectell.detectors.parts import Float32Array
from spectell.errors import ParameterError

__all__ = ["Standardisation"]

_SMALLEST_SCALE = np.finfo(np.float32).tiny  # the inverse of a smaller one may be infinite


class Standardisation:
    """Shift and scale of every feature.

    Parameters
    ----------
    mean, scale : array_like of shape (D,)
        ``(features - mean) / scale``; the scale is positive.

    Raises
    ------
    ParameterError
        If the two differ in shape, or a scale is not positive (and a normal number).

    Examples
    --------
    >>> Standardisation([1.0], [2.0]).apply(np.array([[5.0]], np.float32)).tolist()
    [[2.0]]
    """

    def __init__(self, mean: npt.ArrayLike, scale: npt.ArrayLike) -> None:
        self.mean: Float32Array = np.asarray(mean, np.float32)
        self.scale: Float32Array = np.asarray(scale, np.float32)
        if self.mean.ndim != 1 or self.mean.shape != self.scale.shape or not (self.scale >= _SMALLEST_SCALE).all():
            raise ParameterError(
                f"mean and scale must have shape (D,) and scale must be positive, got {self.mean.shape} and "
                f"{self.scale.shape}"
            )
        self._factor: Float32Array = np.float32(1) / self.scale

    def apply(self, rows: Float32Array) -> Float32Array:
        """Return the standardised rows, shape (T, D)."""
        centred: Float32Array = rows - self.mean
        centred *= self._factor
        return centred
