"""Backgrounds of single bins: what a parabola follows, and what moves it."""

import numpy as np
import pytest

from spectell.spectra.local_background import local_background

SIZE = 64
FREQUENCY = np.arange(SIZE) - SIZE // 2
NOISE = np.full((SIZE, SIZE), 0.1)


def at(*bins):
    return tuple(np.array(each) for each in zip(*bins, strict=True))


def test_a_quadratic_surface_is_followed_exactly():
    surface = 0.01 * FREQUENCY[:, None] ** 2 - 0.02 * FREQUENCY**2 + 0.1 * FREQUENCY
    inner = at((20, 20), (40, 25), (32, 44))
    assert local_background(surface, NOISE, *inner) == pytest.approx(surface[inner], abs=1e-9)


def test_a_bin_on_a_ridge_is_compared_with_the_ridge():
    surface = np.zeros((SIZE, SIZE))
    surface[19:22] = 5.0
    assert local_background(surface, NOISE, *at((20, 30))) == pytest.approx([5.0])
    assert local_background(surface, NOISE, *at((26, 30))) == pytest.approx([0.0], abs=0.4)


@pytest.mark.parametrize("distance", [4, 5, 8])
def test_a_neighbouring_peak_moves_it_little(distance):
    surface = np.zeros((SIZE, SIZE))
    surface[20, 20 + distance] = 10.0
    assert abs(local_background(surface, NOISE, *at((20, 20)))[0]) < 0.5


def test_it_wraps_around_as_frequencies_do():
    rng = np.random.default_rng(0)
    surface = rng.normal(size=(SIZE, SIZE))
    here = local_background(surface, NOISE, *at((20, 20), (33, 31)))
    moved = local_background(np.roll(surface, (30, 25), (0, 1)), NOISE, *at((50, 45), (63, 56)))
    assert moved == pytest.approx(here)


def test_what_lies_at_zero_frequency_does_not_count():
    flat = np.zeros((SIZE, SIZE))
    spiked = flat.copy()
    spiked[:2, :2] = 1e3
    assert local_background(spiked, NOISE, *at((0, 6), (4, 4))) == pytest.approx([0.0, 0.0], abs=1e-2)


def test_no_bins_are_no_error():
    none = np.array([], np.intp)
    assert local_background(np.zeros((SIZE, SIZE)), NOISE, none, none).shape == (0,)


def test_noise_far_below_the_values_is_no_error():
    rng = np.random.default_rng(0)
    surface = 1e9 * rng.normal(size=(SIZE, SIZE))
    everywhere = np.nonzero(np.ones((SIZE, SIZE)))
    found = local_background(surface, np.full((SIZE, SIZE), 1e-12), *everywhere)
    assert np.abs(found).max() < 2 * np.abs(surface).max()


def test_a_neighbouring_peak_moves_it_little_however_small_the_noise():
    surface = 1e7 * (FREQUENCY[:, None] ** 2 + 2.0 * FREQUENCY)
    peaked = surface.copy()
    peaked[20, 24] += 1e10
    here = at((20, 20))
    assert local_background(peaked, np.full((SIZE, SIZE), 1e-12), *here) == pytest.approx(surface[here], abs=1e6)
