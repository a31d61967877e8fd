"""The one pass over the images of a set, in worker processes, interrupted or not.

How files are batched depends on their number alone and batches are merged in order, so any number of workers gives the
same bits, and so does a run that was interrupted and went on: every so often the sums are written, whole or not at all,
with the number of batches in them.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from spectell.errors import ManifestError
from spectell.images import describe_path
from spectell.spectra import SpectrumStatistics
from spectell.workflows.mean_spectra.batch import Batch, Part, Spool, Unwritten
from spectell.workflows.mean_spectra.files import Progress, load_progress, save_progress
from spectell.workflows.mean_spectra.sets import ImageFiles
from spectell.workflows.mean_spectra.sums import SetSums
from spectell.workflows.reading.limits import DEFAULT_TIMEOUT, Limits
from spectell.workflows.workers.pending import PENDING
from spectell.workflows.workers.pool import Answer, Crew, isolated_map
from spectell.workflows.workers.worker import Failure

__all__ = [
    "FULL_PIXELS",
    "FULL_SIZES",
    "SAVE_SECONDS",
    "WORKER_BYTES",
    "batch_bounds",
    "measure_set",
    "probe_sizes",
]

FULL_PIXELS, FULL_SIZES = 2**20, 4
"""Pixels of all sizes together that get full-size spectra in a set, and how many sizes: 128 bytes a pixel are kept."""

WORKER_BYTES = Limits().memory + 384 * FULL_PIXELS
"""Bytes that a worker may take: as for any file, and for the sums, 260 to 360 a pixel."""

SAVE_SECONDS = 60.0
"""How often unfinished work is saved."""

_PROBED, _PROBED_BYTES = (32, 128), 8 * 2**20  # files whose size in pixels is looked at, at least and at most
_BATCH_FILES = (16, 512)
_BATCHES = 16
_AHEAD = 6  # batches a worker may be ahead of what is merged, so that results do not fill the disk

OnProgress = Callable[[str, int, int], object]


def probe_sizes(files: ImageFiles, crew: Crew) -> frozenset[tuple[int, int]]:
    """Choose the sizes, as (height, width), that get full-size spectra; the crew's work is `Measuring`.

    Up to 128 files, 32 of them if they are large, evenly spread over the set, are read; their sizes are taken from the
    most frequent on, at most `FULL_SIZES` of them and as many as fit `FULL_PIXELS`. A size that a single one of several
    files has is passed over, and so is one of a side of 1: its spectrum is no picture.
    """
    few, many = _PROBED
    chosen = _evenly(files.files, few)
    mean_bytes = sum(map(_n_bytes, chosen)) / max(len(chosen), 1)
    chosen = _evenly(files.files, int(min(max(_PROBED_BYTES / max(mean_bytes, 1.0), few), many)))
    found: Counter[tuple[int, int]] = Counter()
    for answer in crew.map(chosen, timeout=DEFAULT_TIMEOUT):
        if isinstance(answer.result, tuple) and not isinstance(answer.result, Failure):
            found[answer.result] += 1
    sizes: set[tuple[int, int]] = set()
    room = FULL_PIXELS
    for size, number in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        fits = min(size) > 1 and size[0] * size[1] <= room and len(sizes) < FULL_SIZES
        if fits and (number > 1 or found.total() < 4):
            sizes.add(size)
            room -= size[0] * size[1]
    return frozenset(sizes)


def _evenly(files: Sequence[str], most: int) -> list[str]:
    n = len(files)
    return [files[index] for index in np.unique(np.linspace(0, n - 1, min(n, most)).astype(int)).tolist()]


def _n_bytes(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - a name need not be one that pathlib takes
    except OSError:
        return 0


def batch_bounds(n_files: int) -> list[int]:
    """Divide the files of a set into batches, by their number alone.

    Handing over the sums of a batch takes as long as some ten images, hence many images a batch; the last batches are
    smaller, so that no worker waits long for another's.

    Parameters
    ----------
    n_files : int >= 0

    Returns
    -------
    bounds : list of int
        Batch i holds the files from ``bounds[i]`` to ``bounds[i + 1]``, not included.

    Examples
    --------
    >>> batch_bounds(40), batch_bounds(1600)[-6:]
    ([0, 16, 32, 40], [1467, 1512, 1542, 1567, 1592, 1600])
    """
    smallest, largest = _BATCH_FILES
    usual = min(max(-(-n_files // _BATCHES), smallest), largest)
    least = max(usual // 4, smallest)
    bounds = [0]
    while (left := n_files - bounds[-1]) > 0:
        bounds.append(bounds[-1] + min(usual, max(-(-left // 3), least), left))
    return bounds


def measure_set(files: ImageFiles, path: Path, crew: Crew, *, identity: str, on_progress: OnProgress) -> bool:
    """Measure a set and leave its sums in a file, for `load_progress`.

    Parameters
    ----------
    files : ImageFiles
        The set.
    path : Path
        Where its sums are written, in the folder of the crew's work; work that is found there goes on.
    crew : Crew
        Its work is `Measuring`.
    identity : str
        Hash of what decides the result.
    on_progress : callable
        Called with the name of the set, files done, and their number.

    Returns
    -------
    resumed : bool
        Whether earlier work was gone on with.
    """
    found = load_progress(path, identity)
    run = _Run(files, path, identity, found or Progress(SetSums(files.source, files.generator, [identity]), 0))
    if run.done < run.n_batches:
        try:
            run.go(crew, on_progress)
        finally:
            run.save()  # when interrupted too
    return found is not None


class _Run:
    """The work on one set: what has been merged, and what comes next."""

    def __init__(self, files: ImageFiles, path: Path, identity: str, progress: Progress) -> None:
        self.files, self.path, self.identity = files, path, identity
        self.sums, self.done = progress
        self._whole = True
        self._sizes: frozenset[tuple[int, int]] = frozenset()
        self.bounds = batch_bounds(len(files.files))
        self.n_batches = len(self.bounds) - 1

    def go(self, crew: Crew, on_progress: OnProgress) -> None:
        """Measure what is left."""
        self._sizes = probe_sizes(self.files, crew)
        saved = time.monotonic()
        with closing(crew.map(self._batches(crew.limit), timeout=DEFAULT_TIMEOUT + _BATCH_FILES[1])) as answers:
            for answer in answers:
                self._require_written(answer)
                self._whole = False
                self._take(answer, crew)
                self.done += 1
                self._whole = True
                on_progress(self.files.name, self.sums.tally.n_files, len(self.files.files))
                if time.monotonic() - saved > SAVE_SECONDS:
                    self.save()
                    saved = time.monotonic()

    def save(self) -> None:
        """Write what has been merged, unless an interrupt left half a batch in it."""
        if self._whole:
            save_progress(self.path, Progress(self.sums, self.done), self.identity)

    def _batches(self, workers: int) -> Iterator[Batch | Any]:
        for number in range(self.done, self.n_batches):
            while number - self.done >= _AHEAD * workers:
                yield PENDING
            here = slice(*self.bounds[number : number + 2])
            yield Batch(
                f"{self.path.stem}-{number}.part",
                tuple(self.files.files[here]),
                tuple(self.files.detailed[here].tolist()),
                self._sizes,
                self.files.source,
                self.files.generator,
            )

    def _take(self, answer: Answer, crew: Crew) -> None:
        """Merge a batch; one that killed or stopped its worker is done again file by file."""
        if isinstance(answer.result, Part):
            self._merge(answer.result, answer.item)
            return
        batch: Batch = answer.item
        singles = [
            batch._replace(name=f"{batch.name}{i}", files=(path,), detailed=(detailed,))
            for i, (path, detailed) in enumerate(zip(batch.files, batch.detailed, strict=True))
        ]
        limits: dict[str, Any] = {"timeout": DEFAULT_TIMEOUT, "memory": WORKER_BYTES}
        for single in isolated_map(crew.work, singles, workers=crew.limit, **limits):
            self._require_written(single)
            if isinstance(single.result, Part):
                self._merge(single.result, single.item)
            else:
                reason = single.result.reason if isinstance(single.result, Failure) else str(single.result)
                self.sums.tally.refuse(f"cannot read {describe_path(single.item.files[0])}: {reason}")

    def _require_written(self, answer: Answer) -> None:
        if isinstance(answer.result, Unwritten):
            place = os.fspath(self.path.parent / answer.item.name)
            reason = answer.result.reason
            raise ManifestError(f"cannot write {place!r}: {reason}; the same command goes on when that is mended")

    def _merge(self, part: Part, batch: Batch) -> None:
        self.sums.merge(part.sums)
        if part.spooled:
            path = self.path.parent / batch.name
            for key, statistics in _unspooled(path, part.spooled):
                self.sums.add(key, statistics)
            path.unlink()


def _unspooled(path: Path, spooled: list[Spool]) -> Iterator[tuple[str, SpectrumStatistics]]:
    with path.open("rb") as file:
        for key, n_images, shape in spooled:
            mean, squared = (np.fromfile(file, np.float32, shape[0] * shape[1]).reshape(shape) for _ in range(2))
            yield key, SpectrumStatistics.from_state({"count": n_images, "mean": mean, "squared_deviation": squared})
