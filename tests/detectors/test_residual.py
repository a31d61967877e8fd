import numpy as np
import pytest
import pywt

from spectell.detectors.residual import WINDOWS, ResidualFeatures, denoising_residual, most_levels
from spectell.errors import ParameterError


def naive_residual(plane, sigma):
    """One level, one channel, every local mean by a loop."""
    _, details = pywt.dwt2(plane.astype(float), "db4")
    noise = []
    for band in details:
        rows, columns = band.shape
        kept = np.empty_like(band)
        for i in range(rows):
            for j in range(columns):
                local = []
                for side in WINDOWS:
                    r = side // 2
                    window = band[max(i - r, 0) : i + r + 1, max(j - r, 0) : j + r + 1]
                    local.append((window**2).sum() / side**2)
                v = max(min(local) - sigma**2, 0)
                kept[i, j] = band[i, j] * sigma**2 / (v + sigma**2)
        noise.append(kept)
    return pywt.idwt2((np.zeros_like(noise[0]), tuple(noise)), "db4")[: plane.shape[0], : plane.shape[1]]


@pytest.mark.parametrize("sigma", [0.8, 5.0])
def test_the_residual_is_that_of_the_definition(rng, sigma):
    image = rng.integers(0, 256, (21, 16, 3), dtype=np.uint8)
    found = denoising_residual(image, levels=1, sigma=sigma)
    assert found.dtype == np.float32
    assert found.shape == image.shape
    for channel in range(3):
        np.testing.assert_allclose(found[..., channel], naive_residual(image[..., channel], sigma), atol=1e-3)


def test_noise_is_in_the_residual_and_a_strong_edge_is_not(rng):
    image = np.full((64, 64, 1), 60.0)
    image[:, 32:] = 180
    noise = rng.normal(scale=2.0, size=image.shape)
    found = denoising_residual(np.rint(image + noise).astype(np.uint8), levels=3, sigma=2.0)[..., 0]
    away = np.r_[4:24, 40:60]
    assert np.corrcoef(found[:, away].ravel(), noise[:, away, 0].ravel())[0, 1] > 0.8
    assert abs(found).max() < 12


def test_more_noise_is_taken_out_where_more_is_expected(rng):
    image = rng.integers(80, 120, (64, 64, 3), dtype=np.uint8)
    energies = [
        float((denoising_residual(image, levels=2, sigma=sigma) ** 2).sum()) for sigma in (0.05, 0.8, 5.0, 50.0)
    ]
    assert energies == sorted(energies)


def test_levels_are_bounded_as_the_wavelets_library_bounds_them():
    for size in range(8, 300):
        assert most_levels(size) == pywt.dwt_max_level(size, pywt.Wavelet("db4").dec_len)


@pytest.mark.parametrize(
    ("front_end", "message"),
    [
        (ResidualFeatures(32, 3), "3 levels need images of at least 56 pixels, got 32"),
        (ResidualFeatures(32, 0), "levels must be a whole number from 1"),
        (ResidualFeatures(32, 1, 0.0), "sigma must be positive"),
    ],
)
def test_arguments_without_a_meaning_are_refused(front_end, message):
    with pytest.raises(ParameterError, match=message):
        front_end.check_params()
