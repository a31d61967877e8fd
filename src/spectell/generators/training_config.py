"""What a training of a generator is asked to do. Torch-free, so that it can be checked before torch is loaded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from spectell.errors import ParameterError

__all__ = ["BATCH", "GeneratorConfig"]

BATCH = 64
"""Images of each kind in one update."""

_DEFAULT_WIDTHS = {32: 24}
_DEFAULT_WIDTH = 16
_SIZES = (32, 64, 128, 256)


@dataclass(frozen=True, slots=True)
class GeneratorConfig:
    """All that decides the weights, but the images.

    Parameters
    ----------
    loss : {"sngan", "wgan-gp", "cramer", "mmd"}
    upsampling : {"nearest", "bilinear", "binomial", "transposed", "pixelshuffle"}
    size : {32, 64, 128, 256}
        Side of the images in pixels.
    steps : int > 0
        Updates of the generator.
    seed : int >= 0
    batch : int >= 2
        Images of each kind in an update.
    width : int > 0, optional
        Channels at full size; 24 at 32 pixels and 16 above by default, which keeps the generator under 600,000 numbers.
    progressive : bool
        Grow the networks from 8 x 8 pixels.
    smoothing : bool
        End the generator with a filter ``[1 2 1] / 4``.
    spectral : float >= 0
        Weight of the spectral regulariser in the generator's loss; 0 is without.
    critic_steps : int > 0, optional
        Updates of the critic for each of the generator; as published with the loss by default.
    learning_rate : float > 0, optional
        As published with the loss by default.

    Raises
    ------
    ParameterError
        If a value is outside its range. Names of losses and up-samplings are checked where they are used.

    Examples
    --------
    >>> GeneratorConfig(size=64).channels
    16
    """

    loss: str = "sngan"
    upsampling: str = "nearest"
    size: int = 32
    steps: int = 5000
    seed: int = 0
    batch: int = BATCH
    width: int | None = None
    progressive: bool = False
    smoothing: bool = False
    spectral: float = 0.0
    critic_steps: int | None = None
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        rules = {
            f"size must be one of {_SIZES}": (self.size, self.size in _SIZES),
            "steps must be at least 1": (self.steps, self.steps >= 1),
            "seed must not be negative": (self.seed, self.seed >= 0),
            "batch must be at least 2": (self.batch, self.batch >= 2),
            "width must be at least 1": (self.width, self.width is None or self.width >= 1),
            "spectral must not be negative": (self.spectral, self.spectral >= 0),
            "critic_steps must be at least 1": (self.critic_steps, self.critic_steps is None or self.critic_steps >= 1),
            "learning_rate must be positive": (
                self.learning_rate,
                self.learning_rate is None or self.learning_rate > 0,
            ),
        }
        for rule, (value, holds) in rules.items():
            if not holds:
                raise ParameterError(f"{rule}, got {value}")

    @property
    def channels(self) -> int:
        """Channels at full size."""
        return self.width or _DEFAULT_WIDTHS.get(self.size, _DEFAULT_WIDTH)

    def as_dict(self) -> dict[str, Any]:
        """Return the values as JSON takes them, the default width filled in."""
        return asdict(self) | {"width": self.channels}
