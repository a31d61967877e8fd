"""What a trained network answers, many images at a time on the device that trained it. Importing it imports torch.

`NetworkDetector.decision_function` answers the same in NumPy, one image after the other, which is what a verdict needs;
an experiment asks for thousands.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from spectell.detectors.network_plan import Layer, Normalisation, make_plan, named_layers
from spectell.detectors.networks.base import NetworkDetector
from spectell.detectors.networks.feed import Feed
from spectell.detectors.networks.input_layer import InputLayer
from spectell.detectors.networks.modules import make_network
from spectell.detectors.parts import Float32Array, Float64Array
from spectell.detectors.tiles import Tiles

__all__ = ["network_outputs"]


def network_outputs(detector: NetworkDetector, tiles: Tiles) -> Float64Array:
    """Return what a fitted detector answers to tiles.

    Parameters
    ----------
    detector : NetworkDetector
        Its device is used.
    tiles : Tiles
        Of the size that it learned from.

    Returns
    -------
    outputs : ndarray of shape (M, 1) for two classes, else (M, K)
        Of each tile, equal to those of its head in NumPy but for rounding.
    """
    n_classes = len(detector.classes_)
    layers = make_plan(detector.architecture, detector.size_, 1 if n_classes == 2 else n_classes)
    device = torch.device(detector.device)
    network = make_network(layers, seed=0)
    _load(network, layers, detector.arrays_)
    network.to(device).eval()
    features = InputLayer(detector.size_, detector.offset if detector.domain == "dct" else None).to(device)
    features.standardise(detector.mean_, detector.scale_)
    with torch.inference_mode():
        parts = [network(features(pixels)).double().cpu().numpy() for pixels in Feed(tiles, device)]
    return np.concatenate(parts)


def _load(network: nn.Sequential, layers: tuple[Layer, ...], arrays: dict[str, Float32Array]) -> None:
    """Put what was learned in the places of weights; a normalisation is a factor and a summand, without statistics."""
    for name, layer in named_layers(layers):
        if f"{name}.weight" not in arrays:
            continue
        module: Any = network.get_submodule(name)
        module.weight = nn.Parameter(torch.from_numpy(arrays[f"{name}.weight"].copy()))
        module.bias = nn.Parameter(torch.from_numpy(arrays[f"{name}.bias"].copy()))
        if isinstance(layer, Normalisation):
            module.running_mean.zero_()
            module.running_var.fill_(1.0 - module.eps)
        else:
            module.factor = 1.0
