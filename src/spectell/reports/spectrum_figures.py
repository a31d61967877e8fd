"""Figures of a study of spectra that are no heat maps, profiles and peaks; which sizes have maps, which sets share one.

Units are those of `spectell.reports.spectrum_maps`. Arrays are read when a figure is made and let go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.figures.canvas import DECIBELS_PER_NAT
from spectell.figures.heat_maps import GEOMETRIC_MEAN
from spectell.figures.peaks import Mark, plot_peaks
from spectell.figures.profiles import Curve, PowerLawLine, plot_directional_profiles, plot_radial_profiles
from spectell.figures.style import Theme
from spectell.reports.markup import join
from spectell.reports.numbers import plain
from spectell.reports.render import Drawing
from spectell.reports.spectrum_maps import AMPLITUDE
from spectell.reports.spectrum_names import listed, set_label
from spectell.reports.spectrum_tables import fitted_law, read_grids
from spectell.spectra.peaks import dct_position
from spectell.workflows.mean_spectra.study import SetSpectra, SpectrumStudy

__all__ = ["drawn_sizes", "in_parts", "peak_drawing", "profile_drawings"]

Float64Array = npt.NDArray[np.float64]

Sets = Sequence[SetSpectra]

_MOST_SIZES = 2
_MOST_BANDS = 3
_MOST_TOGETHER = 12
"""Sets in one figure: more curves cannot be told apart, and a figure of 41 sets took 750 MB."""


def drawn_sizes(study: SpectrumStudy) -> list[str]:
    """List the sizes whose full spectra are drawn: those that most sets have, then those of most images."""
    counts: dict[str, list[int]] = {}
    for each in study.sets:
        for full in each.full:
            counts.setdefault(full.name, []).append(full.count)
    return sorted(counts, key=lambda size: (-len(counts[size]), -sum(counts[size]), size))[:_MOST_SIZES]


def in_parts(study: SpectrumStudy, draw: Callable[[Sets], Iterable[Drawing | None]]) -> list[Drawing]:
    """Draw the sets of a study together, or in several figures where they are many, each with the reference.

    Parameters
    ----------
    study : SpectrumStudy
    draw : callable
        From some of the sets to their drawings; None are left out.

    Returns
    -------
    drawings : list of Drawing
        The parts of one figure follow each other; the second is called ``radial-2``, and so on.
    """
    parts = _parts(study)
    named: dict[str, list[Drawing]] = {}
    for sets in parts:
        for drawing in draw(sets):
            if drawing is not None:
                named.setdefault(drawing.name, []).append(drawing)
    return [
        _part(drawing, number, len(several)) for several in named.values() for number, drawing in enumerate(several, 1)
    ]


def _parts(study: SpectrumStudy) -> list[Sets]:
    if len(study.sets) <= _MOST_TOGETHER:
        return [study.sets]
    reference = study[study.reference]
    others = [each for each in study.sets if each is not reference]
    step = _MOST_TOGETHER - 1
    return [[reference, *others[start : start + step]] for start in range(0, len(others), step)]


def _part(drawing: Drawing, number: int, count: int) -> Drawing:
    """Name one of several figures that show the sets."""
    if count == 1:
        return drawing
    caption = join([drawing.caption, f" Figure {number} of {count}, each with its own scale."])
    return replace(drawing, name=drawing.name if number == 1 else f"{drawing.name}-{number}", caption=caption)


def profile_drawings(study: SpectrumStudy, sets: Sets | None = None) -> Iterator[Drawing]:
    """Yield the figures of the profiles along the radius and along three directions, of some of the sets or of all."""
    sets = study.sets if sets is None else sets
    having = [(each, each.tiles[0]) for each in sets if each.tiles]
    if not having:
        return
    having.sort(key=lambda item: item[0].name != study.reference)
    few = len(having) <= _MOST_BANDS
    curves = [_curve(set_label(each, study), each, band=few or each.name == study.reference) for each, _ in having]
    whose = "" if few else " of the reference"
    labels = [curve.name for curve in curves]
    fitted = ", ".join(f"{curve.name} {plain(curve.law.exponent)}" for curve in curves if curve.law)
    laws = f" Exponents of the fitted laws: {fitted}." if fitted else ""
    yield Drawing(
        "radial",
        lambda theme: plot_radial_profiles(curves, band=f"band{whose}: one standard deviation", theme=theme),
        f"Radial profiles of {listed(labels)}, falling with frequency.{laws}",
        "Power of the luma in Hann-windowed tiles: the geometric mean over the tiles of an image, then the mean of "
        "each ring around zero frequency, then the geometric mean over images. Photographs fall "
        "as a power of the frequency; the exponent stands beside each name.",
    )
    directions = ("horizontal", "vertical", "diagonal")
    profiles = [
        (
            set_label(each, study),
            tiles.directions["frequency"],
            [DECIBELS_PER_NAT * tiles.directions[direction] for direction in directions],
        )
        for each, tiles in having
    ]
    yield Drawing(
        "directions",
        lambda theme: plot_directional_profiles(profiles, directions=directions, theme=theme),
        f"Horizontal, vertical and diagonal profiles of {listed(labels)}.",
        "Within 15 degrees of three directions: the geometric mean over images and over the coefficients of a ring, "
        "which lies below the mean of a ring that the figure above shows. Spikes at 1/8, 1/4 and 3/8 are those of a "
        "grid of 8 pixels.",
    )


def peak_drawing(study: SpectrumStudy, sets: Sets | None = None) -> Drawing | None:
    """Return the figure of the peaks of some of the sets or of all, marked on the DCT; None without spectra."""
    having = [each for each in (study.sets if sets is None else sets) if each.full or each.blocks]
    if not having:
        return None
    labels = [set_label(each, study) for each in having]
    marks = [_marks(each) for each in having]
    counted = ", ".join(f"{label} {len(found)}" for label, found in zip(labels, marks, strict=True))

    def make(theme: Theme) -> Any:
        return plot_peaks([_power(each) for each in having], labels, marks, scale=GEOMETRIC_MEAN, theme=theme)

    return Drawing(
        "peaks",
        make,
        f"Spectra with peaks marked; number of peaks: {counted}.",
        "Peaks that stand out of a smooth background, located on a Fourier transform of tiles and marked on the DCT, "
        "where rising and falling diagonals fall together. Shapes say what a peak may come from.",
        both=False,
    )


def _curve(label: str, each: SetSpectra, *, band: bool) -> Curve:
    radial, law = each.tiles[0].radial, fitted_law(each)
    line = None
    if law is not None:
        low, high = law.frequency_range
        line = PowerLawLine(law.exponent, DECIBELS_PER_NAT * law.log_power_at_one, low, high)
    spread = DECIBELS_PER_NAT * radial.std if band and each.tiles[0].count > 1 else None
    return Curve(label, radial.frequency, DECIBELS_PER_NAT * radial.mean, spread, line)


def _marks(each: SetSpectra) -> list[Mark]:
    if not each.tiles:
        return []
    tiles = each.tiles[0]
    grids = read_grids(tiles.peaks.peaks, tiles.meanings)
    return [Mark(*dct_position(peak), meaning=str(meaning)) for grid, meaning in grids for peak in grid.peaks]


def _power(each: SetSpectra) -> Float64Array:
    """Return what peaks are marked on: the full-size spectrum if there is one, else that of blocks."""
    if each.full:
        return np.asarray(AMPLITUDE * each.full[0].log["grey"].mean)
    return np.asarray(DECIBELS_PER_NAT * each.blocks["luma"].mean)
