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
from spectell.errors import ParameterError
from spectell.experiments.cells import SKIPPED, check_settled, is_done, run_cells, settle
from spectell.experiments.config import ExperimentConfig
from spectell.experiments.identification_cells import NETWORKS, IdentificationCell, IdentificationScale
from spectell.experiments.identification_fit import divide
from spectell.experiments.identification_images import ImageChoice, choose_images, identity_of, prepare
from spectell.experiments.plan import Plan, PlannedCell, duration
from spectell.experiments.record import make_record
from spectell.experiments.registry import OnProgress

__all__ = [
    "FULL_FRACTIONS",
    "FULL_MOST",
    "Study",
    "estimated_seconds",
    "open_study",
    "plan_study",
    "run_study_cells",
    "seeds_of",
    "study_record",
]

FULL_MOST = {"train": 100_000, "validation": 10_000, "test": 25_000}
"""Images of a class in each split of the paper."""
FULL_FRACTIONS = {name: number / sum(FULL_MOST.values()) for name, number in FULL_MOST.items()}

_SECONDS = {"knn": 2.0, "eigenfaces": 8.0, "prnu": 1.5, "ridge": 2.5, "logistic": 6.0}
_SECONDS |= {"mlp": 0.3, "cnn": 0.35, "resnet": 3.5, "yu2019": 45.0}
"""For an estimate: of 1,000 training images of 32 x 32 pixels on one core of a CPU, of networks for each epoch."""
_GPU = 50.0
"""How many times as fast a GPU is taken to be; not measured."""
_TEST_SHARE = 0.15
_SAMPLE_SECONDS = 0.003


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


def seeds_of(config: ExperimentConfig, scale: IdentificationScale) -> list[int]:
    """Seeds of the splits and initialisations, the first of which is that of the run.

    Examples
    --------
    >>> from spectell.experiments.config import ExperimentConfig
    >>> config = ExperimentConfig("attribution", "/data", "/out", "small", 7, 1)
    >>> seeds_of(config, IdentificationScale(32, 100, 2, (), {}, 60.0))
    [7, 8]
    """
    return [config.seed + k for k in range(scale.seeds)]


def estimated_seconds(cell: IdentificationCell, scale: IdentificationScale, n_train: int, side: int) -> float:
    """Estimate how long a cell takes on one core, or on a GPU.

    Parameters
    ----------
    cell : IdentificationCell
    scale : IdentificationScale
    n_train : int
        Training images of all classes, before a share of them is taken.
    side : int
        Of the images in pixels.
    """
    per_image = _SECONDS.get(cell.detector, 5.0) / 1000 * (side / 32) ** 2
    if cell.detector not in NETWORKS:
        return cell.share * n_train * per_image
    slower = _GPU if scale.device != "cpu" else 1.0
    return n_train * per_image * scale.epochs.get(cell.detector, 50) / slower


def plan_study(
    config: ExperimentConfig,
    scale: IdentificationScale,
    cells: Sequence[IdentificationCell],
    *,
    extra: Callable[[IdentificationCell, int], float] = lambda *_: 0.0,
    notes: Sequence[str] = (),
) -> Plan:
    """Say what would be done.

    Parameters
    ----------
    config : ExperimentConfig
    scale : IdentificationScale
    cells : sequence of IdentificationCell
    extra : callable
        Seconds that a cell takes beside its training, from the cell and the number of images of a class.
    notes : sequence of str
        What the experiment leaves out.

    Returns
    -------
    plan : Plan

    Raises
    ------
    ManifestError
        If there are no images.
    ParameterError
        If the folder of the results holds something else.
    """
    choice = _choose(config, scale)
    folder = Path(config.output)
    check_settled(folder, _settings(config, scale, choice))
    each, side = min(choice.images, scale.images), scale.size or 128
    n_classes, workers = len(choice.classes), _workers(config, scale)
    n_train = round(_train_share(scale) * each * n_classes)
    seconds = {cell.name: estimated_seconds(cell, scale, n_train, side) for cell in cells}
    made = "of a class" if choice.own else "and samples"
    first = PlannedCell(
        "images",
        each * n_classes,
        f"{each:,} photographs of {choice.name} {made}: {', '.join(choice.classes)}",
        0 if choice.own else each * (n_classes - 1) * _SAMPLE_SECONDS / workers + 10,
        done=(folder / "images" / "images.npy").is_file(),
    )
    planned = [first]
    for cell in cells:
        over = seconds[cell.name] > scale.limit
        work = f"skipped: {_over(seconds[cell.name], scale)}" if over else _work(cell)
        cost = 0.0 if over else (seconds[cell.name] + extra(cell, each)) / workers
        done = is_done(folder, cell, scale.limit)
        planned.append(PlannedCell(cell.name, round(cell.share * n_train), work, cost, done=done))
    return Plan(tuple(planned), (*choice.notes, *notes))


def open_study(config: ExperimentConfig, scale: IdentificationScale, on_progress: OnProgress) -> Study:
    """Choose the images, write them once, and note the settings.

    Raises
    ------
    ParameterError
        If PyTorch is missing, or the folder of the results holds something else.
    ManifestError, ArtifactError
        If there are too few images, or a generator is missing.
    """
    began = time.perf_counter()
    if find_spec("torch") is None:
        raise ParameterError("the experiment needs PyTorch, which is not installed; run: pip install 'spectell[torch]'")
    choice, folder = _choose(config, scale), Path(config.output)
    settings = _settings(config, scale, choice)
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
        workers=_workers(study.config, scale),
        limit=scale.limit,
        on_progress=on_progress,
        stage="detectors",
    )
    return {
        cell.name: found.get(cell.name, {SKIPPED: _over(seconds[cell.name], scale), "limit": scale.limit})
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


def _choose(config: ExperimentConfig, scale: IdentificationScale) -> ImageChoice:
    return choose_images(config.data, scale.size, only_own=not scale.size)


def _settings(config: ExperimentConfig, scale: IdentificationScale, choice: ImageChoice) -> dict[str, Any]:
    """All that decides the results, but the pixels. The limit is none of it: with a larger one the run goes on."""
    study = {name: value for name, value in scale.as_dict().items() if name != "limit"}
    source = str(choice.path.absolute())
    return {"experiment": config.name, "source": source, "own": choice.own, "study": study, "first_seed": config.seed}


def _workers(config: ExperimentConfig, scale: IdentificationScale) -> int:
    """One process on a GPU, which several would share."""
    return config.workers if scale.device == "cpu" else 1


def _train_share(scale: IdentificationScale) -> float:
    from spectell.datasets.splits import DEFAULT_FRACTIONS

    return (scale.fractions or DEFAULT_FRACTIONS)["train"]


def _over(seconds: float, scale: IdentificationScale) -> str:
    return f"about {duration(seconds)} by estimate, over the limit of {duration(scale.limit)} for a cell"


def _work(cell: IdentificationCell) -> str:
    parts = [f"{cell.detector}, {cell.domain}, seed {cell.seed}"]
    parts += [f"{100 * cell.share:g} % of the training images"] if cell.share < 1 else []
    parts += [f"trained on {cell.trained_on}"] if cell.trained_on != "clean" else []
    return ", ".join(parts + (["8 x 8 thumbnails"] if cell.view != "images" else []))
