"""The DCT against its definition, written as a double sum."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectell.errors import ParameterError, ShapeError
from spectell.transforms import block_dct2, dct2, dct_matrix, idct2

SIZES = [(1, 1), (1, 7), (2, 3), (5, 5), (8, 8), (31, 33), (32, 32), (64, 64), (65, 64), (37, 91), (128, 96)]


def naive_dct2(image):
    """The textbook sum for one (H, W) image, in extended precision."""
    height, width = image.shape

    def scale(k, n):
        return np.sqrt(np.longdouble(1 if k == 0 else 2) / n)

    def cosines(k, n):
        return scale(k, n) * np.cos(np.pi * (2 * np.arange(n, dtype=np.longdouble) + 1) * k / (2 * n))

    rows = np.array([cosines(k, height) for k in range(height)])
    columns = np.array([cosines(k, width) for k in range(width)])
    return np.einsum("km,mn,ln->kl", rows, image.astype(np.longdouble), columns, optimize=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SIZES)
def test_dct2_is_the_definition_to_1e5_of_the_largest(rng, shape, dtype):
    image = rng.integers(0, 256, (*shape, 3)).astype(dtype)
    coefficients = dct2(image)
    for channel in range(3):
        expected = naive_dct2(image[..., channel])
        error = np.abs(coefficients[..., channel] - expected).max()
        assert error <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.uint8, 1e-9), (np.float64, 1e-9), (np.float32, 2e-2)])
@pytest.mark.parametrize("shape", [(32, 32), (64, 64), (128, 96)])
def test_logarithms_agree_where_a_coefficient_exceeds_a_hundredth(rng, shape, dtype, tolerance):
    image = np.cumsum(rng.normal(size=shape), axis=1)
    image = np.clip(np.rint(128 + 8 * image), 0, 255).astype(dtype)
    coefficients = np.abs(dct2(image[..., np.newaxis])[..., 0])
    expected = np.abs(naive_dct2(image)).astype(np.float64)
    seen = expected > 1e-2
    assert seen.mean() > 0.9
    assert np.abs(np.log(coefficients[seen]) - np.log(expected[seen])).max() < tolerance


@given(
    height=st.integers(1, 80),
    width=st.integers(1, 80),
    channels=st.sampled_from([1, 3]),
    leading=st.sampled_from([(), (2,), (2, 1)]),
    seed=st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_any_shape_keeps_its_energy_and_comes_back(height, width, channels, leading, seed):
    images = np.random.default_rng(seed).normal(size=(*leading, height, width, channels))
    coefficients = dct2(images)
    assert coefficients.shape == images.shape
    np.testing.assert_allclose(np.square(coefficients).sum((-3, -2)), np.square(images).sum((-3, -2)), rtol=1e-10)
    np.testing.assert_allclose(idct2(coefficients), images, atol=1e-10)


def test_the_transform_is_linear(rng):
    first, second = rng.normal(size=(2, 9, 70, 3))
    np.testing.assert_allclose(dct2(2 * first - second), 2 * dct2(first) - dct2(second), atol=1e-10)


def test_a_gradient_down_the_rows_fills_the_first_column_only():
    image = np.repeat(np.arange(12.0)[:, np.newaxis], 7, axis=1)[..., np.newaxis]
    coefficients = dct2(image)[..., 0]
    assert abs(coefficients[1, 0]) > 1
    np.testing.assert_allclose(coefficients[:, 1:], 0, atol=1e-12)


@pytest.mark.parametrize("size", [16, 80])
@pytest.mark.parametrize(
    ("given", "result"),
    [
        ("float32", "float32"),
        ("float64", "float64"),
        ("float16", "float32"),
        ("uint8", "float64"),
        ("int32", "float64"),
        ("bool", "float64"),
        ("longdouble", "float64"),
    ],
)
def test_dtypes(size, given, result):
    image = np.ones((size, size, 1), dtype=given)
    assert dct2(image).dtype == result
    assert idct2(image).dtype == result
    assert block_dct2(image, size=8).dtype == result


def test_other_axes_are_the_rows_and_columns_where_they_say_so(rng):
    images = rng.normal(size=(2, 3, 20, 10))
    expected = np.moveaxis(dct2(np.moveaxis(images, 1, -1)), -1, 1)
    np.testing.assert_allclose(dct2(images, axes=(2, 3)), expected, atol=1e-12)
    np.testing.assert_allclose(dct2(images, axes=(3, 2)), expected, atol=1e-12)
    large = rng.normal(size=(2, 70, 90))
    np.testing.assert_allclose(dct2(large, axes=(1, 2)), dct2(large[..., np.newaxis])[..., 0], atol=1e-11)


@pytest.mark.parametrize("size", [20, 100])
def test_the_input_is_left_alone_and_the_result_is_contiguous(rng, size):
    image = rng.normal(size=(size, size + 2, 3))
    before = image.copy()
    coefficients = dct2(image[::-1, ::2])
    assert coefficients.flags.c_contiguous
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(("size", "stride"), [(8, None), (8, 8), (5, 3), (16, 1), (1, None), (70, 35)])
@pytest.mark.parametrize("leading", [(), (2,)])
def test_block_dct2_is_dct2_of_each_slice(rng, size, stride, leading):
    images = rng.normal(size=(*leading, 73, 81, 3))
    step = stride or max(size // 2, 1)
    blocks = block_dct2(images, size=size, stride=stride)
    n_rows, n_columns = (73 - size) // step + 1, (81 - size) // step + 1
    assert blocks.shape == (*leading, n_rows, n_columns, size, size, 3)
    for row, column in [(0, 0), (n_rows - 1, 0), (n_rows // 2, n_columns - 1)]:
        top, left = row * step, column * step
        expected = dct2(images[..., top : top + size, left : left + size, :])
        np.testing.assert_allclose(blocks[..., row, column, :, :, :], expected, atol=1e-11)


def test_the_basis_is_orthonormal_and_cannot_be_damaged():
    basis = dct_matrix(37)
    np.testing.assert_allclose(basis @ basis.T, np.eye(37), atol=1e-14)
    with pytest.raises(ValueError, match="read-only"):
        basis[0, 0] = 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: dct2(np.ones((4, 4))), ShapeError, r"shape \(4, 4\) have no axes \(-3, -2\); expected \(\.\.\., H, W"),
        (lambda: dct2(np.ones((4, 4, 1)), axes=(0, -3)), ShapeError, "two different axes"),
        (lambda: dct2(np.ones((0, 4, 1))), ShapeError, "at least one pixel"),
        (lambda: dct2(np.ones((4, 4, 1), complex)), ParameterError, "images must hold real numbers, got dtype complex"),
        (lambda: idct2(np.array([[["a"]]])), ParameterError, "coefficients must hold real numbers"),
        (lambda: block_dct2(np.ones((4, 4))), ShapeError, r"\(\.\.\., H, W, C\), got \(4, 4\); add"),
        (lambda: block_dct2(np.ones((40, 16, 3))), ShapeError, "smaller than one block; choose size"),
        (lambda: block_dct2(np.ones((8, 8, 1)), size=0), ParameterError, "size must be a positive integer, got 0"),
        (lambda: block_dct2(np.ones((8, 8, 1)), size=2.5), ParameterError, "size must be a positive integer, got 2.5"),
        (lambda: block_dct2(np.ones((8, 8, 1)), size=4, stride=-1), ParameterError, "stride must be .* got -1"),
    ],
)
def test_errors_name_the_argument_and_the_value(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_small_images_and_blocks_do_not_import_scipy():
    code = (
        "import sys, numpy as np; from spectell.transforms import block_dct2, dct2; from spectell.spectra import "
        "block_spectra; dct2(np.ones((64, 64, 3))); block_dct2(np.ones((200, 200, 3))); "
        "block_spectra(np.ones((200, 200, 3))); print(sorted(m for m in sys.modules if m.split('.')[0] == 'scipy'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
