import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from spectell.errors import ParameterError, ShapeError
from spectell.figures.heat_maps import DIFFERENCE, MEAN, limits_of, plot_heat_maps
from spectell.figures.peaks import Mark, plot_peaks
from spectell.figures.style import DARK, LIGHT


def images_of(figure):
    return [axes.images[0] for axes in figure.axes if axes.images]


def test_all_panels_share_one_scale_and_show_what_they_were_given(rng):
    values = [rng.normal(k, 1 + k, size=(16, 16)) for k in range(3)]
    images = images_of(plot_heat_maps(values, ["a", "b", "c"]))
    assert len({image.get_clim() for image in images}) == 1
    for image, value in zip(images, values, strict=True):
        np.testing.assert_array_equal(np.asarray(image.get_array()), value)


def test_panels_stand_in_as_many_columns_as_were_asked_for():
    figure = plot_heat_maps([np.zeros((4, 4))] * 7, list("abcdefg"), columns=3)
    places = [axes.get_subplotspec() for axes in figure.axes if axes.images]
    assert [(place.rowspan.start, place.colspan.start) for place in places] == [divmod(k, 3) for k in range(7)]


def test_two_panels_fill_the_width_of_three_and_a_single_one_half_of_it():
    widths = [plot_heat_maps([np.zeros((4, 4))] * n, list("abcd"[:n])).get_figwidth() for n in (1, 2, 3, 4)]
    assert widths[1] == widths[2] == 2 * widths[0] < widths[3]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 9])
@pytest.mark.parametrize("kind", ["plain", "muted", "marked"])
def test_titles_are_not_cut_off(n, kind):
    values, names = [np.eye(8)] * n, ["faces256/Real"] * n
    if kind == "marked":
        figure = plot_peaks(values, names, [[Mark(0.25, 0.5, "a period"), Mark(0.5, 0.5, "another")]] * n)
    else:
        figure = plot_heat_maps(values, names, shown=None if kind == "plain" else [np.ones((8, 8), bool)] * n)
    FigureCanvasAgg(figure).draw()
    assert max(axes.get_tightbbox().y1 for axes in figure.axes) <= figure.bbox.height


def test_the_mean_takes_no_part_in_the_scale(rng):
    values = rng.normal(size=(8, 8))
    before = limits_of([values])
    values[0, 0] = 1e9
    assert limits_of([values]) == before


def test_few_cells_may_lie_beyond_the_scale_and_the_colour_bar_says_so(rng):
    values = rng.normal(size=(64, 64))
    low, high = limits_of([values])
    outside = np.mean((values < low) | (values > high))
    assert 0 < outside < 0.006
    figure = plot_heat_maps([values], ["a"])
    assert images_of(figure)[0].colorbar.extend == "both"


def test_axes_run_in_cycles_per_pixel_from_the_top_left():
    (image,) = images_of(plot_heat_maps([np.zeros((64, 32))], ["a"]))
    left, right, bottom, top = image.get_extent()
    np.testing.assert_allclose(left + (np.arange(32) + 0.5) * (right - left) / 32, np.arange(32) / 64)
    np.testing.assert_allclose(top + (np.arange(64) + 0.5) * (bottom - top) / 64, np.arange(64) / 128)
    assert image.axes.get_xlabel() == "horizontal frequency (cycles per pixel)"
    assert image.axes.get_ylabel() == "vertical frequency (cycles per pixel)"


def test_a_difference_has_zero_in_the_middle_and_mutes_what_is_not_significant(rng):
    values, shown = rng.normal(2, 1, size=(8, 8)), rng.random((8, 8)) < 0.5
    (image,) = images_of(plot_heat_maps([values], ["a"], scale=DIFFERENCE, shown=[shown]))
    assert sum(image.get_clim()) == 0
    np.testing.assert_array_equal(image.get_array().mask, ~shown)
    np.testing.assert_array_equal(image.get_array().compressed(), values[shown])


def test_values_that_are_not_finite_are_muted_and_do_not_move_the_scale():
    values = np.arange(16.0).reshape(4, 4)
    before = limits_of([values])
    assert before == (1.0, 15.0)
    values[1, 1] = np.nan
    values[2, 2] = np.inf
    assert limits_of([values]) == before


def test_the_schemes_differ_in_their_ground_and_not_in_their_values(rng):
    value = rng.normal(size=(8, 8))
    light, dark = (plot_heat_maps([value], ["a"], theme=theme) for theme in (LIGHT, DARK))
    assert light.get_facecolor() != dark.get_facecolor()
    np.testing.assert_array_equal(images_of(light)[0].get_array(), images_of(dark)[0].get_array())


def test_names_may_hold_anything():
    names = ["$x^2$", "<script>", "\udce9\u202e", "\u4e2d", "n" * 99, ""]
    figure = plot_heat_maps([np.eye(4)] * 6, names)
    figure.canvas.draw()
    titles = [axes.get_title(loc="left") for axes in figure.axes[:6]]
    assert titles[:4] == ["$x^2$", "<script>", "\\udce9\\u202e", "\\u4e2d"]
    assert len(titles[4]) == 28


@pytest.mark.parametrize("value", [np.zeros(4), np.zeros((1, 4)), np.zeros((4, 4, 1))])
def test_what_is_no_spectrum_is_refused(value):
    with pytest.raises(ShapeError, match="a spectrum must have shape"):
        plot_heat_maps([value], ["a"], scale=MEAN)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ParameterError, match="must have one length, got 1, 2 and 1"):
        plot_heat_maps([np.eye(4)], ["a", "b"])


def test_peaks_are_marked_where_the_dct_has_them():
    marks = [[Mark(-0.25, 0.125, "grid"), Mark(0.5, 0.0, "other")], []]
    figure = plot_peaks([np.eye(8), np.eye(8)], ["a", "b"], marks)
    places = {tuple(map(float, point)) for line in figure.axes[0].lines for point in line.get_xydata()}
    assert places == {(0.125, 0.25), (0.0, 0.5)}
    assert not figure.axes[1].lines
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["grid", "other"]
