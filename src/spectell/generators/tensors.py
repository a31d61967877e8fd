"""Between pixels and tensors: the one place of this room where the axes change their order.

Outside the torch modules an image is ``(H, W, 3)`` uint8 in RGB order; inside them a batch is ``(N, 3, H, W)``
float32 in [0, 1]. Networks are run in evaluation mode, without gradients, a few images at a time, so that the
memory that a call needs does not grow with the number of its images. Importing this module imports torch.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from spectell.errors import ArtifactError, MismatchError, ParameterError, ShapeError

if TYPE_CHECKING:
    import os

__all__ = ["BATCH_SIZE", "as_device", "as_pixels", "as_tensor", "load_weights", "run_in_batches"]

PixelArray = npt.NDArray[np.uint8]

BATCH_SIZE = 1
"""Images that pass through a network together. One: on a CPU, larger batches fall out of the cache and run at half the
speed (measured at 256 x 256 pixels)."""

_NAMED_KEYS = 3
"""How many wrong names an error message lists before it only counts them."""


def as_device(name: str | torch.device) -> torch.device:
    """Return a device that can be used.

    Raises
    ------
    ParameterError
        If torch knows no such device, or cannot use it here.

    Examples
    --------
    >>> as_device("cpu")
    device(type='cpu')
    """
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0]
        raise MismatchError(f"device {str(name)!r} cannot be used: {reason}; use cpu") from error
    return torch.device(name)


def as_tensor(images: npt.ArrayLike) -> torch.Tensor:
    """Images as a batch for a network.

    Parameters
    ----------
    images : array_like of shape (N, H, W, 3), uint8
        RGB pixel values, 0 to 255.

    Returns
    -------
    batch : tensor of shape (N, 3, H, W), float32
        The same values divided by 255, so in [0, 1].

    Raises
    ------
    ShapeError
        If `images` is not of shape (N, H, W, 3).
    ParameterError
        If `images` is not of type uint8.

    See Also
    --------
    as_pixels : The inverse.

    Examples
    --------
    >>> batch = as_tensor(np.full((2, 4, 6, 3), 51, np.uint8))
    >>> batch.shape, round(float(batch[0, 0, 0, 0]), 6)
    (torch.Size([2, 3, 4, 6]), 0.2)
    """
    pixels = np.asarray(images)
    if pixels.ndim != 4 or pixels.shape[-1] != 3:
        raise ShapeError(f"images must have the shape (N, H, W, 3), got {pixels.shape}; stack them first")
    if pixels.dtype != np.uint8:
        raise ParameterError(f"images must be uint8 with values 0 to 255, got {pixels.dtype}")
    # The view keeps the channels of a pixel side by side in memory, which convolutions on a CPU are fastest with.
    return torch.from_numpy(pixels.astype(np.float32, order="C")).div_(255.0).permute(0, 3, 1, 2)


def as_pixels(batch: torch.Tensor) -> PixelArray:
    """Return a network's output as images, clamped to [0, 1] and rounded to the nearest of 256 levels.

    Parameters
    ----------
    batch : tensor of shape (N, 3, H, W), floating
        Values on the scale of [0, 1]; what lies outside is clamped.

    Returns
    -------
    images : ndarray of shape (N, H, W, 3), uint8

    Examples
    --------
    >>> as_pixels(torch.tensor([-1.0, 0.2, 7.0]).reshape(1, 3, 1, 1)).tolist()
    [[[[0, 51, 255]]]]
    """
    levels = batch.detach().clamp(0.0, 1.0).mul(255.0).round().to(torch.uint8).cpu().numpy()
    return np.ascontiguousarray(np.moveaxis(levels, 1, -1))


def run_in_batches(
    network: Callable[[torch.Tensor], torch.Tensor], images: npt.ArrayLike, *, batch_size: int = BATCH_SIZE
) -> PixelArray:
    """Pass images through a network, `batch_size` at a time.

    Parameters
    ----------
    network : callable
        Takes and returns tensors of shape (N, 3, H, W) on the scale of [0, 1].
    images : array_like of shape (N, H, W, 3), uint8
    batch_size : int > 0
        Images that are in memory as floats at one time.

    Returns
    -------
    images : ndarray of shape (N, H', W', 3), uint8

    Raises
    ------
    ParameterError
        If `batch_size` is not positive, or there is no image.

    Examples
    --------
    >>> pixels = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1).repeat(3, axis=-1)
    >>> run_in_batches(lambda batch: 1.0 - batch, pixels, batch_size=2)[:, 0, 0, 0].tolist()
    [255, 254, 253]
    """
    if batch_size < 1:
        raise ParameterError(f"batch_size must be at least 1, got {batch_size}")
    pixels = np.asarray(images)
    if not len(pixels):
        raise ParameterError(f"images must hold at least one image, got the shape {pixels.shape}")
    with torch.inference_mode():
        batches = (pixels[start : start + batch_size] for start in range(0, len(pixels), batch_size))
        return np.concatenate([as_pixels(network(as_tensor(batch))) for batch in batches])


def load_weights(network: torch.nn.Module, path: str | os.PathLike[str], *, name: str) -> None:
    """Fill `network` with the weights in a safetensors file, as float32, and set it to evaluation mode.

    Loading is strict: a file that lacks a weight, has one too many, or one of another shape was written for another
    network, and a network that is partly random would still return images.

    Parameters
    ----------
    network : torch.nn.Module
        Modified in place.
    path : str or path-like
        The file. Half-precision weights are converted.
    name : str
        What an error message calls the network, such as ``the TAEF2 encoder``.

    Raises
    ------
    ArtifactError
        If the file cannot be read or does not fit; the message names the weights that differ.
    """
    try:
        state = load_file(Path(path))
    except (OSError, SafetensorError) as error:
        raise ArtifactError(f"cannot read weights from {str(path)!r}: {error}") from error
    expected = network.state_dict()
    # PyTorch counts the batches that a normalisation layer saw; weights are complete without that count.
    ignored = {key for key in expected if key.endswith("num_batches_tracked")} - state.keys()
    differences = {
        "missing": sorted(expected.keys() - state.keys() - ignored),
        "unexpected": sorted(state.keys() - expected.keys()),
        "of another shape": sorted(n for n in expected.keys() & state.keys() if expected[n].shape != state[n].shape),
    }
    found = "; ".join(f"{kind}: {_list_names(names)}" for kind, names in differences.items() if names)
    if found:
        raise ArtifactError(f"weights in {str(path)!r} do not fit {name}: {found}")
    network.load_state_dict({key: value.float() for key, value in state.items()}, strict=False)
    network.eval()
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing from its annotations


def _list_names(names: list[str]) -> str:
    shown = ", ".join(names[:_NAMED_KEYS])
    return shown if len(names) <= _NAMED_KEYS else f"{shown} and {len(names) - _NAMED_KEYS} more"
