"""Safetensors files: read with NumPy alone, written with the library.

The reader is ours because it decides what a stranger's file may do: the file is regular and of bounded size
before a byte is read, the header is bounded before it is parsed, every tensor's dtype, shape and offsets
must agree with the bytes that are there, and the tensors must cover them without a gap. Nothing in the file is
ever executed. It also starts faster than the library: a 3 MB model is read in about 2 ms.

The format is 8 bytes of little-endian header length, a JSON object, then the tensors' bytes:
https://github.com/huggingface/safetensors#format
"""

import json
import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ArtifactError, ManifestError

__all__ = ["MAX_HEADER_BYTES", "MAX_MODEL_BYTES", "read_container", "write_container"]

MAX_HEADER_BYTES = 8_000_000
"""A card is some ten kilobytes; a longer header is not ours."""

MAX_MODEL_BYTES = 512_000_000
"""Larger models are refused, in reading and in writing: nobody mails them and nobody wants them in memory."""

_DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U64": "<u8", "U8": "|u1"}

Arrays = dict[str, npt.NDArray[Any]]


def read_container(path: str | os.PathLike[str], *, max_bytes: int = MAX_MODEL_BYTES) -> tuple[Arrays, dict[str, str]]:
    """Read every tensor and the metadata of a safetensors file.

    Parameters
    ----------
    path : path
        A regular file.
    max_bytes : int
        Largest size of the file.

    Returns
    -------
    arrays : dict of str to ndarray
        Read-only arrays in little-endian byte order.
    metadata : dict of str to str
        The header's ``__metadata__``, empty if there is none.

    Raises
    ------
    ArtifactError
        If the file cannot be read or is not a well-formed safetensors file; the message names the reason.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.safetensors"
    ...     write_container(path, {"weights": np.arange(3.0)}, {"made by": "hand"})
    ...     arrays, metadata = read_container(path)
    >>> arrays["weights"].tolist(), metadata
    ([0.0, 1.0, 2.0], {'made by': 'hand'})
    """
    content = _read_regular_file(Path(path), max_bytes)
    try:
        header, start = _parse_header(content)
        metadata = _parse_metadata(header.pop("__metadata__", {}))
        return _slice_tensors(content, start, header), metadata
    except _MalformedError as error:
        raise ArtifactError(f"{os.fspath(path)} is not a model file: {error}") from None


def write_container(
    path: str | os.PathLike[str],
    arrays: Mapping[str, npt.NDArray[Any]],
    metadata: dict[str, str],
    *,
    max_bytes: int = MAX_MODEL_BYTES,
) -> None:
    """Write a safetensors file whole or not at all.

    The bytes go to a new file beside `path`, reach the disk, and take its place in one step, so that an
    interrupted write leaves the old file as it was.

    Parameters
    ----------
    path : path
        Where the file goes; an existing file is replaced.
    arrays : mapping of str to ndarray
        Arrays of a dtype that `read_container` knows.
    metadata : dict of str to str
        Goes into the header. One entry at most keeps the bytes the same from run to run.
    max_bytes : int
        Largest size of all arrays.

    Raises
    ------
    ArtifactError
        If the arrays exceed `max_bytes` or the file cannot be written.
    """
    from safetensors.numpy import save

    from spectell.datasets.atomic import replacing

    size = sum(array.nbytes for array in arrays.values())
    if size > max_bytes:
        raise ArtifactError(
            f"the model would take {size / 1e6:.0f} MB, more than the {max_bytes / 1e6:.0f} MB allowed; "
            "use smaller features"
        )
    content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata)
    try:
        with replacing(path) as file:
            file.write(content)
    except ManifestError as error:
        raise ArtifactError(str(error)) from error


class _MalformedError(Exception):
    """What is wrong with the bytes, without the name of the file."""


def _read_regular_file(path: Path, max_bytes: int) -> bytes:
    """Return the bytes; a pipe or a device could block for ever and is refused before it is opened."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ArtifactError(f"{path} is not a model file: it is not a regular file")
        if status.st_size > max_bytes:
            raise ArtifactError(
                f"{path} is not a model file: {status.st_size / 1e6:.0f} MB exceed the limit of "
                f"{max_bytes / 1e6:.0f} MB"
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        if isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"cannot read the model file {path}: {reason}") from None


def _parse_header(content: bytes) -> tuple[dict[str, Any], int]:
    if len(content) < 10:
        raise _MalformedError(f"it has {len(content)} bytes, too few for a safetensors header")
    length = int.from_bytes(content[:8], "little")
    if length > MAX_HEADER_BYTES or 8 + length > len(content):
        raise _MalformedError(
            f"its header claims {length} bytes of the {len(content)} in the file; damaged, or another format"
        )
    try:
        header = json.loads(content[8 : 8 + length].decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _MalformedError(f"its header is not JSON ({_first_line(error)})") from None
    if not isinstance(header, dict):
        raise _MalformedError("its header is not a JSON object")
    return header, 8 + length


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:120]


def _parse_metadata(metadata: object) -> dict[str, str]:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _MalformedError("the metadata in its header are not text")
    return metadata


def _slice_tensors(content: bytes, start: int, header: dict[str, Any]) -> Arrays:
    arrays: Arrays = {}
    spans: list[tuple[int, int]] = []
    for name, entry in header.items():
        dtype, shape, begin, end = _tensor_entry(name, entry)
        count = math.prod(shape)
        if end - begin != count * dtype.itemsize or start + end > len(content):
            raise _MalformedError(f"tensor {name[:60]!r} of shape {shape} does not fit its bytes {begin} to {end}")
        flat = np.frombuffer(content, dtype, count, start + begin)
        try:
            # Unaligned arrays are legal and slow.
            arrays[name] = (flat if flat.flags.aligned else flat.copy()).reshape(shape)
        except ValueError:  # empty, but with other sides that no array can have
            raise _MalformedError(f"tensor {name[:60]!r} of shape {shape} is larger than any array") from None
        spans.append((begin, end))
    _check_cover(spans, len(content) - start)
    return arrays


def _tensor_entry(name: str, entry: object) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _MalformedError(f"tensor {name[:60]!r} is not described by dtype, shape and data_offsets")
    code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(code, str) or code not in _DTYPES:
        raise _MalformedError(
            f"tensor {name[:60]!r} has dtype {str(code)[:20]!r}; this version reads {', '.join(_DTYPES)}"
        )
    if not _are_sizes(shape) or len(shape) > 8:
        raise _MalformedError(f"tensor {name[:60]!r} has no valid shape")
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise _MalformedError(f"tensor {name[:60]!r} has no valid data_offsets")
    return np.dtype(_DTYPES[code]), tuple(shape), offsets[0], offsets[1]


def _are_sizes(values: object) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**48 for value in values)


def _check_cover(spans: list[tuple[int, int]], size: int) -> None:
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise _MalformedError(f"its tensors leave a gap or overlap at byte {min(begin, position)}")
        position = end
    if position != size:
        raise _MalformedError(
            f"it holds {size} bytes of tensors where its header describes {position}; truncated or damaged"
        )
