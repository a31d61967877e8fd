"""One run over the folder of a training: steps, and what is written between them. Imports torch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spectell.datasets.packed import Packed
from spectell.errors import ArtifactError, MismatchError
from spectell.generators.checkpoint import CHECKPOINT_NAME, read_tensors, write_tensors
from spectell.generators.sliced_wasserstein import sliced_wasserstein
from spectell.generators.trained import GENERATOR_NAME, render, save_generator
from spectell.generators.training_images import MIN_REDUCTION
from spectell.generators.training_log import TrainingLog, as_grid, write_png
from spectell.generators.training_state import TrainingState

__all__ = ["Schedule", "Session"]

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


class Session:
    """A training between two starts of the program.

    Parameters
    ----------
    root : Path
        Folder of the training.
    state : TrainingState
    packed : Packed
        The training images.
    facts : dict
        What `spectell.generators.training_images.prepare_images` says of them.
    timing : Schedule
    name, licence : str or None
        Of the generator; None for the default or what the checkpoint says.

    Attributes
    ----------
    seconds : float
        Time of the steps so far.
    """

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
        self.name = name
        self.licence = licence
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
            raise MismatchError(
                f"the training diverged at step {state.step:,}: a weight is not finite; the last checkpoint was kept; "
                "start anew with a smaller learning rate or another seed"
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
                f"the training in {str(self.root)!r} has {key}={theirs.get(key)}, not {config[key]}; repeat the "
                "options that it was begun with, or name another folder"
            )
        if card["data"]["sha256"] != self.facts["sha256"]:
            raise ArtifactError(f"the training in {str(self.root)!r} was begun with other images; name another folder")
        self.facts = card["data"]
        self.state.restore(tensors, int(card["step"]))
        self._saved_step = self.state.step
        self.name, self.licence = self.name or card["name"], self.licence or card["licence"]
        if card["threads"] != torch.get_num_threads():
            self._warnings.append(
                f"begun on {card['threads']} threads and continued on {torch.get_num_threads()}: the weights will not "
                "have the bits of a training in one run"
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
            "too_small": f"with a shorter side below {MIN_REDUCTION * self.state.config.size} pixels, twice the size",
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
