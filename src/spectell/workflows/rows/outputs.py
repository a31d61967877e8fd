"""Rows that outlive the run that writes them.

A row is in the operating system's hands as soon as it is written, whole or not at all: Ctrl-C and ``kill -9`` lose
none, a full disk is cut back to the last whole row, and what a power cut can lose is bounded by a synchronisation
every few seconds. A row ends in a line ending, so that a row torn by a crash is known by its lack.

Parquet cannot be appended to. Its rows collect in ``NAME.parquet.partial.jsonl``, which becomes the Parquet file
in one step at the end. Beside every output lies ``NAME.run.json``: the settings that its rows were made with, and when
each run began that added some.

Nothing is made or replaced before there is something to judge, and nothing is replaced but rows and their record.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from spectell.errors import MismatchError, ParameterError
from spectell.images import describe_path
from spectell.workflows.reading.scan_notes import ScanNotes
from spectell.workflows.reading.walk import Unreadable
from spectell.workflows.rows.beginnings import Beginnings
from spectell.workflows.rows.finished import finished_rows, has_changed, holds_rows, holds_something
from spectell.workflows.rows.row_file import RowFile, remove_file
from spectell.workflows.verdict import FIELDS, Verdict, printable_path
from spectell.workflows.workers.pending import PENDING, Pending

__all__ = ["OUTPUT_SUFFIXES", "Output", "csv_header", "csv_line", "json_line", "output_suffix"]

OUTPUT_SUFFIXES = (".jsonl", ".csv", ".parquet")

_RECORDED = {"model", "fpr"}
"""Settings that every record of a scan has, by which it is known."""

_BEGUN = "begun"
"""What a record has beside the settings: the `Beginnings`."""

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def json_line(verdict: Verdict) -> bytes:
    r"""Return a row as one line of JSON in UTF-8.

    Examples
    --------
    >>> row = Verdict.failed("é.jpg", "it is empty", fpr=0.01, model="default")
    >>> json.loads(json_line(row))["path"], json_line(row).count(b"\n")
    ('é.jpg', 1)
    """
    return _encode(verdict.as_dict()).encode() + b"\n"


def csv_line(verdict: Verdict) -> bytes:
    r"""Return a row as a CSV record of RFC 4180; warnings are joined by "; ", None is empty.

    Examples
    --------
    >>> csv_line(Verdict.failed("a,b.jpg", "it is empty", fpr=0.01, model="default"))
    b'"a,b.jpg",error,,,0.01,default,,,,,,it is empty,\r\n'
    """
    values = verdict.as_dict()
    values["warnings"] = "; ".join(values["warnings"])
    return _record(values.values())


def csv_header() -> bytes:
    r"""Return the record that names the columns.

    Examples
    --------
    >>> csv_header()[:26]
    b'path,verdict,probability,s'
    """
    return _record(FIELDS)


def _record(values: Iterable[Any]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(values)
    return buffer.getvalue().encode()


def output_suffix(path: str | os.PathLike[str]) -> str:
    """Return the suffix that decides an output's format.

    Raises
    ------
    ParameterError
        If it is none of `OUTPUT_SUFFIXES`.

    Examples
    --------
    >>> output_suffix("rows.CSV")
    '.csv'
    """
    suffix = Path(path).suffix.lower()
    if suffix not in OUTPUT_SUFFIXES:
        raise ParameterError(f"the output's name must end in {', '.join(OUTPUT_SUFFIXES)}, got {os.fspath(path)!r}")
    return suffix


class Output:
    """A file of rows that is written as the run goes, and can be gone on with.

    Parameters
    ----------
    path : path
        Its suffix decides the format.
    run : mapping
        The settings that rows depend on; an output is continued only with the same.
    resume : bool
        Go on with an existing output; without one, begin.
    overwrite : bool
        Replace an existing output, as soon as there is something to judge.
    finished : Counter, optional
        Receives the verdicts of the rows that an earlier run had finished.
    notes : ScanNotes, optional
        Receives how many of those rows are of files that have changed since.

    Raises
    ------
    MismatchError
        If the output exists and neither `resume` nor `overwrite` is given, it cannot be continued, or something else
        than a scan's rows and record stands in their places.
    SpectellError
        If it cannot be written; what has been written stays whole.

    Examples
    --------
    >>> import tempfile
    >>> row = Verdict.failed("a.jpg", "it is empty", fpr=0.01, model="default")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path, run = Path(folder) / "rows.jsonl", {"model": "default", "fpr": 0.01}
    ...     with Output(path, run) as output:
    ...         remaining = list(output.remaining(["a.jpg"]))
    ...         output.write(row)
    ...         output.finish()
    ...     with Output(path, run, resume=True) as output:
    ...         remaining, list(output.remaining(["a.jpg", "b.jpg"])), output.finished
    (['a.jpg'], ['b.jpg'], Counter({'error': 1}))
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        run: Mapping[str, Any],
        *,
        resume: bool = False,
        overwrite: bool = False,
        finished: Counter[str] | None = None,
        notes: ScanNotes | None = None,
    ) -> None:
        self.path = Path(path)
        self.finished: Counter[str] = Counter() if finished is None else finished
        self._notes = ScanNotes() if notes is None else notes
        self._run = dict(run)
        self._csv = output_suffix(path) == ".csv"
        self._parquet = output_suffix(path) == ".parquet"
        self._rows = self._beside(".partial.jsonl") if self._parquet else self.path
        self._record = self._beside(".run.json")
        self._beginnings = Beginnings()
        self._n_finished = 0  # `finished` may count for others too
        self._file: RowFile | None = None
        if resume and overwrite:
            raise ParameterError("resume and overwrite exclude each other; choose one")
        if os.path.isdir(self.path):  # noqa: PTH112 - Path.is_dir raises where a folder may not be searched
            raise MismatchError(f"the output must be a file, got the folder {self.path}; add a name")
        exists = holds_something(self.path) or holds_something(self._rows)
        self._goes_on = exists and resume
        if self._goes_on:
            self._beginnings = self._check_same_run()
            return
        self._check_replaceable()
        if exists and not overwrite:
            raise MismatchError(f"{self.path} exists; add --resume to go on with it or --overwrite to replace it")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def remaining(self, items: Iterable[str | Unreadable | Pending]) -> Iterator[str | Unreadable | Pending]:
        """Pass on the items that have no row yet, having compared every finished row with the item in its place.

        It is begun or gone on with when there is the first item, so that a run without any leaves everything as it was.

        Raises
        ------
        MismatchError
            If an item differs from the row in its place, or the file is damaged before its last row.
        SpectellError
            If the output cannot be begun.
        """
        source = iter(items)
        if self._goes_on:
            self._pass_finished(source)
        begun = False
        for item in source:
            if not begun and item is not PENDING:
                self._begin()
                begun = True
            yield item

    def _begin(self) -> RowFile:
        """Record that a run begins, having taken the places of a new output.

        Rows go before their record, or a new record would let them be continued.
        """
        file = self._file
        if file is not None:
            self._write_record()
            return file
        self._file = file = RowFile(self._rows, 0)
        if self._parquet:
            remove_file(self.path)
        self._write_record()
        if self._csv:
            file.write(csv_header())
        return file

    def _write_record(self) -> None:
        from spectell.datasets.atomic import replacing  # with a whole package around it, for this one line

        with replacing(self._record) as record:
            now = os.fstat(record.fileno()).st_mtime_ns  # by the clock that dates files, which may be another machine's
            self._beginnings.add(self._n_finished, now)
            content = {**self._run, _BEGUN: self._beginnings.pairs}
            record.write(json.dumps(content, indent=1, sort_keys=True).encode() + b"\n")

    def _pass_finished(self, source: Iterator[str | Unreadable | Pending]) -> None:
        if self._parquet and self.path.exists() and not self._rows.exists():
            from spectell.workflows.rows.parquet import to_json_lines

            to_json_lines(self.path, self._rows)
        end = 0
        for row in finished_rows(self._rows, header=csv_header() if self._csv else b""):
            end = row.end
            if row.path is None:
                continue
            item = next((item for item in source if item is not PENDING), None)
            self._check_same_item(row.path, item)
            begun = self._beginnings.of_row(self._n_finished)
            self._n_finished += 1
            self.finished[row.verdict] += 1
            if isinstance(item, str) and has_changed(item, begun, failed=row.verdict == "error"):
                self._notes.note_change(item)
        self._file = RowFile(self._rows, end)
        if self._csv and not end:
            self._file.write(csv_header())

    def write(self, verdict: Verdict) -> None:
        """Add a row.

        Raises
        ------
        SpectellError
            If it cannot be written; the rows before it stay whole.
        """
        if self._file is None:
            raise ParameterError("rows are written while `remaining` is read, not before")
        self._file.write(csv_line(verdict) if self._csv else json_line(verdict))

    def finish(self) -> None:
        """Close the output of a run that has come to its end."""
        file = self._file or self._begin()
        file.close()
        if self._parquet:
            from spectell.workflows.rows.parquet import from_json_lines

            from_json_lines(self._rows, self.path)
            remove_file(self._rows)

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(self.path.name + ending)

    def _check_replaceable(self) -> None:
        """Let nothing be replaced but what a scan writes: a mistyped name shall not cost a list or a manifest."""
        for path in {self.path, self._rows}:
            if os.path.lexists(path) and not holds_rows(path):
                raise MismatchError(f"{path} exists and does not hold the rows of a scan; choose another name")
        if os.path.lexists(self._record) and not self._is_record(self._read_record()):
            raise MismatchError(
                f"{self._record} exists and is not the record of a scan; remove it or choose another name"
            )

    def _is_record(self, found: object) -> bool:
        return isinstance(found, dict) and found.keys() >= _RECORDED

    def _read_record(self) -> Any:
        try:
            return json.loads(self._record.read_bytes()) if self._record.is_file() else None
        except (OSError, ValueError, RecursionError):
            return None

    def _check_same_run(self) -> Beginnings:
        """Check that the record is of the same settings, and return when the runs before began."""
        run, before = self._run, self._read_record()
        if not self._is_record(before):
            missing = not os.path.lexists(self._record)
            reason = f"without its record {self._record}; use --overwrite"
            if not missing:
                reason = f"as {self._record} is not the record of a scan; remove both or choose another name"
            raise MismatchError(f"cannot resume {self.path} {reason}")
        for name in sorted({*run, *before} - {_BEGUN}):
            if before.get(name) != run.get(name):
                raise MismatchError(
                    f"cannot resume {self.path}: it was made with {name} = {before.get(name)!r}, this run has "
                    f"{run.get(name)!r}; use the same settings or --overwrite"
                )
        try:
            return Beginnings.read(before.get(_BEGUN))
        except (TypeError, ValueError):
            raise MismatchError(
                f"cannot resume {self.path}: {self._record} does not say when its rows were begun; use --overwrite"
            ) from None

    def _check_same_item(self, done: str, item: str | Unreadable | Pending | None) -> None:
        path = item.path if isinstance(item, Unreadable) else item
        if not isinstance(path, str) or printable_path(path) != done:
            now = f"now {describe_path(path)} stands there" if isinstance(path, str) else "now there are no more files"
            raise MismatchError(
                f"cannot resume {self.path}: its row {self._n_finished + 1} is for {describe_path(done)} "
                f"and {now}; name the same files or use --overwrite"
            )
