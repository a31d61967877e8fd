"""Experiment 1 of the paper: mean spectra of real images beside those of every generator, source by source.

A generator is compared with the real images of its own source only: sources differ in size, in content and in how
often they were compressed, and a difference between sources says nothing of a generator.

Each source is a cell with a folder of its own, and is done when ``cell.json`` there has the hash of its files and
settings; so an interrupted run goes on, and a source that has changed is done again.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spectell.datasets.atomic import replacing
from spectell.errors import ImageError
from spectell.experiments.cells import check_settled, settle
from spectell.experiments.config import ExperimentConfig
from spectell.experiments.plan import Plan, PlannedCell
from spectell.experiments.record import make_record, manifest_hash, write_record
from spectell.experiments.registry import OnProgress
from spectell.experiments.sources import Source, find_sources
from spectell.images import describe_path
from spectell.workflows.mean_spectra.sets import DETAILED_IMAGES, ImageFiles, list_sets
from spectell.workflows.mean_spectra.study import SpectrumStudy

__all__ = ["LIMITS", "SpectraCell", "plan", "run"]

LIMITS = {"small": 500, "full": 10_000}
"""Images a set at most, by scale; the paper has up to 10,000."""

_CELL = "cell.json"
_PAGE = "index.html"
_VERSION = 1  # of what a cell holds

# For the estimate of a plan, on one core of 2024 with the compiled library: decoding and transforming grow with the
# bytes of a file; blocks and tiles are of some images only.
_SECONDS_AN_IMAGE, _SECONDS_A_DETAILED, _SECONDS_A_BYTE, _SECONDS_A_PAGE = 0.0005, 0.002, 5e-8, 2.0


@dataclass(frozen=True)
class SpectraCell:
    """One source.

    Parameters
    ----------
    source : Source
        Where its images lie.
    sets : tuple of ImageFiles
        One for each generator.
    notes : tuple of str
        What of it is left out.
    identity : str
        Hash of files and settings.
    folder : Path
        Where its results go.
    """

    source: Source
    sets: tuple[ImageFiles, ...]
    notes: tuple[str, ...]
    identity: str
    folder: Path

    @property
    def images(self) -> int:
        """Number of images that are read."""
        return sum(len(files.files) for files in self.sets)

    def is_done(self) -> bool:
        """Whether a result for these files and settings is there."""
        try:
            found = json.loads((self.folder / _CELL).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return False
        return isinstance(found, dict) and found.get("identity") == self.identity


def plan(config: ExperimentConfig) -> Plan:
    """Say what would be done, from the names and sizes of files alone.

    Parameters
    ----------
    config : ExperimentConfig
        Where the images are, and how many of them to take.

    Returns
    -------
    plan : Plan

    Raises
    ------
    ManifestError
        If there is no data set.
    ParameterError
        If the folder of the results holds something else.
    """
    check_settled(Path(config.output), _settings(config))
    cells, notes = _cells(config)
    planned = tuple(
        PlannedCell(
            cell.source.name,
            cell.images,
            ", ".join(f"{files.generator} ({len(files.files):,})" for files in cell.sets),
            _seconds(cell, config.workers),
            done=cell.is_done(),
        )
        for cell in cells
    )
    return Plan(planned, tuple(notes))


def run(config: ExperimentConfig, on_progress: OnProgress) -> Path:
    """Measure every source that is not done, and write the page of all of them.

    Parameters
    ----------
    config : ExperimentConfig
        Where the images are, how many to take, and where results go.
    on_progress : callable
        Called with the name of a set, files done, and their number.

    Returns
    -------
    page : Path
        ``index.html`` in the folder of the results; each source has one of its own in its sub-folder.

    Raises
    ------
    ManifestError
        If there is no data set, or the results cannot be written.
    ImageError
        If not one image of any source can be read.
    ParameterError
        If the folder of the results holds something else.
    """
    from spectell.experiments.spectra_page import spectra_page
    from spectell.reports.page import write_page

    began = time.perf_counter()
    settle(Path(config.output), _settings(config))
    cells, notes = _cells(config)
    studies, unread = _studies(cells, config, on_progress)
    folder = Path(config.output)
    record = make_record(
        config,
        manifest_hash(cell.identity for cell in cells),
        limit=LIMITS[config.scale],
        sources={cell.source.name: {"folder": cell.folder.name, "images": cell.images} for cell in cells},
        notes=[*notes, *unread, *(note for cell in cells for note in cell.notes)],
        seconds=round(time.perf_counter() - began, 1),
    )
    write_record(folder, record)
    write_page(folder / _PAGE, spectra_page(studies, record, folder))
    return folder / _PAGE


def _settings(config: ExperimentConfig) -> dict[str, Any]:
    """Return what all sources depend on, but their files: what changed there is measured anew."""
    return {"experiment": config.name, "seed": config.seed, "limit": LIMITS[config.scale]}


def _cells(config: ExperimentConfig) -> tuple[list[SpectraCell], list[str]]:
    sources, notes = find_sources(config.data)
    names = _folder_names([source.name for source in sources])
    settings = json.dumps([_VERSION, config.seed, LIMITS[config.scale]])
    cells = []
    for source in sources:
        sets, said = list_sets([source.path], limit=LIMITS[config.scale], seed=config.seed)
        identity = manifest_hash(files.identity(settings) for files in sets)
        cells.append(SpectraCell(source, tuple(sets), tuple(said), identity, Path(config.output) / names[source.name]))
    return cells, notes


def _folder_names(names: list[str]) -> dict[str, str]:
    """Give every source a folder whose name suits any file system and is no other's."""
    given: dict[str, str] = {}
    for name in names:
        stem = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_.") else "-" for letter in name)
        stem = stem.strip(".-") or "source"
        number, folder = 1, stem
        while folder in given.values():
            number += 1
            folder = f"{stem}-{number}"
        given[name] = folder
    return given


def _studies(
    cells: Sequence[SpectraCell], config: ExperimentConfig, on_progress: OnProgress
) -> tuple[list[tuple[str, str, SpectrumStudy]], list[str]]:
    """Measure every source; return name, folder and study of each, and which of them have no image that can be read."""
    studies, unread = [], []
    for cell in cells:
        try:
            studies.append((cell.source.name, cell.folder.name, _study(cell, config, on_progress)))
        except ImageError as error:
            unread.append(f"{describe_path(cell.source.name)}: {error}")
    if not studies:
        raise ImageError(f"no source has an image that can be read; {unread[0]}")
    return studies, unread


def _study(cell: SpectraCell, config: ExperimentConfig, on_progress: OnProgress) -> SpectrumStudy:
    from spectell.reports.spectrum import write_spectrum_report
    from spectell.workflows.spectrum import load_study, spectrum

    if cell.is_done():
        return load_study(cell.folder)
    study = spectrum(
        [cell.source.path],
        cell.folder,
        limit=LIMITS[config.scale],
        seed=config.seed,
        workers=config.workers,
        on_progress=on_progress,
    )
    write_spectrum_report(study, cell.folder)
    facts: dict[str, Any] = {"identity": cell.identity, "source": cell.source.name}
    with replacing(cell.folder / _CELL) as file:
        file.write(json.dumps(facts).encode())
    return study


def _seconds(cell: SpectraCell, workers: int) -> float:
    """Estimate from the sizes of a few files how long a source takes."""
    work = 0.0
    for files in cell.sets:
        paths = list(files.files)
        some = paths[:: max(1, math.ceil(len(paths) / 50))]
        sizes = [os.path.getsize(path) for path in some if os.path.exists(path)]  # noqa: PTH110, PTH202 - many files
        mean = sum(sizes) / max(len(sizes), 1)
        work += len(paths) * (_SECONDS_AN_IMAGE + _SECONDS_A_BYTE * mean)
        work += min(len(paths), DETAILED_IMAGES) * _SECONDS_A_DETAILED
    return work / workers + _SECONDS_A_PAGE
