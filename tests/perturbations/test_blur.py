import numpy as np
import pytest

from spectell.errors import ParameterError
from spectell.perturbations.blur import GaussianBlur


def naive_blur(image, sigma, size):
    """Two-dimensional sum over a mirrored image, in float64, pixel by pixel."""
    reach = size // 2
    offsets = np.arange(-reach, reach + 1)
    kernel = np.exp(-(offsets[:, None] ** 2 + offsets[None, :] ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    padded = np.pad(image.astype(float), ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
    height, width, _ = image.shape
    return np.array(
        [
            [(padded[r : r + size, c : c + size] * kernel[..., None]).sum(axis=(0, 1)) for c in range(width)]
            for r in range(height)
        ]
    )


@pytest.mark.parametrize(("sigma", "size"), [(0.8, 3), (4.0, 9), (1.3, 9)])
def test_blur_agrees_with_the_definition(rng, sigma, size):
    image = rng.integers(0, 256, (14, 23, 3), dtype=np.uint8)
    blurred = GaussianBlur().apply(image, {"sigma": sigma, "kernel_size": size})
    assert np.abs(blurred - naive_blur(image, sigma, size)).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("value", [0, 1, 127, 255])
def test_a_flat_image_stays_as_it_is(value):
    image = np.full((5, 9, 3), value, np.uint8)
    np.testing.assert_array_equal(GaussianBlur().apply(image, {"sigma": 1.7, "kernel_size": 9}), image)


def test_a_larger_sigma_leaves_less_detail(rng):
    image = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    spreads = [GaussianBlur().apply(image, {"sigma": s, "kernel_size": 15}).std() for s in (0.3, 0.8, 1.5, 2.5)]
    assert spreads == sorted(spreads, reverse=True)


def test_sigma_and_a_kernel_of_three_sigma_are_drawn_from_the_range(rng):
    draws = [GaussianBlur(0.5, 2.0).draw(rng, (8, 8)) for _ in range(300)]
    sigmas = np.array([draw["sigma"] for draw in draws])
    assert 0.5 <= sigmas.min() < 0.52
    assert 1.98 < sigmas.max() <= 2.0
    assert all((draw["kernel_size"] - 1) / 2 >= 3 * draw["sigma"] for draw in draws)


def test_without_a_sigma_the_kernel_size_decides_it(rng):
    blur = GaussianBlur(min_sigma=None, max_sigma=None, kernel_sizes=(3, 5, 7, 9))
    draws = {(draw["kernel_size"], round(draw["sigma"], 6)) for draw in (blur.draw(rng, (8, 8)) for _ in range(200))}
    assert draws == {(3, 0.8), (5, 1.1), (7, 1.4), (9, 1.7)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_sigma": 2.0, "max_sigma": 1.0}, "got min_sigma=2.0, max_sigma=1.0"),
        ({"min_sigma": 0.0, "max_sigma": 1.0}, "sigma must satisfy 0.01 <= min_sigma"),
        ({"min_sigma": None}, "min_sigma and max_sigma must both be numbers or both None"),
        ({"min_sigma": None, "max_sigma": None}, "kernel_sizes must be given where sigma is not"),
        ({"kernel_sizes": (3, 4)}, "kernel_sizes must be odd and positive"),
        ({"kernel_sizes": ()}, "kernel_sizes must be odd and positive"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        GaussianBlur(**settings)
