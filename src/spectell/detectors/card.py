"""The card of a model: what it is, what it was trained on, what its numbers mean.

A card is a tree of frozen records with one JSON form. Every record checks each of its fields when it is made,
whether by this program or from a stranger's file, so a card that exists is a card that fits: unknown and
missing fields, wrong types, numbers that are not finite and versions that this program does not know are refused
with one line that names the field.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from spectell.detectors import records as checks
from spectell.detectors.records import Record
from spectell.errors import ArtifactError

__all__ = [
    "FORMAT_VERSION",
    "CalibrationCard",
    "DistanceCard",
    "MetricCard",
    "ModelCard",
    "PartCard",
    "RateCard",
    "ThresholdCard",
]

FORMAT_VERSION = 1
"""Raised when a file of the old layout would be misread; any other number is refused."""


def _version(value: Any, where: str) -> int:
    if value != FORMAT_VERSION or type(value) is not int:
        raise ArtifactError(
            f"the model's {where} is {str(value)[:20]!r}, but this version of Spectell reads {FORMAT_VERSION}; "
            "use a matching version of Spectell or train the model again"
        )
    return value


def _class_names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) < 2 or value[0] != "real" or len(set(value)) != len(value):
        raise checks.mismatch(where, "two or more different names, 'real' first", value)
    return tuple(checks.name(item, f"{where}[{i}]") for i, item in enumerate(value))


@dataclass(frozen=True)
class PartCard(Record):
    """A front end or a head: the name in the registry, and what rebuilds it with the arrays."""

    name: str = field(metadata=checks.by(checks.name))
    config: dict[str, Any] = field(metadata=checks.by(checks.json_object), default_factory=dict)


@dataclass(frozen=True)
class CalibrationCard(Record):
    """``score = slope * raw + intercept`` (Platt), fitted with both classes weighing the same.

    `data` says on which images, `reason` says why those. The raw output of an image of n < `full_pixels` pixels is
    first multiplied by ``sqrt(n / full_pixels)``: it is an average over fewer blocks, and its error grows by the
    inverse. Zero means that size changes nothing.
    """

    slope: float = field(metadata=checks.by(checks.positive))
    intercept: float = field(metadata=checks.by(checks.number))
    n_real: int = field(metadata=checks.by(checks.count))
    n_generated: int = field(metadata=checks.by(checks.count))
    data: str = field(metadata=checks.by(checks.text))
    reason: str = field(metadata=checks.by(checks.text))
    full_pixels: int = field(metadata=checks.by(checks.count), default=0)


@dataclass(frozen=True)
class RateCard(Record):
    """A false-positive rate that was measured: `exceeded` of `n` real images reached the threshold for `fpr`.

    `low` and `high` bound the rate with 95 % confidence (Clopper and Pearson).
    """

    fpr: float = field(metadata=checks.by(checks.fraction))
    n: int = field(metadata=checks.by(checks.count))
    exceeded: int = field(metadata=checks.by(checks.count))
    low: float = field(metadata=checks.by(checks.fraction))
    high: float = field(metadata=checks.by(checks.fraction))
    data: str = field(metadata=checks.by(checks.text))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.exceeded > self.n:
            raise checks.mismatch("RateCard.exceeded", f"at most n = {self.n}", self.exceeded)
        share = self.exceeded / max(self.n, 1)
        if not self.low <= share <= self.high:
            raise checks.mismatch("RateCard.low", f"low <= {share:.6g} (exceeded / n) <= high", [self.low, self.high])


@dataclass(frozen=True)
class ThresholdCard(Record):
    """Where the verdict changes, in units of the score.

    `table` repeats the thresholds of the usual false-positive rates for readers; verdicts are taken from the sorted
    real scores in the file, of which there are `n_real`, and a table that differs from them is refused when the model
    is put together. `fake_floor` is the score below which at most 5 % of the `n_generated` validation fakes fall; their
    scores are not in the file, so it is taken on trust. `verified` holds rates measured on other images than those that
    set them.
    """

    fake_floor: float = field(metadata=checks.by(checks.number))
    n_real: int = field(metadata=checks.by(checks.count))
    n_generated: int = field(metadata=checks.by(checks.count))
    table: dict[str, float] = field(metadata=checks.by(checks.mapping_of(checks.number)))
    data: str = field(metadata=checks.by(checks.text))
    verified: tuple[RateCard, ...] = field(metadata=checks.by(checks.nested_list(RateCard)), default=())


@dataclass(frozen=True)
class DistanceCard(Record):
    """How "unlike anything in training" is measured.

    `limit` is the distance that a share `quantile` of the `n` validation images stays below; distances are given in
    units of it.
    """

    name: str = field(metadata=checks.by(checks.name))
    quantile: float = field(metadata=checks.by(checks.fraction))
    limit: float = field(metadata=checks.by(checks.positive))
    n: int = field(metadata=checks.by(checks.count))
    config: dict[str, Any] = field(metadata=checks.by(checks.json_object), default_factory=dict)


@dataclass(frozen=True)
class MetricCard(Record):
    """One figure with its 95 % interval; `low` and `high` are None where the interval is undefined."""

    data: str = field(metadata=checks.by(checks.text))
    name: str = field(metadata=checks.by(checks.name))
    estimate: float = field(metadata=checks.by(checks.number))
    low: float | None = field(metadata=checks.by(checks.maybe(checks.number)))
    high: float | None = field(metadata=checks.by(checks.maybe(checks.number)))
    n_real: int = field(metadata=checks.by(checks.count))
    n_generated: int = field(metadata=checks.by(checks.count))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low is not None and self.high is not None and self.low > self.high:
            raise checks.mismatch("MetricCard.low", f"at most high = {self.high}", self.low)


@dataclass(frozen=True)
class ModelCard(Record):
    """Everything that a model file says about itself.

    Parameters
    ----------
    name : str
        How verdicts call the model.
    front_end, head : PartCard
        Their names in the registry and their configuration; their arrays are ``front_end.*`` and ``head.*``.
    log_offset : float > 0 or None
        Added to a magnitude before its logarithm; None for pixel features.
    min_size : int
        Smallest height and width that the model scores, in pixels.
    calibration, thresholds, distance : records
        See their classes.
    trained_on, not_good_at, licence : str
        In words that a user understands; `licence` is that of the weights.
    seed : int
        Of everything random in training.
    manifest_hash : str
        SHA-256 of the training manifest.
    configuration : dict
        What the training run was asked for.
    versions : dict of str to str
        Of Spectell, Python and the libraries that trained the model.
    metrics : tuple of MetricCard
        On images that neither trained nor calibrated.
    class_names : tuple of str
        ``real`` first; a higher score means more likely generated.
    hashes : dict of str to str
        SHA-256 of every array in the file; filled in by `spectell.detectors.artifact.save_model`.

    Raises
    ------
    ArtifactError
        If a field does not fit.

    Examples
    --------
    >>> ModelCard.from_json({"name": "mine"})
    Traceback (most recent call last):
        ...
    spectell.errors.ArtifactError: the model's card does not fit: card lacks 'calibration'
    """

    name: str = field(metadata=checks.by(checks.name))
    front_end: PartCard = field(metadata=checks.by(checks.nested(PartCard)))
    head: PartCard = field(metadata=checks.by(checks.nested(PartCard)))
    log_offset: float | None = field(metadata=checks.by(checks.maybe(checks.positive)))
    min_size: int = field(metadata=checks.by(checks.count))
    calibration: CalibrationCard = field(metadata=checks.by(checks.nested(CalibrationCard)))
    thresholds: ThresholdCard = field(metadata=checks.by(checks.nested(ThresholdCard)))
    distance: DistanceCard = field(metadata=checks.by(checks.nested(DistanceCard)))
    trained_on: str = field(metadata=checks.by(checks.text))
    not_good_at: str = field(metadata=checks.by(checks.text))
    licence: str = field(metadata=checks.by(checks.text))
    seed: int = field(metadata=checks.by(checks.count))
    manifest_hash: str = field(metadata=checks.by(checks.text))
    configuration: dict[str, Any] = field(metadata=checks.by(checks.json_object), default_factory=dict)
    versions: dict[str, str] = field(metadata=checks.by(checks.mapping_of(checks.text)), default_factory=dict)
    metrics: tuple[MetricCard, ...] = field(metadata=checks.by(checks.nested_list(MetricCard)), default=())
    class_names: tuple[str, ...] = field(metadata=checks.by(_class_names), default=("real", "generated"))
    hashes: dict[str, str] = field(metadata=checks.by(checks.mapping_of(checks.text)), default_factory=dict)
    format_version: int = field(metadata=checks.by(_version), default=FORMAT_VERSION)

    @classmethod
    def from_json(cls, value: Any, where: str = "card") -> Self:
        """Make the card from a JSON object; the version is judged first, as other versions may have other fields."""
        if isinstance(value, Mapping) and "format_version" in value:
            _version(value["format_version"], f"{where}.format_version")
        return super().from_json(value, where)

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a card from the JSON text in a file's header."""
        try:
            return cls.from_json(json.loads(text))
        except (ValueError, RecursionError) as error:
            if isinstance(error, ArtifactError):
                raise
            raise ArtifactError(f"the model's card is not JSON: {str(error)[:100]}") from None

    def as_text(self) -> str:
        """Return the card as JSON text, the same for the same card."""
        return json.dumps(self.as_json(), ensure_ascii=False, sort_keys=True)
