"""Files that appear whole or not at all.

The bytes go to a hidden file beside the final name and take that name in one step, so that a crash, a full disk or
Ctrl-C never leaves half a file where a reader looks for a whole one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from spectell.errors import ManifestError, SpectellError

__all__ = ["replacing"]


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
