"""The readable images of a data set, with memory that does not grow with their number.

The first pass reads every file in a process that may die or hang, and keeps the pixels for which there is room. What
is read again was read once without harm, and is read in threads.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from spectell.datasets import Manifest
from spectell.detectors.artifact import training_hash
from spectell.errors import ImageError, ManifestError
from spectell.workflows.reading.image_files import Alteration, Pixels, Reader, Skipped, files_of, gated, map_files
from spectell.workflows.reading.image_passes import PackedReader, Progress, in_threads, map_rows, quiet, read_file
from spectell.workflows.workers.pending import PENDING
from spectell.workflows.workers.pool import available_cores
from spectell.workflows.workers.worker import Gate

__all__ = ["KEPT_BYTES", "ImageSet", "unaltered"]

T = TypeVar("T")

KEPT_BYTES = 500_000_000
"""Decoded pixels that are kept; what exceeds them is decoded again whenever it is needed."""

_SENT_BYTES = 8_000_000  # pixels that a process sends; those of a larger image are read again
_WAITING_BYTES = 256_000_000
_AHEAD = 256  # images a process: many more than travel together, so that nobody waits for the next ones


def unaltered(manifest: Manifest, index: int, pixels: Pixels) -> Pixels:  # noqa: ARG001 - an `Alteration`
    """Return pixels as they are."""
    return pixels


@dataclass(frozen=True, slots=True)
class _Described:
    """What is kept of an image: its pixels as altered, if they were wanted, their bytes and smaller side; its hash."""

    pixels: Pixels | None
    size: int
    side: int
    digest: np.uint64


@dataclass(frozen=True, slots=True)
class _Describing:
    """Describes rows, in threads by `row` or in processes."""

    manifest: Manifest
    read: Reader
    alter: Alteration

    def row(self, index: int) -> _Described:
        """Describe one row."""
        return self._described(index, self.read(self.manifest, index))

    def __call__(self, item: tuple[int, int], gate: Gate) -> _Described | Skipped:
        """Describe one row, with its pixels if they have no more bytes than may be sent."""
        index, most = item
        try:
            described = self._described(index, gated(self.read, self.manifest, index, gate))
        except ImageError as error:
            return Skipped(self.manifest.paths[index], str(error))
        return described if described.size <= most else dataclasses.replace(described, pixels=None)

    def _described(self, index: int, pixels: Pixels) -> _Described:
        altered = self.alter(self.manifest, index, pixels)
        return _Described(altered, altered.nbytes, min(altered.shape[:2]), training_hash(pixels))


class _Rows:
    """Rows to read, handed out no further ahead than memory allows while one of them is waited for.

    How many that are follows from the largest image so far, but no worker shall be idle. None of them may bring more
    pixels than its share of the memory, so that neither large images after small ones nor many workers fill it: what is
    larger is read again.
    """

    def __init__(self, total: int, workers: int | None) -> None:
        self._total, self._workers = total, workers or available_cores()
        self._taken, self._largest, self._wanted = 0, 0, True

    def took(self, size: int, room: int) -> None:
        """Note that a result was taken, the bytes of its pixels, brought or not, and how many more may be kept."""
        self._taken, self._wanted = self._taken + 1, room > 0
        if size <= _SENT_BYTES:
            self._largest = max(self._largest, size)

    def __iter__(self) -> Iterator[Any]:
        """Yield rows, and how many bytes of pixels each may bring."""
        for index in range(self._total):
            while index - self._taken >= self._ahead():
                yield PENDING
            yield index, self._share() if self._wanted else 0

    def _share(self) -> int:
        return min(_WAITING_BYTES // self._ahead(), _SENT_BYTES)

    def _ahead(self) -> int:
        size = self._largest if self._taken else _SENT_BYTES
        return min(max(_WAITING_BYTES // max(size, 1), 4 * self._workers), _AHEAD * self._workers)


class ImageSet:
    """The readable images of a data set.

    Parameters
    ----------
    manifest : Manifest
    read : callable
        See `Reader`.
    alter : callable
        See `Alteration`; the same for a row at every call.
    workers : int, optional
        Processes and threads; one a core by default.
    on_progress : callable
        See `Progress`.

    Attributes
    ----------
    manifest : Manifest
        Without the rows that cannot be read.
    packed : PackedReader or None
        Where the pixels lie, if they are packed and unaltered.
    skipped : tuple of Skipped
        Those rows.
    sides : ndarray of shape (n,)
        The smaller side of each image, in pixels, as altered.
    hashes : ndarray of shape (n,), uint64
        `spectell.detectors.artifact.training_hash` of each image as it was before.

    Raises
    ------
    ManifestError
        If no image can be read.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        read: Reader = read_file,
        alter: Alteration = unaltered,
        workers: int | None = None,
        on_progress: Progress = quiet,
    ) -> None:
        self._read, self._alter = read, alter
        self.packed = read if isinstance(read, PackedReader) and alter is unaltered else None
        self._workers = workers
        self.on_progress = on_progress
        self._kept: dict[int, Pixels] = {}
        rows: list[int] = []
        sides, hashes, skipped = [], [], []
        for index, found in enumerate(self._described(manifest)):
            on_progress("reading", index + 1, len(manifest))
            if isinstance(found, Skipped):
                skipped.append(found)
                continue
            if found.pixels is not None:
                self._kept[len(rows)] = found.pixels
            rows.append(index)
            sides.append(found.side)
            hashes.append(found.digest)
        if not rows:
            raise ManifestError(f"none of the {len(manifest)} images can be read; the first: {skipped[0].reason}")
        self.manifest = manifest.select(np.array(rows))
        self.skipped = tuple(skipped)
        self.sides = np.array(sides)
        self.hashes: npt.NDArray[np.uint64] = np.array(hashes, np.uint64)

    def _described(self, manifest: Manifest) -> Iterator[_Described | Skipped]:
        """Read every image once; pixels come along as long as there is room for them."""
        room = KEPT_BYTES
        work = _Describing(manifest, self._read, self._alter)
        rows = _Rows(len(manifest), self._workers)
        files = files_of(self._read)
        found: Iterable[_Described | Skipped]
        if files is None:
            found = map_rows(manifest, work.row, self._workers, quiet, "")
        else:
            found = map_files(files, manifest, work, rows, self._workers)
        for each in found:
            if isinstance(each, _Described) and each.pixels is not None:
                room -= each.size
            rows.took(0 if isinstance(each, Skipped) else each.size, room)
            yield dataclasses.replace(each, pixels=None) if isinstance(each, _Described) and room <= 0 else each

    def __len__(self) -> int:
        return len(self.manifest)

    def pixels(self, index: int) -> Pixels:
        """Return the decoded pixels of one image, as altered."""
        kept = self._kept.get(index)
        if kept is not None:
            return kept
        return self._alter(self.manifest, index, self._read(self.manifest, index))

    def map(self, work: Callable[[Pixels], T], indices: npt.NDArray[np.intp], stage: str = "") -> Iterator[T]:
        """Apply `work` to the images at `indices`, in order; progress is reported if the stage has a name."""
        report = self.on_progress if stage else quiet
        chosen = [int(index) for index in indices]
        return in_threads(
            lambda index: work(self.pixels(index)), iter(chosen), len(chosen), self._workers, report, stage
        )
