r"""Co-occurrences of neighbouring pixel differences: what a spectrum, blind to phase, cannot see.

A camera, a JPEG decoder and a generator's last layers each leave their own law of how one small difference follows
another. Steganalysis reads such laws from histograms of four differences in a row; the same histograms tell generated
pixels from photographed ones. They cost integer arithmetic only.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from spectell.detectors.front_end import FrontEnd, check_full_side, check_image, check_whole
from spectell.detectors.parts import Float32Array, Float64Array, Uint8Array
from spectell.spectra.sampling import blocks_within_budget, sample_blocks

__all__ = ["CooccurrenceFeatures", "cooccurrences"]

IntArray = npt.NDArray[np.intp]
_LEVELS = 5
_ORDER = 4
_BINS = _LEVELS**_ORDER
_RESIDUALS = 3
_WINDOWS_AT_ONCE = 64
_LUMA = (77, 150, 29)  # ITU-R BT.601 weights in 256ths, so that the sum stays an integer


class CooccurrenceFeatures(FrontEnd):
    """Histograms of four differences in a row, clipped to ±2, over windows of the luma.

    Three residuals: the first difference followed along its own direction, the first difference followed across it, and
    the second difference (halved) followed along. Rows and columns count alike, as do a run, its reverse and its
    negative, which leaves 169 bins of 625 each. A feature is the square root of a bin's share, so that equal steps
    weigh equally however full the bin is.

    Parameters
    ----------
    size : int >= 8
        Side of a window, in pixels, and the smallest side of an image.
    max_windows : int >= 1
        Most windows that are looked at in one image; `thorough` uses all that overlap by half.
    step : int >= 1
        Differences are divided by it, towards zero, before they are clipped: 1 reads smooth areas, 3 textured ones.
    full_side : int >= 1, optional
        Images of fewer pixels than its square get fewer windows, see `spectell.spectra.blocks_within_budget`.

    See Also
    --------
    cooccurrences : The histogram of one residual.

    References
    ----------
    .. [1] Pevný, Bas, Fridrich (2010). Steganalysis by subtractive pixel adjacency matrix. IEEE Transactions on
       Information Forensics and Security 5(2), 215-224. :doi:`10.1109/TIFS.2010.2045842`
    .. [2] Fridrich, Kodovský (2012). Rich models for steganalysis of digital images. IEEE Transactions on Information
       Forensics and Security 7(3), 868-882. :doi:`10.1109/TIFS.2012.2190402`

    Examples
    --------
    A flat image has one kind of run, four zeros, in each of the three residuals:

    >>> features = CooccurrenceFeatures(size=8).transform([np.full((8, 8, 3), 10, np.uint8)])
    >>> features.shape, float(features.sum())
    ((1, 507), 3.0)
    """

    name = "cooccurrence"

    def __init__(self, size: int = 32, max_windows: int = 16, step: int = 1, full_side: int | None = None) -> None:
        self.size = size
        self.max_windows = max_windows
        self.step = step
        self.full_side = full_side

    @property
    def n_features(self) -> int:
        """Length of a row: the distinct bins of three histograms."""
        return _RESIDUALS * len(_distinct_bins()[0])

    @property
    def min_size(self) -> int:
        """Smallest height and width of an image, in pixels: one window."""
        return self.size

    def check_params(self) -> None:
        """Raise `ParameterError` if an argument has no meaning."""
        check_whole("size", self.size, 8)
        check_whole("max_windows", self.max_windows, 1)
        check_whole("step", self.step, 1)
        check_full_side(self.full_side)

    def rows(self, pixels: Uint8Array, *, thorough: bool = False) -> Float32Array:
        """Features of the image, shape (1, D)."""
        self.check_params()
        check_image(pixels, self.size)
        limit = None if thorough else blocks_within_budget(pixels.shape, self.max_windows, self.full_side)
        tops, lefts = sample_blocks(pixels.shape, size=self.size, max_blocks=limit)
        windows = np.lib.stride_tricks.as_strided(  # sliding_window_view costs twenty microseconds more
            pixels,
            (*(side - self.size + 1 for side in pixels.shape[:2]), 3, self.size, self.size),
            (*pixels.strides[:2], pixels.strides[2], *pixels.strides[:2]),
            writeable=False,
        )
        histograms = np.zeros((_RESIDUALS, _BINS))
        for start in range(0, len(tops), _WINDOWS_AT_ONCE):
            chosen = windows[tops[start : start + _WINDOWS_AT_ONCE], lefts[start : start + _WINDOWS_AT_ONCE]]
            histograms += self._count(chosen)
        return _fold(histograms)[np.newaxis]

    def _count(self, windows: Uint8Array) -> IntArray:
        """Histograms over windows of shape (n, 3, size, size)."""
        luma = _luma(windows)
        # Rows and columns count alike, so the windows and their mirror images are one array. The direction of a
        # difference and of a run comes first, so that a shift is one long stretch of memory.
        plane = np.concatenate((luma, luma.transpose(2, 1, 0)), axis=1)
        first = plane[1:] - plane[:-1]
        second = (first[1:] - first[:-1]) >> 1
        levels = self._quantise(first)
        across = np.ascontiguousarray(levels.transpose(2, 1, 0))
        return np.stack([cooccurrences(runs) for runs in (levels, across, self._quantise(second))])

    def _quantise(self, differences: npt.NDArray[np.int16]) -> Uint8Array:
        """Levels 0 to 4, with 2 for differences that vanish: four comparisons are faster than a division."""
        one, two = np.int16(self.step), np.int16(2 * self.step)
        levels: Uint8Array = (differences >= one).view(np.uint8)
        levels += (differences >= two).view(np.uint8)
        levels += (differences > -one).view(np.uint8)
        levels += (differences > -two).view(np.uint8)
        return levels


def _luma(windows: Uint8Array) -> npt.NDArray[np.int16]:
    """Luma of windows of shape (n, 3, rows, columns), rounded down, in the order (rows, n, columns)."""
    channels = windows.astype(np.uint16)
    luma = channels[:, 0] * np.uint16(_LUMA[0])
    luma += channels[:, 1] * np.uint16(_LUMA[1])
    luma += channels[:, 2] * np.uint16(_LUMA[2])
    luma >>= 8
    return luma.transpose(1, 0, 2).view(np.int16)


def cooccurrences(levels: Uint8Array) -> IntArray:
    """Count the runs of four along the first axis.

    Parameters
    ----------
    levels : ndarray of shape (n, ...), uint8, 0 to 4

    Returns
    -------
    counts : ndarray of shape (625,), intp
        Entry ``((a * 5 + b) * 5 + c) * 5 + d`` counts the run a, b, c, d.

    Examples
    --------
    >>> counts = cooccurrences(np.array([0, 0, 0, 1, 4], np.uint8))
    >>> np.flatnonzero(counts).tolist()
    [1, 9]
    """
    pairs = levels[:-1] * np.uint8(_LEVELS) + levels[1:]
    runs = pairs[:-2] * np.uint16(_LEVELS**2) + pairs[2:]
    return np.bincount(runs.ravel(), minlength=_BINS)


@lru_cache(maxsize=1)
def _distinct_bins() -> tuple[IntArray, IntArray]:
    """First bin of each class of equal runs, and the class of every bin."""
    runs = np.indices((_LEVELS,) * _ORDER).reshape(_ORDER, -1)
    powers = _LEVELS ** np.arange(_ORDER)[::-1]
    twins = [runs, runs[::-1], _LEVELS - 1 - runs, _LEVELS - 1 - runs[::-1]]
    representative = np.min([powers @ twin for twin in twins], axis=0)
    first, classes = np.unique(representative, return_inverse=True)
    return first, classes


def _fold(histograms: Float64Array) -> Float32Array:
    """Square roots of the shares of the distinct bins, all residuals in one row."""
    first, classes = _distinct_bins()
    folded = np.stack([np.bincount(classes, weights=row, minlength=len(first)) for row in histograms])
    shares = folded / np.maximum(folded.sum(axis=1, keepdims=True), 1)
    return np.asarray(np.sqrt(shares), dtype=np.float32).ravel()
