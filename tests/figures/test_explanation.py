import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from spectell.errors import ShapeError
from spectell.figures.evidence_map import SCORE_LIMIT, cell_edges, plot_evidence
from spectell.figures.explanation import plot_contributions, plot_profile_band, plot_spectrum_panel
from spectell.figures.heat_maps import Scale
from spectell.figures.style import DARK, LIGHT


def test_a_panel_shows_the_values_that_it_was_given(rng):
    values = rng.normal(size=(8, 8))
    figure = plot_spectrum_panel(values, scale=Scale("dB"), limits=(-2, 3))
    (image,) = figure.axes[0].images
    assert np.array_equal(image.get_array(), values)
    assert image.get_clim() == (-2, 3)


@pytest.mark.parametrize("offset", [0, 1 / 128, 1 / 160])
def test_cells_are_drawn_around_the_frequencies_that_they_were_given(rng, offset):
    values, frequencies = rng.normal(size=(16, 16)), np.arange(16) / 32 + offset
    axes = plot_spectrum_panel(values, scale=Scale("dB"), frequencies=frequencies).axes[0]
    (mesh,) = axes.collections
    assert np.array_equal(mesh.get_array(), values)
    corners = np.asarray(mesh.get_coordinates())
    across, down = corners[0, :, 0], corners[:, 0, 1]
    for edges in (across, down):
        assert (edges[1:] + edges[:-1]) / 2 == pytest.approx(frequencies)
        assert np.diff(edges) == pytest.approx(np.full(16, 1 / 32))
    assert (axes.get_xlim(), axes.get_ylim()) == ((across[0], 0.5), (0.5, down[0]))


def test_without_frequencies_cells_lie_where_the_dct_has_them():
    (image,) = plot_spectrum_panel(np.eye(32), scale=Scale("dB")).axes[0].images
    assert image.get_extent() == pytest.approx((-1 / 128, 1 / 2 - 1 / 128, 1 / 2 - 1 / 128, -1 / 128))


def test_the_band_has_the_percentiles_at_its_borders(rng):
    x, profile = np.linspace(0.1, 0.5, 6), rng.normal(size=6)
    percentiles = np.sort(rng.normal(size=(5, 6)), axis=0)
    axes = plot_profile_band(x, profile, percentiles).axes[0]
    drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert drawn["this image"] == pytest.approx(profile)
    assert drawn["median of photographs"] == pytest.approx(percentiles[2])
    corners = axes.collections[0].get_paths()[0].vertices
    assert (corners[:, 1].min(), corners[:, 1].max()) == pytest.approx((percentiles[0].min(), percentiles[4].max()))


def test_each_bar_begins_where_the_last_one_ended():
    axes = plot_contributions(["a", "b", "c"], [1.0, -0.5, 0.25], start=0.5, end=1.25).axes[0]
    bars = [(bar.get_x(), bar.get_width()) for bar in axes.patches]
    assert bars == [(0.5, 1.0), (1.5, -0.5), (1.0, 0.25)]
    low, high = axes.get_xlim()
    assert low < 0
    assert high > 1.5


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_signs_of_the_tiles_stand_where_the_tiles_are(theme):
    scores, clear = np.array([[1.0, -2.0], [0.5, 0.1]]), np.array([[True, True], [True, False]])
    figure = plot_evidence(
        np.zeros((40, 80, 3), np.uint8), scores, clear, centres=([0.25, 0.75], [0.3, 0.8]), theme=theme
    )
    texts = [(text.get_text(), *text.get_position()) for text in figure.axes[0].texts]
    assert texts == [("+", 24.0, 10.0), ("−", 64.0, 10.0), ("+", 24.0, 30.0)]
    drawn = figure.axes[0].collections[0]
    assert drawn.get_clim() == (-SCORE_LIMIT, SCORE_LIMIT)
    assert np.ma.getmaskarray(drawn.get_array()).tolist() == [[False, False], [False, True]]


@pytest.mark.parametrize("shape", [(64, 4000), (4000, 64), (100, 200)])
def test_a_flat_picture_is_stretched_until_its_tiles_can_be_seen(shape):
    height, width = shape
    figure = plot_evidence(
        np.zeros((*shape, 3), np.uint8), [[1.0, -1.0]], [[True, True]], centres=([0.5], [0.25, 0.75])
    )
    FigureCanvasAgg(figure).draw()
    box = figure.axes[0].get_window_extent()
    drawn = min(box.width, box.height) / max(box.width, box.height)
    assert drawn == pytest.approx(max(min(shape) / max(shape), 1 / 8), rel=0.02)
    assert (figure.axes[0].get_xlim(), figure.axes[0].get_ylim()) == ((0, width), (height, 0))


def test_cells_meet_half_way():
    assert cell_edges([0.1, 0.3, 0.9]).tolist() == pytest.approx([0, 0.2, 0.6, 1])


def test_shapes_that_do_not_agree_are_refused():
    with pytest.raises(ShapeError, match=r"scores and clear must have shape \(1, 2\)"):
        plot_evidence(np.zeros((4, 4, 3), np.uint8), [[1.0]], [[True]], centres=([0.5], [0.2, 0.7]))
    with pytest.raises(ShapeError, match="one for each name"):
        plot_contributions(["a"], [1.0, 2.0], start=0, end=3)
    with pytest.raises(ShapeError, match=r"values must have shape \(N, N\)"):
        plot_spectrum_panel(np.zeros((2, 3)), scale=Scale("dB"))
    with pytest.raises(ShapeError, match=r"frequencies must have shape \(2,\)"):
        plot_spectrum_panel(np.zeros((2, 2)), scale=Scale("dB"), frequencies=[0.1])
    with pytest.raises(ShapeError, match=r"need shapes \(n,\)"):
        plot_profile_band([0.1], [1.0], np.zeros((3, 1)))
