"""The images of a data set as pixels: read in threads, in order, with memory that does not grow with their number.

Decoding and the transforms leave Python's lock, so threads suffice. The linear algebra library is held to one thread
meanwhile: it would fight with the others over the cores.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from spectell.datasets import Manifest, read_dataset
from spectell.datasets.packed import Packed, is_packed, open_packed
from spectell.detectors.artifact import training_hash
from spectell.errors import ImageError, ManifestError, MismatchError
from spectell.images import read_image

__all__ = ["ImageSet", "PackedReader", "Reader", "Skipped", "map_images", "open_images"]

T = TypeVar("T")
StrPath = str | os.PathLike[str]
Pixels = npt.NDArray[np.uint8]
Progress = Callable[[str, int, int], object]
"""Called with the name of a stage, the number of its items done, and their total."""

Reader = Callable[[Manifest, int], Pixels]
"""Gives the pixels of a row of a manifest; raises `ImageError` if they cannot be read."""

Alteration = Callable[[Manifest, int, Pixels], Pixels]
"""Makes of the pixels of a row what is worked on instead; raises `ImageError` if it cannot."""

KEPT_BYTES = 500_000_000
"""Decoded pixels that are kept; what exceeds them is decoded again whenever it is needed."""


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


def quiet(stage: str, done: int, total: int) -> None:
    """Report no progress."""


def counted(on_progress: Progress, stage: str, total: int) -> Callable[[int], None]:
    """Return a callable for rooms that report how many images they did since their last call."""
    done = 0

    def report(number: int) -> None:
        nonlocal done
        done += number
        on_progress(stage, done, total)

    return report


def unaltered(manifest: Manifest, index: int, pixels: Pixels) -> Pixels:  # noqa: ARG001 - an `Alteration`
    """Return pixels as they are."""
    return pixels


def read_file(manifest: Manifest, index: int) -> Pixels:
    """Decode the file that a row names."""
    return read_image(manifest.file(index)).pixels


def open_images(
    dataset: Manifest | Packed | StrPath, *, real: str | None = None, require_real: bool = True
) -> tuple[Manifest, Reader]:
    """List the images of a data set, and say how to read one.

    Parameters
    ----------
    dataset : Manifest, Packed or path
        A path is a folder, a manifest, or a folder that `spectell.datasets.packed.pack` wrote, whose pixels are taken
        as they lie there.
    real, require_real
        See `spectell.datasets.read_dataset`; a packed data set knows which images are real.

    Raises
    ------
    ManifestError, ParameterError
        If it cannot be read, or `real` is given for images that are known.
    """
    if isinstance(dataset, Manifest):
        return dataset, read_file
    if not isinstance(dataset, Packed):
        if not is_packed(dataset):
            return read_dataset(dataset, real=real, require_real=require_real), read_file
        dataset = open_packed(dataset)
    if real is not None:
        raise MismatchError(f"real={real!r} is for folders; a packed data set names its real images in its manifest")
    return dataset.manifest, PackedReader(dataset)


class PackedReader:
    """Reads packed images by their paths.

    Parameters
    ----------
    packed : Packed

    Attributes
    ----------
    images : ndarray of shape (N, H, W, 3), uint8
        All of them, as they lie there.
    """

    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        self._rows = {path: row for row, path in enumerate(packed.manifest.paths)}
        self.images = packed.images

    def __call__(self, manifest: Manifest, index: int) -> Pixels:
        """Give the pixels of a row of a manifest."""
        return self._packed.pixels(self._rows[manifest.paths[index]])

    def places(self, manifest: Manifest) -> npt.NDArray[np.intp]:
        """Return the row of `images` of each row of a manifest."""
        return np.array([self._rows[path] for path in manifest.paths], np.intp)


def map_images(
    manifest: Manifest,
    work: Callable[[Pixels], T],
    *,
    read: Reader = read_file,
    workers: int | None = None,
    on_progress: Progress = quiet,
    stage: str = "reading",
) -> Iterator[T | Skipped]:
    """Apply `work` to the pixels of every image, in order.

    Parameters
    ----------
    manifest : Manifest
    work : callable
        Called in threads with an array of shape (H, W, 3), `uint8`.
    read : callable
        See `Reader`.
    workers : int, optional
        Threads; one a core by default.
    on_progress : callable
        See `Progress`.
    stage : str
        What progress calls the pass.

    Yields
    ------
    result : what `work` returned, or `Skipped` for a file that cannot be read
    """
    yield from _map_rows(manifest, lambda index: work(read(manifest, index)), workers, on_progress, stage)


def _map_rows(
    manifest: Manifest, work: Callable[[int], T], workers: int | None, on_progress: Progress, stage: str
) -> Iterator[T | Skipped]:
    """Apply `work` to the number of every row, in order."""

    def one(index: int) -> T | Skipped:
        try:
            return work(index)
        except ImageError as error:
            return Skipped(manifest.paths[index], str(error))

    yield from in_threads(one, range(len(manifest)), len(manifest), workers, on_progress, stage)


def in_threads(
    work: Callable[[int], T],
    items: Iterable[int],
    total: int,
    workers: int | None,
    on_progress: Progress,
    stage: str,
) -> Iterator[T]:
    """Apply `work` in threads; results in order, and never more than a few ahead of what was taken."""
    from threadpoolctl import threadpool_limits

    from spectell.workflows.pool import available_cores

    workers = workers or available_cores()
    waiting: deque[Future[T]] = deque()
    pending = iter(items)
    with threadpool_limits(1), ThreadPoolExecutor(workers) as pool:
        try:
            for done in itertools.count(1):
                while len(waiting) < 2 * workers and (item := next(pending, None)) is not None:
                    waiting.append(pool.submit(work, item))
                if not waiting:
                    return
                result = waiting.popleft().result()
                on_progress(stage, done, total)
                yield result
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


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
        Threads; one a core by default.
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
        room = KEPT_BYTES
        rows: list[int] = []
        sides, hashes, skipped = [], [], []

        def describe(index: int) -> tuple[Pixels, np.uint64]:
            pixels = read(manifest, index)
            return alter(manifest, index, pixels), training_hash(pixels)

        for index, found in enumerate(_map_rows(manifest, describe, workers, on_progress, "reading")):
            if isinstance(found, Skipped):
                skipped.append(found)
                continue
            pixels, digest = found
            room -= pixels.nbytes
            if room > 0:
                self._kept[len(rows)] = pixels
            rows.append(index)
            sides.append(min(pixels.shape[:2]))
            hashes.append(digest)
        if not rows:
            raise ManifestError(f"none of the {len(manifest)} images can be read; the first: {skipped[0].reason}")
        self.manifest = manifest.select(np.array(rows))
        self.skipped = tuple(skipped)
        self.sides = np.array(sides)
        self.hashes: npt.NDArray[np.uint64] = np.array(hashes, np.uint64)

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
