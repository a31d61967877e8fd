"""What a picture meets when it is passed on: a network's upload, and a photograph of the screen by the screen itself.

Both are models. Networks change what they do without a word, and no two screens are alike; what is modelled is said in
the classes, so that a figure measured under it can be read.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from spectell.errors import ParameterError
from spectell.perturbations.base import Pixels, check_image, check_range, check_shape, listed
from spectell.perturbations.files import EncodedFile, own_file
from spectell.perturbations.jpeg import JpegRecompression
from spectell.perturbations.resize import check_kernels, resize

__all__ = ["Screenshot", "SocialUpload"]


def _within(shape: tuple[int, int], max_height: int, max_width: int, scale: float = 1.0) -> tuple[int, int]:
    """Size at a scale, or the largest of the same proportions that fits; at least 1 x 1."""
    height, width = shape
    factor = min(scale, max_height / height, max_width / width)
    return max(1, int(height * factor + 0.5)), max(1, int(width * factor + 0.5))


def _scaled(image: Pixels, parameters: dict[str, Any]) -> Pixels:
    size = parameters["height"], parameters["width"]
    if size == check_image(image).shape[:2]:
        return np.array(image, order="C")
    return resize(image, *size, parameters["kernel"])


@dataclass(frozen=True, slots=True)
class SocialUpload:
    """Shrink to what a network takes, if larger, and save as JPEG with halved colour (4:2:0).

    Parameters
    ----------
    max_side : int > 0
        Pixels of the longer side, above which both are shrunk by one factor; smaller pictures keep their pixels.
    min_quality, max_quality : int in [1, 100]
        Bounds of libjpeg's quality factor, both included.
    kernels : tuple of str
        Kernels of the reduction (`spectell.perturbations.resize.KERNELS`), of which one is drawn.

    Raises
    ------
    ParameterError
        If a parameter does not fit the above.

    Examples
    --------
    >>> upload = SocialUpload()
    >>> drawn = upload.draw(np.random.default_rng(0), (3000, 4096))
    >>> drawn["height"], drawn["width"], drawn["subsampling"], 71 <= drawn["quality"] <= 85
    (1500, 2048, '4:2:0', True)
    """

    max_side: int = 2048
    min_quality: int = 71
    max_quality: int = 85
    kernels: tuple[str, ...] = ("bicubic", "lanczos")

    def __post_init__(self) -> None:
        if self.max_side < 1:
            raise ParameterError(f"max_side must be at least 1, got {self.max_side!r}")
        check_kernels(self.kernels)
        self._jpeg()

    def _jpeg(self) -> JpegRecompression:
        return JpegRecompression(self.min_quality, self.max_quality, ("4:2:0",))

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
        """Pick the size, the kernel and the compression."""
        height, width = _within(check_shape(shape), self.max_side, self.max_side)
        kernel = self.kernels[int(rng.integers(len(self.kernels)))]
        return {"height": height, "width": width, "kernel": kernel} | self._jpeg().draw(rng, shape)

    def apply(self, image: Pixels, parameters: dict[str, Any]) -> Pixels:
        """Return the picture as others see it."""
        return self._jpeg().apply(_scaled(image, parameters), parameters)

    def encode(self, image: Pixels, parameters: dict[str, Any]) -> EncodedFile | None:
        """Return the JPEG file that others get."""
        return self._jpeg().encode(_scaled(image, parameters), parameters)

    def resulting_shape(self, shape: tuple[int, ...], parameters: dict[str, Any]) -> tuple[int, int]:  # noqa: ARG002
        """Return the size that was drawn."""
        return parameters["height"], parameters["width"]


@dataclass(frozen=True, slots=True)
class Screenshot:
    """Show a picture on a screen, capture exactly its area, and save that as PNG or as JPEG.

    A browser shows a picture of N pixels on N times the screen's pixel ratio, and smaller where it would not fit. So
    the picture is scaled by a ratio that is drawn, but to no more than the screen's height and width, with a kernel
    that is drawn. The capture is written as PNG, as computers and some telephones do, or as JPEG with halved colour
    (4:2:0), as others do. Not modelled: colour profiles, night modes, sub-pixel text, crops beside the picture's edge.

    Parameters
    ----------
    ratios : tuple of float > 0
        Screen pixels per picture pixel, of which one is drawn; repeat one to make it likelier.
    max_height, max_width : int > 0
        Size of the screen, in its pixels.
    kernels : tuple of str
        Kernels of the scaling (`spectell.perturbations.resize.KERNELS`), of which one is drawn.
    jpeg_share : float in [0, 1]
        How often the capture is a JPEG.
    min_quality, max_quality : int in [1, 100]
        Bounds of its quality, both included.

    Raises
    ------
    ParameterError
        If a parameter does not fit the above.

    Examples
    --------
    >>> screenshot = Screenshot(ratios=(1.5,), jpeg_share=0)
    >>> screenshot.draw(np.random.default_rng(0), (300, 400))
    {'height': 450, 'width': 600, 'kernel': 'bicubic', 'jpeg': None}
    >>> screenshot.draw(np.random.default_rng(0), (3000, 4000))["height"]
    1440
    """

    ratios: tuple[float, ...] = (1.0, 1.25, 1.5, 2.0, 3.0)
    max_height: int = 1440
    max_width: int = 2560
    kernels: tuple[str, ...] = ("bilinear", "bicubic")
    jpeg_share: float = 0.5
    min_quality: int = 85
    max_quality: int = 95

    def __post_init__(self) -> None:
        if not self.ratios or not all(0 < ratio <= 100 for ratio in self.ratios):
            raise ParameterError(f"ratios must hold numbers above 0 and up to 100, got {listed(self.ratios)}")
        if self.max_height < 1 or self.max_width < 1:
            raise ParameterError(
                f"max_height and max_width must be at least 1, got {self.max_height!r} and {self.max_width!r}"
            )
        check_kernels(self.kernels)
        check_range("jpeg_share", 0, self.jpeg_share, within=(0.0, 1.0))
        self._jpeg()

    def _jpeg(self) -> JpegRecompression:
        return JpegRecompression(self.min_quality, self.max_quality, ("4:2:0",))

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
        """Pick the size on the screen, the kernel, and the compression or None."""
        ratio = self.ratios[int(rng.integers(len(self.ratios)))]
        height, width = _within(check_shape(shape), self.max_height, self.max_width, ratio)
        kernel = self.kernels[int(rng.integers(len(self.kernels)))]
        jpeg = self._jpeg().draw(rng, shape) if rng.random() < self.jpeg_share else None
        return {"height": height, "width": width, "kernel": kernel, "jpeg": jpeg}

    def apply(self, image: Pixels, parameters: dict[str, Any]) -> Pixels:
        """Return the captured picture."""
        shown = _scaled(image, parameters)
        return shown if parameters["jpeg"] is None else self._jpeg().apply(shown, parameters["jpeg"])

    def encode(self, image: Pixels, parameters: dict[str, Any]) -> EncodedFile | None:
        """Return the JPEG file of the capture, or None where it is a PNG."""
        if parameters["jpeg"] is None:
            return None
        return own_file(self._jpeg(), _scaled(image, parameters), parameters["jpeg"])

    def resulting_shape(self, shape: tuple[int, ...], parameters: dict[str, Any]) -> tuple[int, int]:  # noqa: ARG002
        """Return the size on the screen."""
        return parameters["height"], parameters["width"]
