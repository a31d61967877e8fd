"""Experiment 4 of the paper: which of several sources an image comes from, in the pixel and the DCT domain.

Every detector that tells more than two classes apart is trained in each of its domains with several seeds. Beside them
two see 8 x 8 thumbnails alone: what they reach is told by what the pictures show, not by a trace.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spectell.detectors.registry import DETECTORS
from spectell.experiments.config import ExperimentConfig
from spectell.experiments.identification.cells import (
    NETWORKS,
    THUMBNAILS,
    IdentificationCell,
    IdentificationScale,
    cells_of,
    measure_cell,
)
from spectell.experiments.identification.plan import plan_study, seeds_of
from spectell.experiments.identification.study import (
    FULL_FRACTIONS,
    FULL_MOST,
    open_study,
    run_study_cells,
    study_record,
)
from spectell.experiments.identification.summary import summarise
from spectell.experiments.plan import Plan
from spectell.experiments.record import write_record
from spectell.experiments.registry import OnProgress

__all__ = ["SCALES", "plan", "run"]

SCALES = {
    "small": IdentificationScale(
        size=32,
        images=1000,
        seeds=2,
        detectors=tuple(DETECTORS),
        epochs={"mlp": 30, "cnn": 40, "resnet": 8, "yu2019": 4},
        limit=900.0,
    ),
    "full": IdentificationScale(
        size=0,
        images=sum(FULL_MOST.values()),
        seeds=2,
        detectors=tuple(DETECTORS),
        epochs=dict.fromkeys(NETWORKS, 50),
        limit=24 * 3600.0,
        fractions=FULL_FRACTIONS,
        most=FULL_MOST,
        in_memory=2000,
        device="cuda",
    ),
}
"""By the name that the command line uses."""

BASELINES = ("logistic", "mlp")
"""Detectors that are shown thumbnails."""

_PAGE = "index.html"


def list_cells(config: ExperimentConfig, scale: IdentificationScale) -> list[IdentificationCell]:
    """Every detector in each domain with every seed, then those on thumbnails.

    Examples
    --------
    >>> config = ExperimentConfig("attribution", "/data", "/out", "small", 0, 2)
    >>> names = [cell.name for cell in list_cells(config, SCALES["small"])]
    >>> len(names), names[0], names[-1]
    (38, 'ridge-pixel-0', 'mlp-pixel-1-thumbnails')
    """
    seeds = seeds_of(config, scale)
    baselines = [name for name in BASELINES if name in scale.detectors]
    shown = [IdentificationCell(name, "pixel", seed, view=THUMBNAILS) for name in baselines for seed in seeds]
    return [*cells_of(scale.detectors, seeds), *shown]


def plan(config: ExperimentConfig, scale: IdentificationScale | None = None) -> Plan:
    """Say what would be done.

    Parameters
    ----------
    config : ExperimentConfig
    scale : IdentificationScale, optional
        Other sizes than those of ``config.scale``.

    Returns
    -------
    plan : Plan

    Raises
    ------
    ManifestError
        If there are no images.
    ParameterError
        If the folder of the results holds something else.
    """
    chosen = scale or SCALES[config.scale]
    return plan_study(config, chosen, list_cells(config, chosen))


def run(config: ExperimentConfig, on_progress: OnProgress, scale: IdentificationScale | None = None) -> Path:
    """Train and judge every detector that is not done, and write the page.

    Parameters
    ----------
    config : ExperimentConfig
        Its seed is that of the choice of images, of the samples, and the first of the splits.
    on_progress : callable
        Called with the name of a stage, how much of it is done, and how much there is.
    scale : IdentificationScale, optional
        Other sizes than those of ``config.scale``; the page says so, since no command repeats them.

    Returns
    -------
    page : Path
        ``index.html`` in the folder of the results.

    Raises
    ------
    ParameterError
        If the folder of the results holds something else, or PyTorch is missing.
    ManifestError, ArtifactError
        If there are too few images, or a generator is missing.
    """
    from spectell.experiments.attribution_page import attribution_page
    from spectell.reports.page import write_page

    chosen = scale or SCALES[config.scale]
    study = open_study(config, chosen, on_progress)
    cells = list_cells(config, chosen)
    results = run_study_cells(study, cells, measure_cell, on_progress)
    tables = {view: summarise((cell for cell in cells if cell.view == view), results) for view in _views(cells)}
    record: dict[str, Any] = study_record(
        study, cells, results, tables=tables, scale_is_named=chosen == SCALES[config.scale]
    )
    write_record(study.folder, record)
    write_page(study.folder / _PAGE, attribution_page(record, cells, study.folder))
    return study.folder / _PAGE


def _views(cells: list[IdentificationCell]) -> list[str]:
    return list(dict.fromkeys(cell.view for cell in cells))
