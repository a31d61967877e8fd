"""Tiny generators that make images from noise in NumPy, so that the demonstration needs no torch and no download.

Three networks differ in how they enlarge: repeating the nearest pixel, a transposed convolution, or pixel shuffle.
Each turns a grid of noise into an image eight times its size in three doublings. Their weights are this project's
own, trained by ``recipes/demo_generator.py`` on photographs with a free licence; the file's card says which.

Inside this module a picture is ``(channels, rows, columns)`` float32, as in the module with which it was trained,
`spectell.generators.tiny_network`, and must agree with it to 1e-4.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ArtifactError, ParameterError

if TYPE_CHECKING:
    import os

__all__ = [
    "LATENT_CHANNELS",
    "SCALE",
    "UPSAMPLINGS",
    "TinyGenerator",
    "draw_latents",
    "forward",
    "load_tiny_generators",
]

FloatArray = npt.NDArray[np.float32]
PixelArray = npt.NDArray[np.uint8]

UPSAMPLINGS = ("nearest", "transposed", "shuffle")
SCALE = 8
"""Pixels that one cell of the latent grid grows to, along each side."""
LATENT_CHANNELS = 16
SLOW_CHANNELS = 6
"""Of the latent channels, those that change slowly over the image and so decide what a region shows."""
_COARSENESS = 8
"""Cells between two independent values of a slow channel."""
_MARGIN = 3
"""Cells cut off at each border: the zeros that pad the convolutions are seen no farther than that."""
_LEAK = np.float32(0.2)
_COPIED_VALUES = 1 << 18
_WEIGHTS_FILE = "demo_generator.safetensors"


def draw_latents(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.float32]:
    """Noise from which an image is made.

    Parameters
    ----------
    rng : numpy.random.Generator
    height, width : int > 0
        Cells of the grid, each of which becomes 8 x 8 pixels.

    Returns
    -------
    latents : ndarray of shape (16, height, width), float32
        Each value is standard normal. Ten channels are independent from cell to cell; in the other six, neighbouring
        cells are alike: they interpolate values eight cells apart.

    Examples
    --------
    >>> latents = draw_latents(np.random.default_rng(0), 32, 40)
    >>> latents.shape, latents.dtype
    ((16, 32, 40), dtype('float32'))
    """
    fast = rng.standard_normal((LATENT_CHANNELS - SLOW_CHANNELS, height, width))
    coarse = (SLOW_CHANNELS, height // _COARSENESS + 3, width // _COARSENESS + 3)
    offsets = rng.random(2)
    slow = _interpolate(_interpolate(rng.standard_normal(coarse), height, offsets[0], 1), width, offsets[1], 2)
    return np.concatenate([fast, slow]).astype(np.float32)


def forward(weights: Mapping[str, npt.NDArray[np.float32]], upsampling: str, latents: FloatArray) -> FloatArray:
    """Run one network.

    Parameters
    ----------
    weights : mapping of str to ndarray
        By the names that `spectell.generators.tiny_network.TinyNetwork` gives them.
    upsampling : {"nearest", "transposed", "shuffle"}
        The network's manner of enlarging.
    latents : ndarray of shape (16, h, w), float32

    Returns
    -------
    planes : ndarray of shape (3, 8 h, 8 w), float32
        RGB in [-1, 1].

    Raises
    ------
    ParameterError
        If `upsampling` is unknown.
    """
    if upsampling not in UPSAMPLINGS:
        raise ParameterError(f"unknown upsampling {upsampling!r}; choose one of {', '.join(UPSAMPLINGS)}")
    x = _activate(_convolve(latents, weights, "first"))
    for stage in range(3):
        x = _enlarge(x, weights, f"stages.{stage}.enlarge", upsampling)
        x = _activate(_convolve(_activate(x), weights, f"stages.{stage}.refine"))
    return np.tanh(_convolve(x, weights, "last"))


@dataclass(frozen=True, slots=True)
class TinyGenerator:
    """One of the tiny networks with its weights.

    Parameters
    ----------
    upsampling : {"nearest", "transposed", "shuffle"}
        The network's manner of enlarging.
    weights : mapping of str to ndarray of float32
        By the names that the trained module gives them.

    See Also
    --------
    load_tiny_generators : The ones that come with the package.
    """

    upsampling: str
    weights: Mapping[str, FloatArray]

    def generate(self, seed: int, index: int, *, height: int = 256, width: int = 256) -> npt.NDArray[np.uint8]:
        """Make an image.

        Parameters
        ----------
        seed, index : int >= 0
            Together they decide the image: the same pair gives the same image, whatever was made before.
        height, width : int > 0
            Size in pixels. Sizes that are no multiple of 8 are cut from the next larger image.

        Returns
        -------
        image : ndarray of shape (height, width, 3), uint8
            RGB.

        Raises
        ------
        ParameterError
            If an argument is out of its range.
        """
        if min(seed, index) < 0 or min(height, width) < 1:
            raise ParameterError(
                "seed and index must not be negative, and height and width must be positive, "
                f"got seed={seed}, index={index}, height={height}, width={width}"
            )
        rng = np.random.default_rng((seed, index))
        cells = (-(-height // SCALE) + 2 * _MARGIN, -(-width // SCALE) + 2 * _MARGIN)
        planes = forward(self.weights, self.upsampling, draw_latents(rng, *cells))
        start = _MARGIN * SCALE
        cut = planes[:, start : start + height, start : start + width]
        levels = np.rint((cut + np.float32(1.0)) * np.float32(127.5)).astype(np.uint8)
        return np.ascontiguousarray(np.moveaxis(levels, 0, -1))


def load_tiny_generators(
    path: str | os.PathLike[str] | None = None,
) -> tuple[dict[str, TinyGenerator], dict[str, Any]]:
    """Load the tiny generators and their card.

    Parameters
    ----------
    path : str or path-like, optional
        A file written by ``recipes/demo_generator.py``; the one that comes with the package by default.

    Returns
    -------
    generators : dict of str to TinyGenerator
        By the manner of enlarging: ``nearest``, ``transposed`` and ``shuffle``.
    card : dict
        What they were trained on, the licence, the seed and the recipe.

    Raises
    ------
    ArtifactError
        If the file cannot be read or has no card.

    Examples
    --------
    >>> generators, card = load_tiny_generators()
    >>> sorted(generators), card["licence"]
    (['nearest', 'shuffle', 'transposed'], 'MIT')
    >>> generators["shuffle"].generate(seed=0, index=0, height=20, width=32).shape
    (20, 32, 3)
    """
    if path is None:
        with as_file(files("spectell.weights") / _WEIGHTS_FILE) as bundled:
            return load_tiny_generators(bundled)
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(Path(path), framework="numpy") as opened:
            card = json.loads((opened.metadata() or {})["card"])
            names: list[str] = opened.keys()
            arrays = {name: opened.get_tensor(name).astype(np.float32) for name in names}
    except (OSError, KeyError, ValueError, RecursionError, SafetensorError) as error:
        raise ArtifactError(f"cannot read tiny generators from {str(path)!r}: {error!r}") from error
    # Names begin with the manner of enlarging, such as "shuffle.first.weight".
    generators = {
        upsampling: TinyGenerator(
            upsampling,
            {name.partition(".")[2]: array for name, array in arrays.items() if name.startswith(f"{upsampling}.")},
        )
        for upsampling in UPSAMPLINGS
    }
    return generators, card


def _interpolate(values: npt.NDArray[np.float64], size: int, offset: float, axis: int) -> npt.NDArray[np.float64]:
    """Blend neighbours `_COARSENESS` cells apart, with weights whose squares sum to one: the variance stays 1."""
    position = (np.arange(size) + offset * _COARSENESS) / _COARSENESS
    left = position.astype(int)
    angle = (position - left) * (np.pi / 2)
    shape = [1, 1, 1]
    shape[axis] = size
    before, after = np.take(values, left, axis), np.take(values, left + 1, axis)
    blended: npt.NDArray[np.float64] = before * np.cos(angle).reshape(shape) + after * np.sin(angle).reshape(shape)
    return blended


def _activate(x: FloatArray) -> FloatArray:
    """Leaky ReLU, then scale each pixel's channels to a mean square of one."""
    bent = np.maximum(x, _LEAK * x)
    scaled: FloatArray = bent / np.sqrt(np.square(bent).mean(axis=0) + np.float32(1e-6))
    return scaled


def _convolve(x: FloatArray, weights: Mapping[str, FloatArray], name: str) -> FloatArray:
    """Convolution 3 x 3 with bias; zeros beyond the border."""
    kernel, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    outputs, (channels, height, width) = len(kernel), x.shape
    matrix = kernel.reshape(outputs, -1)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
    convolved = np.empty((outputs, height, width), np.float32)
    # The nine shifted copies of a few rows stay in the cache; those of a whole image would not.
    rows = max(1, _COPIED_VALUES // (9 * channels * width))
    for top in range(0, height, rows):
        columns = windows[..., top : top + rows, :].reshape(9 * channels, -1)
        convolved[:, top : top + rows] = (matrix @ columns).reshape(outputs, -1, width)
    return convolved + bias[:, np.newaxis, np.newaxis]


def _enlarge(x: FloatArray, weights: Mapping[str, FloatArray], name: str, upsampling: str) -> FloatArray:
    """Double rows and columns."""
    if upsampling == "nearest":
        return _convolve(x.repeat(2, axis=1).repeat(2, axis=2), weights, name)
    if upsampling == "transposed":
        return _transposed(x, weights[f"{name}.weight"], weights[f"{name}.bias"])
    spread = _convolve(x, weights, name)
    _, height, width = spread.shape
    cells = spread.reshape(-1, 2, 2, height, width).transpose(0, 3, 1, 4, 2)
    return cells.reshape(-1, 2 * height, 2 * width)


def _transposed(x: FloatArray, kernel: FloatArray, bias: FloatArray) -> FloatArray:
    """Transposed convolution 4 x 4 with stride 2 and padding 1; `kernel` is (inputs, outputs, 4, 4)."""
    inputs, height, width = x.shape
    outputs = kernel.shape[1]
    taps = (kernel.reshape(inputs, -1).T @ x.reshape(inputs, -1)).reshape(outputs, 4, 4, height, width)
    sums = np.zeros((outputs, 2 * height + 2, 2 * width + 2), dtype=np.float32)
    for row in range(4):
        for column in range(4):
            sums[:, row : row + 2 * height : 2, column : column + 2 * width : 2] += taps[:, row, column]
    return sums[:, 1:-1, 1:-1] + bias[:, np.newaxis, np.newaxis]
