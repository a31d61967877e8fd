import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from spectell.errors import ParameterError, ShapeError
from spectell.evaluation.attribution import class_confusion, class_figures, evaluate_classes


@pytest.fixture
def classes(rng):
    truth = rng.integers(0, 4, 200)
    return truth, np.where(rng.random(200) < 0.7, truth, rng.integers(0, 4, 200))


def test_figures_are_those_of_scikit_learn(classes):
    truth, named = classes
    confusion = class_confusion(truth, named, 4)
    assert (confusion == confusion_matrix(truth, named)).all()
    precision, recall, f1, _ = precision_recall_fscore_support(truth, named)
    figures = class_figures(confusion)
    for found, expected in zip(
        (figures["precision"], figures["recall"], figures["f1"]), (precision, recall, f1), strict=True
    ):
        np.testing.assert_allclose(found, expected)
    overall = evaluate_classes(truth, named, 4, rng=0).overall
    assert overall["macro_f1"].estimate == pytest.approx(f1.mean())
    assert overall["accuracy"].estimate == pytest.approx((truth == named).mean())


def test_intervals_hold_the_estimate_and_shrink_with_images(classes):
    truth, named = classes
    few = evaluate_classes(truth[:50], named[:50], 4, rng=0).overall["accuracy"]
    many = evaluate_classes(np.tile(truth, 10), np.tile(named, 10), 4, rng=0).overall["accuracy"]
    assert few.low < few.estimate < few.high
    assert many.high - many.low < (few.high - few.low) / 3


def test_copies_of_one_picture_count_as_one(classes):
    truth, named = classes
    once = evaluate_classes(truth, named, 4, rng=0).overall["accuracy"]
    tiled = evaluate_classes(
        np.repeat(truth, 10), np.repeat(named, 10), 4, groups=np.repeat(np.arange(200), 10), rng=0
    ).overall["accuracy"]
    assert (tiled.low, tiled.high) == (once.low, once.high)


def test_a_class_that_was_never_named_has_precision_zero_and_one_without_images_is_left_out():
    found = evaluate_classes([0, 0, 1, 1], [0, 0, 0, 0], 3, rng=0)
    assert found.per_class[1]["precision"].estimate == 0
    assert np.isnan(found.per_class[2]["recall"].estimate)
    assert found.overall["macro_recall"].estimate == 0.5


def test_one_group_has_no_interval():
    assert np.isnan(evaluate_classes([0, 1], [0, 1], 2, groups=[5, 5], rng=0).overall["accuracy"].low)


@pytest.mark.parametrize(
    ("truth", "named", "error"),
    [
        ([0, 1], [0], ShapeError),
        ([0, 2], [0, 1], ParameterError),
        ([], [], ParameterError),
        ([-1], [0], ParameterError),
    ],
)
def test_classes_that_do_not_fit_are_refused(truth, named, error):
    with pytest.raises(error, match="classes and named must"):
        evaluate_classes(truth, named, 2, rng=0)
