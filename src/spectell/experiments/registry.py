"""The experiments by name. To add one, add its line: a module with ``plan`` and ``run``, and a summary.

``plan(config)`` returns a `Plan` and computes nothing. ``run(config, on_progress)`` does the work, or what is left of
it, writes a page and a record into ``config.output``, and returns the path of the page.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from spectell.errors import ParameterError
from spectell.experiments.config import ExperimentConfig
from spectell.experiments.plan import Plan

__all__ = ["EXPERIMENTS", "Experiment", "ExperimentSpec", "OnProgress", "get_experiment"]

OnProgress = Callable[[str, int, int], object]
"""Called with the name of a stage, how much of it is done, and how much there is."""


class Experiment(Protocol):
    """What the module of an experiment has."""

    def plan(self, config: ExperimentConfig) -> Plan:
        """Say what would be done."""

    def run(self, config: ExperimentConfig, on_progress: OnProgress) -> Path:
        """Do it, and return the path of the page."""


class ExperimentSpec(NamedTuple):
    """Where an experiment lives, and what it is.

    Parameters
    ----------
    module : str
        Imported when the experiment is asked for.
    summary : str
        A line for the list.
    """

    module: str
    summary: str


EXPERIMENTS = {
    "spectra": ExperimentSpec("spectell.experiments.spectra", "mean spectra of every source, real beside generated"),
    "upsampling": ExperimentSpec(
        "spectell.experiments.upsampling.experiment", "one network, five up-samplings, their traces"
    ),
    "separability": ExperimentSpec(
        "spectell.experiments.separability.experiment", "linear detectors on pixels and on the DCT"
    ),
    "attribution": ExperimentSpec("spectell.experiments.attribution", "which source: every detector, pixels and DCT"),
    "data-efficiency": ExperimentSpec("spectell.experiments.data_efficiency", "the same from a fifth of the images"),
    "robustness": ExperimentSpec("spectell.experiments.robustness", "the same after blur, crop, JPEG, noise"),
}
"""In the order of the paper."""


def get_experiment(name: str) -> Experiment:
    """Import an experiment.

    Raises
    ------
    ParameterError
        If no experiment has that name; the message lists those that exist.
    """
    spec = EXPERIMENTS.get(name)
    if spec is None:
        raise ParameterError(f"unknown experiment {name!r}; choose one of {', '.join(EXPERIMENTS)}")
    return cast(Experiment, import_module(spec.module))
