"""Search a detector's parameters on the validation split, point by point, so that an interrupted search goes on.

A finished point is a line of JSON in a side file, with the hash of everything that it depends on: what was asked for,
the images and the splits. A line of another run, or half a line, is passed over.
"""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.detectors.registry import get_detector
from spectell.errors import ManifestError, MismatchError

__all__ = ["GridFile", "GridPoint", "balanced_accuracy", "best_point", "grid_points", "run_key"]

Point = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GridPoint:
    """A point of the grid and how good it was.

    Parameters
    ----------
    params : dict
        Of the detector.
    balanced_accuracy : float
        Mean over the classes of the share of validation images that were named rightly.
    """

    params: dict[str, Any]
    balanced_accuracy: float

    def as_dict(self) -> dict[str, Any]:
        """Return the point as JSON has it."""
        return {"params": self.params, "balanced_accuracy": self.balanced_accuracy}


def grid_points(detector: str, *, n_train: int, most_levels: int) -> list[dict[str, Any]]:
    """Return the points that the paper's code searches, as far as the data allow.

    Parameters
    ----------
    detector : str
        A name in `spectell.detectors.registry.DETECTORS`; one without a `GRID` has no points.
    n_train : int
        Images that it is trained on: no more neighbours than that.
    most_levels : int
        Of the wavelet transform of a tile.

    Examples
    --------
    >>> [point["k"] for point in grid_points("knn", n_train=12, most_levels=3)]
    [1, 3, 5, 9]
    """
    grid: Mapping[str, tuple[Any, ...]] = getattr(get_detector(detector), "GRID", {})
    most = {"k": n_train, "levels": most_levels}
    values = [[value for value in found if value <= most.get(name, value)] for name, found in grid.items()]
    return [dict(zip(grid, point, strict=True)) for point in itertools.product(*values)] if grid else []


def balanced_accuracy(classes: npt.NDArray[np.intp], named: npt.NDArray[np.intp]) -> float:
    """Mean over the classes of the share that was named rightly.

    Examples
    --------
    >>> balanced_accuracy(np.array([0, 0, 1]), np.array([0, 1, 1]))
    0.75
    """
    return float(np.mean([(named[classes == index] == index).mean() for index in np.unique(classes)]))


def best_point(found: list[GridPoint]) -> GridPoint:
    """Return the best point; of equal ones the first, which is the simplest.

    Raises
    ------
    MismatchError
        If there is none.
    """
    if not found:
        raise MismatchError("the grid has no point that these images allow; use more images or larger tiles")
    return max(found, key=lambda point: point.balanced_accuracy)


def run_key(config: Any, manifest_digest: str) -> str:
    """Return the hash of what every point of a search depends on, 16 hexadecimal digits."""
    text = json.dumps([dataclasses.asdict(config), manifest_digest], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class GridFile:
    """The points of one run that are finished, in memory and, if there is a path, in a file.

    Parameters
    ----------
    path : path or None
        Lines are added; it is made where it does not exist.
    key : str
        See `run_key`.
    """

    def __init__(self, path: str | os.PathLike[str] | None, key: str) -> None:
        self._path = None if path is None else Path(path)
        self._key = key
        self._known = {_named(params): value for params, value in self._read()}

    def known(self, params: Point) -> float | None:
        """Return the balanced accuracy of a point, if it is finished."""
        return self._known.get(_named(params))

    def add(self, params: Point, value: float) -> None:
        """Write a point down.

        Raises
        ------
        ManifestError
            If the file cannot be written.
        """
        self._known[_named(params)] = value
        if self._path is None:
            return
        line = json.dumps({"run": self._key, "params": dict(params), "balanced_accuracy": value})
        try:
            torn = self._path.is_file() and not self._path.read_bytes().endswith(b"\n")
            with self._path.open("a", encoding="utf-8") as file:
                file.write(("\n" if torn and self._path.stat().st_size else "") + line + "\n")
        except OSError as error:
            raise ManifestError(f"cannot write the grid's file {self._path}: {error.strerror or error}") from error

    def _read(self) -> Iterator[tuple[Point, float]]:
        if self._path is None or not self._path.is_file():
            return
        for line in self._path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                found = json.loads(line)
                if found["run"] == self._key:
                    yield dict(found["params"]), float(found["balanced_accuracy"])
            except (ValueError, TypeError, KeyError, RecursionError):
                continue


def _named(params: Point) -> str:
    return json.dumps(dict(params), sort_keys=True)
