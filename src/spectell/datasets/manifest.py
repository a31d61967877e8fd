"""Manifest files: a data set written down, as CSV or Parquet.

Columns: ``path, label, generator, source, group, split, sha256``. Only `path` and one of `label` and `generator` are
needed to read a file; anything that is there must be right. Relative paths start from the manifest's folder. Rows are
read and written one batch at a time. A CSV keeps file names that are not UTF-8 as their bytes.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from spectell.datasets.atomic import replacing
from spectell.datasets.entries import COLUMNS, REAL, Entry, Rows
from spectell.datasets.naming import default_group, path_below_class
from spectell.datasets.table import Manifest
from spectell.errors import ManifestError

__all__ = [
    "MANIFEST_SUFFIXES",
    "Entry",
    "Manifest",
    "holds_splits",
    "is_manifest",
    "manifest_suffix",
    "read_manifest",
    "write_manifest",
]

MANIFEST_SUFFIXES = frozenset({".csv", ".parquet"})
"""File names that `read_manifest` and `write_manifest` accept."""

BATCH_ROWS = 65_536
"""Rows of a Parquet file that are in memory at once."""

_SHA256 = re.compile(r"(?:[0-9a-f]{64})?")


def read_manifest(path: str | os.PathLike[str], *, check_files: bool = True) -> Manifest:
    r"""Read a CSV or Parquet manifest.

    Parameters
    ----------
    path : path
        File whose name ends in ``.csv`` or ``.parquet``.
    check_files : bool
        Whether every file must exist.

    Returns
    -------
    manifest : Manifest
        Its root is the manifest's folder. Missing values are filled: `generator` from `label` (``real`` or
        ``generated``), `source` with the folder's name, `group` from the file's name as for a folder.

    Raises
    ------
    ManifestError
        If the file cannot be read, has unknown or missing columns, a label that contradicts its generator, a path
        twice, or names files that do not exist (the message says how many, and the first).

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "m.csv").write_text("path,generator\nreal/a.png,real\ngan/a.png,gan\n")
    ...     read_manifest(Path(folder, "m.csv"), check_files=False).labels.tolist()
    [0, 1]
    """
    path = Path(path)
    parser = _RowParser(path)
    rows = Rows.empty()
    try:
        for entry in parser.entries(_table(path)):
            rows.append(entry)
    except OSError as error:
        raise ManifestError(f"cannot read manifest {str(path)!r}: {error.strerror or error}") from error
    if not len(rows.path):
        raise ManifestError(f"manifest {str(path)!r} has no rows; a data set needs at least one image")
    manifest = Manifest.from_rows(rows, path.parent)
    if check_files:
        _require_files(manifest)
    return manifest


def write_manifest(manifest: Manifest, path: str | os.PathLike[str]) -> None:
    """Write a CSV or Parquet manifest, whole or not at all.

    Paths below the folder of `path` are written relative to it, others as absolute, so that the file can be read
    where it lies, and moves together with the images below it.

    Parameters
    ----------
    manifest : Manifest
        What to write.
    path : path
        File whose name ends in ``.csv`` or ``.parquet``; an existing one is replaced.

    Raises
    ------
    ManifestError
        If the name ends otherwise, the system cannot write it, or (Parquet only) a path is not valid UTF-8.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_manifest(Manifest([Entry("real/a.png", 0, "real", "faces")], root=folder), Path(folder, "m.csv"))
    ...     print(Path(folder, "m.csv").read_text(), end="")
    path,label,generator,source,group,split,sha256
    real/a.png,0,real,faces,real/a.png,,
    """
    path = Path(path)
    suffix = manifest_suffix(path)
    rows = _rebased(manifest, path.parent)
    with replacing(path) as file:
        if suffix == ".csv":
            _write_csv(rows, file)
        else:
            _write_parquet(rows, file, path)


def is_manifest(path: Path) -> bool:
    """Whether a file has all columns that `write_manifest` writes, and no other; an error if it cannot be read."""
    return sorted(map(str, next(_table(path), ()))) == sorted(COLUMNS)


def holds_splits(path: Path) -> bool:
    """Whether any row of a manifest that `is_manifest` knows names its split."""
    table = _table(path)
    place = list(next(table)).index("split")
    return any(len(cells) > place and cells[place] for cells in table)  # a short row is damaged, and has no split


def _table(path: Path) -> Iterator[Sequence[Any]]:
    return _read_csv(path) if manifest_suffix(path) == ".csv" else _read_parquet(path)


def manifest_suffix(path: Path) -> str:
    """Return the ending of a manifest's name, in lower case; `ManifestError` if it is no manifest's."""
    suffix = path.suffix.lower()
    if suffix not in MANIFEST_SUFFIXES:
        raise ManifestError(f"a manifest's name must end in .csv or .parquet, got {str(path)!r}")
    return suffix


class _RowParser:
    """Turns the cells of a manifest into entries; knows where it is, for its messages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.source = path.absolute().parent.name

    def entries(self, table: Iterator[Sequence[Any]]) -> Iterator[Entry]:
        columns = [str(name).strip() for name in next(table, ())]
        self._check_columns(columns)
        for number, cells in enumerate(table, start=1):
            if len(cells) != len(columns):
                raise self._error(number, f"{len(cells)} cells for {len(columns)} columns")
            try:
                values = ("" if cell is None else str(cell) for cell in cells)
                yield self._entry(dict(zip(columns, values, strict=True)))
            except ManifestError as error:
                raise self._error(number, str(error)) from error

    def _error(self, number: int, reason: str) -> ManifestError:
        return ManifestError(f"row {number} of {str(self.path)!r}: {reason}")

    def _check_columns(self, columns: list[str]) -> None:
        unknown = [name for name in columns if name not in COLUMNS]
        problem = ""
        if unknown:
            problem = f"has the unknown column {unknown[0]!r}"
        elif len(set(columns)) < len(columns):
            problem = "has a column twice"
        elif "path" not in columns:
            problem = "has no column 'path'"
        elif "label" not in columns and "generator" not in columns:
            problem = "has neither the column 'label' nor 'generator'"
        if problem:
            raise ManifestError(f"manifest {str(self.path)!r} {problem}; it may have {', '.join(COLUMNS)}")

    def _entry(self, row: dict[str, str]) -> Entry:
        path, label, generator = row["path"], row.get("label", ""), row.get("generator", "")
        if label not in ("", "0", "1"):
            raise ManifestError(f"label must be 0 (real) or 1 (generated), got {label!r}")
        if not generator and label:
            generator = "generated" if label == "1" else REAL
        source = row.get("source") or self.source
        sha256 = row.get("sha256", "").lower()
        if not _SHA256.fullmatch(sha256):
            raise ManifestError(f"sha256 must be 64 hexadecimal digits or empty, got {sha256!r}")
        return Entry(
            path=_plain(path),
            label=int(label) if label else int(generator != REAL),
            generator=generator,
            source=source,
            group=row.get("group") or default_group(source, path_below_class(_plain(path), generator)),
            split=row.get("split", ""),
            sha256=sha256,
        )


def _plain(path: str) -> str:
    """Drop ``./`` and doubled slashes, which would hide that two rows name one file."""
    if path.startswith("./") or "//" in path or "/./" in path:
        return str(PurePosixPath(path))
    return path


def _require_files(manifest: Manifest) -> None:
    missing = [index for index in range(len(manifest)) if not os.path.isfile(manifest.file(index))]  # noqa: PTH113
    if missing:
        raise ManifestError(
            f"{len(missing)} of {len(manifest)} files of the manifest do not exist, the first is "
            f"{manifest.file(missing[0])!r}; relative paths start from the manifest's folder"
        )


def _rebased(manifest: Manifest, folder: Path) -> Iterator[tuple[str, ...]]:
    root = Path(os.path.abspath(manifest.root)).as_posix().rstrip("/") + "/"  # noqa: PTH100 - links stay as they are
    below = Path(os.path.abspath(folder)).as_posix().rstrip("/") + "/"  # noqa: PTH100
    for entry in manifest:
        path = entry.path
        if root != below or path.startswith("/"):
            full = path if Path(path).is_absolute() else root + path
            path = full.removeprefix(below)
        yield (path, str(entry.label), entry.generator, entry.source, entry.group, entry.split, entry.sha256)


def _read_csv(path: Path) -> Iterator[Sequence[str]]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        try:
            yield from (row for row in csv.reader(file, strict=True) if row)
        except csv.Error as error:
            raise ManifestError(f"manifest {str(path)!r} is not valid CSV: {error}") from error


def _write_csv(rows: Iterable[tuple[str, ...]], file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="")
    try:
        # QUOTE_MINIMAL of Python before 3.13 leaves a lone carriage return unquoted, which no reader takes back.
        plain = csv.writer(text, lineterminator="\n")
        quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row in chain([COLUMNS], rows):
            (quoted if "\r" in "".join(row) else plain).writerow(row)
    finally:
        text.detach()  # flushes, and leaves the file open for its owner


def _read_parquet(path: Path) -> Iterator[Sequence[Any]]:
    import pyarrow
    from pyarrow import parquet

    try:
        with path.open("rb") as raw, parquet.ParquetFile(raw) as file:
            yield file.schema_arrow.names
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    except pyarrow.ArrowException as error:
        reason = str(error).splitlines()[0]
        raise ManifestError(f"manifest {str(path)!r} is not a readable Parquet file: {reason}") from error


def _write_parquet(rows: Iterator[tuple[str, ...]], file: BinaryIO, path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    types = {"label": pyarrow.int8()}
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in COLUMNS])
    with parquet.ParquetWriter(file, schema) as writer:
        while batch := list(islice(rows, BATCH_ROWS)):
            columns = dict(zip(COLUMNS, map(list, zip(*batch, strict=True)), strict=True))
            try:
                arrays = [
                    pyarrow.array(
                        [int(label) for label in values] if name == "label" else values, schema.field(name).type
                    )
                    for name, values in columns.items()
                ]
            except UnicodeEncodeError as error:
                raise ManifestError(
                    f"{str(path)!r} cannot hold the path {error.object!r}, which is not UTF-8; write a .csv manifest"
                ) from error
            writer.write_batch(pyarrow.record_batch(arrays, schema=schema))
