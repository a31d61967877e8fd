"""Experiment 3 of the paper: whether linear detectors tell real from generated, on pixels and on the DCT.

The paper asks it of FFHQ and StyleGAN; here it is asked of every generator of every source. Whether the classes differ
in something else than a trace is looked at beside it: what files say, what thumbnails show, what pixels remember of
earlier compression. Where the histories differ, everything is measured once more after both classes were saved alike.

Everything is kept in the folder of the results, so that an interrupted study goes on: ``prepared/`` (packed images,
what the audit found), ``cells/`` (a result for each split), ``settings.json``, ``record.json``, figures and
``index.html``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from spectell.errors import ManifestError
from spectell.experiments.cells import check_settled, is_done, run_cells, settle, skipped_cells
from spectell.experiments.config import ExperimentConfig
from spectell.experiments.plan import Plan, PlannedCell
from spectell.experiments.record import make_record, manifest_hash, write_record
from spectell.experiments.registry import OnProgress
from spectell.experiments.separability.cells import FOUND, JPEG, SCALES, Cell, Comparison, SeparabilityScale
from spectell.experiments.separability.measure import measure_cell
from spectell.experiments.separability.sources import list_comparisons, prepare, read_prepared

__all__ = ["plan", "run"]

_PAGE = "index.html"
_JPEG_NOTE = (
    "what cannot be planned before the files are read: the same cells with both classes saved as JPEG 75, where their "
    "formats or JPEG histories differ"
)

# For the estimate of a plan, on one core of 2020: reading and looking for leaks an image; Gram matrices a product;
# eigenvalues and cross-validation a cube of the number of images.
_SECONDS_READ, _SECONDS_AUDIT, _SECONDS_PRODUCT, _SECONDS_CUBE = 0.015, 0.05, 6e-10, 8e-9


def plan(config: ExperimentConfig, scale: SeparabilityScale | None = None) -> Plan:
    """Say what would be done; of every comparison one image is read, for its size.

    Parameters
    ----------
    config : ExperimentConfig
        Where the images are, and how large the study is.
    scale : SeparabilityScale, optional
        Other sizes than those of ``config.scale``.

    Returns
    -------
    plan : Plan

    Raises
    ------
    ManifestError
        If there is nothing to compare.
    ParameterError
        If the folder of the results holds another study.
    """
    chosen, folder = scale or SCALES[config.scale], Path(config.output)
    comparisons, notes = list_comparisons(config.data, chosen.images)
    check_settled(folder, _settings(config, chosen, comparisons))
    planned = []
    for comparison in comparisons:
        known = read_prepared(folder, comparison)
        side = known["side"] if known else _probed_side(comparison, chosen.side)
        audited = min(chosen.audited, comparison.images)
        seconds = 2 * (comparison.images * _SECONDS_READ * (side / 128) ** 2 + audited * _SECONDS_AUDIT)
        work = "read, pack, look for leaks"
        planned.append(
            PlannedCell(comparison.name, 2 * comparison.images, work, seconds / config.workers, done=known is not None)
        )
        images = known["images"] if known else comparison.images
        for cell in _cells(comparison, known or {}, chosen):
            work = f"{cell.condition}, split {cell.split + 1} of {chosen.splits}, {side} x {side} pixels"
            estimate = _cell_seconds(images, side, chosen) / config.workers
            done = is_done(folder, cell, chosen.limit)
            planned.append(PlannedCell(cell.name, 2 * images, work, estimate, done=done))
        if known is None and _JPEG_NOTE not in notes:
            notes.append(_JPEG_NOTE)
    return Plan(tuple(planned), tuple(notes))


def run(config: ExperimentConfig, on_progress: OnProgress, scale: SeparabilityScale | None = None) -> Path:
    """Run the study, or what is left of it, and write its page.

    Parameters
    ----------
    config : ExperimentConfig
        Its seed is that of the splits.
    on_progress : callable
        Called with the name of a stage, how much of it is done, and how much there is.
    scale : SeparabilityScale, optional
        Other sizes than those of ``config.scale``; the record and the page say so, since no command repeats them.

    Returns
    -------
    page : Path
        ``index.html`` in the folder of the results.

    Raises
    ------
    ManifestError
        If there is nothing to compare.
    ParameterError
        If the folder of the results holds another study.
    """
    began = time.perf_counter()
    chosen, folder = scale or SCALES[config.scale], Path(config.output)
    comparisons, notes = list_comparisons(config.data, chosen.images)
    settings = _settings(config, chosen, comparisons)
    settle(folder, settings)
    prepared: dict[str, dict[str, Any]] = {}
    for comparison in comparisons:
        try:
            found = prepare(comparison, folder, chosen, workers=config.workers, on_progress=on_progress)
        except ManifestError as error:
            notes.append(str(error))
            continue
        prepared[comparison.name] = found
        notes += found["notes"]
    if not prepared:
        raise ManifestError(f"nothing in {config.data!r} can be compared; the last reason: {notes[-1]}")
    compared = [comparison for comparison in comparisons if comparison.name in prepared]
    cells = [cell for one in compared for cell in _cells(one, prepared[one.name], chosen)]
    threads = max(config.workers // len(cells), 1)
    work = partial(measure_cell, folder=folder, scale=chosen, seed=config.seed, threads=threads)
    results = run_cells(
        cells, work, folder, workers=config.workers, limit=chosen.limit, on_progress=on_progress, stage="detectors"
    )
    record = make_record(
        config,
        manifest_hash(prepared[one.name]["digest"] for one in compared),
        **settings,
        scale_is_named=chosen == SCALES[config.scale],
        notes=notes,
        skipped=skipped_cells(results),
        cell_seconds=round(sum(result.get("seconds", 0.0) for result in results.values()), 1),
        seconds=round(time.perf_counter() - began, 1),
    )
    return _write_results(folder, record, compared, prepared, cells, results)


def _settings(config: ExperimentConfig, scale: SeparabilityScale, comparisons: list[Comparison]) -> dict[str, Any]:
    """All that decides the results, but the pixels."""
    files = {comparison.name: comparison.digest for comparison in comparisons}
    return {"experiment": config.name, "study": asdict(scale), "seed": config.seed, "files": files}


def _cells(comparison: Comparison, prepared: Mapping[str, Any], scale: SeparabilityScale) -> list[Cell]:
    conditions = [FOUND, JPEG] if prepared.get("histories_differ") else [FOUND]
    return [Cell(comparison.name, condition, split) for condition in conditions for split in range(scale.splits)]


def _probed_side(comparison: Comparison, largest: int) -> int:
    """Side of the part that will be looked at, as far as one image tells."""
    from spectell.datasets import read_dataset
    from spectell.errors import ImageError
    from spectell.images import read_image

    try:
        manifest = read_dataset(comparison.path, require_real=False)
        height, width, _ = read_image(manifest.file(0)).pixels.shape
    except ImageError:
        return largest
    return int(min(height, width, largest))


def _cell_seconds(images: int, side: int, scale: SeparabilityScale) -> float:
    train = 2 * images * (1 - scale.test_share)
    return 1 + train**2 * 3 * side**2 * _SECONDS_PRODUCT + train**3 * _SECONDS_CUBE


def _write_results(
    folder: Path,
    record: dict[str, Any],
    comparisons: list[Comparison],
    prepared: Mapping[str, dict[str, Any]],
    cells: list[Cell],
    results: Mapping[str, dict[str, Any]],
) -> Path:
    from spectell.experiments.separability.page import separability_page
    from spectell.experiments.separability.summary import summarise
    from spectell.reports.page import write_page

    found = [
        summarise(comparison, prepared[comparison.name], condition, own)
        for comparison in comparisons
        for condition in (FOUND, JPEG)
        if (own := [results[c.name] for c in cells if (c.comparison, c.condition) == (comparison.name, condition)])
    ]
    record["comparisons"] = [one.as_dict() for one in found]
    write_record(folder, record)
    write_page(folder / _PAGE, separability_page(record, found, folder))
    return folder / _PAGE
