"""Sums over images of one size against their definition in double precision, whichever way they are summed."""

import numpy as np
import pytest
from scipy.fft import dctn

from spectell.compiled import load_kernels
from spectell.workflows.mean_spectra import full as spectrum_full
from spectell.workflows.mean_spectra.full import FullSums

GREY = np.array((0.299, 0.587, 0.114))


@pytest.fixture(autouse=True, params=["compiled", "numpy"])
def summed_by(request, monkeypatch):
    if request.param == "numpy":
        monkeypatch.setattr(spectrum_full, "load_kernels", lambda: None)
    elif load_kernels() is None:
        pytest.skip("no kernels were compiled when the package was installed")


def noise(rng, n, height=16, width=24, scale=30.0):
    return rng.normal(128, scale, (n, height, width, 3)).clip(0, 255).astype(np.uint8)


def found(sums, images):
    for image in images:
        sums.add(image)
    return {key: (count, mean, squared) for key, count, mean, squared in sums.moments()}


def expected(images):
    """Coefficients and logarithms by channel, in double precision."""
    pixels = images.astype(np.float64)
    planes = dict(zip(("red", "green", "blue"), np.moveaxis(pixels, -1, 0), strict=True)) | {"grey": pixels @ GREY}
    signed = {f"signed/{name}": dctn(plane, type=2, norm="ortho", axes=(1, 2)) for name, plane in planes.items()}
    logs = {key.replace("signed", "log"): np.log(np.abs(values) + 1e-12) for key, values in signed.items()}
    return signed | logs


@pytest.mark.parametrize("n", [20, 32, 33, 300])
def test_moments_are_those_of_the_definition(rng, n):
    images = noise(rng, n)
    sums = found(FullSums(16, 24), images)
    for key, values in expected(images).items():
        count, mean, squared = sums[key]
        deviation = values.std(axis=0)
        off, spread_off = np.abs(mean - values.mean(axis=0)) / deviation, np.abs(squared / (n * deviation**2) - 1)
        assert count == n
        # Beside a mean of 2,500 single precision keeps 1e-4 of a coefficient. A logarithm magnifies the rounding of one
        # that happens to be nearly zero, of 100,000 perhaps one that becomes zero.
        signed = key.startswith("signed")
        assert not signed or max(off.max(), spread_off.max()) < 3e-5
        nearly_all = 1e-5 if signed else 1e-3
        assert max(np.quantile(off, 0.98), np.quantile(spread_off, 0.98)) < nearly_all


def checkerboards(rng, n, height=64, width=64):
    """One strong pattern, weak noise: half of the pattern lies in the last coefficient, none in the first columns."""
    board = np.where(np.indices((height, width)).sum(axis=0) % 2, 100.0, -100.0)[..., np.newaxis]
    return (128 + board + rng.normal(0, 2, (n, height, width, 3))).round().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("n_black", [0, 4])  # of those that the pilot is of
def test_a_pattern_that_all_images_share_does_not_drown_what_they_differ_by(rng, n_black):
    images = checkerboards(rng, 200)
    images[:n_black] = 0
    sums = found(FullSums(64, 64), images)
    for key, values in expected(images).items():
        _, mean, squared = sums[key]
        patterned = np.abs(values.mean(axis=0)) > 50 * values.std(axis=0)
        assert n_black or key.startswith("log") or patterned.sum() >= 2  # the mean, the last one
        spread_off = np.abs(np.sqrt(squared / len(images)) / values.std(axis=0) - 1)
        # Single precision keeps 5e-4 of a coefficient of 6,400 in the transform; what varies by 1 is rounded to that.
        assert spread_off[patterned].max(initial=0.0) < 1e-3
        if key.startswith("signed"):
            assert spread_off.max() < 1e-3
            assert (np.abs(mean - values.mean(axis=0)) < 2e-3).all()


def test_equal_images_vary_by_nothing(rng):
    sums = found(FullSums(16, 24), np.repeat(noise(rng, 1), 150, axis=0))
    for key, (_, mean, squared) in sums.items():
        assert (squared >= 0.0).all(), key
        assert (np.sqrt(squared / 150) <= 1e-7 * (1.0 + np.abs(mean))).all(), key


def test_what_little_alike_images_vary_by_is_not_drowned(rng):
    base = noise(rng, 1)
    images = np.repeat(base, 50, axis=0)
    images[7, 3, 5, 1] ^= 1  # one pixel of one image, by one level of brightness
    sums = found(FullSums(16, 24), images)
    values = expected(images)["signed/green"]
    _, mean, squared = sums["signed/green"]
    np.testing.assert_allclose(mean, values.mean(axis=0), rtol=1e-5, atol=3e-4)
    # Single precision keeps some 3e-5 of a coefficient of this size; the largest deviation is 0.1.
    np.testing.assert_allclose(squared, 50 * values.var(axis=0), atol=5e-6)
    assert squared.max() > 0.003
    _, _, none = sums["signed/red"]
    assert (none <= 50 * (1e-5 * np.abs(sums["signed/red"][1]) + 1e-5) ** 2).all()


def test_an_image_need_not_be_contiguous(rng):
    images = noise(rng, 9, height=24, width=16).transpose(0, 2, 1, 3)[:, ::-1]  # as one that was turned is
    sums = found(FullSums(16, 24), images)
    np.testing.assert_allclose(sums["signed/red"][1], expected(images)["signed/red"].mean(axis=0), rtol=1e-4, atol=1e-3)


def test_alike_and_different_images_add_up(rng):
    images = np.concatenate([np.repeat(noise(rng, 1), 32, axis=0), noise(rng, 32), np.repeat(noise(rng, 1), 9, axis=0)])
    sums = found(FullSums(16, 24), images)
    for key, values in expected(images).items():
        _, mean, squared = sums[key]
        allowed = 1e-5 if key.startswith("signed") else 1e-2
        np.testing.assert_allclose(mean, values.mean(axis=0), rtol=allowed, atol=1e-2 if allowed > 1e-3 else 1e-4)
        np.testing.assert_allclose(squared, len(images) * values.var(axis=0), rtol=10 * allowed)


@pytest.mark.parametrize("side", [32, 100, 208])
def test_flat_images_have_a_mean_and_nothing_else(side):
    levels = np.array([[10, 200, 31], [77, 3, 90], [128, 129, 130], [201, 7, 255], [255, 254, 1]], np.uint8)
    sums = found(FullSums(side, side), [np.broadcast_to(level, (side, side, 3)) for level in levels])
    for name, means in zip(("red", "green", "blue"), levels.T, strict=True):
        _, mean, squared = sums[f"signed/{name}"]
        assert mean[0, 0] == pytest.approx(means.mean() * side, rel=1e-6)
        assert np.count_nonzero(mean) == np.count_nonzero(squared) == 1
    for name in ("grey", "red", "green", "blue"):
        logs = sums[f"log/{name}"][1].ravel()[1:]
        np.testing.assert_allclose(logs, np.log(1e-12), rtol=1e-6)


@pytest.mark.parametrize("size", [(64, 64), (48, 80), (128, 128)])
def test_coefficients_beside_the_mean_lose_nothing_beside_it(rng, size):
    image = noise(rng, 1, *size, scale=2.0)
    sums = found(FullSums(*size), image)
    for name in ("red", "green", "blue"):
        off = np.abs(sums[f"signed/{name}"][1] - expected(image)[f"signed/{name}"][0])
        assert off[0, 0] < 1e-7 * 128 * np.sqrt(np.prod(size))
        off[0, 0] = 0.0
        assert off.max() < 1e-5  # of a standard deviation of 2; beside a mean of 128 it is 5 to 10 times that


@pytest.mark.parametrize("n", [1, 5])
def test_the_logarithm_of_zero_is_that_of_the_offset(rng, n):
    black = np.zeros((n, 16, 24, 3), np.uint8)
    mixed = np.concatenate([black, noise(rng, 30)])
    for images in (black, mixed):
        sums = found(FullSums(16, 24), images)
        for key, values in expected(images).items():
            np.testing.assert_allclose(sums[key][1], values.mean(axis=0), rtol=1e-4, atol=1e-3)
            assert np.isfinite(sums[key][2]).all()


def test_cleared_sums_forget_every_image(rng):
    images = noise(rng, 40)
    used = FullSums(16, 24)
    for image in noise(rng, 150):
        used.add(image)
    used.clear()
    again, fresh = found(used, images), found(FullSums(16, 24), images)
    for key, values in fresh.items():
        np.testing.assert_array_equal(again[key][1], values[1])
        np.testing.assert_array_equal(again[key][2], values[2])


@pytest.mark.parametrize(("height", "width"), [(600, 500), (512, 640)])
def test_images_larger_than_a_chunk_of_them(rng, height, width):
    images = noise(rng, 5, height=height, width=width)
    sums = found(FullSums(height, width), images)
    values = expected(images)["signed/blue"]
    # Beside a mean of 73,000 single precision keeps 4e-3 of its neighbours.
    np.testing.assert_allclose(sums["signed/blue"][1], values.mean(axis=0), rtol=1e-5, atol=4e-3)
    np.testing.assert_allclose(sums["signed/blue"][2], 5 * values.var(axis=0), rtol=1e-3)
