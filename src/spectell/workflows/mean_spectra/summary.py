"""From the arrays of a study to what they mean: profiles, power laws, peaks, and all of it as JSON."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spectell.images.formats import LOSSLESS
from spectell.spectra.peak_meaning import peak_meanings
from spectell.spectra.peaks import find_peaks
from spectell.spectra.periodogram import MAX_TILES, noise_error
from spectell.workflows.mean_spectra.files import ArrayFile
from spectell.workflows.mean_spectra.means import BLOCK_CHANNELS, CHANNELS, FullSpectra, MeanSpectrum, RadialBand
from spectell.workflows.mean_spectra.study import (
    Comparison,
    SetFacts,
    SetSpectra,
    SpectrumStudy,
    TilePeaks,
    TileSpectra,
)
from spectell.workflows.mean_spectra.tiles import directions, histogram_quantile, power_law, ring_frequencies

__all__ = ["ARRAYS", "SUMMARY", "load_study", "study_as_dict"]

ARRAYS, SUMMARY = "spectra.npz", "spectra.json"
"""Names of the files of a study."""

_BAND = (0.05, 0.5, 0.95)
_FEWEST_FOR_AN_ERROR = 5
"""Images of whose scatter a bin's error is made. The deviation of two is often near zero by chance: against it one set
of noise in nine showed a peak. Below, the noise is what the spectrum scatters about its background."""


def load_study(directory: str | os.PathLike[str]) -> SpectrumStudy:
    """Open the results that `spectell.workflows.spectrum.spectrum` wrote.

    Parameters
    ----------
    directory : path
        Where ``spectra.npz`` lies.

    Returns
    -------
    study : SpectrumStudy

    Raises
    ------
    ArtifactError
        If there is no such file, or it is damaged.
    """
    arrays = ArrayFile(Path(directory, ARRAYS))
    metadata = arrays.metadata
    lossless = set(metadata["lossless"])
    sets = tuple(_set(entry, arrays, lossless) for entry in metadata["sets"])
    comparisons = tuple(
        Comparison(**{**entry, "counts": tuple(entry["counts"])}, arrays=arrays) for entry in metadata["comparisons"]
    )
    return SpectrumStudy(
        sets,
        metadata["reference"],
        comparisons,
        metadata["settings"],
        tuple(metadata["notes"]),
        Path(directory),
        tuple(metadata.get("merged", ())),  # earlier versions did not say
    )


def _set(entry: Mapping[str, Any], arrays: ArrayFile, lossless: set[str]) -> SetSpectra:
    name = entry["name"]
    spectra = {key: MeanSpectrum(count, arrays, f"{name}/{key}") for key, count in entry["counts"].items()}
    facts = _facts(entry["tally"], lossless_origin=name in lossless)
    tile_sizes = [int(key[len("tiles") : -len("/radial")]) for key in entry["histograms"]]
    tiles = [_tiles(size, name, spectra, arrays, facts) for size in tile_sizes]
    return SetSpectra(
        name=name,
        source=entry["source"],
        generator=entry["generator"],
        facts=facts,
        full=_full(spectra),
        blocks={channel: spectra[f"blocks/{channel}"] for channel in BLOCK_CHANNELS if f"blocks/{channel}" in spectra},
        tiles=tuple(sorted(tiles, key=lambda each: (-each.count, -each.size))),
    )


def _facts(tally: Mapping[str, Any], *, lossless_origin: bool) -> SetFacts:
    frequent: dict[str, Any] = {
        name: dict(sorted(tally[name].items(), key=lambda item: (-item[1], item[0])))
        for name in ("formats", "sizes", "jpeg_qualities")
    }
    return SetFacts(
        **{name: tally[name] for name in ("n_files", "n_images", "n_detailed", "n_unreadable")},
        **frequent,
        unreadable=tuple(tally["unreadable"]),
        lossless_files=set(tally["formats"]) <= LOSSLESS,
        lossless_origin=lossless_origin,
    )


def _full(spectra: Mapping[str, MeanSpectrum]) -> tuple[FullSpectra, ...]:
    sizes = {key.split("/")[0] for key in spectra if key.endswith("/log/grey")}
    full = []
    for size in sizes:
        width, _, height = size.partition("x")
        signed, log = ({name: spectra[f"{size}/{kind}/{name}"] for name in CHANNELS} for kind in ("signed", "log"))
        full.append(FullSpectra(int(height), int(width), signed, log))
    return tuple(sorted(full, key=lambda each: (-each.count, each.name)))


def _tiles(
    size: int, name: str, spectra: Mapping[str, MeanSpectrum], arrays: ArrayFile, facts: SetFacts
) -> TileSpectra:
    luma = _peaks(spectra[f"tiles{size}/log_power"], facts)
    activity = spectra.get(f"tiles{size}/activity")
    radial = spectra[f"tiles{size}/radial"]
    histogram = arrays[f"{name}/tiles{size}/radial/histogram"]
    low, median, high = (histogram_quantile(histogram, quantile) for quantile in _BAND)
    band = RadialBand(
        count=radial.count,
        frequency=ring_frequencies(size),
        mean=radial.mean,
        std=radial.std,
        low=low,
        median=median,
        high=high,
        power_law=power_law(radial.mean, size, radial.count),
    )
    return TileSpectra(
        size,
        luma.log_power,
        band,
        directions(luma.log_power.mean),
        luma.search,
        luma.meanings,
        None if activity is None else _peaks(activity, facts),
    )


def _peaks(log_power: MeanSpectrum, facts: SetFacts) -> TilePeaks:
    error = noise_error(log_power.count * MAX_TILES, len(log_power.mean))
    if log_power.count >= _FEWEST_FOR_AN_ERROR:
        error = np.maximum(error, log_power.standard_error)
    search = find_peaks(log_power.mean, error)
    jpeg = False if facts.lossless_origin else True if "JPEG" in facts.formats else None
    meanings = peak_meanings(search.peaks, jpeg_history=jpeg, lossless=facts.lossless_origin)
    return TilePeaks(log_power, search, meanings)


def study_as_dict(study: SpectrumStudy) -> dict[str, Any]:
    """Return every number of a study but its two-dimensional arrays, ready for JSON.

    Not a number and infinity are None.
    """
    document = {
        "reference": study.reference,
        "settings": study.settings,
        "merged": list(study.merged),
        "notes": list(study.notes),
        "arrays": ARRAYS,
        "sets": [_set_dict(each) for each in study.sets],
        "comparisons": [_comparison_dict(each) for each in study.comparisons],
    }
    plain: dict[str, Any] = _plain(document)
    return plain


def _set_dict(each: SetSpectra) -> dict[str, Any]:
    return {
        "name": each.name,
        "source": each.source,
        "generator": each.generator,
        "files": {name: getattr(each.facts, name) for name in SetFacts.__dataclass_fields__},
        "full": [{"size": full.name, "n_images": full.count, "key": f"{each.name}/{full.name}"} for full in each.full],
        "blocks": {channel: {"n_images": blocks.count, "key": blocks.key} for channel, blocks in each.blocks.items()},
        "tiles": [_tiles_dict(tiles) for tiles in each.tiles],
    }


def _tiles_dict(tiles: TileSpectra) -> dict[str, Any]:
    band, law = tiles.radial, tiles.radial.power_law
    profile = {name: getattr(band, name) for name in ("frequency", "mean", "std", "low", "median", "high")}
    luma = _peaks_dict(TilePeaks(tiles.log_power, tiles.peaks, tiles.meanings))
    return {
        "size": tiles.size,
        "n_images": tiles.count,
        "radial": profile,
        "power_law": None if law is None else _fields(law),
        "directions": tiles.directions,
        **luma,
        "activity": None if tiles.activity is None else _peaks_dict(tiles.activity),
    }


def _peaks_dict(found: TilePeaks) -> dict[str, Any]:
    peaks = [
        {**_fields(peak), "meaning": str(meaning), "cause": str(meaning.cause), "period": meaning.period}
        | {"upsampling_factor": meaning.upsampling_factor}
        for peak, meaning in zip(found.search.peaks, found.meanings, strict=True)
    ]
    return {"key": found.log_power.key, "peaks": peaks, "peak_threshold": found.search.threshold}


def _comparison_dict(each: Comparison) -> dict[str, Any]:
    fields = {name: getattr(each, name) for name in Comparison.__dataclass_fields__ if name != "arrays"}
    return {**fields, "share_significant": each.share_significant}


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_plain(item) for item in value.tolist()]
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
