"""From a folder of photographs to a trained autoencoder: the images are prepared as for every other generator here.

The folder that a training writes holds ``images/`` (the training images, packed), ``autoencoder.safetensors``,
``checkpoint.safetensors`` and ``log.csv``. Importing this module imports torch.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch

from spectell.datasets.packed import IMAGES_NAME
from spectell.errors import ParameterError
from spectell.generators.autoencoder_config import AutoencoderConfig
from spectell.generators.autoencoder_training import TrainedAutoencoder, train_autoencoder
from spectell.generators.checkpoint import CHECKPOINT_NAME
from spectell.generators.training_folder import IMAGES_FOLDER, check_training_folder
from spectell.generators.training_images import prepare_images

__all__ = ["IMAGES_FOLDER", "train_autoencoder_on"]


def train_autoencoder_on(
    data: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    size: int,
    config: AutoencoderConfig,
    *,
    resume: bool = False,
    device: str = "cpu",
    threads: int | None = None,
    licence: str | None = None,
    on_progress: Callable[[str, int, int], object] | None = None,
) -> TrainedAutoencoder:
    """Prepare photographs and train an autoencoder on them.

    Parameters
    ----------
    data : path
        As for `spectell.generators.training_images.prepare_images`.
    folder : path
        Where everything is written.
    size : int
        Side of the training images, 32 to 256 pixels and a multiple of 4. The network takes pictures of any size.
    config : AutoencoderConfig
    resume : bool
        Go on from the checkpoint in `folder`; begin where there is none.
    device : str
    threads : int > 0, optional
        Of the CPU; as torch chooses by default.
    licence : str, optional
        Of the weights, for the card.
    on_progress : callable, optional
        Called with what is counted (``"images"``, ``"steps"``), how many are done and of how many.

    Returns
    -------
    trained : TrainedAutoencoder

    Raises
    ------
    ArtifactError
        If `folder` holds a training and `resume` is not set, or one of other settings or images.
    ParameterError, ManifestError
        If a setting or the images do not fit, or `folder` is no place to begin in
        (`spectell.generators.training_folder.check_training_folder`).
    """
    report = on_progress or _silent
    root = Path(folder)
    started = check_training_folder(data, root, CHECKPOINT_NAME, resume=resume)
    if threads is not None and threads < 1:
        raise ParameterError(f"threads must be at least 1, got {threads}")
    prepared = root / IMAGES_FOLDER
    source = prepared if started and (prepared / IMAGES_NAME).is_file() else data
    packed, facts = prepare_images(source, prepared, size, on_progress=lambda *done: report("images", *done))
    card = {"data": facts, **({"licence": licence} if licence else {})}
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        return train_autoencoder(
            packed.images,
            root,
            config,
            device=device,
            resume=resume,
            facts=card,
            on_progress=lambda *done: report("steps", *done),
        )
    finally:
        torch.set_num_threads(before)


def _silent(*_: object) -> None:
    """Report nothing."""
