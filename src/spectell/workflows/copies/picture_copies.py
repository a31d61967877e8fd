"""A changed copy of every picture of a data set: the run that `perturb` and `prepare` share.

Folders are kept; a manifest gives every copy the group of its original, so that no split divides them. Every picture is
read and written in a worker that may die of it. Invariants: a copy's file is whole before the record names it; what
happens to a picture depends on its own path alone, not on the others, their order or the number of workers.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from spectell.datasets import Entry, Manifest, write_manifest
from spectell.datasets.atomic import remove_parts, replacing
from spectell.datasets.entries import REAL
from spectell.datasets.naming import default_group
from spectell.errors import ImageError, ManifestError, SpectellError
from spectell.images import IMAGE_SUFFIXES, describe_path, read_image
from spectell.perturbations import EncodedFile, Pixels
from spectell.workflows.copies.run_record import RunRecord
from spectell.workflows.reading.image_files import Skipped
from spectell.workflows.reading.image_passes import Progress, quiet
from spectell.workflows.reading.limits import DEFAULT_TIMEOUT
from spectell.workflows.workers.pool import available_cores, isolated_map
from spectell.workflows.workers.worker import Failure, Gate

__all__ = [
    "MANIFEST_NAME",
    "RECORD_NAME",
    "Copies",
    "Maker",
    "kept_names",
    "make_copies",
    "plain_folder",
]

MANIFEST_NAME = "manifest.csv"
RECORD_NAME = "record.jsonl"

_SECONDS_A_FILE = 2 * DEFAULT_TIMEOUT  # it is also changed and written

Maker = Callable[[str, Pixels, tuple[Any] | None], tuple[EncodedFile, Any]]
"""From a picture's path in the data set, its pixels, and None or a tuple of the parameters to replay (which may be None
themselves), to a file and the parameters of it."""


@dataclass(frozen=True, slots=True)
class Copies:
    """What a run wrote.

    Attributes
    ----------
    manifest : Manifest
        A row for each copy, with the group, source and split of its original.
    reused : int
        Copies that an earlier run had made.
    changed : int
        Copies, among those made in this run, for which something was drawn.
    skipped : tuple of Skipped
        Pictures that have no copy, and why.
    different : int
        Copies whose bytes differ from those that a replayed record names.
    """

    manifest: Manifest
    reused: int
    changed: int
    skipped: tuple[Skipped, ...]
    different: int = 0


@dataclass(frozen=True, slots=True)
class _Job:
    """One picture: its file, its path in the data set, its copy's path without suffix, and parameters to replay."""

    file: str
    path: str
    stem: str
    replayed: tuple[Any] | None = None


def make_copies(
    images: Manifest,
    output: str | os.PathLike[str],
    make: Maker,
    *,
    kind: str,
    settings: Mapping[str, Any],
    replay: Mapping[str, Mapping[str, Any]] | None = None,
    below: str = "",
    workers: int | None = None,
    resume: bool = False,
    on_progress: Progress = quiet,
    with_manifest: bool = True,
) -> Copies:
    """Write a changed copy of every picture, with a manifest and a record.

    Parameters
    ----------
    images : Manifest
    output : path
        New or empty folder, unless `resume` is set.
    make : callable
        See `Maker`; must be picklable. Raises a `SpectellError` for a picture that it cannot change.
    kind, settings
        What the record's first line says; see `RunRecord.open`.
    replay : mapping, optional
        Row of an earlier record by path: ``parameters`` are handed to `make`, and ``sha256`` is compared.
    below : str
        Sub-folder of `output` for the copies.
    workers : int, optional
        Processes; one a core by default. The result does not depend on it.
    resume : bool
        Go on with what an interrupted run left in `output`.
    on_progress : callable, optional
        See `Progress`.
    with_manifest : bool
        Whether to write ``manifest.csv``; not where nobody knows which images are real.

    Raises
    ------
    ManifestError
        If something cannot be written, or not one picture has a copy.
    MismatchError
        If `output` is not empty and `resume` is not set, or the earlier run had other settings.
    """
    folder = Path(output)
    done = _Done(folder)
    about = {"versions": {name: version(name) for name in ("spectell", "numpy", "Pillow")}}
    record = RunRecord.open(folder / RECORD_NAME, kind, settings, resume=resume, about=about, on_row=done.take_up)
    with record, _without_parts(folder, images, below):
        jobs = [job for job in _jobs(images, replay, below) if not done.has(job.path)]
        reused = len(images) - len(jobs)
        for job, made in _run(partial(_copy, folder=folder, make=make), jobs, workers, on_progress):
            record.write(made)
            done.add(made)
            if replay is not None and "sha256" in made:
                done.different += made["sha256"] != replay[job.path]["sha256"]
    manifest = _manifest(images, folder, done.copies)
    if not len(manifest):
        raise ManifestError(f"none of the {len(images)} pictures could be copied; the first: {done.skipped[0].reason}")
    if with_manifest:
        write_manifest(manifest, folder / MANIFEST_NAME)
    return Copies(manifest, reused, done.changed, tuple(done.skipped), done.different)


def plain_folder(folder: str | os.PathLike[str], source: str = "") -> Manifest:
    """List every image below a folder, whatever the sub-folders are called; all count as real.

    Parameters
    ----------
    folder : path
    source : str
        Name of the collection; that of the folder by default.

    Raises
    ------
    ManifestError
        If there is no such folder, or no image in it.
    """
    place = Path(folder)
    if not place.is_dir():
        found = "is not a folder" if place.exists() else "does not exist"
        raise ManifestError(f"{os.fspath(folder)!r} {found}; name a folder of images")
    named = source or place.resolve().name
    found_files = sorted(
        path.relative_to(place).as_posix()
        for path in place.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
    if not found_files:
        raise ManifestError(f"{os.fspath(folder)!r} holds no image; name a folder of images")
    return Manifest((Entry(path, 0, REAL, named, default_group(named, path)) for path in found_files), place)


def kept_names(paths: Sequence[str]) -> list[str]:
    """Name a copy of every picture, without suffix: its own path; where several differ in the suffix alone, with it.

    Parameters
    ----------
    paths : sequence of str
        Relative, or absolute, whose root is dropped.

    Returns
    -------
    names : list of str
        Relative paths with forward slashes, no two alike even where case does not count.

    Examples
    --------
    >>> kept_names(["real/a.jpg", "gan/a.png", "gan/b.jpg", "gan/b.png", "/far/c.jpg"])
    ['real/a', 'gan/a', 'gan/b.jpg', 'gan/b.png', 'far/c']
    """
    plain = [PurePosixPath(*(part for part in PurePosixPath(path).parts if part not in {"/", ".."})) for path in paths]
    shared = Counter(str(path.with_suffix("")).casefold() for path in plain)
    taken: set[str] = set()
    names = []
    for path in plain:
        stem = str(path.with_suffix(""))
        wanted = stem if shared[stem.casefold()] == 1 else str(path)
        name, number = wanted, 1
        while name.casefold() in taken:
            number += 1
            name = f"{wanted}.{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


class _Done:
    """Which pictures have a copy, and which have none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.copies: dict[str, tuple[str, str]] = {}
        self.skipped: list[Skipped] = []
        self.changed = self.different = 0

    def take_up(self, row: Mapping[str, Any]) -> None:
        """Note a row of an earlier run; pictures that failed are tried again."""
        self.copies.pop(row["path"], None)
        if "error" not in row:
            self.copies[row["path"]] = (row["copy"], row["sha256"])

    def has(self, path: str) -> bool:
        """Whether a picture's copy is there."""
        return path in self.copies and (self._folder / self.copies[path][0]).is_file()

    def add(self, row: Mapping[str, Any]) -> None:
        """Note a row of this run."""
        self.take_up(row)
        if "error" in row:
            self.skipped.append(Skipped(row["path"], row["error"]))
        else:
            self.changed += row["parameters"] is not None


def _jobs(images: Manifest, replay: Mapping[str, Mapping[str, Any]] | None, below: str) -> Iterator[_Job]:
    for row, stem in enumerate(kept_names(list(images.paths))):
        path = images.paths[row]
        yield _Job(
            images.file(row),
            path,
            f"{below}/{stem}" if below else stem,
            None if replay is None else (replay[path]["parameters"],),
        )


@contextmanager
def _without_parts(folder: Path, images: Manifest, below: str) -> Iterator[None]:
    """Remove in the end what killed workers, of this run or of one before it, left beside the names of copies.

    In the end, since Ctrl-C kills the workers of this run too.
    """
    try:
        yield
    finally:
        stems: dict[Path, set[str]] = defaultdict(set)
        for stem in kept_names(list(images.paths)):
            place = folder / below / stem
            stems[place.parent].add(place.name)
        for parent, names in stems.items():
            remove_parts(parent, partial(_is_copy, names))
        remove_parts(folder, {MANIFEST_NAME}.__contains__)


def _is_copy(stems: Collection[str], name: str) -> bool:
    return name.rpartition(".")[0] in stems


def _run(
    work: Any, jobs: Sequence[_Job], workers: int | None, on_progress: Progress
) -> Iterator[tuple[_Job, dict[str, Any]]]:
    workers = available_cores() if workers is None else workers
    with closing(isolated_map(work, jobs, workers=workers, timeout=_SECONDS_A_FILE)) as answers:
        for number, (job, result) in enumerate(answers, start=1):
            if isinstance(result, ManifestError):  # the disk is full, or read-only: so it is for all
                raise result
            if isinstance(result, Failure):
                result = {"path": job.path, "error": f"cannot read {describe_path(job.file)}: {result.reason}"}
            on_progress("copying", number, len(jobs))
            yield job, result


def _copy(job: _Job, gate: Gate, *, folder: Path, make: Maker) -> dict[str, Any] | ManifestError:
    """Read, change and write one picture, in a worker; return its row of the record."""
    try:
        pixels = read_image(job.file, large_gate=gate).pixels
        made, parameters = make(job.path, pixels, job.replayed)
    except ImageError as error:
        return {"path": job.path, "error": str(error)}
    except SpectellError as error:
        return {"path": job.path, "error": f"cannot use {describe_path(job.file)}: {error}"}
    copy = job.stem + made.suffix
    try:
        with replacing(folder / copy) as file:
            file.write(made.content)
    except ManifestError as error:
        return error
    digest = hashlib.sha256(made.content).hexdigest()
    return {"path": job.path, "copy": copy, "parameters": parameters, "sha256": digest}


def _manifest(images: Manifest, folder: Path, copies: Mapping[str, tuple[str, str]]) -> Manifest:
    def entries() -> Iterator[Entry]:
        for entry in images:
            if entry.path in copies:
                copy, digest = copies[entry.path]
                yield Entry(copy, entry.label, entry.generator, entry.source, entry.group, entry.split, digest)

    return Manifest(entries(), folder, images.notes)
