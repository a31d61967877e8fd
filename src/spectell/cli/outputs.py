"""Whether a file may be written under a name, asked before hours of work and not after them.

Invariant: a command replaces only what it could have written itself. A name that was mistyped, or completed by the
shell, costs a line and never a photograph.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spectell.errors import MismatchError, ParameterError, SpectellError

__all__ = ["MANIFEST", "MODEL", "PAGE", "FileKind", "check_output"]


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a command writes, and how such a file is known again.

    Parameters
    ----------
    noun : str
        With its article, as in "a model of Spectell".
    example : str
        A name for such a file; empty where the command chooses the name, and the option is of the folder around it.
    recognise : callable
        Called with a `Path`; whether the regular file there is of this kind. It may raise `OSError` or
        `SpectellError` for a file that it cannot read, which then is not.
    check_name : callable, optional
        Called with a `Path`; raises `SpectellError` if such a file may not be called so.
    """

    noun: str
    example: str
    recognise: Callable[[Path], bool]
    check_name: Callable[[Path], object] | None = None


def _is_manifest(path: Path) -> bool:
    from spectell.datasets.manifest import is_manifest

    return is_manifest(path)


def _manifest_suffix(path: Path) -> str:
    from spectell.datasets.manifest import manifest_suffix

    return manifest_suffix(path)


def _is_model(path: Path) -> bool:
    from spectell.detectors.artifact import is_model

    return is_model(path)


def _is_page(path: Path) -> bool:
    from spectell.reports.page import is_page

    return is_page(path)


MANIFEST = FileKind("a manifest", "faces.csv", _is_manifest, _manifest_suffix)
MODEL = FileKind("a model of Spectell", "faces.safetensors", _is_model)
PAGE = FileKind("an HTML page", "report.html", _is_page)


def check_output(path: str | os.PathLike[str], kind: FileKind, *, option: str) -> None:
    """Check that a file can be written, and that it replaces nothing but a file of its own kind.

    Nothing is made or changed: missing folders are made by whoever writes the file.

    Parameters
    ----------
    path : path
        Where it will go.
    kind : FileKind
        What it will be.
    option : str
        Where the user gave the name, such as ``--output``.

    Raises
    ------
    MismatchError
        If there is a folder or a file of another kind, or the folder around it cannot be made or written.
    ParameterError
        If a file of this kind may not be called so.

    Examples
    --------
    >>> kind = FileKind("a list", "list.txt", lambda path: path.read_bytes().startswith(b"- "))
    >>> check_output("no-such-folder/list.txt", kind, option="--output")
    >>> check_output(".", kind, option="--output")
    Traceback (most recent call last):
        ...
    spectell.errors.MismatchError: --output must be a file, got the folder '.'; add a name, such as list.txt
    """
    name, final = os.fspath(path), Path(path)
    if kind.check_name is not None:
        try:
            kind.check_name(final)
        except SpectellError as error:  # wrong whatever lies there
            raise ParameterError(str(error)) from error
    problem = _problem(final)
    if problem:
        raise MismatchError(f"{option} cannot be written to {name!r}: {problem}; choose another place")
    if kind.example and final.is_dir():
        raise MismatchError(f"{option} must be a file, got the folder {name!r}; add a name, such as {kind.example}")
    if os.path.lexists(final) and not _is_of(kind, final):
        raise MismatchError(f"{option} would replace {name!r}, which is not {kind.noun}; choose another name")


def _is_of(kind: FileKind, path: Path) -> bool:
    try:
        return path.is_file() and kind.recognise(path)  # is_file: a pipe would block whoever reads it
    except (OSError, SpectellError):
        return False


def _problem(final: Path) -> str:
    """Say what keeps a file from being written; empty if nothing does."""
    try:
        final.lstat()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            return error.strerror or str(error)
    folder = final.absolute().parent
    while not os.path.lexists(folder):  # the folders that will be made
        folder = folder.parent
    if not folder.is_dir():
        return f"{str(folder)!r} is not a folder"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {str(folder)!r} may not be written"
    return ""
