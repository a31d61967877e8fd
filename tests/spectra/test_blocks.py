"""Block-averaged spectra against a loop over `dct2` of each block in float64."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectell.errors import ParameterError, ShapeError
from spectell.spectra import POWER_OFFSET, block_spectra, luma_and_differences, sample_blocks
from spectell.transforms import dct2


def naive_block_spectra(pixels, size, max_blocks, seed, colour, offset):
    channels = pixels.astype(np.float64)
    if pixels.shape[2] == 3:
        red, green, blue = np.moveaxis(channels, -1, 0)
        luma = 0.299 * red + 0.587 * green + 0.114 * blue
        differences = [0.5 * (blue - luma) / (1 - 0.114), 0.5 * (red - luma) / (1 - 0.299)]
        channels = np.stack([luma, *differences] if colour else [luma], axis=-1)
    places = zip(*sample_blocks(pixels.shape, size=size, max_blocks=max_blocks, seed=seed), strict=True)
    powers = [dct2(channels[r : r + size, c : c + size]) ** 2 for r, c in places]
    return np.log(np.mean(powers, axis=0) + offset), np.mean(np.log(np.add(powers, offset)), axis=0), len(powers)


def photograph(rng, shape):
    """Uint8 pixels whose spectrum falls as natural ones do: a clipped random walk both ways."""
    walk = rng.normal(size=shape).cumsum(0).cumsum(1)
    return np.clip(128 + 60 * walk / walk.std(), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(
    ("shape", "size", "max_blocks"),
    [((32, 32, 3), 32, 256), ((300, 217, 3), 32, 256), ((97, 140, 3), 16, 40), ((61, 45, 3), 7, None)],
)
def test_block_spectra_are_averages_over_the_sampled_blocks(rng, shape, size, max_blocks, colour):
    pixels = rng.integers(0, 256, shape, dtype=np.uint8)
    spectrum = block_spectra(pixels, size=size, max_blocks=max_blocks, seed=3, colour=colour, offset=0.5)
    log_mean, mean_log, n_blocks = naive_block_spectra(pixels, size, max_blocks, 3, colour, 0.5)
    assert spectrum.n_blocks == n_blocks
    assert spectrum.log_mean_power.dtype == spectrum.mean_log_power.dtype == np.float32
    assert spectrum.log_mean_power.shape == (size, size, 3 if colour else 1)
    np.testing.assert_allclose(spectrum.log_mean_power, log_mean, atol=2e-4)
    np.testing.assert_allclose(spectrum.mean_log_power, mean_log, atol=2e-4)


def test_a_steep_spectrum_does_not_drown_in_single_precision(rng):
    pixels = photograph(rng, (200, 200, 3))
    spectrum = block_spectra(pixels, colour=True)
    log_mean, mean_log, _ = naive_block_spectra(pixels, 32, 256, 0, True, POWER_OFFSET)
    np.testing.assert_allclose(spectrum.log_mean_power, log_mean, atol=1e-3)
    np.testing.assert_allclose(spectrum.mean_log_power, mean_log, atol=5e-3)


@given(
    size=st.integers(1, 24), extra=st.tuples(st.integers(0, 60), st.integers(0, 60)), channels=st.sampled_from([1, 3])
)
@settings(max_examples=60, deadline=None)
def test_any_size_gives_finite_spectra_in_jensens_order(size, extra, channels):
    pixels = np.random.default_rng(size).integers(0, 256, (size + extra[0], size + extra[1], channels), np.uint8)
    spectrum = block_spectra(pixels, size=size, colour=channels == 3)
    assert np.isfinite(spectrum.log_mean_power).all()
    assert (spectrum.mean_log_power <= spectrum.log_mean_power + 1e-4).all()


def test_a_flat_image_is_dead_except_for_its_mean():
    spectrum = block_spectra(np.full((80, 80, 3), 255, np.uint8), colour=True)
    alive = spectrum.log_mean_power > np.log(POWER_OFFSET) + 1e-2
    assert np.argwhere(alive).tolist() == [[0, 0, 0]]
    assert spectrum.log_mean_power[0, 0, 0] == pytest.approx(2 * np.log(255 * 32), rel=1e-5)


def test_stripes_across_the_rows_are_seen_in_the_first_column():
    stripes = np.zeros((64, 96, 1), np.uint8)
    stripes[::2] = 200
    spectrum = block_spectra(stripes)
    row, column = np.unravel_index(spectrum.log_mean_power[1:, :, 0].argmax(), (31, 32))
    assert (row + 1, column) == (31, 0)


def test_grey_in_three_channels_equals_one_channel_and_has_no_colour(rng):
    grey = rng.integers(0, 256, (90, 70, 1), dtype=np.uint8)
    one = block_spectra(grey)
    three = block_spectra(np.repeat(grey, 3, axis=2), colour=True)
    np.testing.assert_allclose(three.log_mean_power[..., 0], one.log_mean_power[..., 0], atol=1e-4)
    assert np.exp(three.log_mean_power[..., 1:]).max() < 2 * POWER_OFFSET


def test_colour_adds_channels_and_leaves_the_luma_alone(rng):
    pixels = rng.integers(0, 256, (50, 60, 3), dtype=np.uint8)
    luma, colour = block_spectra(pixels), block_spectra(pixels, colour=True)
    np.testing.assert_allclose(luma.log_mean_power[..., 0], colour.log_mean_power[..., 0], atol=1e-3)
    np.testing.assert_allclose(luma.mean_log_power[..., 0], colour.mean_log_power[..., 0], atol=1e-3)


@pytest.mark.parametrize("view", [np.s_[::-1], np.s_[:, ::2], np.s_[::3, ::-1]])
def test_a_view_of_a_larger_image_is_read_as_its_copy(rng, view):
    pixels = rng.integers(0, 256, (200, 180, 3), dtype=np.uint8)
    before = pixels.copy()
    seen = block_spectra(pixels[view], size=16)
    np.testing.assert_array_equal(seen.log_mean_power, block_spectra(pixels[view].copy(), size=16).log_mean_power)
    np.testing.assert_array_equal(pixels, before)


def test_the_result_outlives_the_next_call_and_threads_do_not_share_buffers(rng):
    images = rng.integers(0, 256, (4, 128, 128, 3), dtype=np.uint8)
    serial = [block_spectra(image).mean_log_power for image in images]
    found = {}

    def work(number):
        for _ in range(20):
            found[number] = block_spectra(images[number]).mean_log_power

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(4):
        np.testing.assert_array_equal(found[number], serial[number])


def test_luma_and_differences_are_those_of_jpeg_files(rng):
    from PIL import Image

    pixels = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    expected = np.asarray(Image.fromarray(pixels).convert("YCbCr")).astype(float) - [0, 128, 128]
    np.testing.assert_allclose(luma_and_differences(pixels), expected, atol=1.01)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: luma_and_differences(np.ones((4, 4, 1))), ShapeError, r"\(\.\.\., 3\), got \(4, 4, 1\); repeat"),
        (lambda: block_spectra(np.ones((40, 40))), ShapeError, r"\(H, W, 3\) or \(H, W, 1\), got \(40, 40\)"),
        (lambda: block_spectra(np.ones((40, 40, 4))), ShapeError, r"got \(40, 40, 4\)"),
        (lambda: block_spectra(np.ones((40, 40, 1)), colour=True), ShapeError, r"\(H, W, 3\) for colour"),
        (lambda: block_spectra(np.ones((31, 40, 3))), ShapeError, "choose size <= 31, got 32"),
        (lambda: block_spectra(np.ones((40, 40, 3)), offset=0), ParameterError, "offset must be positive and finite"),
        (lambda: block_spectra(np.ones((40, 40, 3)), max_blocks=-1), ParameterError, "max_blocks=-1"),
    ],
)
def test_errors_name_the_shape_or_the_value(call, error, message):
    with pytest.raises(error, match=message):
        call()
