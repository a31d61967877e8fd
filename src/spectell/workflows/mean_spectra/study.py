"""What a study of spectra found: the results that are written, drawn and merged.

Invariants: a study is a small tree of names and numbers; its arrays lie in ``spectra.npz`` and are read one at a time
when they are asked for, so a study of large images costs no memory. Every array belongs to one channel and has the
shape of one spectrum, low frequencies top left. Spectra of images of different sizes are never mixed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from spectell.spectra.peak_meaning import PeakMeaning
    from spectell.spectra.peaks import PeakSearch
    from spectell.workflows.mean_spectra.means import FullSpectra, MeanSpectrum, RadialBand

__all__ = [
    "Comparison",
    "SetFacts",
    "SetSpectra",
    "SpectrumStudy",
    "TilePeaks",
    "TileSpectra",
]

Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TilePeaks:
    """Peaks of a mean periodogram.

    Parameters
    ----------
    log_power : MeanSpectrum
        Of the mean log power of an image, shape (size, size // 2 + 1) in the layout of `numpy.fft.rfft2`, in nats.
    search : PeakSearch
        What `spectell.spectra.peaks.find_peaks` found in its mean.
    meanings : tuple of PeakMeaning
        What each peak may mean, in the order of the peaks; as text with `str`.
    """

    log_power: MeanSpectrum
    search: PeakSearch
    meanings: tuple[PeakMeaning, ...]


@dataclass(frozen=True, eq=False)
class TileSpectra:
    """Periodograms of the luma, averaged over Hann-windowed tiles: where peaks are located.

    Images of any size take part with tiles of the largest size of 128, 64, 32 that fits.

    Parameters
    ----------
    size : int
        Height and width of a tile in pixels.
    log_power : MeanSpectrum
        Of the mean log power of an image, shape (size, size // 2 + 1) in the layout of `numpy.fft.rfft2`, in nats.
    radial : RadialBand
        Radial profiles of the same periodograms.
    directions : dict of str to ndarray of shape (B,)
        Mean log power, in nats, along ``horizontal``, ``vertical`` and ``diagonal`` (NaN in rings without any), at
        ``frequency`` in cycles per pixel.
    peaks : PeakSearch
        What `spectell.spectra.peaks.find_peaks` found in the mean of `log_power`.
    meanings : tuple of PeakMeaning
        What each peak may mean, in the order of the peaks; as text with `str`.
    activity : TilePeaks, optional
        The same of the luma's activity, where the grids of JPEGs and of resizing show that leave the luma's spectrum
        smooth (see `spectell.spectra.tile_periodogram`); None for tiles below 64 pixels.
    """

    size: int
    log_power: MeanSpectrum
    radial: RadialBand
    directions: dict[str, Float64Array]
    peaks: PeakSearch
    meanings: tuple[PeakMeaning, ...]
    activity: TilePeaks | None = None

    @property
    def count(self) -> int:
        """Number of images."""
        return self.log_power.count


@dataclass(frozen=True)
class SetFacts:
    """What the files of a set say about themselves.

    Parameters
    ----------
    n_files, n_images : int
        Files that were looked at, and those of them that could be read.
    n_detailed : int
        Images that also took part in block, tile and radial spectra.
    formats, sizes, jpeg_qualities : dict of str to int
        How many images have which format, which size (``widthxheight``), which JPEG quality; most frequent first.
    unreadable : tuple of str
        One line for each of the first 100 files that could not be read, with its reason.
    n_unreadable : int
        How many could not be read.
    lossless_files : bool
        Whether every file is of a format without loss (PNG, TIFF, BMP, PPM). That says nothing about what was done
        before: a JPEG saved as PNG is such a file.
    lossless_origin : bool
        Whether whoever started the study said that the images never were anything but lossless.
    """

    n_files: int
    n_images: int
    n_detailed: int
    formats: dict[str, int]
    sizes: dict[str, int]
    jpeg_qualities: dict[str, int]
    unreadable: tuple[str, ...]
    n_unreadable: int
    lossless_files: bool
    lossless_origin: bool


@dataclass(frozen=True, eq=False)
class SetSpectra:
    """Everything about one set: the images of one source that one generator made.

    Parameters
    ----------
    name : str
        ``source/generator``, such as ``faces256/real``.
    source, generator : str
        Its parts; the generator of photographs is ``real``.
    facts : SetFacts
        About the files.
    full : tuple of FullSpectra
        One for each size that has them, the most frequent first; may be empty.
    blocks : dict of str to MeanSpectrum
        Block-averaged log power, shape (32, 32), by channel (`means.BLOCK_CHANNELS`), in nats of power; images
        of all sizes from 32 x 32. Empty where there are none. Entry ``[k, l]`` lies at ``k / 64`` and ``l / 64`` cycles
        per pixel.
    tiles : tuple of TileSpectra
        One for each tile size that occurs, the one with most images first; may be empty.
    """

    name: str
    source: str
    generator: str
    facts: SetFacts
    full: tuple[FullSpectra, ...]
    blocks: dict[str, MeanSpectrum]
    tiles: tuple[TileSpectra, ...]

    @property
    def is_real(self) -> bool:
        """Whether the set holds photographs."""
        return self.generator == "real"


@dataclass(frozen=True, eq=False)
class Comparison:
    """One spectrum of a set against the same spectrum of the reference.

    Parameters
    ----------
    name, reference : str
        Names of the two sets.
    kind : {"signed", "log", "blocks", "tiles"}
        What is compared: full-size coefficients or their logarithm, block-averaged or tile log power.
    size : str
        ``widthxheight`` of the spectrum's images for full-size kinds, of a block or tile for the others.
    channel : str
        One of `means.CHANNELS` or ``BLOCK_CHANNELS``.
    counts : tuple of (int, int)
        Number of images of the set and of the reference.
    n_coefficients, n_significant : int
        How many coefficients there are, and how many differ significantly (Benjamini-Hochberg, rate `alpha`).
    alpha : float
        The false-discovery rate.
    effect_summary : dict of str to float or None
        ``median_absolute``, ``maximum_absolute`` effect size (standard deviations), ``share_large`` (absolute effect at
        least 0.8), of all coefficients. Of those that differ significantly, the effect that is largest without its
        sign, with the ends of its pointwise confidence interval, that of this coefficient by itself: ``largest``,
        ``largest_low``, ``largest_high``; None where none differs. None for an infinite effect too: coefficients that
        differ and vary in neither set.
    arrays : mapping of str to ndarray
        Where the arrays are read from at every access.
    key : str
        The arrays are called ``{key}/difference`` and so on.
    """

    name: str
    reference: str
    kind: str
    size: str
    channel: str
    counts: tuple[int, int]
    n_coefficients: int
    n_significant: int
    alpha: float
    effect_summary: dict[str, float | None]
    arrays: Mapping[str, npt.NDArray[Any]]
    key: str

    @property
    def share_significant(self) -> float:
        """Share of the coefficients that differ significantly."""
        return self.n_significant / self.n_coefficients

    @property
    def difference(self) -> npt.NDArray[np.float32]:
        """Mean of the set minus mean of the reference, in the unit of the spectrum (nats for logarithms)."""
        return self._array("difference")

    @property
    def ratio(self) -> npt.NDArray[np.float32]:
        """How many times as large: quotient of geometric means for logarithms, of absolute means for signed ones."""
        return self._array("ratio")

    @property
    def effect(self) -> npt.NDArray[np.float32]:
        """Standardised difference: difference over the pooled standard deviation."""
        return self._array("effect")

    @property
    def low(self) -> npt.NDArray[np.float32]:
        """Lower end of the 95 % confidence band of `effect`."""
        return self._array("low")

    @property
    def high(self) -> npt.NDArray[np.float32]:
        """Upper end of the 95 % confidence band of `effect`."""
        return self._array("high")

    @property
    def significant(self) -> npt.NDArray[np.bool_]:
        """Whether a coefficient differs after the correction for so many of them."""
        return np.asarray(self.arrays[f"{self.key}/significant"], np.bool_)

    def _array(self, name: str) -> npt.NDArray[np.float32]:
        return np.asarray(self.arrays[f"{self.key}/{name}"], np.float32)


@dataclass(frozen=True, eq=False)
class SpectrumStudy:
    """Spectra of several sets of images, and how they differ from one of them.

    Parameters
    ----------
    sets : tuple of SetSpectra
        In the order in which they were named.
    reference : str
        Name of the set that the others are compared with.
    comparisons : tuple of Comparison
        Empty with a single set, or where no spectrum is shared with the reference.
    settings : dict
        What decides the numbers that this run measured: limit, seed, bounds, block size, log offset. Limit and seed are
        None if it only merged results.
    notes : tuple of str
        What was left out and why, one line each; for a person to see.
    directory : Path
        Where ``spectra.npz`` and ``spectra.json`` lie.
    merged : tuple of dict
        How each result that was merged had been measured: its ``file``, ``sets``, ``settings``, the sets said to be
        ``lossless``, and those results that had been ``merged`` into it.
    """

    sets: tuple[SetSpectra, ...]
    reference: str
    comparisons: tuple[Comparison, ...]
    settings: dict[str, Any]
    notes: tuple[str, ...]
    directory: Path
    merged: tuple[dict[str, Any], ...] = ()
    _by_name: dict[str, SetSpectra] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {each.name: each for each in self.sets})

    def __getitem__(self, name: str) -> SetSpectra:
        """Return a set by its name."""
        return self._by_name[name]

    def compared(self, name: str, kind: str, channel: str, size: str | None = None) -> Comparison | None:
        """Return a comparison of a set with the reference, the first of any `size` by default; None without one."""
        for each in self.comparisons:
            if (each.name, each.kind, each.channel) == (name, kind, channel) and size in {None, each.size}:
                return each
        return None
