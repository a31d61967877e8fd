"""What an identification would do and how long it would take, from the numbers of images alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from spectell.datasets.splits import DEFAULT_FRACTIONS
from spectell.experiments.cells import check_settled, is_done
from spectell.experiments.config import ExperimentConfig
from spectell.experiments.identification.cells import NETWORKS, IdentificationCell, IdentificationScale
from spectell.experiments.identification.images import ImageChoice, choose_images
from spectell.experiments.plan import Plan, PlannedCell, duration

__all__ = [
    "choose",
    "estimated_seconds",
    "over_the_limit",
    "plan_study",
    "processes",
    "seeds_of",
    "settings_of",
]

_SECONDS = {"knn": 0.6, "eigenfaces": 3.5, "prnu": 1.5, "ridge": 1.2, "logistic": 3.0}
_SECONDS |= {"mlp": 0.17, "cnn": 0.3, "resnet": 4.0, "yu2019": 22.0}
"""For an estimate: of 1,000 training images of 32 x 32 pixels on one core of a CPU, of networks for each epoch."""
_GPU = 50.0
"""How many times as fast a GPU is taken to be; not measured."""
_TEST_SHARE = 0.15
_SAMPLE_SECONDS = 0.003


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
    choice = choose(config, scale)
    folder = Path(config.output)
    check_settled(folder, settings_of(config, scale, choice))
    each, side = min(choice.images, scale.images), scale.size or 128
    n_classes, workers = len(choice.classes), processes(config, scale)
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
        work = f"skipped: {over_the_limit(seconds[cell.name], scale)}" if over else _work(cell)
        cost = 0.0 if over else (seconds[cell.name] + extra(cell, each)) / workers
        done = is_done(folder, cell, scale.limit)
        planned.append(PlannedCell(cell.name, round(cell.share * n_train), work, cost, done=done))
    return Plan(tuple(planned), (*choice.notes, *notes))


def choose(config: ExperimentConfig, scale: IdentificationScale) -> ImageChoice:
    """Choose the images of a configuration."""
    return choose_images(config.data, scale.size, only_own=not scale.size)


def settings_of(config: ExperimentConfig, scale: IdentificationScale, choice: ImageChoice) -> dict[str, Any]:
    """All that decides the results, but the pixels. The limit is none of it: with a larger one the run goes on."""
    study = {name: value for name, value in scale.as_dict().items() if name != "limit"}
    source = str(choice.path.absolute())
    return {"experiment": config.name, "source": source, "own": choice.own, "study": study, "first_seed": config.seed}


def processes(config: ExperimentConfig, scale: IdentificationScale) -> int:
    """One process on a GPU, which several would share."""
    return config.workers if scale.device == "cpu" else 1


def _train_share(scale: IdentificationScale) -> float:
    return (scale.fractions or DEFAULT_FRACTIONS)["train"]


def over_the_limit(seconds: float, scale: IdentificationScale) -> str:
    """Say why a cell is not tried."""
    return f"about {duration(seconds)} by estimate, over the limit of {duration(scale.limit)} for a cell"


def _work(cell: IdentificationCell) -> str:
    parts = [f"{cell.detector}, {cell.domain}, seed {cell.seed}"]
    parts += [f"{100 * cell.share:g} % of the training images"] if cell.share < 1 else []
    parts += [f"trained on {cell.trained_on}"] if cell.trained_on != "clean" else []
    return ", ".join(parts + (["8 x 8 thumbnails"] if cell.view != "images" else []))
