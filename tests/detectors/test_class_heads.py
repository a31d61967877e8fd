"""Heads of several classes against naive definitions."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from spectell.detectors.class_heads import FingerprintHead, LinearClassesHead, NearestHead
from spectell.detectors.registry import load_head
from spectell.errors import ArtifactError, ParameterError


def naive_ncc(residual, fingerprint):
    a, b = residual - residual.mean(), fingerprint - fingerprint.mean()
    return sum(x * y for x, y in zip(a, b, strict=True)) / (sum(a**2) * sum(b**2)) ** 0.5


def test_a_fingerprint_is_compared_by_normalised_cross_correlation(rng):
    means = rng.normal(size=(3, 40)) + 5
    rows = (rng.normal(size=(4, 40)) * 3 - 7).astype(np.float32)
    found = FingerprintHead(means).classify(rows)
    expected = [[naive_ncc(row.astype(float), mean) for mean in means] for row in rows]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    np.testing.assert_allclose(FingerprintHead(means).decide(rows), found[:, 1:].max(axis=1) - found[:, 0], atol=1e-9)


def test_a_flat_residual_correlates_with_nothing(rng):
    assert FingerprintHead(rng.normal(size=(2, 9))).classify(np.zeros((1, 9), np.float32)).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("k", [1, 3, 9, 29])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_votes_are_those_of_scikit_learn(rng, k, n_classes):
    kept, rows = rng.normal(size=(29, 6)).astype(np.float32), rng.normal(size=(50, 6)).astype(np.float32)
    classes = np.arange(29) % n_classes
    head = NearestHead(kept, classes, k, n_classes)
    other = KNeighborsClassifier(k, algorithm="brute").fit(kept, classes)
    np.testing.assert_allclose(head.classify(rows), other.predict_proba(rows), atol=1e-12)
    if n_classes == 2:
        assert ((head.decide(rows) > 0) == other.predict(rows)).all()


def test_the_lead_is_the_difference_of_the_distances_by_their_sum():
    head = NearestHead([[0.0], [2.0], [10.0], [13.0]], [0, 0, 1, 1], k=3)
    # From 8 the second nearest real image is 8 away, the second nearest generated one 5.
    assert head.decide(np.array([[8.0]], np.float32)).tolist() == pytest.approx([3 / 13])


@pytest.mark.parametrize(("classes", "lead"), [([0, 0, 0], -1.0), ([1, 1, 1], 1.0)])
def test_a_class_with_too_few_images_never_wins(classes, lead):
    head = NearestHead([[0.0], [1.0], [2.0]], classes, k=3)
    assert head.decide(np.array([[1.0]], np.float32)).tolist() == [lead]


@pytest.mark.parametrize(
    "head",
    [
        LinearClassesHead(np.arange(6.0).reshape(3, 2), [0.0, 1.0, 2.0]),
        FingerprintHead([[1.0, 2.0], [3.0, 1.0]]),
        NearestHead([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]], [0, 1, 2], 1, 3),
    ],
)
def test_a_head_is_the_same_after_a_model_file(head, rng):
    rows = rng.normal(size=(5, 2)).astype(np.float32)
    again = load_head(head.name, head.config, head.arrays)
    np.testing.assert_allclose(again.classify(rows), head.classify(rows), atol=1e-6)
    assert (again.n_classes, again.n_features) == (head.n_classes, head.n_features)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: NearestHead(np.zeros((3, 2)), [0, 1, 1], k=2), ParameterError, "k must be odd"),
        (lambda: NearestHead(np.zeros((3, 2)), [0, 1, 1], k=5), ParameterError, "number of training images, 3, got 5"),
        (lambda: NearestHead(np.zeros((3, 2)), [0, 1, 2]), ParameterError, "one of 2 classes"),
        (lambda: FingerprintHead([[1.0, 1.0], [0.0, 1.0]]), ParameterError, "fingerprint of a class is constant"),
        (lambda: FingerprintHead([[1.0, 2.0]]), ParameterError, "two classes or more"),
        (lambda: LinearClassesHead([[1.0], [2.0]], [0.0]), ParameterError, "must be of two classes or more"),
        (
            lambda: load_head(
                "nearest", {"k": True, "n_classes": 2}, {"kept": np.zeros((1, 1)), "classes": np.zeros(1)}
            ),
            ArtifactError,
            "int32 classes",
        ),
        (lambda: load_head("fingerprint", {}, {}), ArtifactError, "lacks the array 'fingerprints'"),
        (lambda: load_head("linear_classes", {"k": 1}, {}), ArtifactError, "must hold"),
    ],
)
def test_parts_that_do_not_fit_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
