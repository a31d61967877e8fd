"""A model is one file: arrays and a card. Loading checks everything and executes nothing.

Each part of a model is rebuilt from the card and the arrays alone, by name from the registry. The scores of the real
images that set the thresholds travel with it, so that any false-positive rate that their number supports can be
asked for later.
"""

import dataclasses
import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.detectors.card import ModelCard
from spectell.detectors.container import read_container, write_container
from spectell.detectors.model import Model, Score
from spectell.detectors.parts import Arrays, Uint8Array, take_array, under
from spectell.detectors.registry import load_distance, load_front_end, load_head
from spectell.detectors.standardisation import Standardisation
from spectell.errors import ArtifactError, ParameterError, ShapeError

__all__ = [
    "DEFAULT_MODEL",
    "Model",
    "ModelCard",
    "Score",
    "is_model",
    "load_model",
    "save_model",
    "training_hash",
]

DEFAULT_MODEL = Path(__file__).parent.parent / "weights" / "default.safetensors"
"""The bundled model. Beside the code, as pip installs it: importlib.resources would cost each verdict 10 ms."""

_CARD_KEY = "spectell.card"
_HASH_BYTES = 8


def training_hash(pixels: Uint8Array) -> np.uint64:
    """Eight bytes that name an image by its pixels, whatever its file is called or how it is compressed losslessly.

    Enough to warn of an image that was in training, far too little to make it again.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8

    Examples
    --------
    >>> image = np.zeros((2, 3, 3), np.uint8)
    >>> bool(training_hash(image) == training_hash(image.copy()))
    True
    >>> bool(training_hash(image) == training_hash(image + 1))
    False
    """
    digest = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=_HASH_BYTES)
    digest.update(np.ascontiguousarray(pixels).data)
    return np.uint64(int.from_bytes(digest.digest(), "little"))


def save_model(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model file, whole or not at all.

    Parameters
    ----------
    model : Model
        The hashes on its card are computed anew.
    path : path
        Usually ``*.safetensors``; an existing file is replaced.

    Raises
    ------
    ArtifactError
        If the model is larger than `spectell.detectors.container.MAX_MODEL_BYTES` or the file cannot be written.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in model.arrays().items()}
    card = dataclasses.replace(model.card, hashes={name: _sha256(array) for name, array in sorted(arrays.items())})
    write_container(path, arrays, {_CARD_KEY: card.as_text()})


def _sha256(array: npt.NDArray[Any]) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data).hexdigest()


def load_model(path: str | os.PathLike[str] | None = None) -> Model:
    """Load a model file.

    Parameters
    ----------
    path : path, optional
        None or the word ``default`` for the bundled model. (A file of that name is ``./default``.)

    Raises
    ------
    ArtifactError
        If the file is missing, damaged, or its card does not fit it or this version; the message says why.

    Examples
    --------
    >>> load_model("no-such-model.safetensors")
    Traceback (most recent call last):
        ...
    spectell.errors.ArtifactError: cannot read the model file no-such-model.safetensors: No such file or directory
    """
    file = DEFAULT_MODEL if path is None or path == "default" else Path(path)
    arrays, metadata = read_container(file)
    try:
        if _CARD_KEY not in metadata:
            raise ArtifactError("it has no Spectell card in its header; it is a file of another program")
        card = ModelCard.from_text(metadata[_CARD_KEY])
        _check_hashes(card, arrays)
        return _assemble(card, arrays)
    except (ArtifactError, ParameterError, ShapeError) as error:
        raise ArtifactError(f"cannot use the model file {file}: {error}") from None


def is_model(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a safetensors file with a Spectell card, sound or not.

    Raises
    ------
    ArtifactError
        If it cannot be read as a safetensors file.
    """
    return _CARD_KEY in read_container(path)[1]


def _check_hashes(card: ModelCard, arrays: Arrays) -> None:
    if differing := set(card.hashes) ^ set(arrays):
        raise ArtifactError(f"the array {min(differing)[:60]!r} is not both in the file and among the card's hashes")
    for name, array in arrays.items():
        if _sha256(array) != card.hashes[name]:
            raise ArtifactError(f"the array {name[:60]!r} does not have the hash on the card; the file is damaged")


def _assemble(card: ModelCard, arrays: Arrays) -> Model:
    known = ("front_end.", "head.", "distance.")
    single = {"standardisation.mean", "standardisation.scale", "thresholds.real_scores", "training.hashes"}
    if stray := [name for name in arrays if not name.startswith(known) and name not in single]:
        raise ArtifactError(f"the model has an unknown array {stray[0][:60]!r}")
    if missing := sorted(single - set(arrays)):
        raise ArtifactError(f"the model lacks the array {missing[0]!r}")
    hashes, real_scores = arrays["training.hashes"], arrays["thresholds.real_scores"]
    if hashes.dtype != np.uint64 or hashes.ndim != 1 or real_scores.dtype != np.float64:
        raise ArtifactError("the arrays 'training.hashes' and 'thresholds.real_scores' must be uint64 and float64")
    distance = card.distance
    return Model(
        card,
        front_end=load_front_end(card.front_end.name, card.front_end.config, under("front_end", arrays)),
        standardisation=Standardisation(
            take_array(arrays, "standardisation.mean", (None,)), take_array(arrays, "standardisation.scale", (None,))
        ),
        head=load_head(card.head.name, card.head.config, under("head", arrays)),
        distance=load_distance(distance.name, distance.config, under("distance", arrays), distance.limit),
        real_scores=real_scores,
        training_hashes=hashes,
    )
