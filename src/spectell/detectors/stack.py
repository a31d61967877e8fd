"""Several front ends side by side, as one."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from spectell.detectors.front_end import FrontEnd
from spectell.detectors.parts import Arrays, Float32Array, Uint8Array
from spectell.errors import ArtifactError, ParameterError

__all__ = ["StackedFeatures"]


class StackedFeatures(FrontEnd):
    """Concatenated features of several front ends that each give one row an image.

    Parameters
    ----------
    parts : sequence of FrontEnd, at least one

    Examples
    --------
    >>> from spectell.detectors.features import BlockFeatures
    >>> stack = StackedFeatures([BlockFeatures(size=8), BlockFeatures(size=4, colour=False)])
    >>> stack.min_size, stack.transform([np.zeros((9, 9, 3), np.uint8)]).shape
    (8, (1, 416))
    """

    name = "stack"

    def __init__(self, parts: Sequence[FrontEnd]) -> None:
        self.parts = parts

    @property
    def n_features(self) -> int:
        """Length of a row: the sum over the parts."""
        return sum(part.n_features for part in self.parts)

    @property
    def min_size(self) -> int:
        """Smallest height and width of an image, in pixels, that suits every part."""
        return max(part.min_size for part in self.parts)

    @property
    def log_offset(self) -> float | None:
        """The offset that the parts with logarithms have in common, None where they differ or there is none."""
        offsets = {part.log_offset for part in self.parts} - {None}
        return offsets.pop() if len(offsets) == 1 else None

    def check_params(self) -> None:
        """Raise `ParameterError` if there is no part, or a part's argument has no meaning."""
        if not self.parts:
            raise ParameterError("parts must hold at least one front end, got none")
        for part in self.parts:
            part.check_params()

    def rows(self, pixels: Uint8Array, *, thorough: bool = False) -> Float32Array:
        """Features of the image, shape (1, D)."""
        return np.concatenate([part.rows(pixels, thorough=thorough) for part in self.parts], axis=1)

    @property
    def config(self) -> dict[str, Any]:
        """Name and configuration of each part."""
        return {"parts": [{"name": part.name, "config": part.config} for part in self.parts]}

    @classmethod
    def from_config(cls, config: dict[str, Any], arrays: Arrays) -> Self:
        """Make the stack again; raises `ArtifactError` if a part does not fit."""
        from spectell.detectors.registry import load_front_end

        described = config.get("parts")
        if arrays or set(config) != {"parts"} or not isinstance(described, list) or not 1 <= len(described) <= 20:
            raise ArtifactError("the front end 'stack' must list 1 to 20 parts and hold no arrays")
        for i, part in enumerate(described):
            if not isinstance(part, dict) or set(part) != {"name", "config"} or part["name"] == cls.name:
                raise ArtifactError(f"part {i} of the stack must have a name and a config, and be no stack itself")
        return cls([load_front_end(part["name"], part["config"], {}) for part in described])
