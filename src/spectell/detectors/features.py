"""Front ends: from pixels to rows of features.

An image is never resized. Pixel and DCT features belong to one tile size: a larger image is cut into native tiles and
a model's output is the mean over them; a smaller one cannot be scored. Block features accept any image that holds
one block.
"""

from abc import abstractmethod

import numpy as np

from spectell.detectors.front_end import FrontEnd, check_full_side, check_image, check_offset, check_whole
from spectell.detectors.parts import Float32Array, Uint8Array
from spectell.errors import ParameterError
from spectell.spectra.blocks import POWER_OFFSET, block_spectra
from spectell.spectra.sampling import blocks_within_budget
from spectell.transforms import LOG_OFFSET, log_scale
from spectell.transforms.rows import dct2_rows

__all__ = ["MAX_TILES", "BlockFeatures", "DCTFeatures", "FrontEnd", "PixelFeatures", "TileFeatures", "tile_corners"]

MAX_TILES = 16
"""Tiles of a large image that are scored without `thorough`; more would change their mean little, and cost a scan."""

THOROUGH_BYTES = 64_000_000
"""What the features of one image may take where all tiles are wanted."""


class TileFeatures(FrontEnd):
    """Features of native square tiles of one size."""

    def __init__(self, size: int = 128) -> None:
        self.size = size

    @property
    def n_features(self) -> int:
        """Length of a row: one number a pixel and channel."""
        return self.size * self.size * 3

    @property
    def min_size(self) -> int:
        """Smallest height and width of an image, in pixels: one tile."""
        return self.size

    def check_params(self) -> None:
        """Raise `ParameterError` if `size` is not a size in pixels."""
        check_whole("size", self.size, 1)

    def rows(self, pixels: Uint8Array, *, thorough: bool = False) -> Float32Array:
        """Features of the tiles, shape (T, D); see `tile_corners` for which."""
        self.check_params()
        check_image(pixels, self.size)
        limit = max(MAX_TILES, THOROUGH_BYTES // (4 * self.n_features)) if thorough else MAX_TILES
        corners = tile_corners(pixels.shape[0], pixels.shape[1], self.size, limit)
        return np.stack([self._encode(self._tile(pixels, *corner), 0, self.size) for corner in corners])

    @property
    def n_strips(self) -> int:
        """Equal runs of neighbouring features that can be computed without the others: one a row of the tile."""
        return self.size

    def strips(self, pixels: Uint8Array, start: int, stop: int) -> Float32Array:
        """Return strips `start` to `stop` of what `row` gives for the image."""
        corners = tile_corners(pixels.shape[0], pixels.shape[1], self.size)
        parts = [self._encode(self._tile(pixels, *corner), start, stop) for corner in corners]
        return parts[0] if len(parts) == 1 else np.asarray(np.stack(parts).mean(axis=0))

    def _tile(self, pixels: Uint8Array, top: int, left: int) -> Uint8Array:
        return pixels[top : top + self.size, left : left + self.size]

    @abstractmethod
    def _encode(self, tile: Uint8Array, start: int, stop: int) -> Float32Array:
        """Rows `start` to `stop` of the features of one tile, flat."""


def tile_corners(height: int, width: int, size: int, limit: int | None = MAX_TILES) -> list[tuple[int, int]]:
    """First row and first column of the native tiles of an image.

    The tiles do not overlap; they form a grid in the middle of the image, and what remains at its border, less than a
    tile, is not looked at. Beyond `limit` an evenly spaced selection is taken.

    Parameters
    ----------
    height, width : int
        Of the image, in pixels, at least `size`.
    size : int
        Side of a tile, in pixels.
    limit : int or None
        Largest number of tiles.

    Returns
    -------
    corners : list of (row, column)

    Examples
    --------
    >>> tile_corners(4, 11, size=4)
    [(0, 1), (0, 5)]
    """
    tops = [(height % size) // 2 + size * i for i in range(height // size)]
    lefts = [(width % size) // 2 + size * i for i in range(width // size)]
    corners = [(top, left) for top in tops for left in lefts]
    if limit is None or len(corners) <= limit:
        return corners
    return [corners[(2 * i + 1) * len(corners) // (2 * limit)] for i in range(limit)]


class PixelFeatures(TileFeatures):
    """Pixel values between -1 and 1: the baseline that the paper compares with.

    Parameters
    ----------
    size : int >= 1
        Side of a tile, in pixels. A row holds ``size * size * 3`` features in the order row, column, channel.

    References
    ----------
    .. [1] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML. :arxiv:`2003.08685`

    Examples
    --------
    >>> image = np.array([[[0, 255, 51]]], np.uint8)
    >>> PixelFeatures(size=1).transform([image]).round(3).tolist()
    [[-1.0, 1.0, -0.6000000238418579]]
    """

    name = "pixel"

    def _encode(self, tile: Uint8Array, start: int, stop: int) -> Float32Array:
        return (tile[start:stop].astype(np.float32) / np.float32(127.5) - np.float32(1)).ravel()


class DCTFeatures(TileFeatures):
    """Log-magnitude of the two-dimensional DCT of a whole tile: the features of the paper.

    The transform is taken of the values 0 to 255, each colour channel by itself.

    Parameters
    ----------
    size : int >= 1
        Side of a tile, in pixels. A row holds ``size * size * 3`` features in the order row, column, channel.
    offset : float > 0
        Added to the magnitude before the logarithm.

    See Also
    --------
    spectell.transforms.dct2, spectell.transforms.log_scale

    References
    ----------
    .. [1] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML. :arxiv:`2003.08685`

    Examples
    --------
    A flat image has its mean and nothing else, here ln(10 * 2):

    >>> features = DCTFeatures(size=2).transform([np.full((2, 2, 3), 10, np.uint8)])
    >>> round(float(features[0, 0]), 3), features.shape
    (2.996, (1, 12))
    """

    name = "dct"

    def __init__(self, size: int = 128, offset: float = LOG_OFFSET) -> None:
        super().__init__(size)
        self.offset = offset

    @property
    def log_offset(self) -> float | None:
        """What is added to the magnitude, in pixel values."""
        return self.offset

    def check_params(self) -> None:
        """Raise `ParameterError` if an argument has no meaning."""
        super().check_params()
        check_offset(self.offset)

    def _encode(self, tile: Uint8Array, start: int, stop: int) -> Float32Array:
        coefficients = dct2_rows(tile, start, stop)
        return log_scale(coefficients, offset=self.offset).astype(np.float32, copy=False).ravel()


class BlockFeatures(FrontEnd):
    """Log spectra of luma and colour differences, averaged over the blocks of an image of any size.

    For every DCT coefficient of a block two numbers: the logarithm of its mean power, and the mean of the logarithm of
    its power, in nats.

    Parameters
    ----------
    size : int >= 2
        Side of a block, in pixels, and the smallest side of an image.
    max_blocks : int >= 1
        Most blocks that are looked at in one image; `thorough` uses all that overlap by half.
    colour : bool
        Also the two colour differences: ``D = 2 * size**2 * 3`` features instead of ``2 * size**2``.
    offset : float > 0
        Added to a power before its logarithm, in squared pixel values.
    full_side : int >= 1, optional
        Images of fewer pixels than its square get fewer blocks, see `spectell.spectra.blocks_within_budget`.

    See Also
    --------
    spectell.spectra.block_spectra

    References
    ----------
    .. [1] Welch (1967). The use of fast Fourier transform for the estimation of power spectra. IEEE Transactions
       on Audio and Electroacoustics 15(2), 70-73. :doi:`10.1109/TAU.1967.1161901`

    Examples
    --------
    >>> image = np.full((8, 8, 3), 10, np.uint8)
    >>> features = BlockFeatures(size=4).transform([image])
    >>> features.shape, bool(np.isclose(features[0, 0], np.log(40.0**2)))
    ((1, 96), True)
    """

    name = "blocks"

    def __init__(
        self,
        size: int = 32,
        max_blocks: int = 256,
        colour: bool = True,
        offset: float = POWER_OFFSET,
        full_side: int | None = None,
    ) -> None:
        self.size = size
        self.max_blocks = max_blocks
        self.colour = colour
        self.offset = offset
        self.full_side = full_side

    @property
    def n_features(self) -> int:
        """Length of a row: two numbers a coefficient and channel."""
        return 2 * self.size * self.size * (3 if self.colour else 1)

    @property
    def min_size(self) -> int:
        """Smallest height and width of an image, in pixels: one block."""
        return self.size

    @property
    def log_offset(self) -> float | None:
        """What is added to a power, in squared pixel values."""
        return self.offset

    def check_params(self) -> None:
        """Raise `ParameterError` if an argument has no meaning."""
        check_whole("size", self.size, 2)
        check_whole("max_blocks", self.max_blocks, 1)
        check_full_side(self.full_side)
        check_offset(self.offset)
        if type(self.colour) is not bool:
            raise ParameterError(f"colour must be True or False, got {self.colour!r}")

    def rows(self, pixels: Uint8Array, *, thorough: bool = False) -> Float32Array:
        """Features of the image, shape (1, D)."""
        self.check_params()
        check_image(pixels, self.size)
        limit = None if thorough else blocks_within_budget(pixels.shape, self.max_blocks, self.full_side)
        spectrum = block_spectra(pixels, size=self.size, max_blocks=limit, colour=self.colour, offset=self.offset)
        return np.concatenate([spectrum.log_mean_power.ravel(), spectrum.mean_log_power.ravel()])[np.newaxis]
