"""Train one detector on the images of several sources, and count how often it names the source.

Estimators, front ends, defaults and the decision are those of ``spectell train --attribution``; only the files are left
out, since the same packed images are used many times. The validation images stop the training of networks and choose
nothing else; the test images are for the figures alone.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from spectell.datasets import Manifest
from spectell.datasets.splits import assign_splits
from spectell.detectors.class_heads import ClassHead
from spectell.detectors.front_end import FrontEnd
from spectell.detectors.streaming import Source
from spectell.detectors.tiles import Tiles
from spectell.errors import ManifestError
from spectell.evaluation.attribution import class_confusion
from spectell.evaluation.intervals import Interval, clopper_pearson
from spectell.workflows.training.config import Classes, TrainingConfig, front_end_for, make_detector
from spectell.workflows.training.steps import FEATURE_BYTES, SPLITS, fit_facts

__all__ = ["Divided", "Judged", "Namer", "divide", "fit_detector", "judge", "name_images", "parameters_of"]

Pixels = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.intp]
Namer = Callable[[Pixels], Rows]
"""From images of shape (n, S, S, 3) to the classes that are named, shape (n,)."""

_BATCH = 256
"""Images whose features are in memory together where something is named."""


@dataclass(frozen=True, slots=True, eq=False)
class Divided:
    """Which images are for what, in one split.

    Parameters
    ----------
    rows : dict of str to ndarray
        Rows of the images by ``train``, ``validation``, ``test``.
    codes : ndarray of shape (N,)
        Class of every image, 0 for real.
    groups : ndarray of shape (N,)
        Images that show one picture have one number.
    """

    rows: dict[str, Rows]
    codes: Rows
    groups: npt.NDArray[np.int64]


def divide(
    manifest: Manifest,
    classes: tuple[str, ...],
    *,
    fractions: Mapping[str, float] | None,
    most: Mapping[str, int] | None = None,
    share: float = 1.0,
    seed: int,
) -> Divided:
    """Assign groups to training, validation and test, and keep a share of the training images.

    Parameters
    ----------
    manifest : Manifest
        Splits that it states are kept.
    classes : tuple of str
        ``real`` first.
    fractions : mapping of str to float or None
        See `spectell.datasets.splits.assign_splits`.
    most : mapping of str to int, optional
        Images of a class in each split, at most.
    share : float in (0, 1]
        Of the training images of each class; a smaller share is a part of a larger one.
    seed : int

    Returns
    -------
    divided : Divided

    Raises
    ------
    ManifestError
        If a split lacks a class.
    """
    given = set(manifest.splits.tolist())
    if not set(SPLITS) <= given:
        manifest = assign_splits(manifest, fractions, seed, near_duplicates=False)
    codes = Classes(classes).codes(manifest)
    rng = np.random.default_rng((seed, 21))
    rows = {}
    for split in SPLITS:
        parts = [np.flatnonzero((manifest.splits == split) & (codes == code)) for code in range(len(classes))]
        kept = share if split == "train" else 1.0
        for name, part in zip(classes, parts, strict=True):
            if not len(part):
                raise ManifestError(f"the split {split!r} of seed {seed} has no image of {name!r}; add images")
        limit = (most or {}).get(split)
        drawn = [rng.permutation(part)[:limit] for part in parts]
        rows[split] = np.sort(np.concatenate([part[: max(round(kept * len(part)), 1)] for part in drawn]))
    return Divided(rows, codes, manifest.groups)


def fit_detector(
    config: TrainingConfig, images: Pixels, divided: Divided, *, checkpoint: str | os.PathLike[str] | None = None
) -> tuple[Namer, dict[str, Any]]:
    """Fit a detector to the training images.

    Parameters
    ----------
    config : TrainingConfig
        Of which detector, domain, seed, epochs and device are used.
    images : ndarray of shape (N, S, S, 3), uint8
    divided : Divided
    checkpoint : path, optional
        Of a network in training, which goes on from it.

    Returns
    -------
    name : callable
        From images of shape (n, S, S, 3) to the classes that the detector names, shape (n,).
    facts : dict
        ``parameters``, ``training_seconds``, ``n_train`` and what the detector reports.
    """
    front_end = front_end_for(config, images.shape[1])
    detector = make_detector(config, front_end.get_params())
    if hasattr(detector, "fit_tiles"):
        import_module("spectell.detectors.networks.training")  # loading PyTorch is no training
    began = time.perf_counter()
    train, validation = divided.rows["train"], divided.rows["validation"]
    if hasattr(detector, "fit_tiles"):
        parts = [(_tiles(images, rows), divided.codes[rows]) for rows in (train, validation)]
        detector.fit_tiles(*parts[0], *parts[1], checkpoint=checkpoint, resume=checkpoint is not None)
    else:
        source = _source(images, front_end, train)
        detector.fit_streamed(source, divided.codes[train], groups=divided.groups[train])
    seconds = time.perf_counter() - began
    facts = {"parameters": parameters_of(detector), "training_seconds": round(seconds, 2), "n_train": len(train)}
    reported = {name: value for name, value in fit_facts(detector).items() if name != "errors"}
    return _namer(detector, front_end), reported | facts


def parameters_of(detector: Any) -> int:
    """How many numbers a fitted detector holds: of a network those that are learned, else all that a model keeps."""
    reported = getattr(detector, "fit_facts_", {})
    kept = sum(int(np.size(array)) for array in detector.head.arrays.values())
    return int(reported.get("parameters", kept))


def name_images(name: Namer, images: Iterable[Pixels]) -> Rows:
    """Name the classes of many images, shape (n,), a batch at a time."""
    found, iterator = [], iter(images)
    while batch := list(itertools.islice(iterator, _BATCH)):
        found.append(name(np.stack(batch)))
    return np.concatenate(found) if found else np.empty(0, np.intp)


def _namer(detector: Any, front_end: FrontEnd) -> Namer:
    """Give what names batches of images of the size of a tile, as a model would name them one by one."""
    if hasattr(detector, "fit_tiles"):
        from spectell.detectors.networks.inference import network_outputs

        return lambda images: np.asarray(network_outputs(detector, Tiles.of_images(images)).argmax(axis=1))
    standardisation, head = detector.standardisation, cast(ClassHead, detector.head)

    def name(images: Pixels) -> Rows:
        return np.asarray(head.classify(standardisation.apply(front_end.transform(images))).argmax(axis=1))

    return name


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """How often the right source was named.

    Parameters
    ----------
    interval : Interval
        Of the share of images that were named rightly, of 95 %.
    confusion : ndarray of shape (K, K)
    groups : int
        Groups of images that were judged.
    """

    interval: Interval
    confusion: npt.NDArray[np.int64]
    groups: int

    def as_dict(self, *, confusion: bool = True) -> dict[str, Any]:
        """Return the values for JSON."""
        facts = {**self.interval.as_dict(), "groups": self.groups, "images": int(self.confusion.sum())}
        return facts | ({"confusion": self.confusion.tolist()} if confusion else {})


def judge(codes: Rows, named: Rows, groups: npt.NDArray[np.int64], n_classes: int) -> Judged:
    """Count, with the exact interval of a share of as many trials as there are groups.

    Images of one group err together, so that a group is one trial; the interval does not collapse where all are right.

    Examples
    --------
    >>> found = judge(np.array([0, 1, 2, 2]), np.array([0, 1, 2, 0]), np.arange(4), 3)
    >>> print(found.interval)
    0.750 [0.194, 0.994]
    """
    confusion = class_confusion(codes, named, n_classes)
    share, n_groups = float((codes == named).mean()), len(np.unique(groups))
    bounds = clopper_pearson(round(share * n_groups), n_groups)
    interval = Interval(share, min(bounds.low, share), max(bounds.high, share))
    return Judged(interval, confusion, n_groups)


def _tiles(images: Pixels, rows: Rows) -> Tiles:
    return Tiles(images, rows, np.arange(len(rows)))


def _source(images: Pixels, front_end: FrontEnd, rows: Rows) -> Source:
    """Give features: computed once if they fit, else whenever they are asked for."""
    if 4 * len(rows) * front_end.n_features > FEATURE_BYTES:
        return lambda start, stop: front_end.transform(images[rows[start:stop]])
    whole = front_end.transform(images[rows])
    return lambda start, stop: whole[start:stop]
