"""What a cell measures: detectors in every domain, trained on one part of the groups and judged on the other.

Standardisation and strengths come from training images alone; test images are scored once. Thumbnails are a domain
like the others: what they tell apart is content, and no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spectell.datasets import Manifest
from spectell.datasets.atomic import replacing
from spectell.datasets.packed import open_packed
from spectell.detectors.front_end import FrontEnd
from spectell.detectors.streaming import Source
from spectell.errors import ManifestError
from spectell.evaluation.metrics import roc_auc
from spectell.experiments.group_draws import draw_groups
from spectell.experiments.separability.cells import CONDITIONS, Cell, SeparabilityScale
from spectell.experiments.separability.features import DOMAINS, front_ends
from spectell.experiments.separability.intervals import accuracy_interval, auc_interval, difference_interval
from spectell.experiments.separability.sources import PREPARED
from spectell.perturbations import Perturbation
from spectell.spectra.statistics import SpectrumStatistics
from spectell.workflows.reading.image_files import Reader
from spectell.workflows.reading.image_passes import PackedReader
from spectell.workflows.reading.image_set import ImageSet
from spectell.workflows.training.steps import ImageFeatures, feature_source

__all__ = [
    "ALL",
    "CURVE_DOMAINS",
    "DETECTORS",
    "SPECTRA",
    "measure_cell",
    "spectra_file",
]

Pixels = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.intp]

CURVE_DOMAINS = ("pixel", "DCT", "blocks")
ALL = "all"
"""Name of the last point of a learning curve, whose number of images differs a little between splits."""
DETECTORS = ("ridge", "logistic")
SPECTRA = ("difference", "effect", "weights")
"""What is kept of the DCT: see `_spectra`."""

_BATCH = 256
_FEWEST_TO_TRAIN = 10


class _Data(NamedTuple):
    """Images of a cell, and which of them train."""

    images: ImageSet
    labels: npt.NDArray[np.int8]
    groups: npt.NDArray[np.int64]
    train: Rows
    test: Rows
    seed: int

    def test_groups(self, label: int) -> int:
        """Count the groups of a class that are tested."""
        return len(np.unique(self.groups[self.test[self.labels[self.test] == label]]))


def measure_cell(cell: Cell, folder: Path, scale: SeparabilityScale, seed: int, *, threads: int = 1) -> dict[str, Any]:
    """Train and judge every detector in every domain on one split.

    Parameters
    ----------
    cell : Cell
    folder : Path
        Of the study, with the packed images.
    scale : SeparabilityScale
    seed : int
        Of the study; every split draws on its own.
    threads : int
        Of this cell.

    Returns
    -------
    result : dict
        ``groups`` (of ``train`` and ``test``), ``images``, ``results`` (accuracy and AUC of each domain and detector),
        ``gain`` (of the DCT over pixels, by detector), ``curve``, and for the first split ``scores``.

    Raises
    ------
    ManifestError
        If the split leaves too few images of a class to train on.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(threads):
        return _measured(cell, folder, scale, _open(cell, folder, scale, seed, threads))


def _measured(cell: Cell, folder: Path, scale: SeparabilityScale, data: _Data) -> dict[str, Any]:
    ends = front_ends(data.images.pixels(0).shape[0])
    results, curve = [], list[dict[str, Any]]()
    scores: dict[tuple[str, str], npt.NDArray[np.float64]] = {}
    for domain, front_end in ends.items():
        source, tested = (feature_source(data.images, front_end, rows) for rows in (data.train, data.test))
        for name in DETECTORS:
            detector = _detector(name, scale, data.seed)
            detector.fit_streamed(source, data.labels[data.train], groups=data.groups[data.train])
            scores[domain, name] = found = _scores(detector, tested, len(data.test))
            results.append({"domain": domain, "detector": name, **_judged(data, found), **_fit(detector)})
            if (domain, name, cell.split) == ("DCT", "ridge", 0):
                _write_spectra(spectra_file(folder, cell), data, source, detector)
        if domain in CURVE_DOMAINS:
            curve += list(_curve(domain, partial(_part, source, front_end, data), tested, data, scale))
            whole = {"point": ALL, "images": _smaller_class(data, data.train)}
            curve.append({"domain": domain, **whole, **_summary(results, domain)})
    truth = data.labels[data.test]
    gain = {
        name: difference_interval(truth, scores["DCT", name], scores["pixel", name], data.groups[data.test]).as_dict()
        for name in DETECTORS
    }
    shown = {domain: _by_class(scores[domain, "ridge"], truth) for domain in DOMAINS} if cell.split == 0 else {}
    counts = {part: len(np.unique(data.groups[rows])) for part, rows in (("train", data.train), ("test", data.test))}
    images = {"train": len(data.train), "test": len(data.test)}
    return {"groups": counts, "images": images, "results": results, "gain": gain, "curve": curve, "scores": shown}


def spectra_file(folder: Path, cell: Cell) -> Path:
    """Return where the first split of a comparison keeps its spectra: `SPECTRA`, each (S, S)."""
    return folder / "cells" / f"{cell.name}-spectra.npy"


def _open(cell: Cell, folder: Path, scale: SeparabilityScale, seed: int, threads: int) -> _Data:
    packed = open_packed(folder / PREPARED / cell.comparison)
    images = ImageSet(packed.manifest, read=_reader(PackedReader(packed), CONDITIONS[cell.condition]), workers=threads)
    labels, groups = images.manifest.labels, images.manifest.groups
    rng = np.random.default_rng((seed, 311, cell.split))
    test = draw_groups(groups, labels, scale.test_share, rng)
    rows = rng.permutation(len(labels))  # so that the first so many are a fair part
    data = _Data(images, labels, groups, rows[~test[rows]], rows[test[rows]], cell.split)
    if min(_smaller_class(data, data.train), data.test_groups(0), data.test_groups(1)) < 2:
        raise ManifestError(f"{cell.comparison}: a split leaves fewer than 2 images of a class on a side")
    return data


def _reader(read: Reader, perturbation: Perturbation | None) -> Reader:
    if perturbation is None:
        return read

    def changed(manifest: Manifest, index: int) -> Pixels:
        pixels = read(manifest, index)
        parameters = perturbation.draw(np.random.default_rng(index), pixels.shape)
        return np.asarray(perturbation.apply(pixels, parameters))

    return changed


def _detector(name: str, scale: SeparabilityScale, seed: int) -> Any:
    """Make a detector whose strength comes from cross-validation over groups within training."""
    if name == "ridge":
        from spectell.detectors.ridge import RidgeDetector

        return RidgeDetector("cv", seed=seed)
    from spectell.detectors.logistic import LogisticDetector

    strengths = scale.logistic_strengths
    if len(strengths) == 1:
        return LogisticDetector(strength=strengths[0], seed=seed)
    return LogisticDetector(strength="cv", strengths=strengths, seed=seed)


def _scores(detector: Any, source: Source, n_rows: int) -> npt.NDArray[np.float64]:
    bounds = [(start, min(start + _BATCH, n_rows)) for start in range(0, n_rows, _BATCH)]
    return np.concatenate([detector.decision_function(source(start, stop)) for start, stop in bounds])


def _judged(data: _Data, scores: npt.NDArray[np.float64]) -> dict[str, Any]:
    truth = data.labels[data.test]
    n_groups = len(np.unique(data.groups[data.test]))
    area = auc_interval(roc_auc(truth, scores), data.test_groups(0), data.test_groups(1))
    return {"accuracy": accuracy_interval(truth, scores, n_groups).as_dict(), "auc": area.as_dict()}


def _fit(detector: Any) -> dict[str, Any]:
    return {"strength": float(detector.strength_), "converged": bool(getattr(detector, "converged_", True))}


def _summary(results: list[dict[str, Any]], domain: str) -> dict[str, Any]:
    (own,) = (one for one in results if (one["domain"], one["detector"]) == (domain, "ridge"))
    return {key: own[key] for key in ("accuracy", "auc")}


def _curve(
    domain: str, part: Callable[[Rows], Source], tested: Source, data: _Data, scale: SeparabilityScale
) -> Iterator[dict[str, Any]]:
    """Judge ridge regression on parts of the training images: whole groups, each part in the next."""
    for wanted in scale.curve:
        if not _FEWEST_TO_TRAIN <= wanted < 0.8 * _smaller_class(data, data.train):
            continue
        places = _first(data, wanted)
        rows = data.train[places]
        detector = _detector("ridge", scale, data.seed)
        detector.fit_streamed(part(places), data.labels[rows], groups=data.groups[rows])
        judged = _judged(data, _scores(detector, tested, len(data.test)))
        yield {"domain": domain, "point": str(wanted), "images": wanted, **judged}


def _part(source: Source, front_end: FrontEnd, data: _Data, places: Rows) -> Source:
    """Features of some training images: taken from those of all where these are kept."""
    if isinstance(source, ImageFeatures):
        return feature_source(data.images, front_end, data.train[places])
    chosen = source(0, len(data.train))[places]
    return lambda start, stop: chosen[start:stop]


def _first(data: _Data, wanted: int) -> Rows:
    """Places in the training rows of so many of each class, group by group in the order of the shuffled rows."""
    labels = data.labels[data.train]
    _, first, numbers = np.unique(data.groups[data.train], return_index=True, return_inverse=True)
    order = np.argsort(first[numbers], kind="stable")
    return np.concatenate([order[labels[order] == label][:wanted] for label in (0, 1)])


def _smaller_class(data: _Data, rows: Rows) -> int:
    return int(np.bincount(data.labels[rows], minlength=2).min())


def _by_class(scores: npt.NDArray[np.float64], truth: npt.NDArray[np.int8]) -> Mapping[str, list[float]]:
    return {
        name: [round(float(score), 4) for score in scores[truth == label]]
        for label, name in enumerate(("real", "generated"))
    }


def _write_spectra(path: Path, data: _Data, source: Source, detector: Any) -> None:
    with replacing(path) as file:
        np.lib.format.write_array(file, _spectra(data, source, detector))


def _spectra(data: _Data, source: Source, detector: Any) -> npt.NDArray[np.float64]:
    """Where training images of the classes differ, and what the detector makes of it, as means over the colours.

    Difference of the mean log magnitudes, in nats; the same in units of the deviation within the classes; weights of
    the standardised coefficients.
    """
    side = round((len(detector.mean_) / 3) ** 0.5)
    found = [SpectrumStatistics((side, side)) for _ in range(2)]
    labels, n = data.labels[data.train], len(data.train)
    for start in range(0, n, _BATCH):
        stop = min(start + _BATCH, n)
        grey = source(start, stop).reshape(stop - start, side, side, 3).mean(axis=-1)
        for label, statistics in enumerate(found):
            if (own := labels[start:stop] == label).any():
                statistics.update(grey[own])
    real, made = found
    difference = made.mean - real.mean
    spread = np.sqrt((real.variance(ddof=1) + made.variance(ddof=1)) / 2)
    effect = np.divide(difference, spread, out=np.zeros_like(difference), where=spread > 0)
    weights = np.asarray(detector.coef_).reshape(side, side, 3).mean(axis=-1)
    return np.stack([difference, effect, weights])
