"""Files that one process at a time may claim, so that two runs never write into one place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["claim", "claimed"]


def claim(handle: int) -> bool:
    """Claim an open file for this process.

    The claim ends when the process ends, in whatever way, or closes the file. Forked processes do not inherit it.

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
    except BlockingIOError:
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
        Whether no other process has claimed it.

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
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        yield claim(handle) and _is_at(path, handle)
    finally:
        os.close(handle)


def _is_at(path: Path, handle: int) -> bool:
    """Whether a file still lies at its path: one that was claimed as its owner removed it keeps nobody out."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False
