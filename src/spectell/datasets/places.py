"""Folders that are written into: what lies there already, and leaving none behind that holds nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from spectell.datasets.atomic import part_of
from spectell.errors import ManifestError, MismatchError

__all__ = ["contents", "removing_empty_folders", "require_apart"]


def contents(folder: str | os.PathLike[str]) -> frozenset[str]:
    """Name what lies in a folder that is to be written into.

    Parameters
    ----------
    folder : path

    Returns
    -------
    names : frozenset of str
        Empty where there is no such folder. Temporary files of a killed process do not count.

    Raises
    ------
    MismatchError
        If `folder` is a file.
    ManifestError
        If it cannot be listed.

    Examples
    --------
    >>> contents("nowhere")
    frozenset()
    """
    try:
        return frozenset(name for name in os.listdir(folder) if part_of(name) is None)  # noqa: PTH208 - names alone
    except FileNotFoundError:
        return frozenset()
    except NotADirectoryError:
        place = os.fspath(folder)
        found = "is a file" if os.path.exists(place) else "lies below a file"  # noqa: PTH110 - as it was given
        raise MismatchError(f"the output {place!r} {found}, and a folder is needed; name another one") from None
    except OSError as error:
        raise ManifestError(f"cannot write to {os.fspath(folder)!r}: {error.strerror or error}") from error


def require_apart(data: str | os.PathLike[str], output: str | os.PathLike[str]) -> None:
    """Refuse to write pictures into the folder of images that are read, where the next run would take them for images.

    Raises
    ------
    MismatchError
        If `data` is a folder and `output` is it, or lies in it.
    """
    place = Path(data)
    if place.is_dir() and Path(output).resolve().is_relative_to(place.resolve()):
        raise MismatchError(f"the output {os.fspath(output)!r} lies in the folder of the images; name one outside it")


@contextmanager
def removing_empty_folders(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Remove a folder that the block made, and those above it that it made, if the block raises and nothing is in them.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as root:
    ...     try:
    ...         with removing_empty_folders(f"{root}/a/b"):
    ...             os.makedirs(f"{root}/a/b")
    ...             raise ValueError
    ...     except ValueError:
    ...         os.listdir(root)
    []
    """
    place = Path(folder)
    made = [each for each in (place, *place.parents) if not each.exists()]
    try:
        yield
    except BaseException:
        for each in made:
            with suppress(OSError):  # it was never made, or holds something
                each.rmdir()
        raise
