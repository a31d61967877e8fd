import pytest

from spectell.errors import ParameterError
from spectell.figures.accuracy import (
    AccuracyLine,
    AccuracyPanel,
    AccuracyRow,
    plot_accuracies,
    plot_accuracy_panels,
)


def test_a_dot_stands_at_each_accuracy_and_a_missing_series_leaves_a_gap():
    rows = [
        AccuracyRow("knn", {"pixel": (50, 45, 55), "DCT": (70, 66, 74)}),
        AccuracyRow("prnu", {"pixel": (30, 20, 40)}),
    ]
    axes = plot_accuracies(rows, chance=20).axes[0]
    dots = {line.get_label(): list(line.get_xdata()) for line in axes.lines if line.get_label() in ("pixel", "DCT")}
    assert dots == {"pixel": [50, 30], "DCT": [70]}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["knn", "prnu"]


def test_lines_of_one_name_stand_once_in_the_legend_and_quality_falls():
    line = AccuracyLine(1, "DCT", [95, 10], [60, 50], [55, 45], [65, 55], dashed=True)
    figure = plot_accuracy_panels([AccuracyPanel("JPEG", "quality", [line], falling=True)] * 5, chance=20)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["DCT"]
    low, high = figure.axes[0].get_xlim()
    assert low > high


@pytest.mark.parametrize("draw", [plot_accuracies, plot_accuracy_panels])
def test_nothing_to_draw_is_refused(draw):
    with pytest.raises(ParameterError, match="at least"):
        draw([], chance=20)
