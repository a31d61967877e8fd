"""Passes over the images of a data set, in order: which images there are, how one is read, what is done to each.

Files are read in processes that may die or hang (`spectell.workflows.reading.image_files`). What is packed, or was read
once without harm, is worked on in threads, since decoding and the transforms leave Python's lock. The linear algebra
library is held to one thread meanwhile: it would fight with the others over the cores.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from spectell.datasets import Manifest, read_dataset
from spectell.datasets.packed import Packed, is_packed, open_packed
from spectell.errors import ImageError, MismatchError
from spectell.images import DEFAULT_MAX_PIXELS
from spectell.workflows.reading.image_files import FileReader, Pixels, Reader, Skipped, files_of, map_read
from spectell.workflows.reading.limits import DEFAULT_TIMEOUT
from spectell.workflows.workers.pool import available_cores

__all__ = [
    "PackedReader",
    "Progress",
    "counted",
    "in_threads",
    "map_images",
    "map_rows",
    "open_images",
    "quiet",
    "read_file",
]

T = TypeVar("T")
StrPath = str | os.PathLike[str]
Progress = Callable[[str, int, int], object]
"""Called with the name of a stage, the number of its items done, and their total."""

read_file = FileReader()
"""Decodes the file that a row names, within the usual limits."""


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


def open_images(
    dataset: Manifest | Packed | StrPath,
    *,
    real: str | None = None,
    require_real: bool = True,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    timeout: float = DEFAULT_TIMEOUT,
) -> tuple[Manifest, Reader]:
    """List the images of a data set, and say how to read one.

    Parameters
    ----------
    dataset : Manifest, Packed or path
        A path is a folder, a manifest, or a folder that `spectell.datasets.packed.pack` wrote, whose pixels are taken
        as they lie there.
    real, require_real
        See `spectell.datasets.read_dataset`; a packed data set knows which images are real.
    max_pixels, timeout
        Of one file, see `spectell.workflows.reading.limits.Limits`.

    Raises
    ------
    ManifestError, ParameterError
        If it cannot be read, a limit is outside its domain, or `real` is given for images that are known.
    """
    files = FileReader(max_pixels, timeout)
    if isinstance(dataset, Manifest):
        return dataset, files
    if not isinstance(dataset, Packed):
        if not is_packed(dataset):
            return read_dataset(dataset, real=real, require_real=require_real), files
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
        Called with an array of shape (H, W, 3), `uint8`, in processes if the images are files, else in threads.
    read : callable
        See `Reader`.
    workers : int, optional
        Processes or threads; one a core by default.
    on_progress : callable
        See `Progress`.
    stage : str
        What progress calls the pass.

    Yields
    ------
    result : what `work` returned, or `Skipped` for a file that cannot be read
    """
    files = files_of(read)
    if files is None:
        yield from map_rows(manifest, lambda index: work(read(manifest, index)), workers, on_progress, stage)
        return
    for done, result in enumerate(map_read(files, read, manifest, work, workers), start=1):
        on_progress(stage, done, len(manifest))
        yield result


def map_rows(
    manifest: Manifest, work: Callable[[int], T], workers: int | None, on_progress: Progress, stage: str
) -> Iterator[T | Skipped]:
    """Apply `work` to the number of every row in threads, in order; `Skipped` where it raises `ImageError`."""

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
