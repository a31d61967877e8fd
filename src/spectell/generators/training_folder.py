"""The folder of a training: whether one may begin there. Torch-free."""

from __future__ import annotations

import os
from pathlib import Path

from spectell.datasets.packed import is_packed
from spectell.datasets.places import contents, require_apart
from spectell.errors import ArtifactError, MismatchError

__all__ = ["IMAGES_FOLDER", "check_training_folder"]

IMAGES_FOLDER = "images"
_LOG_NAME = "log.csv"

StrPath = str | os.PathLike[str]


def check_training_folder(data: StrPath, folder: StrPath, checkpoint: str, *, resume: bool) -> bool:
    """Refuse a folder whose files a training would replace, or whose images the next one would take for photographs.

    Parameters
    ----------
    data : path
        What is trained on.
    folder : path
        Where the training is written: new, empty, or with `resume` one that a training has begun to fill.
    checkpoint : str
        Name of the checkpoint in it.
    resume : bool

    Returns
    -------
    started : bool
        Whether there is a checkpoint to go on from.

    Raises
    ------
    ArtifactError
        If there is one and `resume` is false.
    MismatchError
        If `folder` is a file, lies in `data`, or holds something else.

    Examples
    --------
    >>> check_training_folder("faces", "nowhere", "checkpoint.safetensors", resume=False)
    False
    """
    root = Path(folder)
    found = contents(root)
    if checkpoint in found:
        if not resume:
            raise ArtifactError(f"{str(root)!r} holds a training already; go on with --resume, or name another folder")
        return True
    if not is_packed(data):
        require_apart(data, root)
    begun = _is_begun(root, found)
    if found and not (begun and resume):
        held = "a training that was only begun; go on with --resume or" if begun else "no training;"
        raise MismatchError(f"the folder {str(root)!r} is not empty and holds {held} name a new folder")
    return False


def _is_begun(root: Path, found: frozenset[str]) -> bool:
    """Whether all that lies there was written by a training before its first checkpoint."""
    if not all(name in {IMAGES_FOLDER, _LOG_NAME} or _is_grid(name) for name in found):
        return False
    images = root / IMAGES_FOLDER
    ours = IMAGES_FOLDER not in found or is_packed(images) or (images.is_dir() and not contents(images))
    return ours and (_LOG_NAME not in found or _is_log(root / _LOG_NAME))


def _is_log(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(5) in {b"step,", b""}  # empty where the training was killed before the first row
    except OSError:
        return False


def _is_grid(name: str) -> bool:
    return name.startswith("samples-") and name.endswith(".png")
