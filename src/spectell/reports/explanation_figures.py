"""The figures of a report on one image, in both colour schemes, each with what it says in words."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

from spectell.figures.evidence_map import LEAST_SHARE, plot_evidence
from spectell.figures.explanation import plot_contributions, plot_profile_band, plot_spectrum_panel
from spectell.figures.heat_maps import Scale, limits_of
from spectell.figures.style import DARK, LIGHT, Theme
from spectell.reports.explanation_words import (
    KIND_NAMES,
    evidence_sentence,
    profile_sentence,
    reasons_sentence,
    spectrum_sentence,
    steps,
)
from spectell.reports.numbers import signed
from spectell.reports.parts import figure, gallery

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spectell.reports.markup import Markup
    from spectell.workflows.explaining.comparison import Comparison
    from spectell.workflows.explaining.evidence import EvidenceMap
    from spectell.workflows.explaining.reasons import Reasons

__all__ = ["PREVIEW_SIDE", "evidence_figure", "preview", "profile_figure", "reasons_figures", "spectrum_figures"]

PREVIEW_SIDE = 800
"""Longest side of the picture on the page, in pixels. It is for recognition: nothing was measured on it."""

PREVIEW_QUALITY = 80
DEVIATION_LIMIT = 4.0
"""Standard deviations of the last colours, the same on every page."""

_DPI = 170
_POWER = Scale("power (dB)")
_DEVIATION = Scale("standard deviations from the mean", centred=True)
_CONTRIBUTION = Scale("moves the score by (log-odds)", centred=True)


def preview(pixels: npt.NDArray[np.uint8]) -> bytes:
    """Return the picture as a small JPEG, made of its pixels alone: nothing else of the file can be in it."""
    buffer = io.BytesIO()
    Image.fromarray(_reduced(pixels)).save(buffer, "JPEG", quality=PREVIEW_QUALITY, optimize=True)
    return buffer.getvalue()


def spectrum_figures(found: Comparison) -> Markup:
    """Draw the spectrum of the luma, the mean of photographs, and their difference, side by side."""
    image, mean, z = found.power[..., 0], found.mean[..., 0], found.z[..., 0]
    limits = limits_of([image, mean])
    sentence = spectrum_sentence(found)
    bounds = (-DEVIATION_LIMIT, DEVIATION_LIMIT)
    return gallery(
        _themed(
            lambda theme: plot_spectrum_panel(image, scale=_POWER, limits=limits, theme=theme),
            alt="Heat map of this image's power at each frequency; low frequencies at the top left.",
            caption="This image: mean power of its blocks at each frequency, brightness only. Coarse structure at the "
            "top left, the finest detail at the bottom right.",
        ),
        _themed(
            lambda theme: plot_spectrum_panel(mean, scale=_POWER, limits=limits, theme=theme),
            alt="Heat map of the mean power of real photographs at each frequency, on the same scale.",
            caption=f"Mean, in decibels, of real photographs of the reference, at this number of blocks "
            f"({found.n_photographs:,} measured), on the same scale.",
        ),
        _themed(
            lambda theme: plot_spectrum_panel(z, scale=_DEVIATION, limits=bounds, theme=theme),
            alt=f"Heat map of the difference in standard deviations. {sentence}",
            caption="The difference, in standard deviations between photographs. Orange: more than the mean; purple: "
            "less. Two either way is usual.",
        ),
    )


def profile_figure(found: Comparison) -> Markup:
    """Draw the radial profile in the band of photographs."""
    return _themed(
        lambda theme: plot_profile_band(found.frequencies, found.profile, found.percentiles, theme=theme),
        alt=f"Curve of power against frequency, in the band of real photographs. {profile_sentence(found)}",
        caption="Power at each frequency, averaged over all directions. A photograph's falls smoothly; what it shows "
        "and how sharp it is decide how fast.",
        width=620,
    )


def reasons_figures(found: Reasons) -> Markup:
    """Draw the steps to the score, then the frequencies that moved it."""
    names, values = zip(*steps(found), strict=True)
    start_name = "average photograph" if "photograph" in found.starts_from else "average training image"
    way = _themed(
        lambda theme: plot_contributions(
            names, values, start=found.start, end=found.score, theme=theme, start_name=start_name
        ),
        alt=f"Bars from the score of {found.starts_from} to that of this image. {reasons_sentence(found)}",
        caption="Each bar begins where the last one ended. Orange to the right moves towards “generated”, purple to "
        "the left towards “real”.",
        width=640,
    )
    if not found.maps:
        return way
    largest = max(float(np.abs(values).max()) for values in found.maps.values()) or 1.0
    maps = [_contribution_map(kind, values, largest, found.frequencies[kind]) for kind, values in found.maps.items()]
    return way + gallery(*maps)


def _contribution_map(
    kind: str, values: npt.NDArray[np.float64], largest: float, frequencies: npt.NDArray[np.float64]
) -> Markup:
    name, limits = KIND_NAMES[kind], (-largest, largest)
    return _themed(
        lambda theme: plot_spectrum_panel(
            values, scale=_CONTRIBUTION, limits=limits, frequencies=frequencies, theme=theme
        ),
        alt=f"Heat map of how each frequency of the {name} moved the score, {signed(values.sum())} in all.",
        caption=f"By frequency: {name}. Orange moved the score towards “generated”, purple towards “real”.",
        width=420,
    )


def evidence_figure(pixels: npt.NDArray[np.uint8], found: EvidenceMap) -> Markup:
    """Draw the scores of the tiles over the picture."""
    small = _reduced(pixels)
    height, width = pixels.shape[:2]
    centres = (
        [(top + found.side / 2) / height for top in found.tops],
        [(left + found.side / 2) / width for left in found.lefts],
    )
    light, dark = (
        _lossy(plot_evidence(small, found.scores, found.clear, centres=centres, theme=theme)) for theme in (LIGHT, DARK)
    )
    caption = (
        "Coloured tiles have a score that differs from zero by more than their uncertainty (95 %, from the scatter of "
        "their quarters): + towards “generated”, − towards “real”. The rest says nothing either way."
    )
    times = LEAST_SHARE * max(width, height) / min(width, height)
    if times > 1:
        caption += f" The picture is drawn {times:.2g} times as {'high' if width > height else 'wide'} as it is."
    return figure(
        light,
        dark=dark,
        alt=f"The picture in grey with the scores of its tiles. {evidence_sentence(found)}",
        caption=caption,
        width=700,
    )


def _themed(draw: Callable[[Theme], Figure], *, alt: str, caption: str, width: int | None = None) -> Markup:
    return figure(_lossless(draw(LIGHT)), dark=_lossless(draw(DARK)), alt=alt, caption=caption, width=width)


def _lossless(drawn: Figure) -> bytes:
    """WebP without loss: of drawings it is less than half of a PNG, and a palette would band the scales of colours."""
    buffer = io.BytesIO()
    _pixels(drawn).save(buffer, "WEBP", lossless=True, quality=50, method=1)
    return buffer.getvalue()


def _lossy(drawn: Figure) -> bytes:
    """WebP, which is small where a drawing contains a picture."""
    buffer = io.BytesIO()
    _pixels(drawn).save(buffer, "WEBP", quality=78, method=4)
    return buffer.getvalue()


def _pixels(drawn: Figure) -> Image.Image:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    drawn.set_dpi(_DPI)
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()  # type: ignore[no-untyped-call]
    drawn_pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return Image.fromarray(drawn_pixels[..., :3].copy())


def _reduced(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Reduce a picture for display; a smaller one is left as it is."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
    return np.asarray(image)
