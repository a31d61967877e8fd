"""Train a detector: split, fit, calibrate, set thresholds, measure, and put it all in one model.

Each part of the data has one use. The training split fits the detector, the validation split gives calibration,
thresholds and the limit of the distance, the test split gives the figures on the card. A split that the manifest
states is kept; otherwise groups are assigned, near-duplicates together.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.datasets import Manifest
from spectell.datasets.packed import Packed
from spectell.detectors import Model, ModelCard
from spectell.detectors.card import MetricCard
from spectell.images import DEFAULT_MAX_PIXELS
from spectell.workflows.audit import AuditReport, audit_manifest
from spectell.workflows.evaluate import Evaluation, evaluate_scored, score_images
from spectell.workflows.reading.image_files import Reader, Skipped, files_of
from spectell.workflows.reading.image_passes import Progress, counted, open_images, quiet
from spectell.workflows.reading.image_set import ImageSet, unaltered
from spectell.workflows.reading.limits import DEFAULT_TIMEOUT
from spectell.workflows.training.augmentation import Augmentation
from spectell.workflows.training.card import metric_cards, training_card
from spectell.workflows.training.checks import check_training
from spectell.workflows.training.config import TrainingConfig, make_augmentation, size_notes
from spectell.workflows.training.grid import best_point
from spectell.workflows.training.run import TrainingRun
from spectell.workflows.training.steps import (
    SPLITS,
    Fitted,
    Validated,
    fit_facts,
    solver_notes,
    validate,
    with_splits,
)

__all__ = ["SPLITS", "TrainingConfig", "TrainingResult", "train_model"]

StrPath = str | os.PathLike[str]

_LOOKED_AT = 100
"""Images of each class whose pixels are looked at for leaks, 10 to 40 ms each; `spectell dataset audit` takes more."""

_NO_LICENCE = "not stated; it follows from the training images"


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a training run made and found.

    Parameters
    ----------
    model : Model
        Write it with `spectell.detectors.save_model`.
    manifest : Manifest
        The images that took part, with the splits that were used.
    evaluation : Evaluation
        On the test split, as its images are.
    perturbed : Evaluation or None
        On the test split, perturbed as the images were that the detector learned from.
    audit : AuditReport or None
        Its leaks say what other than the pictures tells the classes apart.
    facts : dict
        What the detector reports: the strength used, the iterations and whether they sufficed.
    skipped : tuple of Skipped
        Images that took no part.
    notes : tuple of str
        What a reader must know.
    checkpoint_spent : bool
        Whether nothing can follow from the checkpoint, so that it may go once the model is written.
    """

    model: Model
    manifest: Manifest
    evaluation: Evaluation
    perturbed: Evaluation | None
    audit: AuditReport | None
    facts: dict[str, Any]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    checkpoint_spent: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON has it."""
        splits = self.manifest.splits
        return {
            "model": self.model.name,
            "card": self.model.card.as_json(),
            "images": {split: int((splits == split).sum()) for split in SPLITS},
            "evaluation": self.evaluation.as_dict(),
            "perturbed": None if self.perturbed is None else self.perturbed.as_dict(),
            "leaks": [] if self.audit is None else self.audit.as_dict()["leaks"],
            "facts": self.facts,
            "skipped": [{"path": image.path, "reason": image.reason} for image in self.skipped],
            "notes": list(self.notes),
        }


def train_model(
    dataset: Manifest | Packed | StrPath,
    config: TrainingConfig | None = None,
    *,
    name: str | None = None,
    real: str | None = None,
    licence: str | None = None,
    audit: bool = True,
    grid_file: StrPath | None = None,
    checkpoint: StrPath | None = None,
    resume: bool = False,
    workers: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    timeout: float = DEFAULT_TIMEOUT,
    on_progress: Progress = quiet,
) -> TrainingResult:
    """Train a detector on a data set.

    Parameters
    ----------
    dataset : Manifest, Packed or path
        A folder, packed or not, or a manifest. Where its column `split` is filled, it must name `SPLITS`, and rows
        without a split take no part; where it is empty, splits are assigned.
    config : TrainingConfig, optional
    name : str, optional
        How verdicts will call the model; detector and domain by default.
    real : str, optional
        Name of the sub-folders that are real.
    licence : str, optional
        Of the weights, for the card.
    audit : bool
        Whether to look for leaks between the classes; packed images have no files to look at.
    grid_file : path, optional
        Where the points of a search on the validation split are written as they are finished, and found again.
    checkpoint : path, optional
        Where a network in training is written after every epoch.
    resume : bool
        Go on from the checkpoint, if it is there; without this one that is there is refused.
    workers : int, optional
        Processes and threads; one a core by default.
    max_pixels, timeout
        Files with more pixels, or that take longer to read, take no part; see `spectell.workflows.scan`.
    on_progress : callable
        Called with a stage, the images done and their number.

    Returns
    -------
    result : TrainingResult

    Raises
    ------
    ManifestError
        If the data set cannot be read, or a split lacks one of the classes.
    ParameterError
        If `config` contradicts itself.
    MismatchError
        If `config` does not fit the images or the machine, there is a checkpoint and `resume` is not given, or there
        are too few images for thresholds.
    ArtifactError
        If the checkpoint cannot be read, or is of another training.

    Notes
    -----
    Where processes cannot be forked (macOS, Windows, a program with threads or with torch loaded) a script must call
    this below ``if __name__ == "__main__":``.
    """
    config = config or TrainingConfig()
    notes = check_training(config, checkpoint, resume=resume)  # before the checkpoint is written
    augmentation = make_augmentation(config)
    listed, read = open_images(dataset, real=real, max_pixels=max_pixels, timeout=timeout)
    listed.require_both_classes()
    manifest, harmful = with_splits(listed, config.seed, workers, on_progress, files=files_of(read))
    alter = unaltered if augmentation is None else augmentation.learned_from
    images = ImageSet(manifest, read=read, alter=alter, workers=workers, on_progress=on_progress)
    report = _audit(images.manifest, workers, on_progress) if audit and files_of(read) else None
    run = TrainingRun(config, images, on_progress, checkpoint, resume=resume)
    searched = run.search(grid_file) if config.grid else []
    fitted, usable, detector = run.fit(best_point(searched).params if searched else {})
    validated = validate(fitted, images, usable.rows["validation"])
    facts = fit_facts(detector) | ({"grid": [point.as_dict() for point in searched]} if searched else {})
    treatment = "" if augmentation is None else augmentation.description
    recorded = _recorded(config, augmentation, facts)
    named: dict[str, Any] = {"name": name, "licence": licence or _NO_LICENCE, "class_names": run.classes.names}
    card = training_card(fitted, validated, usable.manifest, recorded, **named, treatment=treatment)
    model = _assemble(card, fitted, validated, images.hashes[np.concatenate([usable.rows[s] for s in SPLITS[:2]])])
    test = images.manifest.select(usable.rows["test"])

    def evaluated(how: str, read_test: Reader) -> tuple[Evaluation, tuple[MetricCard, ...]]:
        scored = score_images(model, test, read=read_test, workers=workers, on_progress=on_progress)
        evaluation = evaluate_scored(model, scored, seed=config.seed)
        return evaluation, metric_cards(evaluation, how)

    evaluation, metrics = evaluated("", read)
    perturbed, more = evaluated(treatment, augmentation.reader(read)) if augmentation else (None, ())
    return TrainingResult(
        model=model.replaced(card=dataclasses.replace(card, metrics=(*metrics, *more))),
        manifest=usable.manifest,
        evaluation=evaluation,
        perturbed=perturbed,
        audit=report,
        facts=facts,
        skipped=(*harmful, *images.skipped, *usable.skipped),
        notes=(
            *manifest.notes,
            *notes,
            *size_notes(config, images),
            *filter(None, [validated.note]),
            *solver_notes(facts),
            *_checkpoint_notes(checkpoint, detector),
        ),
        checkpoint_spent=getattr(detector, "is_over_", False),
    )


def _checkpoint_notes(checkpoint: StrPath | None, detector: Any) -> list[str]:
    """Say what is left beside the model, and for what."""
    if checkpoint is None or getattr(detector, "is_over_", True):
        return []
    return [f"{os.fspath(checkpoint)!r} stays, since more --epochs can follow with --resume; delete it to train anew"]


def _recorded(config: TrainingConfig, augmentation: Augmentation | None, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what the card keeps of a run: all that a repetition needs, perturbations with every parameter."""
    asked = dataclasses.asdict(config) | {"perturb": list(config.perturb)}
    drawn_from = {} if augmentation is None else {"perturbation": repr(augmentation.perturbation)}
    return {**asked, **drawn_from, "fit": facts}


def _audit(manifest: Manifest, workers: int | None, on_progress: Progress) -> AuditReport:
    numbers = np.unique(manifest.generators, return_counts=True)[1]
    total = len(manifest) + int(np.minimum(numbers, _LOOKED_AT).sum())
    report = counted(on_progress, "auditing", total)
    return audit_manifest(manifest, pixels=True, pixel_limit=_LOOKED_AT, workers=workers, on_progress=report)


def _assemble(card: ModelCard, fitted: Fitted, validated: Validated, hashes: npt.NDArray[np.uint64]) -> Model:
    return Model(
        card,
        front_end=fitted.front_end,
        standardisation=fitted.standardisation,
        head=fitted.head,
        distance=validated.distance,
        real_scores=validated.thresholds.real_scores,
        training_hashes=hashes,
    )
