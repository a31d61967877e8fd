"""The state of a training of the small autoencoder: what a step changes, and a checkpoint holds.

Which images a step sees, and which of them mirrored, follows from the seed and the step alone, so a checkpoint holds
the weights, the optimiser and the number of the step. Importing this module imports torch.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from spectell.errors import ArtifactError
from spectell.generators.autoencoder_config import AutoencoderConfig
from spectell.generators.checkpoint import read_tensors, write_tensors
from spectell.generators.small_autoencoder import build_autoencoder
from spectell.generators.tensors import PixelArray, as_tensor

__all__ = ["AutoencoderState"]

_HELD_OUT = 20
"""One in so many images is held out of training, to measure the reconstruction on."""
_MOST_HELD_OUT = 256
_DIGESTED = 256


class AutoencoderState:
    """Network, optimiser and step of one training.

    Parameters
    ----------
    config : AutoencoderConfig
    images : ndarray of shape (N, S, S, 3), uint8
    device : torch.device

    Attributes
    ----------
    network : SmallAutoencoder
    step : int
        Steps that were taken.
    held_out, trained_on : ndarray of int
        Rows of `images`.
    """

    def __init__(self, config: AutoencoderConfig, images: PixelArray, device: torch.device) -> None:
        self.config, self.images, self.device, self.step = config, images, device, 0
        # The order is the seed's alone: every up-sampling sees the same images in the same steps.
        order = np.random.default_rng((config.seed, 0)).permutation(len(images))
        n_held_out = min(max(1, len(images) // _HELD_OUT), _MOST_HELD_OUT)
        self.held_out, self.trained_on = np.sort(order[:n_held_out]), np.sort(order[n_held_out:])
        self.network = build_autoencoder(config.upsampling, config.seed)
        self.network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=config.learning_rate)

    def advance(self) -> float:
        """Take one step and return its loss."""
        batch = as_tensor(self._batch()).to(self.device)
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.rate(self.step)
        self.optimiser.zero_grad(set_to_none=True)
        loss = _loss(self.network(batch), batch, self.config)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())

    def _batch(self) -> PixelArray:
        rng = np.random.default_rng((self.config.seed, 1, self.step))
        chosen = np.sort(rng.choice(self.trained_on, self.config.batch_size))
        pixels = np.array(self.images[chosen])
        mirrored = rng.random(len(pixels)) < 0.5
        pixels[mirrored] = pixels[mirrored, :, ::-1]
        return pixels

    def save(self, path: Path) -> None:
        """Write a checkpoint, which appears whole or not at all."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for index, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": value for name, value in state.items()}
        card = {"step": self.step, "identity": self._identity()}
        write_tensors(path, {name: value.detach().cpu().contiguous() for name, value in tensors.items()}, card)

    def restore(self, path: Path) -> None:
        """Go back to a checkpoint.

        Raises
        ------
        ArtifactError
            If it is damaged, or belongs to other settings or images.
        """
        tensors, card = read_tensors(path)
        if card.get("identity") != self._identity():
            raise ArtifactError(
                f"cannot resume from {str(path)!r}: it belongs to other settings or images; repeat those, or train "
                "into another folder"
            )
        self.step = int(card["step"])
        self.network.load_state_dict(_below("network.", tensors))
        states: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in _below("optimiser.", tensors).items():
            index, _, key = name.partition(".")
            states.setdefault(int(index), {})[key] = value
        whole = self.optimiser.state_dict()
        self.optimiser.load_state_dict({"state": states, "param_groups": whole["param_groups"]})

    def _identity(self) -> dict[str, Any]:
        settings = {**asdict(self.config), "shape": list(self.images.shape), "images": _digest(self.images)}
        return {key: value for key, value in settings.items() if not key.endswith("_every")}


def _loss(made: torch.Tensor, wanted: torch.Tensor, config: AutoencoderConfig) -> torch.Tensor:
    difference = made - wanted
    loss = difference.abs().mean() if config.loss == "l1" else difference.square().mean()
    if config.spectral:
        spectra = [torch.fft.rfft2(batch, norm="ortho").abs() for batch in (made, wanted)]
        loss = loss + config.spectral * (spectra[0] - spectra[1]).abs().mean()
    return loss


def _digest(images: npt.NDArray[np.uint8]) -> str:
    """Hash of a few hundred images spread over all of them: enough to notice that they are others."""
    chosen = np.unique(np.linspace(0, len(images) - 1, _DIGESTED).astype(int))
    return hashlib.blake2b(np.ascontiguousarray(images[chosen]).data, digest_size=16).hexdigest()


def _below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
