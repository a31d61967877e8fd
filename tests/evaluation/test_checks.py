import numpy as np
import pytest

from spectell.errors import ParameterError, ShapeError
from spectell.evaluation.checks import check_groups, check_probabilities, check_rate, check_scores


@pytest.mark.parametrize("labels", [[0, 1, 1], [False, True, True], np.array([0, 1, 1], np.int8), [0.0, 1.0, 1.0]])
def test_labels_of_any_numeric_type_are_understood(labels):
    generated, scores = check_scores(labels, np.array([1, 2, 3], np.float32))
    assert generated.tolist() == [False, True, True]
    assert scores.dtype == np.float64


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 2], [0.0, 1.0], r"labels must be 0 \(real\) or 1 \(generated\), got .*2.* at index 1"),
        (["real", "fake"], [0.0, 1.0], "labels must be 0"),
        ([0, np.nan], [0.0, 1.0], "labels must be 0"),
        ([0, 1], [0.0, np.inf], "scores must be finite, got inf at index 1"),
        ([0, 1], [0.0, None], "scores must be finite, got nan at index 1"),
        ([0, 1], ["a", "b"], "scores must be numbers, got a list of something else"),
        ([], [], "must hold at least one image"),
    ],
)
def test_values_outside_their_domain_are_refused(labels, scores, message):
    with pytest.raises(ParameterError, match=message):
        check_scores(labels, scores)


@pytest.mark.parametrize(("labels", "scores"), [([0, 1], [1.0]), ([[0, 1]], [[1.0, 2.0]]), (0, 1.0)])
def test_shapes_that_do_not_fit_are_refused(labels, scores):
    with pytest.raises(ShapeError, match="one-dimensional and equally long, got shapes"):
        check_scores(labels, scores)


@pytest.mark.parametrize("labels", [[0, 0], [1, 1]])
def test_a_missing_class_is_refused_only_where_both_are_needed(labels):
    check_scores(labels, [1.0, 2.0])
    with pytest.raises(ParameterError, match="labels must hold both classes"):
        check_scores(labels, [1.0, 2.0], both_classes=True)


def test_scores_passed_as_probabilities_are_refused():
    with pytest.raises(ParameterError, match=r"between 0 and 1, got 2.5 at index 1; turn scores into"):
        check_probabilities([0, 1], [0.5, 2.5])


def test_groups_may_mix_types_and_miss_values():
    assert len(set(check_groups(np.array(["a", None, 3, "a"], dtype=object), 4).tolist())) == 3


def test_groups_of_the_wrong_length_are_refused():
    with pytest.raises(ShapeError, match="one label for each of the 3 images"):
        check_groups(["a"], 3)


@pytest.mark.parametrize("rate", [0.0, 1.0, -1.0, np.nan])
def test_a_rate_outside_its_range_is_refused(rate):
    with pytest.raises(ParameterError, match="confidence must lie strictly between 0 and 1"):
        check_rate(rate, "confidence")
