"""Evaluate a model on a data set: metrics with intervals, overall, per source and per generator."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spectell.datasets import REAL, Manifest
from spectell.datasets.duplicates import Fingerprints, perceptual_hash
from spectell.datasets.hamming import BANDS
from spectell.datasets.packed import Packed
from spectell.datasets.splits import merge_duplicates
from spectell.detectors import Model, load_model
from spectell.detectors.artifact import training_hash
from spectell.errors import ManifestError, ParameterError
from spectell.evaluation.attribution import evaluate_classes
from spectell.evaluation.checks import check_rate
from spectell.evaluation.summary import FPRS, evaluate_scores
from spectell.evaluation.thresholds import DEFAULT_FPR, MAX_FPR
from spectell.images import DEFAULT_MAX_PIXELS
from spectell.workflows.evaluation import OUTCOMES, ClassFigures, Evaluation, MetricSlice, ScoredImages
from spectell.workflows.reading.image_files import Pixels, Reader, Skipped
from spectell.workflows.reading.image_passes import Progress, map_images, open_images, quiet, read_file
from spectell.workflows.reading.limits import DEFAULT_TIMEOUT

__all__ = ["Evaluation", "MetricSlice", "ScoredImages", "evaluate", "evaluate_scored", "score_images"]

StrPath = str | os.PathLike[str]


def evaluate(
    model: Model | StrPath | None,
    dataset: Manifest | Packed | StrPath,
    *,
    fpr: float = DEFAULT_FPR,
    real: str | None = None,
    split: str | None = None,
    unseen: bool = False,
    seed: int = 0,
    workers: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    timeout: float = DEFAULT_TIMEOUT,
    on_progress: Progress = quiet,
) -> Evaluation:
    """Score a data set and measure.

    Parameters
    ----------
    model : Model or path, or None for the bundled one
    dataset : Manifest, Packed or path
        A folder, packed or not, or a manifest; images of one class alone are allowed, and then only rates are measured.
    fpr : float
        Whose threshold gives the verdicts. Where the model does not support it, the lowest that it does is taken, and
        a warning says so.
    real : str, optional
        Name of the sub-folders that are real.
    split : str, optional
        Only images of this split.
    unseen : bool
        Only images that were neither in training nor in calibration.
    seed : int
        Of the bootstrap.
    workers : int, optional
        Processes; one a core by default.
    max_pixels, timeout
        Files with more pixels, or that take longer to read and score, have no score; see `spectell.workflows.scan`.
    on_progress : callable
        Called with a stage, the images done and their number.

    Returns
    -------
    evaluation : Evaluation

    Raises
    ------
    ArtifactError, ManifestError
        If the model cannot be loaded, the data set not be read, or no image has a score.
    ParameterError
        If `fpr` is no rate or above 0.5, a limit is outside its domain, or `real` is given where there are no
        sub-folders.

    Notes
    -----
    Where processes cannot be forked (macOS, Windows, a program with threads or with torch loaded) a script must call
    this below ``if __name__ == "__main__":``.
    """
    _check_fpr(fpr)  # before the work and not after it
    loaded = model if isinstance(model, Model) else load_model(model)
    limits: dict[str, Any] = {"max_pixels": max_pixels, "timeout": timeout}
    manifest, read = open_images(dataset, real=real, require_real=False, **limits)
    if split is not None:
        manifest = manifest.select(manifest.splits == split)
    if not len(manifest):
        raise ManifestError(f"there is no image to evaluate in the split {split!r}; see the column 'split'")
    scored = score_images(loaded, manifest, read=read, workers=workers, on_progress=on_progress)
    if unseen:
        scored = scored.select(~_in_training(loaded, scored))
    found = evaluate_scored(loaded, scored, fpr=fpr, seed=seed)
    return dataclasses.replace(found, warnings=(*manifest.notes, *found.warnings))


class _Scored(NamedTuple):
    """What a model says about one image; `look` is its fingerprint, if that was wanted and there is one."""

    score: float
    distance: float
    digest: np.uint64
    classes: tuple[float, ...]
    look: npt.NDArray[np.uint16] | None = None


@dataclass(frozen=True, slots=True)
class _Scoring:
    """Scores the pixels of one image, in a process or a thread."""

    model: Model
    with_look: bool = False

    def __call__(self, pixels: Pixels) -> _Scored | str:
        """Return the reason instead where an image has no score."""
        if min(pixels.shape[:2]) < self.model.min_size:
            return f"smaller than {self.model.min_size} pixels, the least that the model scores"
        found = self.model.score(pixels)
        look = perceptual_hash(pixels) if self.with_look else None
        return _Scored(found.score, found.distance, training_hash(pixels), found.classes, look)


def score_images(
    model: Model,
    manifest: Manifest,
    *,
    read: Reader = read_file,
    group_copies: bool = False,
    workers: int | None = None,
    on_progress: Progress = quiet,
) -> ScoredImages:
    """Score every image of a data set; unreadable and too small ones are listed.

    With `group_copies`, images that show one picture become one group, see `spectell.datasets.duplicates`.

    Raises
    ------
    ManifestError
        If no image has a score.
    """
    kept, skipped = [], []
    values: list[_Scored] = []
    passed = map_images(
        manifest, _Scoring(model, group_copies), read=read, workers=workers, on_progress=on_progress, stage="scoring"
    )
    for index, found in enumerate(passed):
        if isinstance(found, str):
            found = Skipped(manifest.paths[index], found)
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            kept.append(index)
            values.append(found)
    if not kept:
        raise ManifestError(f"none of the {len(manifest)} images has a score; the first: {skipped[0].reason}")
    scores, distances, hashes, classes, looks = zip(*values, strict=True)
    chosen = manifest.select(np.array(kept))
    return ScoredImages(
        _grouped(chosen, hashes, looks) if group_copies else chosen,
        np.array(scores),
        np.array(distances),
        np.array(hashes, np.uint64),
        tuple(skipped),
        np.array(classes) if classes[0] else None,
    )


def _grouped(
    manifest: Manifest, hashes: Sequence[np.uint64], looks: Sequence[npt.NDArray[np.uint16] | None]
) -> Manifest:
    """Give images with the same pixels, and such as look the same, one group, by the name that sorts first."""
    usable = np.array([look is not None for look in looks])
    bits = np.stack([np.zeros(BANDS, np.uint16) if look is None else look for look in looks])
    prints = Fingerprints([f"{int(digest):016x}" for digest in hashes], bits, usable)
    merged = merge_duplicates(manifest, prints)
    return manifest.with_values(groups=merged.group_names)


def evaluate_scored(model: Model, scored: ScoredImages, *, fpr: float = DEFAULT_FPR, seed: int = 0) -> Evaluation:
    """Measure what `score_images` found; arguments and result as for `evaluate`."""
    used = max(_check_fpr(fpr), model.thresholds.supported[0])
    warnings = list(_warnings(model, scored, fpr, used))
    points = {
        rate: model.thresholds.at(rate) for rate in sorted({used, *FPRS}) if rate >= model.thresholds.supported[0]
    }
    rng = np.random.default_rng(seed)
    slices = []
    for name, compared_with, chosen in _slices(scored.manifest):
        labels = scored.manifest.labels[chosen]
        metrics = evaluate_scores(
            labels, scored.scores[chosen], operating_points=points, groups=scored.manifest.groups[chosen], rng=rng
        )
        n_generated = int(labels.sum())
        slices.append(MetricSlice(name, compared_with, len(labels) - n_generated, n_generated, metrics))
    return Evaluation(
        model=model.name,
        fpr=used,
        slices=tuple(slices),
        confusion=_confusion(model, scored, used),
        in_training=int(_in_training(model, scored).sum()),
        skipped=scored.skipped,
        warnings=tuple(warnings),
        classes=_class_figures(model, scored, rng),
    )


def _check_fpr(fpr: float) -> float:
    """Refuse what no number of calibration images supports."""
    if check_rate(fpr, "fpr") > MAX_FPR:
        raise ParameterError(f"fpr must be at most {MAX_FPR:g}, got {fpr!r}; ask for a lower rate")
    return fpr


def _class_figures(model: Model, scored: ScoredImages, rng: np.random.Generator) -> ClassFigures | None:
    """Measure how generators are told apart, on the images of those that the model knows."""
    if scored.classes is None:
        return None
    names = model.card.class_names
    generators = scored.manifest.generators
    known = np.isin(generators, names)
    if not known.any():
        return None
    places = {name: index for index, name in enumerate(names)}
    classes = [places[name] for name in generators[known].tolist()]
    named = scored.classes[known].argmax(axis=1)
    groups = scored.manifest.groups[known]
    found = evaluate_classes(classes, named, len(names), groups=groups, rng=rng)
    return ClassFigures(names, found, int((~known).sum()))


def _slices(manifest: Manifest) -> Iterator[tuple[str, str, npt.NDArray[np.bool_]]]:
    """Name of a slice, what it is compared with, and its rows; none that would repeat the first."""
    sources, generators, labels = manifest.sources, manifest.generators, manifest.labels
    everything = np.ones(len(manifest), bool)
    names = sorted(set(sources.tolist()))
    yield "overall", "all real images" if (labels == 0).any() else "", everything
    if len(names) > 1:
        for source in names:
            rows = sources == source
            yield f"source: {source}", f"real images of {source}" if (labels[rows] == 0).any() else "", rows
    for generator in manifest.class_names:
        if generator == REAL:
            continue
        own = generators == generator
        beside = (labels == 0) & np.isin(sources, np.unique(sources[own]))
        real = beside if beside.any() else labels == 0
        if (own | real).all():
            continue
        of = ", ".join(sorted(set(sources[real].tolist())))
        yield f"generator: {generator}", f"real images of {of}" if of else "", own | real


def _confusion(model: Model, scored: ScoredImages, fpr: float) -> dict[str, dict[str, int]]:
    """Count verdicts as a scan gives them: an image unlike anything in training is inconclusive."""
    verdicts = np.array(
        [
            model.thresholds.verdict(score, fpr) if distance <= 1 else "inconclusive"
            for score, distance in zip(scored.scores.tolist(), scored.distances.tolist(), strict=True)
        ]
    )
    generators = scored.manifest.generators
    return {
        name: {outcome: int((verdicts[generators == name] == outcome).sum()) for outcome in OUTCOMES}
        for name in scored.manifest.class_names
    }


def _in_training(model: Model, scored: ScoredImages) -> npt.NDArray[np.bool_]:
    return np.isin(scored.hashes, model.training_hashes)


def _warnings(model: Model, scored: ScoredImages, fpr: float, used: float) -> Iterator[str]:
    n_known, n_images = int(_in_training(model, scored).sum()), len(scored.scores)
    if n_known:
        yield (
            f"{n_known} of the {n_images} images were in training or calibration: the figures flatter the model; "
            "evaluate on others"
        )
    if used != fpr:
        low, high = model.thresholds.lowest_rate, model.thresholds.supported[1]
        yield (
            f"the model supports false-positive rates from {low:g} to {high:g}: {used:.3g} stands in for {fpr:g}; "
            f"scan with --fpr {low:g} or more, or calibrate on more photographs"
        )
    if scored.skipped:
        first = scored.skipped[0]
        yield f"{len(scored.skipped)} images have no score, the first is {first.path!r}: {first.reason}"
    if scored.classes is not None and set(scored.manifest.class_names) - set(model.card.class_names):
        unknown = ", ".join(sorted(set(scored.manifest.class_names) - set(model.card.class_names)))
        yield f"the model does not know {unknown}: those images are in the scores, not in the attribution"
    n_far = int((scored.distances > 1).sum())
    if n_far:
        yield f"{n_far} of the {n_images} images look unlike anything in training: inconclusive"
