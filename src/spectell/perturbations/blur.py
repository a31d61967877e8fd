"""Gaussian blur, which wipes out the high frequencies that up-sampling leaves."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError
from spectell.perturbations.base import Pixels, check_image, check_range, check_shape, listed

__all__ = ["GaussianBlur", "sigma_of_kernel"]

TRUNCATE = 3.0
"""Standard deviations that a kernel of free size reaches: what lies outside weighs 0.3 %."""


def sigma_of_kernel(kernel_size: int) -> float:
    """Return the standard deviation, in pixels, that OpenCV gives a Gaussian kernel when only its size is stated.

    Frank et al. state sizes only, and used OpenCV.

    Examples
    --------
    >>> [round(sigma_of_kernel(size), 2) for size in (3, 5, 7, 9)]
    [0.8, 1.1, 1.4, 1.7]
    """
    return 0.3 * ((kernel_size - 1) / 2 - 1) + 0.8


@dataclass(frozen=True, slots=True)
class GaussianBlur:
    """Convolve rows and columns with a sampled Gaussian of unit sum; the image is mirrored at its edges.

    Parameters
    ----------
    min_sigma, max_sigma : float > 0 or both None
        Bounds of the standard deviation, in pixels, drawn uniformly. None derives it from the kernel size
        (`sigma_of_kernel`), which must then be given.
    kernel_sizes : tuple of odd int, optional
        Sizes of which one is drawn, in pixels. By default the kernel reaches three standard deviations. [1]_ uses
        3, 5, 7 and 9.

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
    A single bright pixel is spread in proportion 1 : 2 : 1 by a kernel whose neighbours weigh half the centre:

    >>> image = np.zeros((3, 5, 3), np.uint8)
    >>> image[:, 2] = 200
    >>> half = (1 / (2 * np.log(2))) ** 0.5
    >>> GaussianBlur().apply(image, {"sigma": half, "kernel_size": 3})[1, :, 0].tolist()
    [0, 50, 100, 50, 0]
    """

    min_sigma: float | None = 0.3
    max_sigma: float | None = 2.0
    kernel_sizes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if (self.min_sigma is None) != (self.max_sigma is None):
            raise ParameterError(
                f"min_sigma and max_sigma must both be numbers or both None, got {self.min_sigma!r}, {self.max_sigma!r}"
            )
        if self.min_sigma is not None and self.max_sigma is not None:
            check_range("sigma", self.min_sigma, self.max_sigma, within=(0.01, 100.0))
        elif self.kernel_sizes is None:
            raise ParameterError("kernel_sizes must be given where sigma is not, got None for both")
        if self.kernel_sizes is not None and not (
            self.kernel_sizes and all(size > 0 and size % 2 for size in self.kernel_sizes)
        ):
            raise ParameterError(f"kernel_sizes must be odd and positive, got {listed(self.kernel_sizes)}")

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
        """Pick the standard deviation and the kernel size."""
        check_shape(shape)
        size = int(rng.choice(self.kernel_sizes)) if self.kernel_sizes else 0
        if self.min_sigma is None or self.max_sigma is None:
            sigma = sigma_of_kernel(size)
        else:
            sigma = float(rng.uniform(self.min_sigma, self.max_sigma))
        return {"sigma": sigma, "kernel_size": size or 2 * math.ceil(TRUNCATE * sigma) + 1}

    def apply(self, image: Pixels, parameters: dict[str, Any]) -> Pixels:
        """Return the blurred image, of the same size."""
        from scipy.ndimage import correlate1d

        kernel = _kernel(parameters["sigma"], parameters["kernel_size"])
        rows = correlate1d(check_image(image), kernel, axis=0, output=np.float32, mode="mirror")
        blurred = correlate1d(rows, kernel, axis=1, output=np.float32, mode="mirror")
        np.rint(blurred, out=blurred)
        np.clip(blurred, 0, 255, out=blurred)  # a sum of 255 may come out a rounding error above it
        return np.ascontiguousarray(blurred.astype(np.uint8))

    def resulting_shape(self, shape: tuple[int, ...], parameters: dict[str, Any]) -> tuple[int, int]:  # noqa: ARG002
        """Return the size unchanged."""
        return check_shape(shape)


def _kernel(sigma: float, size: int) -> npt.NDArray[np.float64]:
    offsets = np.arange(size) - size // 2
    weights = np.exp(-0.5 * np.square(offsets / sigma))
    return np.asarray(weights / weights.sum())
