"""What the surroundings of single bins of a spectrum predict for them, if the spectrum is smooth there.

A running median is off wherever a spectrum bends: at the knee where the noise of rounding begins, beside the zeros of
a box filter, where two lines cross. A parabola through the bins around follows all of these, in one direction at
least, and no narrow peak.
"""

import math

import numpy as np
import numpy.typing as npt

__all__ = ["local_background"]

Float64Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1))
_NEAREST, _FARTHEST = 2.0, 8.5  # bins from the one in question: a Hann window makes a line 3 bins wide
_AROUND_ZERO = 3.0  # bins: what lies nearer to frequency zero bends more than any parabola
_ROUNDS = 20
_LEAST_NOISE = 1e-9  # of the largest value around: weights of less would leave a parabola through one or two bins


def local_background(values: Float64Array, noise: Float64Array, rows: Indices, columns: Indices) -> Float64Array:
    """Predict some bins from those around them: the highest of what parabolas along eight directions say.

    The highest, since a bin that lies on a ridge, such as the bright cross of a photograph's spectrum, has to be
    compared with the ridge. The parabolas are Huber's M-estimates, so that a neighbouring peak moves them little.

    Parameters
    ----------
    values : ndarray of shape (N, N)
        Log power, with frequency zero at ``[0, 0]`` and periodic.
    noise : ndarray of shape (N, N)
        Its standard error; beyond it an observation counts linearly and not by its square. Taken to be no less than
        1e-9 of the largest absolute value around a bin; positive where all values are zero.
    rows, columns : ndarray of shape (C,), int
        The bins in question.

    Returns
    -------
    background : ndarray of shape (C,)

    Examples
    --------
    A bowl, and a bin that sticks out of it by 5:

    >>> frequency = np.arange(64) - 32
    >>> bowl = (frequency**2 + 3.0 * frequency[:, None]) / 100
    >>> spot = bowl.copy()
    >>> spot[20, 20] += 5
    >>> at = np.array([20])
    >>> (spot[20, 20] - local_background(spot, np.ones((64, 64)), at, at)).round(6).tolist()
    [5.0]
    """
    predicted = [_along(values, noise, rows, columns, direction) for direction in _DIRECTIONS]
    return np.asarray(np.max(predicted, axis=0))


def _along(
    values: Float64Array, noise: Float64Array, rows: Indices, columns: Indices, direction: tuple[int, int]
) -> Float64Array:
    """Centre of the parabola through the bins on both sides in one direction."""
    size, step = len(values), math.hypot(*direction)
    steps = np.arange(math.ceil(_NEAREST / step), math.floor(_FARTHEST / step) + 1)
    steps = np.concatenate([-steps[::-1], steps])
    at = (rows[:, None] + steps * direction[0]) % size, (columns[:, None] + steps * direction[1]) % size
    distance = np.hypot(*(np.minimum(each, size - each) for each in at))
    believed = np.where(distance < _AROUND_ZERO, 1e-6, 1.0)  # not zero, which might leave too few for a parabola
    powers = (steps * step / _FARTHEST)[:, None] ** np.arange(3)
    observed = values[at]
    scale = np.maximum(noise[rows, columns, None], _LEAST_NOISE * np.abs(observed).max(axis=1, keepdims=True))
    weights = believed
    for _ in range(_ROUNDS):  # weighted least squares, again and again: a Huber estimate
        weighted = powers.T * weights[:, None, :]  # (C, 3, steps)
        coefficients = np.linalg.solve(weighted @ powers, weighted @ observed[..., None])
        weights = believed / np.maximum(np.abs(observed - (powers @ coefficients)[..., 0]) / scale, 1.0)
    # Where a direction leaves a narrow ridge, a parabola would shoot over it.
    return np.asarray(np.minimum(coefficients[:, 0, 0], np.where(believed == 1.0, observed, -np.inf).max(axis=1)))
