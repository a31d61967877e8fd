"""Slabs of columns against features in memory and scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from spectell.detectors.features import BlockFeatures, DCTFeatures, PixelFeatures
from spectell.detectors.logistic import LogisticDetector
from spectell.detectors.ridge import RidgeDetector
from spectell.detectors.slabs import SlabbedFeatures, stream_features
from spectell.errors import ParameterError


class Matrix:
    """A matrix in memory as a source of strips, which counts what it is asked for."""

    def __init__(self, X, n_strips):
        self.X, self.n_strips, self.n_features = X, n_strips, X.shape[1]
        self.asked = np.zeros(X.shape)
        self.slabs = []

    def __call__(self, start, stop):
        return self.X[start:stop].copy()

    def fill(self, rows, strips, out):
        width = self.n_features // self.n_strips
        columns = slice(strips.start and strips.start * width, strips.stop * width)
        self.asked[rows, columns] += 1
        self.slabs.append(out.shape)
        out[...] = self.X[rows, columns]


@pytest.fixture
def problem(rng):
    y = (np.arange(20) % 3 == 0).astype(int)
    X = (rng.normal(size=(20, 120)) * rng.uniform(0.1, 5, 120) + 30).astype(np.float32)
    X[:, 0] += 2 * y
    X[:, 7] = -27.63102
    return X, y


def test_ridge_from_slabs_is_that_of_scikit_learn(problem):
    X, y = problem
    source = Matrix(X, 12)
    detector = RidgeDetector(0.3, balanced=False, memory=4 * 20 * 30).fit_streamed(source, y)
    exact = X.astype(np.float64)
    scale = np.where(exact.std(axis=0) > 1e-5, exact.std(axis=0), 1)
    other = Ridge(alpha=0.3 * 20).fit((exact - exact.mean(axis=0)) / scale, 2.0 * y - 1)
    np.testing.assert_allclose(detector.mean_, exact.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(detector.scale_, scale, rtol=1e-9)
    np.testing.assert_allclose(detector.coef_, other.coef_, atol=1e-6)
    assert detector.coef_[7] == pytest.approx(0, abs=1e-9)


def test_every_column_is_computed_once_for_the_matrix_and_once_for_the_weights(problem):
    X, y = problem
    source = Matrix(X, 12)
    RidgeDetector("cv", memory=4 * 20 * 30).fit_streamed(source, y)
    assert (source.asked == 2).all()
    assert {shape for shape in source.slabs if shape[0] == 20} == {(20, 30)}


@pytest.mark.parametrize("memory", [1, 4 * 20 * 70, 1e9])
@pytest.mark.parametrize("is_balanced", [True, False])
def test_detectors_from_slabs_are_those_from_rows(problem, memory, is_balanced):
    X, y = problem
    for detector in (RidgeDetector(0.1, balanced=is_balanced), LogisticDetector(balanced=is_balanced, tol=1e-10)):
        whole = detector.fit(X, y).decision_function(X)
        slabs = detector.set_params(memory=memory).fit_streamed(Matrix(X, 8), y).decision_function(X)
        np.testing.assert_allclose(slabs, whole, atol=1e-4)


def test_the_same_data_give_the_same_bits(rng):
    X = rng.normal(size=(30, 120_000)).astype(np.float32)
    y = np.arange(30) % 2
    first, second = (RidgeDetector(memory=4e6).fit_streamed(Matrix(X, 16), y) for _ in range(2))
    np.testing.assert_array_equal(first.coef_, second.coef_)
    np.testing.assert_allclose(first.coef_, RidgeDetector().fit(X, y).coef_, rtol=1e-3, atol=1e-9)


def test_fewer_features_than_images_are_taken_by_rows(rng):
    X = rng.normal(size=(30, 12)).astype(np.float32)
    assert not isinstance(stream_features(Matrix(X, 3), np.ones(30)), SlabbedFeatures)
    assert isinstance(stream_features(Matrix(X[:10], 3), np.ones(10)), SlabbedFeatures)


def test_a_value_that_is_not_finite_is_refused(problem):
    X, y = problem
    X[3, 100] = np.nan
    with pytest.raises(ParameterError, match="features must be finite"):
        RidgeDetector().fit_streamed(Matrix(X, 12), y)


@pytest.mark.parametrize("front_end", [PixelFeatures(16), DCTFeatures(16), DCTFeatures(70), BlockFeatures(8)])
@pytest.mark.parametrize("size", [(70, 70), (75, 150)])
def test_strips_put_together_are_the_row(rng, front_end, size):
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    n = front_end.n_strips
    parts = [front_end.strips(image, start, min(start + 5, n)) for start in range(0, n, 5)]
    np.testing.assert_array_equal(np.concatenate(parts), front_end.row(image))
