"""From what the user names to the files to scan, in an order that never changes.

Paths are kept as given: nothing is made absolute, links are not resolved and duplicates are not dropped, so that a row
can be laid beside the list it came from. A folder is walked depth first, the names within each folder in order, files
and folders together, through links to folders as well, each folder once: one that lies in the folder that is walked is
entered in its own place and not through a link. Everything is lazy: memory holds the names of the folders that are open
and of those that links led out to, however many files there are.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from spectell.errors import MismatchError
from spectell.images import IMAGE_SUFFIXES, describe_path
from spectell.workflows.reading.scan_notes import ScanNotes
from spectell.workflows.workers.pending import PENDING, Pending

__all__ = ["PathLike", "Unreadable", "as_paths", "read_paths", "walk"]

PathLike = str | bytes | os.PathLike[str] | os.PathLike[bytes]

_CHUNK = 65536


class Unreadable(NamedTuple):
    """A place in the walk that becomes an error row without being opened."""

    path: str
    reason: str


def walk(
    paths: Iterable[PathLike | Pending], *, notes: ScanNotes | None = None
) -> Iterator[str | Unreadable | Pending]:
    """List the files to scan.

    A name that is not a folder is passed on as it is, whatever its suffix and whether it exists or not: reading it will
    tell. In folders, names with an image's suffix are taken, hidden ones included. A folder that cannot be listed
    is passed on as `Unreadable`, and so is a named folder without images. No folder is entered twice for one of
    `paths`, however many links lead to it.

    Parameters
    ----------
    paths : iterable of path or PENDING
    notes : ScanNotes, optional
        Receives how many files were passed over because of their names.

    Yields
    ------
    path : str, Unreadable or PENDING

    Raises
    ------
    MismatchError
        At the end, if there was nothing at all to scan.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.jpg", "a.png", "notes.txt"):
    ...         open(os.path.join(folder, name), "w").close()
    ...     [os.path.basename(path) for path in walk([folder])]
    ['a.png', 'b.jpg']
    """
    notes = ScanNotes() if notes is None else notes
    barren: list[Unreadable] = []
    anything = False
    for given in paths:
        if given is PENDING:
            yield PENDING
            continue
        path = os.fsdecode(given)
        found = False
        for item in _files(path, notes) if os.path.isdir(path) else [path]:  # noqa: PTH112 - any string, ten million times
            if not anything:
                yield from barren
            found = anything = True
            yield item
        if not found:
            barren.append(Unreadable(path, f"no image files in the folder {describe_path(path)}"))
            if anything:
                yield barren[-1]
    if not anything:
        raise MismatchError(_nothing([folder.path for folder in barren]))


def as_paths(paths: PathLike | Iterable[PathLike | Pending]) -> Iterable[PathLike | Pending]:
    """Return an iterable of paths, also for a single path.

    Examples
    --------
    >>> list(as_paths("a.jpg")), list(as_paths(["a.jpg", "b.jpg"]))
    (['a.jpg'], ['a.jpg', 'b.jpg'])
    """
    return [paths] if isinstance(paths, str | bytes | os.PathLike) else paths


def read_paths(stream: Any, *, null: bool = False) -> Iterator[bytes | Pending]:
    r"""Read paths from a binary stream as they are written to it.

    Parameters
    ----------
    stream : binary file
        One path a line. Where the system can tell that nothing has been written yet, PENDING is yielded instead of
        waiting, so that finished work can be handed on meanwhile.
    null : bool
        Paths end in NUL bytes instead, as ``find -print0`` writes them.

    Yields
    ------
    path : bytes or PENDING
        Without its ending; empty lines are skipped, other blanks are part of the name.

    Examples
    --------
    >>> import io
    >>> list(read_paths(io.BytesIO(b"a.jpg\n\nb c.jpg\n")))
    [b'a.jpg', b'b c.jpg']
    """
    ending = b"\0" if null else b"\n"
    rest = b""
    for chunk in _chunks(stream):
        if chunk is PENDING:
            yield PENDING
            continue
        *complete, rest = (rest + chunk).split(ending)
        yield from (path for path in map(_without_return(null), complete) if path)
    if last := _without_return(null)(rest):
        yield last


def _without_return(null: bool) -> Callable[[bytes], bytes]:
    """Strip a return: lists written on Windows end their lines in two characters."""
    return bytes if null else lambda line: line.removesuffix(b"\r")


def _chunks(stream: Any) -> Iterator[bytes | Pending]:
    """Read without waiting where that is possible: not on Windows, and not from an object without a file."""
    try:
        handle = stream.fileno()
    except (AttributeError, OSError):
        handle = None
    if handle is None or os.name == "nt":
        while chunk := stream.readline():
            yield chunk
        return
    import select

    while True:
        if not select.select([handle], [], [], 0)[0]:
            yield PENDING
        elif chunk := os.read(handle, _CHUNK):
            yield chunk
        else:
            return


def _files(folder: str, notes: ScanNotes) -> Iterator[str | Unreadable]:
    """Walk one folder with a stack of our own: names may be nested deeper than Python may recurse."""
    levels = [(_identity(folder), _entries(folder))]
    tops, ways_in = {_identity(folder)}, {os.path.realpath(folder)}
    while levels:
        entry = next(levels[-1][1], None)
        if entry is None:
            levels.pop()
        elif isinstance(entry, Unreadable):
            yield entry
        elif not _is_folder(entry):
            if _is_image(entry.name):
                yield entry.path
            elif not entry.name.startswith("."):
                notes.pass_over(entry.path)
        else:
            identity = _identity(entry.path)
            if identity in tops or identity in (level[0] for level in levels):
                continue
            if entry.is_symlink():
                target = os.path.realpath(entry.path)
                if _lies_in(target, ways_in):
                    continue  # it is walked in its own place
                tops.add(identity)
                ways_in.add(target)
            levels.append((identity, _entries(entry.path)))


def _lies_in(path: str, folders: set[str]) -> bool:
    """Whether one of the folders is above a path, all of them without links."""
    above = os.path.dirname(path)  # noqa: PTH120 - as above
    while above not in folders and above != path:
        path, above = above, os.path.dirname(above)  # noqa: PTH120 - as above
    return above in folders


def _entries(folder: str) -> Iterator[os.DirEntry[str] | Unreadable]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield Unreadable(folder, f"cannot list the folder {describe_path(folder)}: {error.strerror or error}")
        return
    yield from found


def _is_image(name: str) -> bool:
    """Tell by the name alone: reading the file will tell the rest. ``.jpg`` is a hidden name without a suffix."""
    stem, dot, suffix = name.rpartition(".")
    return bool(stem) and (dot + suffix).lower() in IMAGE_SUFFIXES


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere or to itself: an unreadable file
        return False


def _identity(folder: str) -> tuple[int, int] | str:
    try:
        status = os.stat(folder)  # noqa: PTH116 - as above
    except OSError:
        return folder
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) and status.st_ino else folder


def _nothing(folders: list[str]) -> str:
    if not folders:
        return "nothing to scan: no paths were given"
    more = f" and {len(folders) - 1} more" if len(folders) > 1 else ""
    suffixes = ", ".join(sorted(IMAGE_SUFFIXES))
    return f"no image files in {describe_path(folders[0])}{more}; files are found by their suffix ({suffixes})"
