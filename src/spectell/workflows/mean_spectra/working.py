"""The folder of results in use: one run at a time measures or draws there, in a hidden folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from spectell.datasets.claims import claimed
from spectell.errors import MismatchError

__all__ = ["WORK", "clear", "drawing_in", "working_in"]

WORK = ".spectrum-work"
"""Name of the hidden folder, in which unfinished work lies."""

_CLAIM = "claim"


@contextmanager
def working_in(folder: Path) -> Iterator[Path]:
    """Have the hidden folder to oneself, without what a run that was killed had not finished.

    Parameters
    ----------
    folder : Path
        For results; made where it does not exist.

    Yields
    ------
    work : Path
        The hidden folder.

    Raises
    ------
    MismatchError
        If another run has it, or it cannot be written.
    """
    work = folder / WORK
    with ExitStack() as stack:
        try:
            ours = _enter(work, stack)
            if ours:
                for part in work.glob("*.part*"):
                    part.unlink()
        except OSError as error:
            reason = error.strerror or error
            raise MismatchError(f"cannot write to the folder {os.fspath(folder)!r}: {reason}") from error
        if not ours:
            raise MismatchError(
                f"another spectrum is running in {os.fspath(folder)!r}; wait for it or name another folder"
            )
        yield work


@contextmanager
def drawing_in(folder: Path) -> Iterator[None]:
    """Keep other runs out while figures are drawn; unfinished work stays where it is.

    Raises
    ------
    MismatchError
        As `working_in`.
    """
    with working_in(folder) as work:
        try:
            yield
        finally:
            with suppress(OSError):  # it is not empty where work is unfinished
                (work / _CLAIM).unlink()
                work.rmdir()


def clear(work: Path) -> None:
    """Remove the hidden folder; the claim goes last, since the next run may begin as soon as it is gone."""
    with suppress(OSError):  # what cannot be tidied up harms no reader
        for path in sorted(work.iterdir(), key=lambda path: path.name == _CLAIM):
            path.unlink()
        work.rmdir()


def _enter(work: Path, stack: ExitStack, attempts: int = 5) -> bool:
    """Make the folder and claim it; return whether nobody else has."""
    try:
        work.mkdir(parents=True, exist_ok=True)
        return stack.enter_context(claimed(work / _CLAIM))
    except (FileNotFoundError, FileExistsError):
        # Another run has removed the folder, as the last it does, in the moment in which this one entered it.
        if attempts == 1:
            raise
        return _enter(work, stack, attempts - 1)
