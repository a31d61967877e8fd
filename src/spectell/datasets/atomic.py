"""Files that appear whole or not at all.

The bytes go to a hidden file beside the final name and take that name in one step, so that a crash, a full disk or
Ctrl-C never leaves half a file where a reader looks for a whole one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from spectell.errors import ManifestError, SpectellError

__all__ = ["part_of", "remove_parts", "replacing"]

_PART = re.compile(r"\.(.+)\.[0-9]+\.part", re.DOTALL)


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a temporary file that takes the name `path` when the block ends well.

    Parameters
    ----------
    path : path
        The final name; its folder is made where it does not exist.

    Yields
    ------
    file : binary file
        Open for writing. It is removed when the block raises.

    Raises
    ------
    ManifestError
        If the system cannot write the file (full disk, no permission); the message gives its reason.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/answer.txt") as file:
    ...         _ = file.write(b"42")
    ...     [found.name for found in Path(folder).iterdir()]
    ['answer.txt']
    """
    final = Path(path)
    part = final.with_name(f".{final.name}.{os.getpid()}.part")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(final)
    except SpectellError:  # some of them are OSErrors too, and say better what happened
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise ManifestError(f"cannot write {os.fspath(path)!r}: {reason}; nothing was left under that name") from error
    finally:
        with suppress(OSError):  # it is gone where the block succeeded
            part.unlink()


def part_of(name: str) -> str | None:
    """Return the final name of a temporary file of `replacing`; None for any other file.

    Examples
    --------
    >>> part_of(".a.png.4711.part"), part_of("a.png"), part_of(".a.png.part")
    ('a.png', None, None)
    """
    found = _PART.fullmatch(name)
    return None if found is None else found[1]


def remove_parts(folder: str | os.PathLike[str], is_ours: Callable[[str], bool]) -> None:
    """Remove the temporary files that killed processes left in a folder.

    Parameters
    ----------
    folder : path
        May be absent. Its sub-folders are left alone.
    is_ours : callable
        Whether a final name is one that the caller writes: others' files of the same pattern stay.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in (".a.png.7.part", ".b.png.7.part", "a.png"):
    ...         Path(folder, name).touch()
    ...     remove_parts(folder, {"a.png"}.__contains__)
    ...     sorted(found.name for found in Path(folder).iterdir())
    ['.b.png.7.part', 'a.png']
    """
    with suppress(OSError), os.scandir(folder) as found:  # what cannot be tidied up harms no reader
        for entry in found:
            final = part_of(entry.name)
            if final is not None and is_ours(final) and entry.is_file(follow_symlinks=False):
                Path(entry.path).unlink(missing_ok=True)
