"""A network with all that changes while it is trained, and its file. Importing this module imports torch.

Invariant: what a step does follows from these tensors, the settings, the data and the numbers of epoch and batch alone,
so that a state which was written and read again goes on bit for bit.
"""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import torch
from torch import nn

from spectell.detectors.container import MAX_MODEL_BYTES, read_container, write_container
from spectell.detectors.parts import Float64Array, prefixed, under
from spectell.errors import ArtifactError

__all__ = ["TrainingState", "read_any_checkpoint", "read_checkpoint"]

_CARD_KEY = "spectell.checkpoint"

MAX_CHECKPOINT_BYTES = 5 * MAX_MODEL_BYTES
"""Weights, the best weights, and two moments a weight."""

Arrays = dict[str, np.ndarray[Any, Any]]


class TrainingState:
    """Weights, the best of them, the optimiser, and the place in the run.

    Parameters
    ----------
    network : nn.Sequential
        On its device.
    learning_rate : float
        Of Adam.

    Attributes
    ----------
    epoch, batch : int
        Epochs finished, and batches of the next one.
    losses : list of float
        Validation loss after each epoch, in nats.
    best_epoch : int
        With the smallest of them, from 1; 0 before the first.
    """

    def __init__(self, network: nn.Sequential, learning_rate: float) -> None:
        self.network = network
        self.optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
        self.epoch = self.batch = self.best_epoch = 0
        self.losses: list[float] = []
        self.best = self._weights()

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: value.detach().clone() for name, value in self.network.state_dict().items()}

    @property
    def waited(self) -> int:
        """Epochs since the best one."""
        return self.epoch - self.best_epoch

    def end_epoch(self, loss: float) -> None:
        """Count an epoch, and keep its weights if they are the best."""
        self.epoch, self.batch = self.epoch + 1, 0
        self.losses.append(loss)
        if not self.best_epoch or loss < self.losses[self.best_epoch - 1]:
            self.best_epoch, self.best = self.epoch, self._weights()

    def take_best(self) -> None:
        """Go back to the best weights."""
        self.network.load_state_dict(self.best)

    def write(self, path: str | os.PathLike[str], key: str, statistics: tuple[Float64Array, Float64Array]) -> None:
        """Write everything to a file, whole or not at all.

        Raises
        ------
        ArtifactError
            If the file cannot be written; an older one stays.
        """
        arrays = prefixed("network", _arrays(self.network.state_dict())) | prefixed("best", _arrays(self.best))
        for index, slots in self.optimiser.state_dict()["state"].items():
            arrays |= prefixed(f"adam.{index}", _arrays(slots))
        arrays |= {"features.mean": statistics[0], "features.scale": statistics[1]}
        card = {name: getattr(self, name) for name in ("epoch", "batch", "best_epoch", "losses")}
        text = json.dumps({"key": key, **card}, allow_nan=False)
        write_container(path, arrays, {_CARD_KEY: text}, max_bytes=MAX_CHECKPOINT_BYTES)

    def restore(self, arrays: Arrays, card: dict[str, Any]) -> None:
        """Take back what `write` wrote.

        Raises
        ------
        ArtifactError
            If it is not that of such a network.
        """
        try:
            self.network.load_state_dict(self._like(under("network", arrays)))
            self.best = self._like(under("best", arrays))
            slots: dict[int, dict[str, torch.Tensor]] = {}
            for name, array in under("adam", arrays).items():
                index, _, slot = name.partition(".")
                slots.setdefault(int(index), {})[slot] = torch.from_numpy(array.copy())
                if slot == "step":
                    slots[int(index)][slot] = slots[int(index)][slot].reshape(())
            groups = self.optimiser.state_dict()["param_groups"]
            self.optimiser.load_state_dict({"state": slots, "param_groups": groups})
            self.epoch, self.batch = int(card["epoch"]), int(card["batch"])
            self.best_epoch, self.losses = int(card["best_epoch"]), [float(loss) for loss in card["losses"]]
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise ArtifactError(
                f"the checkpoint does not fit this training: {reason}; delete it to train anew"
            ) from error

    def _like(self, arrays: Arrays) -> dict[str, torch.Tensor]:
        """Return arrays as tensors with the shapes of the network's; a file keeps no array without an axis."""
        return {
            name: torch.from_numpy(arrays[name].copy()).reshape(value.shape).to(value.device)
            for name, value in self.network.state_dict().items()
        }


def _arrays(tensors: dict[str, torch.Tensor]) -> Arrays:
    return {name: value.detach().cpu().numpy() for name, value in tensors.items()}


def read_checkpoint(path: str | os.PathLike[str], key: str) -> tuple[Arrays, dict[str, Any]]:
    """Read a checkpoint of the same run.

    Parameters
    ----------
    path : path
    key : str
        What the run depends on.

    Raises
    ------
    ArtifactError
        If the file is missing or damaged, or of another run.
    """
    arrays, card = read_any_checkpoint(path)
    if card["key"] != key:
        raise ArtifactError(
            f"the checkpoint {os.fspath(path)} is of a training with other images or settings; delete it to train "
            "anew, or choose another name for the model"
        )
    return arrays, card


def read_any_checkpoint(path: str | os.PathLike[str]) -> tuple[Arrays, dict[str, Any]]:
    """Read a checkpoint of whatever run; its card has a ``key``.

    Raises
    ------
    ArtifactError
        If the file is missing or damaged, or something else.
    """
    remedy = "delete it to train anew, or choose another name for the model"
    try:
        arrays, metadata = read_container(path, max_bytes=MAX_CHECKPOINT_BYTES)
    except ArtifactError as error:
        raise ArtifactError(f"the checkpoint cannot be used: {error}; {remedy}") from error
    try:
        card = json.loads(metadata[_CARD_KEY])
        _ = card["key"]
    except (KeyError, ValueError, TypeError, RecursionError):
        raise ArtifactError(f"{os.fspath(path)} is not a checkpoint of a network; {remedy}") from None
    return arrays, card
