"""Search for fingerprints that differ in few bits, without comparing all pairs.

A fingerprint has 128 bits in eight bands of sixteen. Two that differ in at most fifteen bits agree in some band up to
one bit (pigeonhole: eight bands with two differences each would be sixteen), so it is enough to look, band by band, at
the fingerprints whose band is the same or one bit away [1]_. A random million leaves
about 1e9 candidates of 5e11 pairs.

References
----------
.. [1] Norouzi, Punjani, Fleet (2012). Fast search in Hamming space with multi-index hashing. CVPR.
   :doi:`10.1109/CVPR.2012.6248043`
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spectell.errors import ParameterError, ShapeError

__all__ = ["BANDS", "MAX_SEARCH_DISTANCE", "chained", "near_pairs"]

BANDS = 8
"""Bands of a fingerprint, sixteen bits each."""

MAX_SEARCH_DISTANCE = 2 * BANDS - 1
"""Largest distance at which the search is complete."""

_CANDIDATES = 1 << 21
"""Candidate pairs that are compared at once: about 100 MB."""

Pairs = npt.NDArray[np.int64]


def near_pairs(hashes: npt.NDArray[np.uint16], max_distance: int) -> Pairs:
    """Pairs of fingerprints that differ in few bits.

    Parameters
    ----------
    hashes : ndarray of shape (N, 8), uint16
        Fingerprints.
    max_distance : int in [0, 15]
        Bits that may differ.

    Returns
    -------
    pairs : ndarray of shape (M, 2), int64
        Row numbers, the smaller first, sorted. Rows with equal fingerprints are chained, one after the other, and only
        the first of them is paired with others: enough to find what is connected.

    Raises
    ------
    ShapeError
        If `hashes` has another shape.
    ParameterError
        If the search would not be complete at `max_distance`.

    Examples
    --------
    >>> hashes = np.array([[0] * 8, [7] + [0] * 7, [0] * 8, [255] * 8], dtype=np.uint16)
    >>> near_pairs(hashes, 3).tolist()
    [[0, 1], [0, 2]]
    """
    if hashes.ndim != 2 or hashes.shape[1] != BANDS:
        raise ShapeError(f"hashes must have shape (N, {BANDS}), got {hashes.shape}")
    if not 0 <= max_distance <= MAX_SEARCH_DISTANCE:
        raise ParameterError(f"max_distance must be between 0 and {MAX_SEARCH_DISTANCE}, got {max_distance}")
    words = np.ascontiguousarray(hashes, dtype=np.uint16).view(np.uint64)
    _, first, inverse = np.unique(words, axis=0, return_index=True, return_inverse=True)
    found = [chained(inverse.reshape(-1))]
    if max_distance:
        found += [first[pairs] for pairs in _search(np.ascontiguousarray(hashes[first], dtype=np.uint16), max_distance)]
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def chained(codes: npt.NDArray[np.integer]) -> Pairs:
    """Pair every row with the next one of the same code.

    Examples
    --------
    >>> chained(np.array([4, 5, 4, 4])).tolist()
    [[0, 2], [2, 3]]
    """
    order = np.argsort(codes, kind="stable")
    same = codes[order][1:] == codes[order][:-1]
    return np.stack([order[:-1][same], order[1:][same]], axis=1).astype(np.int64)


def _search(hashes: npt.NDArray[np.uint16], max_distance: int) -> Iterator[Pairs]:
    words = hashes.view(np.uint64)
    for band in range(BANDS):
        for left, right in _candidates(hashes[:, band]):
            near = _bit_count(words[left] ^ words[right]) <= max_distance
            yield np.stack([left[near], right[near]], axis=1)


def _candidates(band: npt.NDArray[np.uint16]) -> Iterator[tuple[Pairs, Pairs]]:
    """Yield all pairs of rows whose band is equal or differs in one bit, every pair once, in pieces."""
    order = np.argsort(band, kind="stable").astype(np.int64)
    values = band[order].astype(np.int64)
    starts = np.searchsorted(values, np.arange((1 << 16) + 1))
    rows = np.arange(len(order))
    for left, right in _expanded(rows + 1, starts[values + 1]):
        yield order[left], order[right]
    for bit in range(16):
        partner = values | (1 << bit)
        lacks_it = partner != values
        for left, right in _expanded(starts[partner], np.where(lacks_it, starts[partner + 1], starts[partner])):
            yield order[left], order[right]


def _expanded(low: Pairs, high: Pairs) -> Iterator[tuple[Pairs, Pairs]]:
    """Yield the pairs (row, low[row]), …, (row, high[row] - 1) of all rows, a bounded number at a time."""
    lengths = np.maximum(high - low, 0)
    ends = np.cumsum(lengths)
    start = 0
    while start < len(ends):
        done = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, done + _CANDIDATES, side="right")), start + 1)
        part = lengths[start:stop]
        left = np.repeat(np.arange(start, stop), part)
        offsets = np.repeat(low[start:stop] - (ends[start:stop] - part - done), part)
        yield left, offsets + np.arange(len(left))
        start = stop


def _bit_count(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Count the bits set in every row."""
    if hasattr(np, "bitwise_count"):  # NumPy 2
        return np.asarray(np.bitwise_count(words).sum(axis=-1, dtype=np.int64))
    return np.asarray(_BITS[words.view(np.uint16)].sum(axis=-1, dtype=np.int64))


_BITS = np.array([value.bit_count() for value in range(256)], dtype=np.uint8)
_BITS = (_BITS[:, np.newaxis] + _BITS).ravel()
"""Bits set in every number of sixteen bits, for NumPy 1."""
