"""The table that every refit reads: rows of features, and what each is a row of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["VIEW", "Fit", "Rows", "Scores", "Table", "load_table"]

VIEW = "view"
"""Condition of a training view; the others are those of the report."""

_LOG_PIXELS = 2  # where the baseline features hold it

Rows = npt.NDArray[np.intp]
Scores = npt.NDArray[np.float64]
Fit = Callable[[Rows], Callable[[Rows], Scores]]
"""From training rows to what scores rows."""


@dataclass(frozen=True)
class Table:
    """Rows of features and what each is a row of."""

    features: npt.NDArray[np.float16]
    baseline: npt.NDArray[np.float32]
    """Features of the three baselines side by side; see `recipes.default_model.baselines`."""
    source: npt.NDArray[np.str_]
    generator: npt.NDArray[np.str_]
    group: npt.NDArray[np.str_]
    condition: npt.NDArray[np.str_]
    """`view` for training views, else the name of the condition."""
    aligned: npt.NDArray[np.bool_]

    @property
    def labels(self) -> npt.NDArray[np.int8]:
        """0 real, 1 generated."""
        return (self.generator != "real").astype(np.int8)

    @property
    def log_pixels(self) -> npt.NDArray[np.float64]:
        """Logarithm of the number of pixels of what each row is made of."""
        return self.baseline[:, _LOG_PIXELS].astype(np.float64)

    def __len__(self) -> int:
        return len(self.source)


def load_table(paths: Sequence[Path]) -> Table:
    """Read tables and put them below one another."""
    rows = [dict(np.load(path / "rows.npz")) for path in paths]
    features = np.concatenate([np.load(path / "features.npy") for path in paths])
    return Table(features, **{name: np.concatenate([row[name] for row in rows]) for name in rows[0]})
