"""The cells of the up-sampling study: one trained network and the images that it makes, each kept on disk.

A cell is a kind of network, an up-sampling and a seed; everything else is the study's and the same in all. A cell is
done when its images are there, so that an interrupted study goes on where it stopped; a training within a cell goes on
from its own checkpoint.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spectell.datasets.atomic import replacing
from spectell.errors import ParameterError

__all__ = ["AUTOENCODER", "SCALES", "Cell", "StudyScale", "cell_images", "list_cells", "make_cells", "seconds_a_step"]

AUTOENCODER = "autoencoder"
UPSAMPLINGS = ("nearest", "bilinear", "binomial", "transposed", "pixelshuffle")
IMAGES_FILE = "generated.npy"

_SAMPLE_SEED = 1000
"""Added to a cell's seed for its samples, so that they are not those that its training logged."""
_BATCH = 16

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
        Most steps of each network; `minutes` may allow fewer.
    seeds : int >= 1
        Networks of every kind and up-sampling.
    images : int
        Most real images; as many are generated.
    minutes : float
        What all trainings together may take. Before the first one a few steps are timed, and if the steps above would
        take longer, all networks of a kind get the same smaller number.
    """

    size: int
    gan_steps: int
    autoencoder_steps: int
    seeds: int
    images: int
    minutes: float


SCALES = {
    "small": StudyScale(32, gan_steps=2000, autoencoder_steps=2000, seeds=2, images=2000, minutes=45.0),
    "full": StudyScale(128, gan_steps=50_000, autoencoder_steps=20_000, seeds=2, images=10_000, minutes=48 * 60.0),
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


def list_cells(seeds: int, *, loss: str = "sngan") -> list[Cell]:
    """Every kind with every up-sampling and every seed, the cheap kind first.

    Examples
    --------
    >>> len(list_cells(2)), list_cells(1)[0].name
    (20, 'autoencoder-nearest-0')
    """
    return [Cell(*parts) for parts in itertools.product((AUTOENCODER, loss), UPSAMPLINGS, range(seeds))]


def cell_images(folder: Path, cell: Cell) -> Pixels:
    """Open the images of a finished cell, shape (N, S, S, 3)."""
    return np.asarray(np.load(folder / cell.name / IMAGES_FILE, mmap_mode="r"))


def make_cells(
    cells: list[Cell],
    folder: Path,
    prepared: Path,
    size: int,
    steps: dict[str, int],
    *,
    device: str = "cpu",
    workers: int = 1,
    on_progress: Report,
) -> dict[str, float]:
    """Make the cells that are not there yet.

    Parameters
    ----------
    cells : list of Cell
    folder : Path
        Each gets a folder of its name in it.
    prepared : Path
        The packed training images.
    size : int
        Their side.
    steps : dict of str to int
        Of each kind of network.
    device : str
    workers : int >= 1
        Processes, each with one thread and a cell of its own. The images do not depend on it.
    on_progress : callable
        Called with what is counted, how many are done, and of how many.

    Returns
    -------
    seconds : dict of str to float
        How long each cell took that was made now.
    """
    missing = [cell for cell in cells if not (folder / cell.name / IMAGES_FILE).is_file()]
    jobs = [(cell, folder / cell.name, prepared, size, steps[cell.kind], device) for cell in missing]
    seconds: dict[str, float] = {}
    if workers == 1:
        for number, job in enumerate(jobs, start=1):
            seconds[job[0].name] = _make(job)
            on_progress("networks", number, len(jobs))
        return seconds
    # Spawned, since torch does not survive a fork.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for number, (job, took) in enumerate(zip(jobs, pool.map(_make, jobs), strict=True), start=1):
            seconds[job[0].name] = took
            on_progress("networks", number, len(jobs))
    return seconds


def seconds_a_step(
    kind: str, prepared: Path, size: int, scratch: Path, *, device: str = "cpu", steps: int = 6
) -> float:
    """Time a few steps of one kind of network, with the dearest up-sampling, from start to end."""
    began = time.perf_counter()
    _train(Cell(kind, "pixelshuffle", 0), scratch / kind / "once", prepared, size, 1, device)
    start = time.perf_counter() - began
    began = time.perf_counter()
    _train(Cell(kind, "pixelshuffle", 0), scratch / kind / "more", prepared, size, 1 + steps, device)
    return max((time.perf_counter() - began - start) / steps, 1e-4)


def _make(job: tuple[Cell, Path, Path, int, int, str]) -> float:
    cell, folder, prepared, size, steps, device = job
    began = time.perf_counter()
    _train(cell, folder, prepared, size, steps, device)
    images = _reconstructed(folder, prepared) if cell.kind == AUTOENCODER else _sampled(cell, folder, prepared)
    with replacing(folder / IMAGES_FILE) as file:
        np.lib.format.write_array(file, images)
    return time.perf_counter() - began


def _train(cell: Cell, folder: Path, prepared: Path, size: int, steps: int, device: str) -> None:
    if cell.kind == AUTOENCODER:
        from spectell.generators.autoencoder_run import train_autoencoder_on
        from spectell.generators.autoencoder_training import AutoencoderConfig

        config = AutoencoderConfig(upsampling=cell.upsampling, steps=steps, seed=cell.seed)
        train_autoencoder_on(prepared, folder, size, config, resume=True, device=device, threads=1)
        return
    from spectell.generators.training import train_generator
    from spectell.generators.training_config import GeneratorConfig

    gan = GeneratorConfig(loss=cell.kind, upsampling=cell.upsampling, size=size, steps=steps, seed=cell.seed)
    train_generator(prepared, folder, gan, resume=True, device=device, threads=1)


def _reconstructed(folder: Path, prepared: Path) -> Pixels:
    """Every training image after the autoencoder, in their order."""
    from spectell.datasets.packed import open_packed
    from spectell.generators.autoencoder_training import WEIGHTS_FILE
    from spectell.generators.small_autoencoder import load_autoencoder
    from spectell.generators.tensors import run_in_batches

    network, _ = load_autoencoder(folder / WEIGHTS_FILE)
    return np.asarray(run_in_batches(network, open_packed(prepared).images, batch_size=_BATCH))


def _sampled(cell: Cell, folder: Path, prepared: Path) -> Pixels:
    """As many samples as there are training images."""
    from spectell.datasets.packed import open_packed
    from spectell.generators.trained import load_generator

    number = len(open_packed(prepared).images)
    if number < 1:
        raise ParameterError("there must be at least one training image, got none")
    return np.asarray(load_generator(folder).images(_SAMPLE_SEED + cell.seed, 0, number))
