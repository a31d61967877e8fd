"""What every perturbation is: a draw, which can be recorded, and an application, which can be replayed.

A draw holds nothing but numbers, strings, lists and dictionaries, so it survives JSON unchanged; the same draw on the
same image gives the same pixels. Randomness enters through `draw` alone: where an application needs random numbers of
its own (noise), the draw holds their seed.
"""

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError

__all__ = ["Perturbation", "Pixels", "check_image", "check_range", "check_shape", "listed", "perturb"]

Pixels = npt.NDArray[np.uint8]
"""An image of shape (H, W, 3), RGB, of any size from 1 x 1."""


class Perturbation(Protocol):
    """A random change of an image, drawn and applied in two steps.

    The parameters are typed `Any` because their form is each perturbation's own business; that they survive JSON is
    not.
    """

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        """Pick the parameters for one image of `shape`, (H, W) or (H, W, 3)."""

    def apply(self, image: Pixels, parameters: Any) -> Pixels:
        """Return the changed image; `image` itself is left alone and shares no memory with the result."""

    def resulting_shape(self, shape: tuple[int, ...], parameters: Any) -> tuple[int, int]:
        """Height and width of the result for an image of `shape`, so that a later step can draw beforehand."""


def perturb(perturbation: Perturbation, image: Pixels, rng: np.random.Generator) -> tuple[Pixels, Any]:
    """Draw and apply at once, and return the result with its record.

    Parameters
    ----------
    perturbation : Perturbation
        What to do.
    image : ndarray of shape (H, W, 3), uint8
        RGB pixels.
    rng : Generator
        Source of the draw.

    Returns
    -------
    result : ndarray of shape (H', W', 3), uint8
    parameters : JSON value
        ``perturbation.apply(image, parameters)`` gives `result` again.

    Raises
    ------
    ShapeError
        If `image` is not an RGB image of 8 bit.

    Examples
    --------
    >>> from spectell.perturbations.noise import GaussianNoise
    >>> noise, image = GaussianNoise(min_sigma=2, max_sigma=2), np.full((4, 6, 3), 128, np.uint8)
    >>> result, parameters = perturb(noise, image, np.random.default_rng(0))
    >>> parameters["sigma"], bool((noise.apply(image, parameters) == result).all())
    (2.0, True)
    """
    check_image(image)
    parameters = perturbation.draw(rng, image.shape)
    return perturbation.apply(image, parameters), parameters


def check_image(image: Any) -> Pixels:
    """Return `image` if it is an RGB image of 8 bit with at least one pixel.

    Raises
    ------
    ShapeError
        If it is not.

    Examples
    --------
    >>> check_image(np.zeros((1, 2, 3), np.uint8)).shape
    (1, 2, 3)
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        found = f"{image.dtype} of shape {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ShapeError(f"image must be a uint8 array of shape (H, W, 3), got {found}; read files with read_image")
    if not image.size:
        raise ShapeError(f"image must have at least one pixel, got shape {image.shape}")
    pixels: Pixels = image
    return pixels


def check_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return height and width of a shape (H, W) or (H, W, 3).

    Raises
    ------
    ShapeError
        If it is neither, or has no pixel.

    Examples
    --------
    >>> check_shape((4, 6, 3))
    (4, 6)
    """
    if len(shape) not in (2, 3) or min(shape[:2]) < 1 or (len(shape) == 3 and shape[2] != 3):
        raise ShapeError(f"shape must be (H, W) or (H, W, 3) with at least one pixel, got {tuple(shape)}")
    return int(shape[0]), int(shape[1])


def check_range(name: str, low: float, high: float, *, within: tuple[float, float]) -> None:
    """Check the two ends of a range from which a parameter is drawn.

    Raises
    ------
    ParameterError
        If ``within[0] <= low <= high <= within[1]`` does not hold.

    Examples
    --------
    >>> check_range("quality", 10, 75, within=(1, 100))
    """
    floor, ceiling = within
    if not floor <= low <= high <= ceiling:
        raise ParameterError(
            f"{name} must satisfy {floor} <= min_{name} <= max_{name} <= {ceiling}, "
            f"got min_{name}={low!r}, max_{name}={high!r}"
        )


def listed(values: Iterable[object]) -> str:
    """Name values in a message, as a person would have typed them.

    Examples
    --------
    >>> listed((3, 4)), listed(("bicubic",)), listed(())
    ('3, 4', 'bicubic', 'none')
    """
    return ", ".join(map(str, values)) or "none"
