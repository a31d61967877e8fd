"""From the results of the splits to the figures of a row: means with their intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spectell.evaluation.intervals import Interval
from spectell.experiments.cells import SKIPPED
from spectell.experiments.separability.cells import Comparison
from spectell.experiments.separability.features import DOMAINS
from spectell.experiments.separability.intervals import over_splits
from spectell.experiments.separability.measure import CURVE_DOMAINS, DETECTORS

__all__ = ["CurvePoint", "Summary", "summarise"]

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Ridge regression in a domain after training on so many images of each class."""

    domain: str
    images: int
    accuracy: Interval


@dataclass(frozen=True, slots=True)
class Summary:
    """A comparison under a condition.

    Parameters
    ----------
    comparison : Comparison
    prepared : mapping
        What `spectell.experiments.separability.sources.prepare` found.
    condition : str
    n_splits : int
        That were done; 0 if all were skipped, and then there are no figures.
    groups, images : mapping of str to int
        On the two sides of a split, ``train`` and ``test``.
    accuracy, auc : mapping of (domain, detector) to Interval
    gain : mapping of str to Interval
        By how much the accuracy on the DCT exceeds that on pixels, by detector.
    curve : sequence of CurvePoint
    unconverged : int
        Fits whose solver gave up early.
    """

    comparison: Comparison
    prepared: Mapping[str, Any]
    condition: str
    n_splits: int
    groups: Mapping[str, int] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)
    accuracy: Mapping[Key, Interval] = field(default_factory=dict)
    auc: Mapping[Key, Interval] = field(default_factory=dict)
    gain: Mapping[str, Interval] = field(default_factory=dict)
    curve: Sequence[CurvePoint] = ()
    unconverged: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the values for JSON."""

        def listed(found: Mapping[Key, Interval]) -> dict[str, dict[str, Any]]:
            return {
                domain: {name: found[domain, name].as_dict() for name in DETECTORS if (domain, name) in found}
                for domain in DOMAINS
            }

        curve = [{"domain": one.domain, "images": one.images, **one.accuracy.as_dict()} for one in self.curve]
        return {
            "source": self.comparison.source,
            "generator": self.comparison.generator,
            "condition": self.condition,
            "splits": self.n_splits,
            "groups": dict(self.groups),
            "images": dict(self.images),
            "accuracy": listed(self.accuracy),
            "auc": listed(self.auc),
            "gain": {name: interval.as_dict() for name, interval in self.gain.items()},
            "curve": curve,
            "unconverged": self.unconverged,
            "prepared": dict(self.prepared),
        }


def summarise(
    comparison: Comparison, prepared: Mapping[str, Any], condition: str, results: Sequence[Mapping[str, Any]]
) -> Summary:
    """Put the results of the splits of a comparison together; skipped ones are left out.

    Parameters
    ----------
    comparison : Comparison
    prepared : mapping
    condition : str
    results : sequence of mapping
        What `spectell.experiments.separability.measure.measure_cell` gave for each split.
    """
    done = [result for result in results if SKIPPED not in result]
    if not done:
        return Summary(comparison, prepared, condition, 0)
    groups = done[0]["groups"]
    sizes = groups["train"], groups["test"]

    def over(parts: Iterable[Mapping[str, Any]], bounds: tuple[float, float] = (0.0, 1.0)) -> Interval:
        return over_splits([Interval(one["estimate"], one["low"], one["high"]) for one in parts], *sizes, bounds)

    figures: dict[str, dict[Key, Interval]] = {"accuracy": {}, "auc": {}}
    for kind, found in figures.items():
        for domain in DOMAINS:
            for name in DETECTORS:
                own = [_of(result, domain, name)[kind] for result in done]
                found[domain, name] = over(own)
    points = [
        CurvePoint(domain, own[0]["images"], over(each["accuracy"] for each in own))
        for domain in CURVE_DOMAINS
        for point in dict.fromkeys(each["point"] for each in done[0]["curve"])
        if (
            own := [each for one in done for each in one["curve"] if (each["domain"], each["point"]) == (domain, point)]
        )
    ]
    gain = {name: over((result["gain"][name] for result in done), (-1.0, 1.0)) for name in DETECTORS}
    unconverged = sum(not one["converged"] for result in done for one in result["results"])
    return Summary(
        comparison,
        prepared,
        condition,
        len(done),
        groups,
        done[0]["images"],
        figures["accuracy"],
        figures["auc"],
        gain,
        points,
        unconverged,
    )


def _of(result: Mapping[str, Any], domain: str, detector: str) -> Mapping[str, Any]:
    (own,) = (one for one in result["results"] if (one["domain"], one["detector"]) == (domain, detector))
    found: Mapping[str, Any] = own
    return found
