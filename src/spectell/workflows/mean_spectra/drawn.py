"""Which figures lie beside the numbers of a study, so that the next run there removes these and nothing else.

The summary lists them, from before the first is drawn: a run that is killed while it draws leaves none unlisted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spectell.datasets.atomic import remove_parts, replacing
from spectell.errors import ManifestError
from spectell.workflows.mean_spectra.summary import ARRAYS, SUMMARY

__all__ = ["list_drawn", "remove_drawn", "write_summary"]

_LIST = "figures"
_SUFFIXES = frozenset({".html", ".pdf", ".png"})


def list_drawn(folder: str | os.PathLike[str], names: Iterable[str]) -> None:
    """Add the names of figures and page to the summary in a folder; nothing happens where there is none.

    Raises
    ------
    ManifestError
        If it cannot be written.
    """
    summary = _summary(Path(folder))
    if summary is not None:
        write_summary(folder, summary | {_LIST: sorted(names)})


def remove_drawn(folder: str | os.PathLike[str]) -> None:
    """Remove the figures and the page that the summary in a folder lists; they show numbers that are replaced.

    What a run that was killed had not finished to write goes too.

    Raises
    ------
    ManifestError
        If one of them cannot be removed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("blocks.png", "mine.png"):
    ...         Path(folder, name).touch()
    ...     write_summary(folder, {})
    ...     list_drawn(folder, ["blocks.png"])
    ...     remove_drawn(folder)
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['mine.png', 'spectra.json']
    """
    listed = (_summary(Path(folder)) or {}).get(_LIST)
    names = {name for name in listed if _is_name(name)} if isinstance(listed, list) else set()
    for name in names:
        try:
            Path(folder, name).unlink(missing_ok=True)
        except OSError as error:
            where = os.fspath(Path(folder, name))
            raise ManifestError(f"cannot remove {where!r}, of an earlier run: {error.strerror or error}") from error
    remove_parts(folder, {ARRAYS, SUMMARY, *names}.__contains__)


def write_summary(folder: str | os.PathLike[str], summary: dict[str, Any]) -> None:
    """Write the summary of a study, whole or not at all.

    Raises
    ------
    ManifestError
        If it cannot be written.
    """
    with replacing(Path(folder, SUMMARY)) as file:
        file.write(json.dumps(summary, allow_nan=False, indent=1).encode())


def _is_name(name: object) -> bool:
    """Whether it can be the name of a figure here; anybody may have written the list."""
    return isinstance(name, str) and name.isprintable() and Path(name).name == name and Path(name).suffix in _SUFFIXES


def _summary(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / SUMMARY).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
