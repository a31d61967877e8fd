"""scikit-learn's own checks, on every detector that takes rows of features."""

import pytest
from sklearn.base import clone, is_classifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from spectell.detectors.eigenfaces import EigenfacesDetector
from spectell.detectors.knn import KNNDetector
from spectell.detectors.logistic import LogisticDetector
from spectell.detectors.prnu import PRNUDetector
from spectell.detectors.registry import DETECTORS
from spectell.detectors.ridge import RidgeDetector

# One check compares two fits to nine digits, which the stochastic solver reaches only when it is asked to.
EXACT = {"tol": 1e-14, "max_iter": 200_000}

EXCUSED = {"prnu": "takes images: its residuals exist in two dimensions only"}

CHECKED = [
    RidgeDetector(),
    RidgeDetector(balanced=False),
    LogisticDetector(),
    LogisticDetector("l1", **EXACT),
    LogisticDetector("elasticnet", **EXACT),
    KNNDetector(),
    KNNDetector(k=3),
    EigenfacesDetector(),
    EigenfacesDetector(C=1.0, balanced=False),
]


@parametrize_with_checks(CHECKED)
def test_the_detectors_pass_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_every_detector_is_checked_or_excused_with_a_reason():
    checked = {type(estimator) for estimator in CHECKED}
    unchecked = {name for name, spec in DETECTORS.items() if spec.target.partition(":")[0] not in NETWORKS}
    assert {name for name in unchecked if DETECTORS[name].load() not in checked} == set(EXCUSED)


# These need torch and take images.
NETWORKS = {"networks.estimators"}


@pytest.mark.parametrize("detector", [PRNUDetector(2, 0.3)])
def test_the_excused_can_be_cloned_and_are_classifiers(detector):
    assert clone(detector).get_params() == detector.get_params()
    assert is_classifier(detector)
