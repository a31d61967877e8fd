import numpy as np
import pytest

from spectell.images import ImageFacts
from spectell.spectra import find_peaks, tile_periodogram
from spectell.spectra.periodogram import noise_error
from spectell.workflows.explaining.image_peaks import find_image_peaks

LOSSLESS = ImageFacts("PNG", width=256, height=256, mode="RGB")


def noise(rng, side, stripes=0.0, period=8):
    waves = stripes * np.cos(2 * np.pi * np.arange(side) / period)[:, np.newaxis, np.newaxis]
    return (rng.normal(128, 15, (side, side, 1)) + waves + np.zeros(3)).clip(0, 255).astype(np.uint8)


def test_stripes_are_found_where_they_are(rng):
    found = find_image_peaks(noise(rng, 256, stripes=8.0), LOSSLESS)
    (group,) = found.groups
    assert (group.period, group.peaks[0].vertical, group.peaks[0].horizontal) == (8, pytest.approx(1 / 8), 0)
    assert "JPEG grid or up-sampling, not distinguishable" in group.meaning
    assert found.count == 1


def test_all_tiles_of_the_image_are_looked_at(rng):
    pixels = noise(rng, 200, stripes=4.0, period=5)
    search = find_peaks(tile_periodogram(pixels, max_tiles=64), noise_error(4, 128))  # 2 x 2 that overlap
    assert [peak for group in find_image_peaks(pixels, LOSSLESS).groups for peak in group.peaks] == list(search.peaks)


def test_noise_has_none_but_by_chance(rng):
    assert sum(find_image_peaks(noise(rng, 160), LOSSLESS).count > 0 for _ in range(12)) <= 1


@pytest.mark.parametrize(("side", "tile"), [(128, 128), (127, 64), (64, 64)])
def test_the_tile_fits_the_image(rng, side, tile):
    assert find_image_peaks(noise(rng, side), LOSSLESS).tile_size == tile


def test_below_the_smallest_tile_nothing_is_said(rng):
    assert find_image_peaks(noise(rng, 63), LOSSLESS) is None


@pytest.mark.parametrize("level", [0, 90, 255])
@pytest.mark.parametrize("shape", [(200, 300), (64, 64)])
def test_a_picture_of_one_grey_has_none(shape, level):
    assert find_image_peaks(np.full((*shape, 3), level, np.uint8), LOSSLESS).groups == ()


def test_a_drawing_of_few_rectangles_has_none(rng):
    """Most tiles hold nothing, so their spectrum scatters by rounding alone; that is no measure of its noise."""
    for _ in range(10):
        pixels = np.full((300, 300, 3), 255, np.uint8)
        row, column = rng.integers(0, 200, 2)
        pixels[row : row + rng.integers(2, 100), column : column + rng.integers(2, 100)] = rng.integers(0, 256, 3)
        assert find_image_peaks(pixels, LOSSLESS).groups == ()
