"""Co-occurrences against a definition written with loops."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spectell.detectors.cooccurrence import CooccurrenceFeatures, cooccurrences
from spectell.errors import ParameterError, ShapeError


def luma(pixels):
    red, green, blue = np.moveaxis(pixels.astype(int), -1, 0)
    return (77 * red + 150 * green + 29 * blue) // 256


def level(difference, step):
    return int(np.clip(int(difference / step), -2, 2))


def runs_along(plane, step, *, second=False, across=False):
    """Runs of four of one window, difference direction last, one at a time."""
    found = []
    difference = np.diff(plane, axis=1)
    if second:
        difference = np.diff(difference, axis=1) // 2
    lines = difference.T if across else difference
    for line in lines:
        levels = [level(value, step) for value in line]
        found += [tuple(levels[i : i + 4]) for i in range(len(levels) - 3)]
    return found


def naive_features(pixels, step):
    residuals = []
    for kind in ({}, {"across": True}, {"second": True}):
        counts = Counter()
        for plane in (luma(pixels), luma(pixels).T):
            for run in runs_along(plane, step, **kind):
                negative = tuple(-value for value in run)
                counts[min(run, run[::-1], negative, negative[::-1])] += 1
        total = sum(counts.values())
        residuals.append(sorted(np.sqrt(count / total) for count in counts.values()))
    return residuals


@pytest.mark.parametrize("step", [1, 2, 3])
def test_features_are_the_shares_of_the_runs(rng, step):
    pixels = np.cumsum(rng.integers(-4, 5, (12, 12, 3)), axis=1).clip(-90, 90) + 120
    features = CooccurrenceFeatures(size=12, step=step).transform([pixels.astype(np.uint8)])[0]
    for found, expected in zip(features.reshape(3, -1), naive_features(pixels, step), strict=True):
        np.testing.assert_allclose(sorted(found[found > 0]), expected, rtol=1e-6)


def test_the_fold_joins_a_run_with_its_reverse_and_its_negative_and_nothing_else():
    ramp = np.zeros((8, 8, 3), np.uint8) + np.arange(8, dtype=np.uint8)[:, np.newaxis]
    front_end = CooccurrenceFeatures(size=8)
    rising, falling = (front_end.row(image) for image in (ramp, ramp[:, ::-1]))
    np.testing.assert_array_equal(rising, falling)
    steeper = front_end.row((ramp * 2).astype(np.uint8))
    assert np.abs(rising - steeper).max() > 0.5


@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=3, min_side=4, max_side=9), elements=st.integers(0, 4))
)
@settings(max_examples=50, deadline=None)
def test_counting_finds_each_run_once(levels):
    expected = np.zeros(625, int)
    for line in levels.reshape(len(levels), -1).T.tolist():
        for i in range(len(line) - 3):
            a, b, c, d = line[i : i + 4]
            expected[((a * 5 + b) * 5 + c) * 5 + d] += 1
    np.testing.assert_array_equal(cooccurrences(levels), expected)


def test_a_turned_image_has_the_same_features_and_a_blurred_one_has_not(rng):
    pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    front_end = CooccurrenceFeatures()
    np.testing.assert_allclose(front_end.row(pixels), front_end.row(pixels.transpose(1, 0, 2)), atol=1e-6)
    smooth = (pixels.astype(int) + np.roll(pixels, 1, axis=1)) // 2
    assert np.abs(front_end.row(pixels) - front_end.row(smooth.astype(np.uint8))).max() > 0.01


def test_a_large_image_costs_a_bounded_number_of_windows_unless_thorough(rng):
    pixels = rng.integers(0, 256, (200, 300, 3), dtype=np.uint8)
    front_end = CooccurrenceFeatures(max_windows=4)
    assert (front_end.rows(pixels) != front_end.rows(pixels, thorough=True)).any()
    assert front_end.rows(pixels, thorough=True).shape == (1, front_end.n_features)


def test_arguments_without_a_meaning_and_small_images_are_refused(rng):
    with pytest.raises(ParameterError, match="step must be a whole number"):
        CooccurrenceFeatures(step=0).check_params()
    with pytest.raises(ShapeError, match="at least 32 x 32"):
        CooccurrenceFeatures().transform([rng.integers(0, 256, (31, 40, 3), dtype=np.uint8)])
