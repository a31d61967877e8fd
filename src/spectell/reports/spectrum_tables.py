"""The numbers of a study of spectra as tables. A number that is not there is a dash, never an empty cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from spectell.reports.markup import Content, Markup
from spectell.reports.numbers import signed, tenths
from spectell.reports.parts import callout, details, items, paragraph, table
from spectell.spectra.peak_meaning import PeakGrid, PeakMeaning, grid_period, group_peaks
from spectell.spectra.peaks import FALSE_ALARM, Peak
from spectell.workflows.mean_spectra.study import Comparison, SetSpectra, SpectrumStudy

__all__ = [
    "comparison_table",
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
        name: Content = (
            f"{each.name} (reference)" if each.name == study.reference and len(study.sets) > 1 else each.name
        )
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
        law = each.tiles[0].radial.power_law if each.tiles else None
        if law is None:
            rows.append([each.name, *[_DASH] * 4])
            continue
        low, high = law.frequency_range
        rows.append(
            [
                each.name,
                f"{law.exponent:.2f}",
                f"{law.low:.2f} to {law.high:.2f}",
                f"{law.r_squared:.3f}",
                f"{low:.3f} to {high:.3f}",
            ]
        )
    headers = ["set", "exponent", "95 % interval", "explained variance", "cycles per pixel"]
    return table(headers, rows, caption="Power falls as one over the frequency to the exponent", numeric=[1, 2, 3, 4])


def comparison_table(study: SpectrumStudy, comparisons: Sequence[Comparison]) -> Markup:
    """Make the table of what differs from the reference."""
    rows = []
    for each in comparisons:
        summary, largest = each.effect_summary, largest_effect(each)
        rows.append(
            [
                each.name,
                f"{each.kind} {each.channel.replace('_', ' ')}, {each.size}",
                f"{each.counts[0]:,} and {each.counts[1]:,}",
                tenths(each.share_significant),
                _number(summary["median_absolute"]),
                "no limit" if largest is None else signed(largest[0]),
                _DASH if largest is None else f"{signed(largest[1])} to {signed(largest[2])}",
                tenths(summary["share_large"] or 0),
            ]
        )
    headers = ["set", "spectrum", "images", "differ", "median effect", "largest", "its 95 % interval", "0.8 or more"]
    caption = (
        f"Differences to {study.reference}: share of coefficients that differ after correction for their number; "
        "effects in standard deviations: the median without sign, the largest with its sign and the interval of that "
        "coefficient by itself (the largest of so many is too large on average), and the share of 0.8 or more"
    )
    return table(headers, rows, caption=caption, numeric=[2, 3, 4, 5, 6, 7])


def largest_effect(found: Comparison) -> tuple[float, float, float] | None:
    """Return the effect size of largest magnitude with the ends of its confidence interval.

    Parameters
    ----------
    found : Comparison

    Returns
    -------
    effect, low, high : float
        In standard deviations. None where the largest is without limit.
    """
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


def left_out(study: SpectrumStudy) -> Markup:
    """Say what was left out and why."""
    unreadable = [line for each in study.sets for line in each.facts.unreadable]
    said: list[Markup] = [items(*study.notes)] if study.notes else []
    if unreadable:
        said.append(details(f"Files that could not be read: {len(unreadable):,} are named", items(*unreadable)))
    if not said:
        return paragraph("Nothing: every file was read, and every image has a full-size spectrum.")
    return callout("Not all of it took part in everything", *said)


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
        f"{highest.vertical:+.3f}, {highest.horizontal:.3f}",
        f"{highest.height_db:.1f} dB",
        probability(highest.p_value),
        meaning,
    ]


def _peak_row(each: SetSpectra, signal: str, peak: Peak) -> list[Content]:
    period = grid_period(peak)
    return [
        each.name,
        signal,
        f"{peak.vertical:+.4f}",
        f"{peak.horizontal:.4f}",
        _DASH if period is None else period,
        f"{peak.height_db:.1f} dB",
        f"{peak.standard_errors:.1f}",
    ]


def _counted(counts: Mapping[str, int]) -> str:
    """Write the most frequent values, with how many have each where they differ."""
    if len(counts) == 1:
        return next(iter(counts))
    shown = [f"{name} ({number:,})" for name, number in list(counts.items())[:_MOST_KINDS]]
    more = len(counts) - len(shown)
    return ", ".join([*shown, *([f"{more:,} more"] if more > 0 else [])]) or _DASH


def _number(value: float | None) -> str:
    return "no limit" if value is None else f"{value:.2f}"
