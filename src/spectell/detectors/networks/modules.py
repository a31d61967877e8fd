"""Trainable networks of a plan, and back: what they learned as arrays. Importing this module imports torch.

Weights begin as the authors of each network began them: Glorot's uniform draw and no bias, or for equalised layers
normal draws of deviation 1 that are multiplied with He's constant at every use.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from spectell.detectors.network_plan import (
    Activation,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    GlobalMean,
    Layer,
    Normalisation,
    Pool,
    Residual,
    named_layers,
)
from spectell.detectors.parts import Float32Array

__all__ = ["learned_arrays", "make_network"]

_EPSILON = 1e-3
"""Of batch normalisation, as Keras has it. Running means follow with PyTorch's 0.1, not with Keras's 0.01: a small data
set has too few steps for that."""


class _Convolution(nn.Conv2d):
    def __init__(self, layer: Convolution) -> None:
        mode: Literal["reflect", "zeros"] = "reflect" if layer.padding == "reflect" else "zeros"
        super().__init__(
            layer.inputs, layer.outputs, 3, padding=0 if layer.padding == "valid" else 1, padding_mode=mode
        )
        self.factor = _begin(self.weight, self.bias, equalised=layer.equalised, gain=math.sqrt(2))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self._conv_forward(values, _used(self.weight, self.factor), self.bias)
        return found


class _Dense(nn.Linear):
    def __init__(self, layer: Dense) -> None:
        super().__init__(layer.inputs, layer.outputs)
        self.factor = _begin(self.weight, self.bias, equalised=layer.equalised, gain=layer.gain)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return nn.functional.linear(values, _used(self.weight, self.factor), self.bias)


class _Residual(nn.Sequential):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        found = values
        for module in self:
            found = module(found)
        return values + found


class _GlobalMean(nn.Module):
    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return values.mean(dim=(2, 3))


def _begin(weight: torch.Tensor, bias: torch.Tensor | None, *, equalised: bool, gain: float) -> float:
    """Draw the weights, and return what they are multiplied with at every use."""
    if bias is not None:
        nn.init.zeros_(bias)
    if not equalised:
        nn.init.xavier_uniform_(weight)
        return 1.0
    nn.init.normal_(weight)
    return gain / math.sqrt(weight[0].numel())


def _used(weight: torch.Tensor, factor: float) -> torch.Tensor:
    return weight if factor == 1 else weight * factor


def make_network(layers: tuple[Layer, ...], *, seed: int) -> nn.Sequential:
    """Make a network of a plan, with drawn weights.

    Parameters
    ----------
    layers : tuple of Layer
    seed : int
        The same seed gives the same weights; the generator of torch itself is left as it was.

    Examples
    --------
    >>> network = make_network((Flatten(), Dense(12, 2)), seed=0)
    >>> network(torch.zeros(5, 3, 2, 2)).tolist() == [[0.0, 0.0]] * 5
    True
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(*map(_module, layers))


def _module(layer: Layer) -> nn.Module:
    if isinstance(layer, Convolution):
        return _Convolution(layer)
    if isinstance(layer, Dense):
        return _Dense(layer)
    if isinstance(layer, Residual):
        return _Residual(*map(_module, layer.layers))
    if isinstance(layer, Normalisation):
        return nn.BatchNorm2d(layer.channels, eps=_EPSILON)
    return _plain_module(layer)


def _plain_module(layer: Activation | Pool | GlobalMean | Flatten | Dropout) -> nn.Module:
    if isinstance(layer, Activation):
        return nn.LeakyReLU(layer.slope, inplace=True) if layer.slope else nn.ReLU(inplace=True)
    if isinstance(layer, Pool):
        return nn.AvgPool2d(layer.side) if layer.kind == "mean" else nn.MaxPool2d(layer.side)
    if isinstance(layer, Dropout):
        return nn.Dropout(layer.rate)
    return nn.Flatten() if isinstance(layer, Flatten) else _GlobalMean()


def learned_arrays(network: nn.Sequential, layers: tuple[Layer, ...]) -> dict[str, Float32Array]:
    """Return what a `NetworkHead` needs: factors multiplied in, normalisations as a factor and a summand a channel."""
    found: dict[str, Float32Array] = {}
    for name, layer in named_layers(layers):
        module: Any = network.get_submodule(name)
        if isinstance(layer, Normalisation):
            found |= {f"{name}.{key}": value for key, value in _affine(module).items()}
        elif isinstance(layer, Convolution | Dense):
            weight = _used(module.weight, module.factor)
            found |= {f"{name}.weight": _array(weight), f"{name}.bias": _array(module.bias)}
    return found


def _affine(module: Any) -> dict[str, Float32Array]:
    factor = module.weight / torch.sqrt(module.running_var + module.eps)
    return {"weight": _array(factor), "bias": _array(module.bias - module.running_mean * factor)}


def _array(tensor: torch.Tensor) -> Float32Array:
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), np.float32)
