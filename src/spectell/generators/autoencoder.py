"""A tiny autoencoder whose reconstructions carry the traces of a diffusion model's decoder.

An image and its reconstruction differ in little but what the decoder's up-sampling leaves, so the pair trains a
detector that cannot cheat by content, size or file format. The numbers of the layers in the containers are the names
of the weights in the files: they must not change. Importing this module imports torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from spectell.errors import ParameterError
from spectell.generators.tensors import BATCH_SIZE, PixelArray, load_weights, run_in_batches

if TYPE_CHECKING:
    import os

__all__ = ["LATENT_CHANNELS", "TAEF2", "Block", "SoftClamp", "build_decoder", "build_encoder", "load_taef2"]

LATENT_CHANNELS = 32
_WIDTH = 64
_STRIDE = 8
"""Three stages of factor two: the sides of an image must be multiples of this."""


class SoftClamp(nn.Module):
    """Bend values smoothly into (-3, 3), which hardly changes those near zero."""

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """Return ``3 tanh(latents / 3)``."""
        return torch.tanh(latents / 3) * 3


class Block(nn.Module):
    """Residual block of three convolutions, optionally with statistics of the whole image mixed in first.

    Parameters
    ----------
    mixes : bool
        Whether the input x is first replaced by x + p(x), where p normalises groups of channels over the whole image.
        The convolutions and the skip connection both see the sum.
    """

    def __init__(self, *, mixes: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential(_conv(), nn.ReLU(), _conv(), nn.ReLU(), _conv())
        self.pool = nn.Sequential(*_mixing_layers()) if mixes else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a batch of the same shape as `x`, (N, 64, H, W)."""
        if self.pool is not None:
            x = x + self.pool(x)
        return torch.relu(self.conv(x) + x)


def build_encoder() -> nn.Sequential:
    """Network from RGB (N, 3, H, W) in [0, 1] to latents (N, 32, H / 8, W / 8); H and W multiples of 8."""
    stages: list[nn.Module] = [_conv(inputs=3), Block()]
    for mixes in (False, False, True):
        stages += [_conv(stride=2, bias=False), *(Block(mixes=mixes) for _ in range(3))]
    return nn.Sequential(*stages, _conv(outputs=LATENT_CHANNELS))


def build_decoder() -> nn.Sequential:
    """Network from latents (N, 32, h, w) to RGB (N, 3, 8 h, 8 w), nominally in [0, 1] but not clamped."""
    stages: list[nn.Module] = [SoftClamp(), _conv(inputs=LATENT_CHANNELS), nn.ReLU()]
    for mixes in (True, False, False):
        stages += [*(Block(mixes=mixes) for _ in range(3)), nn.Upsample(scale_factor=2), _conv(bias=False)]
    return nn.Sequential(*stages, Block(), _conv(outputs=3))


class TAEF2:
    """The tiny autoencoder for the latent space of FLUX.2 [1]_.

    Parameters
    ----------
    encoder, decoder : torch.nn.Module
        Networks as built by `build_encoder` and `build_decoder`, in evaluation mode.

    See Also
    --------
    load_taef2 : Builds it from files of weights.

    References
    ----------
    .. [1] O. Bohan, taesd: tiny autoencoders for the latent spaces of diffusion models.
       https://github.com/madebyollin/taesd
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        self.encoder = encoder
        self.decoder = decoder

    def reconstruct(self, images: npt.ArrayLike, *, batch_size: int = BATCH_SIZE) -> PixelArray:
        """Encode and decode images.

        Parameters
        ----------
        images : array_like of shape (N, H, W, 3), uint8
            RGB images. Rows and columns beyond the last multiple of 8 are cut off, at the bottom and the right.
        batch_size : int > 0
            Images that pass through the networks together; does not change the result beyond rounding.

        Returns
        -------
        reconstructions : ndarray of shape (N, H - H % 8, W - W % 8, 3), uint8

        Raises
        ------
        ShapeError
            If `images` is not of shape (N, H, W, 3).
        ParameterError
            If `images` is empty, not uint8, or a side is shorter than 8 pixels.
        """
        pixels = np.asarray(images)
        if pixels.ndim == 4 and min(pixels.shape[1:3]) < _STRIDE:
            raise ParameterError(f"images must be at least {_STRIDE} pixels high and wide, got {pixels.shape[1:3]}")
        if pixels.ndim == 4:
            height, width = (size - size % _STRIDE for size in pixels.shape[1:3])
            pixels = pixels[:, :height, :width]
        return run_in_batches(lambda batch: self.decoder(self.encoder(batch)), pixels, batch_size=batch_size)


def load_taef2(encoder_path: str | os.PathLike[str], decoder_path: str | os.PathLike[str]) -> TAEF2:
    """Load the autoencoder from its two files of weights.

    Parameters
    ----------
    encoder_path, decoder_path : str or path-like
        Safetensors files ``taef2_encoder.safetensors`` and ``taef2_decoder.safetensors``; half precision is converted
        to float32.

    Returns
    -------
    autoencoder : TAEF2

    Raises
    ------
    ArtifactError
        If a file cannot be read or holds the weights of another network; the message names those that differ.
    """
    encoder, decoder = build_encoder(), build_decoder()
    load_weights(encoder, encoder_path, name="the TAEF2 encoder")
    load_weights(decoder, decoder_path, name="the TAEF2 decoder")
    return TAEF2(encoder, decoder)


def _conv(*, inputs: int = _WIDTH, outputs: int = _WIDTH, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, stride=stride, bias=bias)


def _mixing_layers() -> list[nn.Module]:
    wide = 4 * _WIDTH
    return [
        nn.Conv2d(_WIDTH, wide, 1, bias=False),
        nn.GroupNorm(4, wide),
        nn.ReLU(),
        nn.Conv2d(wide, _WIDTH, 1, bias=False),
    ]
