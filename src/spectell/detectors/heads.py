"""Heads: from standardised features to one raw number an image, higher for generated.

NumPy only, since every verdict passes through one. A head is a part of a model file (see `parts`): `config`
and `arrays` are all that it is, and `from_config` makes it again.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from spectell.detectors.parts import Arrays, Float32Array, Float64Array, prefixed, take_array, under
from spectell.errors import ArtifactError, ParameterError

__all__ = ["AverageHead", "Head", "LinearHead", "MLPHead", "expect_parts"]


class Head(Protocol):
    """What a model asks of a head."""

    name: str

    @property
    def config(self) -> dict[str, Any]:
        """What the card says about the head."""

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What the file holds of it."""

    @property
    def n_features(self) -> int:
        """Length of a row that it accepts."""

    def decide(self, rows: Float32Array) -> Float64Array:
        """Map standardised features, shape (T, D), to raw outputs, shape (T,)."""

    @classmethod
    def from_config(cls, config: dict[str, Any], arrays: Arrays) -> Self:
        """Make the head again from its parts of a model file."""


class LinearHead:
    """Weighted sum of the features, plus a constant.

    Parameters
    ----------
    weights : array_like of shape (D,)
        One weight a standardised feature; kept as `float32`.
    intercept : float

    Examples
    --------
    >>> LinearHead([1.0, -2.0], 0.5).decide(np.array([[3.0, 1.0]], np.float32)).tolist()
    [1.5]
    """

    name = "linear"

    def __init__(self, weights: npt.ArrayLike, intercept: float) -> None:
        self.weights = take_array({"weights": np.asarray(weights, np.float64)}, "weights", (None,))
        self.intercept = float(intercept)

    @property
    def config(self) -> dict[str, Any]:
        """Nothing: the arrays say it all."""
        return {}

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """``weights`` (D,) and ``intercept`` (1,)."""
        return {"weights": self.weights, "intercept": np.array([self.intercept])}

    @property
    def n_features(self) -> int:
        """Length of a row that it accepts."""
        return len(self.weights)

    def decide(self, rows: Float32Array) -> Float64Array:
        """Map standardised features, shape (T, D), to raw outputs, shape (T,)."""
        return np.asarray(rows @ self.weights, dtype=np.float64) + self.intercept

    @classmethod
    def from_config(cls, config: dict[str, Any], arrays: Arrays) -> Self:
        """Make the head again; raises `ArtifactError` if a part does not fit."""
        expect_parts(cls.name, config, arrays, config_keys=set(), names={"weights", "intercept"})
        return cls(take_array(arrays, "weights", (None,)), float(_float64(arrays, "intercept")[0]))


def _float64(arrays: Arrays, name: str) -> Float64Array:
    """Return a constant without the rounding of `take_array`, which checks it."""
    take_array(arrays, name, (1,))
    return np.asarray(arrays[name], dtype=np.float64)


def expect_parts(head: str, config: dict[str, Any], arrays: Arrays, *, config_keys: set[str], names: set[str]) -> None:
    """Raise `ArtifactError` unless a head's configuration and arrays have exactly these names."""
    if set(config) != config_keys:
        raise ArtifactError(
            f"the configuration of the head {head!r} must hold {sorted(config_keys)}, got {sorted(config)}"
        )
    if set(arrays) != names:
        wrong = sorted(set(arrays) ^ names)[0]
        verb = "lacks the" if wrong in names else "has an unknown"
        raise ArtifactError(f"the head {head!r} {verb} array {wrong[:60]!r}")


def _relu(values: Float32Array) -> Float32Array:
    return np.maximum(values, np.float32(0))


def _tanh(values: Float32Array) -> Float32Array:
    return np.tanh(values)


_CHUNK = 64


class _Layer:
    """Rows times weights, in products so small that the linear algebra library keeps each on one thread.

    One large product would start every thread for a tenth of a millisecond's work, and where other processes hold the
    cores (a scan has one a core) it then waits for them: measured 10 ms instead of 0.1.
    """

    def __init__(self, weights: Float32Array, bias: Float32Array) -> None:
        self.weights, self.bias = weights, bias
        self._whole = len(weights) // _CHUNK * _CHUNK
        self._chunks: Float32Array = weights[: self._whole].reshape(-1, _CHUNK, weights.shape[1])
        self._rest: Float32Array = weights[self._whole :]

    def apply(self, rows: Float32Array) -> Float32Array:
        """Map (T, inputs) to (T, outputs)."""
        chunks = rows[:, : self._whole].reshape(len(rows), len(self._chunks), 1, _CHUNK)
        products = np.matmul(chunks, self._chunks).sum(axis=(1, 2))
        return np.asarray(products + rows[:, self._whole :] @ self._rest + self.bias)


ACTIVATIONS: dict[str, Callable[[Float32Array], Float32Array]] = {"relu": _relu, "tanh": _tanh}


def _kept(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return an array in the precision that a file keeps it in: half stays half, all else becomes single."""
    array = np.asarray(values)
    return array if array.dtype == np.float16 else array.astype(np.float32)


class MLPHead:
    """Multilayer perceptron with one output.

    Parameters
    ----------
    layers : sequence of (weights, bias) pairs
        Weights of shape (inputs, outputs), as they multiply a row from the right, and bias of shape (outputs,);
        the last layer has one output. Arrays in half precision stay so in a file, and are computed with in single.
    activation : {"relu", "tanh"}
        Between layers, not after the last.
    clip : float > 0, optional
        Standardised features beyond it, on either side, are taken as it: an image unlike the training images must
        not get a score that no training image had.

    Raises
    ------
    ParameterError
        If there is no layer, the sizes do not follow one another, the activation is unknown, or `clip` is not positive.

    Examples
    --------
    The distance from zero needs one hidden layer of two:

    >>> head = MLPHead([([[1.0, -1.0]], [0.0, 0.0]), ([[1.0], [1.0]], [0.0])])
    >>> head.decide(np.array([[-3.0], [2.0]], np.float32)).tolist()
    [3.0, 2.0]
    """

    name = "mlp"

    def __init__(
        self,
        layers: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]],
        activation: str = "relu",
        clip: float | None = None,
    ) -> None:
        if activation not in ACTIVATIONS:
            raise ParameterError(f"activation must be one of {', '.join(ACTIVATIONS)}, got {activation!r}")
        if clip is not None and not 0 < clip < np.inf:
            raise ParameterError(f"clip must be positive and finite, got {clip!r}")
        self.activation = activation
        self.clip = clip
        self._kept = [(_kept(weights), _kept(bias)) for weights, bias in layers]
        pairs = [(weights.astype(np.float32), bias.astype(np.float32)) for weights, bias in self._kept]
        shapes = [(weights.shape, bias.shape) for weights, bias in pairs]
        sizes = [shape[0] for shape, _ in shapes if len(shape) == 2] + [1]
        if len(sizes) < 2 or shapes != [((n, m), (m,)) for n, m in itertools.pairwise(sizes)]:
            raise ParameterError(f"layers must follow one another and end in one output, got shapes {shapes}")
        self._layers = [_Layer(weights, bias) for weights, bias in pairs]

    @property
    def config(self) -> dict[str, Any]:
        """Number of layers, the activation and the clipping."""
        return {"layers": len(self._layers), "activation": self.activation, "clip": self.clip}

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """``0.weights``, ``0.bias``, ``1.weights`` and so on; in half precision where they were given so."""
        named: dict[str, npt.NDArray[Any]] = {}
        for i, (weights, bias) in enumerate(self._kept):
            named |= {f"{i}.weights": weights, f"{i}.bias": bias}
        return named

    @property
    def n_features(self) -> int:
        """Length of a row that it accepts."""
        return len(self._layers[0].weights)

    @property
    def layers(self) -> list[tuple[Float32Array, Float32Array]]:
        """Weights (inputs, outputs) and bias (outputs,) of each layer, in single precision."""
        return [(layer.weights, layer.bias) for layer in self._layers]

    def decide(self, rows: Float32Array) -> Float64Array:
        """Map standardised features, shape (T, D), to raw outputs, shape (T,)."""
        values = rows if self.clip is None else np.clip(rows, -np.float32(self.clip), np.float32(self.clip))
        for i, layer in enumerate(self._layers):
            values = layer.apply(ACTIVATIONS[self.activation](values) if i else values)
        return values[:, 0].astype(np.float64)

    @classmethod
    def from_config(cls, config: dict[str, Any], arrays: Arrays) -> Self:
        """Make the head again; raises `ArtifactError` if a part does not fit."""
        n_layers = config.get("layers")
        if type(n_layers) is not int or not 1 <= n_layers <= 100:
            raise ArtifactError(f"the head 'mlp' must have 1 to 100 layers, got {str(n_layers)[:20]}")
        names = {f"{i}.{part}" for i in range(n_layers) for part in ("weights", "bias")}
        expect_parts(cls.name, config, arrays, config_keys={"layers", "activation", "clip"}, names=names)
        clip = config["clip"]
        if clip is not None and (isinstance(clip, bool) or not isinstance(clip, int | float)):
            raise ArtifactError(f"the head 'mlp' must clip at a number or not at all, got {str(clip)[:20]}")
        for i in range(n_layers):
            take_array(arrays, f"{i}.weights", (None, None))
            take_array(arrays, f"{i}.bias", (None,))
        layers = [(arrays[f"{i}.weights"], arrays[f"{i}.bias"]) for i in range(n_layers)]
        try:
            return cls(layers, str(config["activation"]), clip)
        except ParameterError as error:
            raise ArtifactError(f"the head 'mlp' does not fit: {error}") from None


class AverageHead:
    """Mean of several heads over the same features.

    Parameters
    ----------
    heads : sequence of Head, at least one

    Raises
    ------
    ParameterError
        If there is no head, or they accept different numbers of features.

    Examples
    --------
    >>> head = AverageHead([LinearHead([1.0], 0.0), LinearHead([3.0], 1.0)])
    >>> head.decide(np.array([[2.0]], np.float32)).tolist()
    [4.5]
    """

    name = "average"

    def __init__(self, heads: Sequence[Head]) -> None:
        self.heads = list(heads)
        if len({head.n_features for head in self.heads}) != 1:
            raise ParameterError(
                f"heads must accept the same number of features, got {[head.n_features for head in self.heads]}"
            )

    @property
    def config(self) -> dict[str, Any]:
        """Name and configuration of each head."""
        return {"heads": [{"name": head.name, "config": head.config} for head in self.heads]}

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Each head's arrays below its number."""
        named: dict[str, npt.NDArray[Any]] = {}
        for i, head in enumerate(self.heads):
            named |= prefixed(str(i), head.arrays)
        return named

    @property
    def n_features(self) -> int:
        """Length of a row that it accepts."""
        return self.heads[0].n_features

    def decide(self, rows: Float32Array) -> Float64Array:
        """Map standardised features, shape (T, D), to raw outputs, shape (T,)."""
        return np.asarray(np.mean([head.decide(rows) for head in self.heads], axis=0))

    @classmethod
    def from_config(cls, config: dict[str, Any], arrays: Arrays) -> Self:
        """Make the head again; raises `ArtifactError` if a part does not fit."""
        from spectell.detectors.registry import load_head

        parts = config.get("heads")
        if set(config) != {"heads"} or not isinstance(parts, list) or not 1 <= len(parts) <= 100:
            raise ArtifactError("the head 'average' must list 1 to 100 heads")
        if stray := [name for name in arrays if name.partition(".")[0] not in set(map(str, range(len(parts))))]:
            raise ArtifactError(f"the head 'average' has an unknown array {stray[0][:60]!r}")
        heads = []
        for i, part in enumerate(parts):
            if not isinstance(part, dict) or set(part) != {"name", "config"} or part["name"] == cls.name:
                raise ArtifactError(f"head {i} of the average must have a name and a config, and be no average itself")
            heads.append(load_head(part["name"], part["config"], under(str(i), arrays)))
        try:
            return cls(heads)
        except ParameterError as error:
            raise ArtifactError(f"the head 'average' does not fit: {error}") from None
