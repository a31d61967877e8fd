r"""What moved a raw output: a share of it for every feature, and the shares add up.

A head maps features x to a number f(x). Against a start b (an image that one wants to compare with, such as the average
photograph) the contribution of feature i is

.. math:: (x_i - b_i) \int_0^1 \frac{\partial f}{\partial x_i}\bigl(b + t (x - b)\bigr) \, dt,

the integrated gradient [1]_. Contributions sum to f(x) - f(b) whatever the head; for a weighted sum they are exactly
weight times deviation. They say what this head did with these numbers, not what made the image.

NumPy only, like the heads themselves.

References
----------
.. [1] Sundararajan, Taly, Yan (2017). Axiomatic attribution for deep networks. ICML, PMLR 70:3319-3328.
   :arxiv:`1703.01365`
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.detectors.heads import AverageHead, Head, LinearHead, MLPHead
from spectell.detectors.parts import Float32Array, Float64Array
from spectell.errors import MismatchError, ParameterError, ShapeError

__all__ = ["PATH_STEPS", "Attribution", "attribute", "is_attributable"]

PATH_STEPS = 2048
"""Points of the path from the start to the image. A unit of a ReLU network that switches between two of them is
misjudged by at most half a step; the default model's sums then agree to about 1e-4."""

_STEPS_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """Contributions of features to a raw output, and what they must add up to.

    Attributes
    ----------
    contributions : ndarray of shape (D,), float64
        In units of the raw output; positive moves towards generated.
    start, end : float
        Raw outputs of the start and of the image.
    """

    contributions: Float64Array
    start: float
    end: float

    @property
    def gap(self) -> float:
        """How far the contributions are from adding up: 0 for a weighted sum, up to rounding."""
        return float(self.contributions.sum() - (self.end - self.start))


def is_attributable(head: Head) -> bool:
    """Whether `attribute` can share what a head gives: sums and small networks, and averages of those.

    Votes of neighbours, correlations with fingerprints, the best of several classes and deep networks it cannot.

    Examples
    --------
    >>> is_attributable(AverageHead([LinearHead([1.0], 0.0), MLPHead([([[1.0]], [0.0])])]))
    True
    """
    if isinstance(head, AverageHead):
        return all(is_attributable(part) for part in head.heads)
    return isinstance(head, LinearHead | MLPHead)


def attribute(head: Head, rows: npt.ArrayLike, start: npt.ArrayLike, *, steps: int = PATH_STEPS) -> Attribution:
    """Share the difference between two raw outputs among the features.

    Parameters
    ----------
    head : LinearHead, MLPHead or AverageHead
        See `is_attributable`.
    rows : array_like of shape (T, D)
        Standardised features of one image. With several tiles, contributions and outputs are means over them, as a
        model's raw output is.
    start : array_like of shape (D,)
        Standardised features to compare with.
    steps : int >= 1
        Points at which a network's gradient is taken.

    Returns
    -------
    attribution : Attribution

    Raises
    ------
    ShapeError
        If `rows` or `start` do not have the number of features that the head accepts.
    ParameterError
        If `steps` is not positive, or the head is of a kind without gradients.

    Notes
    -----
    A network that clips its features is attributed between the clipped ends, between which nothing is clipped.

    Examples
    --------
    >>> head = LinearHead([2.0, -1.0], 0.5)
    >>> found = attribute(head, [[3.0, 1.0]], start=[1.0, 0.0])
    >>> found.contributions.tolist(), found.start, found.end
    ([4.0, -1.0], 2.5, 5.5)
    """
    values = np.asarray(rows, np.float32)
    origin = np.asarray(start, np.float32)
    if values.ndim != 2 or origin.shape != values.shape[1:] or len(origin) != head.n_features or not len(values):
        raise ShapeError(
            f"rows and start must have shapes (T, {head.n_features}) and ({head.n_features},), "
            f"got {values.shape} and {origin.shape}"
        )
    if steps < 1:
        raise ParameterError(f"steps must be at least 1, got {steps}")
    contributions = np.mean([_contributions(head, row, origin, steps) for row in values], axis=0)
    return Attribution(contributions, float(head.decide(origin[np.newaxis])[0]), float(head.decide(values).mean()))


def _contributions(head: Any, row: Float32Array, start: Float32Array, steps: int) -> Float64Array:
    if isinstance(head, LinearHead):
        return np.asarray((row.astype(np.float64) - start) * head.weights)
    if isinstance(head, AverageHead):
        return np.asarray(np.mean([_contributions(part, row, start, steps) for part in head.heads], axis=0))
    if isinstance(head, MLPHead):
        return _along_path(head, row, start, steps)
    raise MismatchError(f"head must be linear, mlp or average, got {getattr(head, 'name', head)!r}")


def _along_path(head: MLPHead, row: Float32Array, start: Float32Array, steps: int) -> Float64Array:
    """Integrate a network's gradient by the midpoint rule.

    The first layer is linear, so the path is straight there too: only its ends are multiplied with the large matrix.
    """
    ends = np.stack([start, row]).astype(np.float64)
    if head.clip is not None:
        ends = np.clip(ends, -head.clip, head.clip)
    weights, bias = head.layers[0]
    below, above = ends @ weights.astype(np.float64) + bias
    gradient = np.zeros(weights.shape[1])
    for first in range(0, steps, _STEPS_AT_ONCE):
        points = (np.arange(first, min(first + _STEPS_AT_ONCE, steps)) + 0.5) / steps
        gradient += _backwards(head, below + points[:, np.newaxis] * (above - below)).sum(axis=0)
    return np.asarray((ends[1] - ends[0]) * (weights @ (gradient / steps)))


def _backwards(head: MLPHead, inputs: Float64Array) -> Float64Array:
    """Gradient of the output by what the first layer gives, shape (steps, units)."""
    given = [inputs]
    for weights, bias in head.layers[1:]:
        given.append(_activation(head, given[-1]) @ weights + bias)
    gradient = np.ones((len(inputs), 1))
    for (weights, _), values in zip(head.layers[:0:-1], given[-2::-1], strict=True):
        gradient = (gradient @ weights.T) * _slope(head, values)
    return gradient


def _activation(head: MLPHead, values: Float64Array) -> Float64Array:
    return np.maximum(values, 0) if head.activation == "relu" else np.tanh(values)


def _slope(head: MLPHead, values: Float64Array) -> Float64Array:
    return np.asarray(values > 0, np.float64) if head.activation == "relu" else 1 - np.tanh(values) ** 2
