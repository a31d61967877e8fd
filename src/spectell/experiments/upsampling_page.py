"""The page of the up-sampling study: what was made, the spectra side by side, the theory, the accuracies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.experiments.upsampling_cells import AUTOENCODER, UPSAMPLINGS, Cell
from spectell.experiments.upsampling_measure import CONDITIONS, DETECTORS, DOMAINS
from spectell.experiments.upsampling_theory import image_frequencies, image_level_db
from spectell.figures.heat_maps import DIFFERENCE, MEAN, Scale, plot_heat_maps
from spectell.figures.style import Theme
from spectell.reports.markup import Content, Markup
from spectell.reports.page import Section, render_page, section
from spectell.reports.parts import facts, paragraph, subsection, table
from spectell.reports.render import Drawing, render_drawing

__all__ = ["upsampling_page"]

Spectra = Mapping[str, npt.NDArray[np.float64]]

_OFFSETS = (1 / 32, 1 / 16, 1 / 8)


def upsampling_page(study: Mapping[str, Any], cells: Sequence[Cell], spectra: Spectra) -> str:
    """Put the page together.

    Parameters
    ----------
    study : mapping
        What ``study.json`` holds.
    cells : sequence of Cell
    spectra : mapping of str to ndarray of shape (S, S)
        Mean power of every cell and of ``real``, in decibels.

    Returns
    -------
    page : str
        One HTML document.
    """
    kinds = list(dict.fromkeys(cell.kind for cell in cells))
    return render_page(
        "What each up-sampling leaves",
        section("What was done", *_method(study)),
        section("What theory expects", *_theory()),
        *(_kind(kind, study, cells, spectra) for kind in kinds),
        eyebrow="Up-sampling study",
        lead="The same networks, trained on the same images with the same seeds; only the way in which they double "
        "rows and columns differs.",
        footer=f"{study['images']} images, {len(cells)} networks, {study['seconds'] / 60:.0f} minutes in the last run.",
        contents=True,
    )


def _method(study: Mapping[str, Any]) -> Iterator[Markup]:
    scale, steps = study["settings"]["scale"], study["steps"]
    yield facts(
        [
            ("real images", f"{study['images']}, {scale['size']} x {scale['size']} pixels, {study['groups']} groups"),
            *((f"steps, {_called(kind)}", str(number)) for kind, number in sorted(steps.items())),
            ("seeds of the networks", ", ".join(map(str, range(scale["seeds"])))),
            ("seed of images, split and conditions", str(study["settings"]["seed"])),
            ("device", f"{study['device']}, {study['workers']} processes"),
        ]
    )
    yield paragraph(
        "Real images are centre squares of photographs, reduced by at least 2, which removes the grid of a JPEG. The "
        "generative networks make as many images as there are real ones. The autoencoders rebuild the real ones, so "
        "that a pair has the same content; a pair is one group. Autoencoders have seen most of the images that they "
        "rebuild. Detectors are judged on groups that took no part in their training, 40 % of all."
    )


def _theory() -> Iterator[Markup]:
    yield paragraph(
        "Doubling by zero-insertion repeats the spectrum: a component at frequency f shows again at 1/2 - f, in cycles "
        "per pixel. Content is strongest near zero, so its images lie near 1/2, and after two or three doublings near "
        f"all multiples of {_fractions(2)} or {_fractions(3)}. The kernel after it decides what remains. Nearest, "
        "bilinear and binomial are [1 1] convolved once, twice and three times with itself; each is zero at exactly "
        "1/2, so they leave no line there, but a rise beside it, the less the smoother they are. Transposed "
        "convolution and pixel shuffle learn their kernels: where the sums of their phases differ, a line "
        "stands at exactly 1/2 or 1/4. Convolutions and bends afterwards change heights, and may add sums of these "
        "frequencies, not move them."
    )
    rows = [
        [name, *(f"{image_level_db(name, offset) or 0:.1f}" for offset in _OFFSETS)]
        for name in ("nearest", "bilinear", "binomial")
    ]
    headers = ["kernel", *(f"f = 1/{round(1 / offset)}" for offset in _OFFSETS)]
    caption = "Image of a component at f along one axis, relative to the component, after one doubling (dB)"
    yield table(headers, rows, caption=caption, numeric=range(1, len(headers)))


def _kind(kind: str, study: Mapping[str, Any], cells: Sequence[Cell], spectra: Spectra) -> Section:
    chosen = [cell for cell in cells if cell.kind == kind]
    means = {
        name: np.mean([spectra[cell.name] for cell in chosen if cell.upsampling == name], axis=0)
        for name in UPSAMPLINGS
    }
    real = spectra["real"]
    names = list(UPSAMPLINGS)
    return section(
        _called(kind),
        _heat_maps(f"{kind}-mean", [real, *means.values()], ["real", *names], MEAN, f"{_called(kind)}: mean spectra"),
        _heat_maps(
            f"{kind}-difference",
            [mean - real for mean in means.values()],
            names,
            DIFFERENCE,
            f"{_called(kind)}: difference of the mean spectra to the real images, over the seeds",
        ),
        _bands(study, chosen),
        _peaks(study, chosen),
        subsection("How well they are told apart", *(_accuracies(study, chosen, each) for each in CONDITIONS)),
    )


def _heat_maps(
    name: str, values: Sequence[npt.NDArray[np.float64]], captions: Sequence[str], scale: Scale, text: str
) -> Markup:
    def make(theme: Theme) -> Any:
        return plot_heat_maps(values, captions, scale=scale, theme=theme)

    return render_drawing(Drawing(name, make, f"{text}.", f"{text}, luma, low frequencies top left.")).figure()


def _bands(study: Mapping[str, Any], cells: Sequence[Cell]) -> Markup:
    rows = []
    for cell in cells:
        bands = study["cells"][cell.name]["bands_db"]
        rows.append([cell.upsampling, str(cell.seed), *(f"{value:+.2f}" for value in bands.values())])
    caption = "Mean difference to the real images (dB) where the larger frequency is below 1/4, below 7/16, and above"
    return table(["up-sampling", "seed", "low", "high", "edge"], rows, caption=caption, numeric=range(1, 5))


def _peaks(study: Mapping[str, Any], cells: Sequence[Cell]) -> Markup:
    rows: list[list[Content]] = []
    for name, found in [("real", study["real"]), *((cell.name, study["cells"][cell.name]) for cell in cells)]:
        rows += [[name, *_peak(peak)] for peak in found["peaks"]]
        if not found["peaks"]:
            rows.append([name, "none", "", ""])
    headers = ["images", "found at (vertical, horizontal)", "height (dB)", "theory: image at"]
    caption = "Narrow peaks of the mean periodogram, cycles per pixel, the five highest; theory within one bin"
    return table(headers, rows, caption=caption, numeric=[2])


def _peak(peak: Mapping[str, Any]) -> list[Content]:
    theory = peak["theory"]
    place = f"{peak['vertical']:.3f}, {peak['horizontal']:.3f}"
    return [place, f"{peak['height_db']:.1f}", f"{theory[0]:g}, {theory[1]:g}" if theory else "no"]


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


def _fractions(doublings: int) -> str:
    return f"1/{round(1 / image_frequencies(doublings)[0])}"


def _called(kind: str) -> str:
    return "autoencoders" if kind == AUTOENCODER else f"{kind} generators"
