"""Which photographs an experiment trains generators on, where it is given a folder of many data sets.

One collection, and not all of them: a small generator learns one kind of picture, and a mixture of faces, fruit and
streets has none.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from spectell.datasets import Manifest
from spectell.datasets.naming import REAL_FOLDERS
from spectell.errors import ImageError, ManifestError
from spectell.experiments.sources import Source, find_sources
from spectell.generators.training_images import MIN_REDUCTION, list_photographs
from spectell.images import read_image

__all__ = ["Photographs", "choose_photographs"]

_TRIED = 12
"""Files of a source, evenly spread, that tell which share of it is large enough."""


@dataclass(frozen=True, slots=True)
class Photographs:
    """The chosen collection.

    Parameters
    ----------
    name : str
        Of the source.
    path : Path
        As for `spectell.generators.training_images.prepare_images`.
    images : int
        About how many of its real images are large enough.
    notes : tuple of str
        What was not taken and why, a line each.
    """

    name: str
    path: Path
    images: int
    notes: tuple[str, ...]


def choose_photographs(data: str | os.PathLike[str], size: int) -> Photographs:
    """Choose the source with the most real images that can be reduced to `size`; the first by name where it is a draw.

    Parameters
    ----------
    data : path
        A data set or a folder of photographs, which is taken as it is, or a folder of several. Of several, those with a
        sub-folder of real images are preferred: nobody said what else may lie in the others.
    size : int > 0
        Side of the training images in pixels; a picture needs twice that on its shorter side.

    Returns
    -------
    photographs : Photographs

    Raises
    ------
    ManifestError
        If there is no data set, or none with two real images that are large enough.
    """
    sources, notes = find_sources(data)
    known = [source for source in sources if _has_real(source)]
    counted = {source: _count_large(source, size) for source in known or sources}
    best = max(counted, key=lambda source: counted[source])
    if counted[best] < 2:
        raise ManifestError(
            f"no data set in {os.fspath(data)!r} has two real images with a shorter side of {MIN_REDUCTION * size} "
            "pixels or more, twice the size of the training images"
        )
    for source in sources:
        if source in counted and source != best:
            notes.append(f"{source.name}: about {counted[source]:,} real images that are large enough, fewer")
        elif source != best:
            notes.append(f"{source.name}: no folder of real images")
    return Photographs(best.name, best.path, counted[best], tuple(notes))


def _has_real(source: Source) -> bool:
    return source.path.name in REAL_FOLDERS or any((source.path / name).is_dir() for name in REAL_FOLDERS)


def _count_large(source: Source, size: int) -> int:
    """Estimate how many real images are large enough from a few of them."""
    try:
        manifest = list_photographs(source.path)
    except ManifestError:
        return 0
    count = len(manifest)
    tried = {round(k * (count - 1) / max(1, _TRIED - 1)) for k in range(_TRIED)}
    return round(count * sum(_is_large(manifest, row, size) for row in tried) / len(tried))


def _is_large(manifest: Manifest, row: int, size: int) -> bool:
    try:
        shape = read_image(manifest.file(row)).pixels.shape
    except ImageError:
        return False
    return bool(min(shape[:2]) >= MIN_REDUCTION * size)
