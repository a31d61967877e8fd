"""The cells of an experiment: work that is done, or not, as a whole, each with a result of its own on disk.

Results are written whole or not at all, by the process that has them, as each cell ends; so an interrupted run goes on
with the cells that are missing. What takes too long or cannot be done becomes a result too, which says why, and the
run goes on: a table with a gap is worth more than no table.

A folder holds the results of one setting. `settle` writes it down, and refuses a folder that holds another.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from spectell.datasets.atomic import replacing
from spectell.errors import ManifestError, MismatchError, ParameterError, SpectellError
from spectell.workflows.workers.pool import isolated_map
from spectell.workflows.workers.worker import Failure

__all__ = [
    "CELLS",
    "SETTINGS",
    "SKIPPED",
    "NamedCell",
    "cell_path",
    "check_settled",
    "is_done",
    "read_cell",
    "run_cells",
    "settle",
    "skipped_cells",
    "write_json",
]

CELLS = "cells"
"""Folder of the results of the cells."""
SETTINGS = "settings.json"
"""File beside it with what all of them depend on."""
SKIPPED = "skipped"
"""Key of a result that says why there is none."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")
_NO_LIMIT = 7 * 86400.0
"""Seconds after which a cell is given up where no limit was set."""


class NamedCell(Protocol):
    """What a cell has."""

    @property
    def name(self) -> str:
        """Name of its file: letters, digits, hyphens, dots, underscores."""


C = TypeVar("C", bound=NamedCell)
Result = dict[str, Any]


def run_cells(
    cells: Sequence[C],
    work: Callable[[C], Mapping[str, Any]],
    folder: Path,
    *,
    workers: int = 1,
    limit: float | None = None,
    on_progress: Callable[[str, int, int], object],
    stage: str = "cells",
) -> dict[str, Result]:
    """Do the cells that are not done.

    Parameters
    ----------
    cells : sequence
        Each has a ``name`` of its own.
    work : callable
        From a cell to its result, which JSON must know. Where processes cannot be forked it must be picklable: a
        function of a module, or a partial one.
    folder : Path
        Of the experiment; results go to ``cells/NAME.json`` in it.
    workers : int >= 1
        Processes, each with one thread. One without a limit works in this process.
    limit : float > 0, optional
        Seconds that a cell may take; beyond them it is skipped. Needs a process of its own even for one worker.
    on_progress : callable
        Called with `stage`, how many cells are done, and of how many.
    stage : str
        What the cells are called on the way.

    Returns
    -------
    results : dict of str to dict
        By name, in the order of `cells`: what `work` gave and its ``seconds``, or `SKIPPED` with the reason and the
        ``limit`` that it was tried with. A skipped cell is tried again only with a larger limit.

    Raises
    ------
    ParameterError
        If two cells have one name, or a name is no name of a file.
    ManifestError
        If a result cannot be written; those that were are kept.

    Examples
    --------
    >>> import tempfile
    >>> from types import SimpleNamespace
    >>> cells = [SimpleNamespace(name="two", number=2), SimpleNamespace(name="three", number=3)]
    >>> with tempfile.TemporaryDirectory() as place:
    ...     found = run_cells(cells, lambda cell: {"square": cell.number**2}, Path(place), on_progress=lambda *_: None)
    >>> {name: result["square"] for name, result in found.items()}
    {'two': 4, 'three': 9}
    """
    _check_names([cell.name for cell in cells])
    missing = [cell for cell in cells if not is_done(folder, cell, limit)]
    done = len(cells) - len(missing)
    tried = partial(_tried, work, folder)
    answers = map(tried, missing) if workers == 1 and limit is None else _isolated(tried, missing, workers, limit)
    for number, (cell, answer) in enumerate(zip(missing, answers, strict=True), start=done + 1):
        if isinstance(answer, str):
            write_json(cell_path(folder, cell), {SKIPPED: answer, "limit": limit})
        elif SKIPPED in (read_cell(folder, cell) or {SKIPPED: ""}):  # its process could not write it: say why
            write_json(cell_path(folder, cell), answer)
        on_progress(stage, number, len(cells))
    return {cell.name: read_cell(folder, cell) or {} for cell in cells}


def cell_path(folder: Path, cell: NamedCell) -> Path:
    """Return where the result of a cell is kept."""
    return folder / CELLS / f"{cell.name}.json"


def read_cell(folder: Path, cell: NamedCell) -> Result | None:
    """Read the result of a cell, be it that it was skipped; None if there is none that can be read."""
    try:
        found = json.loads(cell_path(folder, cell).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def is_done(folder: Path, cell: NamedCell, limit: float | None = None) -> bool:
    """Whether a cell has a result, or was skipped with a limit that was no smaller than this one (None: no limit)."""
    found = read_cell(folder, cell)
    if found is None or SKIPPED not in found:
        return found is not None
    tried = found.get("limit")
    return tried is None or (limit is not None and limit <= tried)


def skipped_cells(results: Mapping[str, Result]) -> dict[str, str]:
    """Return why cells were skipped, by their names.

    Examples
    --------
    >>> skipped_cells({"knn": {"accuracy": 0.5}, "resnet": {"skipped": "over the limit of 60 s", "limit": 60}})
    {'resnet': 'over the limit of 60 s'}
    """
    return {name: str(result[SKIPPED]) for name, result in results.items() if SKIPPED in result}


def settle(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write down what all results in a folder depend on; see `check_settled` for what is refused."""
    check_settled(folder, settings)
    write_json(folder / SETTINGS, settings)


def check_settled(folder: Path, settings: Mapping[str, Any]) -> None:
    """Refuse a folder that holds something else than results with these settings, as values that JSON knows.

    Raises
    ------
    ParameterError
        If it is not empty and has no settings, or other ones.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return
    try:
        found = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        raise MismatchError(
            f"the folder {str(folder)!r} is not empty and holds no experiment; name another one"
        ) from None
    wanted = json.loads(json.dumps(settings))
    different = sorted(key for key in wanted if found.get(key) != wanted[key])
    if different:
        raise MismatchError(
            f"the folder {str(folder)!r} holds an experiment that differs in {', '.join(different)}; name another one"
        )


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file, whole or not at all."""
    with replacing(path) as file:
        file.write(json.dumps(value, indent=1, allow_nan=False, sort_keys=True).encode() + b"\n")


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name):
            raise ParameterError(f"the name of a cell must be that of a file without special characters, got {name!r}")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ParameterError(f"cells must have names of their own, got {twice!r} twice")


def _isolated(
    work: Callable[..., Result | str], cells: Sequence[C], workers: int, limit: float | None
) -> Iterator[Result | str]:
    """Work in processes; a worker's death costs its cell, and closing the iterator ends them."""
    patience = _NO_LIMIT if limit is None else limit
    for answer in isolated_map(work, cells, workers=workers, timeout=patience):
        if isinstance(answer.result, Failure):
            yield _in_words(answer.result.reason, patience)
        else:
            yield answer.result


def _in_words(reason: str, limit: float) -> str:
    """Say why a process gave no result; the pool speaks of decoders, which these are not."""
    if reason.startswith("took longer"):
        return f"over the limit of {limit:g} s"
    return reason.replace("the decoder", "the process")


def _tried(work: Callable[[C], Mapping[str, Any]], folder: Path, cell: C, _: object = None) -> Result | str:
    """Return the result of a cell, which is on disk if it could be written, or in words why there is none."""
    began = time.perf_counter()
    try:
        found = work(cell)
    except SpectellError as error:
        return str(error)
    result = {"seconds": round(time.perf_counter() - began, 2), **found}
    with suppress(ManifestError):
        write_json(cell_path(folder, cell), result)
    return result
