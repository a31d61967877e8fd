"""The generator and its critic: one plain convolutional pair for every loss and up-sampling.

From latents a linear layer makes a grid of 4 x 4; each stage doubles it with the up-sampling under study, convolves,
normalises and bends. The critic goes the same way back with strided convolutions. Batch normalisation is in the
generator only, so that every number of the critic depends on its own image, which a gradient penalty needs; at sampling
it uses stored statistics, so that no image depends on its batch.

Growing networks [1]_ have a layer from and to RGB at every resolution. Importing this module imports torch.

References
----------
.. [1] Karras, Aila, Laine, Lehtinen (2018). Progressive growing of GANs for improved quality, stability, and variation.
   ICLR. :arxiv:`1710.10196`
.. [2] Radford, Metz, Chintala (2016). Unsupervised representation learning with deep convolutional generative
   adversarial networks. ICLR. :arxiv:`1511.06434`
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from spectell.errors import ParameterError
from spectell.generators.upsampling import make_upsampling

__all__ = ["LATENTS", "MIN_SIZE", "SIZES", "Critic", "Generator", "channels_at", "count_parameters", "resolutions"]

LATENTS = 64
"""Numbers from which the generator makes an image."""

SIZES = (32, 64, 128, 256)
"""Sides of images, in pixels."""

MIN_SIZE = 4
"""Side of the grid that both networks have at their narrow end."""

_MAX_CHANNELS = 128
_SLOPE = 0.2


def resolutions(size: int) -> tuple[int, ...]:
    """Sides that a network passes through, from 4 to `size`.

    Raises
    ------
    ParameterError
        If `size` is not a power of two from 8.

    Examples
    --------
    >>> resolutions(32)
    (4, 8, 16, 32)
    """
    if size < 2 * MIN_SIZE or size & (size - 1):
        raise ParameterError(f"size must be a power of two from {2 * MIN_SIZE}, got {size}; use one of {SIZES}")
    return tuple(MIN_SIZE << stage for stage in range(size.bit_length() - MIN_SIZE.bit_length() + 1))


def channels_at(resolution: int, size: int, width: int) -> int:
    """Channels at one resolution: `width` at full size, twice as many at half the size, and so on up to 128.

    Examples
    --------
    >>> [channels_at(resolution, 32, 24) for resolution in (4, 8, 16, 32)]
    [128, 96, 48, 24]
    """
    return min(_MAX_CHANNELS, width * size // resolution)


def count_parameters(network: nn.Module) -> int:
    """Numbers that training changes.

    Examples
    --------
    >>> count_parameters(nn.Linear(2, 3))
    9
    """
    return sum(parameter.numel() for parameter in network.parameters())


class Generator(nn.Module):
    """From latents (N, 64) to RGB (N, 3, size, size) in [-1, 1].

    Parameters
    ----------
    size : {32, 64, 128, 256}
        Side of the images; any power of two from 8 works.
    upsampling : str
        As for `spectell.generators.upsampling.make_upsampling`.
    width : int > 0
        Channels at full size.
    progressive : bool
        Whether it can make images of every smaller resolution too.
    smoothing : bool
        Whether images are filtered with ``[1 2 1] / 4`` along rows and columns in the end.

    Raises
    ------
    ParameterError
        If `size` or `upsampling` is not one of those above.

    Examples
    --------
    >>> Generator(32, "nearest", 4)(torch.zeros(2, LATENTS)).shape
    torch.Size([2, 3, 32, 32])
    """

    def __init__(
        self, size: int, upsampling: str, width: int, *, progressive: bool = False, smoothing: bool = False
    ) -> None:
        super().__init__()
        sides = resolutions(size)
        self.size = size
        self.smoothing = smoothing
        widths = [channels_at(side, size, width) for side in sides]
        self.first = nn.Linear(LATENTS, widths[0] * MIN_SIZE**2)
        self.first_norm = nn.BatchNorm2d(widths[0])
        self.stages = nn.ModuleDict(
            {str(side): _stage(upsampling, *pair) for side, pair in zip(sides[1:], pairwise(widths), strict=True)}
        )
        self.to_rgb = nn.ModuleDict(
            {
                str(side): _conv(channels, 3)
                for side, channels in zip(sides, widths, strict=True)
                if progressive or side == size
            }
        )

    def forward(self, latents: torch.Tensor, resolution: int | None = None, alpha: float = 1.0) -> torch.Tensor:
        """Make images.

        Parameters
        ----------
        latents : tensor of shape (N, 64)
            Standard normal.
        resolution : int, optional
            Side of the images; smaller than `size` only where the network is progressive.
        alpha : float, 0 to 1
            Share of the last stage; the rest is the image of the stage before, with every pixel repeated.

        Returns
        -------
        images : tensor of shape (N, 3, resolution, resolution), in [-1, 1]
        """
        resolution = resolution or self.size
        x = self.first(latents).unflatten(1, (-1, MIN_SIZE, MIN_SIZE))
        x = nn.functional.leaky_relu(self.first_norm(x), _SLOPE)
        before = x
        for side, stage in self.stages.items():
            if int(side) > resolution:
                break
            before, x = x, stage(x)
        rgb = self.to_rgb[str(resolution)](x)
        if alpha < 1.0:
            coarse = self.to_rgb[str(resolution // 2)](before)
            rgb = torch.lerp(nn.functional.interpolate(coarse, scale_factor=2, mode="nearest"), rgb, alpha)
        images = torch.tanh(rgb)
        return _smoothed(images) if self.smoothing else images


class Critic(nn.Module):
    """From RGB (N, 3, size, size) in [-1, 1] to `outputs` numbers an image.

    Parameters
    ----------
    size : {32, 64, 128, 256}
    width : int > 0
        Channels at full size.
    outputs : int > 0
    spectrally_normalised : bool
        Whether every weight is divided by an estimate of its largest singular value, which a power iteration improves
        at every call in training mode.
    progressive : bool
        Whether it can judge images of every smaller resolution too. It then sees how much the images of its batch
        differ, as published with growing [1]_.

    References
    ----------
    .. [1] Karras, Aila, Laine, Lehtinen (2018). :arxiv:`1710.10196`, section 3.
    .. [2] Miyato, Kataoka, Koyama, Yoshida (2018). :arxiv:`1802.05957`
    """

    def __init__(
        self, size: int, width: int, *, outputs: int = 1, spectrally_normalised: bool = False, progressive: bool = False
    ) -> None:
        super().__init__()
        sides = resolutions(size)
        self.size = size
        self.sees_batch = progressive
        widths = [channels_at(side, size, width) for side in sides]
        self.from_rgb = nn.ModuleDict(
            {
                str(side): _conv(3, channels)
                for side, channels in zip(sides, widths, strict=True)
                if progressive or side == size
            }
        )
        pairs = zip(sides[1:], pairwise(widths), strict=True)
        self.stages = nn.ModuleDict(
            {
                str(side): nn.Conv2d(narrow, wide, 4, stride=2, padding=1)
                for side, (wide, narrow) in reversed(list(pairs))
            }
        )
        self.last = nn.Linear(widths[0] * MIN_SIZE**2 + progressive, outputs)
        if spectrally_normalised:
            for layer in [*self.from_rgb.values(), *self.stages.values(), self.last]:
                spectral_norm(layer)

    def forward(self, images: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
        """Judge images.

        Parameters
        ----------
        images : tensor of shape (N, 3, H, H)
            H is `size`, or a smaller resolution where the network is progressive.
        alpha : float, 0 to 1
            Share of the first stage; the rest comes from the images at half their resolution.

        Returns
        -------
        outputs : tensor of shape (N, `outputs`)
        """
        resolution = images.shape[-1]
        x = self._features(images, resolution)
        for side in [side for side in self.stages if int(side) <= resolution]:
            x = nn.functional.leaky_relu(self.stages[side](x), _SLOPE)
            if alpha < 1.0 and int(side) == resolution:
                halved = nn.functional.avg_pool2d(images, 2)
                x = torch.lerp(self._features(halved, resolution // 2), x, alpha)
        x = x.flatten(1)
        if self.sees_batch:
            spread = (x.var(dim=0, correction=0) + 1e-8).sqrt().mean()
            x = torch.cat([x, spread.expand(len(x), 1)], dim=1)
        outputs: torch.Tensor = self.last(x)
        return outputs

    def _features(self, images: torch.Tensor, resolution: int) -> torch.Tensor:
        return nn.functional.leaky_relu(self.from_rgb[str(resolution)](images), _SLOPE)


def _stage(upsampling: str, inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        make_upsampling(upsampling, inputs), _conv(inputs, outputs), nn.BatchNorm2d(outputs), nn.LeakyReLU(_SLOPE)
    )


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _smoothed(images: torch.Tensor) -> torch.Tensor:
    """Filter with ``[1 2 1] / 4`` along rows and columns; the last pixel is its own neighbour."""
    kernel = torch.tensor([0.25, 0.5, 0.25], device=images.device, dtype=images.dtype)
    padded = nn.functional.pad(images, (1, 1, 1, 1), mode="replicate")
    weights = torch.outer(kernel, kernel).expand(3, 1, 3, 3)
    return nn.functional.conv2d(padded, weights, groups=3)
