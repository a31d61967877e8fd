"""One row of a data set, and many of them as columns.

Invariant: a row's label follows from its generator: `real` is 0, any other name is 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from spectell.datasets.columns import CategoryColumn, TextColumn, encode_text
from spectell.errors import ManifestError

__all__ = ["COLUMNS", "REAL", "Entry", "Rows"]

COLUMNS = ("path", "label", "generator", "source", "group", "split", "sha256")
"""Columns of a manifest file, in order."""

REAL = "real"
"""The name of class 0 in the column `generator`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of a data set.

    Parameters
    ----------
    path : str
        File, relative to the manifest's root, or absolute.
    label : {0, 1}
        0 for a photograph, 1 for a generated image; follows from `generator`.
    generator : str
        What made it; ``real`` for photographs.
    source : str
        The collection that it came with.
    group : str
        One picture and everything made from it.
    split : str
        ``train``, ``validation``, ``test``, another name, or empty where none was assigned.
    sha256 : str
        64 hexadecimal digits of the file's hash, or empty where it was not computed.

    Raises
    ------
    ManifestError
        If `path` or `generator` is empty, or `label` contradicts `generator`.

    Examples
    --------
    >>> Entry("stylegan/a.png", 1, "stylegan").label
    1
    >>> Entry("a.png", 1, "real")
    Traceback (most recent call last):
    spectell.errors.ManifestError: label 1 contradicts generator 'real' of 'a.png'; 0 is real, 1 any other generator
    """

    path: str
    label: int
    generator: str
    source: str = ""
    group: str = ""
    split: str = ""
    sha256: str = ""

    def __post_init__(self) -> None:
        if not self.path:
            raise ManifestError("path must not be empty; every row names a file")
        if not self.generator:
            raise ManifestError(
                f"generator of {self.path!r} must not be empty; photographs have the generator {REAL!r}"
            )
        if self.label != (self.generator != REAL):
            raise ManifestError(
                f"label {self.label} contradicts generator {self.generator!r} of {self.path!r}; "
                "0 is real, 1 any other generator"
            )


@dataclass(slots=True)
class Rows:
    """The columns of a manifest while it is built, about 130 bytes a row at ordinary lengths of path."""

    path: TextColumn
    generator: CategoryColumn
    source: CategoryColumn
    group: TextColumn
    split: CategoryColumn
    sha256: TextColumn

    @classmethod
    def empty(cls) -> Rows:
        """Return columns without rows."""
        return cls(TextColumn(), CategoryColumn(), CategoryColumn(), TextColumn(), CategoryColumn(), TextColumn())

    def append(self, entry: Entry) -> None:
        """Add a row; a row without a group is a group of its own."""
        self.append_row(
            encode_text(entry.path),
            entry.generator,
            entry.source,
            encode_text(entry.group or entry.path),
            entry.split,
            entry.sha256,
        )

    def append_row(
        self, path: bytes, generator: str, source: str, group: bytes, split: str = "", sha256: str = ""
    ) -> None:
        """Add a row whose values are known to agree."""
        self.path.append(path)
        self.generator.append(generator)
        self.source.append(source)
        self.group.append(group)
        self.split.append(split)
        self.sha256.append(sha256.encode())

    def take(self, indices: Iterable[int]) -> Rows:
        """Return the rows at `indices`."""
        rows = list(indices)
        return Rows(
            self.path.take(rows),
            self.generator.take(rows),
            self.source.take(rows),
            self.group.take(rows),
            self.split.take(rows),
            self.sha256.take(rows),
        )
