"""Train a generator on a folder of photographs, in as many runs as it takes.

The folder that a training writes holds ``images/`` (the training images, packed), ``checkpoint.safetensors`` (all that
the next run needs), ``generator.safetensors`` (the averaged generator), ``log.csv`` and ``samples-STEP.png``. A run
that was stopped at any moment goes on from its last checkpoint, and ends with the same bits as one that was not, on the
same machine with the same number of threads. Importing this module imports torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from spectell.datasets.packed import IMAGES_NAME
from spectell.errors import MismatchError, ParameterError
from spectell.generators.checkpoint import CHECKPOINT_NAME
from spectell.generators.interrupts import DeferredInterrupt
from spectell.generators.training_config import GeneratorConfig
from spectell.generators.training_folder import IMAGES_FOLDER, check_training_folder
from spectell.generators.training_images import prepare_images
from spectell.generators.training_log import LOG_NAME, TrainingLog
from spectell.generators.training_session import Schedule, Session
from spectell.generators.training_state import TrainingState

__all__ = ["IMAGES_FOLDER", "Schedule", "TrainingRun", "train_generator"]


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """What a run did.

    Parameters
    ----------
    folder : Path
    card : dict
        That of the generator.
    first_step, last_step : int
        Where the run began and ended.
    seconds : float
        Time of the steps.
    notes : tuple of str
        What a person should know, a line each.
    """

    folder: Path
    card: dict[str, Any]
    first_step: int
    last_step: int
    seconds: float
    notes: tuple[str, ...]


def train_generator(
    data: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    config: GeneratorConfig,
    *,
    resume: bool = False,
    device: str = "cpu",
    threads: int | None = None,
    schedule: Schedule | None = None,
    name: str | None = None,
    licence: str | None = None,
    on_progress: Callable[[str, int, int], object] | None = None,
) -> TrainingRun:
    """Train a generator and write it, with all that a later run needs, to a folder.

    Parameters
    ----------
    data : path
        Photographs, as for `spectell.generators.training_images.prepare_images`.
    folder : path
        Where everything is written.
    config : GeneratorConfig
    resume : bool
        Go on from the checkpoint in `folder`; begin where there is none.
    device : str
        As torch names it.
    threads : int > 0, optional
        Of the CPU; as torch chooses by default.
    schedule : Schedule, optional
    name : str, optional
        How manifests will call the generator; loss and up-sampling by default.
    licence : str, optional
        Of the weights, for the card.
    on_progress : callable, optional
        Called with what is counted (``"images"``, ``"steps"``), how many are done and of how many.

    Returns
    -------
    run : TrainingRun

    Raises
    ------
    ParameterError
        If the device is not there, a loss is not finite (the last checkpoint stays), or `folder` is no place to begin
        in (`spectell.generators.training_folder.check_training_folder`).
    ArtifactError
        If `folder` holds a training and `resume` is false, or one with another configuration or other images.
    ManifestError
        If there are too few images, or a file cannot be written.
    KeyboardInterrupt
        After Ctrl-C, when the step is done and the checkpoint written.
    """
    report = on_progress or _silent
    root, timing = Path(folder), schedule or Schedule()
    started = check_training_folder(data, root, CHECKPOINT_NAME, resume=resume)
    _check_device(device)
    prepared = root / IMAGES_FOLDER
    source = prepared if started and (prepared / IMAGES_NAME).is_file() else data
    with _settings(threads, device):
        state = TrainingState(config, device)
        packed, facts = prepare_images(source, prepared, config.size, on_progress=lambda *done: report("images", *done))
        session = Session(root, state, packed, facts, timing, name, licence)
        if started:
            session.load()
        first = state.step
        with TrainingLog(root / LOG_NAME, first) as log, DeferredInterrupt() as interrupt:
            for step in session.run(log):
                report("steps", step, config.steps)
                if interrupt.requested:
                    session.save()
                    raise KeyboardInterrupt
        return TrainingRun(root, session.card(), first, state.step, session.seconds, session.notes())


def _silent(*_: object) -> None:
    """Report nothing."""


def _check_device(device: str) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise MismatchError(f"device {device!r} cannot be used: {reason}; use cpu") from error


@contextmanager
def _settings(threads: int | None, device: str) -> Iterator[None]:
    """Deterministic algorithms (on a GPU where there are any) and a number of threads, for the block only."""
    if threads is not None and threads < 1:
        raise ParameterError(f"threads must be at least 1, got {threads}")
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_num_threads(threads or before[0])
    torch.use_deterministic_algorithms(True, warn_only=not device.startswith("cpu"))
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1], warn_only=warn_only)
