"""A record of a run in JSON lines: the memory of what may be interrupted.

The first line says what the run is; a later run that resumes must say the same. Every other line is one picture,
written after its files, so that a line vouches for them. A last line that was torn is cut off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from spectell.datasets.places import contents
from spectell.errors import ManifestError, MismatchError

__all__ = ["RunRecord", "read_record"]


class RunRecord:
    """The record of one run, open for more lines.

    Parameters
    ----------
    file : binary file
        Open for appending.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @classmethod
    def open(
        cls,
        path: Path,
        kind: str,
        settings: Mapping[str, Any],
        *,
        resume: bool,
        about: Mapping[str, Any] | None = None,
        on_row: Callable[[dict[str, Any]], object],
    ) -> Self:
        """Begin a record, or go on with one.

        Parameters
        ----------
        path : Path
            Its folder must be absent or empty, unless `resume` is set.
        kind : str
            Name of the format, with its version.
        settings : mapping
            What the run is; can be written to JSON.
        resume : bool
        about : mapping, optional
            What else the first line holds, and a resumed run need not repeat: versions.
        on_row : callable
            Called with every line that is there, in order. May raise `ValueError`, `KeyError` or `TypeError` for one
            that is damaged.

        Raises
        ------
        MismatchError
            If there is something already and `resume` is not set, the folder is a file, or the record is of another
            run or damaged.
        ManifestError
            If it cannot be written.
        """
        folder = path.parent
        header = {"format": kind, "settings": dict(settings), **(about or {})}
        if contents(folder):
            if not resume:
                raise MismatchError(
                    f"the folder {str(folder)!r} is not empty; name another one, or set resume (--resume)"
                )
            if path.exists():
                os.truncate(path, _take_up(path, settings, on_row))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = path.open("ab", buffering=0)
        except OSError as error:
            raise ManifestError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
        record = cls(file)
        if not file.tell():
            record.write(header, sort_keys=True)
        return record

    def write(self, row: Mapping[str, Any], *, sort_keys: bool = False) -> None:
        """Write a line."""
        self._file.write(json.dumps(row, allow_nan=False, sort_keys=sort_keys).encode() + b"\n")

    def __enter__(self) -> Self:
        """Do nothing: the file is open."""
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def read_record(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, Any], Iterator[dict[str, Any]]]:
    """Read what a run was and, one at a time, what it did.

    Parameters
    ----------
    path : path
    kind : str
        Name of the format that it must have.

    Returns
    -------
    settings : dict
    rows : iterator of dict
        Of pictures, in the order in which they were done.

    Raises
    ------
    MismatchError
        If there is no such record, or it is damaged.
    """
    lines = _whole_lines(Path(path))
    first = next(lines, b"")
    try:
        header = json.loads(first)
        if header["format"] != kind:
            raise ValueError
        settings = dict(header["settings"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MismatchError(f"{os.fspath(path)!r} does not begin as a record of this kind does ({kind})") from None
    return settings, _rows(Path(path), lines)


def _rows(path: Path, lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=2):
        try:
            yield dict(json.loads(line))
        except (ValueError, TypeError, RecursionError):
            raise MismatchError(f"line {number} of {str(path)!r} is damaged") from None


def _take_up(path: Path, settings: Mapping[str, Any], on_row: Callable[[dict[str, Any]], object]) -> int:
    """Hand over the rows that are there, and return where the whole lines end."""
    end = 0
    for number, line in enumerate(_whole_lines(path)):
        end += len(line)
        if not number:
            _check_header(path, line, settings)
            continue
        try:
            on_row(json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise MismatchError(f"cannot resume: line {number + 1} of {str(path)!r} is damaged; start anew") from None
    return end


def _whole_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))
    except OSError as error:
        raise MismatchError(f"cannot read the record {str(path)!r}: {error.strerror or error}") from error


def _check_header(path: Path, line: bytes, settings: Mapping[str, Any]) -> None:
    try:
        found = json.loads(line)["settings"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise MismatchError(f"cannot resume: {str(path)!r} does not begin as a record does; start anew") from None
    wanted = json.loads(json.dumps(settings, allow_nan=False))
    different = sorted(key for key in {*found, *wanted} if found.get(key) != wanted.get(key))
    if different:
        raise MismatchError(f"cannot resume: the earlier run had other settings ({', '.join(different)}); repeat those")
