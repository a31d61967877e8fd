"""What an audit of a data set says, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from spectell.evaluation.intervals import Interval

__all__ = ["AuditReport", "ClassFacts", "Comparison", "DuplicateCounts", "Leak"]


@dataclass(frozen=True, slots=True)
class Leak:
    """One way to tell the classes, or the splits, apart without looking.

    Parameters
    ----------
    what : str
        What leaks, and for which generator.
    evidence : str
        Numbers.
    remedy : str
        What to do about it.

    Examples
    --------
    >>> Leak("format of gan", "real PNG 100 %; gan JPEG 100 %", "save both classes in one format").what
    'format of gan'
    """

    what: str
    evidence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """What the files of one class say.

    Parameters
    ----------
    generator : str
        ``real`` or the generator's name.
    images, examined : int
        How many there are, and how many of them were read.
    values : mapping of str to mapping of str to int
        How many examined files have which value of each of `spectell.workflows.file_facts.FACTS`, most frequent
        first.
    traces : mapping of str to mapping of str to int
        The same for what pixels remember, `spectell.workflows.auditing.pixel_traces.TRACES`; empty where they were
        not read.
    mean_thumbnail : list, optional
        Mean of the 8 x 8 thumbnails, (8, 8, 3), values 0 to 255; None where they were not made.
    """

    generator: str
    images: int
    examined: int
    values: Mapping[str, Mapping[str, int]]
    traces: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    mean_thumbnail: list[list[list[float]]] | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How well file facts alone separate a generator from the real images.

    Parameters
    ----------
    generator : str
        Its name.
    auc : Interval or None
        Of a cross-validated classifier that sees all facts; None with too few images.
    by_fact : mapping of str to (Interval or None)
        The same for each fact alone. JPEG quality and subsampling are compared among JPEG files only.
    by_trace : mapping of str to (Interval or None)
        The same for each trace in the pixels; empty where they were not read.
    thumbnails : Interval or None
        Of a cross-validated linear classifier that sees 8 x 8 thumbnails; None as for `auc`, or where they were not
        made.
    """

    generator: str
    auc: Interval | None
    by_fact: Mapping[str, Interval | None]
    by_trace: Mapping[str, Interval | None] = field(default_factory=dict)
    thumbnails: Interval | None = None


@dataclass(frozen=True, slots=True)
class DuplicateCounts:
    """Copies among the examined images.

    Parameters
    ----------
    exact, near : int
        Images beyond the first of each set of copies: with the same bytes; that look the same, or have the same bytes.
    exact_across_classes, near_across_classes : int
        Pictures, so told apart, that occur both as real and as generated. Near ones are pairs of a photograph and what
        was made from it, as a rule: a good thing as long as they stay in one split.
    across_splits : int
        Pictures that occur in more than one split.
    """

    exact: int
    near: int
    exact_across_classes: int
    near_across_classes: int
    across_splits: int


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What `audit_manifest` found.

    Parameters
    ----------
    images, examined, unreadable : int
        Images in the data set; those that were read; those of them that could not be.
    classes : tuple of ClassFacts
        Real first.
    comparisons : tuple of Comparison
        One for each generator.
    duplicates : DuplicateCounts
        Copies.
    leaks : tuple of Leak
        Empty when nothing was found.
    notes : tuple of str
        What the reader of the data set, or of its files, left out.
    pixels : bool
        Whether the pixels' traces and thumbnails were looked at.
    limits : mapping of str to float
        What the lower end of an interval must exceed for a leak: ``facts`` (and traces), ``thumbnails``.
    """

    images: int
    examined: int
    unreadable: int
    classes: tuple[ClassFacts, ...]
    comparisons: tuple[Comparison, ...]
    duplicates: DuplicateCounts
    leaks: tuple[Leak, ...]
    notes: tuple[str, ...] = ()
    pixels: bool = False
    limits: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        report = asdict(self)
        for comparison, own in zip(report["comparisons"], self.comparisons, strict=True):
            comparison["auc"] = _interval_dict(own.auc)
            comparison["by_fact"] = {name: _interval_dict(auc) for name, auc in own.by_fact.items()}
            comparison["by_trace"] = {name: _interval_dict(auc) for name, auc in own.by_trace.items()}
            comparison["thumbnails"] = _interval_dict(own.thumbnails)
        return report


def _interval_dict(interval: Interval | None) -> dict[str, float | int | None] | None:
    return None if interval is None else interval.as_dict()
