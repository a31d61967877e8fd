"""Training of the small autoencoder: pixels in, a folder with weights, card, log and checkpoint out.

A resumed run takes the same steps as one that was never stopped: bit for bit, on one machine with one number of
threads. Importing this module imports torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from spectell.datasets.atomic import replacing
from spectell.errors import MismatchError, ParameterError, ShapeError
from spectell.generators.autoencoder_config import AutoencoderConfig
from spectell.generators.autoencoder_state import AutoencoderState
from spectell.generators.checkpoint import CHECKPOINT_NAME
from spectell.generators.interrupts import DeferredInterrupt
from spectell.generators.small_autoencoder import (
    FACTOR,
    load_autoencoder,
    save_autoencoder,
)
from spectell.generators.tensors import as_device, run_in_batches

if TYPE_CHECKING:
    import os

__all__ = [
    "LOG_FILE",
    "WEIGHTS_FILE",
    "TrainedAutoencoder",
    "psnr",
    "train_autoencoder",
]

WEIGHTS_FILE = "autoencoder.safetensors"
LOG_FILE = "log.csv"

Progress = Callable[[int, int], object]
"""Called with the number of steps done and their total."""


@dataclass(frozen=True, slots=True)
class TrainedAutoencoder:
    """What a training left.

    Attributes
    ----------
    path : Path
        The file of weights.
    psnr : float
        Of reconstructions of the held-out images, in dB.
    held_out : int
        Their number.
    """

    path: Path
    psnr: float
    held_out: int


def psnr(images: npt.ArrayLike, reconstructions: npt.ArrayLike) -> float:
    """Peak signal-to-noise ratio of 8-bit images, in dB, from the squared error over all of them.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> round(psnr([[0, 0]], [[0, 255]]), 2), psnr([[7]], [[7]])
    (3.01, inf)
    """
    first, second = (np.asarray(values, np.float64) for values in (images, reconstructions))
    if first.shape != second.shape:
        raise ShapeError(f"images and reconstructions must have one shape, got {first.shape} and {second.shape}")
    error = float(np.square(first - second).mean())
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))


def train_autoencoder(
    images: npt.NDArray[np.uint8],
    output: str | os.PathLike[str],
    config: AutoencoderConfig | None = None,
    *,
    device: str = "cpu",
    resume: bool = False,
    facts: dict[str, Any] | None = None,
    on_progress: Progress | None = None,
) -> TrainedAutoencoder:
    """Train an autoencoder.

    Parameters
    ----------
    images : ndarray of shape (N, S, S, 3), uint8
        N >= 2; S from 32 to 256 and a multiple of 4. A memory map will do: only the rows of a batch are read.
    output : path
        Folder for ``autoencoder.safetensors`` (weights, with the card in its header), ``checkpoint.safetensors`` and
        ``log.csv``.
    config : AutoencoderConfig, optional
    device : str
        As torch calls it.
    resume : bool
        Go on from the checkpoint in `output`, if there is one.
    facts : dict, optional
        What the card shall say beside configuration, size and quality: what the images are, for instance.
    on_progress : callable, optional
        See `Progress`.

    Returns
    -------
    trained : TrainedAutoencoder

    Raises
    ------
    ParameterError
        If the images do not fit, or the loss stops being finite (the last checkpoint stays as it is).
    ArtifactError
        If the checkpoint is damaged, or belongs to another configuration.
    KeyboardInterrupt
        After Ctrl-C, when the step is done and the checkpoint written.
    """
    config = config or AutoencoderConfig()
    _check_images(images)
    folder = Path(output)
    run = AutoencoderState(config, images, as_device(device))
    if resume and (folder / CHECKPOINT_NAME).exists():
        run.restore(folder / CHECKPOINT_NAME)
    log = _Log(folder / LOG_FILE, run.step)
    with DeferredInterrupt() as interrupt:
        _take_steps(run, log, folder, interrupt, on_progress)
    return _finish(run, folder, facts or {})


def _take_steps(
    run: AutoencoderState, log: _Log, folder: Path, interrupt: DeferredInterrupt, on_progress: Progress | None
) -> None:
    config = run.config
    while run.step < config.steps:
        loss = run.advance()
        if not np.isfinite(loss):
            raise MismatchError(
                f"the loss is {loss} after step {run.step}; lower learning_rate, {config.learning_rate:g} now, or "
                f"resume from the last checkpoint"
            )
        if run.step % config.log_every == 0:
            log.add(run.step, loss)
        if run.step % config.checkpoint_every == 0 or run.step == config.steps or interrupt.requested:
            log.write()
            run.save(folder / CHECKPOINT_NAME)
        if interrupt.requested:
            raise KeyboardInterrupt
        if on_progress is not None:
            on_progress(run.step, config.steps)


class _Log:
    """``log.csv``: one line for every so many steps; lines after the step that a run resumes from are dropped."""

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        self._lines = ["step,loss"]
        if step and path.exists():
            rows = path.read_text(encoding="utf-8").splitlines()[1:]
            self._lines += [row for row in rows if int(row.partition(",")[0]) <= step]

    def add(self, step: int, loss: float) -> None:
        self._lines.append(f"{step},{loss:.9g}")

    def write(self) -> None:
        with replacing(self._path) as file:
            file.write(("\n".join(self._lines) + "\n").encode())


def _finish(run: AutoencoderState, folder: Path, facts: dict[str, Any]) -> TrainedAutoencoder:
    """Measure the network on the held-out images and write it with its card."""
    config, originals = run.config, np.array(run.images[run.held_out])
    run.network.eval()
    quality = psnr(originals, run_in_batches(lambda x: run.network(x.to(run.device)), originals, batch_size=16))
    card = {
        **facts,
        "configuration": asdict(config),
        "size": run.images.shape[1],
        "images": {"trained_on": len(run.trained_on), "held_out": len(run.held_out)},
        "psnr": round(min(quality, 999.0), 3),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    save_autoencoder(run.network, folder / WEIGHTS_FILE, card)
    load_autoencoder(folder / WEIGHTS_FILE)  # what cannot be read back is an error now, not later
    return TrainedAutoencoder(folder / WEIGHTS_FILE, quality, len(run.held_out))


def _check_images(images: npt.NDArray[np.uint8]) -> None:
    if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ShapeError(f"images must be uint8 of shape (N, S, S, 3), got {images.dtype} of shape {images.shape}")
    size = images.shape[1]
    if not 32 <= size <= 256 or size % FACTOR:
        raise ParameterError(f"images must have sides of 32 to 256 pixels, a multiple of {FACTOR}, got {size}")
    if len(images) < 2:
        raise MismatchError(f"there must be at least 2 images, one to train on and one to measure, got {len(images)}")
