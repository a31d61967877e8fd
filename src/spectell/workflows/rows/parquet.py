"""Rows as a Parquet file, and back.

pyarrow is imported by this module alone, and this module only where a Parquet file is asked for. Rows pass in portions,
so that ten million of them need no more memory than ten thousand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from spectell.datasets.atomic import replacing
from spectell.errors import MismatchError

__all__ = ["SCHEMA", "from_json_lines", "to_json_lines"]

SCHEMA = pyarrow.schema(
    [
        pyarrow.field("path", pyarrow.string(), nullable=False),
        pyarrow.field("verdict", pyarrow.string(), nullable=False),
        ("probability", pyarrow.float64()),
        ("score", pyarrow.float64()),
        pyarrow.field("fpr", pyarrow.float64(), nullable=False),
        pyarrow.field("model", pyarrow.string(), nullable=False),
        ("width", pyarrow.int32()),
        ("height", pyarrow.int32()),
        ("format", pyarrow.string()),
        ("jpeg_quality", pyarrow.int32()),
        pyarrow.field("warnings", pyarrow.list_(pyarrow.string()), nullable=False),
        ("error", pyarrow.string()),
        ("generator", pyarrow.string()),
    ]
)
"""The columns of a result in Parquet; the same names and order as in every other format."""

_PORTION = 16_384


def from_json_lines(rows: Path, path: Path) -> None:
    """Write a Parquet file from a file of JSON lines, whole or not at all.

    Raises
    ------
    ManifestError
        If it cannot be written.
    """
    with rows.open("rb") as lines, replacing(path) as file, pyarrow.parquet.ParquetWriter(file, SCHEMA) as writer:
        for portion in _portions(map(json.loads, lines)):
            writer.write_table(pyarrow.Table.from_pylist(portion, schema=SCHEMA))


def to_json_lines(path: Path, rows: Path) -> None:
    """Write the rows of a Parquet file as JSON lines, whole or not at all.

    Raises
    ------
    MismatchError
        If it is not a Parquet file of these columns.
    ManifestError
        If the rows cannot be written.
    """
    try:
        source = pyarrow.parquet.ParquetFile(path)
        if not source.schema_arrow.equals(SCHEMA):
            raise MismatchError(f"cannot resume {path}: it does not have the columns of a scan; use --overwrite")
        with replacing(rows) as file:
            for portion in source.iter_batches(_PORTION):
                for row in portion.to_pylist():
                    file.write(json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n")
    except pyarrow.ArrowInvalid as error:
        reason = str(error).splitlines()[0]
        raise MismatchError(f"cannot resume {path}: not a Parquet file ({reason}); use --overwrite") from None


def _portions(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while portion := list(islice(rows, _PORTION)):
        yield portion
