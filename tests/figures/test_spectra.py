import subprocess
import sys

import numpy as np
import pytest

from spectell.errors import ShapeError
from spectell.figures.spectra import plot_spectrum_pair


def images_of(figure):
    return [axes.images[0] for axes in figure.axes[:3]]


def test_powers_are_shown_in_decibels_on_one_scale(rng):
    real, generated = rng.normal(size=(2, 8, 8))
    first, second, difference = images_of(plot_spectrum_pair(real, generated))
    np.testing.assert_allclose(first.get_array(), 10 * np.log10(np.exp(real)))
    np.testing.assert_allclose(second.get_array(), 10 * np.log10(np.exp(generated)))
    np.testing.assert_allclose(difference.get_array(), 10 * np.log10(np.exp(generated - real)))
    assert first.get_clim() == second.get_clim()


def test_the_mean_takes_no_part_in_the_scales(rng):
    real, generated = rng.normal(size=(2, 8, 8))
    before = [image.get_clim() for image in images_of(plot_spectrum_pair(real, generated))]
    generated[0, 0] = 1e6
    assert [image.get_clim() for image in images_of(plot_spectrum_pair(real, generated))] == before


def test_no_difference_is_the_middle_of_its_scale(rng):
    spectrum = rng.normal(size=(8, 8))
    difference = images_of(plot_spectrum_pair(spectrum, spectrum))[2]
    assert sum(difference.get_clim()) == 0
    other = images_of(plot_spectrum_pair(spectrum, spectrum + rng.random((8, 8))))[2]
    assert sum(other.get_clim()) == 0


def test_the_axes_place_each_coefficient_on_its_frequency():
    """Coefficient k of 64 completes k / 2 periods over 64 pixels: number 32 lies at a quarter of a cycle per pixel."""
    left, right, bottom, top = images_of(plot_spectrum_pair(np.zeros((64, 64)), np.zeros((64, 64))))[0].get_extent()
    centres = left + (np.arange(64) + 0.5) * (right - left) / 64
    np.testing.assert_allclose(centres, np.arange(64) / 128)
    assert (top, bottom) == (left, right)  # rows run downwards, as in the array


def test_the_captions_can_be_named():
    figure = plot_spectrum_pair(np.zeros((4, 4)), np.ones((4, 4)), captions=("photographs", "shuffle"))
    assert [axes.get_title(loc="left") for axes in figure.axes[:3]] == [
        "photographs",
        "shuffle",
        "shuffle minus photographs",
    ]


def test_matplotlib_is_loaded_late_and_pyplot_never():
    code = (
        "import sys, numpy as np; from spectell.figures.spectra import plot_spectrum_pair;"
        "assert 'matplotlib' not in sys.modules;"
        "plot_spectrum_pair(np.zeros((4, 4)), np.ones((4, 4))); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_caller_can_save_it_without_a_screen(tmp_path):
    plot_spectrum_pair(np.zeros((4, 4)), np.ones((4, 4))).savefig(tmp_path / "spectra.png")
    assert (tmp_path / "spectra.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "shapes", [((4, 4), (5, 5)), ((4, 5), (4, 5)), ((4,), (4,)), ((1, 1), (1, 1)), ((2, 2, 1), (2, 2, 1))]
)
def test_spectra_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ShapeError, match=r"real and generated must have the same shape \(N, N\)"):
        plot_spectrum_pair(np.zeros(shapes[0]), np.zeros(shapes[1]))
