"""Which images of a folder or data set are real, which of them take part, and what their copies are called."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from spectell.datasets import Entry, Manifest
from spectell.datasets.columns import encode_text
from spectell.datasets.entries import REAL
from spectell.datasets.folder import read_dataset
from spectell.datasets.naming import default_group, path_below_class
from spectell.errors import ManifestError
from spectell.workflows.walk import walk

__all__ = ["choose", "output_names", "real_images"]

StrPath = str | os.PathLike[str]


def real_images(data: StrPath, real: str | None = None) -> Manifest:
    """List the real images of a data set, or all images of a folder that is none.

    Parameters
    ----------
    data : path
        A manifest or a folder as for `spectell.datasets.folder.read_dataset`, whose real images are taken. Or any other
        folder: then every image in it and below it is real, and they are one source of the folder's name.
    real : str, optional
        Name of the sub-folder that is real.

    Returns
    -------
    images : Manifest
        Every generator in it is ``real``.

    Raises
    ------
    ManifestError
        If there are none.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("trip/day1/b.jpg", "trip/a.jpg", "set/real/c.png", "set/gan/c.png"):
    ...         Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
    ...         Path(folder, name).touch()
    ...     trip, made = real_images(f"{folder}/trip"), real_images(f"{folder}/set")
    >>> [entry.group for entry in trip], [entry.path for entry in made]
    (['trip/a', 'trip/day1/b'], ['real/c.png'])
    """
    if not Path(data).is_dir() or real is not None:
        manifest = read_dataset(data, real=real)
        return manifest.select(manifest.labels == 0)
    try:
        manifest = read_dataset(data, require_real=False)
    except ManifestError:
        return _all_images(data)  # which says so if there are none
    if REAL in manifest.class_names:
        return manifest.select(manifest.labels == 0)
    return _all_images(data)


def _all_images(folder: StrPath) -> Manifest:
    root = Path(os.path.abspath(folder))  # noqa: PTH100 - links in the name stay as the user gave them
    source = root.name
    entries, notes = [], []
    for found in walk([root]):
        if isinstance(found, str):
            path = Path(found).relative_to(root).as_posix()
            entries.append(Entry(path, 0, REAL, source, default_group(source, path)))
        elif hasattr(found, "reason"):
            notes.append(found.reason)
    if not entries:
        raise ManifestError(f"the folder {os.fspath(folder)!r} holds no images: {'; '.join(notes) or 'it is empty'}")
    return Manifest(entries, root, notes)


def choose(images: Manifest, limit: int | None, seed: int) -> list[int]:
    """Choose rows by the hash of seed and path, so that a higher limit adds to those of a lower one.

    Parameters
    ----------
    images : Manifest
    limit : int > 0 or None
        All of them where it is None or as many.
    seed : int

    Returns
    -------
    rows : list of int
        In rising order.

    Examples
    --------
    >>> images = Manifest([Entry(f"{n}.png", 0, "real") for n in range(100)], root=".")
    >>> few, more = choose(images, 5, 0), choose(images, 10, 0)
    >>> len(few), set(few) < set(more), few == choose(images, 5, 1)
    (5, True, False)
    """
    if limit is None or limit >= len(images):
        return list(range(len(images)))

    def place(row: int) -> bytes:
        return hashlib.blake2b(b"%d\0%b" % (seed, encode_text(images.paths[row])), digest_size=16).digest()

    return sorted(sorted(range(len(images)), key=place)[:limit])


def output_names(images: Manifest) -> Sequence[str]:
    """Name a PNG file for every image: its path below its class; where two differ in the suffix alone, with it.

    Parameters
    ----------
    images : Manifest

    Returns
    -------
    names : sequence of str
        Relative paths with forward slashes, no two alike even where case does not count.

    Examples
    --------
    >>> images = Manifest([Entry(f"{n}", 0, "real") for n in ("real/a.jpg", "real/a.png", "/far/b.jpg")], root=".")
    >>> output_names(images)
    ['a.png', 'a.png.png', 'far/b.png']
    """
    taken: set[str] = set()
    names = []
    for path in images.paths:
        below = PurePosixPath(path_below_class(path, REAL))
        plain = PurePosixPath(*(part for part in below.parts if part not in {"/", ".."}))
        name, number = str(plain.with_suffix(".png")), 1
        while name.casefold() in taken:
            name = f"{plain}.png" if number == 1 else f"{plain}.{number}.png"
            number += 1
        taken.add(name.casefold())
        names.append(name)
    return names
