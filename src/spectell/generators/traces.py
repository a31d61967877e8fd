"""Imitate what a generator's last layers leave in an image, cheaply and with endless variety.

A detector that has seen few generators learns their kernels by heart. This simulator sends a photograph through a
random shallow decoder instead: the picture is shrunk, up-sampled in stages of two, given back a part of its detail
through the four phases of the last stage, and bent by a few random residual convolutions. What remains of the
picture is recognisable; what is added repeats with the period of the up-sampling.

Every up-sampling by two that generators use is zero-insertion followed by a kernel: ``[1 1]`` repeats the nearest
pixel, ``[1 2 1] / 2`` and ``[1 3 3 1] / 4`` interpolate, a transposed convolution learns its kernel, and pixel shuffle
learns one kernel for each of the four phases. So one function serves all.

Draw and action are separate, and a draw holds numbers, strings, lists and dictionaries only, so that it can be written
to JSON and replayed. No torch here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from spectell.errors import ParameterError, ShapeError

__all__ = ["KERNELS", "TraceSimulator", "upsample"]

FloatArray = npt.NDArray[np.float32]
PixelArray = npt.NDArray[np.uint8]

KERNELS = {
    "nearest": (1.0, 1.0),
    "linear": (0.5, 1.0, 0.5),
    "binomial": (0.25, 0.75, 0.75, 0.25),
    "wide binomial": (0.125, 0.5, 0.75, 0.5, 0.125),
}
"""Separable kernels of fixed weights, along one axis, for use after zero-insertion."""

_FILTERS = {
    "box": Image.Resampling.BOX,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_LEARNED = ("transposed 3", "transposed 4", "shuffle")
_HIDDEN = 4
"""Channels inside a random residual convolution: one more than colours, enough to mix them."""


def upsample(planes: npt.NDArray[np.float32], kernel: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Double rows and columns: insert zeros between the samples, then filter with `kernel`.

    With n = len(kernel), output sample o is the sum over i of ``planes[i] * kernel[o - 2 i + (n - 1) // 2]``, along
    rows and columns alike. Beyond the border the nearest sample repeats.

    Parameters
    ----------
    planes : ndarray of shape (C, H, W), float32
        Channels first, unlike images: whole planes are added here.
    kernel : array_like of shape (n, n), 1 <= n <= 6
        Weights. A flat image keeps its level where each of the four phases ``kernel[p::2, q::2]`` sums to one.

    Returns
    -------
    enlarged : ndarray of shape (C, 2 H, 2 W), float32

    Raises
    ------
    ShapeError
        If `kernel` is not square or larger than 6.

    References
    ----------
    .. [1] Odena, Dumoulin, Olah (2016). Deconvolution and checkerboard artifacts. Distill.
       :doi:`10.23915/distill.00003`

    Examples
    --------
    >>> step = np.array([[[0.0, 8.0]]], dtype=np.float32)
    >>> upsample(step, np.ones((2, 2)))[0].tolist()
    [[0.0, 0.0, 8.0, 8.0], [0.0, 0.0, 8.0, 8.0]]
    >>> upsample(step, np.outer([0.25, 0.75, 0.75, 0.25], [0.25, 0.75, 0.75, 0.25]))[0, 0].tolist()
    [0.0, 2.0, 6.0, 8.0]
    """
    weights = np.asarray(kernel, dtype=np.float32)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or not 1 <= len(weights) <= 6:
        raise ShapeError(f"kernel must have the shape (n, n) with n from 1 to 6, got {weights.shape}")
    channels, height, width = planes.shape
    padded = np.pad(planes, ((0, 0), (2, 2), (2, 2)), mode="edge")
    centre = (len(weights) - 1) // 2
    enlarged = np.zeros((channels, height, 2, width, 2), dtype=np.float32)
    for (row, column), weight in np.ndenumerate(weights):
        # Tap t reaches output o = 2 i + t - centre: the phase is its parity, and i lags behind by the rest.
        down, row_phase = divmod(row - centre, 2)
        right, column_phase = divmod(column - centre, 2)
        shifted = padded[:, 2 - down : 2 - down + height, 2 - right : 2 - right + width]
        enlarged[:, :, row_phase, :, column_phase] += weight * shifted
    return enlarged.reshape(channels, 2 * height, 2 * width)


@dataclass(frozen=True, slots=True)
class TraceSimulator:
    """Pass an image through a random shallow decoder.

    Parameters
    ----------
    max_stages : int in [1, 3]
        Most stages of up-sampling by two; one to `max_stages` are drawn.
    max_mismatch : float in (0, 0.5]
        Largest relative mismatch between the phases of an up-sampling, drawn log-uniformly from a fiftieth of it.
        0.05 lets a checkerboard of about five levels of brightness through.
    max_detail : float in [0, 1]
        Largest share of the fine detail lost by shrinking that is returned; the share is drawn uniformly from 0.

    References
    ----------
    .. [1] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML.
       :arxiv:`2003.08685`
    .. [2] Zhang, Karaman, Chang (2019). Detecting and simulating artifacts in GAN fake images. WIFS.
       :arxiv:`1907.06515`

    Examples
    --------
    >>> simulator = TraceSimulator()
    >>> drawn = simulator.draw(np.random.default_rng(0))
    >>> sorted(drawn)
    ['convolutions', 'detail', 'filter', 'mixing', 'stages']
    >>> simulator.apply(np.full((33, 48, 3), 128, np.uint8), drawn).shape
    (33, 48, 3)
    """

    max_stages: int = 2
    max_mismatch: float = 0.05
    max_detail: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.max_stages <= 3:
            raise ParameterError(f"max_stages must be from 1 to 3, got {self.max_stages}")
        if not 0 < self.max_mismatch <= 0.5:
            raise ParameterError(f"max_mismatch must be above 0 and at most 0.5, got {self.max_mismatch}")
        if not 0 <= self.max_detail <= 1:
            raise ParameterError(f"max_detail must be from 0 to 1, got {self.max_detail}")

    def draw(self, rng: np.random.Generator) -> dict[str, Any]:
        """Pick one decoder.

        Parameters
        ----------
        rng : numpy.random.Generator

        Returns
        -------
        parameters : dict
            For `apply`, and for the record of a run: it can be written to JSON. ``filter`` shrinks; ``stages`` lists
            the ``name`` and the ``kernel`` of each up-sampling; ``detail`` is the share of detail that returns through
            the 4 x 4 matrix ``mixing`` between phases; ``convolutions`` lists the residual convolutions.
        """
        mismatch = self.max_mismatch * 50.0 ** -rng.random()
        stages = [_draw_stage(rng, mismatch) for _ in range(rng.integers(1, self.max_stages, endpoint=True))]
        return {
            "filter": str(rng.choice(list(_FILTERS))),
            "stages": stages,
            "detail": float(self.max_detail * rng.random()),
            "mixing": (np.eye(4) + mismatch * rng.standard_normal((4, 4))).tolist(),
            "convolutions": [_draw_convolution(rng) for _ in range(rng.integers(1, 3, endpoint=True))],
        }

    def apply(self, image: npt.NDArray[np.uint8], parameters: dict[str, Any]) -> npt.NDArray[np.uint8]:
        """Pass `image` through the decoder that `draw` picked.

        Parameters
        ----------
        image : ndarray of shape (H, W, 3), uint8
            RGB, both sides at least 8 pixels.
        parameters : dict
            As returned by `draw`, or read back from JSON.

        Returns
        -------
        traced : ndarray of shape (H, W, 3), uint8

        Raises
        ------
        ShapeError
            If `image` is not of shape (H, W, 3) or is smaller than 8 x 8 pixels.
        ParameterError
            If `image` is not uint8.
        """
        if image.ndim != 3 or image.shape[-1] != 3 or min(image.shape[:2]) < 8:
            raise ShapeError(f"image must have the shape (H, W, 3) with sides of at least 8, got {image.shape}")
        if image.dtype != np.uint8:
            raise ParameterError(f"image must be uint8 with values 0 to 255, got {image.dtype}")
        height, width = image.shape[:2]
        factor = 2 ** len(parameters["stages"])
        padded = np.pad(image, ((0, -height % factor), (0, -width % factor), (0, 0)), mode="symmetric")
        planes = _planes(_shrink(padded, factor, parameters["filter"]))
        for stage in parameters["stages"]:
            planes = upsample(planes, stage["kernel"])
        planes += _mix_phases(_planes(padded) - planes, parameters["detail"] * np.asarray(parameters["mixing"]))
        for convolution in parameters["convolutions"]:
            planes += _residual(planes, convolution)
        levels = np.clip(planes[:, :height, :width] * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
        return np.ascontiguousarray(np.moveaxis(levels, 0, -1))


def _draw_stage(rng: np.random.Generator, mismatch: float) -> dict[str, Any]:
    name = str(rng.choice([*KERNELS, *_LEARNED]))
    if name in KERNELS:
        return {"name": name, "kernel": np.outer(KERNELS[name], KERNELS[name]).tolist()}
    near = {
        "transposed 3": KERNELS["linear"],
        "transposed 4": KERNELS["binomial"],
        # Three taps for each phase, most of the weight on the middle one: nearly the nearest pixel.
        "shuffle": (0.1, 0.1, 0.8, 0.8, 0.1, 0.1),
    }[name]
    kernel = np.outer(near, near)
    kernel += mismatch / 4 * rng.standard_normal(kernel.shape)
    # The four phases together keep the brightness, or it would tell the classes apart.
    return {"name": name, "kernel": (kernel * 4.0 / kernel.sum()).tolist()}


def _draw_convolution(rng: np.random.Generator) -> dict[str, Any]:
    """Weights of ``x + outward @ (bend(inward * x + bias) - bend(bias))``, small enough to stay near the identity."""
    inward = rng.standard_normal((_HIDDEN, 3, 9))
    # Flat areas pass unchanged, or the change of colour would tell the classes apart.
    inward -= inward.mean(axis=-1, keepdims=True)
    strength = 0.3 * 10.0 ** -rng.random()
    return {
        "bend": str(rng.choice(["leaky", "tanh"])),
        "inward": inward.reshape(_HIDDEN, 27).tolist(),
        "bias": rng.normal(0.0, 0.2, _HIDDEN).tolist(),
        "outward": (strength * rng.standard_normal((3, _HIDDEN)) / 2).tolist(),
    }


def _planes(image: PixelArray) -> FloatArray:
    """Channels first, on the scale of [0, 1]."""
    return np.ascontiguousarray(np.moveaxis(image, -1, 0)).astype(np.float32) * np.float32(1 / 255)


def _shrink(image: PixelArray, factor: int, filter_name: str) -> PixelArray:
    height, width = image.shape[:2]
    return np.asarray(Image.fromarray(image).resize((width // factor, height // factor), _FILTERS[filter_name]))


def _mix_phases(planes: FloatArray, matrix: npt.ArrayLike) -> FloatArray:
    """Multiply the four pixels of every 2 x 2 cell, as a vector, by a 4 x 4 matrix."""
    weights = np.asarray(matrix, dtype=np.float32)
    phases = [planes[:, row::2, column::2] for row in (0, 1) for column in (0, 1)]
    mixed = np.empty_like(planes)
    for index, (row, column) in enumerate((row, column) for row in (0, 1) for column in (0, 1)):
        mixed[:, row::2, column::2] = sum(w * phase for w, phase in zip(weights[index], phases, strict=True))
    return mixed


def _residual(planes: FloatArray, convolution: dict[str, Any]) -> FloatArray:
    channels, height, width = planes.shape
    padded = np.pad(planes, ((0, 0), (1, 1), (1, 1)), mode="edge") - np.float32(0.5)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), axis=(1, 2))
    columns = windows.reshape(channels * 9, height * width)
    bias = np.asarray(convolution["bias"], dtype=np.float32)[:, np.newaxis]
    hidden = np.asarray(convolution["inward"], dtype=np.float32) @ columns + bias
    bent = _bend(hidden, convolution["bend"]) - _bend(bias, convolution["bend"])
    return (np.asarray(convolution["outward"], dtype=np.float32) @ bent).reshape(planes.shape)


def _bend(hidden: FloatArray, kind: str) -> FloatArray:
    return np.tanh(hidden) if kind == "tanh" else np.maximum(hidden, np.float32(0.2) * hidden)
