"""What was drawn for each picture, written as it is done: the memory of a run that may be interrupted.

JSON lines. The first says what the run is; a later run that resumes must say the same. Every other line is one picture,
written after its files, so that a line vouches for them. A last line that was torn is cut off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Self

from spectell.errors import ManifestError, ParameterError
from spectell.workflows.image_set import Skipped

__all__ = ["FORMAT", "PairRecord"]

FORMAT = "spectell-reconstruction-1"


class PairRecord:
    """The record of one run, open for more lines.

    Attributes
    ----------
    hashes : dict
        SHA-256 of the files of every finished picture, by its name and then by class.
    skipped : list of Skipped
        Pictures of this run that took no part.
    """

    def __init__(self, file: BinaryIO, hashes: dict[str, Mapping[str, str]]) -> None:
        self._file = file
        self.hashes = hashes
        self.skipped: list[Skipped] = []

    @classmethod
    def open(cls, path: Path, settings: Mapping[str, Any], *, resume: bool) -> Self:
        """Begin a record, or go on with one.

        Parameters
        ----------
        path : Path
            Its folder must be absent or empty, unless `resume` is set.
        settings : mapping
            What the run is; can be written to JSON.
        resume : bool

        Raises
        ------
        ParameterError
            If there is something already and `resume` is not set, or the record is of another run or damaged.
        """
        folder = path.parent
        header = json.dumps({"format": FORMAT, "settings": settings}, sort_keys=True, allow_nan=False)
        hashes: dict[str, Mapping[str, str]] = {}
        if folder.exists() and any(folder.iterdir()):
            if not resume:
                raise ParameterError(
                    f"the folder {str(folder)!r} is not empty; name another one, or set resume (--resume)"
                )
            if path.exists():
                hashes, end = _read(path, header)
                os.truncate(path, end)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = path.open("ab", buffering=0)
        except OSError as error:
            raise ManifestError(f"cannot write {str(path)!r}: {error.strerror or error}") from error
        if not file.tell():
            file.write(header.encode() + b"\n")
        return cls(file, hashes)

    def has(self, name: str, folder: Path, kinds: Iterable[str]) -> bool:
        """Whether a picture is finished and its files are still there."""
        made = self.hashes.get(name, {})
        return all(kind in made and (folder / kind / name).is_file() for kind in kinds)

    def add(self, name: str, path: str, made: Mapping[str, Any] | Skipped) -> None:
        """Write the line of one picture."""
        if isinstance(made, Skipped):
            self.skipped.append(made)
            line: dict[str, Any] = {"name": name, "path": path, "error": made.reason}
            self.hashes.pop(name, None)
        else:
            line = {"name": name, "path": path, **made}
            self.hashes[name] = made["sha256"]
        self._file.write(json.dumps(line, allow_nan=False).encode() + b"\n")

    def __enter__(self) -> Self:
        """Do nothing: the file is open."""
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def _read(path: Path, header: str) -> tuple[dict[str, Mapping[str, str]], int]:
    """Return the hashes of finished pictures and where the whole lines end."""
    hashes: dict[str, Mapping[str, str]] = {}
    end = 0
    for number, line in enumerate(_whole_lines(path)):
        end += len(line)
        if not number:
            _check_header(path, line, header)
            continue
        try:
            row = json.loads(line)
            if "error" in row:
                hashes.pop(row["name"], None)
            else:
                hashes[row["name"]] = dict(row["sha256"])
        except (ValueError, KeyError, TypeError):
            raise ParameterError(f"cannot resume: line {number + 1} of {str(path)!r} is damaged; start anew") from None
    return hashes, end


def _whole_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from (line for line in file if line.endswith(b"\n"))
    except OSError as error:
        raise ParameterError(f"cannot resume from {str(path)!r}: {error.strerror or error}") from error


def _check_header(path: Path, line: bytes, header: str) -> None:
    try:
        found = json.loads(line)["settings"]
    except (ValueError, KeyError, TypeError):
        raise ParameterError(f"cannot resume: {str(path)!r} does not begin as a record does; start anew") from None
    wanted = json.loads(header)["settings"]
    different = sorted(key for key in {*found, *wanted} if found.get(key) != wanted.get(key))
    if different:
        raise ParameterError(
            f"cannot resume: the earlier run had other settings ({', '.join(different)}); repeat those"
        )
