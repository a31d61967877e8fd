"""A trained generator as a file, and the images that it makes.

Image k of a sample depends on the weights, the seed and k alone: its latents are drawn by themselves, and it always
passes through the network at the same place of a batch of the same size on one thread, since a convolution on a CPU may
round otherwise in another place. Importing this module imports torch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from spectell.errors import ArtifactError, ParameterError
from spectell.generators.bundled import BUNDLED
from spectell.generators.checkpoint import read_tensors, write_tensors
from spectell.generators.draws import sample_latents
from spectell.generators.gan import LATENTS, Generator
from spectell.generators.growing import Phase
from spectell.generators.tensors import as_pixels

__all__ = [
    "BUNDLED",
    "GENERATOR_NAME",
    "TrainedGenerator",
    "bundled_generators",
    "load_generator",
    "render",
    "save_generator",
    "single_thread",
]

GENERATOR_NAME = "generator.safetensors"

FORMAT = 1
_SLOTS = 8
"""Images that pass through the network together, always; a place that is not asked for is computed in vain."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainedGenerator:
    """A generator with its card.

    Parameters
    ----------
    network : Generator
        In evaluation mode, float32.
    card : dict
        Name, loss, up-sampling, size, steps, seed, what it was trained on and with which versions.
    """

    network: Generator
    card: dict[str, Any]

    @property
    def name(self) -> str:
        """How manifests call it."""
        return str(self.card["name"])

    @property
    def phase(self) -> Phase:
        """Resolution of its images, smaller than its size where growing was not finished; share of the last stage."""
        return Phase(int(self.card["resolution"]), float(self.card["alpha"]))

    def images(self, seed: int, start: int, stop: int) -> npt.NDArray[np.uint8]:
        """Make images `start` to `stop` - 1 of the sample with a seed.

        Parameters
        ----------
        seed : int >= 0
        start, stop : int >= 0

        Returns
        -------
        images : ndarray of shape (stop - start, S, S, 3), uint8

        Raises
        ------
        ParameterError
            If a number is negative, or `stop` is not above `start`.
        """
        return render(self.network, self.phase, seed, start, stop)


def render(network: Generator, phase: Phase, seed: int, start: int, stop: int) -> npt.NDArray[np.uint8]:
    """Make images with a network in evaluation mode; see `TrainedGenerator.images`."""
    if min(seed, start) < 0 or stop <= start:
        raise ParameterError(f"seed and start must not be negative and stop above start, got {seed}, {start}, {stop}")
    first, device = start // _SLOTS, next(network.parameters()).device
    parts = []
    with torch.inference_mode(), single_thread():
        for batch in range(first, (stop - 1) // _SLOTS + 1):
            latents = np.stack([sample_latents(seed, batch * _SLOTS + slot, LATENTS) for slot in range(_SLOTS)])
            made = network(torch.from_numpy(latents).to(device), phase.resolution, phase.alpha)
            parts.append(as_pixels((made + 1) / 2))
    return np.concatenate(parts)[start - first * _SLOTS : stop - first * _SLOTS]


def save_generator(
    path: str | os.PathLike[str], network: Generator, card: dict[str, Any], *, half: bool = False
) -> None:
    """Write a generator and its card to one file.

    Parameters
    ----------
    path : path
    network : Generator
    card : dict
        With ``name``, ``config``, ``resolution`` and ``alpha`` at least. Where growing is finished, the layers to RGB
        of smaller resolutions are left out.
    half : bool
        Whether to write float16, which halves the file and changes a few pixels by a level.

    Raises
    ------
    ManifestError
        If the file cannot be written.
    """
    finished = (card["resolution"], card["alpha"]) == (network.size, 1.0)
    kept = f"to_rgb.{network.size}."
    tensors = {
        name: (value.half() if half and value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in network.state_dict().items()
        if not (finished and name.startswith("to_rgb.")) or name.startswith(kept)
    }
    write_tensors(path, tensors, {**card, "format": FORMAT})


def load_generator(place: str | os.PathLike[str]) -> TrainedGenerator:
    """Load a generator.

    Parameters
    ----------
    place : path or str
        A file that `save_generator` wrote, a folder that a training wrote, or the name of a bundled generator.

    Returns
    -------
    generator : TrainedGenerator

    Raises
    ------
    ArtifactError
        If there is no such generator, or the file is damaged or of another version.
    """
    path = _locate(place)
    tensors, card = read_tensors(path)
    if card.get("format") != FORMAT:
        raise ArtifactError(f"{str(path)!r} is not a generator of format {FORMAT}; train it with this version")
    try:
        config, resolution, alpha = card["config"], int(card["resolution"]), float(card["alpha"])
        network = Generator(
            config["size"],
            config["upsampling"],
            config["width"],
            progressive=(resolution, alpha) != (config["size"], 1.0),
            smoothing=config["smoothing"],
        )
        network.load_state_dict(
            {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
        )
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise ArtifactError(f"{str(path)!r} does not hold the generator that its card describes: {reason}") from error
    return TrainedGenerator(network.eval().requires_grad_(False), card)


def bundled_generators() -> tuple[str, ...]:
    """Names of the generators that come with Spectell.

    Examples
    --------
    >>> "nobody" in bundled_generators()
    False
    """
    return tuple(sorted(path.stem for path in BUNDLED.glob("*.safetensors")))


@contextmanager
def single_thread() -> Iterator[None]:
    """Run the block on one thread, so that its sums do not depend on the number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _locate(place: str | os.PathLike[str]) -> Path:
    path = Path(place)
    if path.is_dir():
        path = path / GENERATOR_NAME
        if not path.is_file():
            raise ArtifactError(f"{os.fspath(place)!r} holds no {GENERATOR_NAME}; name the folder of a training")
        return path
    if path.is_file():
        return path
    if os.fspath(place) in bundled_generators():
        return BUNDLED / f"{os.fspath(place)}.safetensors"
    known = ", ".join(bundled_generators()) or "none"
    raise ArtifactError(
        f"no generator {os.fspath(place)!r}: it is neither a file, nor a folder, nor one that comes with Spectell, "
        f"which are: {known}"
    )
