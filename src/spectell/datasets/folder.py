"""Folders of images as data sets.

Invariants: class 0 is the sub-folder called `real` or `0_real` (or the one that the caller names), never the first in
some order; the same folder gives the same manifest on every machine; what is left out is said in `Manifest.notes`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from spectell.datasets.columns import encode_text
from spectell.datasets.entries import REAL, Rows
from spectell.datasets.manifest import MANIFEST_SUFFIXES, read_manifest
from spectell.datasets.naming import REAL_FOLDERS
from spectell.datasets.table import Manifest
from spectell.datasets.walk import FolderReader
from spectell.errors import ManifestError, MismatchError, ParameterError

__all__ = ["read_dataset", "read_datasets"]

StrPath = str | os.PathLike[str]


def read_dataset(path: StrPath, *, real: str | None = None, require_real: bool = True) -> Manifest:
    """List the images of a data set: a folder, a folder of folders, or a manifest.

    Parameters
    ----------
    path : path
        A folder with a sub-folder per generator (one of them real: it is one source, called by its own name); a folder
        of such folders (each is a source); or a manifest that ends in ``.csv`` or ``.parquet``.
    real : str, optional
        Name of the sub-folders that are real, instead of ``real`` and ``0_real``.
    require_real : bool
        Whether it is an error that no image is real.

    Returns
    -------
    manifest : Manifest
        For a folder, its root is `path`. Links are followed, every folder once; hidden files are passed over; only
        files whose suffix is in `spectell.images.IMAGE_SUFFIXES` are listed, in the order of the bytes of their paths.
        Groups are named by `spectell.datasets.naming.default_group`.

    Raises
    ------
    ManifestError
        If nothing can be read there, no image lies in a sub-folder, nothing is real, or a sub-folder's name differs
        from the real one's by case alone; for a manifest see `read_manifest`.
    ParameterError
        If `real` is given with a manifest.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("real/b.png", "real/a.jpg", "gan/a.png", "gan/notes.txt"):
    ...         Path(folder, name).parent.mkdir(exist_ok=True)
    ...         Path(folder, name).touch()
    ...     manifest = read_dataset(folder)
    >>> [(entry.path, entry.label) for entry in manifest]
    [('gan/a.png', 1), ('real/a.jpg', 0), ('real/b.png', 0)]
    >>> manifest.notes
    ("left out 1 (names without the suffix of an image), the first is 'gan/notes.txt'",)
    """
    if Path(path).suffix.lower() in MANIFEST_SUFFIXES and not Path(path).is_dir():
        if real is not None:
            raise MismatchError(f"real={real!r} is for folders; a manifest names its real images in its columns")
        manifest = read_manifest(path)
    else:
        manifest = _read_folder(path, real)
    if require_real:
        _require_real(manifest, path, real)
    return manifest


def read_datasets(paths: Sequence[StrPath], *, real: str | None = None) -> Manifest:
    """List the images of several data sets as one.

    Parameters
    ----------
    paths : sequence of path
        Each as for `read_dataset`; together they must hold a real image, each by itself need not.
    real : str, optional
        Name of the sub-folders that are real.

    Returns
    -------
    manifest : Manifest
        Its root is the deepest folder that holds all of them.

    Raises
    ------
    ManifestError
        As `read_dataset`, and if two of them contribute to a source of one name.
    ParameterError
        If `paths` is empty.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("photos/real/a.jpg", "art/diffusion/a.png"):
    ...         Path(folder, name).parent.mkdir(parents=True)
    ...         Path(folder, name).touch()
    ...     read_datasets([f"{folder}/photos", f"{folder}/art"]).counts()
    {'art': {'diffusion': 1}, 'photos': {'real': 1}}
    """
    if not paths:
        raise ParameterError("paths must name at least one data set, got none")
    if len(paths) == 1:
        return read_dataset(paths[0], real=real)
    parts = [read_dataset(path, real=real, require_real=False) for path in paths]
    owners = Counter(source for part in parts for source in part.counts())
    shared = [source for source, number in owners.items() if number > 1]
    if shared:
        raise ManifestError(f"several of the data sets have a source called {shared[0]!r}; rename a folder")
    manifest = _joined(parts)
    _require_real(manifest, ", ".join(os.fspath(path) for path in paths), real)
    return manifest


def _read_folder(path: StrPath, real: str | None) -> Manifest:
    root = os.path.abspath(path)  # noqa: PTH100 - links in the name stay as the user gave them
    if not Path(root).is_dir():
        found = "is not a folder, nor a .csv or .parquet manifest" if Path(root).exists() else "does not exist"
        raise ManifestError(f"data set {os.fspath(path)!r} {found}")
    reader = FolderReader(encode_text(root), real)
    folders = reader.subfolders(b"")
    is_source = any(map(reader.is_real, folders)) or not any(reader.has_real(name + b"/") for name in folders)
    if is_source:
        reader.add_source(encode_text(Path(root).name), b"")
    else:
        reader.leave_out_loose(b"")
        for name in folders:
            reader.add_source(name, name + b"/")
    if not len(reader.rows.path):
        raise ManifestError(
            f"data set {os.fspath(path)!r} holds no images in sub-folders; make a sub-folder for the real ones and one "
            "for each generator"
        )
    return Manifest.from_rows(reader.rows, root, reader.notes())


def _require_real(manifest: Manifest, path: StrPath, real: str | None) -> None:
    if REAL in manifest.class_names:
        return
    wanted = repr(real) if real else " or ".join(repr(name) for name in sorted(REAL_FOLDERS, reverse=True))
    found = ", ".join(manifest.class_names[:5])
    raise ManifestError(
        f"data set {os.fspath(path)!r} has no real class: no sub-folder is called {wanted}, found {found}; "
        "say which is real with --real NAME"
    )


def _joined(parts: Sequence[Manifest]) -> Manifest:
    roots = [part.root.absolute() for part in parts]
    common = Path(os.path.commonpath(roots))
    rows = Rows.empty()
    for part, root in zip(parts, roots, strict=True):
        below = root.relative_to(common).as_posix()
        prefix = "" if below == "." else below + "/"
        for entry in part:
            path = entry.path if Path(entry.path).is_absolute() else prefix + entry.path
            rows.append_row(
                encode_text(path), entry.generator, entry.source, encode_text(entry.group), entry.split, entry.sha256
            )
    return Manifest.from_rows(rows, common, [note for part in parts for note in part.notes])
