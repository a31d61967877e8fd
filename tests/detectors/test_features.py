"""The front ends against their definitions, and as scikit-learn transformers."""

import numpy as np
import pytest
from scipy import fft
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from spectell.detectors.cooccurrence import CooccurrenceFeatures
from spectell.detectors.features import MAX_TILES, BlockFeatures, DCTFeatures, PixelFeatures, tile_corners
from spectell.detectors.registry import FRONT_ENDS, get_front_end
from spectell.detectors.ridge import RidgeDetector
from spectell.errors import ArtifactError, ParameterError, ShapeError

FRONT_ENDS_OF_8 = [PixelFeatures(8), DCTFeatures(8), BlockFeatures(8)]


def image(rng, height, width):
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_pixel_features_run_from_minus_one_to_one(rng):
    features = PixelFeatures(5).transform([image(rng, 5, 5)])
    assert features.dtype == np.float32
    flat = [np.full((5, 5, 3), value, np.uint8) for value in (0, 255)]
    assert np.unique(PixelFeatures(5).transform(flat), axis=1).tolist() == [[-1.0], [1.0]]


def test_dct_features_are_the_papers(rng):
    pixels = image(rng, 96, 96)
    expected = np.log(np.abs(fft.dctn(pixels.astype(np.float64), norm="ortho", axes=(0, 1))) + 1e-12)
    found = DCTFeatures(96).transform([pixels]).reshape(96, 96, 3)
    trusted = expected > np.log(1e-2)
    np.testing.assert_allclose(found[trusted], expected[trusted], atol=5e-2)


def test_block_features_average_power_and_log_power_over_blocks(rng):
    pixels = image(rng, 8, 8)
    found = BlockFeatures(8, colour=False).transform([pixels])[0].reshape(2, 8, 8)
    luma = pixels @ np.array([0.299, 0.587, 0.114])
    expected = np.log(fft.dctn(luma, norm="ortho") ** 2 + 1e-3)
    np.testing.assert_allclose(found[0], expected, atol=1e-2)  # one block: both averages are its own spectrum
    np.testing.assert_allclose(found[1], expected, atol=1e-2)


@pytest.mark.parametrize("front_end", FRONT_ENDS_OF_8)
@pytest.mark.parametrize("shape", [(8, 8), (8, 31), (50, 17)])
def test_rows_have_the_stated_length_for_any_size(rng, front_end, shape):
    rows = front_end.rows(image(rng, *shape))
    assert rows.dtype == np.float32
    assert rows.shape[1] == front_end.n_features
    assert np.isfinite(rows).all()


@pytest.mark.parametrize("front_end", FRONT_ENDS_OF_8)
def test_an_image_below_the_smallest_size_or_without_three_channels_is_refused(rng, front_end):
    with pytest.raises(ShapeError, match="at least 8 x 8, got 7 x 40"):
        front_end.transform([image(rng, 7, 40)])
    with pytest.raises(ShapeError, match=r"\(H, W, 3\)"):
        front_end.transform([np.zeros((9, 9), np.uint8)])


def test_rows_and_columns_are_not_swapped(rng):
    pixels = image(rng, 8, 8)
    assert (PixelFeatures(8).row(pixels) != PixelFeatures(8).row(pixels.transpose(1, 0, 2))).any()


def test_training_features_of_a_large_image_are_the_mean_over_the_tiles_that_are_scored(rng):
    pixels = image(rng, 20, 33)
    rows = DCTFeatures(8).rows(pixels)
    assert len(rows) == 2 * 4
    np.testing.assert_allclose(DCTFeatures(8).transform([pixels])[0], rows.mean(axis=0))


@pytest.mark.parametrize(("height", "width", "size"), [(8, 8, 8), (50, 70, 8), (9, 300, 8)])
def test_tiles_lie_inside_do_not_overlap_and_stay_few(height, width, size):
    corners = tile_corners(height, width, size)
    assert len(set(corners)) == len(corners) <= MAX_TILES
    covered = np.zeros((height, width), int)
    for top, left in corners:
        assert top + size <= height
        assert left + size <= width
        covered[top : top + size, left : left + size] += 1
    assert covered.max() == 1
    assert covered.sum() == len(corners) * size**2


def test_thorough_looks_at_all_tiles(rng):
    pixels = image(rng, 100, 100)
    assert len(PixelFeatures(8).rows(pixels)) == MAX_TILES
    assert len(PixelFeatures(8).rows(pixels, thorough=True)) == 144


@pytest.mark.parametrize("name", ["pixel", "dct", "blocks"])
def test_a_front_end_is_rebuilt_from_its_configuration(name):
    front_end = get_front_end(name)(size=12)
    again = get_front_end(name).from_config(front_end.config, {})
    assert again.config == front_end.config
    assert again.n_features == front_end.n_features


@pytest.mark.parametrize("name", sorted(FRONT_ENDS))
def test_every_registered_front_end_loads(name):
    assert get_front_end(name).name == name


@pytest.mark.parametrize(
    ("config", "arrays", "error"),
    [
        ({"size": 0}, {}, ParameterError),
        ({"size": True}, {}, ParameterError),
        ({"size": "8"}, {}, ParameterError),
        ({"size": 8, "more": 1}, {}, ArtifactError),
        ({}, {}, ArtifactError),
        ({"size": 8}, {"weights": np.zeros(2)}, ArtifactError),
    ],
)
def test_a_configuration_without_a_meaning_is_refused(config, arrays, error):
    with pytest.raises(error):
        PixelFeatures.from_config(config, arrays)


def test_front_ends_are_transformers_that_can_be_cloned_and_piped(rng):
    front_end = clone(BlockFeatures(size=8, max_blocks=9))
    assert front_end.get_params()["max_blocks"] == 9
    assert front_end.set_params(size=4).n_features == 96
    with pytest.raises(ParameterError, match="no parameter 'sise'"):
        front_end.set_params(sise=4)
    images = [image(rng, 9, 9) // (1 + i % 2) for i in range(12)]
    pipeline = make_pipeline(front_end, RidgeDetector()).fit(images, [0, 1] * 6)
    assert pipeline.predict(images).tolist() == [0, 1] * 6
    assert BlockFeatures(4).transform([]).shape == (0, 96)


@pytest.mark.parametrize(
    ("few", "many"),
    [
        (BlockFeatures(size=8, max_blocks=64, full_side=96), BlockFeatures(size=8, max_blocks=32)),
        (CooccurrenceFeatures(size=8, max_windows=64, full_side=96), CooccurrenceFeatures(size=8, max_windows=32)),
    ],
)
def test_a_small_image_gets_blocks_in_proportion_to_its_side(rng, few, many):
    pixels = image(rng, 48, 48)
    np.testing.assert_array_equal(few.rows(pixels), many.rows(pixels))
    assert (few.rows(pixels) != few.rows(pixels, thorough=True)).any()
    with pytest.raises(ParameterError, match="full_side must be a whole number from 1"):
        few.set_params(full_side=0).check_params()


def test_a_file_without_a_parameter_that_was_added_later_is_read_as_it_was_meant():
    before = {name: value for name, value in BlockFeatures(size=8).config.items() if name != "full_side"}
    assert BlockFeatures.from_config(before, {}).full_side is None
