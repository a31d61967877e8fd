import math

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from spectell.errors import ParameterError
from spectell.evaluation.intervals import (
    Interval,
    bootstrap_distribution,
    bootstrap_interval,
    clopper_pearson,
    quantile_interval,
)
from spectell.evaluation.metrics import accuracy, roc_auc


@pytest.mark.parametrize(("successes", "trials"), [(0, 1), (1, 1), (0, 90), (3, 90), (45, 90), (89, 90), (90, 90)])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_clopper_pearson_agrees_with_scipy(successes, trials, confidence):
    expected = binomtest(successes, trials).proportion_ci(confidence, method="exact")
    found = clopper_pearson(successes, trials, confidence)
    np.testing.assert_allclose([found.low, found.high], expected, atol=1e-12)
    assert found.estimate == successes / trials


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(successes, trials):
    with pytest.raises(ParameterError, match=f"successes must lie .* got {successes} of {trials}"):
        clopper_pearson(successes, trials)


def gaussian_classes(rng, n, separation=1.0):
    labels = np.repeat([0, 1], n)
    return labels, rng.normal(labels * separation, 1.0)


def test_the_interval_covers_the_true_auc_as_often_as_it_says(rng):
    truth = norm.cdf(1 / math.sqrt(2))
    runs = 200
    covered = 0
    for _ in range(runs):
        interval = bootstrap_interval(roc_auc, *gaussian_classes(rng, 60), n_resamples=200, confidence=0.9, rng=rng)
        covered += interval.low <= truth <= interval.high
    assert abs(covered / runs - 0.9) < 0.07


def test_copies_of_an_image_in_one_group_do_not_narrow_the_interval(rng):
    labels, scores = gaussian_classes(rng, 50)
    names = np.arange(100)
    once = bootstrap_interval(roc_auc, labels, scores, names, rng=1)
    grouped = bootstrap_interval(roc_auc, *(np.tile(x, 8) for x in (labels, scores, names)), rng=1)
    fooled = bootstrap_interval(roc_auc, *(np.tile(x, 8) for x in (labels, scores)), rng=1)
    assert grouped == once
    assert fooled.high - fooled.low < 0.5 * (once.high - once.low)


def test_pairs_stay_together(rng):
    # A photograph and its reconstruction share a level that dwarfs the difference: only the pair tells them apart.
    names = np.tile(np.arange(40), 2)
    labels = np.repeat([0, 1], 40)
    level = rng.normal(0, 100, 40)
    scores = np.concatenate([level, level + rng.normal(1, 0.1, 40)])

    def mean_difference(labels, scores):
        return float(scores[labels == 1].mean() - scores[labels == 0].mean())

    paired = bootstrap_interval(mean_difference, labels, scores, names, rng=0)
    apart = bootstrap_interval(mean_difference, labels, scores, rng=0)
    assert paired.high - paired.low < 0.2
    assert apart.high - apart.low > 20


@pytest.mark.parametrize(
    "groups",
    [
        None,
        ["a", "b", "b", "c", "d", "e", "e", "f"],
        ["a", "b", "b", "a", "a", "b", "b", "a"],
        ["a", "b", "b", "c", "a", "e", "e", "f"],
    ],
)
def test_every_resample_has_both_classes_and_whole_groups(groups):
    labels = np.repeat([0, 1], 4)
    scores = np.arange(8.0)
    names = np.arange(8) if groups is None else np.unique(groups, return_inverse=True)[1]
    sizes = np.bincount(names)

    def check(resampled_labels, resampled_scores):
        assert 0 < resampled_labels.mean() < 1
        image = resampled_scores.astype(int)
        np.testing.assert_array_equal(labels[image], resampled_labels)
        drawn = np.bincount(names[image], minlength=len(sizes))
        assert not np.any(drawn % sizes)
        return [0.0]

    bootstrap_distribution(check, labels, scores, groups, 200, rng=0)


def test_the_number_of_images_of_each_class_is_kept_where_groups_are_single_images():
    shares = bootstrap_distribution(lambda y, s: [y.sum(), len(y)], [0] * 7 + [1] * 3, np.arange(10.0), rng=0)
    assert np.all(shares == [3, 10])


def test_the_seed_decides_the_draws(rng):
    case = gaussian_classes(rng, 30)
    first = bootstrap_interval(roc_auc, *case, rng=5)
    assert bootstrap_interval(roc_auc, *case, rng=np.random.default_rng(5)) == first
    assert bootstrap_interval(roc_auc, *case, rng=6) != first


def test_undefined_resamples_are_counted_and_too_many_of_them_leave_no_interval():
    def sometimes(labels, scores):
        if scores.max() < 9:
            raise ParameterError("undefined")
        return float(scores.mean())

    labels, scores = [0] * 10, np.arange(10.0)
    honest = bootstrap_interval(sometimes, labels, scores, n_resamples=2000, rng=0)
    assert abs(honest.undefined / 2000 - 0.9**10) < 0.05
    assert math.isnan(honest.low)
    assert honest.degenerate
    lenient = bootstrap_interval(sometimes, labels, scores, confidence=0.5, rng=0)
    assert lenient.undefined > 0
    assert lenient.low < lenient.estimate < lenient.high


def test_a_class_from_one_group_has_no_interval(rng):
    labels, scores = gaussian_classes(rng, 5)
    interval = bootstrap_interval(roc_auc, labels, scores, ["one"] * 5 + list("abcde"), rng=0)
    assert interval.degenerate
    assert math.isnan(interval.low)
    assert 0 <= interval.estimate <= 1


def test_perfect_separation_is_reported_as_degenerate():
    interval = bootstrap_interval(roc_auc, [0, 0, 1, 1], [0.0, 1.0, 2.0, 3.0], rng=0)
    assert (interval.low, interval.high, interval.degenerate) == (1.0, 1.0, True)


def test_one_class_is_enough_for_a_metric_that_needs_no_more(rng):
    interval = bootstrap_interval(accuracy, [0] * 50, rng.normal(-1, 1, 50), rng=0)
    assert interval.low < interval.estimate < interval.high


def test_a_metric_that_has_no_value_at_all_is_refused():
    with pytest.raises(ParameterError, match="labels must hold both classes"):
        bootstrap_interval(roc_auc, [0, 0], [1.0, 2.0], rng=0)


def test_a_mirrored_interval_takes_the_bias_of_the_resamples_out():
    resampled = np.linspace(0.2, 0.4, 1001)
    assert quantile_interval(0.1, resampled).low == 0.1
    mirrored = quantile_interval(0.1, resampled, reflect=True)
    np.testing.assert_allclose([mirrored.low, mirrored.high], [0.2 - 0.395, 0.1])


def test_an_interval_without_bounds_is_null_in_json():
    assert Interval(0.5, math.nan, math.nan, 7).as_dict() == {
        "estimate": 0.5,
        "low": None,
        "high": None,
        "undefined": 7,
    }


@pytest.mark.parametrize("arguments", [{"n_resamples": 0}, {"confidence": 1.0}])
def test_impossible_settings_are_refused(arguments):
    with pytest.raises(ParameterError, match=next(iter(arguments))):
        bootstrap_interval(roc_auc, [0, 1], [0.0, 1.0], rng=0, **arguments)
