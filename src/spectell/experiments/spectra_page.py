"""All sources on one page: the photographs and generators of each side by side, and what to make of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from spectell.experiments.page_parts import how_to_repeat
from spectell.figures.canvas import DECIBELS_PER_NAT
from spectell.figures.heat_maps import GEOMETRIC_MEAN, plot_heat_maps
from spectell.reports.markup import Content, Markup, element
from spectell.reports.numbers import plain, tenths
from spectell.reports.page import Section, render_page, section
from spectell.reports.parts import items, paragraph, table
from spectell.reports.render import Drawing
from spectell.reports.spectrum import findings, shown_figure, write_figures
from spectell.reports.spectrum_figures import drawn_sizes, profile_drawings
from spectell.reports.spectrum_maps import full_drawings
from spectell.reports.spectrum_tables import fitted_law, probability
from spectell.spectra.peak_meaning import group_peaks
from spectell.workflows.mean_spectra.study import SetSpectra, SpectrumStudy

__all__ = ["spectra_page"]

Named = tuple[str, str, SpectrumStudy]
"""Name of a source, its folder, what was found."""

_DASH = "–"
_SHOWN = ("mean-", "difference-")


def spectra_page(studies: Sequence[Named], record: dict[str, Any], folder: Path) -> str:
    """Put the page together; figures of all sources are written to `folder`.

    Parameters
    ----------
    studies : sequence of (str, str, SpectrumStudy)
        Name and folder of each source, and what was found.
    record : dict
        Of `spectell.experiments.record.make_record`.
    folder : Path
        Where the page will lie.

    Returns
    -------
    page : str
    """
    overview = write_figures(list(_overview(studies)), folder)
    return render_page(
        "Mean spectra, source by source",
        section("All sources", _overview_words(), *map(shown_figure, overview), _table(studies)),
        *(_source_section(name, place, study) for name, place, study in studies),
        section("What was left out", _left_out(record, studies)),
        section("How to repeat it", how_to_repeat(record)),
        eyebrow="Experiment 1 of Frank et al. (2020)",
        lead=f"{sum(len(study.sets) for _, _, study in studies)} sets of {len(studies)} sources. "
        "Every generator is compared with the real images of its own source.",
        contents=True,
    )


def _overview(studies: Sequence[Named]) -> Iterator[Drawing]:
    """Yield the figure of all sets, if one of them has an image that is large enough for a block."""
    sets = [(each, each.blocks["luma"]) for _, _, study in studies for each in study.sets if "luma" in each.blocks]
    if not sets:
        return
    labels = [each.name for each, _ in sets]
    yield Drawing(
        "all-sources",
        lambda theme: plot_heat_maps(
            [DECIBELS_PER_NAT * blocks.mean for _, blocks in sets], labels, scale=GEOMETRIC_MEAN, theme=theme
        ),
        f"Block-averaged spectra of {len(sets)} sets on one scale, low frequencies top left: {', '.join(labels)}.",
        "Geometric mean power of the luma over blocks of 32 x 32 native pixels, every set on one scale.",
    )


def _overview_words() -> Markup:
    return paragraph(
        "Photographs fall off smoothly from the top left. What interrupts the fall, a bright line, a spot, a plateau, "
        "was put there by something: up-sampling, a JPEG's blocks, resizing, or a camera's colour filters."
    )


def _table(studies: Sequence[Named]) -> Markup:
    rows = [_row(each, study) for _, _, study in studies for each in study.sets]
    headers = ["set", "images", "format", "exponent", "95 % interval", "peaks", "highest", "period", "p"]
    headers += ["grid", "differ"]
    caption = (
        "Exponent of the power law; peaks of the periodogram, the highest with its height and period in pixels; the "
        "period of the strongest grid in the activity, where that of a JPEG shows, and its height; share of "
        "coefficients that differ from the real images of the source"
    )
    return table(headers, rows, caption=caption, numeric=[1, 3, 4, 5, 6, 7, 8, 9, 10])


def _row(each: SetSpectra, study: SpectrumStudy) -> list[Content]:
    law = fitted_law(each)
    search = each.tiles[0].peaks if each.tiles else None
    grids = group_peaks(search.peaks) if search else ()
    highest = max((peak for grid in grids for peak in grid.peaks), key=lambda peak: peak.height_db, default=None)
    found = study.compared(each.name, "log", "grey") or study.compared(each.name, "blocks", "luma")
    return [
        each.name,
        f"{each.facts.n_images:,}",
        ", ".join(each.facts.formats) or _DASH,
        _DASH if law is None else plain(law.exponent),
        _DASH if law is None else f"{plain(law.low)} to {plain(law.high)}",
        sum(len(grid.peaks) for grid in grids),
        _DASH if highest is None else f"{highest.height_db:.1f} dB",
        _DASH if not grids or grids[0].period is None else grids[0].period,
        _DASH if highest is None else probability(highest.p_value),
        _grid_of_activity(each),
        _DASH if found is None else tenths(found.share_significant),
    ]


def _grid_of_activity(each: SetSpectra) -> str:
    """Period and height of the strongest grid in the activity of the luma."""
    activity = each.tiles[0].activity if each.tiles else None
    grids = [grid for grid in group_peaks(activity.search.peaks) if grid.period is not None] if activity else []
    return f"{grids[0].period}, {grids[0].peaks[0].height_db:.1f} dB" if grids else _DASH


def _source_section(name: str, place: str, study: SpectrumStudy) -> Section:
    """Show the first size of a source; its own page has the rest."""
    from spectell.reports.render import render_drawing

    sizes = drawn_sizes(study)[:1]
    drawings = [drawing for size in sizes for drawing in full_drawings(study, size) if drawing.name.startswith(_SHOWN)]
    drawings += [drawing for drawing in profile_drawings(study) if drawing.name == "radial"]
    figures = [shown_figure(render_drawing(drawing), f"{place}/") for drawing in drawings]
    link = element("a", "every figure and number", href=f"./{place}/index.html")
    return section(name, findings(study), *figures, paragraph("The page of this source has ", link, "."))


def _left_out(record: dict[str, Any], studies: Sequence[Named]) -> Markup:
    notes = [*record["notes"], *(note for _, _, study in studies for note in study.notes)]
    notes = list(dict.fromkeys(notes))
    limit = paragraph(f"Of each set at most {record['limit']:,} images are read, chosen at random by the seed.")
    return limit + (items(*notes) if notes else paragraph("Nothing else was left out."))
