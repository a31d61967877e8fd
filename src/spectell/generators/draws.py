"""Every random number of training and sampling, as a function of a seed and a position.

Nothing here has a state: the draws of step 3,000 are the same whether a training came there in one run or in ten, so a
checkpoint needs no state of a random generator but the seed and the step, and image k of a sample depends on the seed
and k alone. Torch-free.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["batch_rows", "sample_latents", "step_generator"]

_SAMPLES, _STEPS, _ORDER = 0, 1, 2
"""First words of the seeds of the three kinds of draws."""


def sample_latents(seed: int, index: int, n: int) -> npt.NDArray[np.float32]:
    """Latents of sample `index`, standard normal.

    Parameters
    ----------
    seed, index : int >= 0
    n : int > 0
        Numbers in a latent vector.

    Returns
    -------
    latents : ndarray of shape (n,), float32

    Examples
    --------
    >>> bool((sample_latents(3, 1, 4) == sample_latents(3, 1, 4)).all())
    True
    """
    return np.random.default_rng([_SAMPLES, seed, index]).standard_normal(n, dtype=np.float32)


def step_generator(seed: int, step: int, update: int) -> np.random.Generator:
    """Random generator of one update of one step of a training.

    Examples
    --------
    >>> step_generator(1, 2, 0).integers(100) == step_generator(1, 2, 0).integers(100)
    np.True_
    """
    return np.random.default_rng([_STEPS, seed, step, update])


def batch_rows(seed: int, position: int, n: int, n_images: int) -> npt.NDArray[np.intp]:
    """Rows of the next `n` images, where `position` images were seen before.

    Every image comes once before any comes again; each pass has an order of its own.

    Parameters
    ----------
    seed : int >= 0
    position : int >= 0
    n, n_images : int > 0

    Returns
    -------
    rows : ndarray of shape (n,), intp

    Examples
    --------
    >>> sorted(batch_rows(0, 0, 2, 5).tolist() + batch_rows(0, 2, 3, 5).tolist())
    [0, 1, 2, 3, 4]
    """
    parts = []
    while n:
        turn, start = divmod(position, n_images)
        order = np.random.default_rng([_ORDER, seed, turn]).permutation(n_images)
        parts.append(order[start : start + n])
        position, n = position + len(parts[-1]), n - len(parts[-1])
    return np.concatenate(parts)
