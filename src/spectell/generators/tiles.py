"""Networks of bounded reach on pictures of any size: padding to what the network takes, tiles where it is large.

A tile is cut with a margin on every side where the picture goes on, and the margin of the result is cut off again.
Where the margin covers the network's reach the tiles give what the whole picture would have given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError

__all__ = ["apply_in_tiles"]

PixelArray = npt.NDArray[np.uint8]


def apply_in_tiles(
    function: Callable[[PixelArray], PixelArray], image: PixelArray, *, multiple: int, margin: int, tile: int
) -> PixelArray:
    """Apply a function that keeps the size of images to a picture of any size.

    Parameters
    ----------
    function : callable
        Takes and returns an image (h, w, 3), uint8, whose sides are multiples of `multiple`.
    image : ndarray of shape (H, W, 3), uint8
        Repeated in mirror image at the bottom and the right, up to the next multiple; what comes of that is cut off.
    multiple : int > 0
    margin : int >= 0
        Pixels around a tile that the function sees too; a multiple of `multiple`.
    tile : int > 0
        Side of a tile without its margin; a multiple of `multiple`. A picture of at most ``(tile + 2 margin)**2``
        pixels is done whole.

    Returns
    -------
    result : ndarray of shape (H, W, 3), uint8

    Raises
    ------
    ShapeError
        If `image` is not of shape (H, W, 3), or has no pixels.
    ParameterError
        If `image` is not uint8, or `margin` or `tile` is no multiple.

    Examples
    --------
    >>> ramp = np.arange(30, dtype=np.uint8).reshape(5, 2, 3)
    >>> sizes = []
    >>> def note(part):
    ...     sizes.append(part.shape[:2])
    ...     return part
    >>> bool((apply_in_tiles(note, ramp, multiple=2, margin=0, tile=2) == ramp).all()), sizes
    (True, [(2, 2), (2, 2), (2, 2)])
    """
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ShapeError(f"image must have the shape (H, W, 3) with at least one pixel, got {image.shape}")
    if image.dtype != np.uint8:
        raise ParameterError(f"image must be uint8 with values 0 to 255, got {image.dtype}")
    if multiple < 1 or margin < 0 or tile < 1 or margin % multiple or tile % multiple:
        raise ParameterError(f"margin and tile must be multiples of {multiple}, got {margin} and {tile}")
    height, width = image.shape[:2]
    padded = np.pad(image, ((0, -height % multiple), (0, -width % multiple), (0, 0)), mode="symmetric")
    rows, columns = padded.shape[:2]
    if rows * columns <= (tile + 2 * margin) ** 2:
        return np.ascontiguousarray(function(padded)[:height, :width])
    result = np.empty_like(padded)
    for top, bottom in _spans(rows, tile):
        for left, right in _spans(columns, tile):
            above, before = max(top - margin, 0), max(left - margin, 0)
            part = np.ascontiguousarray(padded[above : bottom + margin, before : right + margin])
            done = function(part)
            result[top:bottom, left:right] = done[top - above : bottom - above, left - before : right - before]
    return np.ascontiguousarray(result[:height, :width])


def _spans(size: int, tile: int) -> Iterator[tuple[int, int]]:
    for start in range(0, size, tile):
        yield start, min(start + tile, size)
