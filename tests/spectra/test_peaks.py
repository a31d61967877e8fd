"""Peaks: none in noise beyond the false-alarm rate, and those that were put there at their place."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from spectell.errors import ParameterError, ShapeError
from spectell.spectra import DECIBELS, Peak, dct_position, find_peaks, group_peaks, tile_periodogram

RADIUS = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64))
RADIUS[0, 0] = 1 / 64
FILTERS = {"white": RADIUS**0, "1/f": 1 / RADIUS, "smooth": np.exp(-20 * RADIUS**2)}


def as_pixels(signal):
    """Scale to a mean of 128 and a deviation of 30 and round to 8 bits, shape (..., H, W, 1)."""
    scaled = 128 + 30 * (signal - signal.mean()) / signal.std()
    return scaled.round().clip(0, 255).astype(np.uint8)[..., None]


def filtered(rng, n, response):
    return as_pixels(np.fft.irfft2(np.fft.rfft2(rng.normal(size=(n, 64, 64))) * response, s=(64, 64)))


def mean_and_error(images, size, **arguments):
    spectra = np.array([tile_periodogram(image, size=size, max_tiles=1, **arguments) for image in images], float)
    return spectra.mean(axis=0), spectra.std(axis=0, ddof=1) / np.sqrt(len(spectra))


@pytest.mark.parametrize(
    ("name", "signal"), [("white", "luma"), ("1/f", "luma"), ("smooth", "luma"), ("1/f", "activity")]
)
def test_noise_has_peaks_no_more_often_than_stated(rng, name, signal):
    found, found_without_error = 0, 0
    for index in range(200):
        mean, error = mean_and_error(filtered(rng, 6, FILTERS[name]), 32, signal=signal)
        found += bool(find_peaks(mean, error, false_alarm=0.01).peaks)
        if index % 2:
            found_without_error += bool(find_peaks(mean, None, false_alarm=0.01).peaks)
    assert found <= 8  # of 200 at 1 %; more has a probability of 0.0002
    assert found_without_error <= 6


def test_more_false_alarms_are_accepted_where_more_are_asked_for(rng):
    spectra = [mean_and_error(filtered(rng, 10, 1.0 + 0 * RADIUS), 32) for _ in range(40)]
    few, many = (
        sum(len(find_peaks(*spectrum, false_alarm=rate).peaks) for spectrum in spectra) for rate in (0.01, 0.9)
    )
    assert few <= 3
    assert many >= few + 5


@pytest.mark.parametrize(
    ("vertical", "horizontal"),
    [(0.0, 0.125), (0.125, 0.0), (0.0, 0.5), (0.5, 0.5), (0.3, 0.21), (-0.2, 0.4), (1 / 3, 0)],
)
def test_a_weak_periodic_pattern_is_found_where_it_is(rng, vertical, horizontal):
    rows, columns = np.indices((70, 70))
    wave = np.cos(2 * np.pi * (vertical * rows + horizontal * columns))
    noise = rng.normal(128, 20, size=(20, 70, 70, 1))
    images = (noise + 3 * wave[..., None]).round().clip(0, 255).astype(np.uint8)
    search = find_peaks(*mean_and_error(images, 64))
    (peak,) = search.peaks
    assert (peak.vertical, peak.horizontal) == pytest.approx((vertical, horizontal), abs=0.3 / 64)
    assert peak.p_value < 0.01
    assert peak.standard_errors > search.threshold
    # Power over that of the noise: amplitude**2 / 4 * sum(window)**2 / sum(window**2) / variance; where the wave is its
    # own opposite, 4 times that. The mean logarithm of noise is Euler's gamma lower, and real bins are raised by ln 2.
    real = {vertical, horizontal} <= {0.0, 0.5}
    power = 3**2 / 4 * (64 / 2) ** 4 / (64 * 3 / 8) ** 2 / 20**2
    expected = DECIBELS * (np.log(8 * power if real else power + 1) + np.euler_gamma)
    # Between bins a Hann window loses up to 2.8 dB where the frequency lies between bins in both directions.
    assert expected - 3.5 < peak.height_db < expected + 2


def test_a_picture_repeated_in_pixels_has_no_peaks_but_nulls_where_theory_says(rng):
    noise = filtered(rng, 30, FILTERS["white"])
    doubled = noise.repeat(2, axis=1).repeat(2, axis=2)
    mean, error = mean_and_error(doubled, 64)
    search = find_peaks(mean, error)
    assert search.peaks == ()
    # |1 + exp(-2 pi i f)|**2 / 2 for each direction, 0 at half the sampling rate.
    expected = np.log(2 * np.cos(np.pi * np.arange(4, 25) / 64) ** 2)
    levels = np.mean(mean[8:24, 4:25], axis=0)
    np.testing.assert_allclose(levels - levels.mean(), expected - expected.mean(), atol=0.25)
    assert np.median(mean[4:28, 32]) < np.median(mean[4:28, 16]) - 3


@pytest.mark.parametrize(("factor", "steepness"), [(2, 1.5), (4, 0.5)])
def test_zero_insertion_repeats_the_low_frequencies_on_a_grid(rng, factor, steepness):
    small = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(20, 64, 64))) / RADIUS**steepness, s=(64, 64))
    spread = np.zeros((20, 64 * factor, 64 * factor))
    spread[:, ::factor, ::factor] = small / small.std() * 30 + 100
    images = spread.round().clip(0, 255).astype(np.uint8)[..., None]
    grids = group_peaks(find_peaks(*mean_and_error(images, 64)).peaks)
    assert grids[0].period == factor
    found = {
        (round(peak.vertical * factor) / factor, round(peak.horizontal * factor) / factor) for peak in grids[0].peaks
    }
    multiples = range(factor // 2 + 1)
    assert {(v / factor, h / factor) for v in multiples for h in multiples} - {(0, 0)} <= found


def test_an_enlarged_picture_has_the_peaks_of_its_scale_in_the_activity(rng):
    images = [
        np.asarray(Image.fromarray(image[..., 0]).resize((96, 96), Image.Resampling.BILINEAR))[..., None]
        for image in filtered(rng, 30, FILTERS["white"])
    ]
    grids = group_peaks(find_peaks(*mean_and_error(images, 64, signal="activity")).peaks)
    assert 3 in {grid.period for grid in grids}


def test_bright_axes_are_no_peaks_and_a_spot_on_them_is(rng):
    spectrum = rng.normal(0, 0.1, size=(64, 33))
    spectrum[0] += 4
    spectrum[:, 0] += 4
    assert find_peaks(spectrum, 0.1).peaks == ()
    spectrum[0, 16] += 2
    (peak,) = find_peaks(spectrum, 0.1).peaks
    assert (peak.vertical, peak.horizontal) == (0, 0.25)
    assert peak.height_db == pytest.approx(2 * DECIBELS, rel=0.15)


def test_a_background_that_is_rough_has_no_peaks_however_small_its_standard_error(rng):
    spectrum = rng.normal(0, 1, size=(64, 33))
    assert find_peaks(spectrum, 0.01).peaks == ()


@pytest.mark.parametrize("response", ["blur", "box", "enlarged"])
def test_a_spectrum_that_bends_has_no_peaks_however_many_images_show_it(rng, response):
    vertical, horizontal = np.fft.fftfreq(160)[:, None], np.fft.rfftfreq(160)
    responses = {
        "blur": np.exp(-2 * np.pi**2 * (1.2 * horizontal) ** 2 + 0 * vertical),  # a Gaussian of 1.2 pixels, sideways
        "box": np.abs((1 + 2 * np.cos(2 * np.pi * vertical)) * (1 + 2 * np.cos(2 * np.pi * horizontal))),
        "enlarged": np.square((1 + 2 * np.cos(2 * np.pi * vertical)) * (1 + 2 * np.cos(2 * np.pi * horizontal))),
    }
    noise = np.fft.rfft2(rng.normal(size=(300, 160, 160)))
    images = [as_pixels(each) for each in np.fft.irfft2(noise * responses[response], s=(160, 160))]
    assert find_peaks(*mean_and_error(images, 128)).peaks == ()


def test_the_background_follows_a_steep_spectrum_and_passes_under_its_peaks(rng):
    truth = -3 * np.log(np.maximum(RADIUS, 1 / 64))
    peaked = truth.copy()
    peaked[8, 8] += 3
    search = find_peaks(peaked + rng.normal(0, 0.05, truth.shape), 0.05)
    outer = (RADIUS > 0.1) & (RADIUS < 0.6)
    assert np.abs(search.background - truth)[outer].max() < 0.15
    assert [(peak.vertical, peak.horizontal) for peak in search.peaks] == [(0.125, 0.125)]


@given(row=st.integers(0, 63), column=st.integers(0, 32))
@settings(max_examples=40, deadline=None)
def test_positions_stay_in_their_range_and_name_the_frequency_that_was_raised(row, column):
    spectrum = np.random.default_rng(row).normal(0, 0.05, size=(64, 33))
    spectrum[row, column] += 3
    if column in {0, 32}:
        spectrum[-row % 64, column] = spectrum[row, column]
    far = np.hypot(min(row, 64 - row), column) / 64 >= 0.05
    peaks = find_peaks(spectrum, 0.05).peaks
    assert len(peaks) == far
    for peak in peaks:
        assert -0.5 < peak.vertical <= 0.5
        assert 0 <= peak.horizontal <= 0.5
        vertical, horizontal = (row / 64 + 0.5) % 1 - 0.5, column / 64
        distances = [
            np.hypot((peak.vertical - s * vertical + 0.5) % 1 - 0.5, (peak.horizontal - s * horizontal + 0.5) % 1 - 0.5)
            for s in (1, -1)
        ]
        assert min(distances) < 0.3 / 64


def test_peaks_come_highest_first_and_low_ones_can_be_left_out(rng):
    spectrum = rng.normal(0, 0.05, size=(64, 33))
    for height, row in ((1.0, 10), (3.0, 20), (2.0, 40)):
        spectrum[row, 12] += height
    search = find_peaks(spectrum, 0.05)
    assert [round(peak.vertical * 64) for peak in search.peaks] == [20, -24, 10]
    assert len(find_peaks(spectrum, 0.05, min_height_db=6).peaks) == 2
    assert len(find_peaks(spectrum, 0.05, lowest=0.33).peaks) == 2
    assert search.background.shape == search.error.shape == spectrum.shape


def test_a_spectrum_without_any_scatter_is_no_error():
    assert find_peaks(np.zeros((32, 17)), 0.0).peaks == ()
    assert find_peaks(np.zeros((32, 17)), None).peaks == ()


def test_opposite_diagonals_are_drawn_together_on_a_dct():
    assert dct_position(Peak(-0.2, 0.4, 3, 1e-5, 6, 1 / 64)) == dct_position(Peak(0.2, 0.4, 3, 1e-5, 6, 1 / 64))


@pytest.mark.parametrize(
    ("spectrum", "arguments", "error", "message"),
    [
        (np.zeros((64, 64)), {}, ShapeError, "N even, got"),
        (np.zeros((16, 9)), {}, ShapeError, "at least 32 rows, got 16; use larger tiles"),
        (np.zeros((64, 33)), {"standard_error": np.ones(33)}, ShapeError, r"shape \(64, 33\).*got \(33,\)"),
        (np.zeros((64, 33)), {"standard_error": -1.0}, ParameterError, "no standard error negative"),
        (np.full((64, 33), np.nan), {}, ParameterError, "must be finite"),
        (np.zeros((64, 33)), {"false_alarm": 1.0}, ParameterError, "false_alarm=1.0"),
        (np.zeros((64, 33)), {"lowest": 0.5}, ParameterError, "lowest=0.5"),
        (np.zeros((64, 33)), {"min_height_db": -1}, ParameterError, "min_height_db=-1"),
    ],
)
def test_errors_name_what_is_wrong(spectrum, arguments, error, message):
    with pytest.raises(error, match=message):
        find_peaks(spectrum, **{"standard_error": None, **arguments})
