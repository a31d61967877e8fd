"""The architectures of the networks, as lists of layers that know neither PyTorch nor NumPy.

One definition for both sides: `networks.modules` makes a trainable network of a plan, `network_head` runs what was
learned in NumPy. Arrays of a layer are called by its place in the list: ``0.weight``, ``0.bias``, and ``5.2.weight``
for the third layer within a residual block that is the sixth.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from spectell.errors import ParameterError

__all__ = [
    "ARCHITECTURES",
    "Activation",
    "Convolution",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalMean",
    "Layer",
    "Normalisation",
    "Pool",
    "Residual",
    "count_parameters",
    "make_plan",
    "named_layers",
    "parameter_shapes",
]

_BLOCKS = 10
"""Residual blocks of `resnet`."""

_WIDEST = 512
"""Channels of `yu2019` at the smallest size."""

CHANNELS = 3


@dataclass(frozen=True, slots=True)
class Convolution:
    """Kernels of 3 x 3 and a bias a channel.

    Parameters
    ----------
    inputs, outputs : int
        Channels.
    padding : {"same", "valid", "reflect"}
        Zeros around the image, nothing, or the image mirrored without its outermost pixels.
    equalised : bool
        Weights are drawn with deviation 1 and multiplied with He's constant whenever they are used.
    """

    inputs: int
    outputs: int
    padding: Literal["same", "valid", "reflect"] = "same"
    equalised: bool = False


@dataclass(frozen=True, slots=True)
class Dense:
    """A weighted sum for each output, and a bias; `gain` is that of the drawn weights where they are equalised."""

    inputs: int
    outputs: int
    equalised: bool = False
    gain: float = math.sqrt(2)


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Batch normalisation: in use, a factor and a summand a channel."""

    channels: int


@dataclass(frozen=True, slots=True)
class Activation:
    """The larger of a value and `slope` times the value: ReLU where the slope is 0."""

    slope: float = 0.0


@dataclass(frozen=True, slots=True)
class Pool:
    """Mean or maximum of squares that do not overlap; rows and columns that remain are dropped."""

    side: int
    kind: Literal["mean", "max"] = "mean"


@dataclass(frozen=True, slots=True)
class GlobalMean:
    """Mean of each channel."""


@dataclass(frozen=True, slots=True)
class Flatten:
    """One row of numbers, in the order channel, row, column."""


@dataclass(frozen=True, slots=True)
class Dropout:
    """In training, a share of the values becomes 0; in use, nothing happens."""

    rate: float


@dataclass(frozen=True, slots=True)
class Residual:
    """The input plus what some layers make of it."""

    layers: "tuple[Layer, ...]"


Layer = Convolution | Dense | Normalisation | Activation | Pool | GlobalMean | Flatten | Dropout | Residual


def make_plan(architecture: str, size: int, n_outputs: int) -> tuple[Layer, ...]:
    """Return the layers of an architecture.

    Parameters
    ----------
    architecture : {"mlp", "cnn", "resnet", "yu2019"}
    size : int
        Side of a tile, in pixels: the input has three channels.
    n_outputs : int >= 1
        One for two classes, else one a class.

    Raises
    ------
    ParameterError
        If there is no such architecture, or the tiles are too small for it.

    Examples
    --------
    >>> make_plan("mlp", 8, 1)
    (Flatten(), Dense(inputs=192, outputs=128, equalised=False, gain=1.4142135623730951), Activation(slope=0.0),
     Dense(inputs=128, outputs=1, equalised=False, gain=1.4142135623730951))
    >>> count_parameters(make_plan("cnn", 128, 5))
    169961
    """
    if architecture not in ARCHITECTURES:
        raise ParameterError(f"architecture must be one of {', '.join(ARCHITECTURES)}, got {architecture!r}")
    if type(n_outputs) is not int or not 1 <= n_outputs <= 10_000:
        raise ParameterError(f"n_outputs must be a whole number from 1 to 10000, got {n_outputs!r}")
    least, build = ARCHITECTURES[architecture]
    if type(size) is not int or not least <= size <= 4096:
        raise ParameterError(f"the network {architecture!r} takes tiles of {least} to 4096 pixels, got {size!r}")
    return build(size, n_outputs)


def _mlp(size: int, n_outputs: int) -> tuple[Layer, ...]:
    return (Flatten(), Dense(CHANNELS * size * size, 128), Activation(), Dense(128, n_outputs))


def _cnn(size: int, n_outputs: int) -> tuple[Layer, ...]:
    layers: list[Layer] = []
    for inputs, outputs, pooled in ((CHANNELS, 3, False), (3, 8, True), (8, 16, True), (16, 32, False)):
        layers += [Convolution(inputs, outputs), Activation(), *([Pool(2)] if pooled else [])]
    return (*layers, Flatten(), Dense(32 * (size // 4) ** 2, n_outputs))


def _resnet(size: int, n_outputs: int) -> tuple[Layer, ...]:  # noqa: ARG001 - its last layers take any size
    block: tuple[Layer, ...] = (Convolution(64, 64), Activation(), Normalisation(64))
    block += (Convolution(64, 64), Normalisation(64))
    layers: list[Layer] = [Convolution(CHANNELS, 32, "valid"), Activation(), Convolution(32, 64, "valid"), Activation()]
    layers.append(Pool(3, "max"))
    for _ in range(_BLOCKS):
        layers += [Residual(block), Activation()]
    layers += [Convolution(64, 64, "valid"), Activation(), GlobalMean()]
    return (*layers, Dense(64, 256), Activation(), Dropout(0.5), Dense(256, n_outputs))


def _yu2019(size: int, n_outputs: int) -> tuple[Layer, ...]:
    halvings = size.bit_length() - 3  # a size of 4 to 7 is left
    layers: list[Layer] = []
    channels = CHANNELS

    def convolve(outputs: int) -> None:
        nonlocal channels
        layers.extend([Convolution(channels, outputs, "reflect", equalised=True), Activation(0.2)])
        channels = outputs

    for level in range(halvings, 0, -1):
        for outputs in (1024 >> (level + 1), 1024 >> level):
            convolve(min(max(outputs, 1), _WIDEST))
        layers.append(Pool(2))
    convolve(_WIDEST)
    left = size >> halvings
    layers += [Flatten(), Dense(channels * left * left, _WIDEST, equalised=True), Activation(0.2)]
    return (*layers, Dense(_WIDEST, n_outputs, equalised=True, gain=1.0))


ARCHITECTURES: dict[str, tuple[int, Callable[[int, int], tuple[Layer, ...]]]] = {
    "mlp": (1, _mlp),
    "cnn": (4, _cnn),
    "resnet": (13, _resnet),
    "yu2019": (8, _yu2019),
}
"""By name: the smallest side of a tile, and what gives the layers for a side and a number of outputs."""


def named_layers(layers: tuple[Layer, ...], prefix: str = "") -> Iterator[tuple[str, Layer]]:
    """Yield every layer that is not a block of others, with its place in the list."""
    for place, layer in enumerate(layers):
        if isinstance(layer, Residual):
            yield from named_layers(layer.layers, f"{prefix}{place}.")
        else:
            yield f"{prefix}{place}", layer


def parameter_shapes(layers: tuple[Layer, ...]) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array by its name.

    Examples
    --------
    >>> parameter_shapes((Convolution(3, 8), Activation()))
    {'0.weight': (8, 3, 3, 3), '0.bias': (8,)}
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for name, layer in named_layers(layers):
        if isinstance(layer, Convolution):
            shapes |= {f"{name}.weight": (layer.outputs, layer.inputs, 3, 3), f"{name}.bias": (layer.outputs,)}
        elif isinstance(layer, Dense):
            shapes |= {f"{name}.weight": (layer.outputs, layer.inputs), f"{name}.bias": (layer.outputs,)}
        elif isinstance(layer, Normalisation):
            shapes |= {f"{name}.weight": (layer.channels,), f"{name}.bias": (layer.channels,)}
    return shapes


def count_parameters(layers: tuple[Layer, ...]) -> int:
    """Return how many numbers are learned; running means and deviations of a normalisation are not among them.

    Examples
    --------
    Three channels of 2 x 2 pixels: 12 x 128 weights and 128 biases, then 128 weights and a bias.

    >>> count_parameters(make_plan("mlp", 2, 1)) == 12 * 128 + 128 + 128 + 1
    True
    """
    return sum(math.prod(shape) for shape in parameter_shapes(layers).values())
