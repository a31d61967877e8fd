"""The files of a data set, each read in a process that may crash, hang or run out of memory.

A file that a decoder dies of, or is not done with in time, becomes `Skipped` like one that is damaged. Pixels that are
read again later, of files that were read once without harm, are decoded in threads. Files of more than
`spectell.images.LARGE_PIXELS` pixels are decoded one at a time in either case.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from spectell.datasets import Manifest
from spectell.errors import ImageError
from spectell.images import describe_path, read_image
from spectell.workflows.reading.limits import Limits
from spectell.workflows.workers.pool import available_cores, isolated_map
from spectell.workflows.workers.worker import Failure, Gate

__all__ = [
    "Alteration",
    "AlteredReader",
    "FileReader",
    "Pixels",
    "Reader",
    "Skipped",
    "files_of",
    "gated",
    "map_files",
    "map_read",
]

T = TypeVar("T")
Pixels = npt.NDArray[np.uint8]

Reader = Callable[[Manifest, int], Pixels]
"""Gives the pixels of a row of a manifest; raises `ImageError` if they cannot be read."""

Alteration = Callable[[Manifest, int, Pixels], Pixels]
"""Makes of the pixels of a row what is worked on instead; raises `ImageError` if it cannot."""

_TURNS = threading.Lock()


@dataclass(frozen=True, slots=True)
class Skipped:
    """An image that took no part.

    Parameters
    ----------
    path : str
    reason : str
    """

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class FileReader(Limits):
    """Decodes the files that a manifest names, within limits: a `Reader`."""

    def __call__(self, manifest: Manifest, index: int) -> Pixels:
        """Decode the file of a row; large ones take turns."""
        return self.gated(manifest, index, _TURNS)

    def gated(self, manifest: Manifest, index: int, gate: Gate) -> Pixels:
        """Decode the file of a row, holding `gate` while a large one is decoded."""
        return read_image(manifest.file(index), max_pixels=self.max_pixels, large_gate=gate).pixels


@dataclass(frozen=True, slots=True)
class AlteredReader:
    """Reads what an alteration makes of the pixels that another reader gives: a `Reader`.

    Parameters
    ----------
    read : callable
        See `Reader`.
    alter : callable
        See `Alteration`; pickled for processes that cannot be forked.
    """

    read: Reader
    alter: Alteration

    def __call__(self, manifest: Manifest, index: int) -> Pixels:
        """Read and alter the image of a row."""
        return self.alter(manifest, index, self.read(manifest, index))


def files_of(read: Reader) -> FileReader | None:
    """Return what a reader reads files with; None if it reads none, or hides how.

    Examples
    --------
    >>> files_of(AlteredReader(FileReader(max_pixels=100), lambda manifest, index, pixels: pixels))
    FileReader(max_pixels=100, timeout=60.0)
    >>> files_of(lambda manifest, index: None)
    """
    while isinstance(read, AlteredReader):
        read = read.read
    return read if isinstance(read, FileReader) else None


@dataclass(frozen=True, slots=True)
class _Row(Generic[T]):
    """What a process does with the number of a row."""

    manifest: Manifest
    read: Reader
    work: Callable[[Pixels], T]

    def __call__(self, index: int, gate: Gate) -> T | Skipped:
        try:
            return self.work(gated(self.read, self.manifest, index, gate))
        except ImageError as error:
            return Skipped(self.manifest.paths[index], str(error))


def gated(read: Reader, manifest: Manifest, index: int, gate: Gate) -> Pixels:
    """Read a row, holding `gate` while a large file is decoded."""
    if isinstance(read, AlteredReader):
        return read.alter(manifest, index, gated(read.read, manifest, index, gate))
    return read.gated(manifest, index, gate) if isinstance(read, FileReader) else read(manifest, index)


def map_read(
    files: FileReader, read: Reader, manifest: Manifest, work: Callable[[Pixels], T], workers: int | None
) -> Iterator[T | Skipped]:
    """Apply `work` to the pixels of every row in isolated processes, in order.

    Parameters
    ----------
    files : FileReader
        `files_of` the reader.
    read : callable
        See `Reader`.
    manifest : Manifest
    work : callable
        Pickled for processes that cannot be forked.
    workers : int, optional
        Processes; one a core by default.
    """
    yield from map_files(files, manifest, _Row(manifest, read, work), range(len(manifest)), workers)


def map_files(
    files: FileReader, manifest: Manifest, work: Callable[[Any, Gate], T], items: Iterable[Any], workers: int | None
) -> Iterator[T | Skipped]:
    """Apply `work` to rows in isolated processes, in order; a file that ends or stops its process is `Skipped`.

    Parameters
    ----------
    files : FileReader
        Says how long and how much memory a file may take.
    manifest : Manifest
    work : callable
        Called as ``work(item, gate)``, see `spectell.workflows.workers.pool.isolated_map`.
    items : iterable
        Rows of the manifest, or tuples that begin with one; or `spectell.workflows.workers.pending.PENDING`.
    workers : int, optional
        Processes; one a core by default.
    """
    workers = available_cores() if workers is None else workers
    answers = isolated_map(work, items, workers=workers, timeout=files.timeout, memory=files.memory)
    with closing(answers):
        for item, result in answers:
            if isinstance(result, Failure):
                index = item[0] if isinstance(item, tuple) else item
                name = describe_path(manifest.file(index))
                yield Skipped(manifest.paths[index], f"cannot read {name}: {result.reason}")
            else:
                yield result
