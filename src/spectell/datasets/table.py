"""The table that every data set becomes.

Invariants: paths are relative to the manifest's root or absolute, with forward slashes; no path occurs twice; rows keep
the order in which they were given; a manifest never changes.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt

from spectell.datasets.columns import CategoryColumn, TextColumn, encode_text
from spectell.datasets.entries import COLUMNS, REAL, Entry, Rows
from spectell.errors import ManifestError, ParameterError

__all__ = ["Manifest"]


class Manifest(Sequence[Entry]):
    """The images of a data set: what made each, where it came from, what belongs together.

    The rows are kept as columns; an `Entry` is made when one is asked for. Nothing here is changed after construction:
    `select`, `with_groups`, … return a new manifest.

    Parameters
    ----------
    entries : iterable of Entry
        The rows, read once. A row without a group is a group of its own.
    root : path
        Folder that relative paths start from.
    notes : sequence of str
        What the reader of a data set left out, one line each; for a person to see.

    Raises
    ------
    ManifestError
        If a path occurs twice.

    Examples
    --------
    >>> manifest = Manifest([Entry("real/a.png", 0, "real"), Entry("gan/a.png", 1, "gan")], root="faces")
    >>> manifest.labels.tolist(), manifest.class_names, manifest[1].path
    ([0, 1], ('real', 'gan'), 'gan/a.png')
    """

    __slots__ = ("_rows", "notes", "root")

    def __init__(self, entries: Iterable[Entry], root: str | os.PathLike[str], notes: Sequence[str] = ()) -> None:
        rows = Rows.empty()
        for entry in entries:
            rows.append(entry)
        self._adopt(rows, root, notes)

    @classmethod
    def from_rows(cls, rows: Rows, root: str | os.PathLike[str], notes: Sequence[str] = ()) -> Manifest:
        """Wrap columns that were built without an `Entry` per row."""
        manifest = cls.__new__(cls)
        manifest._adopt(rows, root, notes)
        return manifest

    def _adopt(self, rows: Rows, root: str | os.PathLike[str], notes: Sequence[str]) -> None:
        repeated = rows.path.first_repeated()
        if repeated is not None:
            raise ManifestError(f"path {repeated!r} occurs more than once; list every file once")
        self._rows = rows
        self.root = Path(root)
        self.notes = tuple(notes)

    @property
    def entries(self) -> Sequence[Entry]:
        """The rows, made one at a time as they are asked for."""
        return self

    @property
    def paths(self) -> Sequence[str]:
        """Path of every row as the manifest gives it."""
        return self._rows.path

    @property
    def labels(self) -> npt.NDArray[np.int8]:
        """0 for real, 1 for generated, shape (N,)."""
        made = np.array([name != REAL for name in self._rows.generator.names], dtype=np.int8)
        return made[self._rows.generator.codes] if len(self) else np.zeros(0, dtype=np.int8)

    @property
    def generators(self) -> npt.NDArray[np.str_]:
        """What made every image, shape (N,)."""
        return self._rows.generator.values()

    @property
    def sources(self) -> npt.NDArray[np.str_]:
        """The collection of every image, shape (N,)."""
        return self._rows.source.values()

    @property
    def splits(self) -> npt.NDArray[np.str_]:
        """Split of every image, empty where none was assigned, shape (N,)."""
        return self._rows.split.values()

    @property
    def groups(self) -> npt.NDArray[np.int64]:
        """A number per group, shape (N,); images of one group share it. The names are `Entry.group`."""
        return self._rows.group.codes()

    @property
    def group_hashes(self) -> npt.NDArray[np.uint64]:
        """BLAKE2b hash of every row's group, shape (N,): an order at random that stays when images are added."""
        return self._rows.group.digests()

    @property
    def group_names(self) -> Sequence[str]:
        """Name of every row's group."""
        return self._rows.group

    @property
    def sha256(self) -> Sequence[str]:
        """Hash of every file in hexadecimal, empty where it was not computed."""
        return self._rows.sha256

    @property
    def class_names(self) -> tuple[str, ...]:
        """The generators that occur, ``real`` first, the others in alphabetical order."""
        names = set(self._rows.generator.names)
        return (*sorted(names & {REAL}), *sorted(names - {REAL}))

    def file(self, index: int) -> str:
        """Path of row `index` that the system can open."""
        return os.path.join(self.root, self._rows.path[index])  # noqa: PTH118 - Path() is ten times slower

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of images by source and generator, both sorted.

        Examples
        --------
        >>> Manifest([Entry("a", 0, "real", "faces"), Entry("b", 0, "real", "faces")], root=".").counts()
        {'faces': {'real': 2}}
        """
        rows = self._rows
        found = Counter(zip(rows.source.codes.tolist(), rows.generator.codes.tolist(), strict=True))
        named = sorted((rows.source.names[s], rows.generator.names[g], n) for (s, g), n in found.items())
        counts: dict[str, dict[str, int]] = {}
        for source, generator, number in named:
            counts.setdefault(source, {})[generator] = number
        return counts

    def select(self, indices: npt.ArrayLike) -> Manifest:
        """Return the rows at `indices`, an array of positions or a boolean mask of shape (N,).

        Raises
        ------
        ParameterError
            If a mask has another length than the manifest.
        """
        chosen = np.asarray(indices)
        if chosen.dtype == bool:
            if chosen.shape != (len(self),):
                raise ParameterError(f"a mask of rows must have shape ({len(self)},), got {chosen.shape}")
            chosen = np.flatnonzero(chosen)
        return Manifest.from_rows(self._rows.take(chosen.astype(np.int64).tolist()), self.root, self.notes)

    def with_values(
        self,
        *,
        groups: Iterable[str] | None = None,
        splits: Iterable[str] | None = None,
        sha256: Iterable[str] | None = None,
        notes: Sequence[str] = (),
    ) -> Manifest:
        """Return the same images with other columns; `notes` are added to those there are.

        Raises
        ------
        ParameterError
            If a column has another length than the manifest.
        """
        old = self._rows
        rows = Rows(
            old.path,
            old.generator,
            old.source,
            old.group if groups is None else TextColumn(groups),
            old.split if splits is None else CategoryColumn(splits),
            old.sha256 if sha256 is None else TextColumn(sha256),
        )
        for name in ("group", "split", "sha256"):
            if len(getattr(rows, name)) != len(self):
                raise ParameterError(f"{name} must have {len(self)} rows, got {len(getattr(rows, name))}")
        changed = Manifest.__new__(Manifest)
        changed._rows, changed.root, changed.notes = rows, self.root, (*self.notes, *notes)
        return changed

    def require_both_classes(self) -> None:
        """Check that there is something to tell apart.

        Raises
        ------
        ManifestError
            If the images are all real or all generated.
        """
        labels = self.labels
        for label, name in enumerate((REAL, "generated")):
            if not np.any(labels == label):
                raise ManifestError(
                    f"the data set has no {name} image among its {len(self)}; two classes are needed: a sub-folder "
                    f"called {REAL!r} (or --real NAME) and one for each generator"
                )

    def digest(self) -> str:
        """SHA-256 over all rows, in hexadecimal: what a record of a run names its data by.

        Paths enter as given, so the same data set has the same digest wherever its root lies.
        """
        digest = hashlib.sha256()
        for entry in self:
            row = (getattr(entry, column) for column in COLUMNS)
            digest.update(b"\0".join(encode_text(str(value)) for value in row) + b"\n")
        return digest.hexdigest()

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Entry, ...]: ...
    def __getitem__(self, index: int | slice) -> Entry | tuple[Entry, ...]:
        if isinstance(index, slice):
            return tuple(self[row] for row in range(*index.indices(len(self))))
        rows = self._rows
        generator = rows.generator[index]
        return Entry(
            rows.path[index],
            int(generator != REAL),
            generator,
            rows.source[index],
            rows.group[index],
            rows.split[index],
            rows.sha256[index],
        )

    def __iter__(self) -> Iterator[Entry]:
        return (self[row] for row in range(len(self)))

    def __len__(self) -> int:
        return len(self._rows.path)

    def __repr__(self) -> str:
        return f"<Manifest of {len(self)} images in {os.fspath(self.root)!r}: {', '.join(self.class_names)}>"
