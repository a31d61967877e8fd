import numpy as np
import pytest
from sklearn import metrics as reference

from spectell.errors import ParameterError
from spectell.evaluation.roc import roc_curve


@pytest.mark.parametrize("decimals", [0, 1, 9])
def test_the_curve_agrees_with_scikit_learn(rng, decimals):
    labels = rng.integers(0, 2, 500)
    scores = rng.normal(labels, 1).round(decimals)
    curve = roc_curve(labels, scores)
    fpr, tpr, thresholds = reference.roc_curve(labels, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.fpr, fpr)
    np.testing.assert_allclose(curve.tpr, tpr)
    np.testing.assert_array_equal(curve.thresholds, thresholds)


def test_every_threshold_has_its_own_point_and_the_counts_end_at_the_class_sizes(rng):
    labels, scores = rng.integers(0, 2, 200), rng.integers(0, 9, 200)
    curve = roc_curve(labels, scores)
    assert np.all(np.diff(curve.thresholds) < 0)
    assert (curve.false_positives[0], curve.true_positives[0]) == (0, 0)
    assert curve.true_positives[-1] == labels.sum()
    assert curve.false_positives[-1] == (labels == 0).sum()


def test_one_class_alone_has_no_curve():
    with pytest.raises(ParameterError, match="labels must hold both classes, got 0 real and 2 generated"):
        roc_curve([1, 1], [0.0, 1.0])
