"""Train a generator on a folder of photographs, in as many runs as it takes.

The folder that a training writes holds ``images/`` (the training images, packed), ``checkpoint.safetensors`` (all that
the next run needs), ``generator.safetensors`` (the averaged generator), ``log.csv`` and ``samples-STEP.png``. A run that
was stopped at any moment goes on from its last checkpoint, and ends with the same bits as one that was not, on the same
machine with the same number of threads. Importing this module imports torch.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spectell.datasets.packed import IMAGES_NAME, Packed
from spectell.errors import ArtifactError, ParameterError
from spectell.generators.checkpoint import CHECKPOINT_NAME, read_tensors, write_tensors
from spectell.generators.interrupts import DeferredInterrupt
from spectell.generators.sliced_wasserstein import sliced_wasserstein
from spectell.generators.trained import GENERATOR_NAME, render, save_generator
from spectell.generators.training_config import GeneratorConfig
from spectell.generators.training_images import prepare_images
from spectell.generators.training_log import LOG_NAME, TrainingLog, as_grid, write_png
from spectell.generators.training_state import TrainingState

__all__ = ["IMAGES_FOLDER", "Schedule", "TrainingRun", "train_generator"]

IMAGES_FOLDER = "images"
_GRID = 8
_MEASURED = 256
"""Images of each kind from which the distance is measured."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often a training writes; no influence on the weights.

    Parameters
    ----------
    checkpoint_steps, checkpoint_minutes : int, float > 0
        A checkpoint is written after so many steps or minutes, whichever comes first, and in the end.
    log_steps : int > 0
        Steps from a row of the log to the next.
    sample_steps : int > 0
        Steps from a grid of samples and a measurement of the distance to the next.
    """

    checkpoint_steps: int = 500
    checkpoint_minutes: float = 5.0
    log_steps: int = 50
    sample_steps: int = 500


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
        If the device is not there, or a loss is not finite; the last checkpoint stays.
    ArtifactError
        If `folder` holds a training and `resume` is false, or one with another configuration or other images.
    ManifestError
        If there are too few images, or a file cannot be written.
    KeyboardInterrupt
        After Ctrl-C, when the step is done and the checkpoint written.
    """
    report = on_progress or (lambda what, done, total: None)
    root, timing = Path(folder), schedule or Schedule()
    checkpoint = root / CHECKPOINT_NAME
    if checkpoint.exists() and not resume:
        raise ArtifactError(f"{str(root)!r} holds a training already; go on with --resume, or name another folder")
    _check_device(device)
    prepared = root / IMAGES_FOLDER
    source = prepared if checkpoint.exists() and (prepared / IMAGES_NAME).is_file() else data
    with _settings(threads, device):
        state = TrainingState(config, device)
        packed, facts = prepare_images(source, prepared, config.size, on_progress=lambda *done: report("images", *done))
        session = _Session(root, state, packed, facts, timing, name, licence)
        if checkpoint.exists():
            session.load()
        first = state.step
        with TrainingLog(root / LOG_NAME, first) as log, DeferredInterrupt() as interrupt:
            for step in session.run(log):
                report("steps", step, config.steps)
                if interrupt.requested:
                    session.save()
                    raise KeyboardInterrupt
        return TrainingRun(root, session.card(), first, state.step, session.seconds, session.notes())


class _Session:
    """One run over a folder."""

    def __init__(
        self,
        root: Path,
        state: TrainingState,
        packed: Packed,
        facts: dict[str, Any],
        timing: Schedule,
        name: str | None,
        licence: str | None,
    ) -> None:
        self.root, self.state, self.packed, self.facts, self.timing = root, state, packed, facts, timing
        self.name, self.licence = name, licence
        self.seconds = 0.0
        self._saved_at = time.monotonic()
        self._saved_step = -1
        self._warnings: list[str] = []

    def run(self, log: TrainingLog) -> Iterator[int]:
        """Take the steps that are left; yield the number of each when all that it writes is written."""
        state, timing = self.state, self.timing
        steps = state.config.steps
        while state.step < steps:
            start = time.monotonic()
            phase = state.phase
            row: dict[str, Any] = {**state.advance(self.packed.images)}
            self.seconds += time.monotonic() - start
            last = state.step == steps
            if sampled := last or state.step % timing.sample_steps == 0:
                row["distance"] = self._sample()
            if sampled or state.step == 1 or state.step % timing.log_steps == 0:
                facts = {"step": state.step, "resolution": phase.resolution, "alpha": phase.alpha}
                log.add(row | facts | {"seconds": round(self.seconds, 1)})
            waited = time.monotonic() - self._saved_at
            if last or state.step % timing.checkpoint_steps == 0 or waited > 60 * timing.checkpoint_minutes:
                self.save()
            yield state.step

    def save(self) -> None:
        """Write checkpoint and generator, unless a weight is not finite: then the last good ones stay."""
        state = self.state
        if state.step == self._saved_step:
            return
        if not state.is_finite():
            raise ParameterError(
                f"the training diverged at step {state.step:,}: a weight is not finite; the last checkpoint was kept; start "
                "anew with a smaller learning rate or another seed"
            )
        card = self.card()
        write_tensors(self.root / CHECKPOINT_NAME, state.tensors(), card)
        save_generator(self.root / GENERATOR_NAME, state.average, card)
        self._saved_at, self._saved_step = time.monotonic(), state.step

    def load(self) -> None:
        """Go on from the checkpoint."""
        tensors, card = read_tensors(self.root / CHECKPOINT_NAME)
        config = self.state.config.as_dict()
        theirs = dict(card.get("config", {}))
        if not config["progressive"]:  # where nothing grows, a training may be made longer
            theirs["steps"] = config["steps"]
        if different := [key for key in config if config[key] != theirs.get(key)]:
            key = different[0]
            raise ArtifactError(
                f"the training in {str(self.root)!r} has {key}={theirs.get(key)}, not {config[key]}; name another folder, "
                "or repeat the options that it was begun with"
            )
        if card["data"]["sha256"] != self.facts["sha256"]:
            raise ArtifactError(f"the training in {str(self.root)!r} was begun with other images; name another folder")
        self.facts = card["data"]
        self.state.restore(tensors, int(card["step"]))
        self._saved_step = self.state.step
        self.name, self.licence = self.name or card["name"], self.licence or card["licence"]
        if card["threads"] != torch.get_num_threads():
            self._warnings.append(
                f"begun on {card['threads']} threads and continued on {torch.get_num_threads()}: the weights will differ "
                "in their last bits from those of one run"
            )

    def card(self) -> dict[str, Any]:
        """Describe the generator."""
        state, phase = self.state, self.state.phase
        config = state.config
        kind = "progan" if config.progressive and config.loss == "wgan-gp" else config.loss
        return {
            "name": self.name or f"{kind}-{config.upsampling}",
            "licence": self.licence or "that of the images it was trained on",
            "config": config.as_dict(),
            "critic_steps": state.critic_steps,
            "learning_rate": config.learning_rate or state.settings.learning_rate,
            "step": state.step,
            "resolution": phase.resolution,
            "alpha": phase.alpha,
            "data": self.facts,
            "threads": torch.get_num_threads(),
            "device": state.device.type,
            "versions": {name: version(name) for name in ("spectell", "torch", "numpy", "Pillow")},
        }

    def notes(self) -> tuple[str, ...]:
        """Say what was left out, and what else a person should know."""
        reasons = {
            "too_small": f"with a shorter side below {2 * self.state.config.size} pixels, twice the size",
            "unreadable": "unreadable",
            "duplicates": "the same as another",
        }
        left_out = [f"{self.facts[key]:,} {text}" for key, text in reasons.items() if self.facts.get(key)]
        return (*([f"left out images: {'; '.join(left_out)}"] if left_out else []), *self._warnings)

    def _sample(self) -> float:
        """Write a grid of images, and measure how far such images are from real ones."""
        state = self.state
        phase = state.phase
        made = render(state.average, phase, 0, 0, max(_MEASURED, _GRID**2))
        write_png(self.root / f"samples-{state.step:06}.png", as_grid(made[: _GRID**2], _GRID))
        chosen = np.random.default_rng(0).permutation(len(self.packed.images))[:_MEASURED]
        real = np.asarray(self.packed.images[np.sort(chosen)])
        factor = state.config.size // phase.resolution
        made = made[: len(real)].repeat(factor, axis=1).repeat(factor, axis=2)
        return sliced_wasserstein(real, made)


def _check_device(device: str) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ParameterError(f"device {device!r} cannot be used: {reason}; use cpu") from error


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
