"""The Wasserstein distance with a gradient penalty (WGAN-GP), and its variant for growing networks (ProGAN).

Importing this module imports torch.
"""

# ruff: noqa: ARG002 - one interface for all losses; not each uses every argument

from __future__ import annotations

from typing import ClassVar

import torch

from spectell.generators.losses.interface import Critic, LossFunction, Settings, gradient_penalty

__all__ = ["ProGANLoss", "WGANGPLoss"]


class WGANGPLoss(LossFunction):
    """Difference of the critic's means, whose gradient is held near length 1.

    critic: E D(fake) - E D(real) + 10 penalty; generator: -E D(fake).

    References
    ----------
    .. [1] Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville (2017). Improved training of Wasserstein GANs. NIPS.
       :arxiv:`1704.00028`
    """

    settings: ClassVar[Settings] = Settings(1e-4, (0.0, 0.9), 5)
    penalty: ClassVar[float] = 10.0
    drift: ClassVar[float] = 0.0
    """Weight of E D(real)**2, which keeps the critic's level from wandering."""

    def critic_loss(
        self, critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Lower for a critic that tells the two apart while its gradient has length 1."""
        on_real, on_fake = critic(real), critic(fake)
        loss = on_fake.mean() - on_real.mean() + self.drift * on_real.square().mean()
        return loss if mix is None else loss + self.penalty * gradient_penalty(critic, real, fake, mix)

    def generator_loss(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """Raise the outputs for generated images."""
        return -critic(fake).mean()


class ProGANLoss(WGANGPLoss):
    """`WGANGPLoss` with the settings that were published with progressive growing, but for the learning rate.

    The rate of 1e-3 was published with weights that are scaled at run time, by about 0.05 to 0.1 for the widths of
    these networks; for weights that are not, 2e-4 moves them as far.

    References
    ----------
    .. [1] Karras, Aila, Laine, Lehtinen (2018). Progressive growing of GANs for improved quality, stability, and
       variation. ICLR. :arxiv:`1710.10196`
    """

    settings: ClassVar[Settings] = Settings(2e-4, (0.0, 0.99), 1)
    drift: ClassVar[float] = 1e-3
