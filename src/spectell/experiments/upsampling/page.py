"""The page of the up-sampling study: what was made, what was found and what theory puts, the spectra side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.experiments.page_parts import how_to_repeat
from spectell.experiments.upsampling.cells import AUTOENCODER, Cell
from spectell.experiments.upsampling.measure import BANDS, CONDITIONS, DETECTORS, DOMAINS
from spectell.experiments.upsampling.theory import ORDERS, doublings_of, image_level_db, image_places
from spectell.figures.heat_maps import DIFFERENCE, MEAN, Scale, plot_heat_maps
from spectell.figures.style import Theme
from spectell.reports.markup import Content, Markup
from spectell.reports.page import Section, render_page, section
from spectell.reports.parts import callout, facts, items, paragraph, subsection, table
from spectell.reports.render import Drawing
from spectell.reports.spectrum import shown_figure, write_figures

__all__ = ["upsampling_page"]

Spectra = Mapping[str, npt.NDArray[np.float64]]

_OFFSETS = (1 / 32, 1 / 16, 1 / 8)
_SHOWN = 5
"""Peaks of a set that are listed; the record has all."""
_COLLAPSED = 0.25
"""Variety below which a network is called out: its images are nearly all alike."""


def upsampling_page(record: dict[str, Any], cells: Sequence[Cell], spectra: Spectra, folder: Path) -> str:
    """Put the page together; its figures are written to `folder`.

    Parameters
    ----------
    record : dict
        What ``record.json`` holds.
    cells : sequence of Cell
    spectra : mapping of str to ndarray of shape (S, S)
        Mean power of every cell and of ``real``, in decibels.
    folder : Path
        Where the page will lie.

    Returns
    -------
    page : str
        One HTML document.
    """
    kinds = list(dict.fromkeys(cell.kind for cell in cells))
    return render_page(
        "What each up-sampling leaves",
        section(
            "What was found",
            _about_lines(),
            *_collapsed(record, cells),
            *(_found(kind, record, cells) for kind in kinds),
        ),
        section("What theory expects", *_theory(record, kinds)),
        *(_kind(kind, record, cells, spectra, folder) for kind in kinds),
        section("What was done", *_method(record, kinds)),
        section("How to repeat it", *_repeat(record)),
        eyebrow="Experiment 2 of Frank et al. (2020)",
        lead="The same networks, trained on the same images with the same seeds; only the way in which they double "
        f"rows and columns differs. {len(cells)} networks, {record['images']:,} real images.",
        contents=True,
    )


def _about_lines() -> Markup:
    return paragraph(
        "Lines and dips: at how many places of theory the spectrum stands out from what is around it more, or less, "
        "than that of the real images, with 95 % for all places together. Between: the same at places between them, "
        "where theory puts nothing. Variety: variance from image to image beside that of the real images. DCT and "
        "pixel: accuracy of ridge regression on images as made."
    )


def _collapsed(record: Mapping[str, Any], cells: Sequence[Cell]) -> list[Markup]:
    """Name the networks whose images are nearly all alike; nothing where there are none."""
    named = [cell for cell in cells if record["cells"][cell.name]["variety"] < _COLLAPSED]
    if not named:
        return []
    said = ", ".join(f"{_called(cell.kind)} {cell.upsampling}, {cell.seed}" for cell in named)
    words = paragraph(
        f"{said}: variety below {_COLLAPSED:g}. Such a network repeats one picture. Its spectrum is that of this "
        "picture, any detector tells it apart, and its rows say nothing about the up-sampling."
    )
    return [callout("Images that are nearly all alike", words, kind="caution")]


def _found(kind: str, record: Mapping[str, Any], cells: Sequence[Cell]) -> Markup:
    """Say for each network what theory puts and what was measured."""
    places = len(image_places(doublings_of(kind, record["study"]["size"])))
    rows: list[list[Content]] = []
    for cell in cells:
        if cell.kind != kind:
            continue
        found = record["cells"][cell.name]
        rows.append(
            [
                f"{cell.upsampling}, {cell.seed}",
                "dips" if cell.upsampling in ORDERS else "lines",
                _counts(found["lines"]),
                _highest(found["lines"]),
                _counts(found["between"]),
                f"{found['variety']:.2f}",
                *(f"{100 * _accuracy(found, domain):.1f}" for domain in ("DCT", "pixel")),
            ]
        )
    headers = [
        "up-sampling, seed",
        "theory",
        "lines / dips",
        "highest (dB)",
        "between",
        "variety",
        "DCT (%)",
        "pixel (%)",
    ]
    caption = f"{_called(kind)}: {places} places of theory"
    return table(headers, rows, caption=caption, numeric=range(2, len(headers)))


def _counts(lines: Sequence[Mapping[str, Any]]) -> str:
    """How many lie significantly above, and below, those of the real images."""
    return f"{sum(line['low'] > 0 for line in lines)} / {sum(line['high'] < 0 for line in lines)}"


def _highest(lines: Sequence[Mapping[str, Any]]) -> str:
    line = max(lines, key=lambda one: float(one["estimate"]))
    return _signed(f"{line['estimate']:+.1f}") + f" at {_place(line['place'])}"


def _place(place: Sequence[float]) -> str:
    """Write a place as fractions.

    Examples
    --------
    >>> _place([-0.25, 0.375]), _place([0.0, 0.5])
    ('(−1/4, 3/8)', '(0, 1/2)')
    """
    return f"({', '.join(_signed(str(Fraction(value))) for value in place)})"


def _accuracy(found: Mapping[str, Any], domain: str) -> float:
    (share,) = (
        one["estimate"]
        for one in found["accuracies"]
        if (one["condition"], one["domain"], one["detector"]) == ("as made", domain, "ridge")
    )
    return float(share)


def _method(record: Mapping[str, Any], kinds: Sequence[str]) -> Iterator[Markup]:
    study = record["study"]
    steps = {kind: study["autoencoder_steps" if kind == AUTOENCODER else "gan_steps"] for kind in kinds}
    yield facts(
        [
            ("real images", f"{record['images']:,} of {study['size']} × {study['size']} pixels"),
            ("from", record["source"]),
            ("groups", f"{record['groups']:,}"),
            *((f"{_called(kind)}, steps", f"{number:,}") for kind, number in steps.items()),
            ("seeds of the networks", ", ".join(map(str, range(study["seeds"])))),
            ("device", study["device"]),
        ]
    )
    yield paragraph(
        "Real images are centre squares of photographs, reduced by at least 2, which removes the grid of a JPEG. The "
        "generators make as many images as there are real ones. The autoencoders rebuild the real ones, so "
        "that a pair has the same content; a pair is one group. Autoencoders have seen most of the images that they "
        "rebuild. Detectors are judged on groups that took no part in their training, 40 % of all; intervals count "
        "groups."
    )
    if record["notes"]:
        yield subsection("Not used", items(*record["notes"]))


def _repeat(record: dict[str, Any]) -> Iterator[Markup]:
    if not record["scale_is_named"]:
        yield callout(
            "Not by this command alone",
            "The study was run from Python with sizes of its own, which record.json states; the command runs it at the "
            "size that it names.",
            kind="caution",
        )
    yield how_to_repeat(record)


def _theory(record: Mapping[str, Any], kinds: Sequence[str]) -> Iterator[Markup]:
    fractions = {kind: f"1/{2 ** doublings_of(kind, record['study']['size'])}" for kind in kinds}
    multiples = " and ".join(f"{value} ({_called(kind).replace('Auto', 'auto')})" for kind, value in fractions.items())
    yield paragraph(
        "Doubling by zero-insertion repeats the spectrum: a component at frequency f shows again at 1/2 − f, in cycles "
        "per pixel. Content is strongest near zero, so its images lie near 1/2, and after several doublings near "
        f"all multiples of {multiples}. The kernel after it decides what remains."
    )
    yield items(
        "Nearest, bilinear and binomial are [1 1] convolved once, twice and three times with itself. Each is zero at "
        "exactly 1/2: a dip there, and a rise beside it, the less the smoother they are.",
        "Transposed convolution and pixel shuffle learn their kernels: where the sums of their phases differ, lines "
        "stand at exactly those multiples.",
        "Convolutions afterwards change heights. Bends add sums of these frequencies: an image at 1/2 − f and "
        "content at f make a line at 1/2, so that a fixed kernel may show lines too. No layer moves the places.",
    )
    rows = [[name, *(_signed(f"{image_level_db(name, offset) or 0:.1f}") for offset in _OFFSETS)] for name in ORDERS]
    headers = ["kernel", *(f"f = 1/{round(1 / offset)}" for offset in _OFFSETS)]
    caption = "Image of a component at f along one axis, relative to the component, after one doubling (dB)"
    yield table(headers, rows, caption=caption, numeric=range(1, len(headers)))


def _kind(kind: str, record: Mapping[str, Any], cells: Sequence[Cell], spectra: Spectra, folder: Path) -> Section:
    chosen = [cell for cell in cells if cell.kind == kind]
    names, real = record["study"]["upsamplings"], spectra["real"]
    means = [np.mean([spectra[cell.name] for cell in chosen if cell.upsampling == name], axis=0) for name in names]
    called = _called(kind)
    drawings = [
        _heat_maps(f"{kind}-mean", [real, *means], ["real", *names], MEAN, f"{called}: mean spectra over the seeds"),
        _heat_maps(
            f"{kind}-difference",
            [mean - real for mean in means],
            names,
            DIFFERENCE,
            f"{called}: difference of the mean spectra to that of the real images",
        ),
    ]
    return section(
        called,
        *map(shown_figure, write_figures(drawings, folder)),
        _bands(record, chosen),
        _peaks(record, kind, chosen),
        subsection("How well they are told apart", *(_accuracies(record, chosen, each) for each in CONDITIONS)),
    )


def _heat_maps(
    name: str, values: Sequence[npt.NDArray[np.float64]], captions: Sequence[str], scale: Scale, text: str
) -> Drawing:
    def make(theme: Theme) -> Any:
        return plot_heat_maps(values, captions, scale=scale, theme=theme)

    return Drawing(name, make, f"{text}.", f"{text}; luma, low frequencies top left.")


def _bands(study: Mapping[str, Any], cells: Sequence[Cell]) -> Markup:
    rows = []
    for cell in cells:
        bands = study["cells"][cell.name]["bands_db"]
        rows.append([cell.upsampling, str(cell.seed), *(_signed(f"{bands[name]:+.2f}") for name in BANDS)])
    caption = "Difference to the real images (dB) by the larger frequency: below 1/4, below 7/16, above"
    return table(["up-sampling", "seed", *BANDS], rows, caption=caption, numeric=range(1, 5))


def _peaks(study: Mapping[str, Any], kind: str, cells: Sequence[Cell]) -> Markup:
    rows: list[list[Content]] = []
    for name, found in [("real", study["real"][kind]), *((cell.name, study["cells"][cell.name]) for cell in cells)]:
        rows += [[name, *_peak(peak)] for peak in found["peaks"][:_SHOWN]]
        if not found["peaks"]:
            rows.append([name, "none", "", ""])
    headers = ["images", "found at (vertical, horizontal)", "height (dB)", "place of theory"]
    caption = f"Narrow peaks of the mean periodogram, cycles per pixel, the {_SHOWN} highest"
    about = paragraph(
        "The search for peaks demands a smooth background of many bins and is blunt on small images; the table at the "
        "top of the page asks place by place."
    )
    return about + table(headers, rows, caption=caption, numeric=[2])


def _peak(peak: Mapping[str, Any]) -> list[Content]:
    theory = peak["theory"]
    place = _signed(f"{peak['vertical']:.3f}, {peak['horizontal']:.3f}")
    return [place, f"{peak['height_db']:.1f}", _place(theory) if theory else "none near"]


def _accuracies(study: Mapping[str, Any], cells: Sequence[Cell], condition: str) -> Markup:
    columns = [(domain, detector) for detector in DETECTORS for domain in DOMAINS]
    rows, sizes = [], set()
    for cell in cells:
        found = {
            (one["domain"], one["detector"]): one
            for one in study["cells"][cell.name]["accuracies"]
            if one["condition"] == condition
        }
        rows.append([cell.upsampling, str(cell.seed), *(_interval(found[column]) for column in columns)])
        sizes |= {found[column]["n_test"] for column in columns}
    headers = ["up-sampling", "seed", *(f"{detector}, {domain}" for domain, detector in columns)]
    caption = f"Accuracy (%) {_condition(condition)}, 95 % interval, on {_range(sizes)} test groups"
    return table(headers, rows, caption=caption, numeric=range(1, len(headers)))


def _interval(found: Mapping[str, Any]) -> str:
    low, high = (100 * (found[key] or 0.0) for key in ("low", "high"))
    return f"{100 * found['estimate']:.1f} [{low:.1f}, {high:.1f}]"


def _condition(name: str) -> str:
    return "on images as made" if name == "as made" else f"after {name} on both classes"


def _range(values: set[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"


def _called(kind: str) -> str:
    return "Autoencoders" if kind == AUTOENCODER else f"{kind.upper()} generators"


def _signed(number: str) -> str:
    """Write a minus sign as printers do."""
    return number.replace("-", "−")
