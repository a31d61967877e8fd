"""The classifier: networks of one hidden layer on standardised features, trained with torch, shipped as arrays."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recipes.default_model.table import Table

__all__ = ["CLIP", "Networks", "fit_networks", "row_weights"]

Floats = npt.NDArray[np.float32]
HIDDEN = 64
"""Units: the weights of 128 fill the cache that decoding needs, and each cost a verdict on a small file a tenth."""
NETWORKS = 1
"""Networks that differ in their seed only; the model is their mean."""
EPOCHS = 16
BATCH = 256
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-3
SHARES = {"simulated": 0.5}
"""Weight of a generator beside the others'; simulated traces help with unseen generators and cost with seen ones."""
SMALLEST_SCALE = 1e-3
"""Added to a standard deviation: dead features would otherwise shout."""
CLIP = 6.0
"""Standardised features are clipped, in training and in the model, so that one odd picture cannot shout either."""


Layers = tuple[tuple[Floats, Floats], ...]


@dataclass(frozen=True)
class Networks:
    """Standardisation, and the layers of each network."""

    mean: Floats
    scale: Floats
    members: tuple[Layers, ...]

    def decide(self, features: npt.NDArray[np.float16], chunk: int = 4096) -> npt.NDArray[np.float64]:
        """Raw outputs of rows, shape (N,): means over the networks."""
        outputs = np.empty(len(features))
        for start in range(0, len(features), chunk):
            rows = _standardise(features[start : start + chunk], self.mean, self.scale)
            found = [
                np.maximum(rows @ first + first_bias, 0) @ second + second_bias
                for (first, first_bias), (second, second_bias) in self.members
            ]
            outputs[start : start + chunk] = np.mean(found, axis=0)[:, 0]
        return outputs


def row_weights(table: Table, rows: npt.NDArray[np.intp]) -> Floats:
    """Weights with mean one: both classes alike; within a class each source or generator by the root of its size."""
    labels = table.labels[rows]
    cells = np.where(labels == 1, table.generator[rows], table.source[rows])
    sizes = Counter(cells.tolist())
    weights = np.array([sizes[cell] ** -0.5 * SHARES.get(cell, 1.0) for cell in cells.tolist()])
    for label in (0, 1):
        weights[labels == label] /= weights[labels == label].sum()
    return (weights / weights.mean()).astype(np.float32)


def fit_networks(table: Table, rows: npt.NDArray[np.intp], seed: int) -> Networks:
    """Train on the given rows of the table."""
    import torch

    sample = table.features[rows[:: max(1, len(rows) // 20_000)]].astype(np.float32)
    mean, scale = sample.mean(axis=0), sample.std(axis=0) + SMALLEST_SCALE
    standardised = np.empty((len(rows), len(mean)), np.float32)
    for start in range(0, len(rows), 4096):
        standardised[start : start + 4096] = _standardise(table.features[rows[start : start + 4096]], mean, scale)
    inputs = torch.from_numpy(standardised)
    targets = torch.from_numpy(table.labels[rows].astype(np.float32))
    weights = torch.from_numpy(row_weights(table, rows))
    members = tuple(_fit_one(inputs, targets, weights, seed * NETWORKS + i) for i in range(NETWORKS))
    return Networks(mean, scale, members)


def _fit_one(inputs: Any, targets: Any, weights: Any, seed: int) -> Layers:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    torch.manual_seed(seed)
    network = torch.nn.Sequential(torch.nn.Linear(inputs.shape[1], HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 1))
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    n_steps = len(inputs) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=EPOCHS * n_steps)
    for _ in range(EPOCHS):
        shuffled = torch.randperm(len(inputs))
        for step in range(n_steps):
            batch = shuffled[step * BATCH : (step + 1) * BATCH]
            outputs = network(inputs[batch])[:, 0]
            losses = binary_cross_entropy_with_logits(outputs, targets[batch], reduction="none")
            loss = (losses * weights[batch]).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return tuple(
        (layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy().copy())
        for layer in (network[0], network[2])
    )


def _standardise(features: npt.NDArray[np.float16], mean: Floats, scale: Floats) -> Floats:
    return np.asarray(np.clip((features.astype(np.float32) - mean) / scale, -CLIP, CLIP))
