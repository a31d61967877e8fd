"""Train a detector: split, fit, calibrate, set thresholds, measure, and put it all in one model.

Each part of the data has one use. The training split fits the detector, the validation split gives calibration,
thresholds and the limit of the distance, the test split gives the figures on the card. A split that the manifest
states is kept; otherwise groups are assigned, near-duplicates together.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.datasets import Manifest
from spectell.datasets.packed import Packed
from spectell.detectors import Model, ModelCard
from spectell.detectors.front_end import FrontEnd
from spectell.detectors.residual import most_levels
from spectell.detectors.streaming import Source
from spectell.workflows.audit import AuditReport, audit_manifest
from spectell.workflows.evaluate import Evaluation, evaluate_scored, score_images
from spectell.workflows.grid import GridFile, GridPoint, balanced_accuracy, best_point, grid_points, run_key
from spectell.workflows.image_set import ImageSet, Progress, Skipped, counted, open_images, quiet, read_file
from spectell.workflows.training_card import metric_cards, training_card
from spectell.workflows.training_config import (
    Classes,
    TrainingConfig,
    config_notes,
    make_detector,
    make_front_end,
)
from spectell.workflows.training_steps import (
    SPLITS,
    Fitted,
    UsableImages,
    Validated,
    feature_source,
    fit_distance,
    fit_facts,
    solver_notes,
    validate,
    with_splits,
)
from spectell.workflows.training_tiles import fit_network

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
    grid_file: StrPath | None = None,
    checkpoint: StrPath | None = None,
    resume: bool = False,
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
    grid_file : path, optional
        Where the points of a search on the validation split are written as they are finished, and found again.
    checkpoint : path, optional
        Where a network in training is written after every epoch.
    resume : bool
        Go on from the checkpoint, if it is there.
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
    make_detector(config)  # refuses what does not fit before anything is read
    manifest, read = open_images(dataset, real=real)
    manifest.require_both_classes()
    from_files = read is read_file
    manifest = with_splits(manifest, config.seed, workers, on_progress, from_files=from_files)
    report = _audit(manifest, workers, on_progress) if audit and from_files else None
    images = ImageSet(manifest, read=read, workers=workers, on_progress=on_progress)
    run = _Run(config, images, on_progress, checkpoint, resume=resume)
    searched = run.search(grid_file) if config.grid else []
    fitted, usable, detector = run.fit(best_point(searched).params if searched else {})
    validated = validate(fitted, images, usable.rows["validation"])
    facts = fit_facts(detector) | ({"grid": [point.as_dict() for point in searched]} if searched else {})
    recorded = dataclasses.asdict(config) | {"fit": facts}
    card = training_card(fitted, validated, usable.manifest, recorded, name=name, licence=licence or _NO_LICENCE)
    card = dataclasses.replace(card, class_names=run.classes.names)
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
        notes=(*manifest.notes, *config_notes(config), *filter(None, [validated.note]), *solver_notes(facts)),
    )


def _audit(manifest: Manifest, workers: int | None, on_progress: Progress) -> AuditReport:
    return audit_manifest(manifest, workers=workers, on_progress=counted(on_progress, "auditing", len(manifest)))


class _Run:
    """One set of images, and what is fitted to them."""

    def __init__(
        self,
        config: TrainingConfig,
        images: ImageSet,
        on_progress: Progress,
        checkpoint: StrPath | None,
        *,
        resume: bool,
    ) -> None:
        self._config, self._images, self._on_progress = config, images, on_progress
        self._checkpoint, self._resume = checkpoint, resume
        self.classes = Classes.of(config, images.manifest.select(images.manifest.splits == "train"))
        self._source: tuple[str, Source] | None = None

    def fit(self, params: Mapping[str, Any]) -> tuple[Fitted, UsableImages, Any]:
        """Fit to the training split, with some parameters given."""
        fitted, usable, detector = self._fit(params)
        return self._with_distance(fitted, usable), usable, detector

    def search(self, grid_file: StrPath | None) -> list[GridPoint]:
        """Fit and validate at every point of the grid; none if the detector searches for itself."""
        usable = UsableImages(self._images, make_front_end(self._config, self._images))
        tile = make_front_end(self._config, self._images).min_size
        n_train = len(usable.rows["train"])
        points = grid_points(self._config.detector, n_train=n_train, most_levels=most_levels(tile))
        finished = GridFile(grid_file, run_key(self._config, usable.manifest.digest()))
        found = []
        for number, params in enumerate(points, start=1):
            value = finished.known(params)
            if value is None:
                fitted, usable, _ = self._fit(params)
                value = self._validate(fitted, usable.rows["validation"])
                finished.add(params, value)
            found.append(GridPoint(params, value))
            self._on_progress("grid", number, len(points))
        return found

    def _fit(self, params: Mapping[str, Any]) -> tuple[Fitted, UsableImages, Any]:
        front_end = make_front_end(self._config, self._images, params)
        detector = make_detector(self._config, {**front_end.get_params(), **params})
        usable = UsableImages(self._images, front_end)
        if hasattr(detector, "fit_tiles"):
            fit_network(
                detector,
                self._images,
                usable,
                self.classes,
                front_end.min_size,
                self._checkpoint,
                resume=self._resume,
            )
        else:
            rows = usable.rows["train"]
            training = self._images.manifest.select(rows)
            detector.fit_streamed(self._features(front_end, rows), self.classes.codes(training), groups=training.groups)
        return Fitted(front_end, detector.standardisation, detector.head, None), usable, detector

    def _features(self, front_end: FrontEnd, rows: npt.NDArray[np.intp]) -> Source:
        """Return the features; those of the last front end are kept for the next point of a grid."""
        if self._source is None or self._source[0] != repr(front_end):
            self._source = None
            self._source = repr(front_end), feature_source(self._images, front_end, rows)
        return self._source[1]

    def _validate(self, fitted: Fitted, rows: npt.NDArray[np.intp]) -> float:
        named = np.array(list(self._images.map(fitted.name_class, rows)), np.intp)
        return balanced_accuracy(self.classes.codes(self._images.manifest.select(rows)), named)

    def _with_distance(self, fitted: Fitted, usable: UsableImages) -> Fitted:
        distance = fit_distance(self._images, usable.rows["train"], fitted.front_end, fitted.standardisation)
        return dataclasses.replace(fitted, distance=distance)


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
