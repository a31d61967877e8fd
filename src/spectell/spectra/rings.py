"""Which ring around zero frequency each coefficient of a transform belongs to.

Every frequency is in cycles per pixel on its own axis, never an index, so rings are circles for images that are not
square too. Every coefficient belongs to exactly one ring, and DC has ring 0 to itself.
"""

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError

__all__ = ["RING_TIE", "Rings", "Transform", "coefficient_rings"]

Float64Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
Transform = Literal["dct", "dft"]

RING_TIE = 1e-9
"""What rounding may take from a radius that lies on the border of two rings, in widths of a ring."""


class Rings(NamedTuple):
    """Where the coefficients of a transform lie; every array has its shape.

    Attributes
    ----------
    radius : ndarray of shape (H, W), float64
        Distance from zero frequency, 0 to sqrt(1/2) cycles per pixel.
    ring : ndarray of shape (H, W), intp
        Number of the ring, 0 for DC alone. Not every number between 0 and the largest need occur.
    angle : ndarray of shape (H, W), float64
        To the horizontal frequency axis, 0 to 90 degrees.
    """

    radius: Float64Array
    ring: IntArray
    angle: Float64Array


def coefficient_rings(shape: tuple[int, int], *, transform: Transform = "dct") -> Rings:
    """Radius, ring and angle of every coefficient.

    Rings are ``1 / max(H, W)`` cycles per pixel wide. Ring b > 0 holds the radii from ``(b - 1/2) / max(H, W)``,
    included, to ``(b + 1/2) / max(H, W)``; ring 0 holds DC and nothing else, what else is nearer than the first ring
    counts there.

    Parameters
    ----------
    shape : tuple of int, (H, W)
        Of the transform, at least 1 x 1.
    transform : {"dct", "dft"}
        ``"dct"``: DC first, coefficient k of N at ``k / (2 N)`` cycles per pixel. ``"dft"``: all of
        ``numpy.fft.fft2``, unshifted.

    Returns
    -------
    rings : Rings

    Raises
    ------
    ParameterError
        If `transform` is not one of the two.

    Examples
    --------
    The frequencies of a DCT of 4 are 0, 1/8, 1/4 and 3/8; ring 1 reaches from 1/8 to 3/8:

    >>> coefficient_rings((1, 4)).ring.tolist(), coefficient_rings((1, 4), transform="dft").ring.tolist()
    ([[0, 1, 1, 2]], [[0, 1, 2, 1]])
    """
    height, width = shape
    vertical, horizontal = _halves(height, transform), _halves(width, transform)
    longest = max(height, width)
    # In units of rings, so that a border between rings is a half and exact for square images.
    down, across = vertical * longest / (2 * height), horizontal * longest / (2 * width)
    radius = np.hypot(down[:, np.newaxis], across)
    ring = np.maximum(np.floor(radius + 0.5 + RING_TIE), 1).astype(np.intp)
    ring[0, 0] = 0
    angle = np.degrees(np.arctan2((vertical / height)[:, np.newaxis], horizontal / width))
    return Rings(radius / longest, ring, angle)


def _halves(n: int, transform: Transform) -> IntArray:
    """Absolute frequencies of one axis, in half periods over its length."""
    index = np.arange(n)
    if transform == "dct":
        return index
    if transform == "dft":
        return 2 * np.minimum(index, n - index)
    raise ParameterError(f"transform must be 'dct' or 'dft', got {transform!r}")
