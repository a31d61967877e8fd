"""Experiment 2 of the paper: the same networks with one up-sampling after the other, and what each leaves.

All networks see the same images in the same order; those of one kind and seed differ in nothing but the up-sampling.
Everything is kept in the folder of the results, so that an interrupted study goes on where it stopped: ``images/`` (the
real class), ``cells/`` (networks, their images, what was measured), ``settings.json``, ``record.json``, figures and
``index.html``. A folder holds one study: hours of training are not thrown away because a setting changed.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from spectell.datasets import write_manifest
from spectell.datasets.atomic import replacing
from spectell.datasets.packed import IMAGES_NAME, MANIFEST_NAME, Packed, open_packed
from spectell.errors import ManifestError, MismatchError
from spectell.experiments.cells import check_settled, settle
from spectell.experiments.config import ExperimentConfig
from spectell.experiments.photographs import Photographs, choose_photographs
from spectell.experiments.plan import Plan, PlannedCell
from spectell.experiments.record import make_record, write_record
from spectell.experiments.registry import OnProgress
from spectell.experiments.upsampling.cells import (
    AUTOENCODER,
    PREPARED,
    SCALES,
    Cell,
    StudyScale,
    cell_images,
    is_done,
    list_cells,
    make_cells,
    read_cell,
)
from spectell.experiments.upsampling.measure import measure_spectrum, peak_facts, variety
from spectell.experiments.upsampling.theory import doublings_of

__all__ = ["plan", "run"]

SECONDS_A_STEP = {"small": {AUTOENCODER: 0.05, "gan": 0.16}, "full": {AUTOENCODER: 0.05, "gan": 0.1}}
"""For the estimate of a plan, of one network by itself: small on one core of a CPU, full on a GPU (not measured)."""
_SECONDS_AN_IMAGE = {"small": 0.02, "full": 0.5}
"""To make and measure one, with its share of the fits."""

_PAGE = "index.html"
_FEWEST = 20
"""Images with which detectors can be trained and judged at all."""


def plan(config: ExperimentConfig, scale: StudyScale | None = None) -> Plan:
    """Say what would be done; of every data set a few images are read, to see whether they are large enough.

    Parameters
    ----------
    config : ExperimentConfig
        Where photographs are: one data set is taken as it is, of several `choose_photographs` takes one.
    scale : StudyScale, optional
        Other sizes than those of ``config.scale``.

    Returns
    -------
    plan : Plan

    Raises
    ------
    ManifestError
        If there are no photographs that are large enough.
    MismatchError
        If the folder of the results holds another study.
    """
    chosen, folder = scale or SCALES[config.scale], Path(config.output)
    photographs = choose_photographs(config.data, chosen.size)
    check_settled(folder, _settings(config, chosen, photographs))
    images = min(photographs.images, chosen.images)
    cells = []
    for cell in list_cells(chosen):
        steps = chosen.steps(cell.kind)
        training = steps * SECONDS_A_STEP[config.scale][AUTOENCODER if cell.kind == AUTOENCODER else "gan"]
        seconds = (training + images * _SECONDS_AN_IMAGE[config.scale]) / _workers(config, chosen)
        work = f"{photographs.name}, {steps:,} steps at {chosen.size} x {chosen.size} pixels"
        cells.append(PlannedCell(cell.name, images, work, seconds, done=is_done(folder, cell)))
    return Plan(tuple(cells), photographs.notes)


def run(config: ExperimentConfig, on_progress: OnProgress, scale: StudyScale | None = None) -> Path:
    """Run the study, or what is left of it, and write its page.

    Parameters
    ----------
    config : ExperimentConfig
        Its seed is that of the choice of images, the split, and what the conditions draw.
    on_progress : callable
        Called with the name of a stage, how much of it is done, and how much there is.
    scale : StudyScale, optional
        Other sizes than those of ``config.scale``; the record and the page say so, since no command repeats them.

    Returns
    -------
    page : Path
        ``index.html`` in the folder of the results.

    Raises
    ------
    MismatchError
        If the folder of the results holds another study, or PyTorch is missing.
    ManifestError
        If there are too few images.
    ArtifactError
        If a network cannot be trained; those that are done are kept.
    """
    began = time.perf_counter()
    if find_spec("torch") is None:
        raise MismatchError("the study needs PyTorch, which is not installed; run: pip install 'spectell[torch]'")
    chosen, folder = scale or SCALES[config.scale], Path(config.output)
    photographs = choose_photographs(config.data, chosen.size)
    settings = _settings(config, chosen, photographs)
    settle(folder, settings)
    packed = _prepare(photographs, folder / PREPARED, chosen, config.seed, on_progress)
    cells = list_cells(chosen)
    workers = _workers(config, chosen)
    seconds = make_cells(cells, folder, chosen, seed=config.seed, workers=workers, on_progress=on_progress)
    record = make_record(
        config,
        packed.manifest.digest(),
        **settings,
        scale_is_named=chosen == SCALES[config.scale],
        images=len(packed.images),
        groups=len(set(packed.manifest.groups)),
        notes=list(photographs.notes),
        training_seconds=seconds,
        seconds=round(time.perf_counter() - began, 1),
    )
    return _write_results(folder, record, packed, cells)


def _settings(config: ExperimentConfig, scale: StudyScale, photographs: Photographs) -> dict[str, Any]:
    """All that decides the results, but the pixels."""
    study = {**asdict(scale), "upsamplings": list(scale.upsamplings)}
    return {"experiment": config.name, "source": str(photographs.path.absolute()), "study": study, "seed": config.seed}


def _workers(config: ExperimentConfig, scale: StudyScale) -> int:
    """One process on a GPU, which several would share."""
    return min(config.workers, len(list_cells(scale))) if scale.device == "cpu" else 1


def _prepare(photographs: Photographs, folder: Path, scale: StudyScale, seed: int, report: OnProgress) -> Packed:
    """Bring the photographs to size and keep so many of them, chosen by the seed."""
    from spectell.generators.training_images import prepare_images

    if not (folder / MANIFEST_NAME).is_file():
        whole = folder.with_name("all-images")
        counted = partial(report, "images")
        packed, _ = prepare_images(photographs.path, whole, scale.size, on_progress=counted)
        order = np.random.default_rng((seed, 11)).permutation(len(packed.images))
        rows = np.sort(order[: scale.images])
        with replacing(folder / IMAGES_NAME) as file:
            np.lib.format.write_array(file, packed.images[rows])
        write_manifest(packed.manifest.select(rows), folder / MANIFEST_NAME)
        shutil.rmtree(whole, ignore_errors=True)
    prepared = open_packed(folder)
    if len(prepared.images) < _FEWEST:
        raise ManifestError(
            f"data set {str(photographs.path)!r} has {len(prepared.images)} images that can be used, and a study needs "
            f"at least {_FEWEST}"
        )
    return prepared


def _write_results(folder: Path, record: dict[str, Any], packed: Packed, cells: list[Cell]) -> Path:
    from spectell.experiments.upsampling.page import upsampling_page
    from spectell.reports.page import write_page

    found = {cell.name: read_cell(folder, cell) for cell in cells}
    spectra = {name: power for name, (_, power) in found.items()}
    real = np.asarray(packed.images)
    record["cells"] = {
        cell.name: {**found[cell.name][0], "variety": round(variety(cell_images(folder, cell), real), 4)}
        for cell in cells
    }
    record["real"] = {}
    for kind in dict.fromkeys(cell.kind for cell in cells):
        doublings = doublings_of(kind, real.shape[1])
        reference = measure_spectrum(real, doublings)
        record["real"][kind] = {"peaks": [peak_facts(peak, doublings) for peak in reference.peaks]}
        spectra["real"] = reference.power_db
    write_record(folder, record)
    write_page(folder / _PAGE, upsampling_page(record, cells, spectra, folder))
    return folder / _PAGE
