"""The walk over a data set's folders.

Invariants: paths are bytes relative to the root, so that any file name passes; files come in the order of the bytes of
their paths; every folder below a generator is entered once, so that links cannot lead in circles; hidden names are
passed over in silence, anything else that is passed over is counted.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from spectell.datasets.columns import decode_text, encode_text
from spectell.datasets.entries import REAL, Rows
from spectell.datasets.naming import REAL_FOLDERS, default_group
from spectell.errors import ManifestError
from spectell.images import IMAGE_SUFFIXES

__all__ = ["FolderReader"]


@dataclass
class FolderReader:
    """Collects the images of folders with a sub-folder per generator.

    Parameters
    ----------
    root : bytes
        Absolute path of the data set.
    real : str or None
        Name of the real sub-folders instead of `REAL_FOLDERS`.

    Attributes
    ----------
    rows : Rows
        The images found so far.

    Examples
    --------
    >>> reader = FolderReader(b"/nowhere", None)
    >>> reader.is_real(b"0_real"), reader.is_real(b"gan"), len(reader.rows.path)
    (True, False, 0)
    """

    root: bytes
    real: str | None
    rows: Rows = field(default_factory=Rows.empty)
    _left_out: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def is_real(self, name: bytes) -> bool:
        """Whether a sub-folder of that name holds photographs."""
        return decode_text(name) in (REAL_FOLDERS if self.real is None else {self.real})

    def subfolders(self, prefix: bytes) -> list[bytes]:
        """Names of the folders in `prefix`, in the order of the paths below them."""
        return [name[:-1] for name in sorted(name for name, _ in self._list(prefix) if name.endswith(b"/"))]

    def has_real(self, prefix: bytes) -> bool:
        """Whether one of the folders in `prefix` is real."""
        return any(self.is_real(name) for name in self.subfolders(prefix))

    def add_source(self, source: bytes, prefix: bytes) -> None:
        """Add the images below `prefix`, a folder with a sub-folder per generator.

        Raises
        ------
        ManifestError
            If a folder cannot be listed, its name differs from a real one's by case alone, or a real one lies below a
            generator's.
        """
        self.leave_out_loose(prefix)
        text = decode_text(source)
        for name in self.subfolders(prefix):
            generator = self._generator(prefix, name)
            start = len(prefix) + len(name) + 1
            for path in self._walk(prefix + name + b"/", generator):
                group = default_group(text, decode_text(path[start:]))
                self.rows.append_row(path, generator, text, encode_text(group))

    def leave_out_loose(self, prefix: bytes) -> None:
        """Count the images that lie in `prefix` itself."""
        for name, is_file in sorted(self._list(prefix)):
            if is_file and _is_image(name):
                self._leave_out("images beside the sub-folders, so of no class", prefix + name)

    def notes(self) -> list[str]:
        """Say what was left out, a line for each reason."""
        return [
            f"left out {number:,} ({reason}), the first is {decode_text(first)!r}"
            for reason, (number, first) in sorted(self._left_out.items())
        ]

    def _generator(self, prefix: bytes, name: bytes) -> str:
        if self.is_real(name):
            return REAL
        generator = decode_text(name)
        if generator.casefold() in REAL_FOLDERS | ({self.real.casefold()} if self.real else set()):
            raise ManifestError(
                f"sub-folder {decode_text(prefix + name)!r} looks real but is not called {self.real or REAL!r}; "
                "rename it, or say which is real with --real NAME"
            )
        return generator

    def _walk(self, prefix: bytes, generator: str) -> Iterator[bytes]:
        entered = {self._identity(prefix)}
        stack = [(prefix, iter(sorted(self._list(prefix))))]
        while stack:
            folder, names = stack[-1]
            name, is_file = next(names, (b"", False))
            path = folder + name
            if not name:
                stack.pop()
            elif name.endswith(b"/"):
                identity = self._identity(path)
                if identity not in entered:
                    self._check_depth(path, name, generator)
                    entered.add(identity)
                    stack.append((path, iter(sorted(self._list(path)))))
            elif not _is_image(name):
                self._leave_out("names without the suffix of an image", path)
            elif is_file:
                yield path
            else:
                self._leave_out("broken links or special files", path)

    def _check_depth(self, path: bytes, name: bytes, generator: str) -> None:
        """Photographs in a folder one level too deep must not become the work of a generator."""
        if generator != REAL and self.is_real(name[:-1]):
            raise ManifestError(
                f"sub-folder {decode_text(path[:-1])!r} is real, but lies below the generator {generator!r}; read the "
                "folder above it as a data set of its own, or rename it"
            )

    def _identity(self, path: bytes) -> tuple[int, int]:
        status = os.stat(self.root + b"/" + path)  # noqa: PTH116 - Path takes no bytes
        return status.st_dev, status.st_ino

    def _list(self, prefix: bytes) -> Iterator[tuple[bytes, bool]]:
        """Yield the names in a folder, those of folders with a slash, and whether each is a regular file."""
        folder = self.root + b"/" + prefix
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if not entry.name.startswith(b"."):
                        yield _kind(entry)
        except OSError as error:
            raise ManifestError(f"cannot list folder {decode_text(folder.rstrip(b'/'))!r}: {error.strerror}") from error

    def _leave_out(self, reason: str, path: bytes) -> None:
        number, first = self._left_out.get(reason, (0, path))
        self._left_out[reason] = (number + 1, first)


def _kind(entry: os.DirEntry[bytes]) -> tuple[bytes, bool]:
    try:
        return (entry.name + b"/", False) if entry.is_dir() else (entry.name, entry.is_file())
    except OSError:  # a link to itself
        return entry.name, False


def _is_image(name: bytes) -> bool:
    stem, dot, suffix = name.rpartition(b".")
    return bool(stem) and (dot + suffix).lower().decode("ascii", "replace") in IMAGE_SUFFIXES
