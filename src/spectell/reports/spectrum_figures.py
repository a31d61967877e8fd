"""Which figures a study of spectra has, and what is said about each.

Magnitudes and powers are drawn in decibels, 20 lg of a magnitude and 10 lg of a power, so that full-size, block and
tile spectra can be read against each other. Arrays are read when a figure is made and let go with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spectell.figures.canvas import DECIBELS_PER_NAT
from spectell.figures.heat_maps import DIFFERENCE, EFFECT, GEOMETRIC_MEAN, RATIO, SPREAD, Scale, plot_heat_maps
from spectell.figures.peaks import Mark, plot_peaks
from spectell.figures.profiles import Curve, PowerLawLine, plot_directional_profiles, plot_radial_profiles
from spectell.figures.style import Theme
from spectell.reports.numbers import tenths
from spectell.reports.render import Drawing
from spectell.reports.spectrum_tables import read_grids
from spectell.spectra.peaks import dct_position
from spectell.workflows.spectrum_means import BLOCK_CHANNELS, CHANNELS
from spectell.workflows.spectrum_study import Comparison, SetSpectra, SpectrumStudy, TileSpectra

if TYPE_CHECKING:
    from spectell.workflows.spectrum_means import MeanSpectrum

__all__ = [
    "block_channel_drawings",
    "block_drawings",
    "channel_drawing",
    "drawn_sizes",
    "full_drawings",
    "peak_drawing",
    "profile_drawings",
    "set_label",
]

Float64Array = npt.NDArray[np.float64]

_AMPLITUDE = 2 * DECIBELS_PER_NAT
"""Decibels in a nat of magnitude: power is its square."""

_MOST_SIZES = 2
_MOST_BANDS = 3
_SIGNED = Scale("magnitude of the mean (dB)")
_LEAST = 1e-6  # of a signed mean, so that zero has a logarithm


def set_label(each: SetSpectra, study: SpectrumStudy) -> str:
    """Name a set in a figure: its generator, and its source where there are several."""
    return each.generator if len({other.source for other in study.sets}) == 1 else each.name


def drawn_sizes(study: SpectrumStudy) -> list[str]:
    """List the sizes whose full spectra are drawn: those that most sets have, then those of most images."""
    counts: dict[str, list[int]] = {}
    for each in study.sets:
        for full in each.full:
            counts.setdefault(full.name, []).append(full.count)
    return sorted(counts, key=lambda size: (-len(counts[size]), -sum(counts[size]), size))[:_MOST_SIZES]


def full_drawings(study: SpectrumStudy, size: str) -> Iterator[Drawing]:
    """Yield the figures of the full-size spectra of one size."""
    having = [(each, full) for each in study.sets for full in each.full if full.name == size]
    labels = [set_label(each, study) for each, _ in having]
    images = ", ".join(f"{full.count:,} of {label}" for label, (_, full) in zip(labels, having, strict=True))
    logs = [full.log["grey"] for _, full in having]
    signed = [full.signed["grey"] for _, full in having]

    yield _maps(
        f"mean-{size}",
        lambda: [_AMPLITUDE * log.mean for log in logs],
        labels,
        GEOMETRIC_MEAN,
        f"Mean spectra of {_listed(labels)}",
        f"Mean of the logarithm of every DCT coefficient of grey images of {size} pixels, on one scale: {images}. That "
        "is the geometric mean of the power, which lies below the mean. Low frequencies are top left.",
    )
    yield from _compared_maps(study, "log", "grey", size)
    yield _maps(
        f"signed-{size}",
        lambda: [20 * np.log10(np.abs(each.mean) + _LEAST) for each in signed],
        labels,
        _SIGNED,
        f"Magnitude of the mean coefficients of {_listed(labels)}",
        "As Frank et al. (2020) draw it: the mean of the signed coefficients, then its magnitude. What differs in sign "
        "from image to image cancels; what all images share, such as a fixed pattern, stays.",
    )
    yield _maps(
        f"spread-{size}",
        lambda: [_AMPLITUDE * log.std for log in logs],
        labels,
        SPREAD,
        f"Spread of the spectra of {_listed(labels)}",
        "Standard deviation between images of the logarithm of every coefficient. Of Gaussian noise it is 9.6 dB.",
    )


def block_drawings(study: SpectrumStudy) -> Iterator[Drawing]:
    """Yield the figures of the block-averaged spectra."""
    having = [(each, each.blocks["luma"]) for each in study.sets if "luma" in each.blocks]
    if not having:
        return
    labels = [set_label(each, study) for each, _ in having]
    images = ", ".join(f"{blocks.count:,} of {label}" for label, (_, blocks) in zip(labels, having, strict=True))
    yield _maps(
        "blocks",
        lambda: [DECIBELS_PER_NAT * blocks.mean for _, blocks in having],
        labels,
        GEOMETRIC_MEAN,
        f"Block-averaged spectra of {_listed(labels)}",
        "Geometric mean, over images and their blocks of 32 x 32 native pixels, of the power of the luma, which lies "
        f"below the mean. Images of all sizes take part: {images}.",
    )
    yield from _compared_maps(study, "blocks", "luma", None)


def channel_drawing(study: SpectrumStudy, size: str) -> Drawing:
    """Return the figure of red, green and blue of one size: differences to the reference, or means without one."""
    having = [(set_label(each, study), full) for each in study.sets for full in each.full if full.name == size]
    compared = _channel_differences(study, "log", CHANNELS[1:], size)
    if compared is not None:
        return compared
    return _channel_means(
        f"mean-channels-{size}",
        {label: [full.log[channel] for channel in CHANNELS[1:]] for label, full in having},
        CHANNELS[1:],
        _AMPLITUDE,
        "Geometric mean of the power of each channel, on one scale.",
    )


def block_channel_drawings(study: SpectrumStudy) -> Iterator[Drawing]:
    """Yield the figure of the colour differences of the block-averaged spectra, as `channel_drawing` does."""
    channels = BLOCK_CHANNELS[1:]
    blocks = {
        set_label(each, study): [each.blocks[channel] for channel in channels] for each in study.sets if each.blocks
    }
    if not blocks:
        return
    caption = (
        "The same of the blue and the red difference, as JPEG files have them: blue and red less the luma. Grey "
        "pictures have none."
    )
    compared = _channel_differences(study, "blocks", channels, None)
    yield compared or _channel_means("blocks-channels", blocks, channels, DECIBELS_PER_NAT, caption)


def profile_drawings(study: SpectrumStudy) -> Iterator[Drawing]:
    """Yield the figures of the profiles along the radius and along three directions."""
    having = [(each, each.tiles[0]) for each in study.sets if each.tiles]
    if not having:
        return
    having.sort(key=lambda item: item[0].name != study.reference)
    few = len(having) <= _MOST_BANDS
    curves = [_curve(set_label(each, study), tiles, band=few or each.name == study.reference) for each, tiles in having]
    whose = "" if few else " of the reference"
    labels = [curve.name for curve in curves]
    fitted = ", ".join(f"{curve.name} {curve.law.exponent:.2f}" for curve in curves if curve.law)
    yield Drawing(
        "radial",
        lambda theme: plot_radial_profiles(curves, band=f"band{whose}: one standard deviation", theme=theme),
        f"Radial profiles of {_listed(labels)}, falling with frequency. Exponents of the fitted laws: {fitted}.",
        "Mean power of each ring around zero frequency, of the luma in Hann-windowed tiles, then the geometric mean "
        "over images, which lies below their mean. Photographs fall as a power of the frequency; the exponent stands "
        "beside each name.",
    )
    directions = ("horizontal", "vertical", "diagonal")
    sets = [
        (
            set_label(each, study),
            tiles.directions["frequency"],
            [DECIBELS_PER_NAT * tiles.directions[direction] for direction in directions],
        )
        for each, tiles in having
    ]
    yield Drawing(
        "directions",
        lambda theme: plot_directional_profiles(sets, directions=directions, theme=theme),
        f"Horizontal, vertical and diagonal profiles of {_listed(labels)}.",
        "Within 15 degrees of three directions: the geometric mean over images and over the coefficients of a ring, "
        "which lies below the mean of a ring that the figure above shows. Spikes at 1/8, 1/4 and 3/8 are those of a "
        "grid of 8 pixels.",
    )


def peak_drawing(study: SpectrumStudy) -> Drawing | None:
    """Return the figure of the peaks, marked on the DCT; None without spectra."""
    having = [each for each in study.sets if each.full or each.blocks]
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


def _maps(
    name: str, read: Callable[[], Sequence[Float64Array]], labels: Sequence[str], scale: Scale, alt: str, caption: str
) -> Drawing:
    def make(theme: Theme) -> Any:
        return plot_heat_maps(read(), labels, scale=scale, theme=theme)

    return Drawing(name, make, f"{alt}: heat maps, low frequencies top left. {scale.label}.", caption, both=False)


def _channel_means(
    name: str, spectra: Mapping[str, Sequence[MeanSpectrum]], channels: Sequence[str], unit: float, caption: str
) -> Drawing:
    """Draw the channels of each set beside each other."""
    titles = [f"{_colour(channel)}, {label}" for label in spectra for channel in channels]
    columns = _columns(channels, titles)

    def make(theme: Theme) -> Any:
        means = [unit * each.mean for row in spectra.values() for each in row]
        return plot_heat_maps(means, titles, scale=GEOMETRIC_MEAN, columns=columns, theme=theme)

    alt = f"Spectra of {_listed(list(spectra))} in {_listed([*map(_spelt, channels)])}: heat maps, each with its name."
    return Drawing(name, make, alt, caption, both=False)


def _channel_differences(study: SpectrumStudy, kind: str, channels: Sequence[str], size: str | None) -> Drawing | None:
    """Draw the channels of each set that is compared beside each other; None where none is."""
    rows = [[study.compared(each.name, kind, channel, size) for channel in channels] for each in study.sets]
    found = [each for row in rows for each in row if each is not None]
    if not found:
        return None
    unit = DECIBELS_PER_NAT if kind == "blocks" else _AMPLITUDE
    labels = [set_label(study[each.name], study) for each in found]
    titles = [f"{_colour(each.channel)}, {label}" for each, label in zip(found, labels, strict=True)]
    columns = _columns(channels, titles)

    def make(theme: Theme) -> Any:
        values, shown = [unit * each.difference for each in found], [each.significant for each in found]
        return plot_heat_maps(values, titles, scale=DIFFERENCE, shown=shown, columns=columns, theme=theme)

    named = _listed([*map(_spelt, channels)])
    return Drawing(
        f"difference-channels-{size or kind}",
        make,
        f"Differences of {_listed(list(dict.fromkeys(labels)))} to the reference in {named}: heat maps, orange is "
        "more, purple is less, grey is chance.",
        f"Mean minus that of {set_label(study[study.reference], study)} in {named}, on one scale. Grey cells do not "
        "differ significantly; the table has the share of those that do.",
        both=False,
    )


def _columns(channels: Sequence[str], titles: Sequence[str]) -> int:
    """Return how many panels stand in a row: all channels of a set, and of two sets where four panels fit."""
    return min(len(titles), 4) if len(channels) == 2 else len(channels)


def _spelt(channel: str) -> str:
    return channel.replace("_", " ")


def _colour(channel: str) -> str:
    """Shorten the name of a channel, so that a title has room for that of the set."""
    return channel.removesuffix("_difference")


def _compared_maps(study: SpectrumStudy, kind: str, channel: str, size: str | None) -> Iterator[Drawing]:
    """Difference, effect size and, of full-size spectra, ratio of the signed means."""
    compared = [found for each in study.sets if (found := study.compared(each.name, kind, channel, size)) is not None]
    if not compared:
        return
    unit = DECIBELS_PER_NAT if kind == "blocks" else _AMPLITUDE
    name = "blocks" if size is None else size
    reference = set_label(study[study.reference], study)
    shares = ", ".join(f"{tenths(each.share_significant)} in {set_label(study[each.name], study)}" for each in compared)
    rate = f"{100 * compared[0].alpha:g} %"
    significance = (
        f"Grey cells do not differ significantly (Welch's test, false-discovery rate {rate}); those that do: {shares}."
    )
    yield _difference(f"difference-{name}", compared, study, DIFFERENCE, lambda each: unit * each.difference)(
        f"Mean minus that of {reference}. {significance}"
    )
    if kind == "blocks":
        return
    yield _difference(f"effect-{name}", compared, study, EFFECT, lambda each: each.effect)(
        f"The same difference to {reference} in standard deviations between images: how much a single image tells."
    )
    ratios = [found for each in compared if (found := study.compared(each.name, "signed", channel, size)) is not None]
    if ratios:
        yield _difference(f"ratio-{name}", ratios, study, RATIO, lambda each: _decibels(each.ratio))(
            f"Magnitude of the mean coefficient over that of {reference}, as Frank et al. (2020) compare them."
        )


def _difference(
    name: str,
    compared: Sequence[Comparison],
    study: SpectrumStudy,
    scale: Scale,
    value: Callable[[Comparison], npt.NDArray[Any]],
) -> Callable[[str], Drawing]:
    labels = [set_label(study[each.name], study) for each in compared]

    def make(theme: Theme) -> Any:
        shown = [each.significant for each in compared]
        return plot_heat_maps([value(each) for each in compared], labels, scale=scale, shown=shown, theme=theme)

    alt = f"{scale.label.capitalize()} of {_listed(labels)}: heat maps, orange is more, purple is less, grey is chance."
    return lambda caption: Drawing(name, make, alt, caption, both=False)


def _curve(label: str, tiles: TileSpectra, *, band: bool) -> Curve:
    radial, law = tiles.radial, tiles.radial.power_law
    line = None
    if law is not None:
        low, high = law.frequency_range
        line = PowerLawLine(law.exponent, DECIBELS_PER_NAT * law.log_power_at_one, low, high)
    spread = DECIBELS_PER_NAT * radial.std if band and tiles.count > 1 else None
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
        return np.asarray(_AMPLITUDE * each.full[0].log["grey"].mean)
    return np.asarray(DECIBELS_PER_NAT * each.blocks["luma"].mean)


def _decibels(ratio: npt.NDArray[Any]) -> npt.NDArray[Any]:
    with np.errstate(divide="ignore", invalid="ignore"):  # what is nothing has no ratio and is not drawn
        return np.asarray(20 * np.log10(ratio))


def _listed(labels: Sequence[str]) -> str:
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
