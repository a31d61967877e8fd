"""What networks are trained on: the pixels of native tiles, never their coefficients.

Packed images of the right size are used as they lie on disk; all others are cut into the tiles that a model scores,
which then are in memory as bytes.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.detectors.features import tile_corners
from spectell.detectors.tiles import Tiles
from spectell.errors import MismatchError
from spectell.workflows.reading.image_files import Pixels
from spectell.workflows.reading.image_set import ImageSet
from spectell.workflows.training.config import Classes
from spectell.workflows.training.steps import UsableImages

__all__ = ["TILE_BYTES", "fit_network", "tiles_of"]

TILE_BYTES = 1_500_000_000
"""What the tiles of a split may take in memory."""


def fit_network(
    detector: Any,
    images: ImageSet,
    usable: UsableImages,
    classes: Classes,
    size: int,
    checkpoint: str | os.PathLike[str] | None,
    *,
    resume: bool,
) -> None:
    """Fit to the tiles of the training split; the validation split stops the training."""
    parts = []
    for split in ("train", "validation"):
        rows = usable.rows[split]
        parts += [tiles_of(images, rows, size), classes.codes(images.manifest.select(rows))]
    detector.fit_tiles(*parts, checkpoint=checkpoint, resume=resume, on_progress=images.on_progress)


def tiles_of(images: ImageSet, rows: npt.NDArray[np.intp], size: int) -> Tiles:
    """Return the native tiles of the images at `rows`, those that a model scores.

    Raises
    ------
    MismatchError
        If they take more than `TILE_BYTES` and do not lie packed.
    """
    packed = images.packed
    if packed is not None and packed.images.shape[1:3] == (size, size):
        places = packed.places(images.manifest.select(rows))
        return Tiles(packed.images, places, np.arange(len(places)))
    found, taken = [], 0
    for part in images.map(lambda pixels: _cut(pixels, size), rows, "tiles"):
        found.append(part)
        taken += part.nbytes
        if taken > TILE_BYTES:
            raise MismatchError(
                f"the tiles of {size} pixels of the first {len(found)} of {len(rows)} images take more than "
                f"{TILE_BYTES / 1e9:.1f} GB; pack the images: spectell dataset pack --size {size} "
                "(perturbed ones after spectell perturb)"
            )
    pixels = np.concatenate(found)
    return Tiles(pixels, np.arange(len(pixels)), np.repeat(np.arange(len(found)), [len(part) for part in found]))


def _cut(pixels: Pixels, size: int) -> Pixels:
    corners = tile_corners(pixels.shape[0], pixels.shape[1], size)
    return np.stack([pixels[top : top + size, left : left + size] for top, left in corners])
