"""The networks of a training with all that changes in them, and one step of it.

Invariant: a step is a function of the state's tensors, the configuration, the images and the step's number. Nothing
else is remembered, so a state that was written to a file and read back goes on bit for bit. Importing this module
imports torch.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from spectell.errors import ArtifactError, MismatchError
from spectell.generators.draws import batch_rows, step_generator
from spectell.generators.gan import LATENTS, Critic, Generator
from spectell.generators.growing import Phase, growing_phase
from spectell.generators.losses import Settings, make_loss
from spectell.generators.tensors import as_device, as_tensor
from spectell.generators.training_config import GeneratorConfig

__all__ = ["TrainingState"]

_DECAY = 0.999
"""Of the exponential average of the weights, once it has run for some thousands of steps."""

PixelArray = npt.NDArray[np.uint8]


class TrainingState:
    """Generator, its average, critic and both optimisers.

    Parameters
    ----------
    config : GeneratorConfig
    device : torch.device or str
        On a GPU the networks run in bfloat16 where that is safe, and with channels last.

    Attributes
    ----------
    step : int
        Steps taken.

    Raises
    ------
    ParameterError
        If the configuration names an unknown loss or up-sampling.
    """

    def __init__(self, config: GeneratorConfig, device: torch.device | str = "cpu") -> None:
        self.config = config
        self.device = as_device(device)
        self.step = 0
        self.loss = make_loss(config.loss, progressive=config.progressive)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.generator = Generator(
                config.size,
                config.upsampling,
                config.channels,
                progressive=config.progressive,
                smoothing=config.smoothing,
            )
            self.critic = Critic(
                config.size,
                config.channels,
                outputs=self.loss.outputs,
                spectrally_normalised=self.loss.spectral_norm,
                progressive=config.progressive,
            )
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        for network in (self.generator, self.critic, self.average):
            network.to(self.device)
            if self.device.type == "cuda":
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from its annotations
        rate, betas = config.learning_rate or self.settings.learning_rate, self.settings.betas
        self._optimisers = {
            "generator": torch.optim.Adam(self.generator.parameters(), lr=rate, betas=betas),
            "critic": torch.optim.Adam(self.critic.parameters(), lr=rate, betas=betas),
        }

    @property
    def settings(self) -> Settings:
        """What was published with the loss."""
        return self.loss.settings

    @property
    def critic_steps(self) -> int:
        """Updates of the critic in a step."""
        return self.config.critic_steps or self.settings.critic_steps

    @property
    def phase(self) -> Phase:
        """Resolution and fade-in of the next step, or of the last one where there is no next."""
        if not self.config.progressive:
            return Phase(self.config.size, 1.0)
        return growing_phase(self.step, self.config.steps, self.config.size)

    def advance(self, images: PixelArray) -> dict[str, float]:
        """Take one step: the critic's updates, the generator's, and the average's.

        Parameters
        ----------
        images : ndarray of shape (N, size, size, 3), uint8
            The training images; a few rows are read.

        Returns
        -------
        losses : dict
            ``critic_loss`` and ``generator_loss``.

        Raises
        ------
        MismatchError
            If a loss is not finite; the step is not counted then.
        """
        phase = self.phase
        real = fake = torch.empty(0)
        losses = {}
        for update in range(self.critic_steps):
            rng = step_generator(self.config.seed, self.step, update)
            real, fake = self._real(images, update, rng, phase), self._fake(rng, phase)
            mix = torch.from_numpy(rng.random((self.config.batch, 1, 1, 1), dtype=np.float32)).to(self.device)
            loss = self.loss.critic_loss(self._critic(phase), real, fake.detach(), mix)
            losses["critic_loss"] = self._update("critic", loss)
        # The generator learns from the images that the critic saw last, which saves making others.
        self.critic.requires_grad_(False)
        loss = self.loss.generator_loss(self._critic(phase), real, fake)
        if self.config.spectral:
            from spectell.generators.spectral_loss import spectral_loss

            loss = loss + self.config.spectral * spectral_loss(real, fake)
        losses["generator_loss"] = self._update("generator", loss)
        self.critic.requires_grad_(True)
        self.step += 1
        self._follow()
        return losses

    def tensors(self) -> dict[str, torch.Tensor]:
        """Copy everything that a step changes but its number, by name."""
        found = {
            f"{name}.{key}": value
            for name, network in self._networks().items()
            for key, value in network.state_dict().items()
        }
        for name, optimiser in self._optimisers.items():
            for index, slots in optimiser.state_dict()["state"].items():
                found |= {f"adam.{name}.{index}.{slot}": value for slot, value in slots.items()}
        return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in found.items()}

    def restore(self, tensors: dict[str, torch.Tensor], step: int) -> None:
        """Take back what `tensors` returned.

        Raises
        ------
        ArtifactError
            If they are those of other networks.
        """
        try:
            for name, network in self._networks().items():
                network.load_state_dict(_below(tensors, f"{name}."))
            for name, optimiser in self._optimisers.items():
                state: dict[int, dict[str, torch.Tensor]] = {}
                for key, value in _below(tensors, f"adam.{name}.").items():
                    index, _, slot = key.partition(".")
                    state.setdefault(int(index), {})[slot] = value
                optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
        except (RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[-1].strip()
            raise ArtifactError(f"the checkpoint does not fit this training: {reason}; start anew") from error
        self.step = step

    def is_finite(self) -> bool:
        """Whether no weight is NaN or infinite."""
        return all(
            bool(value.isfinite().all()) for network in self._networks().values() for value in network.parameters()
        )

    def _networks(self) -> dict[str, nn.Module]:
        return {"generator": self.generator, "average": self.average, "critic": self.critic}

    def _critic(self, phase: Phase) -> Any:
        def judge(images: torch.Tensor) -> torch.Tensor:
            with self._precision():
                outputs: torch.Tensor = self.critic(images, phase.alpha)
            return outputs.float()

        return judge

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda")

    def _fake(self, rng: np.random.Generator, phase: Phase) -> torch.Tensor:
        latents = torch.from_numpy(rng.standard_normal((self.config.batch, LATENTS), dtype=np.float32))
        with self._precision():
            images: torch.Tensor = self.generator(latents.to(self.device), phase.resolution, phase.alpha)
        return images.float()

    def _real(self, images: PixelArray, update: int, rng: np.random.Generator, phase: Phase) -> torch.Tensor:
        """Return the next batch, half of it mirrored; where networks grow, at their resolution."""
        n = self.config.batch
        position = (self.step * self.critic_steps + update) * n
        pixels = np.asarray(images[batch_rows(self.config.seed, position, n, len(images))])
        mirrored = rng.random(n) < 0.5
        pixels[mirrored] = pixels[mirrored, :, ::-1]
        real = as_tensor(pixels).to(self.device).mul_(2).sub_(1)
        if phase.resolution < self.config.size:
            real = nn.functional.avg_pool2d(real, self.config.size // phase.resolution)
        if phase.alpha < 1:
            coarse = nn.functional.interpolate(nn.functional.avg_pool2d(real, 2), scale_factor=2, mode="nearest")
            real = torch.lerp(coarse, real, phase.alpha)
        return real

    def _update(self, name: str, loss: torch.Tensor) -> float:
        value = loss.item()
        if not math.isfinite(value):
            raise MismatchError(
                f"the training diverged at step {self.step + 1:,}: the loss of the {name} is {value}; the last "
                "checkpoint was kept; start anew with a smaller learning rate or another seed"
            )
        optimiser = self._optimisers[name]
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimiser.step()
        return value

    def _follow(self) -> None:
        """Move the average toward the generator; at first quickly, so that it forgets the random start."""
        share = 1 - min(_DECAY, self.step / (self.step + 10))
        with torch.no_grad():
            for kept, new in zip(self.average.state_dict().values(), self.generator.state_dict().values(), strict=True):
                if kept.is_floating_point():
                    kept.lerp_(new, share)
                else:
                    kept.copy_(new)


def _below(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
