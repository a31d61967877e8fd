"""What of a training run can be refused before an image is read: a mistake costs a second, and not a night."""

from __future__ import annotations

import os

from spectell.errors import MismatchError
from spectell.workflows.training.config import (
    TrainingConfig,
    config_notes,
    front_end_for,
    has_checkpoints,
    make_augmentation,
    make_detector,
)

__all__ = ["check_training"]

_ANY_SIDE = 32
"""Of a tile where no side is asked for: the images' own is not known yet, and what else is checked is the same."""

StrPath = str | os.PathLike[str]


def check_training(
    config: TrainingConfig, checkpoint: StrPath | None = None, *, resume: bool = False
) -> tuple[str, ...]:
    """Check all that can be checked without the data.

    Parameters
    ----------
    config : TrainingConfig
    checkpoint : path, optional
        Where a network in training is written.
    resume : bool
        Whether to go on from the checkpoint.

    Returns
    -------
    notes : tuple of str
        What was asked for and has no effect.

    Raises
    ------
    ParameterError
        If `config` does not fit, PyTorch or the device is missing where it is needed, or there is a checkpoint that
        the training would replace.
    ArtifactError
        If the checkpoint cannot be read.

    Examples
    --------
    >>> check_training(TrainingConfig("ridge"), resume=True)
    ("--resume has no effect: the detector 'ridge' has no checkpoints",)
    """
    detector = make_detector(config)
    make_augmentation(config)
    front_end_for(config, _ANY_SIDE)
    if has_checkpoints(config):
        detector.check_ready(config.size)
        _check_checkpoint(checkpoint, resume=resume)
    return tuple(config_notes(config, checkpoint, resume=resume))


def _check_checkpoint(checkpoint: StrPath | None, *, resume: bool) -> None:
    if checkpoint is None or not os.path.lexists(checkpoint):
        return
    from spectell.detectors.networks.state import read_any_checkpoint  # imports torch

    read_any_checkpoint(checkpoint)
    if not resume:
        raise MismatchError(
            f"{os.fspath(checkpoint)!r} is of a training that was interrupted or can take more epochs; add --resume to "
            "go on, or delete it"
        )
