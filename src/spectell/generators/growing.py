"""When a growing network doubles its resolution, and how far the new stage has faded in.

Torch-free: a schedule is a function of the share of the training that is done.
"""

from __future__ import annotations

from dataclasses import dataclass

from spectell.errors import ParameterError

__all__ = ["Phase", "growing_phase"]

FIRST = 8
"""Side in pixels of the first images. Smaller ones say nothing about a face."""


@dataclass(frozen=True, slots=True)
class Phase:
    """What the networks work on at one step.

    Parameters
    ----------
    resolution : int
        Side of the images in pixels.
    alpha : float, 0 to 1
        Share of the newest stage.
    """

    resolution: int
    alpha: float


def growing_phase(step: int, steps: int, size: int) -> Phase:
    """Where the growing stands at `step` of `steps`.

    Every resolution from 8 on gets the same number of steps but the last, which gets as many again: there is most to
    learn. The first half of each (but the first) fades the new stage in linearly [1]_.

    Parameters
    ----------
    step : int, 0 to steps
    steps : int > 0
        Length of the whole training.
    size : int
        The last resolution, a power of two from 8.

    Returns
    -------
    phase : Phase

    References
    ----------
    .. [1] Karras, Aila, Laine, Lehtinen (2018). Progressive growing of GANs for improved quality, stability, and
       variation. ICLR. :arxiv:`1710.10196`

    Examples
    --------
    >>> [growing_phase(step, 80, 32) for step in (0, 20, 25, 30, 79)] # doctest: +NORMALIZE_WHITESPACE
    [Phase(resolution=8, alpha=1.0), Phase(resolution=16, alpha=0.0), Phase(resolution=16, alpha=0.5),
     Phase(resolution=16, alpha=1.0), Phase(resolution=32, alpha=1.0)]
    """
    if not 0 <= step <= steps:
        raise ParameterError(f"step must be between 0 and steps={steps}, got {step}")
    stages = (size // FIRST).bit_length()
    shares = stages + 1
    stage = min(step * shares // max(steps, 1), stages - 1)
    if stage == 0:
        return Phase(FIRST, 1.0)
    begun = stage * steps / shares
    return Phase(FIRST << stage, min(1.0, max(0.0, 2 * (step - begun) * shares / steps)))
