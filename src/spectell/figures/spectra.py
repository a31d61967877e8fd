"""Mean spectra side by side, on one scale of colours that is safe for the colour-blind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from spectell.errors import ShapeError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

__all__ = ["plot_spectrum_pair"]

DECIBELS_PER_NAT = 10 / np.log(10)
_POWER_COLOURS = "cividis"
_DIFFERENCE_COLOURS = "PuOr_r"


def plot_spectrum_pair(
    real: npt.ArrayLike, generated: npt.ArrayLike, *, captions: tuple[str, str] = ("real", "generated")
) -> Figure:
    """Two power spectra and their difference.

    Parameters
    ----------
    real, generated : array_like of shape (N, N)
        Natural logarithm of the mean power of every DCT coefficient, low frequencies first, as `log_mean_power` of
        `spectell.spectra.block_spectra`.
    captions : tuple of two str
        What stands above the two spectra.

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
    >>> [axes.get_title() for axes in figure.axes[:3]]
    ['real', 'generated', 'generated minus real']
    """
    first, second = (np.asarray(spectrum, dtype=float) * DECIBELS_PER_NAT for spectrum in (real, generated))
    if first.ndim != 2 or first.shape[0] != first.shape[1] or len(first) < 2 or first.shape != second.shape:
        raise ShapeError(
            f"real and generated must have the same shape (N, N) with N >= 2, got {first.shape} and {second.shape}"
        )
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, 4.2), layout="constrained")
    panels = figure.subplots(1, 3)
    shown = np.stack([first, second]).reshape(2, -1)[:, 1:]
    limits = float(shown.min()), float(shown.max())
    for axes, spectrum, caption in zip(panels, (first, second), captions, strict=False):
        image = _show(axes, spectrum, caption, limits, _POWER_COLOURS)
    figure.colorbar(image, ax=list(panels[:2]), label="power (dB)", shrink=0.85)
    difference = second - first
    largest = float(np.abs(difference.ravel()[1:]).max()) or 1.0
    image = _show(panels[2], difference, f"{captions[1]} minus {captions[0]}", (-largest, largest), _DIFFERENCE_COLOURS)
    figure.colorbar(image, ax=panels[2], label="difference (dB)", shrink=0.85)
    panels[0].set_ylabel("vertical frequency (cycles per pixel)")
    return figure


def _show(
    axes: Axes, spectrum: npt.NDArray[np.float64], title: str, limits: tuple[float, float], colours: str
) -> AxesImage:
    # Each coefficient's cell is centred on its frequency, which is why the picture begins below zero.
    cell = 0.5 / len(spectrum)
    low, high = -cell / 2, 0.5 - cell / 2
    axes.set_title(title)
    axes.set_xlabel("horizontal frequency (cycles per pixel)")
    axes.set_xticks(np.arange(0, 0.51, 0.125))
    axes.set_yticks(np.arange(0, 0.51, 0.125))
    return axes.imshow(
        spectrum,
        cmap=colours,
        vmin=limits[0],
        vmax=limits[1],
        extent=(low, high, high, low),
        interpolation="nearest",
    )
