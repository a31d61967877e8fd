import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectell.errors import ParameterError
from spectell.figures.profiles import (
    Curve,
    PowerLawLine,
    plot_directional_profiles,
    plot_radial_profiles,
    spread_labels,
)

FREQUENCY = np.arange(1, 33) / 64


def test_curves_are_drawn_as_given_up_to_half_a_cycle():
    frequency, power = np.arange(46) / 64, np.linspace(50, 5, 46)
    axes = plot_radial_profiles([Curve("real", frequency, power)]).axes[0]
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), frequency[1:33])
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), power[1:33])
    assert axes.get_xscale() == "log"


def test_the_law_passes_where_its_exponent_says():
    law = PowerLawLine(exponent=2.0, decibels_at_one=3.0, low=0.01, high=0.1)
    axes = plot_radial_profiles([Curve("a", FREQUENCY, 0 * FREQUENCY, law=law)]).axes[0]
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [43.0, 23.0])
    assert "1/f^2.00" in axes.texts[0].get_text()


def test_the_band_is_as_high_as_the_spread():
    axes = plot_radial_profiles([Curve("a", FREQUENCY, 0 * FREQUENCY, spread=0 * FREQUENCY + 2)]).axes[0]
    heights = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (-2.0, 2.0)


def test_more_curves_than_colours_differ_in_their_dashes():
    curves = [Curve(str(k), FREQUENCY, 0 * FREQUENCY + k) for k in range(9)]
    looks = {(line.get_color(), line.get_linestyle()) for line in plot_radial_profiles(curves).axes[0].lines}
    assert len(looks) == 9


def test_directions_share_their_axes():
    figure = plot_directional_profiles([("a", FREQUENCY, [0 * FREQUENCY, 0 * FREQUENCY + 9, 0 * FREQUENCY - 9])])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["horizontal", "vertical", "diagonal"]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1


def test_the_axes_name_two_different_quantities():
    radial = plot_radial_profiles([Curve("a", FREQUENCY, 0 * FREQUENCY)]).axes[0]
    horizontal = plot_directional_profiles([("a", FREQUENCY, [0 * FREQUENCY] * 3)]).axes[0]
    assert radial.get_ylabel() == "mean power of a ring, geometric mean of images (dB)"
    assert horizontal.get_ylabel() == "geometric mean power of bins and images (dB)"


def test_nothing_to_draw_is_refused():
    with pytest.raises(ParameterError, match="at least one curve"):
        plot_radial_profiles([])
    with pytest.raises(ParameterError, match="needs 3 profiles"):
        plot_directional_profiles([("a", FREQUENCY, [FREQUENCY])])


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_labels_keep_their_order_and_their_distance(heights):
    moved = np.array(spread_labels(heights, 0.05))
    assert (np.diff(np.sort(moved)) >= 0.05 - 1e-9).all()
    order = np.argsort(heights, kind="stable")
    assert (np.diff(moved[order]) > 0).all()
    assert abs(moved.mean() - np.mean(heights)) < 1e-9
