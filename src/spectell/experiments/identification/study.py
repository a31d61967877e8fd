"""What attribution, data efficiency and robustness do alike: images, a plan, the cells, a record.

A detector whose time by estimate is over the limit of a cell is not tried: it becomes a skipped cell at once, and the
page says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from spectell.datasets.packed import Packed
from spectell.errors import MismatchError
from spectell.experiments.cells import SKIPPED, run_cells, settle
from spectell.experiments.config import ExperimentConfig
from spectell.experiments.identification.cells import NETWORKS, IdentificationCell, IdentificationScale
from spectell.experiments.identification.fit import divide
from spectell.experiments.identification.images import ImageChoice, identity_of, prepare
from spectell.experiments.identification.plan import (
    choose,
    estimated_seconds,
    over_the_limit,
    processes,
    seeds_of,
    settings_of,
)
from spectell.experiments.record import make_record
from spectell.experiments.registry import OnProgress

__all__ = [
    "FULL_FRACTIONS",
    "FULL_MOST",
    "Study",
    "open_study",
    "run_study_cells",
    "study_record",
]

FULL_MOST = {"train": 100_000, "validation": 10_000, "test": 25_000}
"""Images of a class in each split of the paper."""
FULL_FRACTIONS = {name: number / sum(FULL_MOST.values()) for name, number in FULL_MOST.items()}


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """An experiment whose images are there.

    Parameters
    ----------
    config : ExperimentConfig
    scale : IdentificationScale
    choice : ImageChoice
    packed : Packed
    settings : dict
        All that decides the results, but the pixels.
    began : float
        Of `time.perf_counter`.
    """

    config: ExperimentConfig
    scale: IdentificationScale
    choice: ImageChoice
    packed: Packed
    settings: dict[str, Any]
    began: float

    @property
    def folder(self) -> Path:
        """Of the results."""
        return Path(self.config.output)


def open_study(config: ExperimentConfig, scale: IdentificationScale, on_progress: OnProgress) -> Study:
    """Choose the images, write them once, and note the settings.

    Raises
    ------
    MismatchError
        If PyTorch is missing, or the folder of the results holds something else.
    ManifestError, ArtifactError
        If there are too few images, or a generator is missing.
    """
    began = time.perf_counter()
    choice, folder = choose(config, scale), Path(config.output)
    if (not choice.own or set(scale.detectors) & set(NETWORKS)) and find_spec("torch") is None:
        raise MismatchError("the experiment needs PyTorch, which is not installed; run: pip install 'spectell[torch]'")
    settings = settings_of(config, scale, choice)
    settle(folder, settings)
    packed = prepare(
        choice,
        folder,
        size=scale.size,
        limit=scale.images,
        seed=config.seed,
        workers=config.workers,
        on_progress=on_progress,
    )
    return Study(config, scale, choice, packed, settings, began)


def run_study_cells(
    study: Study,
    cells: Sequence[IdentificationCell],
    work: Callable[..., Mapping[str, Any]],
    on_progress: OnProgress,
) -> dict[str, dict[str, Any]]:
    """Run the cells that are within the limit by estimate; say of the others that they are not."""
    scale, classes = study.scale, study.choice.classes
    side = int(study.packed.images.shape[1])
    rows = divide(
        study.packed.manifest, classes, fractions=scale.fractions, most=scale.most, seed=study.config.seed
    ).rows
    seconds = {cell.name: estimated_seconds(cell, scale, len(rows["train"]), side) for cell in cells}
    tried = [cell for cell in cells if seconds[cell.name] <= scale.limit]
    found = run_cells(
        tried,
        partial(work, folder=study.folder, scale=scale, classes=classes),
        study.folder,
        workers=processes(study.config, scale),
        limit=scale.limit,
        on_progress=on_progress,
        stage="detectors",
    )
    return {
        cell.name: found.get(cell.name, {SKIPPED: over_the_limit(seconds[cell.name], scale), "limit": scale.limit})
        for cell in cells
    }


def study_record(
    study: Study, cells: Sequence[IdentificationCell], results: Mapping[str, dict[str, Any]], **more: Any
) -> dict[str, Any]:
    """Put together what ``record.json`` holds: settings, images, every cell, what was skipped and why."""
    manifest, classes = study.packed.manifest, study.choice.classes
    scale = study.scale
    counts = {name: int((manifest.generators == name).sum()) for name in classes}
    divided = divide(manifest, classes, fractions=scale.fractions, most=scale.most, seed=study.config.seed)
    rows = {split: len(found) for split, found in divided.rows.items()}
    test = divided.codes[divided.rows["test"]]
    return make_record(
        study.config,
        identity_of(study.packed),
        **study.settings,
        classes=list(classes),
        images=counts,
        side=int(study.packed.images.shape[1]),
        split=rows,
        groups=len(np.unique(manifest.groups)),
        chance=float(np.bincount(test).max() / len(test)),
        seeds=seeds_of(study.config, scale),
        notes=list(study.choice.notes),
        cells={cell.name: results[cell.name] for cell in cells},
        skipped={name: found[SKIPPED] for name, found in results.items() if SKIPPED in found},
        **more,
        seconds=round(time.perf_counter() - study.began, 1),
    )
