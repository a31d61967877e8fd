"""The cells of a source identification: a detector, a domain, a seed, and what it is trained on.

Attribution, data efficiency and robustness are lists of such cells with different settings. A cell trains one detector,
judges it on the test images, and is kept as numbers alone: the models are not kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.datasets.packed import open_packed
from spectell.detectors.registry import DETECTORS
from spectell.experiments.identification.fit import Divided, Namer, divide, fit_detector, judge, name_images
from spectell.experiments.identification.samples import PREPARED
from spectell.perturbations.resize import resize
from spectell.workflows.auditing.pixel_traces import THUMBNAIL_SIDE
from spectell.workflows.training.config import TrainingConfig

__all__ = [
    "CLEAN",
    "DOMAINS",
    "IMAGES",
    "NETWORKS",
    "THUMBNAILS",
    "IdentificationCell",
    "IdentificationScale",
    "cells_of",
    "domains_of",
    "fit_cell",
    "measure_cell",
    "perturbed_path",
    "thumbnails_of",
]

DOMAINS = ("pixel", "dct")
NETWORKS = ("mlp", "cnn", "resnet", "yu2019")
"""Detectors that are trained in passes over the images."""
CLEAN = "clean"
IMAGES, THUMBNAILS = "images", "thumbnails"
CHECKPOINTS = "checkpoints"
PERTURBED = "perturbed"

Pixels = npt.NDArray[np.uint8]


def domains_of(detector: str) -> tuple[str, ...]:
    """Domains in which a detector works.

    Examples
    --------
    >>> domains_of("prnu"), domains_of("cnn")
    (('pixel',), ('pixel', 'dct'))
    """
    front_ends = DETECTORS[detector].front_ends
    return DOMAINS if front_ends is None else tuple(name for name in DOMAINS if name in front_ends)


@dataclass(frozen=True, slots=True)
class IdentificationScale:
    """How large an experiment is.

    Parameters
    ----------
    size : int
        Side in pixels that photographs are brought to; 0 takes a data set with all classes as it is, and nothing else.
    images : int
        Most images of a class.
    seeds : int >= 1
        Splits and initialisations of every detector; their seeds follow that of the run.
    detectors : tuple of str
    epochs : mapping of str to int
        Most passes over the training images, by detector; of a share of them as many more as make the same steps.
    limit : float
        Seconds that a cell may take.
    fractions : mapping of str to float, optional
        Shares of the splits, those of `spectell.datasets.splits` by default.
    most : mapping of str to int
        Images of a class in each split, at most.
    in_memory : int
        Training images of a class, at most, of detectors that hold all their features in memory.
    shares : tuple of float
        Of the training images, for the curves of data efficiency.
    device : str
        That trains networks, as torch names it.
    """

    size: int
    images: int
    seeds: int
    detectors: tuple[str, ...]
    epochs: Mapping[str, int]
    limit: float
    fractions: Mapping[str, float] | None = None
    most: Mapping[str, int] = field(default_factory=dict)
    in_memory: int = 100_000
    shares: tuple[float, ...] = (0.05, 0.1, 0.2, 0.5, 1.0)
    device: str = "cpu"

    def as_dict(self) -> dict[str, Any]:
        """Return the values for JSON."""
        return {**asdict(self), "detectors": list(self.detectors), "shares": list(self.shares)}


@dataclass(frozen=True, slots=True)
class IdentificationCell:
    """One trained detector.

    Parameters
    ----------
    detector : str
    domain : {"pixel", "dct"}
    seed : int
    share : float in (0, 1]
        Of the training images.
    trained_on : str
        ``clean``, or the perturbation that training and validation images went through.
    view : {"images", "thumbnails"}

    Examples
    --------
    >>> IdentificationCell("cnn", "dct", 1).name, IdentificationCell("knn", "pixel", 0, share=0.2).name
    ('cnn-dct-1', 'knn-pixel-0-20')
    """

    detector: str
    domain: str
    seed: int
    share: float = 1.0
    trained_on: str = CLEAN
    view: str = IMAGES

    @property
    def name(self) -> str:
        """Its file and what the page calls it."""
        parts = [self.detector, self.domain, str(self.seed)]
        parts += [f"{100 * self.share:g}"] if self.share < 1 else []
        parts += [part for part in (self.trained_on, self.view) if part not in (CLEAN, IMAGES)]
        return "-".join(parts)


def cells_of(detectors: Sequence[str], seeds: Sequence[int], **settings: Any) -> list[IdentificationCell]:
    """Every detector in each of its domains with every seed, the seeds last.

    Examples
    --------
    >>> [cell.name for cell in cells_of(["prnu", "knn"], [0], share=0.1)]
    ['prnu-pixel-0-10', 'knn-pixel-0-10', 'knn-dct-0-10']
    """
    return [
        IdentificationCell(detector, domain, seed, **settings)
        for detector in detectors
        for domain in domains_of(detector)
        for seed in seeds
    ]


def measure_cell(
    cell: IdentificationCell, *, folder: Path, scale: IdentificationScale, classes: tuple[str, ...]
) -> dict[str, Any]:
    """Train a detector and judge it on the validation and the test images that are like those it was trained on.

    Parameters
    ----------
    cell : IdentificationCell
    folder : Path
        Of the experiment.
    scale : IdentificationScale
    classes : tuple of str

    Returns
    -------
    result : dict
        What the cell is; ``facts`` of the training; ``validation`` and ``test`` of
        `spectell.experiments.identification.fit.Judged`.
    """
    images, divided, name, facts = fit_cell(cell, folder=folder, scale=scale, classes=classes)
    result: dict[str, Any] = {**asdict(cell), "facts": facts}
    for split in ("validation", "test"):
        rows = divided.rows[split]
        named = name_images(name, images[rows])
        result[split] = judge(divided.codes[rows], named, divided.groups[rows], len(classes)).as_dict()
    return result


def fit_cell(
    cell: IdentificationCell, *, folder: Path, scale: IdentificationScale, classes: tuple[str, ...]
) -> tuple[Pixels, Divided, Namer, dict[str, Any]]:
    """Train the detector of a cell; return the images of its kind, their split, what names them, and facts."""
    packed = open_packed(folder / PREPARED)
    networks = cell.detector in NETWORKS
    most = dict(scale.most)
    if not networks:
        most["train"] = min(scale.in_memory, most.get("train", scale.in_memory))
    divided = divide(packed.manifest, classes, fractions=scale.fractions, most=most, share=cell.share, seed=cell.seed)
    images = packed.images
    if cell.trained_on != CLEAN:
        images = np.load(perturbed_path(folder, cell.trained_on), mmap_mode="r")
    if cell.view == THUMBNAILS:
        images = thumbnails_of(images)
    epochs = scale.epochs.get(cell.detector)
    config = TrainingConfig(
        cell.detector,
        cell.domain,
        seed=cell.seed,
        attribution=True,
        epochs=None if epochs is None else round(epochs / cell.share),
        device=scale.device if networks else None,
    )
    checkpoint = folder / CHECKPOINTS / f"{cell.name}.safetensors" if networks else None
    if checkpoint is not None:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
    name, facts = fit_detector(config, np.asarray(images), divided, checkpoint=checkpoint)
    if checkpoint is not None:
        with suppress(OSError):
            checkpoint.unlink()
    return images, divided, name, facts | {"most_epochs": config.epochs}


def perturbed_path(folder: Path, name: str) -> Path:
    """Where all images after a perturbation are kept, in the order of the packed ones."""
    return folder / PERTURBED / f"{name}.npy"


def thumbnails_of(images: Pixels) -> Pixels:
    """Return 8 x 8 thumbnails, the means of equal parts of each image: what a picture shows, without its trace."""
    side = THUMBNAIL_SIDE
    return np.stack([resize(np.asarray(image), side, side, "box") for image in images])
