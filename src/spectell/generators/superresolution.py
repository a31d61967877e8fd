"""Super-resolution networks whose enlargements carry the traces of pixel shuffling.

A photograph that is shrunk and enlarged again by such a network has the content of the photograph and the high
frequencies of a GAN: a second kind of pair to train a detector on, beside the autoencoder's. The names of the layers
are those of the weights in the files: they must not change. Importing this module imports torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from safetensors import SafetensorError, safe_open
from torch import nn

from spectell.errors import ArtifactError, ParameterError, ShapeError
from spectell.generators.tensors import BATCH_SIZE, PixelArray, load_weights, run_in_batches

if TYPE_CHECKING:
    import os

__all__ = ["SRGAN", "ResidualBlock", "SRGANNetwork", "Upsampling", "load_srgan"]

_WIDTH = 64
_SCALES = (2, 4, 8)


class ResidualBlock(nn.Module):
    """Two normalised convolutions whose result is added to the input."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(_WIDTH)
        self.prelu = nn.PReLU()
        self.conv2 = nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(_WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a batch of the same shape as `x`, (N, 64, H, W)."""
        inner: torch.Tensor = self.bn2(self.conv2(self.prelu(self.bn1(self.conv1(x)))))
        return x + inner


class Upsampling(nn.Module):
    """Double both sides by moving four channels into the pixels of one (sub-pixel convolution)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(_WIDTH, 4 * _WIDTH, 3, padding=1)
        self.shuffle = nn.PixelShuffle(2)
        self.prelu = nn.PReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a batch of shape (N, 64, 2 H, 2 W)."""
        enlarged: torch.Tensor = self.prelu(self.shuffle(self.conv(x)))
        return enlarged


class SRGANNetwork(nn.Module):
    """Generator from RGB (N, 3, H, W) to RGB (N, 3, `scale` H, `scale` W), both in [0, 1].

    Parameters
    ----------
    scale : {2, 4, 8}
        The factor by which both sides grow.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv2d(3, _WIDTH, 9, padding=4), nn.PReLU())
        self.block2, self.block3, self.block4, self.block5, self.block6 = (ResidualBlock() for _ in range(5))
        self.block7 = nn.Sequential(nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1), nn.PReLU())
        doublings = scale.bit_length() - 1
        self.block8 = nn.Sequential(*(Upsampling() for _ in range(doublings)), nn.Conv2d(_WIDTH, 3, 9, padding=4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Enlarge a batch."""
        first = self.block1(x)
        inner = first
        for block in (self.block2, self.block3, self.block4, self.block5, self.block6, self.block7):
            inner = block(inner)
        enlarged: torch.Tensor = (torch.tanh(self.block8(first + inner)) + 1) / 2
        return enlarged


class SRGAN:
    """A super-resolution GAN [1]_ and the round trip that makes training pairs with it.

    Parameters
    ----------
    network : SRGANNetwork
        In evaluation mode.
    scale : {2, 4, 8}
        The factor of `network`.

    See Also
    --------
    load_srgan : Builds it from a file of weights.

    References
    ----------
    .. [1] Ledig et al. (2017). Photo-realistic single image super-resolution using a generative adversarial network.
       CVPR. :arxiv:`1609.04802`
    """

    def __init__(self, network: nn.Module, scale: int) -> None:
        self.network = network
        self.scale = scale

    def enlarge(self, images: npt.ArrayLike, *, batch_size: int = BATCH_SIZE) -> PixelArray:
        """Enlarge images by the factor `scale`.

        Parameters
        ----------
        images : array_like of shape (N, H, W, 3), uint8
            RGB images of any size.
        batch_size : int > 0
            Images that pass through the network together; does not change the result beyond rounding.

        Returns
        -------
        enlarged : ndarray of shape (N, scale H, scale W, 3), uint8

        Raises
        ------
        ShapeError
            If `images` is not of shape (N, H, W, 3).
        ParameterError
            If `images` is empty or not uint8.
        """
        return run_in_batches(self.network, images, batch_size=batch_size)

    def reconstruct(self, images: npt.ArrayLike, *, batch_size: int = BATCH_SIZE) -> PixelArray:
        """Shrink images by the factor `scale` with Pillow's bicubic filter, and enlarge them again.

        Parameters
        ----------
        images : array_like of shape (N, H, W, 3), uint8
            RGB images. Rows and columns beyond the last multiple of `scale` are cut off, at the bottom and the right.
        batch_size : int > 0
            Images that pass through the network together; does not change the result beyond rounding.

        Returns
        -------
        reconstructions : ndarray of shape (N, H - H % scale, W - W % scale, 3), uint8

        Raises
        ------
        ShapeError
            If `images` is not of shape (N, H, W, 3).
        ParameterError
            If `images` is empty, not uint8, or a side is shorter than `scale` pixels.
        """
        pixels = np.asarray(images)
        if pixels.ndim != 4 or pixels.shape[-1] != 3:
            raise ShapeError(f"images must have the shape (N, H, W, 3), got {pixels.shape}; stack them first")
        if pixels.dtype != np.uint8:
            raise ParameterError(f"images must be uint8 with values 0 to 255, got {pixels.dtype}")
        if not len(pixels) or min(pixels.shape[1:3]) < self.scale:
            raise ParameterError(f"images must be at least one and {self.scale} pixels a side, got {pixels.shape}")
        small = np.stack([_shrink(image, self.scale) for image in pixels])
        return self.enlarge(small, batch_size=batch_size)


def load_srgan(path: str | os.PathLike[str]) -> SRGAN:
    """Load a super-resolution network; the file's own layers tell its factor.

    Parameters
    ----------
    path : str or path-like
        Safetensors file ``srgan_x2.safetensors``, ``srgan_x4.safetensors`` or ``srgan_x8.safetensors``.

    Returns
    -------
    network : SRGAN

    Raises
    ------
    ArtifactError
        If the file cannot be read or holds the weights of another network; the message names those that differ.
    """
    scale = _scale_in(path)
    network = SRGANNetwork(scale)
    load_weights(network, path, name=f"SRGAN x{scale}")
    return SRGAN(network, scale)


def _scale_in(path: str | os.PathLike[str]) -> int:
    try:
        with safe_open(Path(path), framework="pt") as weights:
            names = set(weights.keys())
    except (OSError, SafetensorError) as error:
        raise ArtifactError(f"cannot read weights from {str(path)!r}: {error}") from error
    doublings = sum(f"block8.{index}.conv.weight" in names for index in range(len(_SCALES)))
    # A file without any up-sampling gets the smallest network, whose loading then names what is missing.
    return _SCALES[max(doublings, 1) - 1]


def _shrink(image: PixelArray, scale: int) -> PixelArray:
    height, width = (size - size % scale for size in image.shape[:2])
    cut = Image.fromarray(np.ascontiguousarray(image[:height, :width]))
    return np.asarray(cut.resize((width // scale, height // scale), Image.Resampling.BICUBIC))
