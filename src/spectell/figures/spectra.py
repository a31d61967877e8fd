"""Two mean spectra and their difference, as a verdict and a demonstration show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spectell.errors import ShapeError
from spectell.figures.canvas import DECIBELS_PER_NAT, drawable, themed
from spectell.figures.heat_maps import draw_heat_map, limits_of
from spectell.figures.style import LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_spectrum_pair"]


def plot_spectrum_pair(
    real: npt.ArrayLike,
    generated: npt.ArrayLike,
    *,
    captions: tuple[str, str] = ("real", "generated"),
    theme: Theme = LIGHT,
) -> Figure:
    """Two power spectra and their difference.

    Parameters
    ----------
    real, generated : array_like of shape (N, N)
        Natural logarithm of the mean power of every DCT coefficient, low frequencies first, as `log_mean_power` of
        `spectell.spectra.block_spectra`.
    captions : tuple of two str
        What stands above the two spectra.
    theme : Theme
        Colours.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Three panels. Coefficient k of N completes k / 2 periods over N pixels, so the axes run from 0 to half a cycle
        per pixel. Powers and their difference are in decibels; the mean, at [0, 0], takes no part in the scales.

    Raises
    ------
    ShapeError
        If the spectra are not square matrices of one size, at least 2 x 2.

    Examples
    --------
    >>> figure = plot_spectrum_pair(np.zeros((8, 8)), np.ones((8, 8)))
    >>> [axes.get_title(loc="left") for axes in figure.axes[:3]]
    ['real', 'generated', 'generated minus real']
    """
    first, second = (np.asarray(spectrum, dtype=float) * DECIBELS_PER_NAT for spectrum in (real, generated))
    if first.ndim != 2 or first.shape[0] != first.shape[1] or len(first) < 2 or first.shape != second.shape:
        raise ShapeError(
            f"real and generated must have the same shape (N, N) with N >= 2, got {first.shape} and {second.shape}"
        )
    difference = second - first
    with themed(theme):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(10.5, 3.5), layout="constrained")
        panels = figure.subplots(1, 3, sharey=True)
        powers = limits_of([first, second])
        draw_heat_map(panels[0], first, powers, theme=theme)
        image = draw_heat_map(panels[1], second, powers, theme=theme)
        figure.colorbar(image, ax=list(panels[:2]), label="mean power (dB)", shrink=0.9)
        image = draw_heat_map(panels[2], difference, limits_of([difference], centred=True), centred=True, theme=theme)
        figure.colorbar(image, ax=panels[2], label="difference (dB)", shrink=0.9)
        for axes, title in zip(panels, [*captions, f"{captions[1]} minus {captions[0]}"], strict=True):
            axes.set_title(drawable(title), loc="left")
            axes.set_xlabel("horizontal frequency (cycles per pixel)")
        panels[0].set_ylabel("vertical frequency (cycles per pixel)")
    return figure
