import numpy as np
import pytest

from spectell.errors import ParameterError
from spectell.perturbations.resize import KERNELS, Resize, resize


def test_a_box_of_two_averages_blocks(rng):
    image = rng.integers(0, 256, (6, 10, 3), dtype=np.uint8)
    expected = image.reshape(3, 2, 5, 2, 3).mean(axis=(1, 3))
    # Pillow rounds twice, after the columns and after the rows.
    assert np.abs(resize(image, 3, 5, "box") - expected).max() <= 1.0


def test_nearest_neighbour_doubling_repeats_pixels(rng):
    image = rng.integers(0, 256, (3, 5, 3), dtype=np.uint8)
    np.testing.assert_array_equal(resize(image, 6, 10, "nearest"), image.repeat(2, axis=0).repeat(2, axis=1))


def test_rows_stay_rows_on_an_image_that_is_not_square():
    image = np.zeros((10, 30, 3), np.uint8)
    image[5:] = 255
    result = resize(image, 20, 15, "nearest")
    assert result.shape == (20, 15, 3)
    assert not result[:10].any()
    assert result[10:].all()


def test_kernels_differ(rng):
    image = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert len({resize(image, 11, 23, kernel).tobytes() for kernel in KERNELS}) == len(KERNELS)


def test_halving_is_as_likely_as_doubling_and_the_sides_keep_their_ratio(rng):
    draws = [Resize(0.25, 4.0).draw(rng, (1000, 400)) for _ in range(1000)]
    scales = np.array([draw["height"] / 1000 for draw in draws])
    assert 0.25 <= scales.min() < 0.27
    assert 3.7 < scales.max() <= 4.0
    assert 0.44 < np.mean(scales < 1) < 0.56
    assert all(abs(draw["width"] - 0.4 * draw["height"]) <= 1 for draw in draws)
    assert {draw["kernel"] for draw in draws} == {"bilinear", "bicubic", "lanczos"}


def test_restoring_gives_the_size_back_but_not_the_detail(rng):
    image = rng.integers(0, 256, (40, 61, 3), dtype=np.uint8)
    there_and_back = Resize(0.5, 0.5, kernels=("bicubic",), restore=True)
    result = there_and_back.apply(image, there_and_back.draw(rng, image.shape))
    assert result.shape == image.shape
    assert result.std() < 0.7 * image.std()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_scale": 0.0}, "scale must satisfy 0.01 <= min_scale"),
        ({"min_scale": 3.0}, "got min_scale=3.0, max_scale=2.0"),
        ({"kernels": ("cubic",)}, "kernels must be some of nearest, box, .* got cubic$"),
        ({"kernels": ()}, "kernels must be some of"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        Resize(**settings)
