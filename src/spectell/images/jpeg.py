"""What a JPEG's tables say about how it was compressed.

Pure functions of the numbers in the header: quantisation tables, sampling factors, the index of a multi-picture
file.
"""

import struct
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

__all__ = ["LUMINANCE_TABLE", "count_pictures", "estimate_quality", "name_subsampling"]

LUMINANCE_TABLE = (
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
"""Table K.1 of ITU-T T.81: quantiser steps of luminance at quality 50, row by row."""


def estimate_quality(table: Sequence[int]) -> int | None:
    """Quality setting whose standard luminance table is nearest to a file's.

    libjpeg scales `LUMINANCE_TABLE` by ``s = 5000 / q`` percent below quality 50 and by ``200 - 2 q`` percent from
    there on, rounds, and clips to 1...255. The hundred tables differ pairwise, so a table that libjpeg made gives
    its quality exactly. Any other table, as cameras and Photoshop have them, gives the quality at the smallest sum
    of absolute differences, the higher of two that tie: an estimate of strength, not a setting that anyone chose.

    Parameters
    ----------
    table : sequence of 64 int > 0
        Steps of the first component, in rows (not in zigzag order).

    Returns
    -------
    quality : int in [1, 100] or None
        None if there are not 64 steps.

    References
    ----------
    .. [1] ITU-T Recommendation T.81 (1992), annex K.1.
    .. [2] Independent JPEG Group, libjpeg, ``jpeg_quality_scaling``.

    Examples
    --------
    >>> estimate_quality(LUMINANCE_TABLE)
    50
    >>> estimate_quality([1] * 64)
    100
    """
    steps = tuple(table)
    if len(steps) != 64:
        return None
    tables, exact = _standard_tables()
    if (quality := exact.get(steps)) is not None:
        return quality
    distances = np.abs(tables - np.asarray(steps, dtype=np.int64)).sum(axis=1)
    return 100 - int(distances[::-1].argmin())


@cache
def _standard_tables() -> tuple[npt.NDArray[np.int64], dict[tuple[int, ...], int]]:
    quality = np.arange(1, 101)[:, np.newaxis]
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    tables = np.clip((np.array(LUMINANCE_TABLE) * scale + 50) // 100, 1, 255)
    return tables, {tuple(row): q for q, row in enumerate(tables.tolist(), start=1)}


_SUBSAMPLING = {
    (1, 1): "4:4:4",
    (2, 1): "4:2:2",
    (1, 2): "4:4:0",
    (2, 2): "4:2:0",
    (4, 1): "4:1:1",
    (4, 2): "4:1:0",
}


def name_subsampling(factors: Sequence[tuple[int, int]]) -> str | None:
    """Name the chroma subsampling.

    Parameters
    ----------
    factors : sequence of (horizontal, vertical)
        Sampling factors of each component, luminance first.

    Returns
    -------
    name : str or None
        ``4:2:0`` and the like; the factors themselves, such as ``2x2,1x2,1x2``, for a combination without a name;
        None if there are fewer than three components.

    Examples
    --------
    >>> name_subsampling([(2, 2), (1, 1), (1, 1)]), name_subsampling([(1, 1)])
    ('4:2:0', None)
    """
    if len(factors) < 3:
        return None
    (across, down), first, second = factors[:3]
    if first == second and all(first) and across % first[0] == 0 and down % first[1] == 0:
        name = _SUBSAMPLING.get((across // first[0], down // first[1]))
        if name is not None:
            return name
    return ",".join(f"{horizontal}x{vertical}" for horizontal, vertical in factors)


def count_pictures(segment: bytes) -> int:
    r"""Read the number of pictures from the index of a multi-picture file.

    Parameters
    ----------
    segment : bytes
        Content of an APP2 segment.

    Returns
    -------
    n_pictures : int >= 1
        1 if this is not such an index, or a damaged one.

    References
    ----------
    .. [1] CIPA DC-007-2009, Multi-Picture Format, section 5.2.3.

    Examples
    --------
    >>> entry = struct.pack("<HHII", 0xB001, 4, 1, 2)
    >>> count_pictures(b"MPF\0II*\0" + struct.pack("<IH", 8, 1) + entry)
    2
    """
    if segment[:4] != b"MPF\0":
        return 1
    index = segment[4:]
    order = "<" if index[:2] == b"II" else ">"
    try:
        (start,) = struct.unpack_from(order + "I", index, 4)
        (n_entries,) = struct.unpack_from(order + "H", index, start)
        for at in range(start + 2, start + 2 + 12 * n_entries, 12):
            tag, _, _, value = struct.unpack_from(order + "HHII", index, at)
            if tag == 0xB001:
                return int(max(1, min(value, 10_000)))
    except struct.error:
        pass  # an index cut short: the first picture is there all the same
    return 1
