"""Read back the rows that an interrupted run has finished, however it ended."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from spectell.errors import MismatchError
from spectell.workflows.verdict import FIELDS

__all__ = ["FinishedRow", "finished_rows", "has_changed", "holds_rows", "holds_something"]

_FIRST_FIELDS = FIELDS[:4]  # the others may be of another version
_LONGEST_FIRST_LINE = 1 << 20


class FinishedRow(NamedTuple):
    """A whole row: its path as text (None for a header), its verdict, and the byte after it."""

    path: str | None
    verdict: str
    end: int


def holds_something(path: Path) -> bool:
    """Whether there is anything but an empty file, which a run that was killed as it began may leave."""
    return os.path.lexists(path) and not (path.is_file() and path.stat().st_size == 0)


def has_changed(path: str, begun: int, *, failed: bool) -> bool:
    """Whether a file has changed since its run began, by the system's time of change, which no copy sets back."""
    try:
        status = os.stat(path)  # noqa: PTH116 - any string, ten million times
    except (OSError, ValueError):
        return not failed
    changed = max(status.st_mtime_ns, status.st_ctime_ns) if os.name == "nt" else status.st_ctime_ns
    return changed > begun


def holds_rows(path: Path) -> bool:
    r"""Whether a file is one of a scan's outputs, by its first line or its columns; an empty file is.

    Parameters
    ----------
    path : Path
        Its suffix says which kind of output it would be.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "rows.csv"
    ...     for content in (b"path,verdict,probability,score,fpr\r\n", b"path,ver", b"", b"name,value\r\n"):
    ...         _ = path.write_bytes(content)
    ...         print(holds_rows(path))
    True
    True
    True
    False
    """
    try:
        if not path.is_file():  # a pipe would block whoever reads it
            return False
        if path.suffix.lower() == ".parquet" and path.stat().st_size:
            return _are_fields(_parquet_columns(path))
        with path.open("rb") as file:
            line = file.readline(_LONGEST_FIRST_LINE)
    except OSError:
        return False
    if path.suffix.lower() == ".csv":
        begin = ",".join(_FIRST_FIELDS).encode() + b","
        return line.startswith(begin) or begin.startswith(line)
    if not line.endswith(b"\n"):  # torn
        begin = b'{"path": "'
        return line.startswith(begin) or begin.startswith(line)
    try:
        return _are_fields(json.loads(line))
    except (ValueError, RecursionError):
        return False


def _are_fields(names: object) -> bool:
    return isinstance(names, dict | list) and tuple(names)[: len(_FIRST_FIELDS)] == _FIRST_FIELDS


def _parquet_columns(path: Path) -> list[str]:
    import pyarrow
    import pyarrow.parquet

    try:
        return list(pyarrow.parquet.read_schema(path).names)
    except pyarrow.ArrowInvalid:
        return []


def finished_rows(path: Path, *, header: bytes = b"") -> Iterator[FinishedRow]:
    r"""Read the whole rows of an output, leaving out a last one that was torn.

    Parameters
    ----------
    path : Path
        JSON lines, or CSV if there is a `header`. A missing file has no rows.
    header : bytes
        The first record of a CSV file.

    Yields
    ------
    row : FinishedRow

    Raises
    ------
    MismatchError
        If a row before the last is damaged, or the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "rows.jsonl"
    ...     _ = path.write_bytes(b'{"path": "a.jpg", "verdict": "real"}\n{"path": "b.')
    ...     list(finished_rows(path))
    [FinishedRow(path='a.jpg', verdict='real', end=37)]
    """
    try:
        with path.open("rb") as file:
            yield from _rows(path, _csv_records(file) if header else file, _read_csv if header else _read_json, header)
    except FileNotFoundError:
        return
    except OSError as error:
        raise MismatchError(f"cannot resume {path}: {error.strerror or error}") from error


Reader = Callable[[bytes], tuple[str, str]]


def _rows(path: Path, records: Iterator[bytes] | BinaryIO, read: Reader, header: bytes) -> Iterator[FinishedRow]:
    end = 0
    for number, record in enumerate(records):
        if not record.endswith(b"\n"):
            return  # torn
        end += len(record)
        if header and not number:
            if record != header:
                raise MismatchError(f"cannot resume {path}: its first line does not name the columns; use --overwrite")
            yield FinishedRow(None, "", end)
            continue
        try:
            yield FinishedRow(*read(record), end)
        except (ValueError, KeyError, TypeError, RecursionError, csv.Error):
            remedy = "cut the file before it, or use --overwrite"
            raise MismatchError(f"cannot resume {path}: its line {number + 1} is damaged; {remedy}") from None


def _read_json(record: bytes) -> tuple[str, str]:
    row = json.loads(record)
    return str(row["path"]), str(row["verdict"])


def _read_csv(record: bytes) -> tuple[str, str]:
    (row,) = csv.reader(io.StringIO(record.decode(), newline=""))
    named = dict(zip(FIELDS, row, strict=True))
    return named["path"], named["verdict"]


def _csv_records(file: BinaryIO) -> Iterator[bytes]:
    """Join the lines of a record: a quoted field may hold line endings, and then the quotes so far are odd."""
    record = b""
    for line in file:
        record += line
        if record.endswith(b"\r\n") and record.count(b'"') % 2 == 0:
            yield record
            record = b""
    if record:
        yield record.rstrip(b"\n")  # torn, wherever it was torn
