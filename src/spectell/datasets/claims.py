"""Files that one run at a time may claim, so that two never write into one place."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["claim", "claimed"]

_held: dict[tuple[int, int], int] = {}  # handles of what `claimed` holds in this process, by device and number
_guard = threading.Lock()


def claim(handle: int) -> bool:
    """Claim an open file for this process.

    The claim ends when the process ends, in whatever way, or closes the file, be it by another handle. Forked processes
    do not inherit it. Threads of one process are not told apart: all of them get True.

    Parameters
    ----------
    handle : int
        Of a file that is open for writing.

    Returns
    -------
    ours : bool
        False if another process has claimed it; True also where nothing can be claimed: on Windows, and on file systems
        without locks.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # EAGAIN or EACCES, as the system likes
        return False
    except OSError:  # a file system without locks
        return True
    return True


@contextmanager
def claimed(path: Path) -> Iterator[bool]:
    """Claim a file that is there for nothing else, while the block runs.

    Parameters
    ----------
    path : Path
        Made where it does not exist. Whoever holds the claim may remove it, as the last thing in its folder. There is
        none on Windows, where it could not be removed.

    Yields
    ------
    ours : bool
        Whether nobody else has claimed it, in another process or in this one.

    Raises
    ------
    OSError
        If the file cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, claimed(Path(folder, "claim")) as ours:
    ...     ours
    True
    """
    if os.name == "nt":
        yield True
        return
    key = _take(path)
    try:
        yield key is not None
    finally:
        if key is not None:
            with _guard:
                os.close(_held.pop(key))


def _take(path: Path) -> tuple[int, int] | None:
    """Claim a file, unless somebody has it. One that this process has is not opened: closing it would end the claim."""
    with _guard:
        with suppress(FileNotFoundError):
            if _key(path.stat()) in _held:
                return None
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if claim(handle) and _is_at(path, handle):
            key = _key(os.fstat(handle))
            _held[key] = handle
            return key
        os.close(handle)
        return None


def _key(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _is_at(path: Path, handle: int) -> bool:
    """Whether a file still lies at its path: one that was claimed as its owner removed it keeps nobody out."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
