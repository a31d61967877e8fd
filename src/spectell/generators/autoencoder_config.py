"""What a training of the small autoencoder depends on, beside the images. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass

from spectell.errors import ParameterError

__all__ = ["AutoencoderConfig"]

_WARM_UP = 50
"""Steps over which the learning rate rises."""
_DECAY = 0.3
"""Share of the steps, at the end, over which the learning rate falls to zero."""
_LOSSES = ("l1", "l2")


@dataclass(frozen=True, slots=True)
class AutoencoderConfig:
    """What a training depends on, beside the images.

    Parameters
    ----------
    upsampling : {"nearest", "bilinear", "binomial", "transposed", "pixelshuffle"}
    steps : int > 0
    batch_size : int > 0
    learning_rate : float > 0
        Of Adam; it rises over the first 50 steps and falls to zero over the last 30 %.
    loss : {"l1", "l2"}
        Mean absolute or mean squared error of the pixels, on the scale of [0, 1].
    spectral : float >= 0
        Weight of the mean absolute difference between the magnitudes of the orthonormal Fourier transforms, which
        makes the decoder answer for the frequencies that its up-sampling distorts [1]_.
    seed : int >= 0
    checkpoint_every : int > 0
        Steps.
    log_every : int > 0
        Steps.

    Raises
    ------
    ParameterError
        If a value is outside its range.

    References
    ----------
    .. [1] Durall, Keuper, Keuper (2020). Watch your up-convolution: CNN based generative deep neural networks are
       failing to reproduce spectral distributions. CVPR. :arxiv:`2003.01826`
    """

    upsampling: str = "nearest"
    steps: int = 3000
    batch_size: int = 64
    learning_rate: float = 5e-3
    loss: str = "l1"
    spectral: float = 0.0
    seed: int = 0
    checkpoint_every: int = 200
    log_every: int = 50

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "checkpoint_every", "log_every"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not self.learning_rate > 0 or not self.spectral >= 0 or self.seed < 0:
            raise ParameterError(
                "learning_rate must be positive, spectral and seed must not be negative, "
                f"got {self.learning_rate}, {self.spectral} and {self.seed}"
            )
        if self.loss not in _LOSSES:
            raise ParameterError(f"loss must be one of {', '.join(_LOSSES)}, got {self.loss!r}")

    def rate(self, step: int) -> float:
        """Learning rate of a step, counted from 0.

        Examples
        --------
        >>> config = AutoencoderConfig(steps=1000, learning_rate=1.0)
        >>> [round(config.rate(step), 3) for step in (0, 49, 699, 850, 999)]
        [0.02, 1.0, 1.0, 0.5, 0.003]
        """
        return self.learning_rate * min(1.0, (step + 1) / _WARM_UP, (1 - step / self.steps) / _DECAY)
