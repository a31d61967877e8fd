"""Perturbed copies of all images of an experiment, made once, and perturbations of one strength.

The copies are those of the paper: each image goes through the perturbation with probability one half, its parameters
drawn by its own stream of random numbers, whatever its class or split. Every draw is written beside the images, so that
each copy can be made again. For curves over the strength every image is perturbed, by one strength alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.datasets.atomic import replacing
from spectell.datasets.packed import open_packed
from spectell.errors import ArtifactError
from spectell.experiments.cells import run_cells, skipped_cells
from spectell.experiments.identification.cells import PERTURBED, perturbed_path
from spectell.experiments.identification.samples import PREPARED
from spectell.experiments.registry import OnProgress
from spectell.perturbations import Perturbation, perturb
from spectell.perturbations.blur import GaussianBlur
from spectell.perturbations.crop import MarginCrop
from spectell.perturbations.jpeg import JpegRecompression
from spectell.perturbations.noise import GaussianNoise
from spectell.perturbations.presets import get_preset

__all__ = ["PERTURBATIONS", "PRESET", "STRENGTHS", "make_perturbed", "of_strength", "perturb_all"]

PRESET = "frank2020"
PERTURBATIONS = ("blur", "crop", "jpeg", "noise", "combined")
"""Those of the paper, by their names in the preset."""

STRENGTHS: dict[str, tuple[float, ...]] = {
    "blur": (3, 5, 7, 9),
    "crop": (0.05, 0.1, 0.15, 0.2, 0.3),
    "jpeg": (95, 90, 80, 70, 60, 50, 40, 30, 20, 10),
    "noise": (1, 2, 3, 4, 6, 8),
}
"""From weak to strong: kernel size in pixels, share of a side, quality, standard deviation in pixel values."""

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Copies:
    name: str
    seed: int


def of_strength(name: str, strength: float) -> Perturbation:
    """Return a perturbation of one strength, which nothing but noise draws anything for.

    Parameters
    ----------
    name : str
        Of `STRENGTHS`.
    strength : float

    Examples
    --------
    >>> of_strength("jpeg", 30).draw(np.random.default_rng(0), (32, 32))["quality"]
    30
    """
    if name == "blur":
        return GaussianBlur(min_sigma=None, max_sigma=None, kernel_sizes=(int(strength),))
    if name == "crop":
        return MarginCrop(min_share=strength, max_share=strength)
    if name == "jpeg":
        return JpegRecompression(min_quality=int(strength), max_quality=int(strength))
    return GaussianNoise(min_sigma=strength, max_sigma=strength)


def perturb_all(
    perturbation: Perturbation, images: Pixels, rows: Sequence[int], key: Sequence[int]
) -> tuple[Pixels, list[Any]]:
    """Perturb images, each by a stream of its own.

    Parameters
    ----------
    perturbation : Perturbation
    images : ndarray of shape (N, S, S, 3), uint8
    rows : sequence of int
        Which of them.
    key : sequence of int
        With the row it is the seed of an image's stream, so that a copy does not depend on what else is copied.

    Returns
    -------
    copies : ndarray of shape (len(rows), S, S, 3), uint8
    draws : list
        Of `Perturbation.draw`; None where an image was left as it is.
    """
    copies = np.empty((len(rows), *images.shape[1:]), np.uint8)
    draws = []
    for place, row in enumerate(rows):
        rng = np.random.default_rng((*key, int(row)))
        copies[place], drawn = perturb(perturbation, np.asarray(images[row]), rng)
        draws.append(drawn)
    return copies, draws


def make_perturbed(folder: Path, *, seed: int, workers: int, on_progress: OnProgress) -> dict[str, dict[str, Any]]:
    """Write the copies of every perturbation that are not there.

    Returns
    -------
    facts : dict of str to dict
        Of each perturbation the share of images that were ``changed``.

    Raises
    ------
    ArtifactError
        If copies cannot be made.
    """
    cells = [_Copies(name, seed) for name in PERTURBATIONS]
    place = folder / PERTURBED
    work = partial(_copy, folder=folder)
    found = run_cells(cells, work, place, workers=workers, on_progress=on_progress, stage="perturbed images")
    for name, reason in skipped_cells(found).items():
        raise ArtifactError(f"cannot perturb the images by {name!r}: {reason}")
    return {name: {"changed": facts["changed"], "draws": facts["draws"]} for name, facts in found.items()}


def _copy(cell: _Copies, *, folder: Path) -> dict[str, Any]:
    images = open_packed(folder / PREPARED).images
    number = PERTURBATIONS.index(cell.name)
    copies, draws = perturb_all(get_preset(PRESET, cell.name), images, range(len(images)), (cell.seed, 31, number))
    with replacing(perturbed_path(folder, cell.name)) as file:
        np.lib.format.write_array(file, copies)
    record = perturbed_path(folder, cell.name).with_suffix(".jsonl")
    with replacing(record) as file:
        for row, drawn in enumerate(draws):
            file.write(json.dumps({"row": row, "parameters": drawn}).encode() + b"\n")
    return {"changed": float(np.mean([_changes(drawn) for drawn in draws])), "draws": f"{PERTURBED}/{record.name}"}


def _changes(drawn: Any) -> bool:
    """Whether a draw does anything; that of a sequence holds one of each step."""
    return any(step is not None for step in drawn) if isinstance(drawn, list) else drawn is not None
