"""Decode an ordinary JPEG straight to RGB, by the library that Pillow uses too, without Pillow's detour.

Pillow decodes to four bytes a pixel and has them packed to three afterwards, which costs a fifth of a photograph's
decoding. simplejpeg calls libjpeg-turbo for three bytes at once, with the same accurate transform and smooth colours,
and so returns the same pixels. Whatever it does not like, Pillow judges: one decoder decides what is damaged.
"""

from __future__ import annotations

from typing import IO

import numpy as np
import numpy.typing as npt

from spectell.images.sources import read_unless_large

__all__ = ["decode_rgb"]


def decode_rgb(stream: IO[bytes], height: int, width: int) -> npt.NDArray[np.uint8] | None:
    """Decode a JPEG of three components, or return None where Pillow should.

    Parameters
    ----------
    stream : seekable binary file
        Holds a JPEG from its start; its position changes.
    height, width : int
        What Pillow read of the header; a file that says two different things is Pillow's.

    Returns
    -------
    pixels : ndarray of shape (height, width, 3), uint8, or None
        None if the file is large, damaged in any way, not of that size, or simplejpeg cannot be imported.

    Examples
    --------
    >>> import io
    >>> print(decode_rgb(io.BytesIO(b"no JPEG"), 1, 1))
    None
    """
    try:
        import simplejpeg
    except ImportError:  # a platform without its wheels: slower, and otherwise the same
        return None
    data = read_unless_large(stream)
    if data is None:
        return None
    try:
        if tuple(simplejpeg.decode_jpeg_header(data, strict=True)[:2]) != (height, width):
            return None
        pixels: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(data, colorspace="RGB", strict=True)
    except ValueError:
        return None
    return pixels if pixels.shape == (height, width, 3) else None
