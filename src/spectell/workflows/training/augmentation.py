"""Perturbed images to learn from: which are changed, and how, follows from the seed and an image's path alone.

One rule for every detector: each image of the training and the validation split takes part once, as it is or perturbed,
and that is decided once for all passes over the data. A model that is trained so is the one that comes from training on
the copies that `spectell perturb` writes with the same seed and probability. Two copies of each image would cost twice
the time and would not be independent, so that thresholds would claim more calibration images than there are; new draws
in every epoch are possible for networks alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from spectell.datasets import Manifest
from spectell.errors import ImageError, ParameterError, SpectellError
from spectell.images import describe_path
from spectell.perturbations import OneOf, Perturbation
from spectell.workflows.perturb import COMBINED, PerturbConfig, draw_stream
from spectell.workflows.reading.image_files import AlteredReader, Pixels, Reader

__all__ = ["PROBABILITY", "Augmentation"]

PROBABILITY = 0.5
"""Share of the images that are perturbed, as in the paper: a detector must know both kinds."""


class Augmentation:
    """What becomes of the images that a detector learns from.

    Parameters
    ----------
    names : sequence of str
        Of `spectell.workflows.perturb.NAMES`, at least one; of several, one is drawn for each image.
    preset : str, optional
        See `spectell.workflows.perturb.PerturbConfig`.
    probability : float in [0, 1], optional
        Chance that an image is perturbed, or for ``combined`` chance of each step; `PROBABILITY` by default.
    seed : int >= 0

    Raises
    ------
    ParameterError
        If there is no name, one is unknown or stands there twice, or the preset or the probability does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> augmentation = Augmentation(["jpeg"], seed=3)
    >>> augmentation.description
    'perturbed by jpeg (probability 0.5)'
    >>> picture = np.zeros((16, 16, 3), np.uint8)
    >>> augmentation.perturbed("real/a.png", picture).shape
    (16, 16, 3)
    """

    def __init__(
        self, names: Sequence[str], *, preset: str | None = None, probability: float | None = None, seed: int = 0
    ) -> None:
        if not names or len(set(names)) < len(names):
            raise ParameterError(f"perturb must name one perturbation or several different ones, got {list(names)}")
        self.names, self.preset, self.seed = tuple(names), preset, seed
        self.probability = PROBABILITY if probability is None else probability
        _ = self.perturbation

    @cached_property
    def perturbation(self) -> Perturbation:
        """What is drawn from and applied."""
        steps = tuple(
            PerturbConfig(name, self.preset, self.probability, seed=self.seed).perturbation for name in self.names
        )
        return steps[0] if len(steps) == 1 else OneOf(steps)

    @property
    def description(self) -> str:
        """What a card says of it."""
        what = f"{' or '.join(self.names)}{f' as in {self.preset}' if self.preset else ''}"
        each = "probability of each step" if COMBINED in self.names and len(self.names) == 1 else "probability"
        return f"perturbed by {what} ({each} {self.probability:g})"

    def perturbed(self, path: str, pixels: Pixels) -> Pixels:
        """Return an image as it is learned from.

        Parameters
        ----------
        path : str
            Of the image in its data set.
        pixels : ndarray of shape (H, W, 3), uint8

        Returns
        -------
        pixels : ndarray of shape (H', W', 3), uint8

        Raises
        ------
        ImageError
            If the perturbation does not fit the image, which is smaller than a window, say.
        """
        try:
            drawn = self.perturbation.draw(draw_stream(self.seed, path), pixels.shape)
            return self.perturbation.apply(pixels, drawn)
        except SpectellError as error:
            raise ImageError(f"cannot perturb {describe_path(path)}: {error}") from error

    def learned_from(self, manifest: Manifest, index: int, pixels: Pixels) -> Pixels:
        """Perturb an image of the training and the validation split; leave one of the test split alone."""
        if manifest.splits[index] == "test":
            return pixels
        return self.perturbed(manifest.paths[index], pixels)

    def reader(self, read: Reader) -> Reader:
        """Return a reader that perturbs every image."""
        return AlteredReader(read, self._alter)

    def _alter(self, manifest: Manifest, index: int, pixels: Pixels) -> Pixels:
        return self.perturbed(manifest.paths[index], pixels)
