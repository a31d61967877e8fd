"""An append-only file of rows: each is in the system's hands once written, whole or not at all."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from pathlib import Path

from spectell.datasets.claims import claim
from spectell.errors import MismatchError, SpectellError

__all__ = ["SYNC_SECONDS", "RowFile", "remove_file"]

SYNC_SECONDS = 5.0
"""A power cut loses at most the rows of this long."""

_CANNOT_SYNCHRONISE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EROFS}
"""What a file system that cannot synchronise says; anything else (a full disk, a quota) means that rows are lost."""


class RowFile:
    r"""An append-only file that never ends in part of a row.

    Parameters
    ----------
    path : Path
    size : int
        Bytes of whole rows that it has; whatever follows them is cut off.

    Raises
    ------
    MismatchError
        If another process is writing to it.
    SpectellError
        If it cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "rows"
    ...     _ = path.write_bytes(b"whole\ntor")
    ...     rows = RowFile(path, size=6)
    ...     rows.write(b"new\n")
    ...     rows.close()
    ...     path.read_bytes()
    b'whole\nnew\n'
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path, self._size = path, size
        self._synchronised = time.monotonic()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        except OSError as error:
            raise _cannot_begin(path, error) from error
        self._closed = False
        _claim(self._handle, path)
        self._cut()

    def write(self, row: bytes) -> None:
        """Append a row, or raise `SpectellError` and leave the rows before it."""
        rest = memoryview(row)
        try:
            while rest:
                rest = rest[os.write(self._handle, rest) :]
        except OSError as error:
            self._cut()
            raise _cannot_write(self._path, error) from error
        self._size += len(row)
        if time.monotonic() - self._synchronised > SYNC_SECONDS:
            self._synchronise()

    def close(self) -> None:
        """See the rows onto the disk, or raise `SpectellError`; closing twice does no harm."""
        if not self._closed:
            self._closed = True
            try:
                self._synchronise()
            finally:
                os.close(self._handle)

    def _synchronise(self) -> None:
        try:
            os.fsync(self._handle)
        except OSError as error:
            if error.errno not in _CANNOT_SYNCHRONISE:
                raise _cannot_write(self._path, error) from error
        self._synchronised = time.monotonic()

    def _cut(self) -> None:
        with suppress(OSError):  # a device has no size
            os.ftruncate(self._handle, self._size)
            os.lseek(self._handle, self._size, os.SEEK_SET)


def _claim(handle: int, path: Path) -> None:
    """Keep two runs from writing into one file."""
    if not claim(handle):
        os.close(handle)
        raise MismatchError(f"another run is writing {path}; wait for it or name another output")


def remove_file(path: Path) -> None:
    """Remove a file if it exists; raises `SpectellError` if that fails."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _cannot_begin(path, error) from error


def _cannot_begin(path: Path, error: OSError) -> SpectellError:
    return SpectellError(f"cannot write {path}: {error.strerror or error}; no row was written, name another place")


def _cannot_write(path: Path, error: OSError) -> SpectellError:
    reason = error.strerror or str(error)
    return SpectellError(f"cannot write {path}: {reason}; its rows so far are whole, and --resume goes on with them")
