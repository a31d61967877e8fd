"""The ways in which a generator doubles rows and columns, as one parameter of an otherwise unchanged network.

Invariants: each maps (N, C, H, W) to (N, C, 2 H, 2 W) and every channel by itself, so that networks which differ in
this parameter alone differ in the kernel of their interpolation and in nothing else: mixing channels is left to the
convolutions around it. All keep a constant at its level where they start; the two learned ones may leave that while
they train. Beyond the border the fixed kernels repeat the nearest sample and the learned ones see zeros, as is usual.

Zero-insertion puts a mirror image of the spectrum above the frequency of 1/4 cycle per pixel, and the kernel after it
decides how much of the image remains. The fixed kernels are ``[1 1]`` convolved once, twice and three times with
itself, scaled to a sum of 2, so their responses are the first three powers of one cosine:

========  =================  ============
name      kernel             response
========  =================  ============
nearest   ``[1 1]``          cos(pi f)
bilinear  ``[1 2 1] / 2``    cos(pi f)**2
binomial  ``[1 3 3 1] / 4``  cos(pi f)**3
========  =================  ============

Two things are called bilinear. Here it is linear interpolation between the samples, which stay where they are. What
frameworks call bilinear, with half-pixel centres, is ``[1 3 3 1] / 4``, and so is StyleGAN's up-sampling, nearest
neighbour blurred with ``[1 2 1] / 4`` [1]_: both are `binomial` here, or two names would stand for one thing.
Importing this module imports torch.

References
----------
.. [1] Karras, Laine, Aila (2019). A style-based generator architecture for generative adversarial networks. CVPR.
   :arxiv:`1812.04948`
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from spectell.errors import ParameterError
from spectell.generators.traces import KERNELS

__all__ = [
    "UPSAMPLINGS",
    "Bilinear",
    "Binomial",
    "Nearest",
    "PixelShuffle",
    "Transposed",
    "make_upsampling",
    "upsampling_response",
]

_SPREAD = 0.5
"""Standard deviation of a learned kernel's first weights, relative to the mean of a phase."""
_MEAN_OF_FOUR = [[0.25, 0.25], [0.25, 0.25]]
_SAMPLE_ITSELF = [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
"""What the phases of the learned kernels start near. A mean of nine blurs a small image so much, three times over, that
a generator began to repeat one picture before it had learned to undo that."""


class Nearest(nn.Module):
    """Repeat every sample: zero-insertion, then ``[1 1]``."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a batch of shape (N, C, 2 H, 2 W)."""
        return nn.functional.interpolate(x, scale_factor=2, mode="nearest")


class Bilinear(nn.Module):
    """Put the mean of two samples between them: zero-insertion, then ``[1 2 1] / 2``."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a batch of shape (N, C, 2 H, 2 W)."""
        for axis in (2, 3):
            x = _interleaved(x, torch.lerp(x, _shifted(x, axis, 1), 0.5), axis)
        return x


class Binomial(nn.Module):
    """Interpolate a quarter of the way to either side: zero-insertion, then ``[1 3 3 1] / 4``."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a batch of shape (N, C, 2 H, 2 W)."""
        for axis in (2, 3):
            before, after = _shifted(x, axis, -1), _shifted(x, axis, 1)
            x = _interleaved(torch.lerp(x, before, 0.25), torch.lerp(x, after, 0.25), axis)
        return x


class Transposed(nn.Module):
    """Zero-insertion, then a learned 4 x 4 kernel for every channel (transposed convolution with stride 2).

    Parameters
    ----------
    channels : int > 0
        C of the batch.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(_balanced(channels, _MEAN_OF_FOUR).reshape(channels, 1, 4, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a batch of shape (N, C, 2 H, 2 W)."""
        return nn.functional.conv_transpose2d(x, self.weight, stride=2, padding=1, groups=len(self.weight))


class PixelShuffle(nn.Module):
    """Make the four phases of every channel with learned 3 x 3 kernels, and lay them side by side.

    It starts near nearest neighbour, as Aitken et al. [2]_ advise.

    Parameters
    ----------
    channels : int > 0
        C of the batch.

    References
    ----------
    .. [1] Shi et al. (2016). Real-time single image and video super-resolution using an efficient sub-pixel
       convolutional neural network. CVPR. :arxiv:`1609.05158`
    .. [2] Aitken et al. (2017). Checkerboard artifact free sub-pixel convolution. :arxiv:`1707.02937`
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        phases = _balanced(channels, _SAMPLE_ITSELF).reshape(channels, 3, 2, 3, 2).permute(0, 2, 4, 1, 3)
        self.weight = nn.Parameter(phases.reshape(4 * channels, 1, 3, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a batch of shape (N, C, 2 H, 2 W)."""
        phases = nn.functional.conv2d(x, self.weight, padding=1, groups=x.shape[1])
        return nn.functional.pixel_shuffle(phases, 2)


UPSAMPLINGS: dict[str, Callable[[int], nn.Module]] = {
    "nearest": lambda _: Nearest(),
    "bilinear": lambda _: Bilinear(),
    "binomial": lambda _: Binomial(),
    "transposed": Transposed,
    "pixelshuffle": PixelShuffle,
}
"""Name → what makes the module for a number of channels."""

_FIXED = {"nearest": KERNELS["nearest"], "bilinear": KERNELS["linear"], "binomial": KERNELS["binomial"]}


def make_upsampling(name: str, channels: int) -> nn.Module:
    """Make the module that doubles rows and columns in the way called `name`.

    Parameters
    ----------
    name : {"nearest", "bilinear", "binomial", "transposed", "pixelshuffle"}
    channels : int > 0
        C of the batches (N, C, H, W) that will pass through it.

    Returns
    -------
    module : torch.nn.Module
        From (N, C, H, W) to (N, C, 2 H, 2 W). The learned ones draw their first weights from torch's generator.

    Raises
    ------
    ParameterError
        If the name is unknown, or `channels` is not positive.

    Examples
    --------
    >>> make_upsampling("bilinear", 1)(torch.tensor([[[[0.0, 8.0]]]]))[0, 0].tolist()
    [[0.0, 4.0, 8.0, 8.0], [0.0, 4.0, 8.0, 8.0]]
    """
    if name not in UPSAMPLINGS:
        raise ParameterError(f"unknown upsampling {name!r}; choose one of {', '.join(UPSAMPLINGS)}")
    if channels < 1:
        raise ParameterError(f"channels must be at least 1, got {channels}")
    return UPSAMPLINGS[name](channels)


def upsampling_response(name: str, frequencies: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Amplitude response of a fixed kernel along one axis, with 1 at frequency 0.

    A component at frequency f <= 1/4 of the enlarged image passes with ``upsampling_response(name, f)``, and its mirror
    image, which zero-insertion makes, appears at 1/2 - f with ``upsampling_response(name, 1/2 - f)``.

    Parameters
    ----------
    name : {"nearest", "bilinear", "binomial"}
        The other two learn their kernels.
    frequencies : array_like, 0 to 1/2
        In cycles per pixel of the enlarged image.

    Returns
    -------
    response : ndarray of the same shape, in [0, 1]

    Raises
    ------
    ParameterError
        If `name` is not one of the fixed kernels.

    Examples
    --------
    >>> [float(upsampling_response(name, 1 / 3).round(6)) for name in ("nearest", "bilinear", "binomial")]
    [0.5, 0.25, 0.125]
    """
    if name not in _FIXED:
        raise ParameterError(f"upsampling {name!r} has no fixed kernel; choose one of {', '.join(_FIXED)}")
    kernel = np.asarray(_FIXED[name])
    waves = np.exp(-2j * np.pi * np.multiply.outer(np.asarray(frequencies, dtype=np.float64), np.arange(len(kernel))))
    return np.asarray(np.abs(waves @ kernel) / kernel.sum(), dtype=np.float64)


def _shifted(x: torch.Tensor, axis: int, step: int) -> torch.Tensor:
    """Return the neighbour before (-1) or after (1) every sample; the last one is its own neighbour.

    Slices, since the padding and interpolation that come with torch have no deterministic gradient on a GPU.
    """
    size = x.shape[axis]
    if step < 0:
        return torch.cat([x.narrow(axis, 0, 1), x.narrow(axis, 0, size - 1)], dim=axis)
    return torch.cat([x.narrow(axis, 1, size - 1), x.narrow(axis, size - 1, 1)], dim=axis)


def _interleaved(even: torch.Tensor, odd: torch.Tensor, axis: int) -> torch.Tensor:
    return torch.stack([even, odd], dim=axis + 1).flatten(axis, axis + 1)


def _balanced(channels: int, around: list[list[float]]) -> torch.Tensor:
    """Random kernels (C, 2 taps, 2 taps) each of whose four phases is near `around`, (taps, taps), and sums to one.

    A network then starts without a checkerboard: what it has of one in the end, it learned.
    """
    start = torch.tensor(around)
    taps = len(start)
    noise = _SPREAD / taps**2 * torch.randn(channels, taps, 2, taps, 2)
    weights = start[None, :, None, :, None] + noise
    return (weights / weights.sum(dim=(1, 3), keepdim=True)).reshape(channels, 2 * taps, 2 * taps)
