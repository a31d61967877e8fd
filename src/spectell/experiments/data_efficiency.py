"""Experiment 5 of the paper: source identification from a fifth of the training images, and a curve over other shares.

Validation and test images stay the same; a smaller share is a part of a larger one. Networks may take as many more
passes as the share is smaller, so that the number of steps does not fall with the number of images.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spectell.experiments import attribution
from spectell.experiments.config import ExperimentConfig
from spectell.experiments.identification.cells import (
    IdentificationCell,
    IdentificationScale,
    cells_of,
    measure_cell,
)
from spectell.experiments.identification.plan import plan_study, seeds_of
from spectell.experiments.identification.study import open_study, run_study_cells, study_record
from spectell.experiments.identification.summary import summarise
from spectell.experiments.plan import Plan
from spectell.experiments.record import write_record
from spectell.experiments.registry import OnProgress

__all__ = ["SCALES", "SHARE", "plan", "run"]

SHARE = 0.2
"""Of the training images, in the paper."""
HEAVY = ("resnet", "yu2019")
"""Networks that are trained on `SHARE` and on all images alone, and at the small scale not at all."""

SCALES = {
    "small": replace(
        attribution.SCALES["small"],
        images=800,
        detectors=tuple(name for name in attribution.SCALES["small"].detectors if name not in HEAVY),
        epochs={"mlp": 30, "cnn": 40},
        limit=300.0,
    ),
    "full": attribution.SCALES["full"],
}
"""By the name that the command line uses."""

_PAGE = "index.html"
_NOTES = {"small": [f"{', '.join(HEAVY)}: they would take most of an hour; the full scale has them"], "full": []}


def list_cells(config: ExperimentConfig, scale: IdentificationScale) -> list[IdentificationCell]:
    """Every detector in each domain with every seed, share after share; the smallest first.

    Examples
    --------
    >>> config = ExperimentConfig("data-efficiency", "/data", "/out", "small", 0, 2)
    >>> names = [cell.name for cell in list_cells(config, SCALES["small"])]
    >>> len(names), names[0], names[-1]
    (130, 'ridge-pixel-0-5', 'cnn-dct-1')
    """
    seeds = seeds_of(config, scale)
    cells = []
    for share in sorted({*scale.shares, SHARE, 1.0}):
        chosen = [name for name in scale.detectors if share in (SHARE, 1.0) or name not in HEAVY]
        cells += cells_of(chosen, seeds, share=share)
    return cells


def plan(config: ExperimentConfig, scale: IdentificationScale | None = None) -> Plan:
    """Say what would be done; see `spectell.experiments.attribution.plan`."""
    chosen = scale or SCALES[config.scale]
    return plan_study(config, chosen, list_cells(config, chosen), notes=_NOTES[config.scale])


def run(config: ExperimentConfig, on_progress: OnProgress, scale: IdentificationScale | None = None) -> Path:
    """Train and judge every detector that is not done, and write the page; see `spectell.experiments.attribution.run`.

    Parameters
    ----------
    config : ExperimentConfig
    on_progress : callable
    scale : IdentificationScale, optional

    Returns
    -------
    page : Path
    """
    from spectell.experiments.data_efficiency_page import data_efficiency_page
    from spectell.reports.page import write_page

    chosen = scale or SCALES[config.scale]
    study = open_study(config, chosen, on_progress)
    cells = list_cells(config, chosen)
    results = run_study_cells(study, cells, measure_cell, on_progress)
    shares = sorted({cell.share for cell in cells})
    tables = {f"{share:g}": summarise((cell for cell in cells if cell.share == share), results) for share in shares}
    record = study_record(study, cells, results, tables=tables, scale_is_named=chosen == SCALES[config.scale])
    record["notes"] += _NOTES[config.scale]
    write_record(study.folder, record)
    write_page(study.folder / _PAGE, data_efficiency_page(record, study.folder, share=SHARE))
    return study.folder / _PAGE
