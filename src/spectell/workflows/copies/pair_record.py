"""What was drawn for each picture, written as it is done: see `spectell.workflows.copies.run_record`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from spectell.workflows.copies.run_record import RunRecord
from spectell.workflows.reading.image_files import Skipped

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

    _file: RunRecord

    def __init__(self) -> None:
        self.hashes: dict[str, Mapping[str, str]] = {}
        self.skipped: list[Skipped] = []

    @classmethod
    def open(cls, path: Path, settings: Mapping[str, Any], *, resume: bool) -> Self:
        """Begin a record, or go on with one; see `RunRecord.open`."""
        record = cls()
        record._file = RunRecord.open(path, FORMAT, settings, resume=resume, on_row=record._take_up)
        return record

    def _take_up(self, row: Mapping[str, Any]) -> None:
        if "error" in row:
            self.hashes.pop(row["name"], None)
        else:
            self.hashes[row["name"]] = dict(row["sha256"])

    def has(self, name: str, folder: Path, kinds: Iterable[str]) -> bool:
        """Whether a picture is finished and its files are still there."""
        made = self.hashes.get(name, {})
        return all(kind in made and (folder / kind / name).is_file() for kind in kinds)

    def add(self, name: str, path: str, made: Mapping[str, Any] | Skipped) -> None:
        """Write the line of one picture."""
        if isinstance(made, Skipped):
            self.skipped.append(made)
            self.hashes.pop(name, None)
            self._file.write({"name": name, "path": path, "error": made.reason})
        else:
            self.hashes[name] = made["sha256"]
            self._file.write({"name": name, "path": path, **made})

    def __enter__(self) -> Self:
        """Do nothing: the file is open."""
        return self

    def __exit__(self, *arguments: object) -> None:
        self._file.__exit__(*arguments)
