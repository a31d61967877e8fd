"""Epochs: batches in a drawn order, the loss on the validation images, the best weights. Importing it imports torch.

Order, tiles and dropout are drawn from the seed and the number of the epoch or batch, never from what was drawn before.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from spectell.detectors.network_plan import Convolution, Layer
from spectell.detectors.networks.feed import Feed
from spectell.detectors.networks.input_layer import InputLayer, feature_statistics
from spectell.detectors.networks.modules import make_network
from spectell.detectors.networks.state import TrainingState, read_checkpoint
from spectell.detectors.parts import Float64Array
from spectell.detectors.tiles import Tiles
from spectell.errors import MismatchError

__all__ = ["CHECKPOINT_SECONDS", "Labelled", "Settings", "Training", "mean_loss"]

CHECKPOINT_SECONDS = 120.0
"""Between checkpoints within an epoch; there is one after every epoch anyway."""

Progress = Callable[[str, int, int], object]
Codes = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training is asked for; see `spectell.detectors.networks.base.NetworkDetector`."""

    architecture: str
    offset: float | None
    epochs: int
    batch: int
    learning_rate: float
    patience: int
    l2: float
    seed: int
    device: str


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Tiles, and the class of each image, 0 to K - 1."""

    tiles: Tiles
    codes: Codes


class Training:
    """One run.

    Parameters
    ----------
    layers : tuple of Layer
    settings : Settings
    train, validation : Labelled
    class_weights : ndarray of shape (K,)
        Of the loss of an image, by its class.

    Raises
    ------
    MismatchError
        If the device cannot be used.
    """

    def __init__(
        self,
        layers: tuple[Layer, ...],
        settings: Settings,
        train: Labelled,
        validation: Labelled,
        class_weights: Float64Array,
    ) -> None:
        self._settings, self._train, self._validation, self._weights = settings, train, validation, class_weights
        device = find_device(settings.device)
        self._feed, self._held_out = Feed(train.tiles, device), Feed(validation.tiles, device)
        network = make_network(layers, seed=settings.seed).to(device)
        self._has_planes = any(isinstance(layer, Convolution) for layer in layers)
        if self._has_planes:
            network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from its annotations
        self.state = TrainingState(network, settings.learning_rate)
        self._input = InputLayer(train.tiles.size, settings.offset).to(device)
        self._codes = torch.from_numpy(train.codes).to(device)
        self._device_weights = torch.from_numpy(class_weights.astype(np.float32)).to(device)
        self.key = self._key()

    def _key(self) -> str:
        """Hash what the course of the training depends on; how many epochs it may take is not among it."""
        asked = {name: value for name, value in asdict(self._settings).items() if name not in ("epochs", "device")}
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
        for part in (self._train, self._validation):
            for array in (part.codes, part.tiles.owners, part.tiles.places):
                digest.update(np.ascontiguousarray(array, np.int64).data)
            seen = np.unique(np.linspace(0, len(part.tiles.places) - 1, 64).astype(np.intp))
            digest.update(np.ascontiguousarray(part.tiles.pixels[part.tiles.places[seen]]).data)
        return digest.hexdigest()[:32]

    def run(
        self, checkpoint: str | os.PathLike[str] | None, *, resume: bool, on_progress: Progress
    ) -> tuple[Float64Array, Float64Array]:
        """Train to the end and go back to the best weights; return mean and scale of the features.

        Raises
        ------
        MismatchError
            If the loss is not finite; the last checkpoint stays.
        ArtifactError
            If the checkpoint cannot be read or written, or is of another run.
        """
        with _determinism(self._device_weights.device):
            statistics = self._begin(checkpoint if resume else None)
            self._input.standardise(*statistics)
            with torch.random.fork_rng():
                while self.state.epoch < self._settings.epochs and not self.is_over:
                    self._epoch(checkpoint, statistics, on_progress)
            self.state.take_best()
            return statistics

    @property
    def is_over(self) -> bool:
        """Whether the loss has not fallen for so long that no epoch will follow, however many are asked for."""
        return self.state.best_epoch > 0 and self.state.waited >= self._settings.patience

    def _begin(self, checkpoint: str | os.PathLike[str] | None) -> tuple[Float64Array, Float64Array]:
        """Go back to the checkpoint, if there is one, or look at the features for the first time."""
        if checkpoint is not None and os.path.exists(checkpoint):  # noqa: PTH110 - may be text
            arrays, card = read_checkpoint(checkpoint, self.key)
            self.state.restore(arrays, card)
            return np.array(arrays["features.mean"]), np.array(arrays["features.scale"])
        if self._settings.offset is None:  # pixel values are between -1 and 1 as they are
            n_features = 3 * self._train.tiles.size**2
            return np.zeros(n_features), np.ones(n_features)
        with torch.no_grad():
            return feature_statistics(self._input, self._feed)

    def _epoch(
        self,
        checkpoint: str | os.PathLike[str] | None,
        statistics: tuple[Float64Array, Float64Array],
        on_progress: Progress,
    ) -> None:
        state, size = self.state, self._settings.batch
        order = self._train.tiles.draw(np.random.default_rng([self._settings.seed, state.epoch]))
        n_batches = math.ceil(len(order) / size)
        saved = time.monotonic()
        state.network.train()
        while state.batch < n_batches:
            self._step(order[state.batch * size : (state.batch + 1) * size])
            state.batch += 1
            on_progress("training", state.epoch * n_batches + state.batch, self._settings.epochs * n_batches)
            if checkpoint is not None and time.monotonic() - saved > CHECKPOINT_SECONDS:
                state.write(checkpoint, self.key, statistics)
                saved = time.monotonic()
        loss = mean_loss(self._held_out_outputs(), self._validation.codes, self._weights)
        state.end_epoch(self._finite(loss, "validation "))
        if checkpoint is not None:
            state.write(checkpoint, self.key, statistics)

    def _step(self, chosen: Codes) -> None:
        torch.manual_seed(_mixed(self._settings.seed, self.state.epoch, self.state.batch))
        network = self.state.network
        codes = self._codes[torch.from_numpy(self._train.tiles.owners[chosen]).to(self._codes.device)]
        with torch.no_grad():
            features = self._features(self._feed.take(chosen))
        losses = _losses(network(features), codes) * self._device_weights[codes]
        loss = losses.mean()
        self._finite(loss.item(), "")
        if self._settings.l2:
            loss = loss + self._settings.l2 * _first_dense(network).weight.square().sum()
        self.state.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.state.optimiser.step()

    def _features(self, pixels: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self._input(pixels)
        return features.contiguous(memory_format=torch.channels_last) if self._has_planes else features

    def _finite(self, loss: float, kind: str) -> float:
        if math.isfinite(loss):
            return loss
        raise MismatchError(
            f"the training diverged in epoch {self.state.epoch + 1}: the {kind}loss is {loss}; the last checkpoint was "
            "kept; train anew with a smaller learning rate or another seed"
        )

    def _held_out_outputs(self) -> Float64Array:
        """Return the outputs of the validation images, means over their tiles, shape (n, outputs)."""
        self.state.network.eval()
        with torch.no_grad():
            parts = [self.state.network(self._features(pixels)).double().cpu().numpy() for pixels in self._held_out]
        outputs, owners = np.concatenate(parts), self._validation.tiles.owners
        sums = np.zeros((self._validation.tiles.n_images, outputs.shape[1]))
        np.add.at(sums, owners, outputs)
        return np.asarray(sums / np.bincount(owners)[:, np.newaxis])


def mean_loss(outputs: Float64Array, codes: Codes, class_weights: Float64Array) -> float:
    """Mean log loss, in nats, all images of a class weighing the same.

    Parameters
    ----------
    outputs : ndarray of shape (n, 1) or (n, K)
        Log-odds of the second class, or one number a class.
    codes : ndarray of shape (n,)
    class_weights : ndarray of shape (K,)

    Examples
    --------
    >>> round(mean_loss(np.zeros((4, 1)), np.array([0, 1, 1, 1]), np.array([2.0, 2 / 3])), 4)
    0.6931
    """
    scores = np.hstack([np.zeros_like(outputs), outputs]) if outputs.shape[1] == 1 else outputs
    losses = np.logaddexp.reduce(scores, axis=1) - scores[np.arange(len(codes)), codes]
    weights = class_weights[codes]
    return float(weights @ losses / weights.sum())


def _losses(outputs: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Log loss of each image, in nats."""
    if outputs.shape[1] == 1:
        target = codes.to(outputs.dtype)
        return nn.functional.binary_cross_entropy_with_logits(outputs[:, 0], target, reduction="none")
    return nn.functional.cross_entropy(outputs, codes, reduction="none")


def _first_dense(network: nn.Sequential) -> nn.Linear:
    return next(module for module in network if isinstance(module, nn.Linear))


def _mixed(*numbers: int) -> int:
    """Return one seed of 63 bits for some whole numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def find_device(name: str) -> torch.device:
    """Return a device by the name that torch has for it.

    Raises
    ------
    MismatchError
        If it is not there.
    """
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise MismatchError(f"device {name!r} cannot be used: {reason}; use cpu") from error
    return torch.device(name)


@contextmanager
def _determinism(device: torch.device) -> Iterator[None]:
    """Deterministic algorithms for the block only; on a GPU where there are any."""
    before, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=device.type != "cpu")
    memory.fill_uninitialized_memory = False  # it is for debugging, and slow
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
        memory.fill_uninitialized_memory = filled
