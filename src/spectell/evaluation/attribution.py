"""How well classes are told apart: confusion matrix, figures for each class, and their means over the classes.

The means ("macro") weigh every class the same, however many images it has.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError
from spectell.evaluation.checks import FloatArray, check_groups
from spectell.evaluation.intervals import Interval, quantile_interval

__all__ = ["Attribution", "class_confusion", "class_figures", "evaluate_classes"]

IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Attribution:
    """What `evaluate_classes` found.

    Parameters
    ----------
    confusion : ndarray of shape (K, K)
        Images by their class (row) and the class that was named (column).
    overall : dict of str to Interval
        ``accuracy``, ``macro_recall``, ``macro_precision``, ``macro_f1``.
    per_class : tuple of dict of str to Interval
        For each class ``recall``, ``precision``, ``f1``.
    """

    confusion: npt.NDArray[np.int64]
    overall: dict[str, Interval]
    per_class: tuple[dict[str, Interval], ...]


def class_confusion(classes: npt.ArrayLike, named: npt.ArrayLike, n_classes: int) -> npt.NDArray[np.int64]:
    """Count images by their class (row) and the class that was named (column).

    Parameters
    ----------
    classes, named : array_like of shape (n,), 0 to `n_classes` - 1
    n_classes : int

    Returns
    -------
    confusion : ndarray of shape (n_classes, n_classes)

    Raises
    ------
    ParameterError, ShapeError
        If the two differ in length, are empty, or hold another class.

    Examples
    --------
    >>> class_confusion([0, 0, 1], [0, 1, 1], 2).tolist()
    [[1, 1], [0, 1]]
    """
    first, second = np.asarray(classes, np.intp), np.asarray(named, np.intp)
    if first.shape != second.shape or first.ndim != 1:
        raise ShapeError(f"classes and named must have one shape (n,), got {first.shape} and {second.shape}")
    if not first.size or min(first.min(), second.min()) < 0 or max(first.max(), second.max()) >= n_classes:
        raise ParameterError(f"classes and named must hold classes 0 to {n_classes - 1}, and at least one")
    return np.bincount(first * n_classes + second, minlength=n_classes**2).reshape(n_classes, n_classes)


def class_figures(confusion: npt.NDArray[np.generic]) -> dict[str, FloatArray]:
    r"""Recall, precision and F1 of each class, from confusion matrices.

    With :math:`c_{ij}` the images of class i that were called j, recall is :math:`c_{ii} / \sum_j c_{ij}`, precision
    :math:`c_{ii} / \sum_j c_{ji}`, and F1 their harmonic mean. A class that was never named has precision 0 and F1 0.

    Parameters
    ----------
    confusion : ndarray of shape (..., K, K)

    Returns
    -------
    figures : dict of str to ndarray
        ``recall``, ``precision`` and ``f1``, shape (..., K); NaN for recall and F1 of a class without images.

    Examples
    --------
    >>> figures = class_figures(np.array([[3, 1], [0, 2]]))
    >>> {name: values.round(3).tolist() for name, values in figures.items()}
    {'recall': [0.75, 1.0], 'precision': [1.0, 0.667], 'f1': [0.857, 0.8]}
    """
    counts = confusion.astype(np.float64)
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    present, named = counts.sum(axis=-1), counts.sum(axis=-2)
    recall = np.divide(right, present, out=np.full_like(right, np.nan), where=present > 0)
    precision = np.divide(right, named, out=np.zeros_like(right), where=named > 0)
    f1 = np.divide(2 * right, present + named, out=np.full_like(right, np.nan), where=present > 0)
    return {"recall": recall, "precision": precision, "f1": f1}


def evaluate_classes(
    classes: npt.ArrayLike,
    named: npt.ArrayLike,
    n_classes: int,
    *,
    groups: npt.ArrayLike | None = None,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    rng: np.random.Generator | int,
) -> Attribution:
    """Confusion matrix and figures, each with its interval.

    Parameters
    ----------
    classes, named : array_like of shape (n,), 0 to `n_classes` - 1
        What each image is, and what it was called.
    n_classes : int
    groups : array_like of shape (n,), optional
        Images with equal labels stay together in a resample; by default each is a group.
    n_resamples : int
        Bootstrap resamples of whole groups.
    confidence : float in (0, 1)
    rng : Generator or int

    Returns
    -------
    attribution : Attribution
        Means are taken over the classes that have images. Bounds are NaN where a figure was undefined on too many
        resamples, or there are fewer than two groups.

    Raises
    ------
    ParameterError, ShapeError
        If an argument does not fit.

    Examples
    --------
    >>> found = evaluate_classes([0, 0, 1, 1, 2, 2], [0, 0, 1, 2, 2, 2], 3, rng=0)
    >>> round(found.overall["accuracy"].estimate, 3), found.per_class[1]["recall"].estimate
    (0.833, 0.5)
    """
    confusion = class_confusion(classes, named, n_classes)
    codes = np.asarray(classes, np.intp) * n_classes + np.asarray(named, np.intp)
    group_of = check_groups(groups, len(codes))
    resampled = _resampled(codes, group_of, n_classes, n_resamples, np.random.default_rng(rng))
    estimates, drawn = _all_figures(confusion[np.newaxis]), _all_figures(resampled)
    several = len(np.unique(group_of)) > 1

    def interval(name: str, class_number: int | None = None) -> Interval:
        values, (estimate,) = drawn[name], estimates[name]
        if class_number is not None:
            values, estimate = values[:, class_number], estimate[class_number]
        return quantile_interval(float(estimate), values if several else np.full_like(values, np.nan), confidence)

    names = ("recall", "precision", "f1")
    return Attribution(
        confusion,
        {name: interval(name) for name in ("accuracy", *(f"macro_{name}" for name in names))},
        tuple({name: interval(name, k) for name in names} for k in range(n_classes)),
    )


def _resampled(
    codes: IntArray, group_of: IntArray, n_classes: int, n_resamples: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Return confusion matrices of resamples of whole groups, shape (n_resamples, K, K)."""
    numbers = np.unique(group_of, return_inverse=True)[1]
    n_groups = int(numbers.max()) + 1
    found = np.empty((n_resamples, n_classes**2), np.int64)
    for row in found:
        times = np.bincount(rng.integers(n_groups, size=n_groups), minlength=n_groups)
        row[:] = np.bincount(codes, times[numbers], minlength=n_classes**2)
    return found.reshape(n_resamples, n_classes, n_classes)


def _all_figures(confusion: npt.NDArray[np.int64]) -> dict[str, FloatArray]:
    figures = class_figures(confusion)
    present = confusion.sum(axis=-1) > 0
    right = np.diagonal(confusion, axis1=-2, axis2=-1).sum(axis=-1)
    n_present = present.sum(axis=-1)
    macro = {f"macro_{name}": np.where(present, each, 0).sum(axis=-1) / n_present for name, each in figures.items()}
    return {**figures, **macro, "accuracy": right / confusion.sum(axis=(-2, -1))}
