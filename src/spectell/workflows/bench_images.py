"""Images that are as hard to decode as photographs, and the plain decoding that a scan is compared with.

Imported by processes that do nothing else: NumPy and Pillow alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["decode", "natural_image", "write_image"]

_LARGEST_SIDE = 2048
"""Larger images repeat a smaller one: they decode as slowly, and are made in a fraction of the time."""


def natural_image(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return an image whose amplitude falls with frequency as in photographs, with correlated channels and some grain.

    Parameters
    ----------
    rng : Generator
    height, width : int
        In pixels.

    Returns
    -------
    image : ndarray of shape (height, width, 3), uint8

    References
    ----------
    .. [1] Field (1987). Relations between the statistics of natural images and the response properties of cortical
       cells. JOSA A 4(12), 2379-2394. :doi:`10.1364/JOSAA.4.002379`

    Examples
    --------
    >>> image = natural_image(np.random.default_rng(0), 32, 48).astype(float)
    >>> image.shape, bool(np.diff(image, axis=1).std() < image.std())  # neighbours are alike
    ((32, 48, 3), True)
    """
    radius = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.rfftfreq(width))
    radius[0, 0] = np.inf
    planes = []
    for _ in range(3):
        spectrum = np.fft.rfft2(rng.normal(size=(height, width)).astype(np.float32)) / radius
        plane = np.fft.irfft2(spectrum, s=(height, width))
        planes.append((plane / plane.std()).astype(np.float32))
    luma = planes[0]
    image = np.stack([luma + 0.25 * plane for plane in planes], axis=-1)
    grain = rng.normal(scale=1.5, size=(height, width, 1)).astype(np.float32)
    return np.clip(np.rint(120 + 45 * image + grain), 0, 255).astype(np.uint8)


def write_image(path: Path, size: tuple[int, int], seed: int, quality: int = 85) -> Path:
    """Write an image of `size` (height, width) as PNG or, with a suffix ``.jpg``, as JPEG; return its path."""
    times = -(-max(size) // _LARGEST_SIDE)
    part = natural_image(np.random.default_rng(seed), -(-size[0] // times), -(-size[1] // times))
    options: dict[str, Any] = {"quality": quality} if path.suffix == ".jpg" else {}
    Image.fromarray(np.tile(part, (times, times, 1))[: size[0], : size[1]]).save(path, **options)
    return path


def decode(path: Path) -> tuple[int, ...]:
    """Decode a file to RGB pixels with Pillow; return their shape."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).shape
