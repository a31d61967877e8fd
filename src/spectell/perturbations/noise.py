"""Sensor-like noise: independent Gaussian numbers added to every value."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from spectell.errors import ParameterError
from spectell.perturbations.base import Pixels, check_image, check_range, check_shape

__all__ = ["GaussianNoise"]


@dataclass(frozen=True, slots=True)
class GaussianNoise:
    """Add independent Gaussian noise to every pixel and channel, then round and clip to 0..255.

    Parameters
    ----------
    min_sigma, max_sigma : float >= 0
        Bounds of the standard deviation, in pixel values of 0 to 255, both included.
    uniform_in : {"sigma", "variance"}
        What is drawn uniformly. [1]_ draws the variance from U[5, 20], which is a standard deviation of 2.2 to 4.5;
        the authors' code uses the number drawn as the standard deviation itself.
    truncate : bool
        Cut the fraction off instead of rounding, which darkens the image by half a value. Only the authors' code
        wants that.

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
    >>> noise = GaussianNoise(min_sigma=3, max_sigma=5)
    >>> parameters = noise.draw(np.random.default_rng(0), (64, 64))
    >>> 3 <= parameters["sigma"] <= 5
    True
    >>> noisy = noise.apply(np.full((64, 64, 3), 128, np.uint8), {"sigma": 4.0, "seed": 1})
    >>> bool(3.9 < noisy.std() < 4.1)
    True
    """

    min_sigma: float = 0.0
    max_sigma: float = 5.0
    uniform_in: Literal["sigma", "variance"] = "sigma"
    truncate: bool = False

    def __post_init__(self) -> None:
        check_range("sigma", self.min_sigma, self.max_sigma, within=(0.0, 255.0))
        if self.uniform_in not in ("sigma", "variance"):
            raise ParameterError(f"uniform_in must be 'sigma' or 'variance', got {self.uniform_in!r}")

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
        """Pick the standard deviation and the seed of the noise itself."""
        check_shape(shape)
        if self.uniform_in == "variance":
            sigma = math.sqrt(rng.uniform(self.min_sigma**2, self.max_sigma**2))
        else:
            sigma = rng.uniform(self.min_sigma, self.max_sigma)
        # Below 2**53, so that a JSON reader that knows only doubles keeps every digit.
        return {"sigma": float(sigma), "seed": int(rng.integers(2**53))}

    def apply(self, image: Pixels, parameters: dict[str, Any]) -> Pixels:
        """Return the noisy image, of the same size."""
        check_image(image)
        noisy = np.random.default_rng(parameters["seed"]).standard_normal(image.shape, dtype=np.float32)
        noisy *= parameters["sigma"]
        noisy += image
        if not self.truncate:
            np.rint(noisy, out=noisy)
        np.clip(noisy, 0, 255, out=noisy)
        return noisy.astype(np.uint8)

    def resulting_shape(self, shape: tuple[int, ...], parameters: dict[str, Any]) -> tuple[int, int]:  # noqa: ARG002
        """Return the size unchanged."""
        return check_shape(shape)
