"""Radial profiles against a loop over coefficients in exact fractions, and power laws with known exponents."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectell.errors import ParameterError, ShapeError
from spectell.spectra import RadialProfile, directional_profiles, fit_power_law, radial_profile
from spectell.transforms import dct2

SHAPES = [(8, 8), (9, 9), (16, 12), (7, 20), (1, 6), (5, 1), (1, 1)]


def frequency(index, n, transform):
    """Absolute frequency in cycles per pixel, from the definition of the transform."""
    if transform == "dct":
        return Fraction(index, 2 * n)
    return Fraction(min(index, n - index), n)


def naive_profile(power, transform):
    height, width = power.shape
    rings = {}
    for k in range(height):
        for l in range(width):  # noqa: E741
            squared = frequency(k, height, transform) ** 2 + frequency(l, width, transform) ** 2
            ring = 0 if k == l == 0 else 1
            # Radius in rings at least ring + 1/2: compared as squares, without rounding.
            while (k or l) and 4 * squared * max(height, width) ** 2 >= (2 * ring + 1) ** 2:
                ring += 1
            rings.setdefault(ring, []).append((math.sqrt(squared), power[k, l]))
    members = [np.array(rings[ring]) for ring in sorted(rings)]
    return [m[:, 0].mean() for m in members], [m[:, 1].mean() for m in members], [len(m) for m in members]


@pytest.mark.parametrize("transform", ["dct", "dft"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_profile_is_that_of_a_naive_loop(rng, shape, transform):
    power = rng.exponential(size=shape)
    profile = radial_profile(power, transform=transform)
    radius, mean, count = naive_profile(power, transform)
    assert profile.count.tolist() == count
    np.testing.assert_allclose(profile.frequency, radius, rtol=1e-12)
    np.testing.assert_allclose(profile.power, mean, rtol=1e-12)


@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    transform=st.sampled_from(["dct", "dft"]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_no_power_is_lost_or_counted_twice(shape, transform, seed):
    power = np.random.default_rng(seed).exponential(size=shape)
    profile = radial_profile(power, transform=transform)
    assert profile.count.sum() == power.size
    assert profile.count @ profile.power == pytest.approx(power.sum(), rel=1e-12)
    assert (np.diff(profile.frequency) > 0).all()
    assert profile.frequency[-1] <= math.sqrt(0.5)


def power_of(pixels, transform):
    if transform == "dct":
        return dct2(pixels[..., None])[..., 0] ** 2
    return np.abs(np.fft.fft2(pixels)) ** 2 / pixels.size


@pytest.mark.parametrize("transform", ["dct", "dft"])
def test_a_constant_image_is_in_the_first_ring_alone(transform):
    profile = radial_profile(power_of(np.full((24, 40), 7.0), transform), transform=transform)
    assert profile.power[0] == pytest.approx(49 * 24 * 40)
    assert profile.count[0] == 1
    np.testing.assert_allclose(profile.power[1:], 0, atol=1e-20)


@pytest.mark.parametrize("transform", ["dct", "dft"])
@pytest.mark.parametrize("shape", [(128, 128), (96, 160)])
def test_white_noise_is_flat(rng, shape, transform):
    powers = np.mean([power_of(rng.normal(size=shape), transform) for _ in range(40)], axis=0)
    profile = radial_profile(powers, transform=transform)
    deviation = np.abs(profile.power[1:] - 1) / np.sqrt(2 / (40 * profile.count[1:]))
    assert deviation.max() < 4.5


@pytest.mark.parametrize("transform", ["dct", "dft"])
def test_a_wave_lands_in_the_ring_of_its_frequency_also_where_the_image_is_not_square(transform):
    rows, columns = np.indices((64, 160))
    for wave in (np.cos(2 * np.pi * 0.25 * (rows + 0.5)), np.cos(2 * np.pi * 0.25 * (columns + 0.5))):
        profile = radial_profile(power_of(wave, transform), transform=transform)
        ring = int(profile.power.argmax())
        assert profile.frequency[ring] == pytest.approx(0.25, abs=0.5 / 160)
        assert profile.power[ring] * profile.count[ring] == pytest.approx(np.sum(wave**2))


def test_a_square_image_has_half_as_many_rings_as_pixels_and_its_corners_above():
    for transform in ("dct", "dft"):
        profile = radial_profile(np.ones((64, 64)), transform=transform)
        assert (profile.frequency <= 0.5).sum() == 33
        assert profile.frequency[-1] > 0.68


@pytest.mark.parametrize("transform", ["dct", "dft"])
@pytest.mark.parametrize("shape", [(32, 32), (20, 48)])
def test_directions_hold_the_coefficients_within_fifteen_degrees(rng, shape, transform):
    power = rng.exponential(size=shape)
    height, width = shape
    profiles = directional_profiles(power, transform=transform)
    kept = {"horizontal": (0, 15), "vertical": (75, 90), "diagonal": (30, 60)}
    vertical = np.array([float(frequency(k, height, transform)) for k in range(height)])[:, None]
    horizontal = np.array([float(frequency(k, width, transform)) for k in range(width)])
    angle = np.degrees(np.arctan2(vertical, horizontal))
    ring = np.floor(np.hypot(vertical, horizontal) * max(shape) + 0.5)
    for name, (low, high) in kept.items():
        inside = (angle >= low - 1e-6) & (angle <= high + 1e-6)
        for index in (3, 7, 12):
            members = power[inside & (ring == index)]
            expected = members.mean() if members.size else np.nan
            assert getattr(profiles, name)[index] == pytest.approx(expected, nan_ok=True)
    np.testing.assert_allclose(profiles.frequency, radial_profile(power, transform=transform).frequency)


def test_directions_do_not_confuse_rows_and_columns():
    rows = np.indices((32, 48))[0]
    power = power_of(np.cos(2 * np.pi * 0.25 * (rows + 0.5)), "dct")
    profiles = directional_profiles(power)
    assert np.nanmax(profiles.vertical) > 1e6 * max(np.nanmax(profiles.horizontal), np.nanmax(profiles.diagonal))
    assert np.isnan(profiles.vertical[profiles.frequency > 0.53]).all()


def power_law_field(rng, shape, exponent):
    """Gaussian noise whose expected power is 1 / f**exponent: shaped in the Fourier domain."""
    radius = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1]))
    radius[0, 0] = 1
    return np.fft.irfft2(np.fft.rfft2(rng.normal(size=shape)) / radius ** (exponent / 2), s=shape)


@pytest.mark.parametrize(("shape", "exponent"), [((64, 64), 2.0), ((48, 96), 1.0), ((64, 64), 0.0)])
def test_the_interval_of_the_exponent_covers_it_as_often_as_it_says(rng, shape, exponent):
    laws = [
        fit_power_law(radial_profile(power_of(power_law_field(rng, shape, exponent), "dft"), transform="dft"))
        for _ in range(120)
    ]
    covered = sum(law.low <= exponent <= law.high for law in laws)
    assert covered >= 105  # of 120: 95 % less 4 standard errors
    assert abs(np.mean([law.exponent for law in laws]) - exponent) < 0.04
    assert np.median([law.high - law.low for law in laws]) < 0.5


def test_the_interval_widens_where_the_spectrum_is_no_power_law():
    f = np.arange(1, 60) / 128
    count = np.full(59, 10**6)
    straight = fit_power_law(RadialProfile(f, f**-2.0, count))
    bent = fit_power_law(RadialProfile(f, f**-2.0 * np.exp(-8 * f), count))
    assert straight.high - straight.low < 1e-3
    assert straight.r_squared == pytest.approx(1)
    assert bent.high - bent.low > 0.5
    assert bent.r_squared < 0.99


def test_a_law_gives_back_what_made_it():
    f = np.arange(0, 50) / 100
    power = np.append(1e9, 3.5 * f[1:] ** -1.7)
    law = fit_power_law(RadialProfile(f, power, np.arange(1, 51)), low=0.05, high=0.3)
    assert law.exponent == pytest.approx(1.7)
    assert law.log_power_at_one == pytest.approx(math.log(3.5))
    assert law.frequency_range == pytest.approx((0.05, 0.3))
    assert law.low <= law.exponent <= law.high


PROFILE = RadialProfile(np.arange(9) / 16, np.ones(9), np.ones(9, int))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: radial_profile(np.ones((3, 3, 3))), ShapeError, r"\(H, W\).*got \(3, 3, 3\)"),
        (lambda: radial_profile(np.ones((0, 3))), ShapeError, "at least one coefficient"),
        (lambda: radial_profile(np.ones((3, 3)), transform="fft"), ParameterError, "'dct' or 'dft', got 'fft'"),
        (lambda: directional_profiles(np.ones(3)), ShapeError, r"got \(3,\)"),
        (lambda: fit_power_law(PROFILE, low=0.3, high=0.2), ParameterError, "low=0.3, high=0.2"),
        (lambda: fit_power_law(PROFILE, confidence=1.0), ParameterError, "confidence=1.0"),
        (lambda: fit_power_law(PROFILE, n_spectra=0), ParameterError, "n_spectra=0"),
        (lambda: fit_power_law(PROFILE, low=0.3, high=0.4), ParameterError, "hold 2 rings, a fit needs 3; widen it"),
        (lambda: fit_power_law(radial_profile(np.eye(32) * 0)), ParameterError, "a flat image follows no power law"),
    ],
)
def test_errors_name_what_is_wrong(call, error, message):
    with pytest.raises(error, match=message):
        call()
