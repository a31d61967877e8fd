"""The functions of `kernels.c`, with their arguments checked."""

from __future__ import annotations

import ctypes
import hashlib
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError

__all__ = ["Kernels", "load_kernels", "transform_tables"]

SOURCE = Path(__file__).with_name("kernels.c")
LIBRARY = SOURCE.with_name("libkernels.so")
HASHES = LIBRARY.with_suffix(".sha256")

_SMALLEST_SIDE, _LARGEST_ODD = 16, 31  # the widest register; beyond it SciPy's transform of an odd length is faster
_KINDS, _MOMENTS, _CHANNELS, _COLOURS = 2, 4, 4, 3
_LARGEST_SIDE = 2**15

Float32Array = npt.NDArray[np.float32]


class Kernels:
    """The loops for one set of instructions; any number of threads may call them.

    Parameters
    ----------
    library : CDLL
        As built by the installation.
    instructions : {"avx512", "avx2", "base"}
        The processor must know them.
    """

    def __init__(self, library: ctypes.CDLL, instructions: str) -> None:
        self.instructions = instructions
        self._dct = library[f"dct_{instructions}"]
        self._dct.argtypes = (*(ctypes.c_void_p, ctypes.c_int, ctypes.c_int), *(ctypes.c_void_p,) * 4)
        self._dct.restype = None
        self._add_moments = library[f"add_moments_{instructions}"]
        size, pointer = ctypes.c_ssize_t, ctypes.c_void_p
        self._add_moments.argtypes = (pointer, ctypes.c_int, size, size, pointer, ctypes.c_float, pointer, pointer)
        self._add_moments.restype = None
        self._own = threading.local()  # memory that is used again: fresh pages would cost more than the arithmetic

    @staticmethod
    def transforms(height: int, width: int) -> bool:
        """Tell whether `dct` takes images of a size: sides from 16 pixels, powers of two times an odd number up to 31.

        Examples
        --------
        >>> [Kernels.transforms(side, 256) for side in (8, 16, 31, 33, 66, 480, 500)]
        [False, True, True, False, False, True, False]
        """
        return all(
            _SMALLEST_SIDE <= side <= _LARGEST_SIDE and _odd_part(side) <= _LARGEST_ODD for side in (height, width)
        )

    def dct(self, pixels: npt.NDArray[np.uint8], out: Float32Array) -> None:
        """Write the orthonormal type-II DCT of each colour of an image.

        Parameters
        ----------
        pixels : ndarray of shape (H, W, 3), uint8
            Of a size that `transforms` takes.
        out : ndarray of shape (3, H, W), float32
            Contiguous. Equals `spectell.transforms.dct2`, colours first, but for rounding.

        Raises
        ------
        ShapeError, ParameterError
            If an array has another shape, dtype or layout.
        """
        height, width, colours = pixels.shape if pixels.ndim == 3 else (0, 0, 0)
        if colours != _COLOURS or not self.transforms(height, width):
            raise ShapeError(f"pixels must have shape (H, W, 3), of a size that the kernel takes, got {pixels.shape}")
        _require("pixels", pixels, np.uint8, pixels.shape)
        _require("out", out, np.float32, (_COLOURS, height, width), written=True)
        # Held here while they are in use: another thread may push them out of the cache meanwhile.
        down, across = transform_tables(height), transform_tables(width)
        scratch = self._scratch(16 * (7 * max(height, width) + 1))
        tables = (down.ctypes.data, across.ctypes.data)
        self._dct(pixels.ctypes.data, height, width, *tables, out.ctypes.data, scratch.ctypes.data)

    def add_moments(
        self, colours: Float32Array, weights: Float32Array, least: float, pilot: Float32Array, sums: Float32Array
    ) -> None:
        """Add coefficients of several images to sums of four moments for each of four channels.

        Parameters
        ----------
        colours : ndarray of shape (N, 3, K), float32
            Coefficients of red, green and blue; the coefficients of one image are contiguous.
        weights : ndarray of shape (3,), float32
            Of the colours in grey.
        least : float > 0
            Squares are taken to be no less before their logarithm.
        pilot : ndarray of shape (2, 4, K), float32
            Contiguous. Subtracted from each coefficient, and from the natural logarithm of its square. The nearer to
            their means, the less squares lose.
        sums : ndarray of shape (4, 4, K), float32
            Contiguous. Of what is then left of coefficients, of its square, of what is left of logarithms, and of its
            square, each for grey, red, green and blue.

        Raises
        ------
        ShapeError, ParameterError
            If an array has another shape, dtype or layout, or `least` is not a positive normal number.
        """
        if colours.ndim != 3 or colours.shape[1] != _COLOURS:
            raise ShapeError(f"colours must have shape (N, 3, K), got {colours.shape}")
        n, _, n_values = colours.shape
        if n:
            _require("colours", colours[0], np.float32, (_COLOURS, n_values))
        _require("weights", weights, np.float32, (_COLOURS,))
        _require("pilot", pilot, np.float32, (_KINDS, _CHANNELS, n_values))
        _require("sums", sums, np.float32, (_MOMENTS, _CHANNELS, n_values), written=True)
        if not float(np.finfo(np.float32).tiny) <= least <= float(np.finfo(np.float32).max):
            raise ParameterError(f"least must be a positive normal number in single precision, got {least!r}")
        stride = colours.strides[0] // colours.itemsize
        about, into = pilot.ctypes.data, sums.ctypes.data
        self._add_moments(colours.ctypes.data, n, stride, n_values, weights.ctypes.data, least, about, into)

    def _scratch(self, size: int) -> Float32Array:
        scratch: Float32Array | None = getattr(self._own, "scratch", None)
        if scratch is None or scratch.size < size:
            scratch = self._own.scratch = np.empty(size, np.float32)
        return scratch


@lru_cache(maxsize=1)
def load_kernels() -> Kernels | None:
    """Load the library that the installation built, for the fastest instructions that this processor knows.

    Returns
    -------
    kernels : Kernels or None
        None where nothing was built, not for this machine, or not from the source that lies beside it.
    """
    try:
        library = load_library()
    except (OSError, ValueError):
        return None
    library.instruction_set.restype = ctypes.c_char_p
    known: str = library.instruction_set().decode("ascii")
    return Kernels(library, known if hasattr(library, f"dct_{known}") else "base")


def load_library() -> ctypes.CDLL:
    """Load the library if it is whole, and built from `kernels.c` as it is now.

    Arguments of another source would be misread, and a library that was cut off would end the process.

    Raises
    ------
    OSError, ValueError
        If it is not there, or not that.
    """
    found = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (SOURCE, LIBRARY)]
    if HASHES.read_text(encoding="ascii").split() != found:
        raise OSError(f"{LIBRARY} was not built from {SOURCE}")
    return ctypes.CDLL(str(LIBRARY))


@lru_cache(maxsize=16)
def transform_tables(length: int) -> Float32Array:
    r"""Numbers that the transforms of a length need, in one array.

    Parameters
    ----------
    length : int > 0
        A power of two times an odd number m.

    Returns
    -------
    tables : ndarray of shape (2 * length + 2 * m**2,), float32
        For each even length n of a type IV inside, from ``2 * n`` on, four numbers for each sample j below ``n / 2``:
        cosine and sine of :math:`\pi (2j + 1) / 4n`, then minus the sine and the cosine, these two with alternating
        sign. From ``2 * length`` on the bases of types II and IV of length m, one row a coefficient. Read-only.

    Examples
    --------
    >>> transform_tables(4)[4:8].round(3)
    array([ 0.924,  0.383, -0.383,  0.924], dtype=float32)
    >>> transform_tables(3)[6:15].reshape(3, 3).round(3)
    array([[ 1.   ,  1.   ,  1.   ],
           [ 0.866,  0.   , -0.866],
           [ 0.5  , -1.   ,  0.5  ]], dtype=float32)
    """
    odd = _odd_part(length)
    tables = np.zeros(2 * length + 2 * odd**2)
    inside = length // 2
    while inside and inside % 2 == 0:
        j = np.arange(inside // 2)
        angle, sign = np.pi * (2 * j + 1) / (4 * inside), (-1.0) ** j
        turns = np.stack([np.cos(angle), np.sin(angle), -sign * np.sin(angle), sign * np.cos(angle)], axis=1)
        tables[2 * inside : 4 * inside] = turns.ravel()
        inside //= 2
    k, j = np.ogrid[:odd, :odd]
    type_ii = np.cos(np.pi * (2 * j + 1) * k / (2 * odd))
    type_iv = np.cos(np.pi * (2 * j + 1) * (2 * k + 1) / (4 * odd))
    tables[2 * length :] = np.concatenate([type_ii.ravel(), type_iv.ravel()])
    rounded = tables.astype(np.float32)
    rounded.setflags(write=False)
    return rounded


def _odd_part(number: int) -> int:
    return number // (number & -number)


def _require(name: str, array: npt.NDArray[Any], dtype: type, shape: tuple[int, ...], *, written: bool = False) -> None:
    if array.shape != shape:
        raise ShapeError(f"{name} must have shape {shape}, got {array.shape}")
    if array.dtype != dtype or not (array.flags.c_contiguous and array.flags.aligned):
        raise ParameterError(f"{name} must be a contiguous, aligned array of {np.dtype(dtype)}, got {array.dtype}")
    if written and not array.flags.writeable:
        raise ParameterError(f"{name} must be writeable, since results go there")
