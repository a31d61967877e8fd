"""The record of a run: all that is needed to repeat it, and to know what it was that was run."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from spectell.datasets.atomic import replacing
from spectell.experiments.config import ExperimentConfig
from spectell.workflows.training.card import versions
from spectell.workflows.workers.threads import BLAS_VARIABLES

__all__ = ["RECORD", "make_record", "manifest_hash", "write_record"]

RECORD = "record.json"
"""Name of the file in the folder of the results."""


def make_record(config: ExperimentConfig, manifest: str, **results: Any) -> dict[str, Any]:
    """Put a record together.

    Parameters
    ----------
    config : ExperimentConfig
        What was run; its command repeats it.
    manifest : str
        Hash of the images that were looked at, of `manifest_hash`.
    **results : any
        What else is to be kept, as values that JSON knows.

    Returns
    -------
    record : dict
        ``command``, ``config``, ``seed``, ``workers``, ``thread_limits``, ``versions`` (of spectell too), ``manifest``,
        then `results`.
    """
    limits = {name: os.environ[name] for name in BLAS_VARIABLES if name in os.environ}
    return {
        "command": config.command,
        "config": config.as_dict(),
        "seed": config.seed,
        "workers": config.workers,
        "thread_limits": limits,
        "versions": versions(),
        "manifest": manifest,
        **results,
    }


def manifest_hash(identities: Iterable[str]) -> str:
    """Return one hash of those of several sets of files, in their order.

    Examples
    --------
    >>> manifest_hash(["a", "b"])[:8], manifest_hash(["b", "a"])[:8]
    ('7e18f737', 'c4a78e5b')
    """
    return hashlib.sha256("\n".join(identities).encode()).hexdigest()


def write_record(folder: str | os.PathLike[str], record: dict[str, Any]) -> Path:
    """Write a record as JSON, whole or not at all; return its path."""
    path = Path(folder) / RECORD
    with replacing(path) as file:
        file.write(json.dumps(record, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n")
    return path
