"""Mean and variance of the DCT over a folder of images, in as many processes as there are cores.

Files travel to the workers in batches and come back as one pair of arrays a batch. How files are batched depends on
their number alone and batches are merged in order, so any number of workers gives the same bits.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ImageError, MismatchError, ParameterError
from spectell.images import describe_path, read_image
from spectell.spectra import SpectrumStatistics
from spectell.transforms import dct2, log_scale
from spectell.workflows.reading.limits import DEFAULT_TIMEOUT
from spectell.workflows.reading.walk import PathLike, Unreadable, as_paths, walk
from spectell.workflows.workers.pending import Pending
from spectell.workflows.workers.pool import Answer, available_cores, isolated_map
from spectell.workflows.workers.worker import Failure, Gate

__all__ = ["FolderStatistics", "folder_statistics"]

_BATCH_FILES = (16, 512)

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class FolderStatistics:
    """Statistics of the images of one size, and what was left out.

    Attributes
    ----------
    statistics : SpectrumStatistics
        Of the coefficients, shape (H, W, 3), of every readable image of the size of the first.
    other_sizes : dict of (int, int) to int
        How many images had which other (height, width).
    unreadable : tuple of str
        One line for each file that could not be read, naming it and the reason.
    """

    statistics: SpectrumStatistics
    other_sizes: dict[tuple[int, int], int]
    unreadable: tuple[str, ...]


@dataclass(slots=True)
class _Part:
    """What a worker found in one batch of files."""

    statistics: SpectrumStatistics
    other_sizes: Counter[tuple[int, int]]
    unreadable: list[str]

    def add(self, other: "_Part") -> None:
        self.statistics.merge(other.statistics)
        self.other_sizes.update(other.other_sizes)
        self.unreadable.extend(other.unreadable)


def folder_statistics(
    paths: PathLike | Iterable[PathLike], *, workers: int | None = None, log: bool = False
) -> FolderStatistics:
    """Mean and variance of every DCT coefficient over the images of one size.

    Parameters
    ----------
    paths : path or iterable of paths
        Files and folders; folders are walked.
    workers : int >= 1, optional
        Number of processes; all cores by default. The result does not depend on it.
    log : bool
        Statistics of ``log_scale(dct2(pixels))`` instead of ``dct2(pixels)``.

    Returns
    -------
    found : FolderStatistics
        The first readable image decides the size. Nothing is resized: images of another size are counted and left out.

    Raises
    ------
    ParameterError
        If there are no files, or `workers` is not positive.
    ImageError
        If not one of the files can be read.

    Notes
    -----
    Where processes cannot be forked (macOS, Windows, a program with threads or with torch loaded) a script must call
    this below ``if __name__ == "__main__":``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, value in (("a.ppm", 10), ("b.ppm", 30)):
    ...         _ = pathlib.Path(folder, name).write_bytes(b"P6 2 2 255 " + bytes([value] * 12))
    ...     found = folder_statistics(folder, workers=1)
    >>> found.statistics.count, found.statistics.mean[0, 0].round(6).tolist(), found.other_sizes
    (2, [40.0, 40.0, 40.0], {})
    """
    import scipy.fft  # noqa: F401 - so that forked workers have it already

    workers = available_cores() if workers is None else workers
    if workers < 1:
        raise ParameterError(f"workers must be at least 1, got {workers}")
    files, unreadable = _listed(as_paths(paths))
    shape = _first_shape(files)
    total = _Part(SpectrumStatistics(shape), Counter(), unreadable)
    work = partial(_measure, shape=shape, log=log)
    for part in _parts(work, files, shape, workers):
        total.add(part)
    return FolderStatistics(total.statistics, dict(total.other_sizes), tuple(total.unreadable))


def _listed(paths: Iterable[PathLike | Pending]) -> tuple[list[str], list[str]]:
    found = list(walk(paths))
    files = [item for item in found if isinstance(item, str)]
    unreadable = [item.reason for item in found if isinstance(item, Unreadable)]
    if not files:
        raise MismatchError(f"there are no image files to measure: {unreadable[0]}")
    return files, unreadable


def _first_shape(files: Sequence[str]) -> tuple[int, int, int]:
    """Shape of the first readable image; probed in a worker, since a decoder may crash on what comes before it."""
    first = ""
    for answer in isolated_map(_probe, files, workers=1, timeout=DEFAULT_TIMEOUT):
        if isinstance(answer.result, tuple) and not isinstance(answer.result, Failure):
            height, width = answer.result
            return height, width, 3
        first = first or _reason(answer)
    raise ImageError(f"none of {len(files)} files can be read as an image; the first: {first}")


def _probe(path: str, gate: Gate) -> tuple[int, int] | str:
    try:
        height, width, _ = read_image(path, large_gate=gate).pixels.shape
    except ImageError as error:
        return str(error)
    return height, width


def _batches(files: Sequence[str]) -> Iterator[tuple[str, ...]]:
    smallest, largest = _BATCH_FILES
    size = min(max(-(-len(files) // 16), smallest), largest)
    remaining = iter(files)
    while batch := tuple(islice(remaining, size)):
        yield batch


def _parts(work: Any, files: Sequence[str], shape: tuple[int, ...], workers: int) -> Iterator[_Part]:
    """Results of the batches; one that killed or stopped its worker is done again file by file."""
    for answer in isolated_map(work, _batches(files), workers=workers, timeout=DEFAULT_TIMEOUT + _BATCH_FILES[1]):
        if isinstance(answer.result, _Part):
            yield answer.result
            continue
        for single in isolated_map(work, [(path,) for path in answer.item], workers=workers, timeout=DEFAULT_TIMEOUT):
            if isinstance(single.result, _Part):
                yield single.result
            else:
                yield _Part(SpectrumStatistics(shape), Counter(), [_reason(single)])


def _reason(answer: Answer) -> str:
    if isinstance(answer.result, Failure):
        path = answer.item if isinstance(answer.item, str) else answer.item[0]
        return f"cannot read {describe_path(path)}: {answer.result.reason}"
    return str(answer.result)


def _measure(files: tuple[str, ...], gate: Gate, *, shape: tuple[int, int, int], log: bool) -> _Part:
    """Read one batch in a worker."""
    part = _Part(SpectrumStatistics(shape), Counter(), [])
    images = _fitting(files, gate, part)
    if log:
        for pixels in images:
            part.statistics.update(log_scale(dct2(pixels.astype(np.float32)))[np.newaxis])
    else:
        part.statistics.update_dct(images)
    return part


def _fitting(files: Iterable[str], gate: Gate, part: _Part) -> Iterator[Pixels]:
    """Read the images, one at a time, that have the right size; note the others."""
    for path in files:
        try:
            pixels = read_image(path, large_gate=gate).pixels
        except ImageError as error:
            part.unreadable.append(str(error))
            continue
        if pixels.shape == part.statistics.shape:
            yield pixels
        else:
            part.other_sizes[pixels.shape[:2]] += 1
