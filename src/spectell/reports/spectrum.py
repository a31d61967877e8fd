"""A study of spectra as one page, with its figures beside it as PNG and PDF."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path

from spectell.datasets.atomic import replacing
from spectell.reports.markup import Content, Markup, join
from spectell.reports.numbers import MOST_DEVIATIONS, deviations, plain, signed, tenths
from spectell.reports.page import Section, render_page, section, write_page
from spectell.reports.parts import callout, details, facts, file_link, gallery, items, paragraph, subsection
from spectell.reports.render import Drawing, Rendered, render_drawings
from spectell.reports.spectrum_figures import drawn_sizes, in_parts, peak_drawing, profile_drawings
from spectell.reports.spectrum_maps import block_channel_drawing, block_drawings, channel_drawing, full_drawings
from spectell.reports.spectrum_tables import (
    comparison_table,
    fitted_law,
    has_spread,
    largest_effect,
    left_out,
    peak_table,
    power_law_table,
    set_table,
)
from spectell.workflows.mean_spectra.drawn import PAGE, list_drawn
from spectell.workflows.mean_spectra.study import Comparison, SetSpectra, SpectrumStudy
from spectell.workflows.mean_spectra.working import drawing_in

__all__ = ["PAGE", "findings", "shown_figure", "write_figures", "write_spectrum_report"]

_COMPARE = ("difference-", "effect-")
_LONG = 40  # rows of a table
_NARROW = 600
"""CSS pixels of a figure of which two stand beside each other."""


def write_spectrum_report(study: SpectrumStudy, directory: str | os.PathLike[str]) -> Path:
    """Write the figures of a study, and a page that shows them with the tables.

    Parameters
    ----------
    study : SpectrumStudy
        What `spectell.workflows.spectrum.spectrum` found.
    directory : path
        Where to; figures of an earlier run are replaced.

    Returns
    -------
    page : Path
        ``index.html`` there, which holds everything that it shows.

    Raises
    ------
    MismatchError
        If another run uses the folder, or a file is in the way that none has written.
    ManifestError
        If the folder cannot be written.
    ArtifactError
        If another run has replaced the arrays of the study.
    """
    folder = Path(directory)
    with drawing_in(folder):
        return _written(study, folder)


def _written(study: SpectrumStudy, folder: Path) -> Path:
    shown = drawn_sizes(study)
    wanted: list[Callable[[Sequence[SetSpectra]], Iterable[Drawing | None]]] = [
        *(partial(_full_drawings, study, size) for size in shown),
        lambda sets: [*block_drawings(study, sets), block_channel_drawing(study, sets)],
        partial(profile_drawings, study),
        lambda sets: [peak_drawing(study, sets)],
    ]
    groups = [in_parts(study, draw) for draw in wanted]
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
        section("What was left out", left_out(study, shown)),
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
    if not has_spread(found):
        return f"not comparable by {what}, since the images of a set do not differ from each other."
    largest = largest_effect(found)
    by = ""
    if largest is not None:
        effect, low, high = largest
        by = f", the largest by {deviations(effect)} standard deviations"
        if abs(effect) <= MOST_DEVIATIONS:
            by += f" (pointwise 95 % interval {signed(low)} to {signed(high)})"
    return f"{tenths(found.share_significant)} of {found.n_coefficients:,} coefficients of {what} differ{by}."


def _exponents(study: SpectrumStudy, name: str) -> str:
    own, other = (fitted_law(study[each]) for each in (name, study.reference))
    if own is None or other is None:
        return ""
    return f"Power falls with exponent {plain(own.exponent)} (reference: {plain(other.exponent)})."


def _full_section(study: SpectrumStudy, size: str, figures: Sequence[Rendered], *, single: bool) -> Section:
    compared = [each for each in study.comparisons if each.size == size and each.kind == "log"]
    channels = [made for made in figures if "channels-" in made.drawing.name]
    grey = [made for made in figures if made not in channels]
    means, *compare = ([made for made in grey if made.drawing.name.startswith(name)] for name in ("mean-", *_COMPARE))
    rest = [made for made in grey if made not in [*means, *chain(*compare)]]
    return section(
        "Full-size spectra" if single else f"Full-size spectra, {size}",
        *map(shown_figure, means),
        _beside(list(chain(*compare))),
        subsection("Red, green and blue", *map(shown_figure, channels)),
        _compared_table(study, compared),
        # Maps of noise are large. What is folded away has one scheme, so that pages of five sets stay below 3 MB.
        details("Signed means, ratio and spread", *(shown_figure(made, both=False) for made in rest)) if rest else "",
    )


def _full_drawings(study: SpectrumStudy, size: str, sets: Sequence[SetSpectra]) -> list[Drawing | None]:
    return [*full_drawings(study, size, sets), channel_drawing(study, size, sets)]


def _beside(figures: Sequence[Rendered]) -> Markup:
    """Put figures that are narrow, of a single map, beside each other."""
    shown = [shown_figure(made) for made in figures]
    return gallery(*shown) if all(made.width <= _NARROW for made in figures) else join(shown)


def _compared_table(study: SpectrumStudy, compared: Sequence[Comparison]) -> Markup:
    """Make the table of what differs, folded where it is longer than a screen or two."""
    if not compared:
        return Markup("")
    made = comparison_table(study, compared)
    return made if len(compared) <= _LONG else details(f"The {len(compared)} differences as a table", made)


def _block_section(study: SpectrumStudy, figures: Sequence[Rendered]) -> Section:
    compared = [each for each in study.comparisons if each.kind == "blocks"]
    return section(
        "Block-averaged spectra",
        paragraph(
            "An image has thousands of blocks and one full-size spectrum: averages over blocks are far less noisy, "
            "and images of any size take part."
        ),
        *map(shown_figure, figures),
        _compared_table(study, compared),
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
