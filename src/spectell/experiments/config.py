"""What decides an experiment, resolved: no default is filled in later than here."""

from __future__ import annotations

import os
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from spectell.errors import MismatchError, ParameterError

__all__ = ["SCALES", "ExperimentConfig", "resolve_config"]

SCALES = ("small", "full")
"""Small is done within minutes on a laptop; full is as large as in the paper."""


@dataclass(frozen=True, slots=True)
class ExperimentConfig:
    """A resolved configuration; `resolve_config` makes it.

    Parameters
    ----------
    name : str
        Of the experiment.
    data, output : str
        Absolute paths of the images and of the folder for the results.
    scale : {"small", "full"}
        How large it is.
    seed : int >= 0
        Of every random choice.
    workers : int >= 1
        Processes.

    Examples
    --------
    >>> ExperimentConfig("spectra", "/data/my faces", "/out", "small", 0, 2).command
    "spectell reproduce spectra --data '/data/my faces' --scale small -o /out --seed 0 --workers 2"
    """

    name: str
    data: str
    output: str
    scale: str
    seed: int
    workers: int

    @property
    def command(self) -> str:
        """The command that repeats it."""
        words = ["spectell", "reproduce", self.name, "--data", self.data, "--scale", self.scale, "-o", self.output]
        return shlex.join([*words, "--seed", str(self.seed), "--workers", str(self.workers)])

    def as_dict(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return asdict(self)


def resolve_config(
    name: str,
    data: str | os.PathLike[str],
    *,
    output: str | os.PathLike[str] | None = None,
    scale: str = "small",
    seed: int = 0,
    workers: int | None = None,
) -> ExperimentConfig:
    """Fill in what was not said, and refuse what cannot be.

    Parameters
    ----------
    name : str
        Of the experiment.
    data : path
        Folder of data sets.
    output : path, optional
        Folder for the results; ``reproduce-NAME`` in the working directory by default.
    scale : {"small", "full"}
        How large it is.
    seed : int >= 0
        Of every random choice.
    workers : int >= 1, optional
        Processes; all cores by default.

    Returns
    -------
    config : ExperimentConfig

    Raises
    ------
    ParameterError
        If `data` is not a folder, `output` is a file or lies in `data`, or an argument is out of its range.
    """
    from spectell.workflows.workers.pool import available_cores

    if scale not in SCALES:
        raise ParameterError(f"scale must be one of {', '.join(SCALES)}, got {scale!r}")
    count = available_cores() if workers is None else workers
    for argument, value, least in (("seed", seed, 0), ("workers", count, 1)):
        if value < least:
            raise ParameterError(f"{argument} must be at least {least}, got {value}")
    if not Path(data).is_dir():
        raise MismatchError(f"data must be a folder of data sets, got {os.fspath(data)!r}; check the path")
    folder = Path(f"reproduce-{name}" if output is None else output)
    if folder.exists() and not folder.is_dir():
        raise MismatchError(f"output must be a folder, got {os.fspath(folder)!r}, which is a file; name another one")
    if folder.resolve().is_relative_to(Path(data).resolve()):
        raise MismatchError(
            f"output must lie outside data, or its figures would count as images, got {os.fspath(folder)!r} in "
            f"{os.fspath(data)!r}; name another folder"
        )
    return ExperimentConfig(name, str(Path(data).absolute()), str(folder.absolute()), scale, seed, count)
