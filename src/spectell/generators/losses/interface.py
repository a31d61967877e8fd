"""What every loss offers, and the gradient penalty that two of them share. Importing this module imports torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch

__all__ = ["Critic", "LossFunction", "Settings", "gradient_penalty", "lengths"]

Critic = Callable[[torch.Tensor], torch.Tensor]
"""From images (N, 3, H, W) in [-1, 1] to outputs (N, K)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a loss is trained.

    Parameters
    ----------
    learning_rate : float > 0
        Of both Adam optimisers.
    betas : tuple of two floats in [0, 1)
        Of both Adam optimisers.
    critic_steps : int > 0
        Updates of the critic for each of the generator.
    """

    learning_rate: float
    betas: tuple[float, float]
    critic_steps: int


class LossFunction(ABC):
    """A pair of losses, for the critic and for the generator, and the settings that were published with them.

    Attributes
    ----------
    outputs : int > 0
        K, how many numbers the critic returns for an image.
    spectral_norm : bool
        Whether the critic's weights are divided by their largest singular value.
    settings : Settings
    """

    outputs: ClassVar[int] = 1
    spectral_norm: ClassVar[bool] = False
    settings: ClassVar[Settings]

    @abstractmethod
    def critic_loss(
        self, critic: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return what the critic minimises.

        Parameters
        ----------
        critic : callable
            From images (N, 3, H, W) to outputs (N, K).
        real, fake : tensor of shape (N, 3, H, W)
            In [-1, 1]; N at least 2. No gradient is needed for them.
        mix : tensor of shape (N, 1, 1, 1), in [0, 1], optional
            Where between fake (0) and real (1) the gradient is penalised, for the losses that do so; drawn uniformly.

        Returns
        -------
        loss : tensor of shape ()
        """

    @abstractmethod
    def generator_loss(self, critic: Critic, real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        """Return what the generator minimises; `fake` carries its gradient. Parameters as for `critic_loss`."""


def gradient_penalty(function: Critic, real: torch.Tensor, fake: torch.Tensor, mix: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of the gradient's length from 1, between real and generated images.

    penalty = mean over n of (|| d function / d x at mix[n] real[n] + (1 - mix[n]) fake[n] || - 1)**2

    Parameters
    ----------
    function : callable
        From images (N, 3, H, W) to N numbers, each of which depends on its own image only.
    real, fake : tensor of shape (N, 3, H, W)
    mix : tensor of shape (N, 1, 1, 1), in [0, 1]

    Returns
    -------
    penalty : tensor of shape ()
        Differentiable with respect to the parameters of `function`.

    References
    ----------
    .. [1] Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville (2017). Improved training of Wasserstein GANs. NIPS.
       :arxiv:`1704.00028`

    Examples
    --------
    >>> x = torch.zeros(2, 1, 1, 2)
    >>> float(gradient_penalty(lambda x: 3 * x[..., 0] + 4 * x[..., 1], x, x, torch.zeros(2, 1, 1, 1)))
    16.0
    """
    between = torch.lerp(fake.detach(), real, mix).requires_grad_(True)
    (gradient,) = torch.autograd.grad(function(between).sum(), between, create_graph=True)
    return (lengths(gradient.flatten(1)) - 1).square().mean()


def lengths(rows: torch.Tensor) -> torch.Tensor:
    """Euclidean length of each row (N, K), with a gradient of zero instead of NaN where a row is zero.

    Examples
    --------
    >>> lengths(torch.tensor([[3.0, 4.0], [0.0, 0.0]])).round(decimals=5).tolist()
    [5.0, 0.0]
    """
    return (rows.square().sum(dim=1) + 1e-12).sqrt()
