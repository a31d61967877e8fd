import pytest

from spectell.errors import ParameterError
from spectell.figures.learning_curve import LearningCurve, plot_learning_curves


def test_every_curve_is_drawn_with_its_numbers_and_named():
    curves = [
        LearningCurve("pixel", [25, 50, 400], [55.0, 60.0, 70.0], [50.0, 56.0, 68.0], [60.0, 64.0, 72.0]),
        LearningCurve("DCT", [25, 50, 400], [65.0, 80.0, 99.0], [60.0, 76.0, 98.0], [70.0, 84.0, 100.0]),
    ]
    (axes,) = plot_learning_curves(curves).axes
    drawn = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert drawn["DCT"].tolist() == [65.0, 80.0, 99.0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["25", "50", "400"]
    assert {"pixel", "DCT"} <= {text.get_text() for text in axes.texts}
    assert axes.get_ylim()[0] < 50 < 100 < axes.get_ylim()[1]


def test_nothing_to_draw_is_refused():
    with pytest.raises(ParameterError, match="at least one"):
        plot_learning_curves([])
