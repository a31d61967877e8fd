"""Perturbations made of others: sometimes, one of several, one after the other.

Each is a perturbation itself, so they nest; its draw holds the draws of its parts. A sequence draws all of its parts
beforehand, each for the size that the earlier ones will leave.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from spectell.errors import ParameterError
from spectell.perturbations.base import Perturbation, Pixels, check_image, check_shape
from spectell.perturbations.files import EncodedFile, own_file

__all__ = ["OneOf", "Sequence", "Sometimes"]


@dataclass(frozen=True, slots=True)
class Sometimes:
    """Apply a perturbation with some probability, and otherwise leave the image as it is.

    Parameters
    ----------
    perturbation : Perturbation
        What is applied.
    probability : float in [0, 1]
        How often; the paper's perturbations are applied to half of the images.

    Raises
    ------
    ParameterError
        If `probability` is not in [0, 1].

    Examples
    --------
    The draw is None where nothing happens:

    >>> from spectell.perturbations.crop import OffsetCrop
    >>> never = Sometimes(OffsetCrop(), probability=0.0)
    >>> print(never.draw(np.random.default_rng(0), (8, 8)))
    None
    """

    perturbation: Perturbation
    probability: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise ParameterError(f"probability must lie between 0 and 1, got {self.probability!r}")

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
        """Pick whether it is applied, and then how; None means that it is not."""
        check_shape(shape)
        return self.perturbation.draw(rng, shape) if rng.random() < self.probability else None

    def apply(self, image: Pixels, parameters: Any) -> Pixels:
        """Return the changed image, or a copy of the image where `parameters` is None."""
        return check_image(image).copy() if parameters is None else self.perturbation.apply(image, parameters)

    def encode(self, image: Pixels, parameters: Any) -> EncodedFile | None:
        """Return the file that it writes, or None where it writes none or is not applied."""
        return None if parameters is None else own_file(self.perturbation, image, parameters)

    def resulting_shape(self, shape: tuple[int, ...], parameters: Any) -> tuple[int, int]:
        """Return the size that the draw leads to."""
        return check_shape(shape) if parameters is None else self.perturbation.resulting_shape(shape, parameters)


@dataclass(frozen=True, slots=True)
class OneOf:
    """Apply one perturbation out of several.

    Parameters
    ----------
    perturbations : tuple of Perturbation
        At least one.
    weights : tuple of float >= 0, optional
        Relative frequency of each; by default all are equally likely.

    Raises
    ------
    ParameterError
        If there is nothing to choose from, or the weights do not fit.

    Examples
    --------
    >>> from spectell.perturbations.crop import OffsetCrop
    >>> from spectell.perturbations.noise import GaussianNoise
    >>> either = OneOf((OffsetCrop(), GaussianNoise()), weights=(0, 1))
    >>> either.draw(np.random.default_rng(0), (8, 8))["index"]
    1
    """

    perturbations: tuple[Perturbation, ...]
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not self.perturbations:
            raise ParameterError("perturbations must hold at least one, got none")
        if self.weights is not None and not (
            len(self.weights) == len(self.perturbations) and min(self.weights) >= 0 < sum(self.weights) < np.inf
        ):
            raise ParameterError(
                f"weights must hold one number >= 0 for each of the {len(self.perturbations)} perturbations and not be "
                f"all 0, got {self.weights!r}"
            )

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> dict[str, Any]:
        """Pick which one is applied, and how."""
        weights = np.asarray(self.weights or [1.0] * len(self.perturbations), dtype=np.float64)
        index = int(rng.choice(len(weights), p=weights / weights.sum()))
        return {"index": index, "parameters": self.perturbations[index].draw(rng, shape)}

    def apply(self, image: Pixels, parameters: dict[str, Any]) -> Pixels:
        """Return the changed image."""
        chosen: Perturbation = self.perturbations[parameters["index"]]
        return chosen.apply(image, parameters["parameters"])

    def encode(self, image: Pixels, parameters: dict[str, Any]) -> EncodedFile | None:
        """Return the file that the chosen one writes, if it writes one."""
        return own_file(self.perturbations[parameters["index"]], image, parameters["parameters"])

    def resulting_shape(self, shape: tuple[int, ...], parameters: dict[str, Any]) -> tuple[int, int]:
        """Return the size that the draw leads to."""
        chosen: Perturbation = self.perturbations[parameters["index"]]
        return chosen.resulting_shape(shape, parameters["parameters"])


@dataclass(frozen=True, slots=True)
class Sequence:
    """Apply perturbations one after the other, each with the same probability.

    Parameters
    ----------
    perturbations : tuple of Perturbation
        In the order of application.
    probability : float in [0, 1]
        Chance of each step by itself. For a chance that differs between steps, leave it at 1 and wrap the steps in
        `Sometimes`.

    Raises
    ------
    ParameterError
        If there is no step, or `probability` is not in [0, 1].

    Examples
    --------
    The second crop is drawn for what the first one leaves:

    >>> from spectell.perturbations.crop import OffsetCrop, WindowCrop
    >>> both = Sequence((WindowCrop(height=1, width=2), OffsetCrop(max_offset=7)))
    >>> parameters = both.draw(np.random.default_rng(0), (100, 100))
    >>> len(parameters), parameters[1]["top"], parameters[1]["left"] < 2
    (2, 0, True)
    """

    perturbations: tuple[Perturbation, ...]
    probability: float = 1.0

    def __post_init__(self) -> None:
        if not self.perturbations:
            raise ParameterError("perturbations must hold at least one, got none")
        if not 0 <= self.probability <= 1:
            raise ParameterError(f"probability must lie between 0 and 1, got {self.probability!r}")

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> list[Any]:
        """Pick the parameters of every step; None is a step that is left out."""
        drawn = []
        size = check_shape(shape)
        for step in self._steps():
            parameters = step.draw(rng, size)
            size = step.resulting_shape(size, parameters)
            drawn.append(parameters)
        return drawn

    def apply(self, image: Pixels, parameters: list[Any]) -> Pixels:
        """Return the image after every step."""
        changed = check_image(image).copy()
        for step, drawn in zip(self._steps(), parameters, strict=True):
            if drawn is not None:
                changed = step.apply(changed, drawn)
        return changed

    def encode(self, image: Pixels, parameters: list[Any]) -> EncodedFile | None:
        """Return the file that the last step writes; None where it writes none or is left out."""
        *first, last = zip(self._steps(), parameters, strict=True)
        if last[1] is None:
            return None
        changed = check_image(image)
        for step, drawn in first:
            changed = step.apply(changed, drawn)
        return own_file(last[0], changed, last[1])

    def resulting_shape(self, shape: tuple[int, ...], parameters: list[Any]) -> tuple[int, int]:
        """Return the size after every step."""
        size = check_shape(shape)
        for step, drawn in zip(self._steps(), parameters, strict=True):
            size = step.resulting_shape(size, drawn)
        return size

    def _steps(self) -> tuple[Sometimes, ...]:
        return tuple(Sometimes(step, self.probability) for step in self.perturbations)
