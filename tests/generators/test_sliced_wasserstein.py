import numpy as np
import pytest

from spectell.errors import ParameterError, ShapeError
from spectell.generators.sliced_wasserstein import laplacian_pyramid, sliced_wasserstein


@pytest.fixture
def images(rng):
    def draw(n=40, spread=40.0):
        return rng.normal(128, spread, (n, 32, 32, 3)).clip(0, 255).astype(np.uint8)

    return draw


def test_the_pyramid_adds_up_to_the_images(images):
    pictures = images(3)
    fine, coarse = laplacian_pyramid(pictures)
    np.testing.assert_allclose(fine + coarse.repeat(2, axis=1).repeat(2, axis=2), pictures, atol=1e-3)
    assert np.abs(fine.reshape(3, 16, 2, 16, 2, 3).mean(axis=(2, 4))).max() < 1e-4


def test_the_distance_grows_with_the_difference(images):
    real = images()
    floor = sliced_wasserstein(real, images())
    distances = [sliced_wasserstein(real, images(spread=spread)) for spread in (30.0, 20.0, 5.0)]
    assert [floor, *distances] == sorted([floor, *distances])
    assert distances[0] > 2 * floor


def test_a_pattern_that_the_mean_does_not_show_counts(images):
    real = images()
    checked = real.astype(int)
    checked[:, ::2, ::2] += 25
    checked[:, 1::2, 1::2] += 25
    checked[:, ::2, 1::2] -= 25
    checked[:, 1::2, ::2] -= 25
    other = checked.clip(0, 255).astype(np.uint8)
    assert sliced_wasserstein(real, other) > 1.5 * sliced_wasserstein(real, images())


def test_one_dimension_by_hand():
    """Constant images after standardising by a constant real set are all far, and equal sets are at zero."""
    real = np.zeros((2, 16, 16, 3), np.uint8)
    assert sliced_wasserstein(real, real) == 0
    assert sliced_wasserstein(real, real + 1) > 1e6


@pytest.mark.parametrize("shape", [(2, 32, 32), (2, 32, 16, 3), (2, 16, 16, 3)])
def test_wrong_shapes_are_refused(images, shape):
    with pytest.raises(ShapeError, match="real and generated must have one shape"):
        sliced_wasserstein(np.zeros((2, 32, 32, 3), np.uint8), np.zeros(shape, np.uint8))


def test_no_images_are_refused():
    with pytest.raises(ParameterError, match="at least one image"):
        sliced_wasserstein(np.zeros((0, 32, 32, 3)), np.zeros((0, 32, 32, 3)))
