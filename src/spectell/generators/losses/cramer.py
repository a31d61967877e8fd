"""The energy distance of what the critic sees (CramerGAN). Importing this module imports torch."""

from __future__ import annotations

from typing import ClassVar

import torch

from spectell.generators.losses.interface import Critic, LossFunction, Settings, gradient_penalty, lengths

__all__ = ["CramerLoss"]


class CramerLoss(LossFunction):
    """Energy distance in the space of a critic h with 256 outputs.

    With two independent generated samples g and g', and f(x) = || h(x) - h(g') || - || h(x) ||,

    critic: E f(g) - E f(real) + 10 penalty of f;
    generator: E || h(real) - h(g) || + E || h(real) - h(g') || - E || h(g) - h(g') ||.

    The second sample is the next one of the batch, which is as independent as another batch and costs nothing.

    References
    ----------
    .. [1] Bellemare et al. (2017). The Cramer distance as a solution to biased Wasserstein gradients.
       :arxiv:`1705.10743`
    """

    outputs: ClassVar[int] = 256
    settings: ClassVar[Settings] = Settings(1e-4, (0.5, 0.9), 5)
    penalty: ClassVar[float] = 10.0

    def critic_loss(
        self, critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Lower for a critic under which real images are farther from generated ones than these from each other."""
        on_real, on_fake = critic(real), critic(fake)
        other = on_fake.roll(1, dims=0)
        loss = _surrogate(on_fake, other).mean() - _surrogate(on_real, other).mean()
        if mix is None:
            return loss
        return loss + self.penalty * gradient_penalty(lambda x: _surrogate(critic(x), other), real, fake, mix)

    def generator_loss(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """Energy distance but for the part that no generator changes."""
        on_real, on_fake = critic(real), critic(fake)
        other = on_fake.roll(1, dims=0)
        return (lengths(on_real - on_fake) + lengths(on_real - other) - lengths(on_fake - other)).mean()


def _surrogate(outputs: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return lengths(outputs - other) - lengths(outputs)
