"""Copies: files with the same bytes, and pictures that look the same.

The fingerprint of a picture is the sign of its 128 lowest DCT coefficients (without the mean) after shrinking its luma
to 32 by 32 pixels. Saving as JPEG, halving the size and changing the brightness move few of them; two different
photographs differ in 64 on average. Measured (`docs/datasets.md`): copies of 200 photographs at JPEG quality 75 or half
the size differ in at most 13 bits, different photographs of the aligned CelebA faces, which look most alike, in at
least 22.

A flat, smooth or symmetric picture has coefficients near zero, whose signs mean nothing; it has no fingerprint and is a
duplicate only of a file with the same bytes. Pictures are shrunk here to be recognised, never to be analysed.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from spectell.datasets.columns import TextColumn
from spectell.datasets.hamming import BANDS, chained, near_pairs
from spectell.datasets.table import Manifest
from spectell.errors import ShapeError
from spectell.images import DEFAULT_MAX_PIXELS, ImageFacts, read_image

__all__ = [
    "MAX_DISTANCE",
    "FileFingerprint",
    "FingerprintFiles",
    "Fingerprints",
    "connected",
    "file_digest",
    "fingerprint",
    "fingerprint_file",
    "fingerprint_in_threads",
    "perceptual_hash",
]

MAX_DISTANCE = 13
"""Bits of 128 in which the fingerprints of one picture may differ."""

_THUMBNAIL = 32
_BITS = 16 * BANDS
_NOISE = 1.0
"""Grey levels: a coefficient of the thumbnail below this says nothing; JPEG alone moves it by about as much."""

_MIN_SHARE = 0.75
"""Share of coefficients above the noise that a fingerprint needs; photographs have 0.84 and more, a disc has 0.27."""

_ROWS_AT_ONCE = 256


def perceptual_hash(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16] | None:
    """Fingerprint of what a picture shows.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8
        RGB.

    Returns
    -------
    hash : ndarray of shape (8,), uint16, or None
        128 bits; None for a picture without enough structure. Every band holds low and high frequencies alike.

    Raises
    ------
    ShapeError
        If `pixels` has another shape or dtype.

    References
    ----------
    .. [1] Zauner (2010). Implementation and benchmarking of perceptual image hash functions. Thesis, FH Hagenberg.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> picture = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    >>> bool((perceptual_hash(picture) == perceptual_hash(picture[::2, ::2])).all())
    True
    >>> perceptual_hash(np.full((64, 64, 3), 200, np.uint8)) is None
    True
    """
    from PIL import Image
    from scipy import fft

    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ShapeError(f"pixels must be uint8 of shape (H, W, 3), got {pixels.dtype} of shape {pixels.shape}")
    luma = Image.fromarray(np.ascontiguousarray(pixels)).convert("L")
    thumbnail = luma.resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
    coefficients = fft.dctn(np.asarray(thumbnail, dtype=np.float64), norm="ortho").ravel()[_ORDER]
    if np.mean(np.abs(coefficients) > _NOISE) < _MIN_SHARE:
        return None
    bits = np.packbits((coefficients > 0).reshape(16, BANDS).T, axis=None, bitorder="little")
    return bits.view("<u2").astype(np.uint16)


def _zigzag() -> npt.NDArray[np.intp]:
    """Positions of the lowest coefficients but the first, by the sum of their two frequencies."""
    rows, columns = np.indices((_THUMBNAIL, _THUMBNAIL))
    order = np.lexsort((columns.ravel(), rows.ravel(), (rows + columns).ravel()))
    return order[1 : _BITS + 1]


_ORDER = _zigzag()


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprints:
    """What tells copies among N files.

    Parameters
    ----------
    sha256 : sequence of str
        Hash of every file's bytes in hexadecimal; empty for a file that could not be opened.
    hashes : ndarray of shape (N, 8), uint16
        `perceptual_hash` of every picture; zeros where there is none.
    usable : ndarray of shape (N,), bool
        Whether there is one.
    unreadable : sequence of int
        Rows whose file is not readable as an image.
    facts : sequence of ImageFacts or None
        What every file says about itself, None where it is unreadable; empty unless it was asked for.

    Examples
    --------
    >>> hashes = np.array([[1] * 8, [1] * 7 + [0], [9] * 8], dtype=np.uint16)
    >>> prints = Fingerprints(["a", "b", "b"], hashes, np.array([True, True, False]), [])
    >>> prints.exact_pairs().tolist(), prints.near_pairs().tolist()
    ([[1, 2]], [[0, 1]])
    """

    sha256: Sequence[str]
    hashes: npt.NDArray[np.uint16]
    usable: npt.NDArray[np.bool_]
    unreadable: Sequence[int] = ()
    facts: Sequence[ImageFacts | None] = ()

    def exact_pairs(self) -> npt.NDArray[np.int64]:
        """Chain the rows with the same bytes, shape (M, 2)."""
        known = np.flatnonzero([bool(digest) for digest in self.sha256])
        return known[chained(TextColumn(self.sha256).codes()[known])].astype(np.int64)

    def near_pairs(self, max_distance: int = MAX_DISTANCE) -> npt.NDArray[np.int64]:
        """Pair the rows that look the same, shape (M, 2); see `spectell.datasets.hamming.near_pairs`."""
        rows = np.flatnonzero(self.usable)
        return rows[near_pairs(self.hashes[rows], max_distance)].astype(np.int64)

    def duplicate_pairs(self, max_distance: int = MAX_DISTANCE) -> npt.NDArray[np.int64]:
        """Pair the rows of either kind, shape (M, 2): what is connected through them shows one picture."""
        return np.concatenate([self.exact_pairs(), self.near_pairs(max_distance)])

    def pictures(self, max_distance: int = MAX_DISTANCE) -> npt.NDArray[np.int64]:
        """Give every picture a number, shape (N,): rows that are connected by duplicates share a number."""
        return connected(len(self.sha256), self.duplicate_pairs(max_distance))

    def notes(self, paths: Sequence[str]) -> list[str]:
        """Say which files could not be compared, in a line or none."""
        if not self.unreadable:
            return []
        return [
            f"{len(self.unreadable):,} of {len(paths):,} files cannot be read as images and were compared by their "
            f"bytes alone, the first is {paths[self.unreadable[0]]!r}"
        ]


def connected(n: int, pairs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give every connected component of `n` nodes a number, shape (n,).

    Examples
    --------
    >>> connected(4, np.array([[3, 1]])).tolist()
    [0, 1, 2, 1]
    """
    from scipy.sparse import coo_array, csgraph

    links = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(csgraph.connected_components(links, directed=False)[1], dtype=np.int64)


FileFingerprint = tuple[str, npt.NDArray[np.uint16] | None, ImageFacts | None]
"""Hash of a file's bytes, fingerprint of its picture, and its facts; empty and None where there is none."""

FingerprintFiles = Callable[[Manifest, int | None], Iterator[FileFingerprint]]
"""Gives the fingerprint of every file of a manifest, in order; with so many workers, or one a core."""


def fingerprint_in_threads(manifest: Manifest, workers: int | None) -> Iterator[FileFingerprint]:
    """Fingerprint files in threads: a `FingerprintFiles`, for files that do no harm to a decoder."""
    gate = threading.Lock()
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for start in range(0, len(manifest), _ROWS_AT_ONCE):  # a pool keeps all that it is given in memory
            rows = range(start, min(start + _ROWS_AT_ONCE, len(manifest)))
            yield from pool.map(lambda row: fingerprint_file(manifest.file(row), gate), rows)


def fingerprint(
    manifest: Manifest,
    *,
    with_facts: bool = False,
    read: FingerprintFiles = fingerprint_in_threads,
    workers: int | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> Fingerprints:
    """Read every file of a data set and fingerprint it.

    Parameters
    ----------
    manifest : Manifest
        The images.
    with_facts : bool
        Whether to keep the files' facts, which come with the pixels.
    read : callable
        See `FingerprintFiles`. A decoder that crashes in a thread takes the program along; processes that may crash are
        `spectell.workflows.reading.fingerprints.IsolatedFingerprints`.
    workers : int, optional
        Threads or processes; by default one per core. Files above `spectell.images.LARGE_PIXELS` are decoded one at a
        time.
    on_progress : callable, optional
        Called with the number of files read since the last call.

    Returns
    -------
    prints : Fingerprints
        In the order of the manifest. A file that cannot be read is one of `unreadable`, not an error.
    """
    digests: list[str] = []
    hashes: list[npt.NDArray[np.uint16]] = []
    usable: list[bool] = []
    facts: list[ImageFacts | None] = []
    unreadable: list[int] = []
    nothing = np.zeros(BANDS, dtype=np.uint16)
    for row, (digest, bands, known) in enumerate(read(manifest, workers)):
        digests.append(digest)
        hashes.append(nothing if bands is None else bands)
        usable.append(bands is not None)
        if known is None:
            unreadable.append(row)
        if with_facts:
            facts.append(known)
        if on_progress is not None:
            on_progress(1)
    table = np.array(hashes, dtype=np.uint16).reshape(-1, BANDS)
    return Fingerprints(digests, table, np.array(usable, dtype=bool), unreadable, facts)


def fingerprint_file(
    path: str, gate: AbstractContextManager[object], *, max_pixels: int = DEFAULT_MAX_PIXELS
) -> FileFingerprint:
    """Fingerprint one file; one that cannot be read has none.

    Parameters
    ----------
    path : str
    gate : context manager
        Held while a large file is decoded.
    max_pixels : int
        Files that declare more are not read.
    """
    digest = file_digest(path)
    if not digest:
        return digest, None, None
    try:
        image = read_image(path, max_pixels=max_pixels, large_gate=gate)
    except OSError:  # an ImageError is one
        return digest, None, None
    return digest, perceptual_hash(image.pixels), image.facts


def file_digest(path: str) -> str:
    """Hash a file's bytes (SHA-256, hexadecimal); empty for one that cannot be opened.

    Examples
    --------
    >>> file_digest("nowhere")
    ''
    """
    try:
        if not Path(path).is_file():  # to open a FIFO would wait for somebody to write to it
            return ""
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
