"""scikit-learn's own checks, on both detectors."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from spectell.detectors.logistic import LogisticDetector
from spectell.detectors.ridge import RidgeDetector

# One check compares two fits to nine digits, which the stochastic solver reaches only when it is asked to.
EXACT = {"tol": 1e-12, "max_iter": 20_000}


@parametrize_with_checks(
    [
        RidgeDetector(),
        RidgeDetector(balanced=False),
        LogisticDetector(),
        LogisticDetector("l1", **EXACT),
        LogisticDetector("elasticnet", **EXACT),
    ]
)
def test_the_detectors_pass_the_checks_of_scikit_learn(estimator, check):
    check(estimator)
