"""Experiment 2 of the paper: the same generator with one up-sampling after the other, and what each leaves.

All networks see the same images in the same order; those of one kind and seed differ in nothing but the up-sampling.
Everything is kept in the output folder, so that an interrupted study goes on where it stopped: ``images/`` (the real
class), ``cells/`` (networks and their images), ``measured/`` (a JSON file for each cell), ``study.json`` and
``index.html``.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.datasets.atomic import replacing
from spectell.datasets.packed import IMAGES_NAME, MANIFEST_NAME, Packed, open_packed
from spectell.errors import ParameterError
from spectell.experiments.upsampling_cells import (
    AUTOENCODER,
    SCALES,
    Cell,
    StudyScale,
    cell_images,
    list_cells,
    make_cells,
    seconds_a_step,
)
from spectell.experiments.upsampling_measure import band_differences, measure_accuracies, measure_spectrum
from spectell.experiments.upsampling_theory import nearest_image

__all__ = ["DOUBLINGS", "StudyPlan", "plan_upsampling", "run_upsampling"]

SECONDS_A_STEP = {"small": {AUTOENCODER: 0.04, "sngan": 0.16}, "full": {AUTOENCODER: 0.05, "sngan": 0.1}}
"""For the estimate of a plan, of one network by itself: small on one core of a CPU, full on a GPU."""
DOUBLINGS = {AUTOENCODER: 2, "sngan": 3}
"""Up-samplings in a network at 32 pixels; a GAN has one more for every doubling of the size."""

_MEASURE_SECONDS = 60.0
_STRONGEST = 5
"""Peaks of a set that are listed."""

Report = Callable[[str, int, int], object]
StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """What a study would do.

    Attributes
    ----------
    cells : tuple of Cell
    images : int
        Real images, at most; those that are too small or damaged are found only when they are read.
    steps : dict of str to int
        Most steps of each kind of network.
    minutes : float
        Estimate for all of it.
    """

    cells: tuple[Cell, ...]
    images: int
    steps: dict[str, int]
    minutes: float

    def lines(self) -> list[str]:
        """Return the plan as text."""
        rows = [f"{cell.name:28} {self.steps[cell.kind]:6} steps  {self.images:6} images" for cell in self.cells]
        return [*rows, f"{len(self.cells)} networks, about {self.minutes:.0f} minutes"]


def plan_upsampling(
    data: StrPath, scale: str | StudyScale = "small", *, loss: str = "sngan", workers: int | None = None
) -> StudyPlan:
    """Say what a study would do, without decoding an image.

    Parameters
    ----------
    data : path
        Photographs, as for `spectell.generators.training_images.list_photographs`.
    scale : {"small", "full"} or StudyScale
    loss : str
        Of the generative adversarial networks.
    workers : int, optional
        Processes; one a core by default.

    Returns
    -------
    plan : StudyPlan
    """
    from spectell.generators.training_images import list_photographs

    chosen, costs = _scale(scale), SECONDS_A_STEP["full" if scale == "full" else "small"]
    images = min(len(list_photographs(data)), chosen.images)
    cells = tuple(list_cells(chosen.seeds, loss=loss))
    steps = {AUTOENCODER: chosen.autoencoder_steps, loss: chosen.gan_steps}
    training = sum(steps[cell.kind] * costs.get(cell.kind, costs["sngan"]) for cell in cells) / _workers(workers, cells)
    total = min(training, 60 * chosen.minutes) + _MEASURE_SECONDS * len(cells) * images / 2000 / 2
    return StudyPlan(cells, images, steps, total / 60)


def run_upsampling(
    data: StrPath,
    output: StrPath,
    scale: str | StudyScale = "small",
    *,
    loss: str = "sngan",
    seed: int = 0,
    device: str = "cpu",
    workers: int | None = None,
    on_progress: Report | None = None,
) -> dict[str, Any]:
    """Run the study, or what is left of it, and write its page.

    Parameters
    ----------
    data : path
        Photographs.
    output : path
        A new folder, or that of an interrupted study of the same data and settings.
    scale : {"small", "full"} or StudyScale
    loss : str
    seed : int
        Of the choice of images, the split, and what the conditions draw. Networks have the seeds 0, 1, ...
    device : str
    workers : int, optional
        Processes that train; one a core by default.
    on_progress : callable, optional
        Called with what is counted, how many are done, and of how many.

    Returns
    -------
    study : dict
        What ``study.json`` holds.

    Raises
    ------
    ParameterError
        If `output` holds a study with other settings.
    ManifestError
        If there are too few images.
    """
    began = time.perf_counter()
    report, chosen, folder = on_progress or _silent, _scale(scale), Path(output)
    cells = list_cells(chosen.seeds, loss=loss)
    settings = {"data": str(Path(data).absolute()), "scale": asdict(chosen), "loss": loss, "seed": seed}
    _claim(folder, settings)
    packed = _prepare(Path(data), folder / "images", chosen, seed, report)
    count = _workers(workers, cells)
    steps = _steps(folder, chosen, loss, count, device)
    places = folder / "cells", folder / "images"
    seconds = make_cells(cells, *places, chosen.size, steps, device=device, workers=count, on_progress=report)
    measured, real = _measure(cells, packed, folder, seed, report)
    study = {
        **_record(settings, packed, steps, count, device),
        "real": real,
        "cells": measured,
        "training_seconds": seconds,
        "seconds": round(time.perf_counter() - began, 1),
    }
    _write_json(folder / "study.json", study)
    _write_page(folder, study, cells)
    return study


def _scale(scale: str | StudyScale) -> StudyScale:
    if isinstance(scale, StudyScale):
        return scale
    if scale not in SCALES:
        raise ParameterError(f"unknown scale {scale!r}; choose one of {', '.join(SCALES)}")
    return SCALES[scale]


def _workers(workers: int | None, cells: tuple[Cell, ...] | list[Cell]) -> int:
    from spectell.workflows.pool import available_cores

    count = available_cores() if workers is None else workers
    if count < 1:
        raise ParameterError(f"workers must be at least 1, got {count}")
    return min(count, len(cells))


def _claim(folder: Path, settings: dict[str, Any]) -> None:
    """Begin a study in a folder, or go on with the one that is there."""
    path = folder / "settings.json"
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        different = sorted(key for key in settings if found.get(key) != settings[key])
        if different:
            raise ParameterError(
                f"the folder {str(folder)!r} holds a study with other settings ({', '.join(different)}); name another"
            )
    elif folder.exists() and any(folder.iterdir()):
        raise ParameterError(f"the folder {str(folder)!r} is not empty and holds no study; name another one")
    else:
        _write_json(path, settings)


def _prepare(data: Path, folder: Path, scale: StudyScale, seed: int, report: Report) -> Packed:
    """Bring the photographs to size and keep so many of them, chosen by the seed."""
    from spectell.datasets import write_manifest
    from spectell.generators.training_images import prepare_images

    if (folder / MANIFEST_NAME).is_file():
        return open_packed(folder)
    whole = folder.with_name("all-images")
    packed, _ = prepare_images(data, whole, scale.size, on_progress=lambda *done: report("images", *done))
    order = np.random.default_rng((seed, 11)).permutation(len(packed.images))
    rows = np.sort(order[: scale.images])
    with replacing(folder / IMAGES_NAME) as file:
        np.lib.format.write_array(file, packed.images[rows])
    write_manifest(packed.manifest.select(rows), folder / MANIFEST_NAME)
    shutil.rmtree(whole, ignore_errors=True)
    return open_packed(folder)


def _steps(folder: Path, scale: StudyScale, loss: str, workers: int, device: str) -> dict[str, int]:
    """Fix the steps of each kind: those of the scale, or what the time allows, the same for every network of it."""
    path = folder / "steps.json"
    if path.exists():
        return {kind: int(value) for kind, value in json.loads(path.read_text(encoding="utf-8")).items()}
    wanted = {AUTOENCODER: scale.autoencoder_steps, loss: scale.gan_steps}
    scratch = folder / "timing"
    costs = {kind: seconds_a_step(kind, folder / "images", scale.size, scratch, device=device) for kind in wanted}
    shutil.rmtree(scratch, ignore_errors=True)
    networks = len(list_cells(scale.seeds)) / 2
    expected = sum(wanted[kind] * costs[kind] * networks for kind in wanted) / workers / 60
    share = min(1.0, scale.minutes / expected)
    steps = {kind: max(1, int(share * value)) for kind, value in wanted.items()}
    _write_json(path, steps)
    return steps


def _measure(
    cells: list[Cell], packed: Packed, folder: Path, seed: int, report: Report
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure every cell that was not measured before."""
    real = np.asarray(packed.images)
    reference = measure_spectrum(real)
    _write_array(folder / "measured" / "real.npy", reference.power_db)
    measured = {}
    for number, cell in enumerate(cells, start=1):
        path = folder / "measured" / f"{cell.name}.json"
        if not path.exists():
            images = cell_images(folder / "cells", cell)
            found = measure_spectrum(images)
            _write_array(path.with_suffix(".npy"), found.power_db)
            paired = cell.kind == AUTOENCODER
            accuracies = measure_accuracies(real, images, packed.manifest.groups, paired=paired, seed=seed)
            doublings = _doublings(cell.kind, real.shape[1])
            facts = {
                **asdict(cell),
                "bands_db": band_differences(found.power_db, reference.power_db),
                "peaks": [_peak(peak, doublings) for peak in found.peaks[:_STRONGEST]],
                "accuracies": [one.as_dict() for one in accuracies],
            }
            _write_json(path, facts)
        measured[cell.name] = json.loads(path.read_text(encoding="utf-8"))
        report("measured", number, len(cells))
    return measured, {"peaks": [_peak(peak, DOUBLINGS[AUTOENCODER]) for peak in reference.peaks[:_STRONGEST]]}


def _doublings(kind: str, size: int) -> int:
    if kind == AUTOENCODER:
        return DOUBLINGS[AUTOENCODER]
    return DOUBLINGS["sngan"] + int(np.log2(size // 32))


def _peak(peak: Any, doublings: int) -> dict[str, Any]:
    """One peak and where theory has an image of the spectrum nearest to it."""
    places = [nearest_image(value, doublings) for value in (peak.vertical, peak.horizontal)]
    explained = all(distance <= peak.resolution for _, distance in places) and any(place for place, _ in places)
    return {
        "vertical": round(peak.vertical, 4),
        "horizontal": round(peak.horizontal, 4),
        "height_db": round(peak.height_db, 2),
        "theory": [place for place, _ in places] if explained else None,
    }


def _record(
    settings: dict[str, Any], packed: Packed, steps: dict[str, int], workers: int, device: str
) -> dict[str, Any]:
    from spectell.workflows.training_card import versions

    facts = {
        "images": len(packed.images),
        "manifest": packed.manifest.digest(),
        "groups": len(set(packed.manifest.groups)),
    }
    return {"settings": settings, **facts, "steps": steps, "workers": workers, "device": device, "versions": versions()}


def _write_page(folder: Path, study: dict[str, Any], cells: list[Cell]) -> None:
    from spectell.experiments.upsampling_page import upsampling_page
    from spectell.reports.page import write_page

    spectra: dict[str, npt.NDArray[np.float64]] = {
        name: np.load(folder / "measured" / f"{name}.npy") for name in ("real", *(cell.name for cell in cells))
    }
    write_page(folder / "index.html", upsampling_page(study, cells, spectra))


def _write_json(path: Path, value: Any) -> None:
    with replacing(path) as file:
        file.write(json.dumps(value, indent=1, allow_nan=False, sort_keys=True).encode() + b"\n")


def _write_array(path: Path, values: npt.NDArray[np.float64]) -> None:
    with replacing(path) as file:
        np.lib.format.write_array(file, values)


def _silent(*_: object) -> None:
    """Report nothing."""
