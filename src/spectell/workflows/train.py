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
from spectell.detectors.front_end import FrontEnd
from spectell.workflows.audit import AuditReport, audit_manifest
from spectell.workflows.evaluate import Evaluation, evaluate_scored, score_images
from spectell.workflows.image_set import ImageSet, Progress, Skipped, counted, open_images, quiet, read_file
from spectell.workflows.training_card import metric_cards, training_card
from spectell.workflows.training_steps import (
    SPLITS,
    Fitted,
    TrainingConfig,
    UsableImages,
    Validated,
    feature_source,
    fit_distance,
    fit_facts,
    make_detector,
    make_front_end,
    solver_notes,
    validate,
    with_splits,
)

__all__ = ["SPLITS", "TrainingConfig", "TrainingResult", "train_model"]

StrPath = str | os.PathLike[str]

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
        On the test split.
    audit : AuditReport or None
        Its leaks say what other than the pictures tells the classes apart.
    facts : dict
        What the detector reports: the strength used, the iterations and whether they sufficed.
    skipped : tuple of Skipped
        Images that took no part.
    notes : tuple of str
        What a reader must know.
    """

    model: Model
    manifest: Manifest
    evaluation: Evaluation
    audit: AuditReport | None
    facts: dict[str, Any]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON has it."""
        splits = self.manifest.splits
        return {
            "model": self.model.name,
            "card": self.model.card.as_json(),
            "images": {split: int((splits == split).sum()) for split in SPLITS},
            "evaluation": self.evaluation.as_dict(),
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
    workers: int | None = None,
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
    workers : int, optional
        Threads; one a core by default.
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
        If `config` does not fit, or there are too few images for thresholds.
    """
    config = config or TrainingConfig()
    detector = make_detector(config)
    manifest, read = open_images(dataset, real=real)
    manifest.require_both_classes()
    from_files = read is read_file
    manifest = with_splits(manifest, config.seed, workers, on_progress, from_files=from_files)
    report = _audit(manifest, workers, on_progress) if audit and from_files else None
    images = ImageSet(manifest, read=read, workers=workers, on_progress=on_progress)
    front_end = make_front_end(config, images)
    usable = UsableImages(images, front_end)
    fitted = _fit(detector, images, usable.rows["train"], front_end)
    validated = validate(fitted, images, usable.rows["validation"])
    facts = fit_facts(detector)
    recorded = dataclasses.asdict(config) | {"fit": facts}
    card = training_card(fitted, validated, usable.manifest, recorded, name=name, licence=licence or _NO_LICENCE)
    model = _assemble(card, fitted, validated, images.hashes[np.concatenate([usable.rows[s] for s in SPLITS[:2]])])
    test = images.manifest.select(usable.rows["test"])
    evaluation = evaluate_scored(
        model, score_images(model, test, read=read, workers=workers, on_progress=on_progress), seed=config.seed
    )
    return TrainingResult(
        model=model.replaced(card=dataclasses.replace(card, metrics=metric_cards(evaluation))),
        manifest=usable.manifest,
        evaluation=evaluation,
        audit=report,
        facts=facts,
        skipped=(*images.skipped, *usable.skipped),
        notes=(*manifest.notes, *filter(None, [validated.note]), *solver_notes(facts)),
    )


def _audit(manifest: Manifest, workers: int | None, on_progress: Progress) -> AuditReport:
    return audit_manifest(manifest, workers=workers, on_progress=counted(on_progress, "auditing", len(manifest)))


def _fit(detector: Any, images: ImageSet, rows: npt.NDArray[np.intp], front_end: FrontEnd) -> Fitted:
    source = feature_source(images, front_end, rows)
    training = images.manifest.select(rows)
    detector.fit_streamed(source, training.labels, groups=training.groups)
    distance = fit_distance(images, rows, front_end, detector.standardisation)
    return Fitted(front_end, detector.standardisation, detector.head, distance)


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
