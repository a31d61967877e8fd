"""Crops: with the picture enlarged again, as in the paper, or with every pixel that is kept left as it was.

A crop of native pixels changes no frequency, but it moves the block grid of an earlier JPEG compression.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from spectell.errors import ParameterError, ShapeError
from spectell.perturbations.base import Pixels, check_image, check_range, check_shape
from spectell.perturbations.resize import check_kernels, resize

__all__ = ["MarginCrop", "OffsetCrop", "WindowCrop"]


def _cut(image: Pixels, parameters: dict[str, Any]) -> Pixels:
    top, left = parameters["top"], parameters["left"]
    height, width = parameters["height"], parameters["width"]
    window = check_image(image)[top : top + height, left : left + width]
    if window.shape[:2] != (height, width):  # a draw that was recorded for a larger image
        raise ShapeError(
            f"the window of {height} x {width} pixels at row {top}, column {left} must lie in the image, got "
            f"{image.shape[0]} x {image.shape[1]}; draw anew for this image"
        )
    return np.array(window, order="C")


@dataclass(frozen=True, slots=True)
class MarginCrop:
    """Cut the same share off height and width, half of it at either end, and enlarge the rest to the original size.

    Parameters
    ----------
    min_share, max_share : float in [0, 1)
        Bounds of the share of each side that is cut off, drawn uniformly. [1]_ uses 0.05 and 0.2.
    resize_back : bool
        Enlarge to the original size; otherwise the result is smaller.
    kernel : str
        Kernel of the enlargement, one of `spectell.perturbations.resize.KERNELS`.
    swap_sides : bool
        Enlarge to (width, height) instead of (height, width): what the authors' code does to an image that is not
        square.

    Raises
    ------
    ParameterError
        If a parameter does not fit the above.

    References
    ----------
    .. [1] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML.
       :arxiv:`2003.08685`

    Examples
    --------
    A fifth of 100 rows and 50 columns is 20 and 10:

    >>> crop = MarginCrop(min_share=0.2, max_share=0.2)
    >>> parameters = crop.draw(np.random.default_rng(0), (100, 50))
    >>> parameters
    {'top': 10, 'left': 5, 'height': 80, 'width': 40}
    >>> crop.apply(np.zeros((100, 50, 3), np.uint8), parameters).shape
    (100, 50, 3)
    """

    min_share: float = 0.05
    max_share: float = 0.2
    resize_back: bool = True
    kernel: str = "bicubic"
    swap_sides: bool = False

    def __post_init__(self) -> None:
        check_range("share", self.min_share, self.max_share, within=(0.0, 0.99))
        check_kernels((self.kernel,))
        if self.swap_sides and not self.resize_back:
            raise ParameterError("swap_sides must not be set without resize_back, got True; nothing would be swapped")

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
        """Pick the window that is kept, at least 1 x 1, in pixels of the original."""
        height, width = check_shape(shape)
        share = rng.uniform(self.min_share, self.max_share)
        # Half a side, rounded down, never reaches the other half: at least one row and one column are left.
        top, left = (min(int(side * share / 2), (side - 1) // 2) for side in (height, width))
        return {"top": top, "left": left, "height": height - 2 * top, "width": width - 2 * left}

    def apply(self, image: Pixels, parameters: dict[str, Any]) -> Pixels:
        """Return the window, at its own size or enlarged."""
        window = _cut(image, parameters)
        if not self.resize_back:
            return window
        return resize(window, *self.resulting_shape(image.shape, parameters), self.kernel)

    def resulting_shape(self, shape: tuple[int, ...], parameters: dict[str, Any]) -> tuple[int, int]:
        """Return the original size, or that of the window where nothing is enlarged."""
        if not self.resize_back:
            return parameters["height"], parameters["width"]
        height, width = check_shape(shape)
        return (width, height) if self.swap_sides else (height, width)


@dataclass(frozen=True, slots=True)
class OffsetCrop:
    """Cut a few rows off the top and a few columns off the left; every pixel that is kept stays as it was.

    Parameters
    ----------
    max_offset : int >= 0
        Most rows, and most columns, that are cut off; each count from 0 to this one is equally likely. 7 puts an
        8 x 8 grid at any position, 15 also that of halved chroma.

    Raises
    ------
    ParameterError
        If `max_offset` is negative.

    Examples
    --------
    >>> crop = OffsetCrop()
    >>> image = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    >>> cropped = crop.apply(image, {"top": 1, "left": 3, "height": 3, "width": 2})
    >>> bool((cropped == image[1:, 3:]).all())
    True
    """

    max_offset: int = 7

    def __post_init__(self) -> None:
        if self.max_offset < 0:
            raise ParameterError(f"max_offset must be at least 0, got {self.max_offset!r}")

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
        """Pick the window that is kept, at least 1 x 1."""
        height, width = check_shape(shape)
        top, left = (int(rng.integers(min(self.max_offset, side - 1) + 1)) for side in (height, width))
        return {"top": top, "left": left, "height": height - top, "width": width - left}

    def apply(self, image: Pixels, parameters: dict[str, Any]) -> Pixels:
        """Return the window."""
        return _cut(image, parameters)

    def resulting_shape(self, shape: tuple[int, ...], parameters: dict[str, Any]) -> tuple[int, int]:  # noqa: ARG002
        """Return the size of the window."""
        return parameters["height"], parameters["width"]


@dataclass(frozen=True, slots=True)
class WindowCrop:
    """Cut a window of fixed size out of a random place; every pixel that is kept stays as it was.

    Parameters
    ----------
    height, width : int > 0
        Size of the window, in pixels. An image that is smaller on a side keeps that side.
    strict : bool
        Refuse an image that is smaller on a side, with `ShapeError` when a window is drawn, instead of keeping it.

    Raises
    ------
    ParameterError
        If a side is not positive.

    Examples
    --------
    >>> crop = WindowCrop(height=8, width=8)
    >>> parameters = crop.draw(np.random.default_rng(0), (100, 6))
    >>> parameters["left"], crop.resulting_shape((100, 6), parameters)
    (0, (8, 6))
    """

    height: int = 256
    width: int = 256
    strict: bool = False

    def __post_init__(self) -> None:
        if self.height < 1 or self.width < 1:
            raise ParameterError(f"height and width must be at least 1, got {self.height!r} and {self.width!r}")

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
        """Pick the window; every position that fits is equally likely.

        Raises
        ------
        ShapeError
            If the image is smaller than the window, and `strict` is set.
        """
        sides = check_shape(shape)
        if self.strict and (sides[0] < self.height or sides[1] < self.width):
            raise ShapeError(
                f"an image must be at least as large as the window, {self.height} x {self.width} pixels, got "
                f"{sides[0]} x {sides[1]}; choose a smaller window"
            )
        height, width = min(self.height, sides[0]), min(self.width, sides[1])
        top, left = int(rng.integers(sides[0] - height + 1)), int(rng.integers(sides[1] - width + 1))
        return {"top": top, "left": left, "height": height, "width": width}

    def apply(self, image: Pixels, parameters: dict[str, Any]) -> Pixels:
        """Return the window."""
        return _cut(image, parameters)

    def resulting_shape(self, shape: tuple[int, ...], parameters: dict[str, Any]) -> tuple[int, int]:  # noqa: ARG002
        """Return the size of the window."""
        return parameters["height"], parameters["width"]
