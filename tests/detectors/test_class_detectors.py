"""k nearest neighbours, Eigenfaces and PRNU: estimators against scikit-learn, and models against estimators."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from spectell.detectors import knn
from spectell.detectors.eigenfaces import EigenfacesDetector
from spectell.detectors.knn import KNNDetector
from spectell.detectors.prnu import PRNUDetector
from spectell.detectors.residual import ResidualFeatures
from spectell.errors import ParameterError, ShapeError


def problem(rng, n_classes, n=60, d=90):
    y = np.arange(n) % n_classes
    X = rng.normal(size=(n, d)) * rng.uniform(0.1, 5, d) + 20
    X[np.arange(n), y] += 8
    return X.astype(np.float32), y, (X + rng.normal(size=X.shape)).astype(np.float32)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("k", [1, 5])
def test_knn_names_what_scikit_learn_names(rng, n_classes, k):
    X, y, other = problem(rng, n_classes)
    scaler = StandardScaler().fit(X.astype(np.float64))
    expected = KNeighborsClassifier(k).fit(scaler.transform(X), y).predict(scaler.transform(other))
    assert (KNNDetector(k).fit(X, y).predict(other) == expected).all()


@pytest.mark.parametrize("n_classes", [2, 4])
def test_eigenfaces_are_a_pipeline_of_scikit_learn(rng, n_classes):
    X, y, other = problem(rng, n_classes)
    scaler = StandardScaler().fit(X.astype(np.float64))
    pca = PCA(0.5, svd_solver="full").fit(scaler.transform(X))
    svm = LinearSVC(C=0.1, class_weight="balanced", random_state=0, max_iter=10_000)
    svm.fit(pca.transform(scaler.transform(X)), y)
    expected = svm.decision_function(pca.transform(scaler.transform(other)))
    detector = EigenfacesDetector(0.5, 0.1).fit(X.astype(np.float64), y)
    np.testing.assert_allclose(detector.decision_function(other.astype(np.float64)), expected, atol=1e-3)
    assert detector.converged_


@pytest.mark.parametrize("detector", [KNNDetector(), KNNDetector(5), EigenfacesDetector(0.9, 0.1)])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_head_answers_as_the_estimator(rng, detector, n_classes):
    X, y, other = problem(rng, n_classes)
    detector.fit(X, y)
    rows = detector.standardisation.apply(other)
    head = detector.head
    found = head.decide(rows) if n_classes == 2 else head.classify(rows)
    np.testing.assert_allclose(found, detector.decision_function(other), atol=2e-6)


@pytest.mark.parametrize("detector", [KNNDetector(3), EigenfacesDetector()])
def test_streamed_features_give_the_detector_that_features_in_memory_give(rng, detector):
    X, y, other = problem(rng, 3)
    whole = detector.fit(X, y).decision_function(other)
    streamed = detector.fit_streamed(lambda start, stop: X[start:stop], y).decision_function(other)
    np.testing.assert_array_equal(streamed, whole)


def pictures(rng, n):
    """Noise with one fixed pattern of three."""
    y = np.repeat([0, 1, 2], n)
    patterns = rng.integers(-6, 7, (3, 32, 34, 3))
    return (rng.integers(90, 110, (3 * n, 32, 34, 3)) + patterns[y]).astype(np.uint8), y


def test_prnu_averages_residuals_and_takes_the_largest_correlation(rng):
    images, y = pictures(rng, 12)
    detector = PRNUDetector(2, 3.0).fit(images[::2], y[::2])
    residuals = ResidualFeatures(32, 2, 3.0).transform(images)
    means = np.array([residuals[::2][y[::2] == k].mean(axis=0) for k in range(3)])
    np.testing.assert_allclose(detector.fingerprints_.reshape(3, -1), means, atol=1e-5)
    expected = np.array([[np.corrcoef(row, mean)[0, 1] for mean in means] for row in residuals])
    np.testing.assert_allclose(detector.decision_function(images), expected, atol=1e-6)
    assert (detector.predict(images) == expected.argmax(axis=1)).all()
    assert (detector.predict(images[1::2]) == y[1::2]).mean() > 0.8


def test_prnu_of_two_classes_answers_with_the_lead_of_the_second(rng):
    images, y = pictures(rng, 10)
    images, y = images[:20], np.array(["real", "zoo"])[y[:20]]
    detector = PRNUDetector(2, 3.0).fit(images, y)
    outputs = detector.decision_function(images)
    assert outputs.shape == (20,)
    assert (detector.predict(images) == np.where(outputs > 0, "zoo", "real")).all()
    rows = ResidualFeatures(32, 2, 3.0).transform(images)
    np.testing.assert_allclose(detector.head.decide(detector.standardisation.apply(rows)), outputs, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda X, y: KNNDetector(2).fit(X, y), ParameterError, "k must be odd"),
        (lambda X, y: KNNDetector(61).fit(X, y), ParameterError, "number of training images, 60, got 61"),
        (lambda X, y: EigenfacesDetector(1.5).fit(X, y), ParameterError, "variance must lie between 0 and 1"),
        (lambda X, y: EigenfacesDetector(C=0).fit(X, y), ParameterError, "C must be positive"),
        (lambda X, y: EigenfacesDetector().fit(X, 0 * y), ParameterError, "two classes, got 1 class"),
        (lambda X, y: PRNUDetector().fit(np.zeros((2, 20, 20, 3), np.uint8), [0, 1]), ParameterError, "3 levels need"),
        (lambda X, y: PRNUDetector().fit(np.zeros((2, 64, 64, 3), np.uint8), [0]), ShapeError, "one length, got 2"),
        (lambda X, y: PRNUDetector().fit(np.zeros((2, 64, 64, 3), np.uint8), [0, 0]), ParameterError, "got 1 class"),
    ],
)
def test_arguments_without_a_meaning_are_refused(rng, call, error, message):
    X, y, _ = problem(rng, 2)
    with pytest.raises(error, match=message):
        call(X, y)


def test_neighbours_that_no_model_file_would_hold_are_refused_before_they_are_kept(rng, monkeypatch):
    monkeypatch.setattr(knn, "MAX_MODEL_BYTES", 4 * 60 * 90 - 1)
    X, y, _ = problem(rng, 2)
    with pytest.raises(ParameterError, match=r"keep all 60 training images, .* use fewer images or a smaller size"):
        KNNDetector().fit(X, y)
