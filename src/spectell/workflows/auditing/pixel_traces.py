"""What pixels remember of a file's earlier lives, as words that can be counted, and what a glance shows of a picture.

Words and not strengths: how strong a trace is depends on what the picture shows, and so would tell the classes apart by
their subjects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from spectell.datasets import Manifest
from spectell.perturbations.resize import resize
from spectell.spectra.jpeg_history import MIN_SIDE as JPEG_SIDE
from spectell.spectra.jpeg_history import JpegHistory, jpeg_history
from spectell.spectra.resampling import MIN_SIDE as RESAMPLING_SIDE
from spectell.spectra.resampling import ResamplingTrace, resampling_trace
from spectell.workflows.reading.image_passes import in_threads, quiet, read_file

__all__ = ["THUMBNAIL_SIDE", "TRACES", "PixelTraces", "pixel_traces", "read_traces", "trace_features", "trace_values"]

THUMBNAIL_SIDE = 8

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PixelTraces:
    """What the pixels of one image tell.

    Parameters
    ----------
    jpeg : JpegHistory
    resampling : ResamplingTrace
    thumbnail : ndarray of shape (8, 8, 3), uint8
        Mean colours of the cells of an 8 x 8 grid.
    measured : bool
        Whether the image is large enough for the other two to say anything.
    """

    jpeg: JpegHistory
    resampling: ResamplingTrace
    thumbnail: Pixels
    measured: bool = True


def _absent(traces: PixelTraces) -> str:
    return "none" if traces.measured else "too small to tell"


def _place(traces: PixelTraces) -> str:
    return f"at {traces.jpeg.row},{traces.jpeg.column}" if traces.jpeg.found else ""


def _grid(traces: PixelTraces) -> str:
    return _place(traces) or _absent(traces)


def _quality(traces: PixelTraces) -> str:
    if not traces.jpeg.found:
        return _absent(traces)
    return "unknown quality" if traces.jpeg.quality is None else f"quality {traces.jpeg.quality}"


def _resizing(traces: PixelTraces) -> str:
    found, frequency = traces.resampling.found, traces.resampling.frequency
    return f"period {1 / frequency:.1f}" if found and frequency else _absent(traces)


TRACES: Mapping[str, Callable[[PixelTraces], str]] = MappingProxyType(
    {"JPEG grid": _grid, "JPEG quality in pixels": _quality, "resizing": _resizing}
)
"""What is compared, by name: from the traces of an image to a word."""


def pixel_traces(pixels: Pixels) -> PixelTraces:
    """Look at the pixels of one image.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8

    Examples
    --------
    >>> traces = pixel_traces(np.full((64, 80, 3), 7, np.uint8))
    >>> [word(traces) for word in TRACES.values()], traces.thumbnail.shape, int(traces.thumbnail.max())
    (['none', 'none', 'none'], (8, 8, 3), 7)
    """
    thumbnail = resize(pixels, THUMBNAIL_SIDE, THUMBNAIL_SIDE, "box")
    measured = min(pixels.shape[:2]) >= max(JPEG_SIDE, RESAMPLING_SIDE)
    return PixelTraces(jpeg_history(pixels), resampling_trace(pixels), thumbnail, measured)


def read_traces(
    manifest: Manifest, *, workers: int | None = None, on_progress: Callable[[int], object] | None = None
) -> list[PixelTraces]:
    """Look at the pixels of every image of a data set, in threads.

    Parameters
    ----------
    manifest : Manifest
        Files that can be read.
    workers : int, optional
        Threads; one a core by default.
    on_progress : callable, optional
        Called with the number of files read since the last call.

    Returns
    -------
    traces : list of PixelTraces
        In the order of the manifest.
    """
    traces = []
    rows = range(len(manifest))
    for found in in_threads(lambda row: pixel_traces(read_file(manifest, row)), rows, len(rows), workers, quiet, ""):
        traces.append(found)
        if on_progress is not None:
            on_progress(1)
    return traces


def trace_values(traces: Sequence[PixelTraces], name: str) -> Counter[str]:
    """Count the words of a trace, one of `TRACES`."""
    return Counter(map(TRACES[name], traces))


def trace_features(traces: Sequence[PixelTraces], name: str) -> npt.NDArray[np.float64]:
    """Describe a trace by numbers, for a classifier.

    Returns
    -------
    features : ndarray of shape (N, D), float64
        The quality as a number, -1 where there is none and 0 where it is unknown; the frequency of resizing, 0 where
        there is none; for the grid, a column of 0 and 1 for each place. Images too small to tell count as those
        without a trace: sizes are compared elsewhere.
    """
    if name == "JPEG quality in pixels":
        known = [float(each.jpeg.quality or 0) if each.jpeg.found else -1.0 for each in traces]
        return np.array(known, dtype=np.float64)[:, np.newaxis]
    if name == "resizing":
        found = [each.resampling.frequency if each.resampling.found else 0.0 for each in traces]
        return np.array(found, dtype=np.float64)[:, np.newaxis]
    words = list(map(_place, traces))
    kinds = sorted(set(words))
    return np.array([[float(word == kind) for kind in kinds] for word in words]).reshape(len(words), len(kinds))
