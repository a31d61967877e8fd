"""Which images of a data set take part, and what their copies are called."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from spectell.datasets import Manifest
from spectell.datasets.columns import encode_text
from spectell.datasets.entries import REAL
from spectell.datasets.naming import path_below_class

__all__ = ["choose", "output_names"]


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
    >>> from spectell.datasets import Entry
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
    >>> from spectell.datasets import Entry
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
