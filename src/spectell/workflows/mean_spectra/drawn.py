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
from spectell.errors import ManifestError, MismatchError
from spectell.workflows.mean_spectra.summary import ARRAYS, SUMMARY

__all__ = ["PAGE", "list_drawn", "remove_drawn", "require_ours", "write_summary"]

PAGE = "index.html"
"""Name of the page that shows the figures."""

_LIST = "figures"
_SUFFIXES = frozenset({".html", ".pdf", ".png"})


def list_drawn(folder: str | os.PathLike[str], names: Iterable[str]) -> None:
    """Add the names of figures and page to the summary in a folder; nothing happens where there is none.

    Raises
    ------
    MismatchError
        If a file of such a name is there that the summary does not list.
    ManifestError
        If it cannot be written.
    """
    summary = _summary(Path(folder))
    if summary is not None:
        wanted = sorted(names)
        require_ours(folder, wanted)
        write_summary(folder, summary | {_LIST: wanted})


def require_ours(folder: str | os.PathLike[str], names: Iterable[str]) -> None:
    """Raise an error if a file is in the way that no run has listed: it is the user's own.

    Raises
    ------
    MismatchError
        With the name of the first.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_summary(folder, {})
    ...     list_drawn(folder, ["index.html"])
    ...     Path(folder, "index.html").touch()
    ...     require_ours(folder, ["index.html", "radial.png"])
    ...     Path(folder, "radial.png").touch()
    ...     try:
    ...         require_ours(folder, ["index.html", "radial.png"])
    ...     except MismatchError as error:
    ...         print("radial.png' is in the way" in str(error))
    True
    """
    ours = _listed(Path(folder))
    for name in names:
        if name not in ours and os.path.lexists(Path(folder, name)):
            raise MismatchError(
                f"{os.fspath(Path(folder, name))!r} is in the way, and no run of spectrum has listed it as its own; "
                "move it, or name another folder"
            )


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
    ...     write_summary(folder, {})
    ...     list_drawn(folder, ["blocks.png"])
    ...     for name in ("blocks.png", "mine.png"):
    ...         Path(folder, name).touch()
    ...     remove_drawn(folder)
    ...     sorted(path.name for path in Path(folder).iterdir())
    ['mine.png', 'spectra.json']
    """
    names = _listed(Path(folder))
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


def _listed(folder: Path) -> set[str]:
    listed = (_summary(folder) or {}).get(_LIST)
    return {name for name in listed if _is_name(name)} if isinstance(listed, list) else set()


def _is_name(name: object) -> bool:
    """Whether it can be the name of a figure here; anybody may have written the list."""
    return isinstance(name, str) and name.isprintable() and Path(name).name == name and Path(name).suffix in _SUFFIXES


def _summary(folder: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((folder / SUMMARY).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
