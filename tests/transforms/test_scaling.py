"""Logarithm and standardisation of coefficients."""

import numpy as np
import pytest

from spectell.errors import ParameterError, ShapeError
from spectell.transforms import LOG_OFFSET, Standardizer, log_scale


def test_log_scale_is_the_logarithm_of_the_shifted_magnitude(rng):
    coefficients = rng.normal(scale=50, size=(7, 5, 3))
    expected = [float(np.log(abs(c) + 0.25)) for c in coefficients.ravel()]
    np.testing.assert_allclose(log_scale(coefficients, offset=0.25).ravel(), expected, rtol=1e-14)


def test_a_dead_coefficient_sits_at_the_logarithm_of_the_offset():
    assert log_scale(np.zeros(3, np.float32)).tolist() == pytest.approx([np.log(LOG_OFFSET)] * 3)


def test_a_complex_coefficient_counts_by_its_magnitude():
    assert log_scale([3 + 4j]).tolist() == pytest.approx([np.log(5)])


@pytest.mark.parametrize(
    ("given", "result"),
    [("float32", "float32"), ("float64", "float64"), ("int16", "float64"), ("complex64", "float32")],
)
def test_log_scale_dtypes_and_the_input_stays(given, result):
    coefficients = np.array([1, 4], dtype=given)
    assert log_scale(coefficients).dtype == result
    assert coefficients.tolist() == [1, 4]


@pytest.mark.parametrize("offset", [0.0, -1e-12, np.nan, np.inf])
def test_log_scale_refuses_an_offset_that_is_not_positive(offset):
    with pytest.raises(ParameterError, match="offset must be positive and finite, got"):
        log_scale([1.0], offset=offset)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_standardised_training_data_have_mean_0_and_deviation_1_and_come_back(rng, dtype):
    spectra = rng.normal(3.0, 7.0, size=(400, 4, 5, 3)).astype(dtype)
    standardizer = Standardizer(spectra.mean(0), spectra.std(0))
    standardized = standardizer.transform(spectra)
    assert standardized.dtype == dtype
    np.testing.assert_allclose(standardized.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(standardized.std(0), 1, atol=1e-5)
    np.testing.assert_allclose(standardizer.inverse(standardized), spectra, atol=1e-4)


def test_a_coefficient_that_never_varied_is_centred_only():
    standardizer = Standardizer([2.0, 2.0], [0.0, 4.0])
    assert standardizer.transform([[2.0, 6.0], [5.0, 2.0]]).tolist() == [[0.0, 1.0], [3.0, 0.0]]
    assert standardizer.inverse([3.0, 0.0]).tolist() == [5.0, 2.0]


def test_the_standardizer_keeps_its_own_copy():
    mean = np.zeros(2)
    standardizer = Standardizer(mean, np.ones(2))
    mean += 5
    assert standardizer.transform([1.0, 1.0]).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Standardizer([1.0], [1.0, 2.0]), ShapeError, r"one shape, got \(1,\) and \(2,\)"),
        (lambda: Standardizer([1.0], [-1.0]), ParameterError, "std must not be negative"),
        (lambda: Standardizer([np.nan], [1.0]), ParameterError, "must be finite"),
        (lambda: Standardizer([1.0, 2.0], [1.0, 1.0]).transform([1.0]), ShapeError, r"\(\.\.\., 2,\), got \(1,\)"),
        (lambda: Standardizer([1.0, 2.0], [1.0, 1.0]).inverse(3.0), ShapeError, r"got \(\)"),
    ],
)
def test_errors_say_what_does_not_fit(call, error, message):
    with pytest.raises(error, match=message):
        call()
