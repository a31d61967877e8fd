"""How well files alone, without their pixels, tell generated from real.

A detector trained on such files learns the files. The facts are those that `spectell.images` reads from a file's
structure: format, size, JPEG tables, mode, marks of provenance. The number of bytes is left out, since a smooth picture
needs fewer: it is a fact about the pixels.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.evaluation.intervals import Interval, bootstrap_interval
from spectell.evaluation.metrics import roc_auc
from spectell.images import ImageFacts

__all__ = ["FACTS", "MIN_GROUPS", "fact_features", "fact_separation", "fact_values", "separation"]

MIN_GROUPS = 5
"""Groups that a class needs for a cross-validated figure."""

FOLDS = 5


def _mode(facts: ImageFacts) -> str:
    return facts.mode + (" with transparency" if facts.transparent else "") + (", animated" if facts.frames > 1 else "")


def _provenance(facts: ImageFacts) -> str:
    marks = [facts.digital_source_type, facts.generation_parameters, "C2PA" if facts.c2pa else None]
    return ", ".join(mark for mark in marks if mark) or "none"


FACTS: Mapping[str, Callable[[ImageFacts], str | None]] = MappingProxyType(
    {
        "format": lambda facts: facts.format,
        "size": lambda facts: f"{facts.width}x{facts.height}",
        "JPEG quality": lambda facts: None if facts.jpeg_quality is None else str(facts.jpeg_quality),
        "JPEG subsampling": lambda facts: facts.jpeg_subsampling,
        "mode": _mode,
        "provenance": _provenance,
    }
)
"""What is compared, by name: from a file's facts to a word; None where the file has no such thing."""


def fact_values(facts: Sequence[ImageFacts], name: str) -> Counter[str]:
    """Count the values of a fact, leaving out files that have none.

    Examples
    --------
    >>> fact_values([ImageFacts("PNG", 4, 3, "RGB"), ImageFacts("JPEG", 4, 3, "RGB", jpeg_quality=75)], "size")
    Counter({'4x3': 2})
    """
    return Counter(value for value in map(FACTS[name], facts) if value is not None)


def fact_features(facts: Sequence[ImageFacts], names: Sequence[str] = tuple(FACTS)) -> npt.NDArray[np.float64]:
    """Describe files by numbers, for a classifier.

    Parameters
    ----------
    facts : sequence of N ImageFacts
        The files.
    names : sequence of str
        Which of `FACTS`.

    Returns
    -------
    features : ndarray of shape (N, D), float64
        Logarithms of width, height and their ratio; JPEG quality, -1 without one; a column of 0 and 1 for each value
        of every other fact.

    Examples
    --------
    >>> fact_features([ImageFacts("PNG", 4, 2, "RGB"), ImageFacts("BMP", 2, 2, "RGB")], ["size", "format"]).tolist()
    [[2.0, 1.0, 1.0, 0.0, 1.0], [1.0, 1.0, 0.0, 1.0, 0.0]]
    """
    columns: list[list[float]] = []
    for name in names:
        if name == "size":
            width, height = ([math.log2(side) for side in sides] for sides in zip(*map(_size, facts), strict=True))
            columns += [width, height, [w - h for w, h in zip(width, height, strict=True)]]
        elif name == "JPEG quality":
            columns.append([-1.0 if each.jpeg_quality is None else float(each.jpeg_quality) for each in facts])
        else:
            values = list(map(FACTS[name], facts))
            columns += [[float(value == kind) for value in values] for kind in sorted(set(map(str, values)))]
    return np.array(columns, dtype=np.float64).T.reshape(len(facts), len(columns))


def _size(facts: ImageFacts) -> tuple[int, int]:
    return facts.width, facts.height


def fact_separation(
    facts: Sequence[ImageFacts], labels: npt.ArrayLike, groups: npt.ArrayLike, names: Sequence[str] = tuple(FACTS)
) -> Interval | None:
    """Area under the ROC curve of a small decision tree that sees only file facts.

    Every image is scored by a tree grown without its group (five folds); the 95 % interval resamples groups.

    Parameters
    ----------
    facts : sequence of N ImageFacts
        The files.
    labels : array_like of shape (N,)
        0 real, 1 generated.
    groups : array_like of shape (N,)
        Images of one group are never on both sides.
    names : sequence of str
        Which of `FACTS` the tree sees.

    Returns
    -------
    auc : Interval or None
        0.5 when the facts say nothing; None when a class has fewer than `MIN_GROUPS` groups.

    Examples
    --------
    >>> png, jpeg = ImageFacts("PNG", 8, 8, "RGB"), ImageFacts("JPEG", 8, 8, "RGB", jpeg_quality=75)
    >>> fact_separation([png] * 10 + [jpeg] * 10, [0] * 10 + [1] * 10, range(20)).estimate
    1.0
    >>> fact_separation([png] * 20, [0] * 10 + [1] * 10, range(20)).estimate
    0.5
    """
    features = fact_features(facts, names)
    return separation(features, labels, groups)


def separation(
    features: npt.NDArray[np.float64], labels: npt.ArrayLike, groups: npt.ArrayLike, *, linear: bool = False
) -> Interval | None:
    """Area under the ROC curve of a small classifier, every image scored without its group.

    Parameters
    ----------
    features : ndarray of shape (N, D), float64
    labels : array_like of shape (N,)
        0 real, 1 generated.
    groups : array_like of shape (N,)
        Images of one group are never on both sides of the five folds, and are resampled together.
    linear : bool
        Logistic regression on standardised features instead of a decision tree.

    Returns
    -------
    auc : Interval or None
        0.5 when the features are constant; None when a class has fewer than `MIN_GROUPS` groups.

    Examples
    --------
    >>> column = np.repeat([0.0, 1.0], 10)[:, np.newaxis]
    >>> separation(column, [0] * 10 + [1] * 10, range(20), linear=True).estimate
    1.0
    """
    truth, pictures = np.asarray(labels), np.asarray(groups)
    smallest = min(len(np.unique(pictures[truth == label])) for label in (0, 1))
    if smallest < MIN_GROUPS:
        return None
    if not np.ptp(features, axis=0).any():
        return Interval(0.5, 0.5, 0.5)
    scores = _held_back_scores(features, truth, pictures, linear)
    return bootstrap_interval(roc_auc, truth, scores, pictures, rng=0)


def _held_back_scores(
    features: npt.NDArray[np.float64],
    labels: npt.NDArray[np.integer],
    groups: npt.NDArray[np.integer],
    linear: bool,
) -> npt.NDArray[np.float64]:
    from sklearn.model_selection import StratifiedGroupKFold
    from threadpoolctl import threadpool_limits

    scores = np.full(len(labels), 0.5)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for train, test in folds.split(features, labels, groups):
        if len(np.unique(labels[train])) < 2:
            continue  # 0.5 says nothing, which is what is known
        classifier = _classifier(len(train), linear)
        with threadpool_limits(1):  # so small a problem waits for its threads more than it computes
            scores[test] = classifier.fit(features[train], labels[train]).predict_proba(features[test])[:, 1]
    return scores


def _classifier(n: int, linear: bool) -> Any:
    # Balanced weights: otherwise a leaf that knows nothing tells which class its fold holds back more of.
    if linear:
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000, class_weight="balanced"))
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(
        max_leaf_nodes=16, min_samples_leaf=max(2, n // 100), class_weight="balanced", random_state=0
    )
