"""What pixels remember of a JPEG compression: where its grid of blocks lies, and its quality.

Quantisation sets most coefficients of an 8 x 8 block to zero, and all others to multiples of a step. Both show only
where the transform is taken on the grid of the compression: a block that lies one pixel off has neither. So a picture
that was saved as JPEG once and as PNG since, or cropped since, still tells of it, as long as nothing scaled or rotated
it or added noise.
"""

from dataclasses import dataclass
from functools import cache
from math import log, log10
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ShapeError

__all__ = ["MIN_SIDE", "JpegHistory", "jpeg_history", "luminance_table"]

MIN_SIDE = 64
"""No statement is made about images with fewer pixels a side: they hold too few blocks."""

_BLOCK = 8
_PHASES = _BLOCK**2
_MAX_SIDE = 192
_ZERO = 0.5  # pixel values; decoding and the rounding of pixels move a zero by about 0.3
_THRESHOLD = 15.0
_MIN_STEP = 3  # below it, rounding of pixels hides the steps
_MIN_VALUES = 30
_MIN_FIT = 0.35
_TIE = 0.85
_PEAK_WIDTH = 4  # qualities

Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class JpegHistory:
    """What `jpeg_history` saw.

    Attributes
    ----------
    found : bool
        Whether blocks of one grid stand out.
    row, column : int in [0, 7] or None
        First row and column at which a block of it starts; 0 and 0 in a JPEG file as it was written.
    quality : int in [1, 100] or None
        Quality factor of libjpeg whose luma steps fit best; None where no grid is found, or the steps are too fine or
        the values too few to tell.
    strength : float >= 0
        Tenth powers by which so many votes for one grid are unlikely where there is none; `found` is 15 or more.
    """

    found: bool
    row: int | None
    column: int | None
    quality: int | None
    strength: float


def jpeg_history(pixels: npt.NDArray[np.uint8]) -> JpegHistory:
    """Look for the grid of an earlier JPEG compression, and estimate its quality.

    At every pixel of the middle of the image (at most 192 x 192) the DCT of the block that starts there is taken, and
    its coefficients below half a pixel value are counted. Every 8 x 8 neighbourhood of starts votes for the start with
    most of them, if that is one alone. Without a grid each of the 64 places is as likely as the others; the strength is
    Chernoff's bound on the probability of so many votes for one place, times 64, as minus the decimal logarithm.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8
        RGB.

    Returns
    -------
    history : JpegHistory

    Raises
    ------
    ShapeError
        If `pixels` does not have this shape.

    Notes
    -----
    Found in none of 40 samples of Stable Diffusion, 56 CycleGAN translations, 100 photographs that were shrunk and 60
    that were enlarged, all without a grid: their largest strength was 9.4. Found, at the first pixel, in 60 of 60 faces
    of JPEG quality 75, 88 of 90 camera files and 59 of 60 photographs, mostly of quality 96. Of 20 photographs, shrunk,
    saved at each of eleven qualities from 30 to 98 and cropped at random, the grid was found where it was in all 220,
    and the quality estimated exactly in 218 and off by one in 2. Cameras have tables of their own.

    The idea of votes for a grid, and of asking how unlikely they are, is that of [1]_, which says where in an image
    there is which grid. That coefficients gather at multiples of the step is used in [2]_.

    References
    ----------
    .. [1] Nikoukhah, Anger, Colom, Morel, Grompone von Gioi (2021). ZERO: a local JPEG grid origin detector based on
       the number of DCT zeros and its applications in image forensics. IPOL 11, 396-433. :doi:`10.5201/ipol.2021.390`
    .. [2] Fan, de Queiroz (2003). Identification of bitmap compression history: JPEG detection and quantizer
       estimation. IEEE Transactions on Image Processing 12(2), 230-235. :doi:`10.1109/TIP.2002.807361`

    Examples
    --------
    >>> jpeg_history(np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)).found
    False
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ShapeError(f"pixels must have shape (H, W, 3), got {pixels.shape}")
    if min(pixels.shape[:2]) < MIN_SIDE:
        return JpegHistory(False, None, None, None, 0.0)
    coefficients = _block_dct_everywhere(_middle(pixels))
    votes = _votes(coefficients)
    best, strength = int(votes.argmax()), _strength(int(votes.max()), int(votes.sum()))
    if strength < _THRESHOLD:
        return JpegHistory(False, None, None, None, strength)
    row, column = divmod(best, _BLOCK)
    quality = _quality(coefficients[row::_BLOCK, column::_BLOCK].reshape(-1, _BLOCK, _BLOCK))
    return JpegHistory(True, row, column, quality, strength)


@cache
def luminance_table(quality: int) -> npt.NDArray[np.int64]:
    """Return libjpeg's steps for luma, shape (8, 8), row frequency first.

    Examples
    --------
    >>> luminance_table(50)[0].tolist(), int(luminance_table(100).max())
    ([16, 11, 10, 16, 24, 40, 51, 61], 1)
    """
    from spectell.images.jpeg import LUMINANCE_TABLE

    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    steps = np.clip((np.array(LUMINANCE_TABLE) * scale + 50) // 100, 1, 255)
    return np.asarray(steps.reshape(_BLOCK, _BLOCK))


def _middle(pixels: npt.NDArray[np.uint8]) -> Float32Array:
    """Luma of the middle, shape (h, w), less 128; it starts at a multiple of 8, so that places stay what they are."""
    top, left = (max(side - _MAX_SIDE, 0) // 2 // _BLOCK * _BLOCK for side in pixels.shape[:2])
    part = pixels[top : top + _MAX_SIDE, left : left + _MAX_SIDE].astype(np.float32)
    return np.asarray(part @ np.array([0.299, 0.587, 0.114], np.float32) - 128)


@cache
def _basis() -> Float32Array:
    k = np.arange(_BLOCK)
    rows = 0.5 * np.cos(np.pi * (2 * k + 1) * k[:, np.newaxis] / (2 * _BLOCK))
    rows[0] /= np.sqrt(2)
    return rows.astype(np.float32)


def _block_dct_everywhere(luma: Float32Array) -> Float32Array:
    """Orthonormal DCT of the block that starts at every pixel, shape (h - 7, w - 7, 8, 8)."""
    windows: Any = np.lib.stride_tricks.sliding_window_view
    down = windows(luma, _BLOCK, axis=0) @ _basis().T
    return np.asarray(windows(down, _BLOCK, axis=1) @ _basis().T)


def _votes(coefficients: Float32Array) -> npt.NDArray[np.int64]:
    """Count the votes for each place of a grid, shape (64,)."""
    zeros = (np.abs(coefficients) < _ZERO).reshape(*coefficients.shape[:2], _PHASES)[..., 1:].sum(axis=-1)
    down, across = (side // _BLOCK for side in zeros.shape)
    cut = zeros[: down * _BLOCK, : across * _BLOCK].reshape(down, _BLOCK, across, _BLOCK)
    counts = cut.transpose(0, 2, 1, 3).reshape(-1, _PHASES)
    alone = (counts == counts.max(axis=1, keepdims=True)).sum(axis=1) == 1
    return np.bincount(counts[alone].argmax(axis=1), minlength=_PHASES)


def _strength(votes: int, total: int) -> float:
    share = votes / total if total else 0.0
    if share <= 1 / _PHASES:
        return 0.0
    divergence = share * log(share * _PHASES)
    if share < 1:
        divergence += (1 - share) * log((1 - share) / (1 - 1 / _PHASES))
    return max(total * divergence / log(10) - log10(_PHASES), 0.0)


def _quality(blocks: Float32Array) -> int | None:
    """Quality whose steps the coefficients, shape (n, 8, 8), are multiples of: the lowest that fits as well as any."""
    fits = np.array([_fit(blocks, luminance_table(quality)) for quality in range(1, 101)])
    if fits.max() < _MIN_FIT:
        return None
    # Half of a step divides whatever the step divides, so that finer tables fit as well: the first peak is meant.
    first = int(np.flatnonzero(fits >= _TIE * fits.max())[0])
    return first + int(fits[first : first + _PEAK_WIDTH].argmax()) + 1


def _fit(blocks: Float32Array, steps: npt.NDArray[np.int64]) -> float:
    """Mean cosine of a full turn a step, over the coefficients that are not zero: 1 at multiples, 0 anywhere."""
    coarse = steps >= _MIN_STEP
    coarse[0, 0] = False
    values = blocks[:, coarse] / steps[coarse]
    apart = np.abs(values) > 0.5
    n = int(apart.sum())
    return float(np.cos(2 * np.pi * values[apart]).sum() / n) if n >= _MIN_VALUES else 0.0
