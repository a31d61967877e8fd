"""Experiment 6 of the paper: source identification after blur, crop, JPEG, noise, and all of them.

Detectors are trained on clean images, and on images that went through the perturbation; all are judged on the same test
images after it. A perturbed copy of every image is made once, for all classes alike. Curves show accuracy over the
strength of each perturbation, where every test image is perturbed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.datasets.packed import open_packed
from spectell.experiments import attribution, data_efficiency
from spectell.experiments.config import ExperimentConfig
from spectell.experiments.identification.cells import (
    CLEAN,
    IdentificationCell,
    IdentificationScale,
    cells_of,
    fit_cell,
    perturbed_path,
)
from spectell.experiments.identification.fit import Divided, Namer, judge, name_images
from spectell.experiments.identification.plan import plan_study, seeds_of
from spectell.experiments.identification.samples import PREPARED
from spectell.experiments.identification.study import open_study, run_study_cells, study_record
from spectell.experiments.plan import Plan
from spectell.experiments.record import write_record
from spectell.experiments.registry import OnProgress
from spectell.experiments.robustness_images import (
    PERTURBATIONS,
    STRENGTHS,
    make_perturbed,
    of_strength,
    perturb_all,
)

__all__ = ["SCALES", "plan", "run"]

SCALES = {
    "small": data_efficiency.SCALES["small"],
    "full": attribution.SCALES["full"],
}
"""By the name that the command line uses."""

MOST_FOR_CURVES = 2000
"""Test images, at most, that a point of a curve is measured on."""

_PAGE = "index.html"
_NOTES = {"small": [f"{', '.join(data_efficiency.HEAVY)}: they would take hours; the full scale has them"], "full": []}
_SECONDS_A_TEST = 0.002
"""To perturb and name one test image of 32 x 32 pixels, for an estimate."""


def list_cells(config: ExperimentConfig, scale: IdentificationScale) -> list[IdentificationCell]:
    """Every detector in each domain with every seed, trained on clean images and on each perturbation.

    Examples
    --------
    >>> config = ExperimentConfig("robustness", "/data", "/out", "small", 0, 2)
    >>> names = [cell.name for cell in list_cells(config, SCALES["small"])]
    >>> len(names), names[0], names[-1]
    (156, 'ridge-pixel-0', 'cnn-dct-1-combined')
    """
    seeds = seeds_of(config, scale)
    return [
        cell for trained in (CLEAN, *PERTURBATIONS) for cell in cells_of(scale.detectors, seeds, trained_on=trained)
    ]


def plan(config: ExperimentConfig, scale: IdentificationScale | None = None) -> Plan:
    """Say what would be done; see `spectell.experiments.attribution.plan`."""
    chosen = scale or SCALES[config.scale]

    def testing(cell: IdentificationCell, each: int) -> float:
        points = (
            sum(map(len, STRENGTHS.values())) if cell.trained_on == CLEAN else len(STRENGTHS.get(cell.trained_on, ()))
        )
        return 0.15 * 5 * each * (points + 3) * _SECONDS_A_TEST

    return plan_study(config, chosen, list_cells(config, chosen), extra=testing, notes=_NOTES[config.scale])


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
    from spectell.experiments.robustness_page import robustness_page
    from spectell.reports.page import write_page

    chosen = scale or SCALES[config.scale]
    study = open_study(config, chosen, on_progress)
    perturbed = make_perturbed(study.folder, seed=config.seed, workers=config.workers, on_progress=on_progress)
    cells = list_cells(config, chosen)
    results = run_study_cells(study, cells, measure_robustness, on_progress)
    record = study_record(study, cells, results, perturbed=perturbed, scale_is_named=chosen == SCALES[config.scale])
    record["notes"] += _NOTES[config.scale]
    write_record(study.folder, record)
    write_page(study.folder / _PAGE, robustness_page(record, cells, study.folder))
    return study.folder / _PAGE


def measure_robustness(
    cell: IdentificationCell, *, folder: Path, scale: IdentificationScale, classes: tuple[str, ...]
) -> dict[str, Any]:
    """Train a detector and judge it after perturbations.

    Returns
    -------
    result : dict
        What the cell is; ``facts``; ``tests``: of a detector trained on clean images, the accuracy on clean test
        images and after each perturbation; of another, after its own and on clean ones; ``curves``: accuracy at each
        strength, of the same perturbations.
    """
    _, divided, name, facts = fit_cell(cell, folder=folder, scale=scale, classes=classes)
    names = PERTURBATIONS if cell.trained_on == CLEAN else (cell.trained_on,)
    rows = divided.rows["test"]
    clean = open_packed(folder / PREPARED).images
    tests = {}
    for condition in (CLEAN, *names):
        images = clean if condition == CLEAN else np.load(perturbed_path(folder, condition), mmap_mode="r")
        tests[condition] = _judged(name, np.asarray(images[rows]), rows, divided, len(classes))
    some = np.random.default_rng((cell.seed, 32)).permutation(rows)[:MOST_FOR_CURVES]
    curves = {
        each: _curve(each, name, clean, np.sort(some), divided, cell.seed, len(classes))
        for each in names
        if each in STRENGTHS
    }
    return {**asdict(cell), "facts": facts, "tests": tests, "curves": curves}


def _curve(
    perturbation: str,
    name: Namer,
    images: npt.NDArray[np.uint8],
    rows: npt.NDArray[np.intp],
    divided: Divided,
    seed: int,
    n_classes: int,
) -> list[dict[str, Any]]:
    found = []
    for strength in STRENGTHS[perturbation]:
        copies, _ = perturb_all(of_strength(perturbation, strength), images, rows.tolist(), (seed, 33))
        found.append({"strength": strength, **_judged(name, copies, rows, divided, n_classes)})
    return found


def _judged(
    name: Namer, images: Sequence[Any] | npt.NDArray[np.uint8], rows: npt.NDArray[np.intp], divided: Divided, n: int
) -> dict[str, Any]:
    named = name_images(name, images)
    return judge(divided.codes[rows], named, divided.groups[rows], n).as_dict(confusion=False)
