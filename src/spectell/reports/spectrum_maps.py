"""Heat maps of a study of spectra: which there are, and what is said about each.

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
from spectell.figures.style import Theme
from spectell.reports.numbers import tenths
from spectell.reports.render import Drawing
from spectell.reports.spectrum_names import listed, set_label
from spectell.reports.spectrum_tables import has_spread
from spectell.workflows.mean_spectra.means import BLOCK_CHANNELS, CHANNELS
from spectell.workflows.mean_spectra.study import Comparison, SetSpectra, SpectrumStudy

if TYPE_CHECKING:
    from spectell.workflows.mean_spectra.means import MeanSpectrum

__all__ = [
    "AMPLITUDE",
    "block_channel_drawing",
    "block_drawings",
    "channel_drawing",
    "full_drawings",
]

Float64Array = npt.NDArray[np.float64]
Sets = Sequence[SetSpectra]

AMPLITUDE = 2 * DECIBELS_PER_NAT
"""Decibels in a nat of magnitude: power is its square."""

_SIGNED = Scale("magnitude of the mean (dB)")
_LEAST = 1e-6  # of a signed mean, so that zero has a logarithm


def full_drawings(study: SpectrumStudy, size: str, sets: Sets | None = None) -> Iterator[Drawing]:
    """Yield the figures of the full-size spectra of one size, of some of the sets or of all."""
    sets = study.sets if sets is None else sets
    having = [(each, full) for each in sets for full in each.full if full.name == size]
    if not having:
        return
    labels = [set_label(each, study) for each, _ in having]
    images = ", ".join(f"{full.count:,} of {label}" for label, (_, full) in zip(labels, having, strict=True))
    logs = [full.log["grey"] for _, full in having]
    signed = [full.signed["grey"] for _, full in having]

    yield _maps(
        f"mean-{size}",
        lambda: [AMPLITUDE * log.mean for log in logs],
        labels,
        GEOMETRIC_MEAN,
        f"Mean spectra of {listed(labels)}",
        f"Mean of the logarithm of every DCT coefficient of grey images of {size} pixels, on one scale: {images}. That "
        "is the geometric mean of the power, which lies below the mean. Low frequencies are top left.",
    )
    yield from _compared_maps(study, sets, "log", "grey", size)
    yield _maps(
        f"signed-{size}",
        lambda: [20 * np.log10(np.abs(each.mean) + _LEAST) for each in signed],
        labels,
        _SIGNED,
        f"Magnitude of the mean coefficients of {listed(labels)}",
        "As Frank et al. (2020) draw it: the mean of the signed coefficients, then its magnitude. What differs in sign "
        "from image to image cancels; what all images share, such as a fixed pattern, stays.",
    )
    yield _maps(
        f"spread-{size}",
        lambda: [AMPLITUDE * log.std for log in logs],
        labels,
        SPREAD,
        f"Spread of the spectra of {listed(labels)}",
        "Standard deviation between images of the logarithm of every coefficient. Of Gaussian noise it is 9.6 dB.",
    )


def block_drawings(study: SpectrumStudy, sets: Sets | None = None) -> Iterator[Drawing]:
    """Yield the figures of the block-averaged spectra, of some of the sets or of all."""
    sets = study.sets if sets is None else sets
    having = [(each, each.blocks["luma"]) for each in sets if "luma" in each.blocks]
    if not having:
        return
    labels = [set_label(each, study) for each, _ in having]
    images = ", ".join(f"{blocks.count:,} of {label}" for label, (_, blocks) in zip(labels, having, strict=True))
    yield _maps(
        "blocks",
        lambda: [DECIBELS_PER_NAT * blocks.mean for _, blocks in having],
        labels,
        GEOMETRIC_MEAN,
        f"Block-averaged spectra of {listed(labels)}",
        "Geometric mean, over images and their blocks of 32 x 32 native pixels, of the power of the luma, which lies "
        f"below the mean. Images of all sizes take part: {images}.",
    )
    yield from _compared_maps(study, sets, "blocks", "luma", None)


def channel_drawing(study: SpectrumStudy, size: str, sets: Sets | None = None) -> Drawing | None:
    """Return the figure of red, green and blue of one size: differences to the reference, or means without one.

    None where no set has spectra of that size.
    """
    sets = study.sets if sets is None else sets
    having = [(set_label(each, study), full) for each in sets for full in each.full if full.name == size]
    compared = _channel_differences(study, sets, "log", CHANNELS[1:], size)
    if compared is not None or not having:
        return compared
    return _channel_means(
        f"mean-channels-{size}",
        {label: [full.log[channel] for channel in CHANNELS[1:]] for label, full in having},
        CHANNELS[1:],
        AMPLITUDE,
        "Geometric mean of the power of each channel, on one scale.",
    )


def block_channel_drawing(study: SpectrumStudy, sets: Sets | None = None) -> Drawing | None:
    """Return the figure of the colour differences of blocks, as `channel_drawing` does; None without block spectra."""
    sets = study.sets if sets is None else sets
    channels = BLOCK_CHANNELS[1:]
    blocks = {set_label(each, study): [each.blocks[channel] for channel in channels] for each in sets if each.blocks}
    if not blocks:
        return None
    caption = (
        "The same of the blue and the red difference, as JPEG files have them: blue and red less the luma. Grey "
        "pictures have none."
    )
    compared = _channel_differences(study, sets, "blocks", channels, None)
    return compared or _channel_means("blocks-channels", blocks, channels, DECIBELS_PER_NAT, caption)


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

    alt = f"Spectra of {listed(list(spectra))} in {listed([*map(_spelt, channels)])}: heat maps, each with its name."
    return Drawing(name, make, alt, caption, both=False)


def _channel_differences(
    study: SpectrumStudy, sets: Sets, kind: str, channels: Sequence[str], size: str | None
) -> Drawing | None:
    """Draw the channels of each set that is compared beside each other; None where none is."""
    rows = [[study.compared(each.name, kind, channel, size) for channel in channels] for each in sets]
    found = [each for row in rows for each in row if each is not None]
    if not found:
        return None
    unit = DECIBELS_PER_NAT if kind == "blocks" else AMPLITUDE
    labels = [set_label(study[each.name], study) for each in found]
    titles = [f"{_colour(each.channel)}, {label}" for each, label in zip(found, labels, strict=True)]
    columns = _columns(channels, titles)

    def make(theme: Theme) -> Any:
        values, shown = [unit * each.difference for each in found], [each.significant for each in found]
        return plot_heat_maps(values, titles, scale=DIFFERENCE, shown=shown, columns=columns, theme=theme)

    named = listed([*map(_spelt, channels)])
    return Drawing(
        f"difference-channels-{size or kind}",
        make,
        f"Differences of {listed(list(dict.fromkeys(labels)))} to the reference in {named}: heat maps, orange is "
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


def _compared_maps(study: SpectrumStudy, sets: Sets, kind: str, channel: str, size: str | None) -> Iterator[Drawing]:
    """Difference, effect size and, of full-size spectra, ratio of the signed means."""
    compared = [found for each in sets if (found := study.compared(each.name, kind, channel, size)) is not None]
    if not compared:
        return
    unit = DECIBELS_PER_NAT if kind == "blocks" else AMPLITUDE
    name = "blocks" if size is None else size
    reference = set_label(study[study.reference], study)
    shares = ", ".join(f"{tenths(each.share_significant)} in {set_label(study[each.name], study)}" for each in compared)
    rate = f"{100 * compared[0].alpha:g} %"
    significance = (
        f"Grey cells do not differ significantly (Welch's test, false-discovery rate {rate}); those that do: {shares}."
    )
    caption = f"Mean minus that of {reference}. {significance}"
    yield _difference(f"difference-{name}", compared, study, DIFFERENCE, lambda each: unit * each.difference, caption)
    if kind == "blocks":
        return
    caption = (
        f"The same difference to {reference} in standard deviations between images: how much a single image tells."
    )
    spread = [each for each in compared if has_spread(each)]
    if spread:
        yield _difference(f"effect-{name}", spread, study, EFFECT, lambda each: each.effect, caption)
    ratios = [found for each in compared if (found := study.compared(each.name, "signed", channel, size)) is not None]
    if ratios:
        caption = f"Magnitude of the mean coefficient over that of {reference}, as Frank et al. (2020) compare them."
        yield _difference(f"ratio-{name}", ratios, study, RATIO, lambda each: _decibels(each.ratio), caption)


def _difference(
    name: str,
    compared: Sequence[Comparison],
    study: SpectrumStudy,
    scale: Scale,
    value: Callable[[Comparison], npt.NDArray[Any]],
    caption: str,
) -> Drawing:
    labels = [set_label(study[each.name], study) for each in compared]

    def make(theme: Theme) -> Any:
        shown = [each.significant for each in compared]
        return plot_heat_maps([value(each) for each in compared], labels, scale=scale, shown=shown, theme=theme)

    alt = f"{scale.label.capitalize()} of {listed(labels)}: heat maps, orange is more, purple is less, grey is chance."
    return Drawing(name, make, alt, caption, both=False)


def _decibels(ratio: npt.NDArray[Any]) -> npt.NDArray[Any]:
    with np.errstate(divide="ignore", invalid="ignore"):  # what is nothing has no ratio and is not drawn
        return np.asarray(20 * np.log10(ratio))
