"""What is said of peaks: never more than the history of the file allows."""

import numpy as np
import pytest

from spectell.spectra import Peak, PeakCause, find_peaks, grid_period, group_peaks, peak_meaning, tile_periodogram
from spectell.spectra.peak_meaning import peak_meanings
from spectell.spectra.periodogram import noise_error


def peak_at(vertical, horizontal, height=6.0):
    return Peak(vertical, horizontal, height, 1e-6, 7.0, 1 / 128)


@pytest.mark.parametrize(
    ("vertical", "horizontal", "period"),
    [
        (0.0, 0.5, 2),
        (0.5, 0.5, 2),
        (-0.25, 0.25, 4),
        (0.5, 0.25, 4),
        (0.375, 0.0, 8),
        (1 / 3, 0.0, 3),
        (-0.2, 0.4, 5),
        (0.0625, 0.5, 16),
        (0.125 + 0.2 / 128, 0.0, 8),
        (0.125 + 0.4 / 128, 0.0, None),
        (1 / 17, 0.0, None),
        (0.25, 0.5 - 0.5 / 128, 4),
        (0.25, 0.5 - 0.7 / 128, None),
        (0.25 + 0.4 / 128, 0.5, None),
        (0.5 / 128, 0.375, 8),
    ],
)
def test_the_period_is_the_smallest_that_fits(vertical, horizontal, period):
    assert grid_period(peak_at(vertical, horizontal)) == period


@pytest.mark.parametrize("across", [0.0, 0.5, 0.25])
@pytest.mark.parametrize(("side", "amplitude"), [(32, 30), (64, 25)])
def test_a_wave_of_four_pixels_in_noise_has_a_period_of_four(rng, side, amplitude, across):
    rows, columns = np.indices((side, side))
    waves = amplitude * np.cos(2 * np.pi * (rows / 4 + columns * across) + rng.uniform(0, 6, (100, 1, 1)))
    images = (rng.normal(128, 15, waves.shape) + waves).round().clip(0, 255).astype(np.uint8)
    found = [
        grid_period(peak)
        for image in images
        for peak in find_peaks(tile_periodogram(image[..., None], size=side), noise_error(1, side)).peaks
    ]
    assert len(found) > 50
    assert sum(period != 4 for period in found) <= 0.02 * len(found) + 2


@pytest.mark.parametrize(
    ("resolution", "on_axis", "anywhere"), [(1 / 128, 0.11, 0.006), (1 / 64, 0.23, 0.02), (1 / 32, 0.45, 0.08)]
)
def test_random_positions_have_a_period_no_more_often_than_stated(rng, resolution, on_axis, anywhere):
    positions = rng.uniform(0, 0.5, (20_000, 2))
    far = positions[np.hypot(*positions.T) > 0.05]

    def share(places):
        periods = [grid_period(Peak(v, h, 6.0, 1e-6, 7.0, resolution)) for v, h in places.tolist()]
        return np.mean([period is not None and period <= 8 for period in periods])

    assert share(far) <= anywhere * 1.1
    assert share(positions[positions[:, 0] > 0.05] * [1, 0]) <= on_axis * 1.1


@pytest.mark.parametrize(
    ("offset", "beside"), [(0.35, True), (0.9, True), (-0.9, True), (1.1, False), (2.0, False), (5.0, False)]
)
def test_a_peak_less_than_a_bin_beside_a_jpeg_frequency_is_not_said_to_have_none(offset, beside):
    meaning = peak_meaning(peak_at(0.375 + offset / 128, 0.25 - offset / 128), jpeg_history=None, lossless=False)
    assert meaning.period is None
    assert meaning.text.startswith("Beside a frequency of a JPEG grid" if beside else "Not a frequency of a JPEG grid")
    assert "possible" in meaning.text or "can" in meaning.text


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("jpeg_history", [True, None])
@pytest.mark.parametrize("position", [(0, 0.125), (0.25, 0), (0.5, 0.5), (0.375, 0.125), (0, 0.0625)])
def test_with_a_possible_jpeg_history_its_grid_cannot_be_told_from_up_sampling(position, jpeg_history, lossless):
    meaning = peak_meaning(peak_at(*position), jpeg_history=jpeg_history, lossless=lossless)
    assert meaning.cause is PeakCause.JPEG_OR_UPSAMPLING
    assert "or up-sampling, not distinguishable" in str(meaning)
    assert meaning.upsampling_factor is None


@pytest.mark.parametrize("jpeg_history", [True, False, None])
def test_a_period_of_two_names_colour_filters(jpeg_history):
    assert "colour filters" in peak_meaning(peak_at(0.5, 0.5), jpeg_history=jpeg_history, lossless=False).text
    assert "colour filters" not in peak_meaning(peak_at(0.25, 0), jpeg_history=jpeg_history, lossless=False).text


@pytest.mark.parametrize(("position", "factor"), [((0, 0.5), 2), ((0.25, 0.25), 4), ((0.125, 0), 8), ((0, 0.0625), 16)])
def test_a_factor_is_suggested_only_where_the_file_is_lossless_in_origin(position, factor):
    peak = peak_at(*position)
    for jpeg_history in (True, False, None):
        for lossless in (True, False):
            expected = factor if lossless and jpeg_history is False else None
            assert peak_meaning(peak, jpeg_history=jpeg_history, lossless=lossless).upsampling_factor == expected
    cause = peak_meaning(peak, jpeg_history=False, lossless=True).cause
    assert cause is (PeakCause.COLOUR_FILTER_OR_UPSAMPLING if factor == 2 else PeakCause.UPSAMPLING)


def factors(*positions, lossless=True):
    peaks = [peak_at(*position) for position in positions]
    found = peak_meanings(peaks, jpeg_history=not lossless, lossless=lossless)
    assert [meaning.text for meaning in found] == [
        peak_meaning(peak, jpeg_history=not lossless, lossless=lossless).text for peak in peaks
    ]
    return [meaning.upsampling_factor for meaning in found]


def test_the_harmonics_of_an_enlargement_suggest_its_factor_and_no_divisor_of_it():
    assert factors((0.5, 0.5), (0, 0.5), (0.25, 0.5)) == [4, 4, 4]
    assert factors((0.5, 0), (0.25, 0), (0.125, 0)) == [8, 8, 8]
    assert factors((0.5, 0), (0, 0.5)) == [2, 2]
    assert factors((0.5, 0), (1 / 3, 0), (1 / 6, 0)) == [2, None, None]
    assert factors((0.5, 0), (0.25, 0), (0.0625, 0)) == [4, 4, None]  # one peak makes no long period
    assert factors((0.5, 0.5), (0.25, 0), lossless=False) == [None, None]
    assert factors() == []


@pytest.mark.parametrize("jpeg_history", [True, False, None])
@pytest.mark.parametrize("position", [(1 / 3, 0), (0.3, 0.21)])
def test_other_frequencies_may_be_resizing_or_the_picture(position, jpeg_history):
    meaning = peak_meaning(peak_at(*position), jpeg_history=jpeg_history, lossless=True)
    assert meaning.cause is PeakCause.RESAMPLING
    assert "possible" in meaning.text
    assert meaning.upsampling_factor is None


def test_harmonics_are_one_grid_and_the_highest_comes_first():
    peaks = [
        peak_at(0, 0.125, 3),
        peak_at(0.25, 0.25, 5),
        peak_at(0.5, 0, 9),
        peak_at(1 / 3, 0, 12),
        peak_at(0.3, 0.21, 1),
    ]
    grids = group_peaks(peaks)
    assert [grid.period for grid in grids] == [3, 8, None]
    assert [peak.height_db for peak in grids[1].peaks] == [9, 5, 3]


def test_a_grid_is_read_by_its_highest_peak_that_is_no_harmonic():
    peaks = [peak_at(0, 0.125, 3), peak_at(0.375, 0, 4), peak_at(0.25, 0.25, 5), peak_at(0.5, 0, 9)]
    (grid,) = group_peaks(peaks)
    assert grid.own_peak == peaks[1]
    (single,) = group_peaks([peak_at(0.3, 0.21)])
    assert single.own_peak == peak_at(0.3, 0.21)


def test_one_peak_does_not_make_a_long_period():
    assert [grid.period for grid in group_peaks([peak_at(1 / 15, 0), peak_at(1 / 3, 0)])] == [3, None]
    assert [grid.period for grid in group_peaks([peak_at(1 / 15, 0), peak_at(2 / 15, 0), peak_at(1 / 3, 0)])] == [15]


def test_every_peak_is_in_exactly_one_grid_and_none_gives_none():
    peaks = [peak_at(k / 16, m / 12, k + m) for k in range(1, 8) for m in range(6)]
    grouped = [peak for grid in group_peaks(peaks) for peak in grid.peaks]
    assert sorted(grouped, key=id) == sorted(peaks, key=id)
    assert group_peaks([]) == ()
