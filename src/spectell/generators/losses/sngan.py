"""Spectral normalisation with the hinge loss (SNGAN). Importing this module imports torch."""

# ruff: noqa: ARG002 - one interface for all losses; not each uses every argument

from __future__ import annotations

from typing import ClassVar

import torch

from spectell.generators.losses.interface import Critic, LossFunction, Settings

__all__ = ["SNGANLoss"]


class SNGANLoss(LossFunction):
    """The hinge loss, for a critic whose weights are divided by their largest singular value.

    critic: E max(0, 1 - D(real)) + E max(0, 1 + D(fake)); generator: -E D(fake).

    The paper uses the standard loss and the hinge loss, which gave the better images.
    Of its settings of Adam this is C.

    References
    ----------
    .. [1] Miyato, Kataoka, Koyama, Yoshida (2018). Spectral normalization for generative adversarial networks. ICLR.
       :arxiv:`1802.05957`

    Examples
    --------
    >>> real, fake = torch.tensor([[0.5], [3.0]]), torch.tensor([[-0.25], [0.25]])
    >>> float(SNGANLoss().critic_loss(lambda outputs: outputs, real, fake))
    1.25
    """

    spectral_norm: ClassVar[bool] = True
    settings: ClassVar[Settings] = Settings(2e-4, (0.5, 0.999), 1)

    def critic_loss(
        self, critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Penalise outputs below 1 for real and above -1 for generated images."""
        return torch.relu(1 - critic(real)).mean() + torch.relu(1 + critic(fake)).mean()

    def generator_loss(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """Raise the outputs for generated images."""
        return -critic(fake).mean()
