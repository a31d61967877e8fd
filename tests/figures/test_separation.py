import pytest

from spectell.errors import ParameterError
from spectell.figures.separation import SeparationRow, plot_separations
from spectell.figures.style import DARK, LIGHT

LEAK, NONE = SeparationRow("size", 0.9, 0.8, 1.0, 0.55), SeparationRow("mode", 0.52, 0.3, 0.7, 0.55)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_leaks_are_filled_in_the_colour_of_warnings_and_others_are_hollow(theme):
    (axis,) = plot_separations([("gan", [LEAK, NONE])], theme=theme).axes
    dots = [line for line in axis.lines if line.get_marker() == "o"]
    assert [float(dot.get_xdata()[0]) for dot in dots] == [0.9, 0.52]
    assert [dot.get_markerfacecolor() for dot in dots] == [theme.bad, theme.paper]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["size", "mode"]


def test_every_interval_lies_inside_its_panel():
    figure = plot_separations([("gan", [LEAK, NONE]), ("vae", [NONE])])
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["gan against real", "vae against real"]
    for axis in figure.axes:
        low, high = axis.get_xlim()
        assert low < 0.3
        assert high > 1.0


def test_an_interval_that_touches_the_limit_is_no_leak():
    assert not SeparationRow("size", 0.7, 0.55, 0.8, 0.55).leaks


@pytest.mark.parametrize("panels", [[], [("gan", [])]])
def test_nothing_to_draw_is_refused(panels):
    with pytest.raises(ParameterError, match="panels must hold at least one"):
        plot_separations(panels)
