"""Resizing, which moves every frequency and cuts off those that no longer fit."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from spectell.errors import ParameterError
from spectell.perturbations.base import Pixels, check_image, check_range, check_shape, listed

__all__ = ["KERNELS", "Resize", "resize"]

KERNELS = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
"""Pillow's kernels. All but `nearest` are widened when an image shrinks, and so guard against aliasing."""


def resize(image: Pixels, height: int, width: int, kernel: str = "bicubic") -> Pixels:
    """Return `image` at exactly this size, in pixels.

    Raises
    ------
    ShapeError
        If `image` is not an RGB image of 8 bit.

    Examples
    --------
    >>> resize(np.zeros((4, 6, 3), np.uint8), height=2, width=9).shape
    (2, 9, 3)
    """
    pixels = np.ascontiguousarray(check_image(image))
    return np.array(Image.fromarray(pixels).resize((width, height), KERNELS[kernel]), order="C")


def check_kernels(kernels: tuple[str, ...]) -> None:
    """Check names of kernels.

    Raises
    ------
    ParameterError
        If there is none, or one is not in `KERNELS`.

    Examples
    --------
    >>> check_kernels(("bicubic",))
    """
    if not kernels or not set(kernels) <= set(KERNELS):
        raise ParameterError(f"kernels must be some of {', '.join(KERNELS)}, got {listed(kernels)}")


@dataclass(frozen=True, slots=True)
class Resize:
    """Scale both sides by one random factor, and back to the original size if asked.

    Parameters
    ----------
    min_scale, max_scale : float > 0
        Bounds of the factor, whose logarithm is drawn uniformly: halving is as likely as doubling.
    kernels : tuple of str
        Kernels (`KERNELS`) of which one is drawn; repeat one to make it likelier.
    restore : bool
        Resize back to the original size, with a kernel drawn anew.

    Raises
    ------
    ParameterError
        If a parameter does not fit the above.

    Examples
    --------
    >>> halve = Resize(min_scale=0.5, max_scale=0.5, kernels=("box",))
    >>> parameters = halve.draw(np.random.default_rng(0), (4, 7))
    >>> parameters
    {'height': 2, 'width': 4, 'kernel': 'box'}
    >>> halve.apply(np.zeros((4, 7, 3), np.uint8), parameters).shape
    (2, 4, 3)
    """

    min_scale: float = 0.5
    max_scale: float = 2.0
    kernels: tuple[str, ...] = ("bilinear", "bicubic", "lanczos")
    restore: bool = False

    def __post_init__(self) -> None:
        check_range("scale", self.min_scale, self.max_scale, within=(0.01, 100.0))
        check_kernels(self.kernels)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
        """Pick the size in pixels, at least 1 x 1, and the kernel, or both kernels."""
        scale = math.exp(rng.uniform(math.log(self.min_scale), math.log(self.max_scale)))
        height, width = (max(1, math.floor(side * scale + 0.5)) for side in check_shape(shape))
        parameters = {"height": height, "width": width, "kernel": self._kernel(rng)}
        return parameters | {"kernel_back": self._kernel(rng)} if self.restore else parameters

    def _kernel(self, rng: np.random.Generator) -> str:
        return self.kernels[int(rng.integers(len(self.kernels)))]

    def apply(self, image: Pixels, parameters: dict[str, Any]) -> Pixels:
        """Return the resized image."""
        resized = resize(image, parameters["height"], parameters["width"], parameters["kernel"])
        if "kernel_back" not in parameters:
            return resized
        return resize(resized, image.shape[0], image.shape[1], parameters["kernel_back"])

    def resulting_shape(self, shape: tuple[int, ...], parameters: dict[str, Any]) -> tuple[int, int]:
        """Return the size that was drawn, or the original one where it is restored."""
        return check_shape(shape) if "kernel_back" in parameters else (parameters["height"], parameters["width"])
