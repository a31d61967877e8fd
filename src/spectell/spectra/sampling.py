"""Which blocks of an image are looked at: some in every part, at every phase of a JPEG's grid, the same each time."""

from functools import lru_cache
from math import ceil, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError

__all__ = ["IndexArray", "blocks_within_budget", "sample_blocks"]

IndexArray = npt.NDArray[np.intp]

_JITTER = (0.7548776662466927, 0.5698402909980532)  # powers of 1 / 1.3247..., the root of x**3 = x + 1


def sample_blocks(
    shape: tuple[int, ...], *, size: int = 32, max_blocks: int | None = 256, seed: int = 0
) -> tuple[IndexArray, IndexArray]:
    """Where the blocks of an image start: one in each cell of a grid over the image, off its centre.

    Neighbours overlap by half a block on average, until that needs more than `max_blocks`; then the cells grow and
    still cover the whole image. Inside its cell a block is shifted by a low-discrepancy sequence [1]_, so the blocks
    meet the 8 by 8 grid of a JPEG at every phase about equally often and no phase is mistaken for content.

    Parameters
    ----------
    shape : tuple of int, (H, W) or (H, W, C)
        Shape of the image, in pixels. Images of one shape get the same blocks.
    size : int >= 1
        Height and width of a block, in pixels.
    max_blocks : int >= 1, optional
        Largest number of blocks; ``None`` for all that overlap by half.
    seed : int
        Another seed shifts every block inside its cell.

    Returns
    -------
    rows, columns : ndarray of shape (n_blocks,), intp
        First row and first column of every block, read-only.

    Raises
    ------
    ShapeError
        If the image is smaller than one block.
    ParameterError
        If `size` or `max_blocks` is not positive.

    References
    ----------
    .. [1] Niederreiter (1992). Random number generation and quasi-Monte Carlo methods, chapter 3 (Kronecker
       sequences). SIAM. :doi:`10.1137/1.9781611970081`

    Examples
    --------
    >>> rows, columns = sample_blocks((32, 64), size=32)
    >>> rows.tolist(), len(columns)
    ([0, 0, 0], 3)
    >>> len(sample_blocks((3000, 4000), max_blocks=256)[0])
    252
    """
    if size < 1 or (max_blocks is not None and max_blocks < 1):
        raise ParameterError(f"size and max_blocks must be positive, got size={size!r}, max_blocks={max_blocks!r}")
    if len(shape) not in {2, 3}:
        raise ShapeError(f"shape must be (H, W) or (H, W, C), got {shape}")
    height, width = shape[:2]
    if min(height, width) < size:
        raise ShapeError(
            f"image of shape {shape} is smaller than one block; choose size <= {min(height, width)}, got {size}"
        )
    return _sample_blocks(height - size + 1, width - size + 1, max(size // 2, 1), max_blocks, seed)


def blocks_within_budget(shape: tuple[int, ...], max_blocks: int, full_side: int | None) -> int:
    """How many blocks an image is worth: fewer for a small one, which is decoded in less time.

    Parameters
    ----------
    shape : tuple of int, (H, W) or (H, W, C)
        Shape of the image, in pixels.
    max_blocks : int >= 1
        The number for an image of `full_side` times `full_side` pixels, and for every larger one.
    full_side : int >= 1, optional
        Smaller images get a number in proportion to the root of their pixels; ``None`` gives `max_blocks` to all.

    Returns
    -------
    n_blocks : int
        From 1 to `max_blocks`.

    Examples
    --------
    >>> [blocks_within_budget((side, side, 3), 60, 192) for side in (32, 96, 192, 4000)]
    [10, 30, 60, 60]
    """
    if full_side is None:
        return max_blocks
    share = sqrt(shape[0] * shape[1]) / full_side
    return max_blocks if share >= 1 else max(round(max_blocks * share), 1)


@lru_cache(maxsize=1024)
def _sample_blocks(
    n_rows: int, n_columns: int, stride: int, max_blocks: int | None, seed: int
) -> tuple[IndexArray, IndexArray]:
    """Blocks among `n_rows` by `n_columns` possible first pixels; cached, since folders repeat sizes."""
    grid_rows, grid_columns = ceil(n_rows / stride), ceil(n_columns / stride)
    if max_blocks is not None and grid_rows * grid_columns > max_blocks:
        wanted = round(sqrt(max_blocks * n_rows / n_columns))
        grid_rows = max(min(wanted, grid_rows, max_blocks), 1)
        grid_columns = min(max_blocks // grid_rows, grid_columns)
        grid_rows = min(max_blocks // grid_columns, ceil(n_rows / stride))
    order = np.arange(1, grid_rows * grid_columns + 1) + 1009 * (seed % 2**20)
    cell_row, cell_column = np.divmod(np.arange(order.size), grid_columns)
    rows = _in_cell(cell_row, order * _JITTER[0] % 1, n_rows / grid_rows)
    columns = _in_cell(cell_column, order * _JITTER[1] % 1, n_columns / grid_columns)
    return rows, columns


def _in_cell(cell: IndexArray, shift: npt.NDArray[np.floating[Any]], extent: float) -> IndexArray:
    offsets = np.floor((cell + shift) * extent).astype(np.intp)
    offsets.setflags(write=False)
    return offsets
