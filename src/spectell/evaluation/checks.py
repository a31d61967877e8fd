"""The one check of labels, scores and groups that every function of this room applies.

It answers with arrays of a fixed dtype, so that the code behind it has a single case to handle: labels as a
boolean array that is true for a generated image, scores as `float64`, groups as small integers.
"""

import numpy as np
import numpy.typing as npt

from spectell.errors import MismatchError, ParameterError, ShapeError

__all__ = [
    "BoolArray",
    "FloatArray",
    "IntArray",
    "check_groups",
    "check_limit",
    "check_probabilities",
    "check_rate",
    "check_scores",
]

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


def check_scores(
    labels: npt.ArrayLike, scores: npt.ArrayLike, *, both_classes: bool = False, name: str = "scores"
) -> tuple[BoolArray, FloatArray]:
    """Return which images are generated, and their scores, once both are known to be usable.

    Parameters
    ----------
    labels : array_like of shape (n,), values 0 or 1
        0 is real, 1 is generated.
    scores : array_like of shape (n,), finite
        One number an image.
    both_classes : bool
        Whether at least one image of each class is needed.
    name : str
        What the messages call `scores`.

    Returns
    -------
    generated : ndarray of shape (n,), bool
    scores : ndarray of shape (n,), float64

    Raises
    ------
    ShapeError
        If the two are not one-dimensional and equally long.
    ParameterError
        If they are empty, a label is neither 0 nor 1, a score is not finite, or a class is missing.

    Examples
    --------
    >>> generated, scores = check_scores([0, 1], [-2, 3])
    >>> generated.tolist(), scores.tolist()
    ([False, True], [-2.0, 3.0])
    """
    classes = np.asarray(labels)
    values = _as_float64(scores, name)
    if classes.ndim != 1 or classes.shape != values.shape:
        raise ShapeError(
            f"labels and {name} must be one-dimensional and equally long, got shapes {classes.shape} and {values.shape}"
        )
    if not classes.size:
        raise MismatchError(f"labels and {name} must hold at least one image, got none")
    generated = np.asarray(classes == 1)
    known = generated | np.asarray(classes == 0)
    if not known.all():
        index = int(np.argmin(known))
        raise ParameterError(f"labels must be 0 (real) or 1 (generated), got {classes[index]!r} at index {index}")
    if both_classes and (generated.all() or not generated.any()):
        n_generated = int(generated.sum())
        raise MismatchError(
            f"labels must hold both classes, got {len(classes) - n_generated} real and {n_generated} generated images; "
            "add images of the other class"
        )
    return generated, values


def _as_float64(values: npt.ArrayLike, name: str) -> FloatArray:
    try:
        floats = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} must be numbers, got a {type(values).__name__} of something else") from error
    finite = np.isfinite(floats)
    if not finite.all():
        index = int(np.argmin(finite.ravel()))
        value = float(floats.ravel()[index])
        raise MismatchError(f"{name} must be finite, got {value} at index {index}; leave out images without a score")
    return floats


def check_probabilities(labels: npt.ArrayLike, probabilities: npt.ArrayLike) -> tuple[BoolArray, FloatArray]:
    """Like `check_scores`, for numbers that must also lie between 0 and 1.

    Raises
    ------
    ShapeError, ParameterError
        As `check_scores`; also if a probability lies outside [0, 1].

    Examples
    --------
    >>> check_probabilities([0, 1], [0.25, 1])[1].tolist()
    [0.25, 1.0]
    """
    generated, values = check_scores(labels, probabilities, name="probabilities")
    outside = (values < 0) | (values > 1)
    if outside.any():
        index = int(np.argmax(outside))
        raise ParameterError(
            f"probabilities must lie between 0 and 1, got {values[index]} at index {index}; "
            "turn scores into probabilities with spectell.evaluation.calibration.logistic"
        )
    return generated, values


def check_groups(groups: npt.ArrayLike | None, n_images: int) -> IntArray:
    """Return the number of each image's group, from 0; without groups each image is its own.

    Parameters
    ----------
    groups : array_like of shape (n_images,) or None
        Any labels that can be compared, usually strings; equal labels are one group.
    n_images : int
        How many images there are.

    Returns
    -------
    group_of : ndarray of shape (n_images,), intp
        The number of each image's group.

    Raises
    ------
    ShapeError
        If there is not exactly one label an image.

    Examples
    --------
    >>> check_groups(["b", "a", "b"], 3).tolist()
    [1, 0, 1]
    >>> check_groups(None, 2).tolist()
    [0, 1]
    """
    if groups is None:
        return np.arange(n_images)
    names = np.asarray(groups)
    if names.shape != (n_images,):
        raise ShapeError(f"groups must hold one label for each of the {n_images} images, got shape {names.shape}")
    if names.dtype == object:
        names = names.astype(str)  # labels of several types, or missing ones, have no order among themselves
    return np.asarray(np.unique(names, return_inverse=True)[1], dtype=np.intp)


def check_rate(value: float, name: str) -> float:
    """Return `value` as a float if it lies strictly between 0 and 1.

    Raises
    ------
    ParameterError
        If it does not.

    Examples
    --------
    >>> check_rate(0.05, "fpr")
    0.05
    """
    if not 0 < value < 1:
        raise ParameterError(f"{name} must lie strictly between 0 and 1, got {value!r}")
    return float(value)


def check_limit(fpr: float) -> float:
    """Return `fpr` as a float if it lies between 0 and 1, both included.

    Raises
    ------
    ParameterError
        If it does not.

    Examples
    --------
    >>> check_limit(0)
    0.0
    """
    if not 0 <= fpr <= 1:
        raise ParameterError(f"fpr must lie between 0 and 1, got {fpr!r}")
    return float(fpr)
