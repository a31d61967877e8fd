"""The tiny generators of the demonstration, as the torch module with which they are trained.

`spectell.generators.tiny.forward` computes the same in NumPy; a test holds the two together. Importing this module
imports torch.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from spectell.errors import ParameterError
from spectell.generators.tiny import LATENT_CHANNELS, UPSAMPLINGS

__all__ = ["Activation", "TinyNetwork"]

_WIDTHS = (40, 32, 24, 16)
"""Channels of the latent grid's first features and of the three stages."""


class Activation(nn.Module):
    """Leaky ReLU, then scale each pixel's channels to a mean square of one.

    The scaling needs no statistics of the batch and keeps a small GAN from running away.

    References
    ----------
    .. [1] Karras, Aila, Laine, Lehtinen (2018). Progressive growing of GANs for improved quality, stability, and
       variation. ICLR. :arxiv:`1710.10196`
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a batch of the same shape as `x`, (N, C, H, W)."""
        bent = nn.functional.leaky_relu(x, 0.2)
        return bent * torch.rsqrt(bent.square().mean(dim=1, keepdim=True) + 1e-6)


class TinyNetwork(nn.Module):
    """Generator from noise (N, 16, h, w) to RGB (N, 3, 8 h, 8 w) in [-1, 1].

    Parameters
    ----------
    upsampling : {"nearest", "transposed", "shuffle"}
        How each of the three stages doubles rows and columns.

    Raises
    ------
    ParameterError
        If `upsampling` is unknown.
    """

    def __init__(self, upsampling: str) -> None:
        super().__init__()
        if upsampling not in UPSAMPLINGS:
            raise ParameterError(f"unknown upsampling {upsampling!r}; choose one of {', '.join(UPSAMPLINGS)}")
        self.first = _conv(LATENT_CHANNELS, _WIDTHS[0])
        self.activation = Activation()
        self.stages = nn.ModuleList(
            nn.ModuleDict({"enlarge": _enlarging(upsampling, inputs, outputs), "refine": _conv(outputs, outputs)})
            for inputs, outputs in pairwise(_WIDTHS)
        )
        self.last = _conv(_WIDTHS[-1], 3)
        self.upsampling = upsampling

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """Make images from noise."""
        x = self.activation(self.first(latents))
        for stage in self.stages:
            assert isinstance(stage, nn.ModuleDict)  # noqa: S101  # ModuleList forgets the type of its elements
            if self.upsampling == "nearest":
                x = nn.functional.interpolate(x, scale_factor=2, mode="nearest")
            x = stage["enlarge"](x)
            if self.upsampling == "shuffle":
                x = nn.functional.pixel_shuffle(x, 2)
            x = self.activation(stage["refine"](self.activation(x)))
        return torch.tanh(self.last(x))


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _enlarging(upsampling: str, inputs: int, outputs: int) -> nn.Module:
    if upsampling == "transposed":
        return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1)
    return _conv(inputs, outputs if upsampling == "nearest" else 4 * outputs)
