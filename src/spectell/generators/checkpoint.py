"""A training on disk, and what was kept of it: two safetensors files, each replaced in one step.

``checkpoint.safetensors`` holds all that a training needs to go on bit for bit: weights, their average, the vectors of
the spectral norm, the optimisers' moments, and in its header the step and the configuration; random numbers and the
position in the data follow from those two. ``generator.safetensors`` holds the averaged generator alone. Importing this
module imports torch.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from spectell.datasets.atomic import replacing
from spectell.errors import ArtifactError

__all__ = ["CHECKPOINT_NAME", "read_tensors", "write_tensors"]

CHECKPOINT_NAME = "checkpoint.safetensors"


def write_tensors(path: str | os.PathLike[str], tensors: dict[str, torch.Tensor], card: dict[str, Any]) -> None:
    """Write tensors and a JSON card to one safetensors file, which appears whole or not at all.

    Parameters
    ----------
    path : path
    tensors : dict of name to tensor
        On the CPU, contiguous.
    card : dict
        Anything that JSON takes; NaN is not among it.

    Raises
    ------
    ManifestError
        If the file cannot be written, as on a full disk; an older one stays as it was.
    """
    content = save(tensors, metadata={"card": json.dumps(card, allow_nan=False)})
    with replacing(path) as file:
        file.write(content)


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Read what `write_tensors` wrote.

    Returns
    -------
    tensors : dict of name to tensor
    card : dict

    Raises
    ------
    ArtifactError
        If the file is missing or damaged, or has no card.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_tensors(f"{folder}/a", {"x": torch.ones(2)}, {"step": 3})
    ...     read_tensors(f"{folder}/a")
    ({'x': tensor([1., 1.])}, {'step': 3})
    """
    try:
        with safe_open(Path(path), framework="pt") as file:
            card = json.loads((file.metadata() or {})["card"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
    except (OSError, SafetensorError, KeyError, ValueError, RecursionError) as error:
        reason = "it has no card" if isinstance(error, KeyError) else str(error)
        raise ArtifactError(f"cannot read {os.fspath(path)!r}: {reason}") from error
    if not isinstance(card, dict):
        raise ArtifactError(f"cannot read {os.fspath(path)!r}: its card is not a JSON object")
    return tensors, card
