"""JPEG compression, at a known quality and a known position of its block grid."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from spectell.errors import ParameterError
from spectell.perturbations.base import Pixels, check_image, check_range, check_shape, listed
from spectell.perturbations.files import EncodedFile

__all__ = ["GRID_PERIOD", "SUBSAMPLINGS", "JpegRecompression", "encode_jpeg"]

SUBSAMPLINGS = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}
"""Pillow's number for each way to store the colour differences."""

GRID_PERIOD = 16
"""Rows and columns after which a file's grid repeats: luma has blocks of 8 pixels, halved chroma of 16."""


def encode_jpeg(image: Pixels, quality: int, subsampling: str = "4:2:0") -> bytes:
    """Return `image` as the bytes of a baseline JPEG file with libjpeg's standard tables.

    Raises
    ------
    ShapeError
        If `image` is not an RGB image of 8 bit.

    Examples
    --------
    >>> encode_jpeg(np.zeros((8, 8, 3), np.uint8), quality=90)[:2].hex()
    'ffd8'
    """
    buffer = io.BytesIO()
    pixels = np.ascontiguousarray(check_image(image))
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=quality, subsampling=SUBSAMPLINGS[subsampling])
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class JpegRecompression:
    """Compress and decompress once, the block grid lying where the draw says.

    Parameters
    ----------
    min_quality, max_quality : int in [1, 100]
        Bounds of libjpeg's quality factor, both included. [1]_ uses 10 and 75.
    subsamplings : tuple of {"4:4:4", "4:2:2", "4:2:0"}
        Ways to store the colour differences, of which one is drawn; repeat one to make it likelier.
    random_grid : bool
        Put the grid of blocks at a random position, as in a file that was cropped after it was saved. Otherwise it
        starts at the first pixel, and a detector may learn to expect it there.
    reverse_channels : bool
        Hand the channels to the encoder in the order blue, green, red, so that it takes one for the other in its
        luma. Only the authors' code wants that.

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
    >>> jpeg = JpegRecompression(min_quality=10, max_quality=75)
    >>> parameters = jpeg.draw(np.random.default_rng(0), (16, 24))
    >>> 10 <= parameters["quality"] <= 75, parameters["grid_row"]
    (True, 0)
    >>> jpeg.apply(np.zeros((16, 24, 3), np.uint8), parameters).shape
    (16, 24, 3)
    """

    min_quality: int = 10
    max_quality: int = 75
    subsamplings: tuple[str, ...] = ("4:2:0",)
    random_grid: bool = False
    reverse_channels: bool = False

    def __post_init__(self) -> None:
        check_range("quality", self.min_quality, self.max_quality, within=(1, 100))
        if not self.subsamplings or not set(self.subsamplings) <= set(SUBSAMPLINGS):
            raise ParameterError(
                f"subsamplings must be some of {', '.join(SUBSAMPLINGS)}, got {listed(self.subsamplings)}"
            )

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
        """Pick quality, subsampling, and the first row and column at which a block of the grid starts."""
        check_shape(shape)
        quality = int(rng.integers(self.min_quality, self.max_quality, endpoint=True))
        subsampling = self.subsamplings[int(rng.integers(len(self.subsamplings)))]
        row, column = (int(start) for start in rng.integers(GRID_PERIOD, size=2)) if self.random_grid else (0, 0)
        return {"quality": quality, "subsampling": subsampling, "grid_row": row, "grid_column": column}

    def apply(self, image: Pixels, parameters: dict[str, Any]) -> Pixels:
        """Return the image after one encode and decode, of the same size.

        The grid is moved by rows and columns that repeat the first ones, and that are cut off again after decoding.
        """
        above = -parameters["grid_row"] % GRID_PERIOD
        left = -parameters["grid_column"] % GRID_PERIOD
        padded = np.pad(check_image(image), ((above, 0), (left, 0), (0, 0)), mode="edge") if above or left else image
        ordered = padded[..., ::-1] if self.reverse_channels else padded
        encoded = encode_jpeg(ordered, parameters["quality"], parameters["subsampling"])
        with Image.open(io.BytesIO(encoded)) as decoded:
            result = np.asarray(decoded)[above:, left:]
        return np.array(result[..., ::-1] if self.reverse_channels else result, order="C")

    def encode(self, image: Pixels, parameters: dict[str, Any]) -> EncodedFile | None:
        """Return the JPEG file, or None where no file has such pixels: a moved grid was cropped after decoding."""
        moved = parameters["grid_row"] % GRID_PERIOD or parameters["grid_column"] % GRID_PERIOD
        if moved or self.reverse_channels:
            return None
        return EncodedFile(".jpg", encode_jpeg(image, parameters["quality"], parameters["subsampling"]))

    def resulting_shape(self, shape: tuple[int, ...], parameters: dict[str, Any]) -> tuple[int, int]:  # noqa: ARG002
        """Return the size unchanged."""
        return check_shape(shape)
