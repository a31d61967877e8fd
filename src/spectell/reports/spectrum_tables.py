"""The numbers of a study of spectra as tables. A number that is not there is a dash, never an empty cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from spectell.reports.markup import Content, Markup
from spectell.reports.numbers import MOST_DEVIATIONS, deviations, plain, signed, tenths
from spectell.reports.parts import callout, details, items, paragraph, table
from spectell.reports.spectrum_names import set_label
from spectell.spectra.peak_meaning import PeakGrid, PeakMeaning, grid_period, group_peaks
from spectell.spectra.peaks import FALSE_ALARM, Peak
from spectell.workflows.mean_spectra.study import Comparison, SetSpectra, SpectrumStudy

if TYPE_CHECKING:
    from spectell.spectra.radial import PowerLaw

__all__ = [
    "comparison_table",
    "fitted_law",
    "has_spread",
    "largest_effect",
    "left_out",
    "peak_table",
    "power_law_table",
    "probability",
    "read_grids",
    "set_table",
]

_DASH = "–"
_MOST_GRIDS = 6
_MOST_PEAKS = 40
_MOST_KINDS = 3


def set_table(study: SpectrumStudy) -> Markup:
    """Make the table of the sets: what was looked at, and what the files say about themselves."""
    rows = []
    for each in study.sets:
        facts = each.facts
        label = set_label(each, study)
        said = ["reference"] if each.name == study.reference and len(study.sets) > 1 else []
        said += [] if each.name.endswith(label) else [f"{label} in figures"]
        name = f"{each.name} ({', '.join(said)})" if said else each.name
        full = ", ".join(f"{full.name}: {full.count:,}" for full in each.full) or _DASH
        rows.append(
            [
                name,
                f"{facts.n_images:,}",
                f"{facts.n_unreadable:,}" if facts.n_unreadable else _DASH,
                _counted(facts.formats),
                _counted(facts.sizes),
                _counted(facts.jpeg_qualities) if facts.jpeg_qualities else _DASH,
                full,
            ]
        )
    headers = ["set", "images", "unreadable", "formats", "sizes", "JPEG qualities", "with full-size spectra"]
    return table(headers, rows, caption="Sets, as their files describe them", numeric=[1, 2])


def power_law_table(study: SpectrumStudy) -> Markup:
    """Make the table of the fitted power laws."""
    rows = []
    for each in study.sets:
        law = fitted_law(each)
        if law is None:
            rows.append([each.name, "no power to fit" if each.tiles else _DASH, *[_DASH] * 3])
            continue
        low, high = law.frequency_range
        rows.append(
            [
                each.name,
                plain(law.exponent),
                f"{plain(law.low)} to {plain(law.high)}",
                plain(law.r_squared, 3),
                f"{low:.3f} to {high:.3f}",
            ]
        )
    headers = ["set", "exponent", "95 % interval", "explained variance", "cycles per pixel"]
    return table(headers, rows, caption="Power falls as one over the frequency to the exponent", numeric=[1, 2, 3, 4])


def comparison_table(study: SpectrumStudy, comparisons: Sequence[Comparison]) -> Markup:
    """Make the table of what differs from the reference."""
    rows = []
    for each in comparisons:
        summary, spread = each.effect_summary, has_spread(each)
        rows.append(
            [
                each.name,
                f"{each.kind} {each.channel.replace('_', ' ')}, {each.size}",
                f"{each.counts[0]:,} and {each.counts[1]:,}",
                tenths(each.share_significant),
                plain(summary["median_absolute"] or 0) if spread else "no spread",
                *(_largest(each) if spread else [_DASH, _DASH]),
                tenths(summary["share_large"] or 0) if spread else _DASH,
            ]
        )
    headers = ["set", "spectrum", "images", "differ", "median effect"]
    headers += ["largest that differs", "its pointwise 95 % interval", "0.8 or more"]
    caption = (
        f"Differences to {study.reference}: share of coefficients that differ after correction for their number; "
        "effects in standard deviations: the median without sign, the largest of those that differ, with its sign and "
        "the interval of that coefficient by itself (the largest of so many is too large on average), and the share of "
        "0.8 or more"
    )
    if not all(map(has_spread, comparisons)):
        caption += ". No spread: the images of a set do not differ from each other, so nothing is measured by how much"
    return table(headers, rows, caption=caption, numeric=[2, 3, 4, 5, 6, 7])


def has_spread(found: Comparison) -> bool:
    """Whether the images of the two sets differ among themselves, so that differences can be measured by it.

    Of sets of equal images the deviation is zero or what rounding leaves: half of the effects are infinite or larger
    than any that pictures have.
    """
    median = found.effect_summary["median_absolute"]
    return median is not None and median <= MOST_DEVIATIONS


def fitted_law(each: SetSpectra) -> PowerLaw | None:
    """Return the power law of a set; None where there are no tiles or there is no power to fit it to."""
    return each.tiles[0].radial.power_law if each.tiles else None


def largest_effect(found: Comparison) -> tuple[float, float, float] | None:
    """Return the largest effect size of the coefficients that differ, with the ends of its confidence interval.

    Parameters
    ----------
    found : Comparison

    Returns
    -------
    effect, low, high : float
        In standard deviations. None where no coefficient differs significantly, or the largest is without limit.
    """
    if not found.n_significant:
        return None
    effect, low, high = (found.effect_summary[name] for name in ("largest", "largest_low", "largest_high"))
    return None if effect is None or low is None or high is None else (effect, low, high)


def peak_table(study: SpectrumStudy) -> Markup:
    """Make the table of the peaks, a row for each grid of them, and unfolded a row for each peak."""
    rows, every = [], []
    for each in study.sets:
        for signal, peaks, meanings in _signals(each):
            grids = read_grids(peaks, meanings)
            for grid, meaning in grids[:_MOST_GRIDS]:
                rows.append(_grid_row(each, signal, grid.period, grid.peaks, str(meaning)))
            if len(grids) > _MOST_GRIDS:
                rows.append([each.name, signal, f"and {len(grids) - _MOST_GRIDS} weaker", *[_DASH] * 5])
            if not grids:
                rows.append([each.name, signal, "none", *[_DASH] * 5])
            every += [_peak_row(each, signal, peak) for grid, _ in grids for peak in grid.peaks]
    headers = ["set", "in", "period (pixels)", "peaks", "highest at (down, across)", "height", "p", "may come from"]
    rate = f"{100 * FALSE_ALARM:g} %"
    caption = f"Peaks; of spectra without any, {rate} would show one. Positions in cycles per pixel"
    grouped = table(headers, rows, caption=caption, numeric=[3, 4, 5, 6])
    if not every:
        return grouped
    more = "" if len(every) <= _MOST_PEAKS else f" (the first {_MOST_PEAKS} of {len(every):,}; all are in spectra.json)"
    single = ["set", "in", "down", "across", "period", "height", "standard errors"]
    listed = table(single, every[:_MOST_PEAKS], caption=f"Single peaks{more}", numeric=[2, 3, 4, 5, 6])
    return grouped + details("Every peak by itself", listed)


def read_grids(peaks: Sequence[Peak], meanings: Sequence[PeakMeaning]) -> list[tuple[PeakGrid, PeakMeaning]]:
    """Put the peaks of each grid together and read them as one, as the grid's own peak.

    Parameters
    ----------
    peaks : sequence of Peak
    meanings : sequence of PeakMeaning
        Of each peak by itself. That of a harmonic holds for a shorter period than the grid has.

    Returns
    -------
    grids : list of (PeakGrid, PeakMeaning)
        That with the highest peak first.
    """
    causes = dict(zip(peaks, meanings, strict=True))
    return [(grid, causes[grid.own_peak]) for grid in group_peaks(peaks)]


def left_out(study: SpectrumStudy, drawn: Sequence[str]) -> Markup:
    """Say what was left out and why.

    Parameters
    ----------
    study : SpectrumStudy
    drawn : sequence of str
        Sizes whose full spectra the page shows.
    """
    unreadable = [line for each in study.sets for line in each.facts.unreadable]
    notes = [*study.notes, *_undrawn(study, drawn), *_without_common_size(study)]
    said: list[Markup] = [items(*notes)] if notes else []
    if unreadable:
        said.append(details(f"Files that could not be read: {len(unreadable):,} are named", items(*unreadable)))
    if not said:
        return paragraph("Nothing: every file was read, and every image has a full-size spectrum.")
    return callout("Not all of it took part in everything", *said)


def _undrawn(study: SpectrumStudy, drawn: Sequence[str]) -> Iterator[str]:
    """Name the sizes that were measured and are not on the page."""
    counts: dict[str, int] = {}
    for each in study.sets:
        for full in each.full:
            counts[full.name] = counts.get(full.name, 0) + full.count
    left = [f"{size} ({count:,} images)" for size, count in counts.items() if size not in drawn]
    if left:
        yield (
            f"Full-size spectra of {', '.join(left)} were measured and are not drawn: a page has {len(drawn)} sizes. "
            "Their arrays are in spectra.npz, their comparisons in spectra.json"
        )


def _without_common_size(study: SpectrumStudy) -> Iterator[str]:
    """Name the sets whose full-size spectra cannot be compared."""
    sizes = {full.name for full in study[study.reference].full}
    for each in study.sets:
        if each.name == study.reference or study.compared(each.name, "log", "grey"):
            continue
        common = [full.name for full in each.full if full.name in sizes]
        why = f"of {common[0]} a set has a single image" if common else "no size was measured in both"
        yield f"{each.name} and {study.reference}: no comparison of full-size spectra, {why}"


def probability(value: float) -> str:
    """Write a probability that may be very small.

    Examples
    --------
    >>> probability(0.00412), probability(1e-30)
    ('0.0041', '< 1e-6')
    """
    return "< 1e-6" if value < 1e-6 else f"{value:.2g}"


def _signals(each: SetSpectra) -> Iterator[tuple[str, tuple[Peak, ...], tuple[PeakMeaning, ...]]]:
    """Yield each signal in which peaks were looked for, with what was found."""
    if not each.tiles:
        yield "luma", (), ()
        return
    tiles = each.tiles[0]
    yield "luma", tiles.peaks.peaks, tiles.meanings
    if tiles.activity is not None:
        yield "activity", tiles.activity.search.peaks, tiles.activity.meanings


def _grid_row(each: SetSpectra, signal: str, period: int | None, peaks: Sequence[Peak], meaning: str) -> list[Content]:
    highest = peaks[0]
    return [
        each.name,
        signal,
        _DASH if period is None else period,
        len(peaks),
        f"{signed(highest.vertical, 3)}, {highest.horizontal:.3f}",
        f"{highest.height_db:.1f} dB",
        probability(highest.p_value),
        meaning,
    ]


def _peak_row(each: SetSpectra, signal: str, peak: Peak) -> list[Content]:
    period = grid_period(peak)
    return [
        each.name,
        signal,
        signed(peak.vertical, 4),
        f"{peak.horizontal:.4f}",
        _DASH if period is None else period,
        f"{peak.height_db:.1f} dB",
        f"{peak.standard_errors:.1f}",
    ]


def _largest(found: Comparison) -> list[Content]:
    """Write the largest effect that is significant, and its interval."""
    largest = largest_effect(found)
    if largest is None:
        return ["no limit" if found.n_significant else "none", _DASH]
    effect, low, high = largest
    known = abs(effect) <= MOST_DEVIATIONS
    return [deviations(effect), f"{signed(low)} to {signed(high)}" if known else _DASH]


def _counted(counts: Mapping[str, int]) -> str:
    """Write the most frequent values, with how many have each where they differ."""
    if len(counts) == 1:
        return next(iter(counts))
    shown = [f"{name} ({number:,})" for name, number in list(counts.items())[:_MOST_KINDS]]
    more = len(counts) - len(shown)
    return ", ".join([*shown, *([f"{more:,} more"] if more > 0 else [])]) or _DASH
