"""Some rows of a large image's transform, without the rest of it.

A detector with millions of features goes through them a few coefficient rows at a time. The columns of an image are
transformed first, a strip of neighbouring ones at a time: a strip fits the processor's cache, where a whole image's
columns, whose pixels lie kilobytes apart, take three times as long. Only the rows that are wanted are transformed along
the other axis. The bits of a row do not depend on which others are asked for.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ShapeError
from spectell.transforms.dct import MATRIX_LIMIT, dct2

__all__ = ["dct2_rows"]

_STRIP = 64
"""Columns that are transformed together; with three channels of `float32` and 1024 rows they take 800 kB."""


def dct2_rows(image: npt.NDArray[Any], start: int, stop: int) -> npt.NDArray[np.float32]:
    """Rows `start` to `stop` of `dct2` of one image.

    Parameters
    ----------
    image : ndarray of shape (H, W, C)
        Pixel values, any real dtype; the transform is computed in `float32`.
    start, stop : int
        ``0 <= start < stop <= H``: vertical frequencies, lowest first.

    Returns
    -------
    coefficients : ndarray of shape (stop - start, W, C), float32
        Equal to ``dct2(image)[start:stop]`` up to rounding.

    Raises
    ------
    ShapeError
        If the image has other axes, or no such rows.

    See Also
    --------
    spectell.transforms.dct2 : All rows.

    Examples
    --------
    The mean of a flat image is in the first row, and nothing in the second:

    >>> image = np.full((4, 4, 1), 10, np.uint8)
    >>> np.abs(dct2_rows(image, 0, 2)[:, 0, 0]).round(3).tolist()
    [40.0, 0.0]
    """
    if image.ndim != 3 or not 0 <= start < stop <= image.shape[0]:
        raise ShapeError(f"an image of shape (H, W, C) has rows 0 to H, got {start} to {stop} of {image.shape}")
    height, width, channels = image.shape
    if max(height, width) <= MATRIX_LIMIT:
        return np.asarray(dct2(image.astype(np.float32))[start:stop], np.float32)
    from scipy import fft  # 70 ms that a verdict on one file does not need

    kept = np.empty((stop - start, width, channels), np.float32)
    for left in range(0, width, _STRIP):
        strip = image[:, left : left + _STRIP].astype(np.float32)
        kept[:, left : left + _STRIP] = fft.dct(strip, norm="ortho", axis=0, overwrite_x=True)[start:stop]
    return np.asarray(fft.dct(kept, norm="ortho", axis=1, overwrite_x=True), np.float32)
