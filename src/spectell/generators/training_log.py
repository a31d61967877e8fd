"""What a training writes for a person: a table of losses, and grids of images. Torch-free."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from spectell.datasets.atomic import replacing

__all__ = ["COLUMNS", "LOG_NAME", "TrainingLog", "as_grid", "write_png"]

LOG_NAME = "log.csv"
COLUMNS = ("step", "critic_loss", "generator_loss", "resolution", "alpha", "distance", "seconds")


class TrainingLog:
    """A CSV table that grows by a row at a time.

    Parameters
    ----------
    path : path
    step : int >= 0
        Where the training stands. Rows of later steps, which a stopped run wrote after its last checkpoint, are
        dropped.
    """

    def __init__(self, path: str | os.PathLike[str], step: int) -> None:
        kept = _rows_until(Path(path), step)
        with replacing(path) as file:
            file.write("".join(",".join(row) + "\n" for row in [COLUMNS, *kept]).encode())
        self._file = Path(path).open("a", encoding="utf-8", newline="")  # noqa: SIM115 - until __exit__
        self._writer = csv.DictWriter(self._file, COLUMNS, lineterminator="\n")

    def __enter__(self) -> TrainingLog:
        """Return the log."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def add(self, row: dict[str, Any]) -> None:
        """Add a row; columns that it lacks stay empty."""
        self._writer.writerow(
            {name: f"{value:.6g}" if isinstance(value, float) else value for name, value in row.items()}
        )
        self._file.flush()


def as_grid(images: npt.NDArray[np.uint8], columns: int) -> npt.NDArray[np.uint8]:
    """Lay images side by side, row after row.

    Parameters
    ----------
    images : ndarray of shape (N, H, W, 3), uint8
        N a multiple of `columns`.
    columns : int > 0

    Returns
    -------
    grid : ndarray of shape (N / columns H, columns W, 3), uint8

    Examples
    --------
    >>> as_grid(np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1).repeat(3, axis=3), 2)[..., 0].tolist()
    [[0, 1], [2, 3]]
    """
    n, height, width, _ = images.shape
    cells = images.reshape(n // columns, columns, height, width, 3)
    return np.ascontiguousarray(cells.swapaxes(1, 2).reshape(n // columns * height, columns * width, 3))


def write_png(path: str | os.PathLike[str], image: npt.NDArray[np.uint8]) -> None:
    """Write an image losslessly; the file appears whole or not at all."""
    with replacing(path) as file:
        Image.fromarray(image).save(file, format="PNG")


def _rows_until(path: Path, step: int) -> list[list[str]]:
    if step == 0 or not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return [row for row in rows if len(row) == len(COLUMNS) and row[0].isdecimal() and int(row[0]) <= step]
