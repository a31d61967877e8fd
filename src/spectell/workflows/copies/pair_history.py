"""The history that a real image and its reconstruction share.

A photograph from a JPEG file carries the grid and the rounding of that JPEG, and a network wipes them out: a detector
would learn that. So both get the same compression again. For the photograph this changes next to nothing, since the
coefficients lie on the quantiser's steps already; for the reconstruction it is the history that it would have had.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError
from spectell.images import ImageFacts
from spectell.perturbations import PERTURBATIONS, PRESETS, JpegRecompression, Perturbation, get_perturbation, get_preset
from spectell.perturbations.jpeg import SUBSAMPLINGS

__all__ = ["NONE", "ORIGINAL", "PairHistory", "colourless"]

ORIGINAL = "original"
"""Compress again as the picture's own file is compressed."""
NONE = "none"

Pixels = npt.NDArray[np.uint8]

_OTHER_SUBSAMPLING = "4:2:0"
"""For files whose subsampling no encoder here writes, and for gray ones, which have none."""


class PairHistory:
    """A history by its name.

    Parameters
    ----------
    name : str
        ``original``, ``none``, a perturbation (``jpeg``) or one of a preset (``frank2020/combined``).

    Raises
    ------
    ParameterError
        If nothing has that name.

    Examples
    --------
    >>> photograph = ImageFacts(format="JPEG", width=8, height=8, mode="RGB", jpeg_quality=75, jpeg_subsampling="4:4:4")
    >>> drawn = PairHistory("original").draw(np.zeros((8, 8, 3), np.uint8), photograph, np.random.default_rng(0))
    >>> drawn["quality"], drawn["subsampling"], drawn["grid_row"]
    (75, '4:4:4', 0)
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._perturbation = _find(name)

    def draw(self, image: Pixels, facts: ImageFacts, rng: np.random.Generator) -> Any:
        """Pick the parameters for one picture; None where nothing happens."""
        if self._perturbation is None:
            return None
        if self.name != ORIGINAL:
            return self._perturbation.draw(rng, image.shape)
        if facts.format != "JPEG" or facts.jpeg_quality is None:
            return None
        known = facts.jpeg_subsampling in SUBSAMPLINGS
        subsampling = facts.jpeg_subsampling if known else _OTHER_SUBSAMPLING
        return {"quality": facts.jpeg_quality, "subsampling": subsampling, "grid_row": 0, "grid_column": 0}

    def apply(self, image: Pixels, parameters: Any) -> Pixels:
        """Return the image after the history that `draw` picked."""
        if parameters is None or self._perturbation is None:
            return image
        return self._perturbation.apply(image, parameters)

    def meet(self, image: Pixels, facts: ImageFacts, rng: np.random.Generator) -> tuple[Pixels, Any]:
        """Draw and apply at once; return the image and the record."""
        parameters = self.draw(image, facts, rng)
        return self.apply(image, parameters), parameters


def colourless(image: Pixels) -> Pixels:
    """Give every pixel the rounded mean of its colours, three times.

    Examples
    --------
    >>> colourless(np.array([[[10, 20, 30]]], np.uint8)).tolist()
    [[[20, 20, 20]]]
    """
    mean = np.rint(image.mean(axis=-1, keepdims=True, dtype=np.float32)).astype(np.uint8)
    return np.repeat(mean, 3, axis=-1)


def _find(name: str) -> Perturbation | None:
    if name == NONE:
        return None
    if name == ORIGINAL:
        return JpegRecompression()
    preset, slash, member = name.partition("/")
    if slash:
        return get_preset(preset, member)
    if name not in PERTURBATIONS:
        members = ", ".join(f"{preset}/{member}" for preset, members in PRESETS.items() for member in members)
        raise ParameterError(
            f"unknown history {name!r}; choose {ORIGINAL}, {NONE}, {', '.join(PERTURBATIONS)}, or {members}"
        )
    return get_perturbation(name)
