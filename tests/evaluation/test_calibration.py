import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from spectell.errors import ParameterError, ShapeError
from spectell.evaluation.calibration import PlattCalibration, fit_platt, logistic


def reference_line(labels, raw):
    """scikit-learn's solver on two copies of every image, weighted by Platt's targets and the class balance."""
    n_generated, n_real = np.sum(labels == 1), np.sum(labels == 0)
    target = np.where(labels == 1, (n_generated + 1) / (n_generated + 2), 1 / (n_real + 2))
    weight = np.where(labels == 1, 1 / n_generated, 1 / n_real) * len(labels)
    solver = LogisticRegression(C=1e12, tol=1e-12, max_iter=10_000)
    solver.fit(
        np.concatenate([raw, raw])[:, None],
        np.repeat([1, 0], len(raw)),
        sample_weight=np.concatenate([weight * target, weight * (1 - target)]),
    )
    return solver.coef_[0, 0], solver.intercept_[0]


@pytest.mark.parametrize(("n_real", "n_generated"), [(300, 300), (400, 20), (7, 90)])
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.01, 100.0)])
def test_the_line_agrees_with_scikit_learn(rng, n_real, n_generated, scale, shift):
    labels = np.repeat([0, 1], [n_real, n_generated])
    clean = rng.normal(labels * 1.5, 1.0)
    slope, intercept = reference_line(labels, clean)
    found = fit_platt(labels, clean * scale + shift)
    np.testing.assert_allclose(found.slope * scale, slope, rtol=1e-4)
    np.testing.assert_allclose(found.apply(clean * scale + shift), slope * clean + intercept, atol=1e-3)


def test_known_log_odds_are_recovered_whatever_the_class_balance(rng):
    # Gaussians of unit variance at -1 and +1 have log-odds 2x at equal priors.
    labels = np.repeat([0, 1], [200_000, 10_000])
    found = fit_platt(labels, rng.normal(labels * 2.0 - 1.0, 1.0))
    assert abs(found.slope - 2) < 0.06
    assert abs(found.intercept) < 0.06


def test_separated_classes_get_a_finite_slope(rng):
    found = fit_platt([0] * 50 + [1] * 50, np.concatenate([rng.normal(-100, 1, 50), rng.normal(100, 1, 50)]))
    # Platt's targets for fifty images a class are 51/52 and 1/52.
    np.testing.assert_allclose(found.apply([-100.0, 100.0]), [-np.log(51), np.log(51)], rtol=0.02)


def test_an_outlier_does_not_throw_the_fit_off(rng):
    labels = np.repeat([0, 1], 500)
    raw = np.append(rng.normal(labels * 2.0, 1.0)[:-1], 1e6)
    assert fit_platt(labels, raw).slope > 0


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20))
def test_logistic_agrees_with_scipy_at_any_magnitude(log_odds):
    np.testing.assert_allclose(logistic(log_odds), expit(log_odds), rtol=1e-12, atol=1e-300)


def test_apply_keeps_the_shape():
    assert PlattCalibration(1.0, 0.0).apply(np.zeros((2, 3))).shape == (2, 3)
    assert float(PlattCalibration(2.0, 1.0).apply(3)) == 7.0


@pytest.mark.parametrize(
    ("labels", "raw", "message"),
    [
        ([0, 1], [1.0, 1.0], "raw must differ between images, got 1 for every one"),
        ([0, 0, 1, 1], [3.0, 2.0, 1.0, 0.0], "raw must be higher for generated images, but the fitted slope is -"),
        ([0, 0], [1.0, 2.0], "labels must hold both classes, got 2 real and 0 generated images"),
        ([0, 1], [1.0, np.nan], "raw must be finite, got nan at index 1"),
    ],
)
def test_output_that_cannot_be_calibrated_is_refused(labels, raw, message):
    with pytest.raises(ParameterError, match=message):
        fit_platt(labels, raw)


def test_lengths_that_differ_are_refused():
    with pytest.raises(ShapeError, match="labels and raw must be one-dimensional and equally long"):
        fit_platt([0, 1], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("slope", "intercept", "message"),
    [(0.0, 0.0, "slope must be positive"), (-1.0, 0.0, "slope"), (np.nan, 0.0, "slope"), (1.0, np.inf, "intercept")],
)
def test_a_line_that_does_not_rise_is_refused(slope, intercept, message):
    with pytest.raises(ParameterError, match=message):
        PlattCalibration(slope, intercept)
