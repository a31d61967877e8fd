"""The kinds of features that are compared: the paper's two, one of ours, and one that knows the content alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spectell.detectors.front_end import FrontEnd, check_image
from spectell.perturbations.resize import resize

__all__ = ["DOMAINS", "ThumbnailFeatures", "block_size", "front_ends"]

DOMAINS = ("pixel", "DCT", "blocks", "thumbnails")
"""The paper's two, block-averaged spectra, and what shows the content alone."""

_THUMBNAIL = 8

Pixels = npt.NDArray[np.uint8]


class ThumbnailFeatures(FrontEnd):
    """Mean colours of the cells of an 8 x 8 grid, between -1 and 1: what a glance at a picture shows.

    Examples
    --------
    >>> ThumbnailFeatures().row(np.full((16, 16, 3), 255, np.uint8)).shape
    (192,)
    """

    name = "thumbnails"

    @property
    def n_features(self) -> int:
        """Length of a row."""
        return _THUMBNAIL * _THUMBNAIL * 3

    @property
    def min_size(self) -> int:
        """Smallest height and width of an image, in pixels."""
        return _THUMBNAIL

    def check_params(self) -> None:
        """Do nothing: there are no parameters."""

    def rows(self, pixels: Pixels, *, thorough: bool = False) -> npt.NDArray[np.float32]:  # noqa: ARG002 (has no blocks)
        """Features of the image, shape (1, 192)."""
        check_image(pixels, self.min_size)
        small = resize(pixels, _THUMBNAIL, _THUMBNAIL, "box")
        return np.asarray(small.reshape(1, -1) / np.float32(127.5) - 1, np.float32)


def block_size(side: int) -> int:
    """Side of the blocks for images of a side: enough of them to average over.

    Examples
    --------
    >>> [block_size(side) for side in (32, 64, 128, 1024)]
    [8, 16, 32, 32]
    """
    return int(min(32, max(side // 4, 2)))


def front_ends(side: int) -> dict[str, FrontEnd]:
    """Return the front end of each of `DOMAINS` for square images of a side."""
    from spectell.detectors.features import BlockFeatures, DCTFeatures, PixelFeatures

    made = (PixelFeatures(side), DCTFeatures(side), BlockFeatures(block_size(side)), ThumbnailFeatures())
    return dict(zip(DOMAINS, made, strict=True))
