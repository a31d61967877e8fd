"""Which spectra of two sets can be compared, and the arrays that come of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from spectell.spectra.effects import SpectrumComparison, compare_spectra
from spectell.workflows.mean_spectra.batch import BLOCK_SIZE
from spectell.workflows.mean_spectra.means import BLOCK_CHANNELS, CHANNELS

__all__ = ["ALPHA", "CONFIDENCE", "Measured", "compare_sets", "described_key"]

ALPHA = 0.05
"""False-discovery rate over the coefficients of one comparison."""

CONFIDENCE = 0.95
"""Of the band around an effect size."""

LARGE_EFFECT = 0.8
"""What is called a large effect, in standard deviations (Cohen 1988, Statistical Power Analysis, section 2.2.4)."""

Array = npt.NDArray[Any]


class Measured(NamedTuple):
    """The spectra of a set, wherever they lie.

    Parameters
    ----------
    name : str
    counts : mapping of str to int
        Number of images behind each spectrum.
    arrays : mapping of str to ndarray
        ``{prefix}/{key}/mean`` and ``.../squared_deviation``.
    prefix : str
    """

    name: str
    counts: Mapping[str, int]
    arrays: Mapping[str, Array]
    prefix: str

    def moments(self, key: str) -> tuple[Array, Array, int]:
        """Return mean, variance and count."""
        n = self.counts[key]
        return (
            self.arrays[f"{self.prefix}/{key}/mean"],
            self.arrays[f"{self.prefix}/{key}/squared_deviation"] / (n - 1),
            n,
        )


def described_key(key: str) -> tuple[str, str, str] | None:
    """Return kind, size and channel of a spectrum that is compared; None for one that is not.

    Examples
    --------
    >>> described_key("256x128/log/grey"), described_key("blocks/luma"), described_key("tiles128/log_power")
    (('log', '256x128', 'grey'), ('blocks', '32x32', 'luma'), ('tiles', '128x128', 'luma'))
    >>> described_key("tiles128/radial")
    """
    first, *rest = key.split("/")
    if first == "blocks":
        return "blocks", f"{BLOCK_SIZE}x{BLOCK_SIZE}", rest[0]
    if first.startswith("tiles"):
        size = first.removeprefix("tiles")
        return ("tiles", f"{size}x{size}", BLOCK_CHANNELS[0]) if rest == ["log_power"] else None
    kind, channel = rest
    return (kind, first, channel) if channel in CHANNELS else None


def compare_sets(one: Measured, reference: Measured) -> Iterator[tuple[dict[str, Any], dict[str, Array]]]:
    """Compare every spectrum that both sets have, of at least two images each.

    Yields
    ------
    facts : dict
        What `Comparison` says of it, ready for JSON.
    arrays : dict of str to ndarray
        By the names of the properties of `Comparison`; `float32`, which is more than N images determine.
    """
    for key in one.counts:
        described = described_key(key)
        if described is None or min(one.counts[key], reference.counts.get(key, 0)) < 2:
            continue
        kind, size, channel = described
        ours, theirs = one.moments(key), reference.moments(key)
        found = compare_spectra(*ours, *theirs, confidence=CONFIDENCE, false_discovery_rate=ALPHA)
        facts = {
            "name": one.name,
            "reference": reference.name,
            "kind": kind,
            "size": size,
            "channel": channel,
            "counts": [one.counts[key], reference.counts[key]],
            "n_coefficients": found.significant.size,
            "n_significant": int(found.significant.sum()),
            "alpha": ALPHA,
            "effect_summary": _summary(found),
            "key": f"comparisons/{one.name}/{key}",
        }
        yield facts, _arrays(found, _ratio(kind, ours[0], theirs[0]))


def _ratio(kind: str, ours: Array, theirs: Array) -> Array:
    if kind != "signed":
        return np.asarray(np.exp(ours - theirs))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.abs(ours) / np.abs(theirs))


def _arrays(found: SpectrumComparison, ratio: Array) -> dict[str, Array]:
    values = {
        "difference": found.difference,
        "ratio": ratio,
        "effect": found.effect_size,
        "low": found.low,
        "high": found.high,
    }
    with np.errstate(over="ignore"):
        arrays: dict[str, Array] = {name: value.astype(np.float32) for name, value in values.items()}
    return {**arrays, "significant": found.significant}


def _summary(found: SpectrumComparison) -> dict[str, float | None]:
    """Effects without limit, of coefficients that vary in neither set, count as large and have no number."""
    absolute = np.abs(found.effect_size)
    summary = {
        "median_absolute": float(np.median(absolute)),
        "maximum_absolute": float(absolute.max()),
        "share_large": float(np.mean(absolute >= LARGE_EFFECT)),
        **_largest(found, absolute),
    }
    return {name: value if value is not None and np.isfinite(value) else None for name, value in summary.items()}


def _largest(found: SpectrumComparison, absolute: Array) -> dict[str, float | None]:
    """Return the largest effect that is significant: among thousands some are large by chance in any two sets."""
    names = ("largest", "largest_low", "largest_high")
    if not found.significant.any():
        return dict.fromkeys(names)
    place = int(np.where(found.significant, absolute, -1.0).argmax())
    values = (found.effect_size, found.low, found.high)
    return {name: float(value.flat[place]) for name, value in zip(names, values, strict=True)}
