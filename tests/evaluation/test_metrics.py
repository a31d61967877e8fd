import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from sklearn import metrics as reference

from spectell.errors import ParameterError, ShapeError
from spectell.evaluation.metrics import (
    accuracy,
    average_precision,
    brier_score,
    confusion_matrix,
    equal_error_rate,
    expected_calibration_error,
    roc_auc,
    tpr_at_fpr,
)


@st.composite
def labelled_scores(draw):
    """Few distinct scores, so that ties within and between the classes are the rule; both classes are present."""
    labels = [0, 1, *draw(st.lists(st.integers(0, 1), max_size=40))]
    scores = draw(st.lists(st.integers(-4, 4), min_size=len(labels), max_size=len(labels)))
    return np.array(labels), np.array(scores) / 2


@given(labelled_scores())
def test_auc_is_the_share_of_pairs_in_order_with_ties_counting_half(case):
    labels, scores = case
    real, generated = scores[labels == 0], scores[labels == 1]
    pairs = [(g > r) + 0.5 * (g == r) for g in generated for r in real]
    assert roc_auc(labels, scores) == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)
    assert roc_auc(labels, scores) == pytest.approx(reference.roc_auc_score(labels, scores), abs=1e-12)


@given(labelled_scores())
def test_average_precision_agrees_with_scikit_learn(case):
    assert average_precision(*case) == pytest.approx(reference.average_precision_score(*case), abs=1e-12)


@given(labelled_scores(), st.sampled_from([0.0, 0.01, 0.05, 0.1, 0.25, 0.3, 0.5, 0.7, 1.0]))
def test_tpr_at_fpr_is_the_best_over_all_thresholds_that_keep_the_limit(case, fpr):
    labels, scores = case
    allowed = [
        np.mean(scores[labels == 1] >= threshold)
        for threshold in [np.inf, *scores]
        if np.mean(scores[labels == 0] >= threshold) <= fpr
    ]
    assert tpr_at_fpr(labels, scores, fpr) == pytest.approx(max(allowed), abs=1e-12)


def test_tpr_at_fpr_does_not_lose_an_image_to_binary_rounding():
    # 0.29 * 100 is 28.999999999999996: counting with a product would allow 28 real images only.
    labels = np.repeat([0, 1], [100, 1])
    scores = np.append(np.arange(100.0), 70.5)
    assert tpr_at_fpr(labels, scores, 0.29) == 1.0
    assert tpr_at_fpr(labels, scores, 0.28) == 0.0


@given(labelled_scores())
def test_equal_error_rate_is_where_the_interpolated_curve_meets_the_diagonal(case):
    fpr, tpr, _ = reference.roc_curve(*case, drop_intermediate=False)
    # Following the polyline itself, since at a tie of real images alone it is horizontal, else vertical.
    position = np.arange(len(fpr))
    crossing = brentq(lambda x: 1 - np.interp(x, position, tpr) - np.interp(x, position, fpr), 0, position[-1])
    assert equal_error_rate(*case) == pytest.approx(np.interp(crossing, position, fpr), abs=1e-9)


@given(labelled_scores())
def test_turning_the_scores_around_mirrors_the_ranking(case):
    labels, scores = case
    assert roc_auc(labels, -scores) == pytest.approx(1 - roc_auc(labels, scores), abs=1e-12)
    assert equal_error_rate(labels, -scores) == pytest.approx(1 - equal_error_rate(labels, scores), abs=1e-12)


@given(labelled_scores(), st.randoms(use_true_random=False))
def test_no_metric_depends_on_the_order_of_the_images(case, random):
    labels, scores = case
    order = list(range(len(labels)))
    random.shuffle(order)
    for metric in (roc_auc, average_precision, equal_error_rate, lambda y, s: tpr_at_fpr(y, s, 0.3), accuracy):
        assert metric(labels[order], scores[order]) == metric(labels, scores)


@given(labelled_scores(), st.sampled_from([-1.0, 0.0, 0.5]))
def test_counts_at_a_threshold_agree_with_scikit_learn(case, threshold):
    labels, scores = case
    called = (scores >= threshold).astype(int)
    np.testing.assert_array_equal(
        confusion_matrix(labels, scores, threshold=threshold), reference.confusion_matrix(labels, called)
    )
    assert accuracy(labels, scores, threshold=threshold) == reference.accuracy_score(labels, called)


def naive_calibration_error(labels, probabilities, n_bins):
    total = 0.0
    for number in range(n_bins):
        low, high = number / n_bins, (number + 1) / n_bins
        inside = [i for i, p in enumerate(probabilities) if low <= p < high or (p == 1 == high)]
        if inside:
            stated = np.mean([probabilities[i] for i in inside])
            observed = np.mean([labels[i] for i in inside])
            total += len(inside) / len(labels) * abs(stated - observed)
    return total


@pytest.mark.parametrize("n_bins", [1, 2, 15, 16])
def test_calibration_error_agrees_with_the_definition(rng, n_bins):
    probabilities = np.concatenate([rng.random(500), [0.0, 1.0, 0.5, 0.25]])
    labels = (rng.random(504) < probabilities**2).astype(int)
    expected = naive_calibration_error(labels, probabilities, n_bins)
    assert expected_calibration_error(labels, probabilities, n_bins) == pytest.approx(expected, abs=1e-12)


@given(labelled_scores())
def test_brier_score_agrees_with_scikit_learn(case):
    labels, scores = case
    probabilities = (scores + 2) / 4
    assert brier_score(labels, probabilities) == pytest.approx(reference.brier_score_loss(labels, probabilities))


def test_balance_makes_a_class_weigh_the_same_however_many_images_it_has(rng):
    labels = np.repeat([0, 1], 50)
    probabilities = rng.random(100)
    more_real = np.concatenate([np.arange(100), *[np.arange(50)] * 9])
    for metric in (expected_calibration_error, brier_score):
        balanced = metric(labels[more_real], probabilities[more_real], balance=True)
        assert balanced == pytest.approx(metric(labels, probabilities), abs=1e-12)
        assert metric(labels[more_real], probabilities[more_real]) != pytest.approx(balanced, abs=1e-3)


def test_known_extremes():
    labels, perfect = [0, 0, 1, 1], [-2.0, -1.0, 1.0, 2.0]
    inverted = [-score for score in perfect]
    assert roc_auc(labels, perfect) == average_precision(labels, perfect) == tpr_at_fpr(labels, perfect, 0) == 1
    assert equal_error_rate(labels, perfect) == roc_auc(labels, inverted) == 0
    assert roc_auc(labels, [7.0] * 4) == equal_error_rate(labels, [7.0] * 4) == 0.5
    assert brier_score(labels, [0.5] * 4) == 0.25


@pytest.mark.parametrize("metric", [roc_auc, average_precision, equal_error_rate])
def test_ranking_metrics_need_both_classes(metric):
    with pytest.raises(ParameterError, match="labels must hold both classes, got 3 real and 0 generated images"):
        metric([0, 0, 0], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: tpr_at_fpr([0, 1], [0.0, 1.0], 1.5), ParameterError, "fpr must lie between 0 and 1, got 1.5"),
        (lambda: expected_calibration_error([0], [0.5], 0), ParameterError, "n_bins must be at least 1, got 0"),
        (lambda: brier_score([0, 1], [0.0, 3.0]), ParameterError, "probabilities must lie between 0 and 1"),
        (lambda: brier_score([0], [0.0], balance=True), ParameterError, "balance needs both classes, got 1 real and 0"),
        (lambda: roc_auc([0, 1], [1.0]), ShapeError, "equally long"),
    ],
)
def test_unusable_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
