import math
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectell.errors import MismatchError, ParameterError, ShapeError
from spectell.evaluation.thresholds import Thresholds, fit_thresholds

TIED_SCORES = st.lists(st.integers(-5, 5).map(float), min_size=6, max_size=200)
PER_MILLE = st.integers(1, 500)


@given(scores=TIED_SCORES, per_mille=PER_MILLE)
def test_at_most_the_allowed_number_of_calibration_images_reach_the_threshold(scores, per_mille):
    thresholds = Thresholds(np.array(scores), fake_floor=0.0)
    n = len(scores)
    if per_mille * n < 3000:
        with pytest.raises(ParameterError, match="fpr must lie between"):
            thresholds.at(per_mille / 1000)
        return
    allowed = per_mille * (n + 1) // 1000 - 1  # integers: no rounding in the oracle
    assert sum(score >= thresholds.at(per_mille / 1000) for score in scores) <= allowed


@given(scores=st.lists(st.floats(-50, 50), min_size=6, max_size=200, unique=True), per_mille=PER_MILLE)
def test_without_ties_the_threshold_is_the_lowest_that_keeps_the_promise(scores, per_mille):
    n = len(scores)
    if per_mille * n < 3000:
        return
    threshold = Thresholds(np.array(scores), fake_floor=0.0).at(per_mille / 1000)
    allowed = per_mille * (n + 1) // 1000 - 1
    assert sum(score >= threshold for score in scores) == allowed
    assert sum(score >= np.nextafter(threshold, -np.inf) for score in scores) == allowed + 1


@given(scores=TIED_SCORES)
def test_a_higher_rate_never_has_a_higher_threshold(scores):
    thresholds = Thresholds(np.array(scores), fake_floor=0.0)
    found = [thresholds.at(rate) for rate in np.linspace(*thresholds.supported, 50)]
    assert all(later <= earlier for earlier, later in pairwise(found))


@pytest.mark.parametrize(("n", "fpr"), [(99, 0.05), (300, 0.01), (60, 0.07)])
@pytest.mark.parametrize("decimals", [1, 12])
def test_fresh_real_images_exceed_the_threshold_no_more_often_than_promised(rng, n, fpr, decimals):
    runs = 4000
    calibration = rng.standard_t(3, size=(runs, n)).round(decimals)
    fresh = rng.standard_t(3, size=runs).round(decimals)
    accused = np.mean(
        [score >= Thresholds(row, fake_floor=0.0).at(fpr) for row, score in zip(calibration, fresh, strict=True)]
    )
    slack = 4 * math.sqrt(fpr / runs)
    assert accused <= fpr + slack
    if decimals == 12:
        assert accused >= math.floor(fpr * (n + 1)) / (n + 1) - slack


def test_decimal_rates_are_not_lost_to_binary_rounding():
    # 0.29 * 100 is 28.999999999999996, but 29 of 100 is what the user asked for.
    thresholds = Thresholds(np.arange(1.0, 100.0), fake_floor=0.0)
    assert np.sum(thresholds.real_scores >= thresholds.at(0.29)) == 28


@pytest.mark.parametrize(
    ("n", "fpr", "message"),
    [
        (
            3000,
            0.0001,
            "fpr must lie between 0.001 and 0.5 with 3000 calibration images, got 0.0001; "
            "calibrate on more photographs or ask for a higher rate",
        ),
        (
            3000,
            0.6,
            "fpr must lie between 0.001 and 0.5 with 3000 calibration images, got 0.6; ask for a lower rate",
        ),
        (
            1234,
            0.0,
            "fpr must lie between 0.00244 and 0.5 with 1234 calibration images, got 0.0; "
            "a rate is a share, such as 0.01",
        ),
    ],
)
def test_an_unsupported_rate_is_refused_with_the_range_that_is_supported(n, fpr, message):
    with pytest.raises(ParameterError) as refusal:
        Thresholds(np.arange(float(n)), fake_floor=0.0).at(fpr)
    assert str(refusal.value) == message
    assert isinstance(refusal.value, MismatchError) == ("more photographs" in message), (
        "else no number would support it"
    )


def test_a_rate_that_is_not_a_number_is_refused():
    with pytest.raises(ParameterError, match="got nan"):
        Thresholds(np.arange(100.0), fake_floor=0.0).at(math.nan)


@given(n=st.integers(6, 20_000))
def test_the_limits_that_a_message_names_are_accepted(n):
    thresholds = Thresholds(np.arange(float(n)), fake_floor=0.0)
    with pytest.raises(ParameterError) as refusal:
        thresholds.at(1.0)
    low, high = (
        float(word) for word in str(refusal.value).split() if word.replace(".", "", 1).isdigit() and "." in word
    )
    thresholds.at(low)
    thresholds.at(high)


@pytest.mark.parametrize("n_fakes", [1, 19, 20, 41, 200])
def test_at_most_one_fake_in_twenty_is_called_real(rng, n_fakes):
    fakes = rng.normal(3, 1, n_fakes).round(1)
    thresholds = fit_thresholds([0] * 50 + [1] * n_fakes, np.concatenate([rng.normal(-3, 1, 50), fakes]))
    assert np.sum(fakes <= thresholds.fake_floor) <= n_fakes // 20
    higher = np.nextafter(thresholds.fake_floor, np.inf)
    assert np.sum(fakes <= higher) > n_fakes // 20


def test_the_verdict_follows_its_three_rules():
    thresholds = Thresholds(np.arange(1.0, 100.0), fake_floor=10.0)
    threshold = thresholds.at(0.1)
    expected = {threshold: "generated", np.nextafter(threshold, 0): "inconclusive", 10.0: "real", 10.1: "inconclusive"}
    assert {score: thresholds.verdict(score, 0.1) for score in expected} == expected


def test_generated_comes_before_real_where_the_classes_overlap():
    thresholds = Thresholds(np.arange(1.0, 100.0), fake_floor=1000.0)
    assert thresholds.verdict(99.0, 0.1) == "generated"
    assert thresholds.verdict(50.0, 0.1) == "real"


def test_scores_are_kept_sorted_read_only_and_apart_from_the_argument():
    given_scores = np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0])
    kept = Thresholds(given_scores, fake_floor=0.0).real_scores
    given_scores[:] = 0
    assert kept.tolist() == [1, 2, 3, 4, 5, 6]
    assert kept.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 9.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Thresholds(np.arange(5.0), 0.0), "real_scores must hold at least 6 calibration images, got 5"),
        (lambda: Thresholds(np.array([1.0] * 6 + [math.inf]), 0.0), "real_scores must be finite, got inf at index 6"),
        (lambda: Thresholds(np.arange(6.0), math.nan), "fake_floor must be a number"),
        (lambda: Thresholds(np.arange(6.0), 0.0).verdict(math.nan, 0.5), "score must be a number"),
        (lambda: fit_thresholds([0] * 9, np.arange(9.0)), "labels must hold both classes, got 9 real and 0 generated"),
        (lambda: fit_thresholds([0, 1], [0.0, 1.0], miss_rate=0.0), "miss_rate must lie strictly between 0 and 1"),
    ],
)
def test_unusable_input_is_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_a_table_of_scores_is_refused():
    with pytest.raises(ShapeError, match=r"one-dimensional, got shape \(6, 2\)"):
        Thresholds(np.zeros((6, 2)), 0.0)


def test_a_verdict_loads_nothing_beyond_numpy():
    script = (
        "import sys, spectell.evaluation.thresholds, spectell.evaluation.calibration\n"
        "print([m for m in ('scipy', 'sklearn', 'pandas', 'torch', 'PIL') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
