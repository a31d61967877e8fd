"""A small autoencoder that is trained here, with the up-sampling of its decoder as the one parameter.

Encoder and decoder change the sides by a factor of four; sixteen values stand for sixteen pixels of three colours, so
that a reconstruction shows its original well and is not it. Without what residual blocks and the last stage add, the
network is linear, which training finds quickly: with a bend after every layer it is 2.7 dB behind after 400 steps.
Every layer but those that up-sample draws its first
weights from a stream of its own, named by seed and layer: networks that differ in the up-sampling alone start alike.
Importing this module imports torch.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from spectell.errors import ArtifactError
from spectell.generators.checkpoint import write_tensors
from spectell.generators.tensors import load_weights
from spectell.generators.upsampling import UPSAMPLINGS, make_upsampling

if TYPE_CHECKING:
    import os

__all__ = [
    "FACTOR",
    "FORMAT",
    "RADIUS",
    "SmallAutoencoder",
    "build_autoencoder",
    "load_autoencoder",
    "read_autoencoder_card",
    "save_autoencoder",
]

FACTOR = 4
"""The sides of a batch must be multiples of this."""
RADIUS = 48
"""Pixels beyond which nothing influences a pixel of the reconstruction: 47 with pixel shuffle, less with the others."""
FORMAT = "spectell-autoencoder-1"
"""What the card of a file calls its kind and version."""

_WIDTHS = (24, 32)
_LAST_WIDTH = 16
_LATENTS = 16
_LEAK = 0.2
_FIRST_SHARE = 0.3


class SmallAutoencoder(nn.Module):
    """Network from RGB (N, 3, H, W) to RGB of the same shape, both on the scale of [0, 1]; H and W multiples of 4.

    Parameters
    ----------
    upsampling : {"nearest", "bilinear", "binomial", "transposed", "pixelshuffle"}
        How each of the decoder's two stages doubles rows and columns; all else is the same.

    Raises
    ------
    ParameterError
        If `upsampling` is unknown.

    Examples
    --------
    >>> network = SmallAutoencoder("nearest").eval()
    >>> with torch.inference_mode():
    ...     network.encoder(torch.zeros(1, 3, 8, 12)).shape, network(torch.zeros(1, 3, 8, 12)).shape
    (torch.Size([1, 16, 2, 3]), torch.Size([1, 3, 8, 12]))
    """

    def __init__(self, upsampling: str) -> None:
        super().__init__()
        half, quarter = _WIDTHS
        self.upsampling = upsampling
        self.encoder = nn.Sequential(
            nn.Conv2d(3, half, 4, stride=2, padding=1),
            nn.Conv2d(half, quarter, 4, stride=2, padding=1),
            _Residual(quarter),
            _conv(quarter, _LATENTS),
        )
        self.decoder = _Decoder(upsampling)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Reconstruct a batch; values may leave [0, 1] a little."""
        decoded: torch.Tensor = self.decoder(self.encoder(images * 2 - 1))
        return (decoded + 1) / 2


class _Decoder(nn.Module):
    """From latents to colours in two doublings: a plain picture at half the size, enlarged, and what is added to it."""

    def __init__(self, upsampling: str) -> None:
        super().__init__()
        half, quarter = _WIDTHS
        self.first = nn.Sequential(
            _conv(_LATENTS, quarter),
            _Residual(quarter),
            _conv(quarter, half),
            make_upsampling(upsampling, half),
            _Residual(half),
        )
        self.picture = nn.Sequential(nn.Conv2d(half, 3, 1), make_upsampling(upsampling, 3))
        self.detail = nn.Sequential(
            _conv(half, _LAST_WIDTH),
            make_upsampling(upsampling, _LAST_WIDTH),
            _conv(_LAST_WIDTH, _LAST_WIDTH),
            _bend(),
            _conv(_LAST_WIDTH, 3),
        )

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        inner = self.first(latents)
        colours: torch.Tensor = self.picture(inner) + self.detail(inner)
        return colours


def build_autoencoder(upsampling: str, seed: int) -> SmallAutoencoder:
    """Make an untrained autoencoder whose first weights depend on the seed and the layer alone.

    Parameters
    ----------
    upsampling : str
        See `SmallAutoencoder`.
    seed : int >= 0

    Returns
    -------
    network : SmallAutoencoder
        The state of torch's own generator is left as it was.

    Examples
    --------
    The layers that two networks share are the same:

    >>> one, other = build_autoencoder("nearest", 1), build_autoencoder("transposed", 1)
    >>> bool(torch.equal(one.decoder.detail[-1].weight, other.decoder.detail[-1].weight))
    True
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SmallAutoencoder(upsampling)
        for name, layer in network.named_modules():
            if isinstance(layer, nn.Conv2d):
                digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=7).digest()
                torch.manual_seed(int.from_bytes(digest, "big"))
                layer.reset_parameters()
    _quieten(network)
    return network


def save_autoencoder(network: SmallAutoencoder, path: str | os.PathLike[str], card: dict[str, Any]) -> None:
    """Write weights and card as one safetensors file, which appears whole or not at all.

    Parameters
    ----------
    network : SmallAutoencoder
    path : path
    card : dict
        What can be written to JSON; `format` and `upsampling` are added.

    Raises
    ------
    ManifestError
        If the system cannot write the file.
    """
    tensors = {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}
    write_tensors(path, tensors, {"format": FORMAT, "upsampling": network.upsampling, **card})


def read_autoencoder_card(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return the card of a file that `save_autoencoder` wrote, None for a safetensors file of another kind.

    Raises
    ------
    ArtifactError
        If the file cannot be read, or its card is damaged.
    """
    try:
        with safe_open(Path(path), framework="pt") as opened:
            text = (opened.metadata() or {}).get("card", "{}")
        card = json.loads(text)
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        raise ArtifactError(f"cannot read weights from {str(path)!r}: {error}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        return None
    if card.get("upsampling") not in UPSAMPLINGS:
        raise ArtifactError(
            f"the card of {str(path)!r} must name an upsampling of {', '.join(UPSAMPLINGS)}, "
            f"got {card.get('upsampling')!r}; train it again"
        )
    return card


def load_autoencoder(path: str | os.PathLike[str]) -> tuple[SmallAutoencoder, dict[str, Any]]:
    """Load an autoencoder and its card.

    Parameters
    ----------
    path : path
        A file that `save_autoencoder` wrote.

    Returns
    -------
    network : SmallAutoencoder
        In evaluation mode.
    card : dict

    Raises
    ------
    ArtifactError
        If the file cannot be read, is of another kind, or lacks weights.
    """
    card = read_autoencoder_card(path)
    if card is None:
        raise ArtifactError(f"{str(path)!r} holds no autoencoder of ours; train one with --loss autoencoder")
    network = SmallAutoencoder(card["upsampling"])
    load_weights(network, path, name=f"the autoencoder with {card['upsampling']} up-sampling")
    return network, card


def _quieten(network: SmallAutoencoder) -> None:
    """Let what is added to a straight path begin small."""
    added: list[Any] = [layer.body[-1] for layer in network.modules() if isinstance(layer, _Residual)]
    with torch.no_grad():
        for layer in [*added, network.decoder.detail[-1]]:
            layer.weight.mul_(_FIRST_SHARE)


class _Residual(nn.Module):
    """Two convolutions of the bent input, added to the input as it is."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_bend(), _conv(width, width), _bend(), _conv(width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner: torch.Tensor = self.body(x)
        return x + inner


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)


def _bend() -> nn.Module:
    return nn.LeakyReLU(_LEAK)
