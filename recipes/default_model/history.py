"""What happens to a picture between its making and us, drawn alike for both classes.

Photographs reach us after a JPEG, generated images often before one. If the two had different later histories, a
detector would learn the history. So every training view of either class is cut at a random offset, sometimes gets an
earlier JPEG, is sometimes resized, blurred or made noisy, and mostly compressed again, from one distribution.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from spectell.perturbations import (
    GaussianBlur,
    GaussianNoise,
    JpegRecompression,
    OffsetCrop,
    Resize,
    Sequence,
    Sometimes,
    WebpRecompression,
    WindowCrop,
    perturb,
)

__all__ = ["CONDITIONS", "draw_view", "under_condition"]

Pixels = npt.NDArray[np.uint8]
SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
KERNELS = ("bilinear", "bicubic", "lanczos", "box", "hamming")
GREY_SHARE = 0.06
"""Views without colour, of either class: photographs without colour are no stranger than others."""
SMALLEST_SIDE = 48
"""Below this an image is not cut or reduced, since the model needs 32 pixels."""

_EARLY_JPEG = Sometimes(JpegRecompression(70, 98, SUBSAMPLINGS), 0.3)
_OFFSET = Sometimes(OffsetCrop(7), 0.5)
_DAMAGE = Sequence([Sometimes(GaussianBlur(0.3, 1.4), 0.12), Sometimes(GaussianNoise(0.5, 8.0), 0.12)])
_LATE_JPEG = JpegRecompression(45, 98, SUBSAMPLINGS)
_LATE_WEBP = WebpRecompression(50, 97, method=2)

CONDITIONS = {
    "clean": None,
    "jpeg 90": JpegRecompression(90, 90),
    "jpeg 75": JpegRecompression(75, 75),
    "jpeg 50": JpegRecompression(50, 50),
    "resize 0.75": Resize(0.75, 0.75, ("bicubic",)),
    "resize 0.5": Resize(0.5, 0.5, ("bicubic",)),
    "blur 1": GaussianBlur(1.0, 1.0),
    "noise 4": GaussianNoise(4.0, 4.0),
}
"""The conditions of the report; blur and noise by their standard deviation, in pixels and in pixel values."""


def draw_view(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """One training view: native pixels of a window, after a random history."""
    view = _window(pixels, rng)
    small = min(view.shape[:2]) < SMALLEST_SIDE
    if rng.random() < GREY_SHARE:
        view = _grey(view)
    view = _apply(_EARLY_JPEG, view, rng)
    if not small:
        view = _apply(_OFFSET, view, rng)
    if rng.random() < 0.4:
        scale = float(np.exp(rng.uniform(np.log(0.4), np.log(1.4))))
        scale = max(scale, 32.5 / min(view.shape[:2]))
        if not (small and scale < 1):
            view = _apply(Resize(scale, scale, KERNELS), view, rng)
    view = _apply(_DAMAGE, view, rng)
    late = rng.random()
    if late < 0.63:
        view = _apply(_LATE_JPEG if late < 0.55 else _LATE_WEBP, view, rng)
    return view


def under_condition(pixels: Pixels, condition: str, rng: np.random.Generator) -> Pixels | None:
    """Return the whole picture under a condition of the report; None where it would be too small for the model."""
    perturbation = CONDITIONS[condition]
    if perturbation is None:
        return pixels
    if isinstance(perturbation, Resize) and min(pixels.shape[:2]) * perturbation.max_scale < 32:
        return None
    return _apply(perturbation, pixels, rng)


def _window(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Native pixels of a window of 96 to 448 on a side, so that size says nothing about the class."""
    height, width = pixels.shape[:2]
    if min(height, width) <= 40:
        return pixels
    side = int(np.exp(rng.uniform(np.log(96), np.log(448))))
    margins = rng.integers(0, 8, size=2)
    window = WindowCrop(min(height - int(margins[0]), side), min(width - int(margins[1]), side))
    return _apply(window, pixels, rng)


def _grey(pixels: Pixels) -> Pixels:
    luma = np.asarray(Image.fromarray(pixels).convert("L"))
    return np.repeat(luma[:, :, np.newaxis], 3, axis=2)


def _apply(perturbation: object, pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return perturb(perturbation, pixels, rng)[0]  # type: ignore[arg-type]
