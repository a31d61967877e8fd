"""What every front end is: a transformer of images in scikit-learn's manner, and a part of a model file.

`fit`, `transform`, `get_params`, `clone` and pipelines work as for any transformer, but scikit-learn is not imported,
because every verdict passes through a front end. None learns anything: standardisation belongs to the detector that
follows, and its statistics to the model file.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np

from spectell.detectors.parts import Arrays, Float32Array, Uint8Array
from spectell.errors import ArtifactError, ParameterError, ShapeError

__all__ = ["FrontEnd", "check_image", "check_offset", "check_positive", "check_whole"]


class FrontEnd(ABC):
    """What every front end shares: parameters in scikit-learn's manner, and a place in a model file."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def n_features(self) -> int:
        """Length of a row."""

    @property
    @abstractmethod
    def min_size(self) -> int:
        """Smallest height and width of an image, in pixels."""

    @property
    def log_offset(self) -> float | None:
        """What is added before a logarithm, in the units of what it is taken of; None where there is no logarithm."""
        return None

    @abstractmethod
    def rows(self, pixels: Uint8Array, *, thorough: bool = False) -> Float32Array:
        """Features of one image of shape (H, W, 3): shape (T, D), one row a tile.

        `thorough` takes all tiles or blocks instead of a bounded number of them.

        Raises
        ------
        ShapeError
            If the image does not have the shape (H, W, 3) or is smaller than `min_size`.
        """

    def row(self, pixels: Uint8Array) -> Float32Array:
        """Features of one image as a single row of shape (D,), for training: the mean over its tiles.

        A linear head answers to this mean what it answers to the tiles on average, so a detector is trained on what it
        will be shown. (Trained on central tiles alone, pixel detectors of aligned faces fell below chance.)
        """
        rows = self.rows(pixels)
        return np.asarray(rows[0] if len(rows) == 1 else rows.mean(axis=0))

    @property
    def n_strips(self) -> int:
        """Equal runs of neighbouring features that can be computed without the others; 1 if a row comes whole."""
        return 1

    def strips(self, pixels: Uint8Array, start: int, stop: int) -> Float32Array:  # noqa: ARG002 (the only strip)
        """Return strips `start` to `stop` of what `row` gives for the image, one after the other."""
        return self.row(pixels)

    def fit(self, images: object = None, y: object = None) -> Self:  # noqa: ARG002 (scikit-learn's signature)
        """Do nothing: a front end has nothing to learn."""
        return self

    def transform(self, images: Iterable[Uint8Array]) -> Float32Array:
        """One row an image: the mean over its tiles.

        Parameters
        ----------
        images : iterable of ndarray of shape (H, W, 3), uint8
            They may differ in size.

        Returns
        -------
        features : ndarray of shape (N, D), float32

        Raises
        ------
        ShapeError
            If an image does not have three channels or is smaller than `min_size`.
        """
        found = [self.row(image) for image in images]
        return np.stack(found) if found else np.empty((0, self.n_features), np.float32)

    def fit_transform(self, images: Iterable[Uint8Array], y: object = None) -> Float32Array:  # noqa: ARG002
        """Do the same as `transform`."""
        return self.transform(images)

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the arguments of the constructor."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Replace arguments of the constructor; raises `ParameterError` for unknown names."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ParameterError(f"{type(self).__name__} has no parameter {name!r}; it has {', '.join(known)}")
            setattr(self, name, value)
        return self

    @property
    def config(self) -> dict[str, Any]:
        """What the card of a model says: the same arguments."""
        return self.get_params()

    @property
    def arrays(self) -> Arrays:
        """What a model file holds of the front end: nothing."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any], arrays: Arrays) -> Self:
        """Make the front end again from its parts of a model file; raises `ArtifactError` if they do not fit."""
        if arrays:
            raise ArtifactError(f"the front end {cls.name!r} has an unknown array {min(arrays)[:60]!r}")
        parameters = inspect.signature(cls).parameters.values()
        expected = {parameter.name for parameter in parameters}
        # A parameter that was added later does nothing unless it is stated.
        missing = expected - set(config) - {parameter.name for parameter in parameters if parameter.default is None}
        if missing or set(config) - expected:
            raise ArtifactError(f"the front end {cls.name!r} must state {sorted(expected)}, got {sorted(config)}")
        front_end = cls(**config)
        front_end.check_params()
        return front_end

    @abstractmethod
    def check_params(self) -> None:
        """Raise `ParameterError` if an argument of the constructor has no meaning."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.get_params().items())})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False), requires_fit=False, no_validation=True)


def check_whole(name: str, value: object, low: int) -> None:
    """Raise `ParameterError` unless `value` is a whole number from `low` up."""
    if type(value) is not int or not low <= value <= 65_536:
        raise ParameterError(f"{name} must be a whole number from {low} to 65536, got {value!r}")


def check_positive(name: str, value: object) -> None:
    """Raise `ParameterError` unless `value` is a positive, finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ParameterError(f"{name} must be positive and finite, got {value!r}")


def check_offset(offset: object) -> None:
    """Raise `ParameterError` unless `offset` can stand before a logarithm."""
    check_positive("offset", offset)


def check_image(pixels: Uint8Array, min_size: int) -> None:
    """Raise `ShapeError` unless the image has three channels and is large enough."""
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ShapeError(f"pixels must have shape (H, W, 3), got {pixels.shape}")
    if min(pixels.shape[:2]) < min_size:
        raise ShapeError(
            f"pixels must measure at least {min_size} x {min_size}, got {pixels.shape[0]} x {pixels.shape[1]}; "
            "use a model for smaller images"
        )


def check_full_side(value: object) -> None:
    """Raise `ParameterError` unless `value` is None or a whole number from 1 up."""
    if value is not None:
        check_whole("full_side", value, 1)
