"""A share of the images of an experiment, by whole groups: copies of a picture are never on both sides of a split."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["draw_groups"]


def draw_groups(
    groups: npt.NDArray[np.integer], labels: npt.NDArray[np.int8], share: float, rng: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Draw the same share of the groups with real images, of those with generated images, and of those with both.

    Parameters
    ----------
    groups : ndarray of shape (N,)
        Number of the group of every image.
    labels : ndarray of shape (N,)
        0 for real, 1 for generated.
    share : float in [0, 1]
        Of the groups; of each kind the nearest whole number of them.
    rng : Generator

    Returns
    -------
    drawn : ndarray of shape (N,), bool
        Which images are of the groups that were drawn.

    Examples
    --------
    >>> groups, labels = np.array([0, 1, 2, 3, 0]), np.array([0, 0, 1, 1, 0], np.int8)
    >>> drawn = draw_groups(groups, labels, 0.5, np.random.default_rng(0))
    >>> bool(drawn[0] == drawn[4]), int(drawn[[0, 1]].sum()), int(drawn[[2, 3]].sum())
    (True, 1, 1)
    """
    with_real, made = np.unique(groups[labels == 0]), np.unique(groups[labels == 1])
    both = np.intersect1d(with_real, made)
    parts = (both, np.setdiff1d(with_real, both), np.setdiff1d(made, both))
    drawn = [rng.permutation(part)[: round(share * len(part))] for part in parts]
    return np.isin(groups, np.concatenate(drawn))
