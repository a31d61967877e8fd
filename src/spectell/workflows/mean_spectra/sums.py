"""What a set of images adds up to, wherever and in whatever order its parts were measured.

Invariants: parts merge by name; nothing here grows with the number of images; what is kept is exact enough that a
merged result differs from that of one run by rounding alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from spectell.errors import MismatchError
from spectell.spectra import SpectrumStatistics
from spectell.workflows.mean_spectra.sketch import Sketch

__all__ = ["HISTOGRAM_LOW", "HISTOGRAM_STEP", "SetSums", "Tally", "radial_histogram"]

Array = npt.NDArray[Any]

MAX_REASONS = 100
"""Unreadable files that are named; the others are counted."""

HISTOGRAM_LOW, HISTOGRAM_STEP, _HISTOGRAM_BINS = -10.0, 0.05, 800
"""Histograms of log power reach from -10 to 30 nats; what lies beyond counts in the last bin of its side."""


@dataclass(slots=True)
class Tally:
    """Counts of files and of what they say about themselves; see `SetFacts` for what each means."""

    n_files: int = 0
    n_images: int = 0
    n_detailed: int = 0
    n_unreadable: int = 0
    formats: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    jpeg_qualities: Counter[str] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def merge(self, other: Tally) -> None:
        """Add the counts of another part."""
        for name in ("n_files", "n_images", "n_detailed", "n_unreadable"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("formats", "sizes", "jpeg_qualities"):
            getattr(self, name).update(getattr(other, name))
        self.unreadable = [*self.unreadable, *other.unreadable][:MAX_REASONS]

    def refuse(self, reason: str) -> None:
        """Count a file that cannot be read."""
        self.n_files += 1
        self.n_unreadable += 1
        if len(self.unreadable) < MAX_REASONS:
            self.unreadable.append(reason)

    def as_dict(self) -> dict[str, Any]:
        """Return what `from_dict` needs, ready for JSON."""
        return {name: _plain(getattr(self, name)) for name in self.__slots__}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `as_dict` gave."""
        kinds: dict[type, Any] = {int: int, dict: Counter, list: list}
        return cls(**{name: kinds[type(values[name])](values[name]) for name in cls.__slots__})


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Counter) else value


@dataclass(slots=True)
class SetSums:
    """Running statistics of one set; see `study.SetSpectra` for what becomes of them.

    Parameters
    ----------
    source, generator : str
        What the set is.
    identities : list of str
        A hash of the files of each part, so that nobody adds the same images twice.
    tally : Tally
        About the files.
    spectra : dict of str to SpectrumStatistics
        By kind and channel: ``256x256/log/grey``, ``blocks/luma``, ``tiles128/log_power``,
        ``tiles128/activity``, ``tiles128/radial``.
    histograms : dict of str to ndarray of int64
        Of radial profiles, by the name of their spectrum; shape (rings, bins).
    sketch : Sketch
        Which images these are, as far as a small sample tells.
    """

    source: str
    generator: str
    identities: list[str] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    spectra: dict[str, SpectrumStatistics] = field(default_factory=dict)
    histograms: dict[str, npt.NDArray[np.int64]] = field(default_factory=dict)
    sketch: Sketch = field(default_factory=Sketch)

    @property
    def name(self) -> str:
        """Name of the set."""
        return f"{self.source}/{self.generator}"

    def add(self, key: str, statistics: SpectrumStatistics) -> None:
        """Merge the statistics of a part."""
        if key in self.spectra:
            self.spectra[key].merge(statistics)
        else:
            self.spectra[key] = statistics

    def add_histogram(self, key: str, counts: npt.NDArray[np.int64]) -> None:
        """Merge the histogram of a part."""
        self.histograms[key] = self.histograms[key] + counts if key in self.histograms else counts

    def merge(self, other: SetSums) -> None:
        """Add what was found elsewhere about other images of the same set.

        Raises
        ------
        MismatchError
            If both have seen the same files.
        """
        if set(self.identities) & set(other.identities):
            raise MismatchError(f"the same files of {self.name!r} are in two of the results; merge each result once")
        self.identities += other.identities
        self.tally.merge(other.tally)
        self.sketch.merge(other.sketch)
        for key, statistics in other.spectra.items():
            self.add(key, statistics)
        for key, counts in other.histograms.items():
            self.add_histogram(key, counts)


def radial_histogram(profiles: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.int64]:
    """Count the log powers of each ring.

    Parameters
    ----------
    profiles : ndarray of shape (N, B)
        In nats.

    Returns
    -------
    counts : ndarray of shape (B, 800), int64

    Examples
    --------
    >>> counts = radial_histogram(np.array([[0.0, 99.0], [0.01, 1.0]]))
    >>> [row.nonzero()[0].tolist() for row in counts], counts[0].max()
    ([[200], [220, 799]], np.int64(2))
    """
    n_rings = profiles.shape[1]
    bins = np.floor((profiles - HISTOGRAM_LOW) / HISTOGRAM_STEP + 1e-9).clip(0, _HISTOGRAM_BINS - 1).astype(np.int64)
    flat = (bins + _HISTOGRAM_BINS * np.arange(n_rings)).ravel()
    return np.bincount(flat, minlength=n_rings * _HISTOGRAM_BINS).reshape(n_rings, _HISTOGRAM_BINS)
