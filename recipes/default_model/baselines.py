"""Three classifiers that a good detector must beat, on the very same rows.

*File facts*: height and width of what is judged, and the strength of an 8 by 8 grid in it, which betrays a JPEG.
*Thumbnail*: 8 by 8 pixels, which shows content and nothing else. *Differences*: histograms of neighbouring-pixel
differences, the oldest forensic feature.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image

from recipes.default_model.network import row_weights
from recipes.default_model.table import Fit, Rows, Scores, Table

__all__ = ["BASELINES", "baseline_features", "baseline_fit"]

Pixels = npt.NDArray[np.uint8]
_LARGEST = 256
_REACH = 8

BASELINES = {"file facts": slice(0, 5), "8 x 8 thumbnail": slice(5, 197), "pixel differences": slice(197, 299)}
"""Where the features of each baseline stand in a row."""


def baseline_features(pixels: Pixels) -> npt.NDArray[np.float32]:
    """Features of all three, shape (299,)."""
    thumbnail = np.asarray(Image.fromarray(pixels).resize((8, 8), Image.Resampling.BOX), np.float32).ravel() / 255
    return np.concatenate([_facts(pixels), thumbnail, _differences(pixels)]).astype(np.float32)


def _facts(pixels: Pixels) -> npt.NDArray[np.float64]:
    height, width = pixels.shape[:2]
    luma = pixels[:512, :512].astype(np.float32).mean(axis=2)
    grid = []
    for axis in (0, 1):
        steps = np.abs(np.diff(luma, axis=axis)).mean(axis=1 - axis)
        by_phase = [steps[phase::8].mean() for phase in range(8)]
        grid.append(max(by_phase) / (np.median(by_phase) + 0.1))
    return np.array([np.log(height), np.log(width), np.log(height * width), *grid])


def _differences(pixels: Pixels) -> npt.NDArray[np.float64]:
    top, left = (max((side - _LARGEST) // 2, 0) for side in pixels.shape[:2])
    centre = pixels[top : top + _LARGEST, left : left + _LARGEST].astype(np.int16)
    edges = np.arange(-_REACH, _REACH + 2) - 0.5
    histograms = []
    for channel in range(3):
        for axis in (0, 1):
            clipped = np.clip(np.diff(centre[..., channel], axis=axis), -_REACH, _REACH)
            counts = np.histogram(clipped, bins=edges)[0]
            histograms.append(np.sqrt(counts / max(counts.sum(), 1)))
    return np.concatenate(histograms)


def baseline_fit(table: Table, columns: slice) -> Fit:
    """Return a linear model of one baseline's features, trained on the rows and weights that the networks get."""

    def fit(rows: Rows) -> Callable[[Rows], Scores]:
        from sklearn.linear_model import LogisticRegression

        seen = table.baseline[rows][:, columns]
        mean, scale = seen.mean(axis=0), seen.std(axis=0) + 1e-6
        model = LogisticRegression(max_iter=2000)
        model.fit((seen - mean) / scale, table.labels[rows], sample_weight=row_weights(table, rows))
        return lambda asked: np.asarray(model.decision_function((table.baseline[asked][:, columns] - mean) / scale))

    return fit
