"""How far generated images are from real ones, without any network: the sliced Wasserstein distance of patches.

Patches of 7 x 7 pixels are taken from every level of a Laplacian pyramid, so that coarse and fine structure count by
themselves, as published with progressive growing [1]_. It says whether a training gets on; it compares generators of
one size on one data set, and nothing else. Torch-free.

References
----------
.. [1] Karras, Aila, Laine, Lehtinen (2018). Progressive growing of GANs for improved quality, stability, and variation.
   ICLR. :arxiv:`1710.10196`
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError

__all__ = ["laplacian_pyramid", "sliced_wasserstein"]

FloatArray = npt.NDArray[np.float32]

_PATCH = 7
_PATCHES_PER_IMAGE = 32
_DIRECTIONS = 128
_COARSEST = 16
"""Side of the pyramid's last level in pixels."""


def sliced_wasserstein(real: npt.ArrayLike, generated: npt.ArrayLike, *, seed: int = 0) -> float:
    """Mean over pyramid levels of the sliced Wasserstein distance between patches.

    Patches are standardised for each channel with the mean and standard deviation of the real ones; the distance is the
    mean absolute difference of sorted projections on 128 random directions.

    Parameters
    ----------
    real, generated : array_like of shape (N, S, S, 3), uint8
        As many of the one as of the other.
    seed : int >= 0
        Of the positions and directions.

    Returns
    -------
    distance : float >= 0
        Times 1,000, as usual. Sets of one origin are not at 0: their distance, which falls with N, is the floor.

    Raises
    ------
    ShapeError
        If the shapes differ or are not those of square images.
    ParameterError
        If there is no image.

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)
    >>> sliced_wasserstein(images, images)
    0.0
    """
    first, second = np.asarray(real), np.asarray(generated)
    if first.shape != second.shape or first.ndim != 4 or first.shape[1] != first.shape[2] or first.shape[3] != 3:
        raise ShapeError(f"real and generated must have one shape (N, S, S, 3), got {first.shape} and {second.shape}")
    if not len(first):
        raise ParameterError("real must hold at least one image, got none")
    rng = np.random.default_rng(seed)
    distances = []
    for ours, theirs in zip(laplacian_pyramid(first), laplacian_pyramid(second), strict=True):
        rows, columns = rng.integers(0, ours.shape[1] - _PATCH + 1, (2, len(ours), _PATCHES_PER_IMAGE))
        directions = rng.standard_normal((3 * _PATCH**2, _DIRECTIONS)).astype(np.float32)
        directions /= np.linalg.norm(directions, axis=0)
        a, b = _patches(ours, rows, columns), _patches(theirs, rows, columns)
        mean, spread = a.mean(axis=(0, 1)), a.std(axis=(0, 1)) + np.float32(1e-6)
        projected = [np.sort(((p - mean) / spread).reshape(len(p), -1) @ directions, axis=0) for p in (a, b)]
        distances.append(float(np.abs(projected[0] - projected[1]).mean()))
    return 1000 * float(np.mean(distances))


def laplacian_pyramid(images: npt.ArrayLike) -> list[FloatArray]:
    """Differences between each level of a pyramid of 2 x 2 means and the next, and the last level itself.

    Parameters
    ----------
    images : array_like of shape (N, S, S, 3)

    Returns
    -------
    levels : list of ndarray of shape (N, S / 2**i, S / 2**i, 3), float32
        From fine to coarse; the sides end at 16.

    Examples
    --------
    >>> [level.shape[1] for level in laplacian_pyramid(np.zeros((1, 64, 64, 3)))]
    [64, 32, 16]
    """
    level = np.asarray(images, dtype=np.float32)
    levels = []
    while level.shape[1] > _COARSEST and level.shape[1] % 2 == 0:
        n, side = level.shape[:2]
        smaller = level.reshape(n, side // 2, 2, side // 2, 2, 3).mean(axis=(2, 4))
        levels.append(level - smaller.repeat(2, axis=1).repeat(2, axis=2))
        level = smaller
    return [*levels, level]


def _patches(level: FloatArray, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> FloatArray:
    """Cut patches, shape (N x number, 49, 3)."""
    windows = np.lib.stride_tricks.sliding_window_view(level, (_PATCH, _PATCH), axis=(1, 2))
    found = windows[np.arange(len(level))[:, np.newaxis], rows, columns]  # (N, number, 3, 7, 7)
    return np.moveaxis(found.reshape(-1, 3, _PATCH**2), 1, 2)
