"""Maximum mean discrepancy with the repulsive loss (MMD-GAN). Importing this module imports torch."""

# ruff: noqa: ARG002 - one interface for all losses; not each uses every argument

from __future__ import annotations

from typing import ClassVar

import torch

from spectell.generators.losses.interface import Critic, LossFunction, Settings

__all__ = ["RepulsiveMMDLoss", "squared_distances"]

_LOWER, _UPPER = 0.25, 4.0
"""Squared distances beyond which the critic gains nothing: generated images nearer, real ones farther than this."""


class RepulsiveMMDLoss(LossFunction):
    """Gaussian kernel k between 16 outputs of a spectrally normalised critic, which spreads out the real images.

    critic: E k(real, real') - E k(fake, fake'); generator: E k(fake, fake') - 2 E k(real, fake) (the squared
    discrepancy but for the part that no generator changes). Pairs are those of different images.

    In the critic's loss, squared distances of real images are cut at 4 and those of generated ones at 1/4, the bounded
    kernel of the paper.

    References
    ----------
    .. [1] Wang, Sun, Halgamuge (2019). Improving MMD-GAN training with repulsive loss function. ICLR.
       :arxiv:`1812.09916`
    """

    outputs: ClassVar[int] = 16
    spectral_norm: ClassVar[bool] = True
    settings: ClassVar[Settings] = Settings(2e-4, (0.5, 0.999), 1)

    def critic_loss(
        self, critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Lower for a critic that draws generated images together and drives real ones apart."""
        apart, together = squared_distances(critic(real)), squared_distances(critic(fake))
        return _pair_mean(_gaussian(apart.clamp(max=_UPPER))) - _pair_mean(_gaussian(together.clamp(min=_LOWER)))

    def generator_loss(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """Squared discrepancy but for the real images' part."""
        on_real, on_fake = critic(real), critic(fake)
        among, across = squared_distances(on_fake), squared_distances(on_fake, on_real)
        return _pair_mean(_gaussian(among)) - 2 * _gaussian(across).mean()


def squared_distances(rows: torch.Tensor, others: torch.Tensor | None = None) -> torch.Tensor:
    """Squared Euclidean distances between the rows of (N, K) and those of (M, K), shape (N, M).

    Examples
    --------
    >>> squared_distances(torch.tensor([[0.0, 0.0], [3.0, 4.0]])).tolist()
    [[0.0, 25.0], [25.0, 0.0]]
    """
    others = rows if others is None else others
    return (rows.unsqueeze(1) - others.unsqueeze(0)).square().sum(dim=2)


def _gaussian(squared: torch.Tensor) -> torch.Tensor:
    return torch.exp(-squared / 2)


def _pair_mean(kernel: torch.Tensor) -> torch.Tensor:
    """Mean over the pairs of different rows."""
    n = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (n * (n - 1))
