import numpy as np
import pytest
from scipy.special import expit

from spectell.errors import ParameterError
from spectell.evaluation.intervals import clopper_pearson
from spectell.evaluation.metrics import (
    accuracy,
    average_precision,
    brier_score,
    equal_error_rate,
    expected_calibration_error,
    roc_auc,
    tpr_at_fpr,
)
from spectell.evaluation.summary import evaluate_scores, measure_scores

BOTH = ["auc", "ap", "tpr_at_fpr_0.01", "tpr_at_fpr_0.05", "eer", "ece", "brier"]


@pytest.fixture
def case(rng):
    labels = np.repeat([0, 1], [300, 200])
    return labels, rng.normal(labels * 3 - 1.5, 1.5)


def test_every_estimate_is_the_metric_of_that_name(case):
    labels, scores = case
    probabilities = expit(scores)
    expected = {
        "accuracy": accuracy(labels, scores),
        "auc": roc_auc(labels, scores),
        "ap": average_precision(labels, scores),
        "tpr_at_fpr_0.01": tpr_at_fpr(labels, scores, 0.01),
        "tpr_at_fpr_0.05": tpr_at_fpr(labels, scores, 0.05),
        "eer": equal_error_rate(labels, scores),
        "ece": expected_calibration_error(labels, probabilities, balance=True),
        "brier": brier_score(labels, probabilities, balance=True),
        "false_positive_rate": np.mean(scores[labels == 0] >= 0),
        "true_positive_rate": np.mean(scores[labels == 1] >= 0),
    }
    evaluated = evaluate_scores(labels, scores, n_resamples=100, rng=0)
    assert list(evaluated) == list(expected)
    for name, value in expected.items():
        assert evaluated[name].estimate == pytest.approx(value, abs=1e-12), name
        assert 0 <= evaluated[name].low <= evaluated[name].estimate <= evaluated[name].high <= 1, name
        assert not evaluated[name].degenerate, name


def test_rates_at_the_models_own_thresholds_are_named_by_the_promise(case):
    labels, scores = case
    evaluated = evaluate_scores(labels, scores, operating_points={0.01: 2.0}, n_resamples=10, rng=0)
    real = scores[labels == 0]
    assert evaluated["false_positive_rate_at_0.01"] == clopper_pearson(int(np.sum(real >= 2.0)), len(real))
    assert evaluated["true_positive_rate_at_0.01"].estimate == np.mean(scores[labels == 1] >= 2.0)


@pytest.mark.parametrize(("label", "rate"), [(0, "false_positive_rate"), (1, "true_positive_rate")])
@pytest.mark.parametrize("groups", [None, ["a", "a", "b", "c"]])
def test_one_class_alone_keeps_the_metrics_that_it_defines(label, rate, groups):
    evaluated = evaluate_scores([label] * 4, [-1.0, 0.0, 1.0, 2.0], groups=groups, n_resamples=100, rng=0)
    assert list(evaluated) == ["accuracy", rate]
    assert evaluated[rate].estimate == 0.75
    assert not evaluated[rate].degenerate


def test_proportions_of_independent_images_have_exact_intervals(case):
    labels, scores = case
    exact = clopper_pearson(int(np.sum((scores >= 0) == labels)), 500)
    assert evaluate_scores(labels, scores, groups=np.arange(500), n_resamples=10, rng=0)["accuracy"] == exact


def test_no_false_positive_in_few_groups_is_worth_no_more_than_the_groups():
    labels = np.repeat([0, 1], 40)
    groups = np.tile(np.repeat(np.arange(10), 4), 2)
    evaluated = evaluate_scores(labels, labels * 10.0 - 5.0, groups=groups, n_resamples=100, rng=0)
    assert evaluated["false_positive_rate"] == clopper_pearson(0, 10)
    assert evaluated["accuracy"] == clopper_pearson(10, 10)
    assert evaluated["auc"] == clopper_pearson(10, 10)
    assert evaluated["ap"].degenerate


def test_dependent_images_have_wider_intervals(rng):
    level = np.repeat(rng.normal(0, 3, 30), 10)
    groups = np.repeat(np.arange(30), 10)
    labels = np.repeat([0, 1], 150)
    widths = [
        interval.high - interval.low
        for chosen in (groups, None)
        for interval in [evaluate_scores(labels, level, groups=chosen, rng=0)["accuracy"]]
    ]
    assert widths[0] > 2 * widths[1]


def test_the_seed_decides_the_intervals(case):
    first = evaluate_scores(*case, n_resamples=50, rng=3)
    assert evaluate_scores(*case, n_resamples=50, rng=3) == first
    assert evaluate_scores(*case, n_resamples=50, rng=4) != first


def test_the_limits_can_be_chosen(case):
    measured = measure_scores(*case, fprs=[0.1])
    assert "tpr_at_fpr_0.1" in measured
    assert "tpr_at_fpr_0.01" not in measured
    assert [name for name in measure_scores(*case) if name in BOTH] == BOTH


def test_an_impossible_limit_is_refused(case):
    with pytest.raises(ParameterError, match="fpr must lie between 0 and 1, got 2"):
        evaluate_scores(*case, fprs=[2], rng=0)


@pytest.mark.parametrize(("n_real", "n_generated"), [(10, 10), (50, 7)])
def test_classes_that_are_apart_leave_the_uncertainty_of_their_number(n_real, n_generated):
    labels = np.repeat([0, 1], [n_real, n_generated])
    for scores, estimate in ((labels - 0.5, 1.0), (0.5 - labels, 0.0)):
        evaluated = evaluate_scores(labels, scores, rng=0)
        fewest = min(n_real, n_generated)
        for name, trials in (("auc", fewest), ("tpr_at_fpr_0.01", n_generated)):
            interval = evaluated[name]
            # Whoever is right in all of so many trials may be wrong in a share p of all, with (1 - p)^trials = 2.5 %.
            bound = 0.025 ** (1 / trials)
            expected = (bound, 1.0) if estimate else (0.0, 1 - bound)
            assert interval.estimate == estimate
            assert (interval.low, interval.high) == pytest.approx(expected)


def test_groups_and_not_images_are_the_trials_of_classes_that_are_apart():
    labels, groups = np.repeat([0, 1], 20), np.concatenate([np.arange(20) // 4, 100 + np.arange(20) // 2])
    evaluated = evaluate_scores(labels, labels - 0.5, groups=groups, rng=0)
    assert evaluated["auc"].low == pytest.approx(0.025 ** (1 / 5))
    assert evaluated["tpr_at_fpr_0.01"].low == pytest.approx(0.025 ** (1 / 10))
