"""WebP compression, which most pictures on the web have gone through by now."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from spectell.errors import MismatchError, ParameterError
from spectell.perturbations.base import Pixels, check_image, check_range, check_shape
from spectell.perturbations.files import EncodedFile

__all__ = ["MAX_SIDE", "WebpRecompression"]

MAX_SIDE = 16_383
"""Pixels that a side of a WebP image may have."""


@dataclass(frozen=True, slots=True)
class WebpRecompression:
    """Compress with the lossy codec of WebP and decompress once.

    Parameters
    ----------
    min_quality, max_quality : int in [0, 100]
        Bounds of libwebp's quality factor, both included; 75 is what most programs use.
    method : int in [0, 6]
        Effort of the encoder: 0 is fastest, 4 the library's default, 6 slowest.

    Raises
    ------
    ParameterError
        If a parameter does not fit the above.

    Notes
    -----
    Colour is always stored at half the resolution (4:2:0), and no side may exceed 16,383 pixels.

    Examples
    --------
    >>> webp = WebpRecompression(min_quality=50, max_quality=60)
    >>> parameters = webp.draw(np.random.default_rng(0), (5, 7))
    >>> 50 <= parameters["quality"] <= 60, webp.apply(np.zeros((5, 7, 3), np.uint8), parameters).shape
    (True, (5, 7, 3))
    """

    min_quality: int = 50
    max_quality: int = 95
    method: int = 4

    def __post_init__(self) -> None:
        check_range("quality", self.min_quality, self.max_quality, within=(0, 100))
        if self.method not in range(7):
            raise ParameterError(f"method must be an integer from 0 to 6, got {self.method!r}")

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
        """Pick the quality."""
        check_shape(shape)
        return {"quality": int(rng.integers(self.min_quality, self.max_quality, endpoint=True))}

    def apply(self, image: Pixels, parameters: dict[str, Any]) -> Pixels:
        """Return the image after one encode and decode, of the same size."""
        with Image.open(io.BytesIO(self.encode(image, parameters).content)) as decoded:
            return np.array(decoded.convert("RGB"), order="C")

    def encode(self, image: Pixels, parameters: dict[str, Any]) -> EncodedFile:
        """Return the WebP file.

        Raises
        ------
        ParameterError
            If a side exceeds what the format allows.
        """
        pixels = np.ascontiguousarray(check_image(image))
        if max(pixels.shape[:2]) > MAX_SIDE:
            raise MismatchError(
                f"an image for WebP must have at most {MAX_SIDE:,} pixels a side, got {pixels.shape[0]:,} x "
                f"{pixels.shape[1]:,}; crop or resize it first"
            )
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format="WEBP", quality=parameters["quality"], method=self.method)
        return EncodedFile(".webp", buffer.getvalue())

    def resulting_shape(self, shape: tuple[int, ...], parameters: dict[str, Any]) -> tuple[int, int]:  # noqa: ARG002
        """Return the size unchanged."""
        return check_shape(shape)
