"""Tile periodograms against the definition, and their levels against noise of known power."""

import io

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ParameterError, ShapeError
from spectell.spectra import POWER_OFFSET, luma_and_differences, sample_blocks, tile_periodogram, unfold_periodogram
from spectell.spectra.periodogram import noise_error


def naive_periodogram(pixels, size, max_tiles, seed, activity=False):
    taper = np.sin(np.pi * np.arange(size) / size) ** 2
    window = taper[:, None] * taper
    logs = []
    for row, column in zip(*sample_blocks(pixels.shape, size=size, max_blocks=max_tiles, seed=seed), strict=True):
        y = luma_and_differences(pixels[row : row + size, column : column + size])[..., 0].astype(float)
        if activity:
            bends = np.zeros_like(y)
            for r in range(size - 1):
                for c in range(size - 1):
                    bends[r, c] = np.log(1 + abs(y[r, c] - y[r + 1, c] - y[r, c + 1] + y[r + 1, c + 1]))
            y = bends
        y = (y - (y * window).sum() / window.sum()) * window
        power = np.abs(np.fft.fft2(y)) ** 2 / (window**2).sum()
        for real in ((0, size // 2), (size // 2, 0), (size // 2, size // 2)):
            power[real] *= 2
        logs.append(np.log(power + POWER_OFFSET))
    return np.mean(logs, axis=0)[:, : size // 2 + 1]


@pytest.mark.parametrize("signal", ["luma", "activity"])
@pytest.mark.parametrize(("shape", "size"), [((40, 70), 16), ((32, 32), 32), ((33, 50), 18)])
def test_it_is_the_mean_log_power_of_windowed_tiles(rng, shape, size, signal):
    pixels = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    expected = naive_periodogram(pixels, size, 3, 5, activity=signal == "activity")
    result = tile_periodogram(pixels, size=size, max_tiles=3, seed=5, signal=signal)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=2e-3)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_level_of_noise_is_its_variance_at_every_frequency(rng, channels):
    noise = np.repeat(rng.normal(128, 20, (400, 40, 40, 1)), channels, axis=-1).round().clip(0, 255).astype(np.uint8)
    mean = np.mean([tile_periodogram(pixels, size=32, max_tiles=1) for pixels in noise], axis=0)
    level = mean - (np.log(400) - np.euler_gamma)  # of the logarithm of an exponential variable
    level[[0, 0, 1, -1, 1, -1], [0, 1, 0, 0, 1, 1]] = 0  # DC and what shares its window
    deviation = np.full(level.shape, np.pi / np.sqrt(6 * 400))
    deviation[[0, 16, 16], [16, 0, 16]] *= np.sqrt(3)
    assert np.abs(level / deviation).max() < 4.7


def test_grey_given_once_is_grey_given_three_times(rng):
    grey = rng.integers(0, 256, (50, 60, 1), dtype=np.uint8)
    expected = tile_periodogram(np.repeat(grey, 3, axis=2), size=32)
    np.testing.assert_allclose(tile_periodogram(grey, size=32), expected, atol=1e-3)


@pytest.mark.parametrize("signal", ["luma", "activity"])
@pytest.mark.parametrize("level", [0, 200, 255])
def test_a_flat_image_is_at_the_offset_at_every_frequency(level, signal):
    result = tile_periodogram(np.full((40, 40, 3), level, np.uint8), size=32, signal=signal)
    np.testing.assert_allclose(result, np.log(POWER_OFFSET), atol=1e-3)


def test_the_error_of_noise_is_its_scatter(rng):
    """Against draws: of 2000 spectra of one tile, and of their means over four."""
    noise = rng.normal(128, 20, (2000, 16, 16, 1)).round().clip(0, 255).astype(np.uint8)
    logs = np.array([tile_periodogram(pixels, size=16, max_tiles=1) for pixels in noise])
    outside = np.hypot(np.fft.fftfreq(16)[:, None], np.fft.rfftfreq(16)) > 1.5 / 16  # DC shares its window there
    for n_tiles, means in ((1, logs), (4, logs.reshape(-1, 4, 16, 9).mean(axis=1))):
        ratio = means.std(axis=0, ddof=1) / noise_error(n_tiles, 16)
        np.testing.assert_allclose(ratio[outside], 1, atol=5 * np.sqrt(1.1 / len(means)))
        assert ratio[8, 8] == pytest.approx(1, abs=5 * np.sqrt(1.1 / len(means)))


@pytest.mark.parametrize("size", [4, 6, 32])
def test_unfolding_fills_in_the_opposite_frequencies(rng, size):
    image = rng.normal(size=(size, size))
    half = np.abs(np.fft.rfft2(image))
    np.testing.assert_allclose(unfold_periodogram(half), np.abs(np.fft.fft2(image)))


def test_a_jpeg_grid_has_lines_in_the_activity_and_none_in_the_luma(rng):
    file = io.BytesIO()
    smooth = np.add.outer(np.arange(200), np.arange(200)) * 0.4 + rng.normal(40, 3, (200, 200))
    Image.fromarray(smooth.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=60)
    pixels = np.asarray(Image.open(file))[..., None]
    excess = {}
    for signal in ("luma", "activity"):
        line = tile_periodogram(pixels, size=64, signal=signal)[0]
        excess[signal] = line[16] - np.median(line[[12, 13, 19, 20]])
    assert excess["activity"] > 2
    assert excess["luma"] < 2


@pytest.mark.parametrize(
    ("shape", "arguments", "error", "message"),
    [
        ((40, 40, 3), {"size": 31}, ParameterError, "even and at least 4, got 31"),
        ((40, 40, 3), {"size": 2}, ParameterError, "got 2"),
        ((40, 40, 3), {"size": 16, "max_tiles": 0}, ParameterError, "max_blocks=0"),
        ((40, 40, 3), {"size": 16, "signal": "chroma"}, ParameterError, "'luma' or 'activity', got 'chroma'"),
        ((40, 40), {"size": 16}, ShapeError, r"\(H, W, 3\) or \(H, W, 1\), got \(40, 40\)"),
        ((40, 40, 3), {"size": 64}, ShapeError, "choose size <= 40"),
    ],
)
def test_errors_name_what_is_wrong(shape, arguments, error, message):
    with pytest.raises(error, match=message):
        tile_periodogram(np.zeros(shape, np.uint8), **arguments)


@pytest.mark.parametrize("shape", [(8, 4), (7, 4), (8,)])
def test_only_halves_are_unfolded(shape):
    with pytest.raises(ShapeError, match="N even"):
        unfold_periodogram(np.zeros(shape))
