"""Arrays and tables of the work folder: written whole or not at all, so that a stopped run can go on."""

import csv
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recipes.default_model.corpus import Picture

__all__ = ["kept_array", "kept_pictures"]


def kept_array(path: Path, make: Callable[[], npt.NDArray[np.generic]]) -> npt.NDArray[np.generic]:
    """Read the array at `path`, or make it and write it there."""
    if not path.exists():
        temporary = path.with_suffix(".partial.npy")
        np.save(temporary, make())
        os.replace(temporary, path)  # noqa: PTH105 (the atomic rename is the point)
    return np.asarray(np.load(path))


def kept_pictures(path: Path, make: Callable[[], Iterable[Picture]]) -> list[Picture]:
    """Read the pictures at `path` (one run of bytes and a table), or make them and write them there."""
    table = path.with_suffix(".csv")
    if not table.exists():
        pictures = list(make())
        np.save(path, np.concatenate([picture.pixels.ravel() for picture in pictures]))
        rows = [(p.source, p.generator, p.group, *p.pixels.shape[:2]) for p in pictures]
        temporary = table.with_suffix(".partial")
        with temporary.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        os.replace(temporary, table)  # noqa: PTH105
    pixels, start, pictures = np.load(path, mmap_mode="r"), 0, []
    with table.open(newline="", encoding="utf-8") as file:
        for source, generator, group, height, width in csv.reader(file):
            stop = start + int(height) * int(width) * 3
            held = np.asarray(pixels[start:stop]).reshape(int(height), int(width), 3)
            pictures.append(Picture(source, generator, group, held=held, aligned=True))
            start = stop
    return pictures
