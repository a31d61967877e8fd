"""Running statistics against a naive two-pass computation in extended precision."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectell.errors import ParameterError, ShapeError
from spectell.spectra import SpectrumStatistics
from spectell.transforms import dct2, log_scale


def two_pass(spectra, ddof=0):
    exact = np.asarray(spectra, dtype=np.longdouble)
    mean = exact.sum(0) / len(exact)
    return mean.astype(float), (np.square(exact - mean).sum(0) / (len(exact) - ddof)).astype(float)


@pytest.mark.parametrize("splits", [[], [1], [3, 7], [0, 9], list(range(1, 60)), [40]])
@pytest.mark.parametrize("ddof", [0, 1])
def test_statistics_do_not_depend_on_batching(rng, splits, ddof):
    spectra = 1e4 + rng.normal(size=(60, 3, 4, 2))
    statistics = SpectrumStatistics((3, 4, 2))
    for batch in np.split(spectra, splits):
        statistics.update(batch)
    mean, variance = two_pass(spectra, ddof)
    assert statistics.count == 60
    np.testing.assert_allclose(statistics.mean, mean, rtol=1e-13)
    np.testing.assert_allclose(statistics.variance(ddof=ddof), variance, rtol=1e-11)


def test_single_precision_keeps_a_small_deviation_beside_a_large_mean(rng):
    spectra = (1e4 + rng.normal(size=(500, 50))).astype(np.float32)
    statistics = SpectrumStatistics((50,)).update(spectra)
    mean, variance = two_pass(spectra)
    assert statistics.mean.dtype == statistics.variance().dtype == np.float64
    np.testing.assert_allclose(statistics.mean, mean, rtol=1e-9)
    np.testing.assert_allclose(statistics.variance(), variance, rtol=1e-5)


def test_a_wild_first_spectrum_does_not_spoil_the_others(rng):
    spectra = rng.normal(size=(64, 30)).astype(np.float32)
    spectra[0] = 1e6
    mean, variance = two_pass(spectra)
    statistics = SpectrumStatistics((30,)).update(spectra)
    np.testing.assert_allclose(statistics.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(statistics.variance(), variance, rtol=1e-5)


@given(
    sizes=st.lists(st.integers(0, 70), min_size=1, max_size=6),
    shape=st.sampled_from([(), (1,), (5, 3), (2, 2, 3)]),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_merging_in_any_order_is_the_serial_result(sizes, shape, order):
    rng = np.random.default_rng(sum(sizes))
    batches = [rng.normal(100, 3, size=(size, *shape)) for size in sizes]
    serial = SpectrumStatistics(shape).update(np.concatenate(batches))
    order.shuffle(batches)
    merged = SpectrumStatistics(shape)
    for batch in batches:
        part = SpectrumStatistics(shape).update(batch)
        before = part.state()
        merged.merge(part)
        assert all(np.array_equal(before[name], part.state()[name]) for name in before)
    assert merged.count == serial.count == sum(sizes)
    np.testing.assert_allclose(merged.mean, serial.mean, rtol=1e-12)
    if sum(sizes):
        np.testing.assert_allclose(merged.variance(), serial.variance(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float16, np.float32, np.float64])
def test_any_real_dtype_is_taken_and_left_alone(rng, dtype):
    spectra = rng.integers(0, 255, (9, 4)).astype(dtype)
    before = spectra.copy()
    statistics = SpectrumStatistics((4,)).update(spectra)
    mean, variance = two_pass(spectra)
    np.testing.assert_allclose(statistics.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(statistics.variance(), variance, rtol=1e-5)
    np.testing.assert_array_equal(spectra, before)


def test_a_mean_that_was_read_does_not_change_later(rng):
    statistics = SpectrumStatistics((3,)).update(rng.normal(size=(5, 3)))
    seen = statistics.mean
    copy = seen.copy()
    statistics.update(rng.normal(size=(5, 3)))
    np.testing.assert_array_equal(seen, copy)


def test_the_state_survives_a_file_without_pickle(rng, tmp_path):
    statistics = SpectrumStatistics((2, 3)).update(rng.normal(size=(7, 2, 3)))
    np.savez(tmp_path / "state.npz", **statistics.state())
    more = rng.normal(size=(4, 2, 3))
    with np.load(tmp_path / "state.npz", allow_pickle=False) as file:
        restored = SpectrumStatistics.from_state(file)
    assert restored.shape == (2, 3)
    np.testing.assert_array_equal(restored.update(more).variance(), statistics.update(more).variance())
    assert restored.count == 11


def test_the_standardizer_standardises_what_was_seen(rng):
    spectra = rng.normal(5, 2, size=(40, 6))
    spectra[:, 2] = 7.0
    standardized = SpectrumStatistics((6,)).update(spectra).standardizer().transform(spectra)
    np.testing.assert_allclose(standardized.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(standardized.std(0), [1, 1, 0, 1, 1, 1], atol=1e-12)


@pytest.mark.parametrize("shape", [(16, 16, 3), (33, 20, 1), (128, 96, 3)])
@pytest.mark.parametrize("n_images", [1, 2, 70])
def test_update_dct_gives_the_statistics_of_the_transforms(rng, shape, n_images):
    template = rng.integers(60, 190, shape)
    images = np.clip(template + rng.integers(-20, 21, (n_images, *shape)), 0, 255).astype(np.uint8)
    statistics = SpectrumStatistics(shape).update_dct(images)
    mean, variance = two_pass(dct2(images))
    assert statistics.count == n_images
    np.testing.assert_allclose(statistics.mean, mean, atol=1e-9)
    np.testing.assert_allclose(statistics.variance(), variance, rtol=1e-4, atol=1e-4)


def test_one_repeated_image_has_no_variance(rng):
    image = rng.integers(0, 256, (70, 70, 3), dtype=np.uint8)
    assert SpectrumStatistics((70, 70, 3)).update_dct([image] * 40).variance().max() == 0


def test_extreme_pixels_do_not_overflow():
    images = np.zeros((200, 4, 4, 1), np.uint8)
    images[40:] = 255
    statistics = SpectrumStatistics((4, 4, 1)).update_dct(images)
    assert statistics.mean[0, 0, 0] == pytest.approx(4 * 255 * 0.8)
    assert statistics.variance()[0, 0, 0] == pytest.approx((4 * 255) ** 2 * 0.16)


def test_batches_of_images_merge_to_the_whole(rng):
    images = rng.integers(0, 256, (50, 12, 10, 3), dtype=np.uint8)
    parts = SpectrumStatistics((12, 10, 3)).update_dct(images[:13]).update_dct(iter(images[13:])).update_dct([])
    whole = SpectrumStatistics((12, 10, 3)).update_dct(images)
    assert parts.count == whole.count == 50
    np.testing.assert_allclose(parts.mean, whole.mean, atol=1e-10)
    np.testing.assert_allclose(parts.variance(), whole.variance(), rtol=1e-5)


def test_logarithms_are_updated_from_the_transforms(rng):
    images = rng.integers(0, 256, (20, 9, 9, 3)).astype(np.float32)
    spectra = log_scale(dct2(images))
    mean, variance = two_pass(spectra)
    statistics = SpectrumStatistics((9, 9, 3)).update(spectra)
    np.testing.assert_allclose(statistics.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(statistics.variance(), variance, rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: SpectrumStatistics((2,)).update([1.0, 2.0]), ShapeError, r"shape \(N, 2\), got \(2,\)"),
        (lambda: SpectrumStatistics((2,)).update(3.0), ShapeError, r"got \(\)"),
        (lambda: SpectrumStatistics((2,)).merge(SpectrumStatistics((3,))), ShapeError, r"shape \(3,\) into \(2,\)"),
        (lambda: SpectrumStatistics((2,)).variance(), ParameterError, "ddof=0 needs at least 1 spectra, got 0"),
        (lambda: SpectrumStatistics((1,)).update([[1]]).variance(ddof=1), ParameterError, "at least 2 spectra, got 1"),
        (lambda: SpectrumStatistics.from_state({"mean": [1.0]}), ParameterError, "lacks count, squared_deviation"),
        (
            lambda: SpectrumStatistics.from_state({"count": 2, "mean": [1.0], "squared_deviation": [-1.0]}),
            ParameterError,
            "contradicts itself",
        ),
        (lambda: SpectrumStatistics((4,)).update_dct([]), ShapeError, r"\(H, W, C\), but .* of shape \(4,\)"),
        (
            lambda: SpectrumStatistics((4, 4, 3)).update_dct([np.zeros((4, 4, 1), np.uint8)]),
            ShapeError,
            r"expected images of shape \(4, 4, 3\), got \(4, 4, 1\)",
        ),
        (
            lambda: SpectrumStatistics((4, 4, 3)).update_dct(np.zeros((2, 4, 4, 3))),
            ParameterError,
            "must be uint8, got float64; use update",
        ),
    ],
)
def test_errors_name_the_shape_or_the_count(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_image_that_does_not_fit_leaves_the_statistics_as_they_were(rng):
    images = [*rng.integers(0, 256, (50, 8, 8, 3), dtype=np.uint8), np.zeros((8, 9, 3), np.uint8)]
    statistics = SpectrumStatistics((8, 8, 3))
    with pytest.raises(ShapeError):
        statistics.update_dct(images)
    assert statistics.count == 0
