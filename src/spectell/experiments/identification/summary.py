"""From cells to rows of a table: means over the seeds, and intervals that hold for images and seeds alike.

Within a seed the interval of an accuracy is Clopper and Pearson's of 95 % for the groups that were judged. Over seeds,
the mean is given, and from the lowest lower to the highest upper bound of the seeds' intervals: rather too wide than
too narrow, where two or three seeds allow no better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.experiments.cells import SKIPPED
from spectell.experiments.identification.cells import DOMAINS, IdentificationCell

__all__ = ["INTERVAL_WORDS", "best_by_validation", "confusion_of", "over_seeds", "summarise"]

INTERVAL_WORDS = (
    "Means over the seeds; the interval runs from the lowest lower to the highest upper bound of the seeds' 95 % "
    "intervals, each Clopper and Pearson's for the test groups of its split, so that it holds for images and seeds."
)

Results = Mapping[str, Mapping[str, Any]]
Summary = dict[str, Any]


def over_seeds(judged: Sequence[Mapping[str, Any]]) -> Summary:
    """Put the accuracies of several seeds together.

    Examples
    --------
    >>> one, other = {"estimate": 0.5, "low": 0.4, "high": 0.6}, {"estimate": 0.7, "low": 0.55, "high": 0.8}
    >>> over_seeds([one, other])
    {'estimate': 0.6, 'low': 0.4, 'high': 0.8, 'seeds': [0.5, 0.7]}
    """
    values = [float(one["estimate"]) for one in judged]
    return {
        "estimate": float(np.mean(values)),
        "low": min(float(one["low"]) for one in judged),
        "high": max(float(one["high"]) for one in judged),
        "seeds": values,
    }


def summarise(cells: Iterable[IdentificationCell], results: Results) -> dict[str, dict[str, Summary]]:
    """Return what was found of each detector in each domain, over the seeds that are there.

    Returns
    -------
    summaries : dict of str to dict of str to dict
        By detector and domain: `over_seeds` of the test images, ``validation`` (mean), ``parameters``,
        ``training_seconds`` and ``epochs`` (means; None where there are none), ``skipped`` (reasons).
    """
    found: dict[str, dict[str, Summary]] = {}
    grouped: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for cell in cells:
        grouped.setdefault((cell.detector, cell.domain), []).append(results[cell.name])
    for (detector, domain), several in grouped.items():
        found.setdefault(detector, {})[domain] = _summary(several)
    return found


def _summary(several: Sequence[Mapping[str, Any]]) -> Summary:
    reasons = sorted({str(one[SKIPPED]) for one in several if SKIPPED in one})
    there = [one for one in several if SKIPPED not in one]
    if not there:
        return {SKIPPED: reasons}
    facts = [one["facts"] for one in there]
    epochs = [one["epochs"] for one in facts if "epochs" in one]
    return {
        **over_seeds([one["test"] for one in there]),
        "validation": float(np.mean([one["validation"]["estimate"] for one in there])),
        "parameters": round(np.mean([one["parameters"] for one in facts])),
        "training_seconds": float(np.mean([one["training_seconds"] for one in facts])),
        "epochs": float(np.mean(epochs)) if epochs else None,
        "stopped_by_limit": any(one.get("epochs") == one["most_epochs"] for one in facts if epochs),
        SKIPPED: reasons,
    }


def best_by_validation(summaries: Mapping[str, Mapping[str, Summary]], domain: str) -> str | None:
    """Name the detector that was best on the validation images of a domain; None if there is none.

    Examples
    --------
    >>> best_by_validation({"knn": {"dct": {"validation": 0.5}}, "cnn": {"dct": {"validation": 0.9}}}, "dct")
    'cnn'
    """
    found = {name: one[domain]["validation"] for name, one in summaries.items() if "validation" in one.get(domain, {})}
    return max(found, key=lambda name: float(found[name])) if found else None


def confusion_of(
    cells: Iterable[IdentificationCell], results: Results, detector: str, domain: str
) -> npt.NDArray[np.int64]:
    """Return the confusion matrix of a detector's test images, all seeds together, shape (K, K)."""
    if domain not in DOMAINS:
        raise KeyError(domain)
    found = [
        np.asarray(results[cell.name]["test"]["confusion"], np.int64)
        for cell in cells
        if (cell.detector, cell.domain) == (detector, domain) and SKIPPED not in results[cell.name]
    ]
    return np.asarray(sum(found[1:], start=found[0]))
