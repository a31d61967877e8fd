"""What a network learned, run in NumPy: a verdict needs no PyTorch.

Convolutions are products of matrices: the squares that a kernel meets are laid side by side, some rows of the image at
a time so that they stay in the cache. Arrays are laid out as PyTorch has them, (channels, rows, columns), one tile at a
time. Equal to the trained network up to the rounding of single precision.
"""

from typing import Any, Self

import numpy as np

from spectell.detectors.heads import expect_parts
from spectell.detectors.network_plan import (
    CHANNELS,
    Activation,
    Convolution,
    Dense,
    Flatten,
    GlobalMean,
    Layer,
    Normalisation,
    Pool,
    Residual,
    make_plan,
    parameter_shapes,
)
from spectell.detectors.parts import Arrays, Float32Array, Float64Array, take_array
from spectell.errors import ArtifactError, ParameterError

__all__ = ["NetworkHead"]

_CACHED = 1_000_000
"""Bytes of squares that are laid side by side at a time."""


class NetworkHead:
    """A network of a known architecture over the standardised features of a tile.

    With two classes it has one output, the log-odds of the larger label; with more, one output a class, of which the
    softmax is the probability. `decide` gives the log-odds of all generated classes together.

    Parameters
    ----------
    architecture : {"mlp", "cnn", "resnet", "yu2019"}
    size : int
        Side of a tile, in pixels.
    n_classes : int >= 2
    arrays : mapping of str to array
        See `spectell.detectors.network_plan.parameter_shapes`; kept as `float32`.

    Raises
    ------
    ParameterError
        If there is no such architecture, or the tiles are too small for it.
    ArtifactError
        If the arrays are not those of the architecture.

    Examples
    --------
    A perceptron of one pixel whose first hidden unit is the red channel, and doubled:

    >>> arrays = {name: np.zeros(shape) for name, shape in parameter_shapes(make_plan("mlp", 1, 1)).items()}
    >>> arrays["1.weight"][0, 0], arrays["3.weight"][0, 0] = 1.0, 2.0
    >>> NetworkHead("mlp", 1, 2, arrays).decide(np.array([[3.0, 9.0, 9.0], [-1.0, 9.0, 9.0]], np.float32)).tolist()
    [6.0, 0.0]
    """

    name = "network"

    def __init__(self, architecture: str, size: int, n_classes: int, arrays: Arrays) -> None:
        if type(n_classes) is not int or n_classes < 2:
            raise ParameterError(f"n_classes must be a whole number from 2 up, got {n_classes!r}")
        self.architecture, self.size, self.n_classes = architecture, size, n_classes
        self._layers = make_plan(architecture, size, 1 if n_classes == 2 else n_classes)
        shapes = parameter_shapes(self._layers)
        expect_parts(self.name, self.config, arrays, config_keys=set(self.config), names=set(shapes))
        self._arrays = {name: take_array(arrays, name, shape) for name, shape in shapes.items()}

    @property
    def config(self) -> dict[str, Any]:
        """Architecture, side of a tile, number of classes."""
        return {"architecture": self.architecture, "size": self.size, "n_classes": self.n_classes}

    @property
    def arrays(self) -> dict[str, Float32Array]:
        """Weights and biases, by the place of their layer."""
        return dict(self._arrays)

    @property
    def n_features(self) -> int:
        """Length of a row that it accepts."""
        return CHANNELS * self.size * self.size

    def outputs(self, rows: Float32Array) -> Float64Array:
        """Map standardised features, shape (T, D), to (T, 1) for two classes, else (T, K)."""
        found = [_run(self._layers, self._arrays, self._planes(row)) for row in np.asarray(rows, np.float32)]
        return np.array(found, np.float64)

    def _planes(self, row: Float32Array) -> Float32Array:
        return np.ascontiguousarray(row.reshape(self.size, self.size, CHANNELS).transpose(2, 0, 1))

    def classify(self, rows: Float32Array) -> Float64Array:
        """One output a class, shape (T, K); the first of two classes has 0."""
        outputs = self.outputs(rows)
        return np.hstack([np.zeros_like(outputs), outputs]) if self.n_classes == 2 else outputs

    def decide(self, rows: Float32Array) -> Float64Array:
        """Log-odds that a tile is of a generated class, shape (T,)."""
        scores = self.classify(rows)
        return np.asarray(np.logaddexp.reduce(scores[:, 1:], axis=1) - scores[:, 0])

    @classmethod
    def from_config(cls, config: dict[str, Any], arrays: Arrays) -> Self:
        """Make the head again; raises `ArtifactError` or `ParameterError` if a part does not fit."""
        if set(config) != {"architecture", "size", "n_classes"} or not isinstance(config["architecture"], str):
            raise ArtifactError("the head 'network' must state its architecture, size and n_classes, and nothing else")
        return cls(**config, arrays=arrays)


def _run(layers: tuple[Layer, ...], arrays: dict[str, Float32Array], values: Float32Array, prefix: str = "") -> Any:
    """Apply layers to one tile, shape (C, H, W), or to one row, shape (D,)."""
    for place, layer in enumerate(layers):
        name = f"{prefix}{place}"
        if isinstance(layer, Residual):
            values = values + _run(layer.layers, arrays, values, f"{name}.")
        elif isinstance(layer, Convolution | Dense | Normalisation):
            values = _apply(layer, values, arrays[f"{name}.weight"], arrays[f"{name}.bias"])
        else:
            values = _reshape(layer, values)
    return values


def _apply(
    layer: Convolution | Dense | Normalisation, values: Float32Array, weight: Float32Array, bias: Float32Array
) -> Float32Array:
    if isinstance(layer, Convolution):
        return _convolve(values, weight, bias, layer.padding)
    if isinstance(layer, Dense):
        return np.asarray(weight @ values + bias)
    return np.asarray(values * weight[:, np.newaxis, np.newaxis] + bias[:, np.newaxis, np.newaxis])


def _reshape(layer: Layer, values: Float32Array) -> Float32Array:
    if isinstance(layer, Activation):
        return np.maximum(values, np.float32(layer.slope) * values if layer.slope else np.float32(0))
    if isinstance(layer, Pool):
        return _pool(values, layer)
    if isinstance(layer, GlobalMean):
        return np.asarray(values.mean(axis=(1, 2)))
    return values.ravel() if isinstance(layer, Flatten) else values


def _convolve(values: Float32Array, weight: Float32Array, bias: Float32Array, padding: str) -> Float32Array:
    if padding != "valid":
        sides = ((0, 0), (1, 1), (1, 1))
        values = np.pad(values, sides, mode="reflect") if padding == "reflect" else np.pad(values, sides)
    channels, height, width = values.shape[0], values.shape[1] - 2, values.shape[2] - 2
    matrix = weight.reshape(len(weight), -1)
    found = np.empty((len(weight), height, width), np.float32)
    step = max(1, min(height, _CACHED // max(4 * width * matrix.shape[1], 1)))
    squares = np.empty((channels, 3, 3, step, width), np.float32)
    for top in range(0, height, step):
        n = min(step, height - top)
        for i in range(3):
            for j in range(3):
                squares[:, i, j, :n] = values[:, top + i : top + i + n, j : j + width]
        side_by_side = squares[:, :, :, :n].reshape(matrix.shape[1], n * width)
        found[:, top : top + n] = (matrix @ side_by_side).reshape(-1, n, width)
    found += bias[:, np.newaxis, np.newaxis]
    return found


def _pool(values: Float32Array, layer: Pool) -> Float32Array:
    side = layer.side
    rows, columns = values.shape[1] // side * side, values.shape[2] // side * side
    parts = [values[:, i:rows:side, j:columns:side] for i in range(side) for j in range(side)]
    if layer.kind == "max":
        return np.asarray(np.maximum.reduce(parts))
    return np.asarray(sum(parts[1:], start=parts[0]) * np.float32(1 / side**2))
