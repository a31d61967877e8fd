r"""Ridge regression on -1 for real and 1 for generated, in closed form.

With :math:`z` the standardised features, :math:`s_i` the weights of the images, which sum to :math:`S`, and a strength
:math:`\gamma`, it minimises

.. math:: \frac{1}{S} \sum_i s_i (y_i - w^T z_i - b)^2 + \gamma \lVert w \rVert^2 .

The mean, not the sum, as in the paper's code: the strength means the same for any number of images. The intercept
is not penalised. Where features outnumber images the solution is :math:`w = X^T a` with `a` from the `n` by `n` Gram
matrix, and the features are streamed.

More than two classes are one such problem each, 1 for the class and -1 for all others. They differ in `y` alone, so one
factorisation serves them all, and the features are passed over once.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from spectell.detectors.linear import Folds, LinearDetector, group_folds
from spectell.detectors.parts import Float64Array
from spectell.detectors.slabs import stream_features
from spectell.detectors.streaming import DEFAULT_MEMORY, Source, StreamedFeatures
from spectell.errors import ParameterError

__all__ = ["RIDGE_STRENGTHS", "RidgeDetector", "check_strength", "held_out_errors"]

RIDGE_STRENGTHS = tuple(float(f"{10.0 ** (k / 2):.3g}") for k in range(-8, 11))
"""Searched by ``strength="cv"``: half decades from 1e-4 to 1e5, as the features number from a hundred to a million."""


class RidgeDetector(LinearDetector):
    """Ridge regression, closed form: primal for few features, dual and streamed for many.

    Parameters
    ----------
    strength : float > 0 or "cv"
        Weight of the penalty beside the mean squared error; 0.01 is the paper's. ``"cv"`` takes the one of `strengths`
        with the smallest error in cross-validation over whole groups.
    balanced : bool
        Whether all classes weigh the same, however many images each has.
    strengths : sequence of float > 0, optional
        What ``"cv"`` searches; by default `RIDGE_STRENGTHS`.
    folds : int >= 2
        Of the cross-validation.
    seed : int
        Of the folds.
    memory : float
        Bytes that blocks of streamed features may take.

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (D,)
        Standardisation.
    coef_ : ndarray of shape (D,), or (K, D) for K > 2 classes
        Weights of the standardised features.
    intercept_ : float or ndarray of shape (K,)
    strength_ : float
        The strength that was used.
    errors_ : dict of float to float or None
        Mean squared held-out error of every strength that was tried, over all classes.

    References
    ----------
    .. [1] Hoerl, Kennard (1970). Ridge regression. Technometrics 12(1), 55-67. :doi:`10.1080/00401706.1970.10488634`
    .. [2] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML. :arxiv:`2003.08685`

    Examples
    --------
    One feature at -1 and 1, which is standardised already, has the weight 1 / (1 + strength):

    >>> detector = RidgeDetector(strength=1.0).fit([[-1.0], [1.0]], [0, 1])
    >>> detector.coef_.round(6).tolist(), detector.predict([[0.5]]).tolist()
    ([0.5], [1])
    """

    def __init__(
        self,
        strength: float | Literal["cv"] = 0.01,
        *,
        balanced: bool = True,
        strengths: Sequence[float] | None = None,
        folds: int = 5,
        seed: int = 0,
        memory: float = DEFAULT_MEMORY,
    ) -> None:
        self.strength = strength
        self.balanced = balanced
        self.strengths = strengths
        self.folds = folds
        self.seed = seed
        self.memory = memory

    def _fit_source(
        self, source: Source, codes: npt.NDArray[np.intp], weights: Float64Array, groups: npt.ArrayLike | None
    ) -> None:
        strengths = check_strength(self.strength, self.strengths, RIDGE_STRENGTHS)
        target = _targets(codes)
        features = stream_features(source, weights, self.memory)
        self.mean_, self.scale_ = features.mean, features.scale
        self.intercept_ = weights @ target / weights.sum()
        problem = _problem(features, target - self.intercept_, weights)
        self.errors_ = None
        self.strength_ = strengths[0]
        if self.strength == "cv":
            folds = group_folds(codes, groups, self.folds, np.random.default_rng(self.seed))
            self.errors_ = problem.search(strengths, folds)
            # Of equal errors the strongest, which is the last.
            self.strength_ = min(reversed(strengths), key=self.errors_.__getitem__)
        self.coef_ = problem.solve(self.strength_)


def check_strength(
    strength: float | str, strengths: Sequence[float] | None, default: tuple[float, ...]
) -> tuple[float, ...]:
    """Return the strengths to try, rising; a single one if it is given.

    Raises
    ------
    ParameterError
        If a strength is not positive, or a text other than "cv".

    Examples
    --------
    >>> check_strength("cv", [1.0, 0.1], ())
    (0.1, 1.0)
    """
    if isinstance(strength, str) and strength != "cv":
        raise ParameterError(f"strength must be a positive number or 'cv', got {strength!r}")
    if isinstance(strength, str):
        wanted = tuple(sorted(map(float, default if strengths is None else strengths)))
    else:
        wanted = (float(strength),)
    if not wanted or not all(0 < value < np.inf for value in wanted):
        raise ParameterError(f"strength must be positive, got {wanted}")
    return wanted


def _targets(codes: npt.NDArray[np.intp]) -> Float64Array:
    """Return -1 and 1 of two classes, shape (n,), or of each class against the others, shape (n, K)."""
    n_classes = int(codes.max()) + 1
    member = codes == 1 if n_classes == 2 else codes[:, np.newaxis] == np.arange(n_classes)
    return np.where(member, 1.0, -1.0)


def _weighted(target: Float64Array, weights: Float64Array) -> Float64Array:
    """Weigh the rows of targets, shape (n,) or (n, K)."""
    return np.asarray((target.T * weights).T)


def _problem(features: StreamedFeatures, target: Float64Array, weights: Float64Array) -> "_Dual | _Primal":
    if features.n_features <= len(target):
        return _Primal(features, target, weights)
    return _Dual(features, target, weights)


class _Primal:
    """Few features: a D by D system."""

    def __init__(self, features: StreamedFeatures, target: Float64Array, weights: Float64Array) -> None:
        self._features, self._target, self._weights = features, target, weights
        self._matrix, self._vector = features.covariance(target)

    def solve(self, strength: float) -> Float64Array:
        from scipy.linalg import solve

        penalised = self._matrix + strength * self._weights.sum() * np.eye(len(self._vector))
        return np.asarray(solve(penalised, self._vector, assume_a="pos").T)

    def search(self, strengths: Sequence[float], folds: Folds) -> dict[float, float]:
        values, vectors = np.linalg.eigh(self._matrix)
        kept = values > values[-1] * 1e-12
        rotation = vectors[:, kept] / np.sqrt(values[kept])
        basis = self._features.matrix() @ rotation * np.sqrt(self._weights)[:, np.newaxis]
        return held_out_errors(basis, values[kept], self._target, self._weights, strengths, folds)


class _Dual:
    """Many features: an n by n system, whose weights are a streamed combination of the rows."""

    def __init__(self, features: StreamedFeatures, target: Float64Array, weights: Float64Array) -> None:
        self._features, self._target, self._weights = features, target, weights
        self._root = np.sqrt(weights)
        self._gram = self._root[:, np.newaxis] * features.gram() * self._root

    def solve(self, strength: float) -> Float64Array:
        from scipy.linalg import solve

        penalised = self._gram + strength * self._weights.sum() * np.eye(len(self._target))
        found = solve(penalised, _weighted(self._target, self._root), assume_a="pos")
        return self._features.combine(_weighted(found, self._root))

    def search(self, strengths: Sequence[float], folds: Folds) -> dict[float, float]:
        values, basis = np.linalg.eigh(self._gram)
        kept = values > values[-1] * 1e-12
        return held_out_errors(basis[:, kept], values[kept], self._target, self._weights, strengths, folds)


def held_out_errors(
    basis: Float64Array,
    values: Float64Array,
    target: Float64Array,
    weights: Float64Array,
    strengths: Sequence[float],
    folds: Folds,
) -> dict[float, float]:
    r"""Mean squared error of ridge regression on images that were held out, for every strength, without a refit.

    Write :math:`H` for the matrix that maps targets to fitted values. If the images `F` are left out, their errors are
    :math:`(I - H_{FF})^{-1} (y - H y)_F`, exactly. `H` follows from one eigendecomposition for every strength, so all
    folds and strengths together cost little more than one fit. (The standardisation is that of all images, which
    tells the held-out ones nothing about labels.)

    Parameters
    ----------
    basis : ndarray of shape (n, r)
        Orthonormal eigenvectors of :math:`S^{1/2} K S^{1/2}`, K being the Gram matrix of the centred rows.
    values : ndarray of shape (r,)
        Its eigenvalues.
    target : ndarray of shape (n,) or (n, K)
        Centred targets.
    weights : ndarray of shape (n,)
        Weights `s` of the images.
    strengths : sequence of float
    folds : list of index arrays

    Returns
    -------
    errors : dict of float to float
        Weighted mean over all images and targets.

    References
    ----------
    .. [1] Rifkin, Lippert (2007). Notes on regularized least squares. MIT-CSAIL-TR-2007-025.
    """
    root = np.sqrt(weights)
    total = weights.sum()
    constant = root / np.sqrt(total)  # the intercept is one more column, and has no penalty
    scaled = _weighted(target, root)
    projected = basis.T @ scaled
    level = constant @ scaled
    errors = dict.fromkeys(strengths, 0.0)
    for fold in folds:
        # A refit without the fold would weigh the penalty with the weight of the others.
        remaining = total - weights[fold].sum()
        rows, ones = basis[fold], constant[fold]
        for strength in strengths:
            shrink = values / (values + strength * remaining)
            hat = (rows * shrink) @ rows.T + np.outer(ones, ones)
            fitted = rows @ _weighted(projected, shrink) + np.multiply.outer(ones, level)
            errors[strength] += float(np.square(np.linalg.solve(np.eye(len(fold)) - hat, scaled[fold] - fitted)).sum())
    n_targets = target.size // len(target)
    return {strength: error / float(total) / n_targets for strength, error in errors.items()}
