"""Ridge and logistic regression against their definitions, and streamed against in memory."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss, roc_auc_score

from spectell.detectors.linear import group_folds
from spectell.detectors.logistic import LogisticDetector
from spectell.detectors.ridge import RidgeDetector
from spectell.detectors.streaming import StreamedFeatures
from spectell.errors import ParameterError, ShapeError


def problem(rng, n, d):
    """Two classes of unequal size whose features have unequal scales and a large offset."""
    y = (np.arange(n) % 3 == 0).astype(int)
    X = rng.normal(size=(n, d)) * rng.uniform(0.1, 5, d) + 100
    X[:, 0] += 2 * y
    return X, y


def standardised(X, s):
    mean = s @ X / s.sum()
    return (X - mean) / np.sqrt(s @ (X - mean) ** 2 / s.sum())


def balanced(y):
    return len(y) / (np.unique(y).size * np.bincount(y))[y]


def several(rng, n, d, n_classes=4):
    """Classes of unequal size, each with one feature of its own."""
    X, _ = problem(rng, n, d)
    y = np.minimum(np.arange(n) % (n_classes + 2), n_classes - 1)
    X[np.arange(n), y] += 6
    return X, y


def naive_ridge(X, y, s, strength):
    """The normal equations with an explicit column of ones."""
    n, d = X.shape
    design = np.hstack([X, np.ones((n, 1))])
    penalty = strength * s.sum() * np.diag([1.0] * d + [0.0])
    return np.linalg.solve((design.T * s) @ design + penalty, (design.T * s) @ (2.0 * y - 1))


@pytest.mark.parametrize(("n", "d"), [(40, 7), (20, 90)])
@pytest.mark.parametrize("is_balanced", [True, False])
def test_ridge_solves_the_normal_equations(rng, n, d, is_balanced):
    X, y = problem(rng, n, d)
    s = balanced(y) if is_balanced else np.ones(n)
    detector = RidgeDetector(0.3, balanced=is_balanced).fit(X, y)
    solution = naive_ridge(standardised(X, s), y, s, 0.3)
    np.testing.assert_allclose(np.append(detector.coef_, detector.intercept_), solution, atol=1e-9)


def test_ridge_agrees_with_scikit_learn(rng):
    X, y = problem(rng, 30, 50)
    s = np.ones(30)
    other = Ridge(alpha=0.3 * 30).fit(standardised(X, s), 2.0 * y - 1)
    detector = RidgeDetector(0.3, balanced=False).fit(X, y)
    np.testing.assert_allclose(detector.coef_, other.coef_, atol=1e-9)
    np.testing.assert_allclose(detector.decision_function(X), other.predict(standardised(X, s)), atol=1e-9)


@pytest.mark.parametrize(
    "detector", [RidgeDetector(0.1), RidgeDetector("cv"), LogisticDetector(), LogisticDetector("l1")]
)
@pytest.mark.parametrize(("n", "d"), [(24, 60), (24, 5)])
def test_streamed_features_give_the_detector_that_features_in_memory_give(rng, detector, n, d):
    X, y = problem(rng, n, d)
    X = X.astype(np.float32)
    asked = []

    def source(start, stop):
        asked.append(stop - start)
        return X[start:stop]

    whole = detector.fit(X, y).decision_function(X)
    in_memory = isinstance(detector, LogisticDetector) and (d < n or detector.penalty == "l1")
    detector.set_params(memory=1e6 if in_memory else 9 * 4 * d)
    streamed = detector.fit_streamed(source, y).decision_function(X)
    np.testing.assert_allclose(
        streamed, whole, rtol=1e-3 if isinstance(detector, LogisticDetector) else 1e-8, atol=1e-4
    )
    if detector.memory < 1e6:
        assert max(asked) == 3


@pytest.mark.parametrize(("n", "d"), [(30, 8), (30, 70)])
def test_the_errors_of_the_search_are_those_of_refits_without_each_fold(rng, n, d):
    X, y = problem(rng, n, d)
    groups = np.arange(n) // 2
    detector = RidgeDetector("cv", strengths=[0.01, 1.0, 30.0], folds=4, seed=5).fit(X, y, groups=groups)
    s = balanced(y)
    Z = standardised(X, s)
    folds = group_folds(y, groups, 4, np.random.default_rng(5))
    for strength, error in detector.errors_.items():
        total = 0.0
        for fold in folds:
            kept = np.setdiff1d(np.arange(n), fold)
            solution = naive_ridge(Z[kept], y[kept], s[kept], strength)
            total += s[fold] @ (Z[fold] @ solution[:-1] + solution[-1] - (2.0 * y[fold] - 1)) ** 2
        assert error == pytest.approx(total / s.sum(), rel=1e-7)
    assert detector.strength_ == min(detector.errors_, key=detector.errors_.get)


def test_the_search_needs_a_strong_penalty_where_there_is_nothing_to_learn(rng):
    y = np.arange(60) % 2
    noise = RidgeDetector("cv").fit(rng.normal(size=(60, 200)), y)
    signal = RidgeDetector("cv").fit(rng.normal(size=(60, 200)) + y[:, np.newaxis], y)
    assert noise.strength_ > 100 * signal.strength_


@pytest.mark.parametrize(("n", "d"), [(40, 7), (24, 90)])
@pytest.mark.parametrize("is_balanced", [True, False])
def test_ridge_of_several_classes_is_one_regression_a_class(rng, n, d, is_balanced):
    X, y = several(rng, n, d)
    s = balanced(y) if is_balanced else np.ones(n)
    targets = np.where(y[:, np.newaxis] == np.arange(4), 1.0, -1.0)
    other = Ridge(alpha=0.3 * s.sum()).fit(standardised(X, s), targets, sample_weight=s)
    detector = RidgeDetector(0.3, balanced=is_balanced).fit(X, np.array(["d", "e", "f", "g"])[y])
    np.testing.assert_allclose(detector.coef_, other.coef_, atol=1e-9)
    np.testing.assert_allclose(detector.intercept_, other.intercept_, atol=1e-9)
    assert (detector.predict(X) == np.array(["d", "e", "f", "g"])[other.predict(standardised(X, s)).argmax(1)]).all()


@pytest.mark.parametrize(("n", "d"), [(36, 8), (36, 70)])
def test_the_search_of_several_classes_refits_each_without_each_fold(rng, n, d):
    X, y = several(rng, n, d)
    groups = np.arange(n) // 2
    detector = RidgeDetector("cv", strengths=[0.01, 1.0, 30.0], folds=4, seed=5).fit(X, y, groups=groups)
    s = balanced(y)
    Z = standardised(X, s)
    for strength, error in detector.errors_.items():
        total = 0.0
        for fold in group_folds(y, groups, 4, np.random.default_rng(5)):
            kept = np.setdiff1d(np.arange(n), fold)
            for k in range(4):
                solution = naive_ridge(Z[kept], (y == k)[kept], s[kept], strength)
                total += s[fold] @ (Z[fold] @ solution[:-1] + solution[-1] - (2.0 * (y == k)[fold] - 1)) ** 2
        assert error == pytest.approx(total / (4 * s.sum()), rel=1e-7)


@pytest.mark.parametrize("detector", [RidgeDetector(0.1), RidgeDetector("cv"), LogisticDetector()])
@pytest.mark.parametrize(("n", "d"), [(24, 60), (24, 5)])
def test_several_classes_may_be_streamed(rng, detector, n, d):
    X, y = several(rng, n, d)
    X = X.astype(np.float32)
    whole = detector.fit(X, y).decision_function(X)
    detector.set_params(memory=1e6 if isinstance(detector, LogisticDetector) and d < n else 9 * 4 * d)
    streamed = detector.fit_streamed(lambda start, stop: X[start:stop], y).decision_function(X)
    assert streamed.shape == (24, 4)
    np.testing.assert_allclose(
        streamed, whole, rtol=1e-3, atol=1e-3 if isinstance(detector, LogisticDetector) else 1e-8
    )


@pytest.mark.parametrize("detector", [RidgeDetector(0.1), LogisticDetector(), LogisticDetector("l1", 0.001)])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_head_answers_as_the_estimator(rng, detector, n_classes):
    X, y = several(rng, 40, 12, n_classes)
    detector.fit(X, y)
    rows = detector.standardisation.apply(X.astype(np.float32))
    found = detector.head.decide(rows) if n_classes == 2 else detector.head.classify(rows)
    np.testing.assert_allclose(found, detector.decision_function(X), atol=1e-3)


@pytest.mark.parametrize(("n", "d"), [(60, 6), (24, 50)])
@pytest.mark.parametrize(
    ("penalty", "ratio", "inverse"), [("l2", 0.0, 2.0), ("l1", 1.0, 1.0), ("elasticnet", 1 / 3, 3.0)]
)
def test_logistic_of_several_classes_is_softmax_regression(rng, n, d, penalty, ratio, inverse):
    X, y = several(rng, n, d)
    s = balanced(y)
    Z = standardised(X, s)
    exact = {"tol": 1e-10, "max_iter": 50_000}
    other = LogisticRegression(C=1 / (inverse * 0.05 * n), l1_ratio=ratio, solver="saga", random_state=0, **exact)
    other.fit(Z, y, sample_weight=s)
    detector = LogisticDetector(penalty, 0.05, **exact).fit(X, y)
    np.testing.assert_allclose(detector.coef_, other.coef_, atol=1e-5)
    np.testing.assert_allclose(detector.predict_proba(X), other.predict_proba(Z), atol=1e-5)


def test_softmax_regression_minimises_the_stated_objective(rng):
    X, y = several(rng, 50, 5, 3)
    s = balanced(y)
    Z = standardised(X, s)

    def objective(v):
        outputs = Z @ v[:15].reshape(3, 5).T + v[15:]
        chances = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        return -(s @ np.log(chances[np.arange(50), y])) / s.sum() + 0.05 * v[:15] @ v[:15]

    detector = LogisticDetector(strength=0.05, tol=1e-8).fit(X, y)
    found = objective(np.append(detector.coef_.ravel(), detector.intercept_))
    assert found == pytest.approx(minimize(objective, np.zeros(18), method="BFGS").fun, abs=1e-6)


def test_the_errors_of_the_softmax_search_are_held_out_log_losses(rng):
    X, y = several(rng, 60, 6)
    detector = LogisticDetector(strength="cv", strengths=[0.01, 1.0], folds=3, tol=1e-9).fit(X, y)
    s = balanced(y)
    Z = standardised(X, s)
    for strength, error in detector.errors_.items():
        total = 0.0
        for fold in group_folds(y, None, 3, np.random.default_rng(0)):
            kept = np.setdiff1d(np.arange(60), fold)
            other = LogisticRegression(C=1 / (2 * strength * s[kept].sum()), tol=1e-9, max_iter=1000)
            other.fit(Z[kept], y[kept], sample_weight=s[kept])
            total += log_loss(y[fold], other.predict_proba(Z[fold]), sample_weight=s[fold], normalize=False)
        assert error == pytest.approx(total / s.sum(), rel=1e-5)


@pytest.mark.parametrize(("n", "d"), [(40, 6), (18, 50)])
@pytest.mark.parametrize(("penalty", "norm"), [("l2", lambda w: w @ w), ("elasticnet", lambda w: w @ w + abs(w).sum())])
def test_logistic_minimises_the_stated_objective(rng, n, d, penalty, norm):
    X, y = problem(rng, n, d)
    s = balanced(y)
    Z, sign = standardised(X, s), 2.0 * y - 1

    def objective(v):
        return s @ np.logaddexp(0, -sign * (Z @ v[:-1] + v[-1])) / s.sum() + 0.05 * norm(v[:-1])

    detector = LogisticDetector(penalty, 0.05, tol=1e-8, max_iter=20_000).fit(X, y)
    found = np.append(detector.coef_, detector.intercept_)
    best = objective(found)
    for _ in range(200):
        assert objective(found + rng.normal(size=d + 1) * 10.0 ** rng.uniform(-4, -1)) >= best - 1e-9
    if penalty == "l2":
        assert best == pytest.approx(minimize(objective, np.zeros(d + 1), method="BFGS").fun, abs=1e-6)


def test_l1_meets_its_optimality_conditions(rng):
    X, y = problem(rng, 60, 12)
    s = balanced(y)
    Z, sign = standardised(X, s), 2.0 * y - 1
    detector = LogisticDetector("l1", 0.05, tol=1e-9, max_iter=20_000).fit(X, y)
    margin = sign * (Z @ detector.coef_ + detector.intercept_)
    gradient = Z.T @ (s * -sign / (1 + np.exp(margin))) / s.sum()
    used = detector.coef_ != 0
    assert 0 < used.sum() < 12
    np.testing.assert_allclose(gradient[used], -0.05 * np.sign(detector.coef_[used]), atol=1e-6)
    assert (np.abs(gradient[~used]) <= 0.05 + 1e-6).all()


def test_too_few_iterations_are_a_fact_and_no_warning(rng):
    X, y = problem(rng, 60, 12)
    detector = LogisticDetector("l1", 1e-4, max_iter=2).fit(X, y)
    assert not detector.converged_
    assert detector.n_iter_ == 2


def test_the_logistic_search_takes_a_weak_penalty_for_a_clear_signal(rng):
    X = rng.normal(size=(90, 200))
    y = (X[:, :3].sum(axis=1) > 0).astype(int)
    detector = LogisticDetector(strength="cv").fit(X, y)
    assert set(detector.errors_) == set(detector.errors_)
    assert detector.errors_[detector.strength_] == min(detector.errors_.values())
    assert roc_auc_score(y, detector.decision_function(X)) > 0.9


def test_a_dead_feature_gets_no_weight_and_does_no_harm(rng):
    X, y = problem(rng, 30, 40)
    X[:, 5] = np.float32(-27.63102)
    detector = RidgeDetector(1e-4).fit(X, y)
    assert abs(detector.coef_[5]) < 1e-9
    X[:, 5] = 3.0
    np.testing.assert_allclose(detector.decision_function(X), detector.decision_function(X), atol=1e-6)


@pytest.mark.parametrize("n_features", [20_000, 200_000])
def test_the_gram_matrix_does_not_depend_on_the_blocks(rng, n_features):
    X = (rng.normal(size=(11, n_features)) + 50).astype(np.float32)
    grams = [StreamedFeatures(lambda a, b: X[a:b], np.ones(11), memory).gram() for memory in (1, 15 * n_features, 1e9)]
    Z = standardised(X.astype(np.float64), np.ones(11))
    for gram in grams:
        np.testing.assert_allclose(gram, Z @ Z.T, atol=1e-6 * n_features)
        np.testing.assert_allclose(gram, grams[0], atol=1e-6 if n_features < 100_000 else 1e-8 * n_features)


def test_folds_hold_every_one_of_several_classes(rng):
    y = np.repeat([0, 1, 2], [40, 10, 20])
    for fold in group_folds(y, None, 5, rng):
        assert np.bincount(y[fold]).tolist() == [8, 2, 4]


def test_folds_keep_groups_together_and_classes_balanced(rng):
    y = (np.arange(100) < 20).astype(int)
    groups = np.repeat(np.arange(50), 2)
    folds = group_folds(y, groups, 5, rng)
    assert sorted(np.concatenate(folds).tolist()) == list(range(100))
    for fold in folds:
        assert not set(groups[fold]) & set(groups[np.setdiff1d(np.arange(100), fold)])
        assert y[fold].sum() == 4


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda X, y: RidgeDetector(0.0).fit(X, y), ParameterError, "strength must be positive"),
        (lambda X, y: RidgeDetector("auto").fit(X, y), ParameterError, "positive number or 'cv', got 'auto'"),
        (lambda X, y: LogisticDetector("l3").fit(X, y), ParameterError, "penalty must be l1, l2 or elasticnet"),
        (lambda X, y: RidgeDetector().fit(X, np.zeros(len(y))), ParameterError, "two classes, got 1 class"),
        (
            lambda X, y: RidgeDetector().fit(X, np.arange(12) % 3, sample_weight=np.arange(12) % 3),
            ParameterError,
            "every class a positive weight",
        ),
        (
            lambda X, y: LogisticDetector(strength="cv").fit(X, np.minimum(np.arange(12), 2)),
            ParameterError,
            "needs images of every class outside every fold",
        ),
        (
            lambda X, y: RidgeDetector("cv").fit(X, y, groups=np.zeros(len(y))),
            ParameterError,
            "two folds and two groups",
        ),
        (lambda X, y: RidgeDetector("cv").fit(X, y, groups=[1]), ShapeError, "one label for each of the 12"),
        (lambda X, y: RidgeDetector().fit_streamed(lambda a, b: X, y), ShapeError, r"must return 1 rows, got shape"),
        (lambda X, y: LogisticDetector("l1", memory=10).fit(X, y), ParameterError, "use fewer features, or l2"),
        (lambda X, y: RidgeDetector().fit_streamed(lambda a, b: X[a:b] * np.nan, y), ParameterError, "must be finite"),
    ],
)
def test_arguments_without_a_meaning_are_refused(rng, call, error, message):
    X, y = problem(rng, 12, 3)
    with pytest.raises(error, match=message):
        call(X, y)
