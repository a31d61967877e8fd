"""A study of spectra as one page, with its figures beside it as PNG and PDF."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import chain, islice
from pathlib import Path

from spectell.datasets.atomic import replacing
from spectell.reports.markup import Content, Markup, join
from spectell.reports.numbers import signed, tenths
from spectell.reports.page import Section, render_page, section, write_page
from spectell.reports.parts import callout, details, facts, file_link, items, paragraph, subsection
from spectell.reports.render import Drawing, Rendered, render_drawings
from spectell.reports.spectrum_figures import drawn_sizes, peak_drawing, profile_drawings
from spectell.reports.spectrum_maps import block_channel_drawing, block_drawings, channel_drawing, full_drawings
from spectell.reports.spectrum_tables import (
    comparison_table,
    largest_effect,
    left_out,
    peak_table,
    power_law_table,
    set_table,
)
from spectell.workflows.mean_spectra.drawn import list_drawn
from spectell.workflows.mean_spectra.study import Comparison, SpectrumStudy

__all__ = ["PAGE", "findings", "shown_figure", "write_figures", "write_spectrum_report"]

PAGE = "index.html"
"""Name of the page in its folder."""


def write_spectrum_report(study: SpectrumStudy, directory: str | os.PathLike[str]) -> Path:
    """Write the figures of a study, and a page that shows them with the tables.

    Parameters
    ----------
    study : SpectrumStudy
        What `spectell.workflows.spectrum.spectrum` found.
    directory : path
        Where to; figures of the same names are replaced.

    Returns
    -------
    page : Path
        ``index.html`` there, which holds everything that it shows.

    Raises
    ------
    ManifestError
        If the folder cannot be written.
    """
    folder = Path(directory)
    shown = drawn_sizes(study)
    wanted: list[list[Drawing | None]] = [[*full_drawings(study, size), channel_drawing(study, size)] for size in shown]
    wanted += [[*block_drawings(study), block_channel_drawing(study)]]
    wanted += [[*profile_drawings(study)], [peak_drawing(study)]]
    groups = [[drawing for drawing in group if drawing is not None] for group in wanted]
    list_drawn(folder, [PAGE, *(f"{made.name}.{suffix}" for made in chain(*groups) for suffix in ("png", "pdf"))])
    figures = iter(write_figures(list(chain(*groups)), folder))
    *full, blocks, profiles, peaks = [list(islice(figures, len(group))) for group in groups]
    sizes = list(zip(shown, full, strict=True))
    page = render_page(
        _title(study),
        section("What was found", findings(study), set_table(study)),
        *(_full_section(study, size, figures, single=len(sizes) == 1) for size, figures in sizes),
        *([_block_section(study, blocks)] if blocks else []),
        *([section("Fall of power", *map(shown_figure, profiles), power_law_table(study))] if profiles else []),
        section("Peaks", _about_peaks(), *map(shown_figure, peaks), peak_table(study)),
        section("What was left out", left_out(study)),
        section("How it was made", _settings(study)),
        eyebrow="Spectra",
        lead=f"Mean spectra of {len(study.sets)} {'set' if len(study.sets) == 1 else 'sets'} of images"
        + (f", compared with {study.reference}." if len(study.sets) > 1 else "."),
        contents=True,
    )
    write_page(folder / PAGE, page)
    return folder / PAGE


def write_figures(drawings: Sequence[Drawing], folder: Path) -> list[Rendered]:
    """Render drawings and write their files; one figure a process is in memory besides the bytes."""
    rendered = []
    for made in render_drawings(drawings):
        for name, content in made.files.items():
            with replacing(folder / name) as file:
                file.write(content)
        rendered.append(made)
    return rendered


def shown_figure(made: Rendered, folder: str = "", *, both: bool = True) -> Markup:
    """Return a figure of a page, in both schemes of colours or in the light one, with links to its files."""
    name = made.drawing.name
    links = [file_link(f"{folder}{name}.{suffix}", suffix.upper()) for suffix in ("png", "pdf")]
    return made.figure(join(links, " "), both=both)


def findings(study: SpectrumStudy) -> Markup:
    """Say in words how each set differs from the reference."""
    said: list[Content] = []
    for each in study.sets:
        if each.name == study.reference:
            continue
        found = study.compared(each.name, "log", "grey") or study.compared(each.name, "blocks", "luma")
        if found is None:
            few = min(each.facts.n_images, study[study.reference].facts.n_images) < 2
            why = "one image has no spread" if few else "no two images of them are of one size that was measured"
            empty = [name for name in (each.name, study.reference) if not study[name].facts.n_images]
            why = f"{empty[0]} has no readable image" if empty else why
            said.append(f"{each.name} is not compared with {study.reference}: {why}.")
            continue
        said.append(f"{each.name}: {_difference(found)} {_exponents(study, each.name)}")
    if not said:
        return Markup("")
    return callout(f"Against {study.reference}", items(*said))


def _difference(found: Comparison) -> str:
    what = f"full-size spectra of {found.size}" if found.kind == "log" else "block-averaged spectra"
    largest = largest_effect(found)
    by = ""
    if largest is not None:
        effect, low, high = map(signed, largest)
        by = f", the largest by {effect} standard deviations (95 % interval {low} to {high})"
    return f"{tenths(found.share_significant)} of {found.n_coefficients:,} coefficients of {what} differ{by}."


def _exponents(study: SpectrumStudy, name: str) -> str:
    laws = [study[each].tiles[0].radial.power_law if study[each].tiles else None for each in (name, study.reference)]
    own, other = laws
    if own is None or other is None:
        return ""
    return f"Power falls with exponent {own.exponent:.2f} (reference: {other.exponent:.2f})."


def _full_section(study: SpectrumStudy, size: str, figures: Sequence[Rendered], *, single: bool) -> Section:
    compared = [each for each in study.comparisons if each.size == size and each.kind == "log"]
    *grey, channels = figures
    first = [figure for figure in grey if figure.drawing.name.startswith(("mean-", "difference-", "effect-"))]
    rest = [figure for figure in grey if figure not in first]
    return section(
        "Full-size spectra" if single else f"Full-size spectra, {size}",
        *map(shown_figure, first),
        subsection("Red, green and blue", shown_figure(channels)),
        *([comparison_table(study, compared)] if compared else []),
        # Maps of noise are large. What is folded away has one scheme, so that pages of five sets stay below 3 MB.
        details("Signed means, ratio and spread", *(shown_figure(made, both=False) for made in rest)) if rest else "",
    )


def _block_section(study: SpectrumStudy, figures: Sequence[Rendered]) -> Section:
    compared = [each for each in study.comparisons if each.kind == "blocks"]
    return section(
        "Block-averaged spectra",
        paragraph(
            "An image has thousands of blocks and one full-size spectrum: averages over blocks are far less noisy, "
            "and images of any size take part."
        ),
        *map(shown_figure, figures),
        *([comparison_table(study, compared)] if compared else []),
    )


def _about_peaks() -> Markup:
    return paragraph(
        "A regular grid in the pixels is a set of narrow peaks. JPEG blocks, up-sampling layers and colour filters "
        "have grids of the same periods, so a position alone proves none of them. Peaks of the luma are patterns that "
        "were added to the picture. The activity is how much neighbouring pixels differ: the blocks of a JPEG and "
        "resizing make it periodic and leave the spectrum of the luma smooth."
    )


def _settings(study: SpectrumStudy) -> Markup:
    shown = [
        (name.replace("_", " "), "none" if value is None else str(value)) for name, value in study.settings.items()
    ]
    files = [file_link("spectra.npz"), file_link("spectra.json")]
    return facts([*shown, ("every array, every number", join(files, ", "))]) + subsection(
        "Units",
        paragraph(
            "Decibels are 20 lg of a magnitude and 10 lg of a power, of pixel values from 0 to 255 under an "
            "orthonormal transform. Mean spectra are means of logarithms, that is geometric means of the power: they "
            "lie below its mean, by 5.5 dB for the coefficients of Gaussian noise. Frequencies are in cycles per "
            "pixel: 1/2 is the finest pattern of pixels."
        ),
    )


def _title(study: SpectrumStudy) -> str:
    sources = list(dict.fromkeys(each.source for each in study.sets))
    return f"Spectra of {sources[0]}" if len(sources) == 1 else f"Spectra of {len(sources)} sources"
