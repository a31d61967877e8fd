"""Comparisons against SciPy's tests, and intervals against how often they cover."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from spectell.errors import ParameterError, ShapeError
from spectell.spectra import adjust_p_values, compare_spectra


def moments(spectra):
    return spectra.mean(axis=0), spectra.var(axis=0, ddof=1), len(spectra)


def test_p_values_are_those_of_welch_corrected_as_scipy_does(rng):
    a = rng.normal(0.3, 1.0, size=(12, 6, 5))
    b = rng.normal(0.0, rng.uniform(0.5, 4.0, size=(6, 5)), size=(40, 6, 5))
    comparison = compare_spectra(*moments(a), *moments(b))
    expected = stats.ttest_ind(a, b, equal_var=False).pvalue
    np.testing.assert_allclose(comparison.p_value, expected, rtol=1e-9)
    adjusted = stats.false_discovery_control(expected, axis=None).reshape(6, 5)
    np.testing.assert_allclose(comparison.adjusted_p_value, adjusted, rtol=1e-9)
    np.testing.assert_array_equal(comparison.significant, adjusted <= 0.05)
    np.testing.assert_allclose(comparison.difference, a.mean(0) - b.mean(0))


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=30))
@settings(max_examples=80, deadline=None)
def test_adjusted_values_are_scipys(values):
    np.testing.assert_allclose(adjust_p_values(values), stats.false_discovery_control(values), rtol=1e-12)


@pytest.mark.parametrize(("n_a", "n_b", "deviation"), [(12, 12, 1.0), (15, 40, 3.0), (100, 30, 0.5)])
def test_the_interval_of_the_effect_covers_it(rng, n_a, n_b, deviation):
    true = 0.8
    shift = true * np.sqrt((1 + deviation**2) / 2)
    a = rng.normal(shift, 1.0, size=(n_a, 4000))
    b = rng.normal(0.0, deviation, size=(n_b, 4000))
    comparison = compare_spectra(*moments(a), *moments(b))
    covered = np.mean((comparison.low <= true) & (true <= comparison.high))
    assert 0.93 < covered < 0.975
    assert np.mean(comparison.effect_size) == pytest.approx(true, rel=0.06)


def test_of_coefficients_without_a_difference_few_runs_mark_one(rng):
    runs = [
        compare_spectra(*moments(rng.normal(size=(20, 500))), *moments(rng.normal(size=(30, 500)))) for _ in range(200)
    ]
    assert sum(run.significant.any() for run in runs) <= 22  # 5 % of 200, and 4 standard errors


def test_the_share_of_chance_among_the_marked_is_kept_and_most_differences_are_found(rng):
    shift = np.zeros(1000)
    shift[:200] = 1.5
    false, marked, found = 0, 0, 0
    for _ in range(30):
        a, b = rng.normal(shift, 1, size=(40, 1000)), rng.normal(size=(40, 1000))
        significant = compare_spectra(*moments(a), *moments(b)).significant
        false += significant[200:].sum()
        marked += significant.sum()
        found += significant[:200].sum()
    assert false / marked < 0.06
    assert found > 0.98 * 200 * 30


def test_swapping_the_sets_changes_signs_only(rng):
    a, b = moments(rng.normal(1, 2, size=(9, 50))), moments(rng.normal(size=(21, 50)))
    one, other = compare_spectra(*a, *b), compare_spectra(*b, *a)
    np.testing.assert_allclose(one.effect_size, -other.effect_size)
    np.testing.assert_allclose(one.low, -other.high)
    np.testing.assert_allclose(one.p_value, other.p_value)


def test_coefficients_that_never_vary_are_equal_or_infinitely_different():
    mean_a, mean_b = [-27.6, 1.0, 2.0, 0.1 + 0.2], [-27.6, 2.0, 1.0, 0.3]
    comparison = compare_spectra(mean_a, np.zeros(4), 5, mean_b, np.zeros(4), 6)
    assert comparison.effect_size.tolist() == [0, -np.inf, np.inf, 0]
    assert comparison.low.tolist() == comparison.high.tolist() == comparison.effect_size.tolist()
    assert comparison.p_value.tolist() == [1, 0, 0, 1]
    assert comparison.significant.tolist() == [False, True, True, False]


def test_a_coefficient_may_vary_in_one_set_only(rng):
    a = rng.normal(size=(10, 3))
    comparison = compare_spectra(*moments(a), np.zeros(3), np.zeros(3), 4)
    np.testing.assert_allclose(comparison.p_value, stats.ttest_1samp(a, 0.0).pvalue, rtol=1e-9)
    assert np.isfinite(comparison.high).all()


def test_extreme_variances_neither_overflow_nor_vanish():
    for scale in (1e-200, 1e200):
        comparison = compare_spectra([scale], [scale**1.5 if scale < 1 else scale], 10, [0.0], [0.0], 10)
        assert np.isfinite(comparison.p_value).all()
        assert np.isfinite(comparison.low).all()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"n_a": 1}, ParameterError, "at least 2 spectra in each set, got n_a=1 and n_b=9"),
        ({"mean_b": [1.0]}, ShapeError, "one shape.*compare spectra of one size"),
        ({"variance_a": [-1.0, 1.0]}, ParameterError, "must not be negative"),
        ({"mean_a": [np.nan, 1.0]}, ParameterError, "mean_a must be finite"),
        ({"confidence": 95}, ParameterError, "confidence=95"),
        ({"false_discovery_rate": 0.0}, ParameterError, "false_discovery_rate=0.0"),
    ],
)
def test_errors_name_what_is_wrong(change, error, message):
    arguments = {
        name + s: value for s in "ab" for name, value in (("mean_", [1.0, 2.0]), ("variance_", [1.0, 1.0]), ("n_", 9))
    }
    with pytest.raises(error, match=message):
        compare_spectra(**{**arguments, **change})
