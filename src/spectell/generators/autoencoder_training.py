"""Training of the small autoencoder: pixels in, a folder with weights, card, log and checkpoint out.

Which images a step sees, and which of them mirrored, follows from the seed and the step alone, so a checkpoint holds
the weights, the optimiser and the number of the step, and a resumed run takes the same steps as one that was never
stopped: bit for bit, on one machine with one number of threads. Importing this module imports torch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from spectell.datasets.atomic import replacing
from spectell.errors import ArtifactError, ParameterError, ShapeError
from spectell.generators.checkpoint import CHECKPOINT_NAME, read_tensors, write_tensors
from spectell.generators.interrupts import DeferredInterrupt
from spectell.generators.small_autoencoder import (
    FACTOR,
    build_autoencoder,
    load_autoencoder,
    save_autoencoder,
)
from spectell.generators.tensors import PixelArray, as_tensor, run_in_batches

if TYPE_CHECKING:
    import os

__all__ = [
    "LOG_FILE",
    "WEIGHTS_FILE",
    "AutoencoderConfig",
    "TrainedAutoencoder",
    "psnr",
    "train_autoencoder",
]

WEIGHTS_FILE = "autoencoder.safetensors"
LOG_FILE = "log.csv"

_HELD_OUT = 20
"""One in so many images is held out of training, to measure the reconstruction on."""
_MOST_HELD_OUT = 256
_DECAY = 0.3
"""Share of the steps, at the end, over which the learning rate falls to zero."""
_DIGESTED = 256
_LOSSES = ("l1", "l2")

Progress = Callable[[int, int], object]
"""Called with the number of steps done and their total."""


@dataclass(frozen=True, slots=True)
class AutoencoderConfig:
    """What a training depends on, beside the images.

    Parameters
    ----------
    upsampling : {"nearest", "bilinear", "binomial", "transposed", "pixelshuffle"}
    steps : int > 0
    batch_size : int > 0
    learning_rate : float > 0
        Of Adam; it falls to zero over the last 30 % of the steps.
    loss : {"l1", "l2"}
        Mean absolute or mean squared error of the pixels, on the scale of [0, 1].
    spectral : float >= 0
        Weight of the mean absolute difference between the magnitudes of the orthonormal Fourier transforms, which
        makes the decoder answer for the frequencies that its up-sampling distorts [1]_.
    seed : int >= 0
    checkpoint_every : int > 0
        Steps.
    log_every : int > 0
        Steps.

    Raises
    ------
    ParameterError
        If a value is outside its range.

    References
    ----------
    .. [1] Durall, Keuper, Keuper (2020). Watch your up-convolution: CNN based generative deep neural networks are
       failing to reproduce spectral distributions. CVPR. :arxiv:`2003.01826`
    """

    upsampling: str = "nearest"
    steps: int = 3000
    batch_size: int = 64
    learning_rate: float = 2e-3
    loss: str = "l1"
    spectral: float = 0.0
    seed: int = 0
    checkpoint_every: int = 200
    log_every: int = 50

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "checkpoint_every", "log_every"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not self.learning_rate > 0 or not self.spectral >= 0 or self.seed < 0:
            raise ParameterError(
                "learning_rate must be positive, spectral and seed must not be negative, "
                f"got {self.learning_rate}, {self.spectral} and {self.seed}"
            )
        if self.loss not in _LOSSES:
            raise ParameterError(f"loss must be one of {', '.join(_LOSSES)}, got {self.loss!r}")


@dataclass(frozen=True, slots=True)
class TrainedAutoencoder:
    """What a training left.

    Attributes
    ----------
    path : Path
        The file of weights.
    psnr : float
        Of reconstructions of the held-out images, in dB.
    held_out : int
        Their number.
    """

    path: Path
    psnr: float
    held_out: int


def psnr(images: npt.ArrayLike, reconstructions: npt.ArrayLike) -> float:
    """Peak signal-to-noise ratio of 8-bit images, in dB, from the squared error over all of them.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> round(psnr([[0, 0]], [[0, 255]]), 2), psnr([[7]], [[7]])
    (3.01, inf)
    """
    first, second = (np.asarray(values, np.float64) for values in (images, reconstructions))
    if first.shape != second.shape:
        raise ShapeError(f"images and reconstructions must have one shape, got {first.shape} and {second.shape}")
    error = float(np.square(first - second).mean())
    return float("inf") if error == 0 else float(10 * np.log10(255.0**2 / error))


def train_autoencoder(
    images: npt.NDArray[np.uint8],
    output: str | os.PathLike[str],
    config: AutoencoderConfig | None = None,
    *,
    device: str = "cpu",
    resume: bool = False,
    facts: dict[str, Any] | None = None,
    on_progress: Progress | None = None,
) -> TrainedAutoencoder:
    """Train an autoencoder.

    Parameters
    ----------
    images : ndarray of shape (N, S, S, 3), uint8
        N >= 2; S from 32 to 256 and a multiple of 4. A memory map will do: only the rows of a batch are read.
    output : path
        Folder for ``autoencoder.safetensors`` (weights, with the card in its header), ``checkpoint.safetensors`` and
        ``log.csv``.
    config : AutoencoderConfig, optional
    device : str
        As torch calls it.
    resume : bool
        Go on from the checkpoint in `output`, if there is one.
    facts : dict, optional
        What the card shall say beside configuration, size and quality: what the images are, for instance.
    on_progress : callable, optional
        See `Progress`.

    Returns
    -------
    trained : TrainedAutoencoder

    Raises
    ------
    ParameterError
        If the images do not fit, or the loss stops being finite (the last checkpoint stays as it is).
    ArtifactError
        If the checkpoint is damaged, or belongs to another configuration.
    KeyboardInterrupt
        After Ctrl-C, when the step is done and the checkpoint written.
    """
    config = config or AutoencoderConfig()
    _check_images(images)
    folder = Path(output)
    run = _Run(config, images, torch.device(device))
    if resume and (folder / CHECKPOINT_NAME).exists():
        run.restore(folder / CHECKPOINT_NAME)
    log = _Log(folder / LOG_FILE, run.step)
    with DeferredInterrupt() as interrupt:
        _take_steps(run, log, folder, interrupt, on_progress)
    return _finish(run, folder, facts or {})


def _take_steps(run: _Run, log: _Log, folder: Path, interrupt: DeferredInterrupt, on_progress: Progress | None) -> None:
    config = run.config
    while run.step < config.steps:
        loss = run.advance()
        if not np.isfinite(loss):
            raise ParameterError(
                f"the loss is {loss} after step {run.step}; lower learning_rate, {config.learning_rate:g} now, or "
                f"resume from the last checkpoint"
            )
        if run.step % config.log_every == 0:
            log.add(run.step, loss)
        if run.step % config.checkpoint_every == 0 or run.step == config.steps or interrupt.requested:
            log.write()
            run.save(folder / CHECKPOINT_NAME)
        if interrupt.requested:
            raise KeyboardInterrupt
        if on_progress is not None:
            on_progress(run.step, config.steps)


class _Run:
    """Network, optimiser and step of one training."""

    def __init__(self, config: AutoencoderConfig, images: PixelArray, device: torch.device) -> None:
        self.config, self.images, self.device, self.step = config, images, device, 0
        # The order is the seed's alone: every up-sampling sees the same images in the same steps.
        order = np.random.default_rng((config.seed, 0)).permutation(len(images))
        n_held_out = min(max(1, len(images) // _HELD_OUT), _MOST_HELD_OUT)
        self.held_out, self.trained_on = np.sort(order[:n_held_out]), np.sort(order[n_held_out:])
        self.network = build_autoencoder(config.upsampling, config.seed)
        self.network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=config.learning_rate)

    def advance(self) -> float:
        """Take one step and return its loss."""
        batch = as_tensor(self._batch()).to(self.device)
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * self._rate()
        self.optimiser.zero_grad(set_to_none=True)
        loss = _loss(self.network(batch), batch, self.config)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())

    def _batch(self) -> PixelArray:
        rng = np.random.default_rng((self.config.seed, 1, self.step))
        chosen = np.sort(rng.choice(self.trained_on, self.config.batch_size))
        pixels = np.array(self.images[chosen])
        mirrored = rng.random(len(pixels)) < 0.5
        pixels[mirrored] = pixels[mirrored, :, ::-1]
        return pixels

    def _rate(self) -> float:
        left = 1 - self.step / self.config.steps
        return min(1.0, left / _DECAY)

    def save(self, path: Path) -> None:
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for index, state in self.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": value for name, value in state.items()}
        card = {"step": self.step, "identity": self._identity()}
        write_tensors(path, {name: value.detach().cpu().contiguous() for name, value in tensors.items()}, card)

    def restore(self, path: Path) -> None:
        tensors, card = read_tensors(path)
        if card.get("identity") != self._identity():
            raise ArtifactError(
                f"cannot resume from {str(path)!r}: it belongs to other settings or images; repeat those, or train "
                "into another folder"
            )
        self.step = int(card["step"])
        self.network.load_state_dict(_below("network.", tensors))
        states: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in _below("optimiser.", tensors).items():
            index, _, key = name.partition(".")
            states.setdefault(int(index), {})[key] = value
        whole = self.optimiser.state_dict()
        self.optimiser.load_state_dict({"state": states, "param_groups": whole["param_groups"]})

    def _identity(self) -> dict[str, Any]:
        settings = {**asdict(self.config), "shape": list(self.images.shape), "images": _digest(self.images)}
        return {key: value for key, value in settings.items() if not key.endswith("_every")}


class _Log:
    """``log.csv``: one line for every so many steps; lines after the step that a run resumes from are dropped."""

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        self._lines = ["step,loss"]
        if step and path.exists():
            rows = path.read_text(encoding="utf-8").splitlines()[1:]
            self._lines += [row for row in rows if int(row.partition(",")[0]) <= step]

    def add(self, step: int, loss: float) -> None:
        self._lines.append(f"{step},{loss:.9g}")

    def write(self) -> None:
        with replacing(self._path) as file:
            file.write(("\n".join(self._lines) + "\n").encode())


def _finish(run: _Run, folder: Path, facts: dict[str, Any]) -> TrainedAutoencoder:
    """Measure the network on the held-out images and write it with its card."""
    config, originals = run.config, np.array(run.images[run.held_out])
    run.network.eval()
    quality = psnr(originals, run_in_batches(lambda x: run.network(x.to(run.device)), originals, batch_size=16))
    card = {
        **facts,
        "configuration": asdict(config),
        "size": run.images.shape[1],
        "images": {"trained_on": len(run.trained_on), "held_out": len(run.held_out)},
        "psnr": round(min(quality, 999.0), 3),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    save_autoencoder(run.network, folder / WEIGHTS_FILE, card)
    load_autoencoder(folder / WEIGHTS_FILE)  # what cannot be read back is an error now, not later
    return TrainedAutoencoder(folder / WEIGHTS_FILE, quality, len(run.held_out))


def _loss(made: torch.Tensor, wanted: torch.Tensor, config: AutoencoderConfig) -> torch.Tensor:
    difference = made - wanted
    loss = difference.abs().mean() if config.loss == "l1" else difference.square().mean()
    if config.spectral:
        spectra = [torch.fft.rfft2(batch, norm="ortho").abs() for batch in (made, wanted)]
        loss = loss + config.spectral * (spectra[0] - spectra[1]).abs().mean()
    return loss


def _digest(images: npt.NDArray[np.uint8]) -> str:
    """Hash of a few hundred images spread over all of them: enough to notice that they are others."""
    chosen = np.unique(np.linspace(0, len(images) - 1, _DIGESTED).astype(int))
    return hashlib.blake2b(np.ascontiguousarray(images[chosen]).data, digest_size=16).hexdigest()


def _check_images(images: npt.NDArray[np.uint8]) -> None:
    if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ShapeError(f"images must be uint8 of shape (N, S, S, 3), got {images.dtype} of shape {images.shape}")
    size = images.shape[1]
    if not 32 <= size <= 256 or size % FACTOR:
        raise ParameterError(f"images must have sides of 32 to 256 pixels, a multiple of {FACTOR}, got {size}")
    if len(images) < 2:
        raise ParameterError(f"there must be at least 2 images, one to train on and one to measure, got {len(images)}")


def _below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
