"""What a training run is asked for, and the estimator and the front end that it means."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.datasets import REAL, Manifest
from spectell.detectors.front_end import FrontEnd
from spectell.detectors.registry import DETECTORS, detector_spec, get_detector, get_front_end
from spectell.errors import ManifestError, ParameterError
from spectell.workflows.reading.image_set import ImageSet
from spectell.workflows.training.augmentation import Augmentation

__all__ = [
    "BLOCK_SIDE",
    "STREAMED_BYTES",
    "Classes",
    "TrainingConfig",
    "config_notes",
    "front_end_for",
    "has_checkpoints",
    "make_augmentation",
    "make_detector",
    "make_front_end",
    "size_notes",
]

StrPath = str | os.PathLike[str]

STREAMED_BYTES = 2_000_000_000
"""What blocks of features may take beside the images that are kept, so that a run stays within 4 GB."""

BLOCK_SIDE = 32
"""Of a block where no side is asked for."""

_FITTING_SHARE = 0.95
_LEAST_SIDE = 2


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What a training run was asked for; recorded on the card.

    Parameters
    ----------
    detector : str
        A name in `spectell.detectors.registry.DETECTORS`.
    domain : {"pixel", "dct", "blocks"}, optional
        The detector's default if it is empty, see `spectell.detectors.registry.DetectorSpec.default_domain`.
    size : int, optional
        Side of a tile or block in pixels. By default the smallest side of any image (pixel, dct), or `BLOCK_SIDE`
        (blocks; where most images are smaller, the side that nearly all of them have).
    strength : float, optional
        Of the penalty of ridge and logistic regression; the detector's default otherwise.
    penalty : {"l1", "l2", "elasticnet"}, optional
        Of logistic regression.
    grid : bool
        Search the detector's parameters: the strength by cross-validation over whole groups, others on the validation
        split.
    seed : int
        Of splits, folds, solvers and intervals.
    attribution : bool
        Tell the generators from one another, too, and not only from real images.
    epochs : int, optional
        Passes over the data, for detectors that are trained in passes.
    device : str, optional
        That trains a network, as torch names it; the processor by default.
    perturb : tuple of str
        Perturbations of the images that are learned from and calibrated on, see
        `spectell.workflows.training.augmentation.Augmentation`.
    preset : str, optional
        Of their published parameters.
    probability : float in [0, 1], optional
        Chance that an image is perturbed.
    """

    detector: str = "ridge"
    domain: str = ""
    size: int | None = None
    strength: float | None = None
    penalty: str | None = None
    grid: bool = False
    seed: int = 0
    attribution: bool = False
    epochs: int | None = None
    device: str | None = None
    perturb: tuple[str, ...] = ()
    preset: str | None = None
    probability: float | None = None

    def __post_init__(self) -> None:
        if not self.domain and self.detector in DETECTORS:  # another is refused when it is made, with the others' names
            object.__setattr__(self, "domain", DETECTORS[self.detector].default_domain)


@dataclass(frozen=True, slots=True)
class Classes:
    """What the classes of a run are called, and which class an image is of.

    Parameters
    ----------
    names : tuple of str
        ``real`` first.
    """

    names: tuple[str, ...]

    @classmethod
    def of(cls, config: TrainingConfig, manifest: Manifest) -> Classes:
        """Name the classes of the training images; two, or ``real`` and every generator.

        Raises
        ------
        ManifestError
            If generators are to be told apart and there are none to tell apart.
        """
        if not config.attribution:
            return cls((REAL, "generated"))
        names = manifest.class_names
        if len(names) < 3 or names[0] != REAL:
            raise ManifestError(
                f"attribution needs real images and those of two generators or more, got {', '.join(names)}; "
                "add a folder for another generator, or train without attribution"
            )
        return cls(names)

    def codes(self, manifest: Manifest) -> npt.NDArray[np.intp]:
        """Class of every image, shape (n,); -1 for a generator that is not among them."""
        if len(self.names) == 2:
            return manifest.labels.astype(np.intp)
        places = {name: index for index, name in enumerate(self.names)}
        return np.array([places.get(name, -1) for name in manifest.generators.tolist()], np.intp)

    def training_codes(self, manifest: Manifest) -> npt.NDArray[np.intp]:
        """Class of every image that can be trained on, shape (n,).

        Raises
        ------
        ManifestError
            If there is none of a class.
        """
        codes = self.codes(manifest)
        if missing := [name for index, name in enumerate(self.names) if index not in codes]:
            raise ManifestError(
                f"no training image of {', '.join(missing)} is large enough; use a smaller size, or leave it out"
            )
        return codes


def make_detector(config: TrainingConfig, params: Mapping[str, Any] | None = None) -> Any:
    """Make the estimator, with some of its parameters given.

    Raises
    ------
    ParameterError
        If the configuration does not fit it.
    """
    kind = get_detector(config.detector)
    known = inspect.signature(kind).parameters
    _check_config(config, known)
    offered: dict[str, Any] = {"seed": config.seed, "memory": STREAMED_BYTES, "penalty": config.penalty}
    offered["strength"] = "cv" if config.grid else config.strength
    offered |= {"domain": config.domain, "epochs": config.epochs, "device": config.device}
    options = {name: value for name, value in offered.items() if name in known and value is not None}
    return kind(**{**options, **{name: value for name, value in (params or {}).items() if name in known}})


def _check_config(config: TrainingConfig, known: Mapping[str, object]) -> None:
    spec = detector_spec(config.detector)
    if spec.front_ends is not None and config.domain not in spec.front_ends:
        raise ParameterError(
            f"the detector {config.detector!r} works in the domain {', '.join(spec.front_ends)}, got {config.domain!r}"
        )
    if config.penalty is not None and "penalty" not in known:
        raise ParameterError(f"penalty is for the detector 'logistic', got {config.detector!r}")
    if config.penalty not in (None, "l1", "l2", "elasticnet"):  # the detector itself looks when it is fitted
        raise ParameterError(f"penalty must be l1, l2 or elasticnet, got {config.penalty!r}")
    if config.seed < 0:
        raise ParameterError(f"seed must not be negative, got {config.seed}")
    if config.strength is not None and "strength" not in known:
        raise ParameterError(f"strength is for the detectors 'ridge' and 'logistic', got {config.detector!r}")
    if config.strength is not None and not 0 < config.strength < np.inf:
        raise ParameterError(f"strength must be positive, got {config.strength}; 0.01 is the default")
    if config.grid and config.strength is not None:
        raise ParameterError("grid searches the strength, so strength cannot be given with it")
    if not config.perturb and (config.preset is not None or config.probability is not None):
        raise ParameterError("preset and probability are of perturb, which is not given; name a perturbation")
    if config.epochs is not None and config.epochs < 1:
        raise ParameterError(f"epochs must be at least 1, got {config.epochs}")


def make_augmentation(config: TrainingConfig) -> Augmentation | None:
    """Make what perturbs the images that are learned from; None if nothing does.

    Raises
    ------
    ParameterError
        If no perturbation has such a name, or the preset or the probability does not fit.
    """
    if not config.perturb:
        return None
    return Augmentation(config.perturb, preset=config.preset, probability=config.probability, seed=config.seed)


def make_front_end(config: TrainingConfig, images: ImageSet, params: Mapping[str, Any] | None = None) -> FrontEnd:
    """Make the front end, of the size that was asked for or else of one that fits the images.

    Raises
    ------
    ParameterError
        If an argument does not fit it.
    """
    return front_end_for(config, _fitting_side(config, images.sides), params)


def _fitting_side(config: TrainingConfig, sides: npt.NDArray[np.int_]) -> int:
    """Choose what `front_end_for` takes for the smallest side: a few small images do not decide for all others.

    Tiles are as large as the smallest image; blocks are `BLOCK_SIDE` wide unless most images are smaller, and then as
    large as `_FITTING_SHARE` of them allow.

    Examples
    --------
    >>> _fitting_side(TrainingConfig(), np.array([5, 32, 32]))
    32
    >>> _fitting_side(TrainingConfig(), np.array([5, *[16] * 30, *[64] * 10])), BLOCK_SIDE
    (16, 32)
    >>> _fitting_side(TrainingConfig(domain="pixel"), np.array([5, 32, 32]))
    5
    """
    if config.domain != "blocks":
        return int(sides.min())
    if 2 * int((sides >= BLOCK_SIDE).sum()) >= len(sides):
        return BLOCK_SIDE
    return _side_of_most(sides)


def _side_of_most(sides: npt.NDArray[np.int_]) -> int:
    """Return the largest side that `_FITTING_SHARE` of the images have."""
    return int(np.sort(sides)[int((1 - _FITTING_SHARE) * len(sides))])


def size_notes(config: TrainingConfig, images: ImageSet) -> list[str]:
    """Say which side was chosen for blocks or tiles where another could have been expected.

    Parameters
    ----------
    config : TrainingConfig
    images : ImageSet
        Of all splits.
    """
    if config.size is not None:
        return []
    sides, chosen = images.sides, _fitting_side(config, images.sides)
    smallest = int(sides.min())
    if config.domain == "blocks":
        if chosen < BLOCK_SIDE:
            return [f"blocks have {chosen} pixels, since most images are smaller than {BLOCK_SIDE}"]
        if smallest < chosen:
            wider = f"; --size {smallest} would take them all" if smallest >= _LEAST_SIDE else ""
            n_smaller = int((sides < chosen).sum())
            return [f"blocks have {chosen} pixels; {n_smaller} of the {len(sides)} images are smaller{wider}"]
        return []
    usual = _side_of_most(sides)
    if smallest == usual:
        return []
    path = images.manifest.paths[int(sides.argmin())]
    return [
        f"tiles have {chosen} pixels, since {path!r} is no larger; {int((sides >= usual).sum())} of the {len(sides)} "
        f"images have {usual} or more: --size {usual} leaves the others out"
    ]


def front_end_for(config: TrainingConfig, smallest: int, params: Mapping[str, Any] | None = None) -> FrontEnd:
    """Make the front end for images of which the smallest side has so many pixels; see `make_front_end`."""
    spec = detector_spec(config.detector)
    kind = get_front_end(config.domain if spec.front_ends is None else spec.front_ends[config.domain])
    size = config.size
    if size is None:
        size = min(BLOCK_SIDE, smallest) if config.domain == "blocks" else smallest
    known = inspect.signature(kind).parameters
    options = {name: value for name, value in (params or {}).items() if name in known}
    if "levels" in known and "levels" not in options:
        from spectell.detectors.residual import most_levels

        options["levels"] = max(min(known["levels"].default, most_levels(size)), 1)
    front_end: FrontEnd = kind(size=size, **options)
    front_end.check_params()
    return front_end


def config_notes(config: TrainingConfig, checkpoint: StrPath | None = None, *, resume: bool = False) -> list[str]:
    """Say what of the configuration has no effect, and what a training that shall go on begins with.

    Parameters
    ----------
    config : TrainingConfig
    checkpoint : path, optional
        Of a network.
    resume : bool
        Whether to go on from it.
    """
    kind = get_detector(config.detector)
    known = inspect.signature(kind).parameters
    notes = [
        f"--{name} has no effect: the detector {config.detector!r} is not trained in passes over the data"
        for name, given in (("epochs", config.epochs), ("device", config.device))
        if given is not None and name not in known
    ]
    if config.grid and "strength" not in known and not hasattr(kind, "GRID"):
        notes.append(f"--grid has no effect: the detector {config.detector!r} has nothing to search")
    if resume and not has_checkpoints(config):
        notes.append(f"--resume has no effect: the detector {config.detector!r} has no checkpoints")
    elif resume and checkpoint is not None and not os.path.lexists(checkpoint):
        notes.append(f"there is no checkpoint {os.fspath(checkpoint)!r} to resume from: the training starts anew")
    return notes


def has_checkpoints(config: TrainingConfig) -> bool:
    """Whether the detector is trained for so long that it writes checkpoints."""
    return hasattr(get_detector(config.detector), "fit_tiles")
