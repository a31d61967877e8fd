"""The card of a model that was trained here, in words that its user understands."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from spectell.datasets import REAL, Manifest
from spectell.detectors import ModelCard
from spectell.detectors.card import CalibrationCard, DistanceCard, MetricCard, PartCard, ThresholdCard
from spectell.images import describe_path
from spectell.workflows.promised_rates import threshold_table
from spectell.workflows.training.steps import DISTANCE_QUANTILE, Fitted, Validated

if TYPE_CHECKING:
    from spectell.workflows.evaluate import Evaluation

__all__ = ["metric_cards", "training_card", "versions"]

_LIBRARIES = ("spectell", "numpy", "scipy", "scikit-learn", "Pillow")

_REASON = "its images took no part in the fit, and come from the same sources as those that the figures were taken on"


def training_card(
    fitted: Fitted,
    validated: Validated,
    manifest: Manifest,
    configuration: Mapping[str, Any],
    *,
    name: str | None,
    licence: str,
    class_names: tuple[str, ...],
    treatment: str = "",
) -> ModelCard:
    """Write the card of a model, but for its metrics.

    Parameters
    ----------
    fitted, validated : Fitted, Validated
        What the splits decided.
    manifest : Manifest
        The images that took part, with their splits.
    configuration : mapping
        What the run was asked for, with ``detector``, ``domain`` and ``seed``, and what the fit found.
    name : str or None
        Characters that a card does not allow in a name are replaced.
    licence : str
    class_names : tuple of str
        ``real`` first.
    treatment : str
        What was done to the images of the training and the validation split, if anything.
    """
    validation_split = f"the validation split{f', {treatment}' if treatment else ''}"
    front_end, distance = fitted.front_end, validated.distance
    n_real, n_generated = validated.n_real, validated.n_generated
    return ModelCard(
        name=_plain_name(name or f"{configuration['detector']}-{configuration['domain']}"),
        class_names=class_names,
        front_end=PartCard(front_end.name, front_end.config),
        head=PartCard(fitted.head.name, fitted.head.config),
        log_offset=front_end.log_offset,
        min_size=front_end.min_size,
        calibration=CalibrationCard(
            validated.calibration.slope,
            validated.calibration.intercept,
            n_real,
            n_generated,
            validation_split,
            validated.note or _REASON,
        ),
        thresholds=ThresholdCard(
            validated.thresholds.fake_floor,
            n_real,
            n_generated,
            threshold_table(validated.thresholds),
            validation_split,
        ),
        distance=DistanceCard(distance.name, DISTANCE_QUANTILE, distance.limit, n_real + n_generated, distance.config),
        trained_on=_trained_on(manifest) + (f"; {treatment}" if treatment else ""),
        not_good_at=_not_good_at(manifest),
        licence=licence,
        seed=int(configuration["seed"]),
        manifest_hash=manifest.digest(),
        configuration=dict(configuration),
        versions=versions(),
    )


def metric_cards(evaluation: Evaluation, treatment: str = "") -> tuple[MetricCard, ...]:
    """Put the figures of an evaluation on cards; a bound that is undefined becomes None.

    Parameters
    ----------
    evaluation : Evaluation
        On the test split.
    treatment : str
        What was done to its images, if anything.
    """
    split = f"test split{f', {treatment}' if treatment else ''}"
    cards = []
    for part in evaluation.slices:
        against = f", against {part.compared_with}" if part.compared_with else ""
        data = describe_path(f"{split}, {part.name}{against}")  # holds names of folders, which may be anything
        for name, interval in part.metrics.items():
            low, high = (None if math.isnan(bound) else bound for bound in (interval.low, interval.high))
            cards.append(MetricCard(data, name, interval.estimate, low, high, part.n_real, part.n_generated))
    return tuple(cards)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that a result depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def _plain_name(name: str) -> str:
    """Replace what a card does not allow in a name.

    Examples
    --------
    >>> _plain_name("my: model?")
    'my- model-'
    """
    return "".join(letter if letter.isalnum() or letter in "_.+-() /" else "-" for letter in name)[:100]


def _trained_on(manifest: Manifest) -> str:
    r"""Say what the training split holds.

    Examples
    --------
    >>> from spectell.datasets import Entry
    >>> _trained_on(Manifest([Entry("a", 0, "real", "faces", "", "train"), Entry("b", 1, "gan", "faces")], "."))
    '1 images: faces (1 real)'
    >>> _trained_on(Manifest([Entry("a", 1, "gan\udcff", "faces", "", "train")], "."))
    '1 images: faces (1 gan\\xff)'
    """
    training = manifest.select(manifest.splits == "train")
    parts = [
        f"{describe_path(source)} "
        f"({', '.join(f'{n} {describe_path(made_by)}' for made_by, n in sorted(made.items(), key=_real_first))})"
        for source, made in training.counts().items()
    ]
    return f"{len(training)} images: {'; '.join(parts)}"


def _real_first(item: tuple[str, int]) -> tuple[bool, str]:
    return item[0] != REAL, item[0]


def _not_good_at(manifest: Manifest) -> str:
    generators = ", ".join(describe_path(name) for name in manifest.class_names if name != REAL)
    sources = ", ".join(map(describe_path, manifest.counts()))
    return (
        f"Images made by anything but {generators}; photographs from elsewhere than {sources}; images that were "
        "resized, compressed or edited otherwise than those. The figures hold for the test split of the same "
        "collections only: calibrate on your own photographs, and evaluate on images like those that you will meet."
    )
