import numpy as np
import pytest

from spectell.errors import ParameterError
from spectell.figures.score_histograms import plot_score_histograms


def test_shares_of_a_class_sum_to_one_above_and_to_minus_one_below(rng):
    drawn = plot_score_histograms([("DCT", rng.normal(-1, 1, 300), rng.normal(1, 1, 500))])
    above, below = (patch.get_data().values for patch in drawn.axes[0].patches)
    assert above.sum() == pytest.approx(1)
    assert below.sum() == pytest.approx(-1)
    assert above.argmax() < below.argmin()


def test_scores_that_are_all_equal_can_be_drawn():
    assert len(plot_score_histograms([("pixel", np.zeros(3), np.zeros(3))]).axes) == 1


def test_a_class_without_scores_is_refused():
    with pytest.raises(ParameterError, match="scores of both classes"):
        plot_score_histograms([("pixel", [], [1.0])])
