"""Open what the caller names, safely, and say what it was in one printable line.

A path is looked at before it is opened, so that a FIFO cannot hang the run and a device is never touched. What
reading may bring into memory is metered: a file may hold far more bytes of metadata than its pixels need.
"""

import io
import os
import stat
from typing import IO, BinaryIO, cast

__all__ = [
    "MAX_METADATA_BYTES",
    "MAX_WHOLE_BYTES",
    "MeteredReader",
    "Refused",
    "describe_path",
    "open_source",
    "read_unless_large",
]

_MAX_QUICK_BYTES = 64 * 1024 * 1024

MAX_METADATA_BYTES = 64 * 2**20
"""Bytes that may be read before the pixels begin."""

MAX_WHOLE_BYTES = 256 * 2**20
"""Size of a file that a decoder insists on holding in memory whole, and of a stream that cannot seek."""

_SMALL_FILE = 2**20
_NONBLOCKING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_KINDS = (
    (stat.S_ISDIR, "it is a directory; name the files in it"),
    (stat.S_ISFIFO, "it is a FIFO; save its content to a file first"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
)


class Refused(Exception):  # noqa: N818 - it never leaves this package: read_image turns it into an ImageError
    """A reason, in words for the user, not to read a source."""


class MeteredReader(io.BufferedReader):
    """A file that may deliver a limited number of bytes to `read`.

    Parameters
    ----------
    raw : io.RawIOBase
        The open file; closed together with this object.

    Attributes
    ----------
    allowance : int
        Bytes that may still be read.

    Examples
    --------
    >>> reader = MeteredReader(io.BytesIO(b"abcdef"))
    >>> reader.allowance = 4
    >>> reader.read(3)
    b'abc'
    >>> reader.read(3)
    Traceback (most recent call last):
    spectell.images.sources.Refused: it holds more data than its pixels can need
    """

    allowance: int = MAX_METADATA_BYTES

    def read(self, size: int | None = -1, /) -> bytes:
        """Read at most `size` bytes; all that is left, within the allowance, when it is negative or None."""
        limit = self.allowance + 1
        data = super().read(limit if size is None or size < 0 else min(size, limit))
        self.allowance -= len(data)
        if self.allowance < 0:
            raise Refused("it holds more data than its pixels can need")
        return data


def describe_path(path: str | bytes | os.PathLike[str] | os.PathLike[bytes]) -> str:
    r"""Name a path in printable characters, on one line, whatever bytes it is made of.

    Bytes that are not UTF-8 become ``\xNN``; control characters, which could break a line or command a terminal,
    become escapes. A printable name, Unicode included, is returned as it is.

    Parameters
    ----------
    path : str, bytes or path-like
        Never opened.

    Returns
    -------
    name : str
        For messages only: it does not lead back to the file.

    Examples
    --------
    >>> describe_path("été.jpg")
    'été.jpg'
    >>> print(describe_path(b"\xe9t\xe9\n.jpg"))
    \xe9t\xe9\n.jpg
    """
    name = os.fsdecode(path)
    return name if name.isprintable() else "".join(map(_printable, name))


def _printable(character: str) -> str:
    if character.isprintable():
        return character
    if "\udc80" <= character <= "\udcff":  # a byte that was not UTF-8, as os.fsdecode carries it
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")


def describe_source(source: object) -> str:
    """Name any source for a message.

    Examples
    --------
    >>> describe_source(b"GIF89a"), describe_source("a.gif"), describe_source(io.BytesIO())
    ('<6 bytes>', 'a.gif', '<BytesIO>')
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return f"<{memoryview(source).nbytes} bytes>"
    try:
        name = source if isinstance(source, str | os.PathLike) else getattr(source, "name", None)
        if isinstance(name, str | bytes | os.PathLike):
            return describe_path(name) or "''"
        return f"<{type(source).__name__}>"
    except Exception:  # the caller's own class, and an error is being reported already
        return f"<{type(source).__name__}>"


def open_source(source: object) -> tuple[IO[bytes], bool]:
    """Open a source for reading from its beginning.

    Parameters
    ----------
    source : str, path-like, bytes-like or binary file object
        A string is a path; bytes are the content of a file. A file object is read from its start wherever it stands,
        and copied into memory if it cannot seek.

    Returns
    -------
    stream : seekable binary file, at its start
    owned : bool
        Whether the caller of this function must close it.

    Raises
    ------
    Refused, OSError, ValueError
        If there is no regular, readable file there.

    Examples
    --------
    >>> stream, owned = open_source(b"GIF89a")
    >>> stream.read(3), owned
    (b'GIF', True)
    """
    if isinstance(source, str | os.PathLike):
        return _open_path(source), True
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source), True
    if not hasattr(source, "read"):
        raise Refused(f"source must be a path, bytes or a binary file, got {type(source).__name__}")
    stream = cast(BinaryIO, source)
    try:
        stream.seek(0)
    except (AttributeError, OSError):
        return _copy_stream(stream), True
    if not isinstance(stream.read(0), bytes):
        raise Refused("the file object is not open in binary mode")
    return stream, False


def _open_path(path: str | os.PathLike[str]) -> IO[bytes]:
    if "\0" in os.fspath(path):
        raise Refused("no name of a file holds a NUL character; a list of names that end in it is read with --null")
    try:
        _check_regular(os.stat(path).st_mode)  # noqa: PTH116 - a name need not be one that pathlib takes
        raw = io.FileIO(os.open(path, _NONBLOCKING), "rb")
    except FileNotFoundError:
        raise Refused("it is a broken link" if os.path.islink(path) else "there is no such file") from None  # noqa: PTH114
    try:
        found = os.fstat(raw.fileno())
        _check_regular(found.st_mode)  # again: the name may lead elsewhere by now
        size = found.st_size
        content = raw.read(size + 1) if size <= _SMALL_FILE else None  # one byte more shows whether that is all
        if content is not None and len(content) <= size:
            raw.close()
            return io.BytesIO(content)
        raw.seek(0)
        return MeteredReader(raw)
    except BaseException:
        raw.close()
        raise


def _check_regular(mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    for is_kind, reason in _KINDS:
        if is_kind(mode):
            raise Refused(reason)
    raise Refused("it is not a regular file")


def _copy_stream(stream: BinaryIO) -> IO[bytes]:
    content = bytearray()
    while len(content) <= MAX_WHOLE_BYTES:
        piece = stream.read(_SMALL_FILE)
        if not isinstance(piece, bytes):
            raise Refused("the file object is not open in binary mode, or not ready")
        if not piece:
            return io.BytesIO(content)
        content += piece
    raise Refused(f"the stream is longer than {MAX_WHOLE_BYTES >> 20} MiB; save it to a file first")


def read_unless_large(stream: IO[bytes]) -> bytes | None:
    """Return all of a seekable file for a decoder that wants it whole, or None above 64 MiB: Pillow reads by pieces.

    Examples
    --------
    >>> import io
    >>> read_unless_large(io.BytesIO(b"all of it"))
    b'all of it'
    """
    if stream.seek(0, os.SEEK_END) > _MAX_QUICK_BYTES:
        return None
    stream.seek(0)
    return stream.read()
