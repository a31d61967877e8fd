import numpy as np
import pytest

from spectell.errors import ParameterError
from spectell.perturbations.noise import GaussianNoise

FLAT = np.full((200, 150, 3), 128, np.uint8)


@pytest.mark.parametrize("sigma", [2.0, 5.0, 20.0])
def test_sigma_is_the_standard_deviation(sigma):
    noisy = GaussianNoise().apply(FLAT, {"sigma": sigma, "seed": 3}).astype(float)
    expected = np.sqrt(sigma**2 + 1 / 12)  # rounding adds the variance of a uniform number of width 1
    assert noisy.std() == pytest.approx(expected, rel=0.01)
    assert noisy.mean() == pytest.approx(128, abs=5 * sigma / np.sqrt(FLAT.size))


def test_noise_is_independent_between_rows_columns_and_channels():
    noise = GaussianNoise().apply(FLAT, {"sigma": 10.0, "seed": 3}).astype(float) - 128
    pairs = [(noise[1:], noise[:-1]), (noise[:, 1:], noise[:, :-1]), (noise[..., 1:], noise[..., :-1])]
    for one, other in pairs:
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.02


def test_values_are_clipped_and_do_not_wrap_around():
    for value in (0, 255):
        noisy = GaussianNoise().apply(np.full((50, 50, 3), value, np.uint8), {"sigma": 5.0, "seed": 1})
        assert np.abs(noisy.astype(int) - value).max() < 40
        assert 0.4 < np.mean(noisy == value) < 0.6


def test_truncation_darkens_by_half_a_value():
    noisy = GaussianNoise(truncate=True).apply(FLAT, {"sigma": 5.0, "seed": 3}).astype(float)
    assert noisy.mean() == pytest.approx(127.5, abs=0.08)


def test_a_sigma_of_zero_changes_nothing():
    np.testing.assert_array_equal(GaussianNoise().apply(FLAT, {"sigma": 0.0, "seed": 1}), FLAT)


def test_the_variance_can_be_what_is_uniform(rng):
    noise = GaussianNoise(5**0.5, 20**0.5, uniform_in="variance")
    variances = np.array([noise.draw(rng, (8, 8))["sigma"] ** 2 for _ in range(4000)])
    assert 4.999 < variances.min() < 5.1
    assert 19.9 < variances.max() < 20.001
    assert variances.mean() == pytest.approx(12.5, abs=0.3)


def test_sigma_is_uniform_otherwise(rng):
    sigmas = np.array([GaussianNoise(5, 20).draw(rng, (8, 8))["sigma"] for _ in range(4000)])
    assert sigmas.mean() == pytest.approx(12.5, abs=0.3)
    assert np.median(sigmas) == pytest.approx(12.5, abs=0.5)


def test_two_draws_give_different_noise(rng):
    noise = GaussianNoise(5, 5)
    first, second = (noise.apply(FLAT, noise.draw(rng, FLAT.shape)) for _ in range(2))
    assert np.mean(first == second) < 0.1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_sigma": -1.0}, "sigma must satisfy 0.0 <= min_sigma"),
        ({"min_sigma": 6.0}, "got min_sigma=6.0, max_sigma=5.0"),
        ({"uniform_in": "power"}, "uniform_in must be 'sigma' or 'variance', got 'power'"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        GaussianNoise(**settings)
