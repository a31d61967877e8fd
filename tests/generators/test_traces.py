import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from spectell.errors import ParameterError, ShapeError
from spectell.generators.traces import KERNELS, TraceSimulator, upsample


def smooth_image(rng, height, width):
    rows, columns = np.mgrid[:height, :width]
    waves = [np.sin(rows / rng.uniform(5, 30) + columns / rng.uniform(5, 30)) for _ in range(3)]
    return (
        (128 + 60 * np.stack(waves, axis=-1) + 8 * rng.standard_normal((height, width, 3)))
        .clip(0, 255)
        .astype(np.uint8)
    )


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6])
def test_upsampling_is_zero_insertion_and_convolution(rng, size):
    planes = rng.random((1, 9, 7)).astype(np.float32)
    kernel = rng.random((size, size))
    padded = np.pad(planes[0], 4, mode="edge")
    zeros = np.zeros((2 * padded.shape[0], 2 * padded.shape[1]))
    zeros[::2, ::2] = padded
    full = signal.convolve2d(zeros, kernel)
    start = 8 + (size - 1) // 2
    expected = full[start : start + 18, start : start + 14]
    np.testing.assert_allclose(upsample(planes, kernel)[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_fixed_kernels_keep_the_level_of_a_flat_image(name):
    flat = np.full((3, 5, 4), 0.7, np.float32)
    np.testing.assert_allclose(upsample(flat, np.outer(KERNELS[name], KERNELS[name])), 0.7, rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3), (4,), (7, 7)])
def test_a_kernel_of_another_shape_is_refused(shape):
    with pytest.raises(ShapeError, match=r"kernel must have the shape \(n, n\)"):
        upsample(np.zeros((1, 4, 4), np.float32), np.ones(shape))


@given(st.integers(0, 2**32), st.integers(8, 70), st.integers(8, 70))
@settings(max_examples=60, deadline=None)
def test_any_size_keeps_its_shape(seed, height, width):
    rng = np.random.default_rng(seed)
    simulator = TraceSimulator(max_stages=3)
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    traced = simulator.apply(image, simulator.draw(rng))
    assert traced.shape == image.shape
    assert traced.dtype == np.uint8


def test_a_draw_replays_exactly_from_json(rng):
    simulator = TraceSimulator()
    image = smooth_image(rng, 40, 56)
    for _ in range(20):
        drawn = simulator.draw(rng)
        replayed = json.loads(json.dumps(drawn))
        np.testing.assert_array_equal(simulator.apply(image, drawn), simulator.apply(image, replayed))


def test_the_same_seed_draws_the_same_decoder():
    simulator = TraceSimulator()
    assert simulator.draw(np.random.default_rng(3)) == simulator.draw(np.random.default_rng(3))
    assert simulator.draw(np.random.default_rng(3)) != simulator.draw(np.random.default_rng(4))


def test_the_input_is_left_alone(rng):
    image = smooth_image(rng, 32, 32)
    before = image.copy()
    TraceSimulator().apply(image, TraceSimulator().draw(rng))
    np.testing.assert_array_equal(image, before)


def test_the_picture_stays_recognisable_but_changes(rng):
    simulator = TraceSimulator()
    image = smooth_image(rng, 128, 96)
    for _ in range(30):
        traced = simulator.apply(image, simulator.draw(rng))
        assert np.corrcoef(traced.ravel(), image.ravel())[0, 1] > 0.85
        assert (traced != image).any()


def test_brightness_does_not_tell_the_classes_apart(rng):
    simulator = TraceSimulator()
    image = smooth_image(rng, 64, 64)
    shifts = [simulator.apply(image, simulator.draw(rng)).mean() - image.mean() for _ in range(40)]
    assert np.abs(shifts).max() < 4


def test_mismatched_phases_leave_a_checkerboard_of_period_two(rng):
    drawn = TraceSimulator().draw(rng)
    gains = np.tile([[1.05, 0.95], [0.95, 1.05]], (1, 1))
    drawn |= {"stages": [{"name": "shuffle", "kernel": gains.tolist()}], "convolutions": [], "detail": 0.0}
    traced = TraceSimulator().apply(np.full((16, 16, 3), 100, np.uint8), drawn)
    np.testing.assert_array_equal(traced[..., 0], np.tile([[105, 95], [95, 105]], (8, 8)))


def test_all_the_detail_without_mixing_returns_the_photograph(rng):
    drawn = TraceSimulator().draw(rng)
    drawn |= {"convolutions": [], "detail": 1.0, "mixing": np.eye(4).tolist()}
    image = smooth_image(rng, 24, 31)
    np.testing.assert_array_equal(TraceSimulator().apply(image, drawn), image)


def test_grey_levels_at_the_ends_do_not_wrap_around(rng):
    image = np.zeros((32, 32, 3), np.uint8)
    image[:, 16:] = 255
    simulator = TraceSimulator()
    for _ in range(20):
        traced = simulator.apply(image, simulator.draw(rng)).astype(int)
        assert np.abs(traced - image)[:, [0, 1, 2, -3, -2, -1]].max() < 100


@pytest.mark.parametrize(
    ("image", "error", "message"),
    [
        (np.zeros((16, 16), np.uint8), ShapeError, r"shape \(H, W, 3\)"),
        (np.zeros((7, 16, 3), np.uint8), ShapeError, "at least 8"),
        (np.zeros((16, 16, 3)), ParameterError, "float64"),
    ],
)
def test_unfit_images_are_refused(rng, image, error, message):
    with pytest.raises(error, match=message):
        TraceSimulator().apply(image, TraceSimulator().draw(rng))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_stages": 0}, "max_stages must be from 1 to 3, got 0"),
        ({"max_mismatch": 0.0}, "max_mismatch must be above 0"),
        ({"max_detail": 1.5}, "max_detail must be from 0 to 1"),
    ],
)
def test_parameters_outside_their_range_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        TraceSimulator(**arguments)
