"""The cells of the up-sampling study: one trained network, the images that it makes, and what they show.

A cell is a kind of network, an up-sampling and a seed; everything else is the study's and the same in all. A cell is
done when it is measured, so that an interrupted study goes on where it stopped; a training within a cell goes on from
its own checkpoint.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.datasets.atomic import replacing
from spectell.datasets.packed import open_packed
from spectell.errors import ArtifactError, SpectellError
from spectell.experiments.cells import write_json
from spectell.experiments.upsampling.measure import measure_set
from spectell.experiments.upsampling.theory import doublings_of
from spectell.workflows.workers.pool import isolated_map
from spectell.workflows.workers.worker import Failure

__all__ = [
    "AUTOENCODER",
    "PREPARED",
    "SCALES",
    "UPSAMPLINGS",
    "Cell",
    "StudyScale",
    "cell_images",
    "is_done",
    "list_cells",
    "make_cells",
    "read_cell",
]

AUTOENCODER = "autoencoder"
UPSAMPLINGS = ("nearest", "bilinear", "binomial", "transposed", "pixelshuffle")
"""All of `spectell.generators.upsampling`, whose import would load torch."""
CELLS = "cells"
PREPARED = "images"
IMAGES_FILE, MEASURED_FILE, SPECTRUM_FILE = "generated.npy", "measured.json", "power.npy"

_SAMPLE_SEED = 1000
"""Added to a cell's seed for its samples, so that they are not those that its training logged."""
_BATCH = 16
_PATIENCE = 7 * 86400.0
"""Seconds after which a cell is given up."""

Pixels = npt.NDArray[np.uint8]
Report = Callable[[str, int, int], object]


@dataclass(frozen=True, slots=True)
class StudyScale:
    """How large a study is.

    Parameters
    ----------
    size : int
        Side of the images in pixels.
    gan_steps, autoencoder_steps : int
        Of each network.
    seeds : int >= 1
        Networks of every kind and up-sampling; their seeds are 0, 1, ...
    images : int
        Most real images; as many are generated.
    upsamplings : tuple of str
        What is compared.
    loss : str
        Of the generative adversarial networks.
    device : str
        That trains, as torch names it.
    """

    size: int
    gan_steps: int
    autoencoder_steps: int
    seeds: int
    images: int
    upsamplings: tuple[str, ...] = UPSAMPLINGS
    loss: str = "sngan"
    device: str = "cpu"

    def steps(self, kind: str) -> int:
        """Of one kind of network."""
        return self.autoencoder_steps if kind == AUTOENCODER else self.gan_steps


SCALES = {
    "small": StudyScale(32, gan_steps=1000, autoencoder_steps=1000, seeds=2, images=2000),
    "full": StudyScale(128, gan_steps=50_000, autoencoder_steps=20_000, seeds=2, images=10_000, device="cuda"),
}
"""By the name that the command line uses."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One network of the study.

    Parameters
    ----------
    kind : str
        ``autoencoder``, or the loss of a generative adversarial network.
    upsampling : str
    seed : int

    Examples
    --------
    >>> Cell("sngan", "nearest", 1).name
    'sngan-nearest-1'
    """

    kind: str
    upsampling: str
    seed: int

    @property
    def name(self) -> str:
        """Its folder and what the page calls it."""
        return f"{self.kind}-{self.upsampling}-{self.seed}"


def list_cells(scale: StudyScale) -> list[Cell]:
    """Every kind with every up-sampling and every seed, the cheap kind first.

    Examples
    --------
    >>> cells = list_cells(SCALES["small"])
    >>> len(cells), cells[0].name, cells[-1].name
    (20, 'autoencoder-nearest-0', 'sngan-pixelshuffle-1')
    """
    parts = itertools.product((AUTOENCODER, scale.loss), scale.upsamplings, range(scale.seeds))
    return [Cell(*part) for part in parts]


def is_done(folder: Path, cell: Cell) -> bool:
    """Whether a cell of a study was measured."""
    return (folder / CELLS / cell.name / MEASURED_FILE).is_file()


def cell_images(folder: Path, cell: Cell) -> Pixels:
    """Open the images of a cell, shape (N, S, S, 3)."""
    return np.asarray(np.load(folder / CELLS / cell.name / IMAGES_FILE, mmap_mode="r"))


def read_cell(folder: Path, cell: Cell) -> tuple[dict[str, Any], npt.NDArray[np.float64]]:
    """Return what was measured of a cell that is done, and its mean power in decibels, shape (S, S)."""
    place = folder / CELLS / cell.name
    facts: dict[str, Any] = json.loads((place / MEASURED_FILE).read_text(encoding="utf-8"))
    return facts, np.load(place / SPECTRUM_FILE)


def make_cells(
    cells: list[Cell], folder: Path, scale: StudyScale, *, seed: int, workers: int, on_progress: Report
) -> dict[str, float]:
    """Train, sample and measure every cell that is not done.

    Parameters
    ----------
    cells : list of Cell
    folder : Path
        Of the study; `PREPARED` in it holds the training images.
    scale : StudyScale
    seed : int
        Of the split and of what the conditions draw.
    workers : int >= 1
        Processes, each with one thread and a cell of its own. The results do not depend on it.
    on_progress : callable
        Called with what is counted, how many are done, and of how many.

    Returns
    -------
    seconds : dict of str to float
        How long each cell took that was made now.

    Raises
    ------
    ArtifactError
        If a cell fails; the others are done first, and are kept.
    """
    missing = [cell for cell in cells if not is_done(folder, cell)]
    work = partial(_make, folder=folder, scale=scale, seed=seed)
    seconds, failures = dict[str, float](), list[str]()
    tried = partial(_tried, work)
    answers = map(tried, missing) if workers == 1 else _isolated(tried, missing, workers)
    for number, (cell, answer) in enumerate(zip(missing, answers, strict=True), start=1):
        if isinstance(answer, float):
            seconds[cell.name] = round(answer, 1)
        else:
            failures.append(f"{cell.name}: {answer}")
        on_progress("networks", number, len(missing))
    if failures:
        more = f", and {len(failures) - 1} more" if len(failures) > 1 else ""
        raise ArtifactError(f"cannot make {failures[0]}{more}; what is done is kept in {str(folder)!r}")
    return seconds


def _isolated(work: Callable[..., float | str], cells: list[Cell], workers: int) -> Iterator[float | str]:
    """Work in processes; a worker's death costs its cell, and closing the iterator ends them."""
    for answer in isolated_map(work, cells, workers=workers, timeout=_PATIENCE):
        yield answer.result.reason if isinstance(answer.result, Failure) else answer.result


def _tried(work: Callable[[Cell], float], cell: Cell, _: object = None) -> float | str:
    """Return how long a cell took, or in words why it failed."""
    try:
        return work(cell)
    except SpectellError as error:
        return str(error)


def _make(cell: Cell, *, folder: Path, scale: StudyScale, seed: int) -> float:
    began = time.perf_counter()
    place, prepared = folder / CELLS / cell.name, folder / PREPARED
    if not (place / IMAGES_FILE).is_file():
        _train(cell, place, prepared, scale)
        images = _reconstructed(place, prepared) if cell.kind == AUTOENCODER else _sampled(cell, place, prepared)
        with replacing(place / IMAGES_FILE) as file:
            np.lib.format.write_array(file, images)
    packed, paired = open_packed(prepared), cell.kind == AUTOENCODER
    facts, power = measure_set(
        np.asarray(packed.images),
        cell_images(folder, cell),
        packed.manifest.groups,
        doublings=doublings_of(cell.kind, scale.size),
        paired=paired,
        seed=seed,
    )
    with replacing(place / SPECTRUM_FILE) as file:
        np.lib.format.write_array(file, power)
    write_json(place / MEASURED_FILE, {**asdict(cell), **facts})
    return time.perf_counter() - began


def _train(cell: Cell, place: Path, prepared: Path, scale: StudyScale) -> None:
    steps = scale.steps(cell.kind)
    if cell.kind == AUTOENCODER:
        from spectell.generators.autoencoder_config import AutoencoderConfig
        from spectell.generators.autoencoder_run import train_autoencoder_on

        config = AutoencoderConfig(upsampling=cell.upsampling, steps=steps, seed=cell.seed)
        train_autoencoder_on(prepared, place, scale.size, config, resume=True, device=scale.device, threads=1)
        return
    from spectell.generators.training import train_generator
    from spectell.generators.training_config import GeneratorConfig

    gan = GeneratorConfig(loss=cell.kind, upsampling=cell.upsampling, size=scale.size, steps=steps, seed=cell.seed)
    train_generator(prepared, place, gan, resume=True, device=scale.device, threads=1)


def _reconstructed(folder: Path, prepared: Path) -> Pixels:
    """Every training image after the autoencoder, in their order."""
    from spectell.generators.autoencoder_training import WEIGHTS_FILE
    from spectell.generators.small_autoencoder import load_autoencoder
    from spectell.generators.tensors import run_in_batches

    network, _ = load_autoencoder(folder / WEIGHTS_FILE)
    return np.asarray(run_in_batches(network, open_packed(prepared).images, batch_size=_BATCH))


def _sampled(cell: Cell, folder: Path, prepared: Path) -> Pixels:
    """As many samples as there are training images."""
    from spectell.generators.trained import load_generator

    number = len(open_packed(prepared).images)
    return np.asarray(load_generator(folder).images(_SAMPLE_SEED + cell.seed, 0, number))
