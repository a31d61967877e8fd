"""Which models there are, and what they say about themselves."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spectell.detectors import load_model
from spectell.detectors.artifact import DEFAULT_MODEL, is_model
from spectell.detectors.card import ModelCard
from spectell.errors import ArtifactError

__all__ = ["ModelDescription", "UnusableModel", "describe_models"]


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """A model file that was loaded, and so is sound.

    Parameters
    ----------
    path : str
    n_bytes : int
    card : ModelCard
    supported : tuple of float
        Lowest and highest false-positive rate that it can be asked for.
    """

    path: str
    n_bytes: int
    card: ModelCard
    supported: tuple[float, float]

    def as_dict(self) -> dict[str, Any]:
        """Return the description as JSON has it."""
        return {
            "path": self.path,
            "bytes": self.n_bytes,
            "supported_fpr": list(self.supported),
            "card": self.card.as_json(),
        }


@dataclass(frozen=True, slots=True)
class UnusableModel:
    """A file of a folder that is no sound model, or none that this version can use.

    Parameters
    ----------
    path : str
    error : str
        Why, in one line that names the file.
    """

    path: str
    error: str

    def as_dict(self) -> dict[str, Any]:
        """Return the file as JSON has it."""
        return {"path": self.path, "error": self.error}


def describe_models(path: str | os.PathLike[str] | None = None) -> list[ModelDescription | UnusableModel]:
    """Describe the bundled models, one model file, or all model files of a folder.

    Other ``*.safetensors`` in a folder, such as a generator's weights, are passed over.

    Parameters
    ----------
    path : path, optional
        A model file, or a folder whose ``*.safetensors`` are described; the bundled ones by default. The word
        ``default`` is the bundled default model.

    Returns
    -------
    found : list of ModelDescription and UnusableModel
        In the order of their names. One bad file in a folder hides no other.

    Raises
    ------
    ArtifactError
        If the one file that is named is not a model.

    Examples
    --------
    >>> describe_models("no-such-model.safetensors")
    Traceback (most recent call last):
        ...
    spectell.errors.ArtifactError: cannot read the model file no-such-model.safetensors: No such file or directory
    """
    place = DEFAULT_MODEL.parent if path is None else DEFAULT_MODEL if path == "default" else Path(path)
    if not place.is_dir():
        return [_described(place)]
    found = (_from_folder(file) for file in sorted(place.glob("*.safetensors")))
    return [description for description in found if description is not None]


def _described(file: Path) -> ModelDescription:
    model = load_model(file)
    return ModelDescription(str(file), file.stat().st_size, model.card, model.thresholds.supported)


def _from_folder(file: Path) -> ModelDescription | UnusableModel | None:
    try:
        return _described(file) if is_model(file) else None
    except ArtifactError as error:
        return UnusableModel(str(file), str(error))
