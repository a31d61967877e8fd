"""Walk the structure of a file: chunks, boxes, blocks and directories, never the pixel data between them.

Each walk takes a seekable stream, is bounded in steps and in bytes, and ends quietly where the structure does: a
damaged tail has no more to say, and the decoder judges the rest.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

__all__ = ["MAX_FRAMES", "GifBlocks", "bmff_boxes", "count_tiff_pages", "gif_blocks", "riff_chunks"]

MAX_FRAMES = 10_000
"""Frames, pages, chunks or boxes after which a walk stops."""

_GIF_WINDOW = 16 * 2**20


def riff_chunks(stream: IO[bytes], n_bytes: int) -> Iterator[tuple[bytes, bytes]]:
    r"""Yield the name and the first `n_bytes` bytes of each chunk of a RIFF file such as a WebP.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO(b"RIFF\x0e\0\0\0WEBP" + b"abcd\x02\0\0\0xy")
    >>> list(riff_chunks(file, 1))
    [(b'abcd', b'x')]
    """
    at = 12
    for _ in range(MAX_FRAMES):
        stream.seek(at)
        header = stream.read(8)
        if len(header) < 8:
            return
        size = int.from_bytes(header[4:], "little")
        yield header[:4], stream.read(min(size, n_bytes))
        at += 8 + size + (size & 1)


def bmff_boxes(stream: IO[bytes], n_bytes: int) -> Iterator[tuple[bytes, bytes]]:
    r"""Yield the type and the first `n_bytes` bytes of each top-level box of an ISO media file (AVIF, HEIF).

    Examples
    --------
    >>> import io
    >>> list(bmff_boxes(io.BytesIO(b"\0\0\0\x0aftypxy"), 9))
    [(b'ftyp', b'xy')]
    """
    at = 0
    for _ in range(MAX_FRAMES):
        stream.seek(at)
        header = stream.read(8)
        if len(header) < 8:
            return
        size = int.from_bytes(header[:4], "big")
        start = 8
        if size == 1:
            size, start = int.from_bytes(stream.read(8), "big"), 16
        yield header[4:], stream.read(n_bytes if size == 0 else max(0, min(size - start, n_bytes)))
        if size < start or (at := at + size) >= 2**62:  # the last box, or a damaged one
            return


def count_tiff_pages(stream: IO[bytes]) -> int:
    r"""Count the directories that are chained in a TIFF or BigTIFF file: at least 1, at most `MAX_FRAMES`.

    Examples
    --------
    >>> import io
    >>> count_tiff_pages(io.BytesIO(b"II*\0" + b"\x08\0\0\0" + b"\0\0" + b"\0\0\0\0"))
    1
    """
    stream.seek(0)
    header = stream.read(16)
    order = "<" if header[:2] == b"II" else ">"
    big = header[2:4] in (b"+\0", b"\0+")
    count_format, entry_size, next_format = (order + "Q", 20, order + "Q") if big else (order + "H", 12, order + "I")
    pages = 0
    seen = set()
    try:
        (at,) = struct.unpack_from(next_format, header, 8 if big else 4)
        while at and at not in seen and pages < MAX_FRAMES:
            seen.add(at)
            stream.seek(at)
            (n_entries,) = struct.unpack(count_format, stream.read(struct.calcsize(count_format)))
            pages += 1
            stream.seek(at + struct.calcsize(count_format) + n_entries * entry_size)
            (at,) = struct.unpack(next_format, stream.read(struct.calcsize(next_format)))
    except (struct.error, ValueError, OverflowError, OSError):
        pass  # the chain leads out of the file
    return max(pages, 1)


@dataclass(frozen=True, slots=True)
class GifBlocks:
    """The pictures of a GIF, and the content of its application extensions by identifier.

    Parameters
    ----------
    frames : int >= 1
    applications : dict of bytes to bytes
        Eleven-byte identifier to the raw bytes that follow it, lengths of sub-blocks included.
    """

    frames: int
    applications: dict[bytes, bytes]


def gif_blocks(stream: IO[bytes]) -> GifBlocks:
    r"""Walk the blocks in the first 16 MiB of a GIF.

    References
    ----------
    .. [1] CompuServe (1990). Graphics Interchange Format, version 89a, appendix A.

    Examples
    --------
    >>> import io
    >>> screen = b"GIF89a" + b"\1\0\1\0" + b"\0\0\0"
    >>> picture = b"," + b"\0\0\0\0\1\0\1\0" + b"\0" + b"\2" + b"\1\0" + b"\0"
    >>> gif_blocks(io.BytesIO(screen + picture + picture + b";")).frames
    2
    """
    stream.seek(0)
    content = stream.read(_GIF_WINDOW)
    frames = 0
    applications: dict[bytes, bytes] = {}
    try:
        at = 13 + _palette_size(content[10])
        while content[at] != 0x3B and frames < MAX_FRAMES:  # the trailer
            if content[at] == 0x2C:  # an image descriptor
                frames += 1
                at = _skip_sub_blocks(content, at + 11 + _palette_size(content[at + 9]))
            elif content[at] == 0x21:  # an extension
                start = at + 2
                at = _skip_sub_blocks(content, start)
                if content[start - 1] == 0xFF:
                    applications.setdefault(content[start + 1 : start + 12], content[start + 12 : at])
            else:
                break
    except IndexError:
        pass  # the end of the file, or of the window
    return GifBlocks(max(frames, 1), applications)


def _palette_size(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _skip_sub_blocks(content: bytes, at: int) -> int:
    while size := content[at]:
        at += 1 + size
    return at + 1
