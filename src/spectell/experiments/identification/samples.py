"""Photographs beside samples of the four generators that come with Spectell, brought to one size and packed.

Sample k of a generator depends on its weights, the seed and k alone. Samples are made in processes of their own, so
that this one stays free of PyTorch, whose threads would forbid to fork.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from spectell.datasets import Entry, Manifest, write_manifest
from spectell.datasets.atomic import replacing
from spectell.datasets.packed import IMAGES_NAME, MANIFEST_NAME
from spectell.errors import ArtifactError
from spectell.experiments.cells import run_cells, skipped_cells
from spectell.generators.bundled import BUNDLED

__all__ = ["GENERATORS", "PREPARED", "missing_generators", "write_samples"]

GENERATORS = ("progan", "sngan", "cramer", "mmd")
"""Those of the paper, in its order, by the names that they come with Spectell under."""
PREPARED = "images"
"""Folder of the packed images within that of an experiment."""

_SAMPLE_SEED = 2000
"""Added to the seed of a run, so that the samples are not those that trainings logged."""
_SECONDS = 1800.0
"""For the samples of one generator."""

Report = Callable[[str, int, int], object]


def missing_generators() -> list[str]:
    """Name the generators that are not there, a line each."""
    return [
        f"{name}: its weights are not in {str(BUNDLED)!r}, so that the experiment can be planned and not run"
        for name in GENERATORS
        if not _weights_of(name).is_file()
    ]


def write_samples(
    photographs: Path, folder: Path, size: int, limit: int, seed: int, workers: int, on_progress: Report
) -> None:
    """Bring photographs to size, make as many samples with every generator, and pack them all.

    Parameters
    ----------
    photographs : Path
        Where they lie.
    folder : Path
        Of the experiment; the images go to `PREPARED` in it.
    size : int
        Side in pixels.
    limit : int
        Most images of a class.
    seed : int
        Of which photographs are taken where there are more, and of the samples.
    workers : int
    on_progress : callable

    Raises
    ------
    ArtifactError
        If a generator is missing or makes images of another size.
    ManifestError
        If there are not two photographs.
    """
    from spectell.generators.training_images import prepare_images

    if missing := missing_generators():
        raise ArtifactError(f"generators are missing: {'; '.join(missing)}")
    counted = partial(on_progress, "photographs")
    packed, _ = prepare_images(photographs, folder / "photographs", size, on_progress=counted)
    rows = np.sort(np.random.default_rng((seed, 12)).permutation(len(packed.images))[:limit])
    cells = [_Samples(name, str(_weights_of(name)), len(rows), size, _SAMPLE_SEED + seed) for name in GENERATORS]
    place = folder / "samples"
    found = run_cells(
        cells,
        partial(_sample, folder=place),
        place,
        workers=workers,
        limit=_SECONDS,
        on_progress=on_progress,
        stage="samples",
    )
    for name, reason in skipped_cells(found).items():
        raise ArtifactError(f"cannot make images with the generator {name!r}: {reason}")
    parts = [packed.images[rows], *(np.load(place / f"{cell.name}.npy", mmap_mode="r") for cell in cells)]
    with replacing(folder / PREPARED / IMAGES_NAME) as file:
        np.lib.format.write_array(file, np.concatenate(parts))
    entries = [*packed.manifest.select(rows), *(entry for cell in cells for entry in cell.entries())]
    write_manifest(Manifest(entries, folder), folder / PREPARED / MANIFEST_NAME)


def _weights_of(name: str) -> Path:
    return BUNDLED / f"{name}.safetensors"


@dataclass(frozen=True, slots=True)
class _Samples:
    """The samples of one generator, whose weights lie at a path."""

    name: str
    weights: str
    number: int
    size: int
    seed: int

    def entries(self) -> list[Entry]:
        names = [f"{self.name}/{k:06}" for k in range(self.number)]
        return [Entry(f"{name}.png", 1, self.name, "samples", f"samples/{name}") for name in names]


def _sample(cell: _Samples, *, folder: Path) -> dict[str, Any]:
    from spectell.generators.trained import load_generator

    generator = load_generator(cell.weights)
    images = generator.images(cell.seed, 0, cell.number)
    if images.shape[1:3] != (cell.size, cell.size):
        raise ArtifactError(f"its images have {images.shape[1]} pixels a side, and {cell.size} are needed")
    with replacing(folder / f"{cell.name}.npy") as file:
        np.lib.format.write_array(file, images)
    return {"images": len(images), "sha256": hashlib.sha256(images.tobytes()).hexdigest(), "card": generator.card}
