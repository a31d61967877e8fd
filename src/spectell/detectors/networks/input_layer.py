"""The first layer of every network: from 8-bit pixels to standardised features, on the device that trains.

The same numbers as `spectell.detectors.features` gives, as products with the DCT's matrix, so that coefficients are
never stored and never cross the bus. Importing this module imports torch.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import nn

from spectell.detectors.parts import Float64Array
from spectell.detectors.streaming import safe_scale
from spectell.transforms.dct import dct_matrix

__all__ = ["InputLayer", "feature_statistics"]

_MIDDLE = 128.0
"""Of the pixel values."""


class InputLayer(nn.Module):
    """Pixel values between -1 and 1, or log-magnitudes of the DCT, standardised.

    Parameters
    ----------
    size : int
        Side of a tile, in pixels.
    offset : float or None
        Added to a magnitude before its logarithm; None for pixel values.

    Examples
    --------
    A flat image has its mean and nothing else, here ln(10 * 2):

    >>> layer = InputLayer(2, 1e-12)
    >>> round(layer(torch.full((1, 2, 2, 3), 10, dtype=torch.uint8))[0, 0, 0, 0].item(), 3)
    2.996
    """

    matrix: torch.Tensor
    shift: torch.Tensor
    factor: torch.Tensor

    def __init__(self, size: int, offset: float | None) -> None:
        super().__init__()
        self.offset = offset
        self.register_buffer("matrix", torch.from_numpy(dct_matrix(size, "float32").copy()))
        self.standardise(np.zeros(size * size * 3), np.ones(size * size * 3))

    def standardise(self, mean: Float64Array, scale: Float64Array) -> None:
        """Use a mean and a scale, shape (D,) in the order row, column, channel; 0 and 1 change nothing."""
        size = len(self.matrix)
        planes = [
            torch.from_numpy(values.reshape(size, size, 3).transpose(2, 0, 1).astype(np.float32).copy())
            for values in (-mean / scale, 1 / scale)
        ]
        self._is_plain = not (mean.any() or (scale != 1).any())
        for name, plane in zip(("shift", "factor"), planes, strict=True):
            self.register_buffer(name, plane.to(self.matrix.device))

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Map uint8 of shape (N, S, S, 3) to float32 of shape (N, 3, S, S)."""
        planes = pixels.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
        if self.offset is None:
            values = planes.div_(127.5).sub_(1)
        else:
            # About the middle of the range, sums of many numbers lose less to rounding; the mean is put back exactly.
            columns = torch.matmul(planes.sub_(_MIDDLE), self.matrix.T)
            values = torch.matmul(self.matrix, columns)
            values[:, :, 0, 0] += _MIDDLE * len(self.matrix)
            values = values.abs_().add_(self.offset).log_()
        return values if self._is_plain else torch.addcmul(self.shift, values, self.factor)


def feature_statistics(layer: InputLayer, batches: Iterable[torch.Tensor]) -> tuple[Float64Array, Float64Array]:
    """Mean and scale of every feature over batches of pixels, by the pairwise update of Chan, Golub and LeVeque (1983).

    Parameters
    ----------
    layer : InputLayer
        One that does not standardise yet.
    batches : iterable of tensor of shape (N, S, S, 3), uint8

    Returns
    -------
    mean, scale : ndarray of shape (D,), float64
        In the order row, column, channel; the scale is 1 for a feature that never varies.
    """
    count = 0
    mean = squares = torch.zeros_like(layer.shift, dtype=torch.float64)
    for pixels in batches:
        values = layer(pixels).double()
        n = len(values)
        centre = values.mean(dim=0)
        delta = centre - mean
        squares = squares + values.sub_(centre).square_().sum(dim=0) + delta.square() * (count * n / (count + n))
        mean = mean + delta * (n / (count + n))
        count += n
    centres, variances = (_row(planes) for planes in (mean, squares / max(count, 1)))
    return centres, safe_scale(centres, variances)


def _row(planes: torch.Tensor) -> Float64Array:
    return np.asarray(planes.permute(1, 2, 0).cpu().numpy()).reshape(-1)
