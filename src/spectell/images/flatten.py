"""Turn whatever a decoder left in memory into (H, W, 3) ``uint8`` RGB.

The rules keep the samples that the file stores. Alpha is dropped, not composited: blending with a background would
add edges and flat areas that nobody generated. Colour profiles are ignored. Reducing 16 bits keeps the high byte,
as Pillow does for colour. Work goes in strips of rows, so that no second copy of the whole image exists beside
Pillow's and the result.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["Pixels", "to_rgb"]

_WHOLE_PIXELS = 65_536
"""Pixels up to which an image is converted in one piece."""

_STRIP_PIXELS = 24_576
"""Else the pixels of a strip: 96 KiB in Pillow's memory, below the 128 KiB from which malloc maps fresh pages."""

_DEEP_MODES = frozenset({"I", "I;16", "I;16B", "I;16L", "I;16N", "F"})
_ALPHA_MODES = frozenset({"RGBA", "LA", "PA", "RGBa", "La"})
_STRAIGHT = {"RGBa": "RGBA", "La": "LA"}

Pixels = npt.NDArray[np.uint8]


def to_rgb(image: Image.Image, *, bits: int | None = None, negative: bool = False) -> tuple[Pixels, bool]:
    """Convert a loaded image of any mode.

    Parameters
    ----------
    image : PIL.Image.Image
        Loaded; its entry for transparency is removed.
    bits : int in [8, 16], optional
        Significant bits of a sample in the modes ``I;16`` and ``I``. Without it ``I;16`` has 16, and ``I`` is scaled
        by its values like ``F``: from [0, 1], [0, 255] or [0, 65535], the first that holds them all, else from their
        own range; NaN becomes black.
    negative : bool
        Whether 0 is white in a gray image of more than 8 bits a sample. (Pillow sees to that for fewer bits.)

    Returns
    -------
    pixels : ndarray of shape (H, W, 3), uint8
        C-contiguous and read-only.
    transparent : bool
        Whether some pixel is not opaque.

    Examples
    --------
    >>> pixels, transparent = to_rgb(Image.new("RGBA", (2, 1), (10, 20, 30, 0)))
    >>> pixels.tolist(), transparent
    ([[[10, 20, 30], [10, 20, 30]]], True)
    """
    transparent = _is_transparent(image)
    image.info.pop("transparency", None)  # else conversion would map one colour to transparency
    span = _value_range(image) if bits is None and image.mode in ("I", "F") else (0.0, 0.0)
    if image.width * image.height <= _WHOLE_PIXELS:
        pixels = _flatten(image, bits, span, negative)
    else:
        pixels = np.empty((image.height, image.width, 3), np.uint8)
        for top, strip in _strips(image):
            pixels[top : top + strip.height] = _flatten(strip, bits, span, negative)
    pixels.flags.writeable = False
    return pixels, transparent


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    if image.width * image.height <= _WHOLE_PIXELS:
        yield 0, image
        return
    rows = max(1, _STRIP_PIXELS // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _flatten(strip: Image.Image, bits: int | None, span: tuple[float, float], negative: bool) -> Pixels:
    if strip.mode in _DEEP_MODES:
        gray = _reduce(strip, bits, span, span[negative])
        return np.repeat((255 - gray if negative else gray)[:, :, np.newaxis], 3, axis=2)
    if strip.mode in _STRAIGHT:
        strip = strip.convert(_STRAIGHT[strip.mode])
    if strip.mode not in ("RGB", "RGBA"):
        strip = strip.convert("RGB")
    return np.frombuffer(strip.tobytes("raw", "RGB"), np.uint8).reshape(strip.height, strip.width, 3)


def _reduce(strip: Image.Image, bits: int | None, span: tuple[float, float], black: float) -> Pixels:
    values: npt.NDArray[Any] = np.asarray(strip)
    if strip.mode not in ("I", "F") or bits is not None:
        high_byte: Pixels = np.clip(values >> ((bits or 16) - 8), 0, 255).astype(np.uint8)
        return high_byte
    low, high = span
    with np.errstate(invalid="ignore"):  # a signalling NaN would warn
        wide = np.nan_to_num(values.astype(np.float64), nan=black, posinf=high, neginf=low)
    return np.rint((np.clip(wide, low, high) - low) * (255.0 / ((high - low) or 1.0))).astype(np.uint8)


def _value_range(image: Image.Image) -> tuple[float, float]:
    low, high = np.inf, -np.inf
    for _, strip in _strips(image):
        values: npt.NDArray[Any] = np.asarray(strip)
        finite = values[np.isfinite(values)]
        if finite.size:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
    if low > high:  # no finite value at all
        return 0.0, 1.0
    for white in (1.0, 255.0, 65535.0):
        if low >= 0 and high <= white:
            return 0.0, white
    return low, high


def _is_transparent(image: Image.Image) -> bool:
    if image.mode in _ALPHA_MODES:
        alpha = image.mode[-1]
        return any(_minimum(strip.getchannel(alpha)) < 255 for _, strip in _strips(image))
    if "transparency" not in image.info:
        return False
    if image.mode in _DEEP_MODES:
        return True  # a level is declared transparent; whether it occurs is not looked up
    return any(_minimum(strip.convert("RGBA").getchannel("A")) < 255 for _, strip in _strips(image))


def _minimum(channel: Image.Image) -> float:
    low, _ = channel.getextrema()
    return low if isinstance(low, int | float) else low[0]
