"""What a part of a model file is: a name, a configuration in the card, and arrays in the file.

Front ends, heads and distances are rebuilt from those three alone. A part checks its arrays when it is rebuilt,
so that a damaged file fails at loading, in one line, and not at the first image.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ArtifactError

__all__ = ["Arrays", "Float32Array", "Float64Array", "Uint8Array", "prefixed", "take_array", "under"]

Arrays = Mapping[str, npt.NDArray[Any]]
Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
Uint8Array = npt.NDArray[np.uint8]


def under(prefix: str, arrays: Arrays) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays below ``prefix.``, without it.

    Examples
    --------
    >>> list(under("head", {"head.weights": np.zeros(2), "distance.scale": np.ones(2)}))
    ['weights']
    """
    start = f"{prefix}."
    return {name.removeprefix(start): array for name, array in arrays.items() if name.startswith(start)}


def prefixed(prefix: str, arrays: Arrays) -> dict[str, npt.NDArray[Any]]:
    """Put arrays below ``prefix.``; the inverse of `under`.

    Examples
    --------
    >>> list(prefixed("head", {"weights": np.zeros(2)}))
    ['head.weights']
    """
    return {f"{prefix}.{name}": array for name, array in arrays.items()}


def take_array(arrays: Arrays, name: str, shape: tuple[int | None, ...]) -> Float32Array:
    """Return a floating array as float32, contiguous, of the shape that is asked for; None stands for any length.

    Raises
    ------
    ArtifactError
        If the array is missing, not floating, not finite, or of another shape.

    Examples
    --------
    >>> take_array({"weights": np.ones(3, np.float16)}, "weights", (3,)).dtype
    dtype('float32')
    >>> take_array({"weights": np.ones(3)}, "weights", (2, None))
    Traceback (most recent call last):
        ...
    spectell.errors.ArtifactError: the model's array 'weights' must have shape (2, any), got (3,)
    """
    array = arrays.get(name)
    if array is None:
        raise ArtifactError(f"the model lacks the array {name!r}")
    if not np.issubdtype(array.dtype, np.floating):
        raise ArtifactError(f"the model's array {name!r} must be floating, got {array.dtype}")
    fits = array.ndim == len(shape) and all(
        want is None or have == want for have, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ArtifactError(f"the model's array {name!r} must have shape ({wanted}), got {array.shape}")
    with np.errstate(over="ignore"):  # what becomes infinite is refused below
        floats = np.ascontiguousarray(array, dtype=np.float32)
    if not np.isfinite(floats).all():
        raise ArtifactError(f"the model's array {name!r} holds a value that is not finite")
    return floats
