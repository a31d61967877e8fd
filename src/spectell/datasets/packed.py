"""A data set as one array on disk, for data that are read many times.

Invariants: ``images.npy`` (N, H, W, 3) uint8 and ``manifest.csv`` have their rows in the same order; neither appears
under its name before it is complete, and there is no moment at which an old manifest lies beside new images; pixels are
native: cropped where the caller asks, never resized.
"""

from __future__ import annotations

import math
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from spectell.datasets.atomic import remove_parts, replacing
from spectell.datasets.manifest import read_manifest, write_manifest
from spectell.datasets.places import contents, removing_empty_folders
from spectell.datasets.table import Manifest
from spectell.errors import ImageError, ManifestError, MismatchError, ParameterError
from spectell.images import read_image

__all__ = [
    "IMAGES_NAME",
    "MANIFEST_NAME",
    "Packed",
    "ReadSquares",
    "is_packed",
    "open_packed",
    "pack",
    "read_in_threads",
    "square",
]

IMAGES_NAME = "images.npy"
MANIFEST_NAME = "manifest.csv"
_STAGED_NAME = f".new-{MANIFEST_NAME}"

Size = tuple[int, int]
Pixels = npt.NDArray[np.uint8]
StrPath = str | os.PathLike[str]

ReadSquares = Callable[[Manifest, int | None, int | None], Iterator[Pixels | ImageError]]
"""Gives the images of a manifest in order, each as `square` cuts it to a side, or why it cannot be read; called with
manifest, side (None for all of it), and how many work at once (None for one a core)."""


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """A packed data set.

    Parameters
    ----------
    images : ndarray of shape (N, H, W, 3), uint8
        RGB, a read-only memory map: only the rows that are used are read.
    manifest : Manifest
        What each row of `images` is. Its paths name the original files, which need not exist any more.

    Examples
    --------
    >>> from spectell.datasets import Entry
    >>> packed = Packed(np.zeros((1, 8, 8, 3), np.uint8), Manifest([Entry("a.png", 0, "real")], root="."))
    >>> packed.images[packed.manifest.labels == 0].shape
    (1, 8, 8, 3)
    """

    images: Pixels
    manifest: Manifest

    def pixels(self, row: int) -> Pixels:
        """Read one image, shape (H, W, 3).

        From the file and not from the map, whose pages would stay in the process's memory until it is short of it.
        """
        images = self.images
        if not isinstance(images, np.memmap) or images.filename is None:
            return np.asarray(images[row])
        size = math.prod(images.shape[1:])
        read = np.fromfile(images.filename, np.uint8, size, offset=images.offset + row * size)
        if read.size != size:
            raise ManifestError(f"{str(images.filename)!r} ends before image {row}; pack the data set again")
        return read.reshape(images.shape[1:])


def square(pixels: Pixels, side: int | None) -> Pixels:
    """Cut a square from the centre of an image, shape (H, W, 3).

    One that is too small, and any if `side` is None, comes back whole.

    Examples
    --------
    >>> square(np.arange(48, dtype=np.uint8).reshape(4, 4, 3), 2)[..., 0].tolist()
    [[15, 18], [27, 30]]
    """
    height, width, _ = pixels.shape
    if side is None or height < side or width < side:
        return pixels
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side].copy()


def read_in_threads(manifest: Manifest, side: int | None, workers: int | None) -> Iterator[Pixels | ImageError]:
    """Decode images in threads, a few ahead: a `ReadSquares`, for files that do no harm to a decoder."""
    gate = threading.Lock()

    def decode(row: int) -> Pixels | ImageError:
        try:
            return square(read_image(manifest.file(row), large_gate=gate).pixels, side)
        except ImageError as error:
            return error

    threads = workers or os.cpu_count() or 1
    ahead = 4 * threads
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(manifest), ahead):
            yield from pool.map(decode, range(start, min(start + ahead, len(manifest))))


def pack(
    manifest: Manifest,
    out_dir: StrPath,
    size: int | None = None,
    *,
    read: ReadSquares = read_in_threads,
    workers: int | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> Packed:
    """Decode a data set once and write it as one array.

    Parameters
    ----------
    manifest : Manifest
        The images.
    out_dir : path
        Folder for ``images.npy`` and ``manifest.csv``: new, empty, or a packed data set, which is replaced.
    size : int > 0, optional
        Side of the square that is cut from the centre of every image. Without it all images must have one size.
    read : callable, optional
        See `ReadSquares`. A decoder that crashes in a thread ends the program; for files that nobody has read yet there
        is `spectell.workflows.reading.squares.IsolatedSquares`.
    workers : int, optional
        Threads or processes that decode; by default one per core.
    on_progress : callable, optional
        Called with the number of images done since the last call.

    Returns
    -------
    packed : Packed
        The files, opened.

    Raises
    ------
    ManifestError
        If there are no images, some cannot be read, the images differ in size (or are smaller than `size`; the message
        counts the sizes), or the files cannot be written. Nothing is left under the final names by a failure, and older
        files stay as they were.
    ParameterError
        If `size` is not positive, or `out_dir` holds something else than a packed data set.

    Examples
    --------
    >>> import tempfile
    >>> from spectell.datasets import Entry
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.ppm").write_bytes(b"P6 2 2 255 " + bytes(12))
    ...     pack(Manifest([Entry("a.ppm", 0, "real")], root=folder), Path(folder, "packed")).images.shape
    (1, 2, 2, 3)
    """
    if size is not None and size <= 0:
        raise ParameterError(f"size must be a positive number of pixels, got {size}")
    if not len(manifest):
        raise ManifestError("there are no images to pack; the manifest has no rows")
    folder = Path(out_dir)
    staged = folder / _STAGED_NAME
    _check_replaceable(folder)
    remove_parts(folder, {IMAGES_NAME, MANIFEST_NAME, _STAGED_NAME}.__contains__)
    writer = _Writer(len(manifest), size)
    with removing_empty_folders(folder), replacing(folder / IMAGES_NAME) as file:
        for row, pixels in enumerate(read(manifest, size, workers)):
            writer.add(row, pixels, file)
            if on_progress is not None:
                on_progress(1)
        writer.check(manifest)
        file.flush()
        os.fsync(file.fileno())
        write_manifest(manifest, staged)  # all that can fail for want of space has now succeeded
        (folder / MANIFEST_NAME).unlink(missing_ok=True)
    staged.replace(folder / MANIFEST_NAME)
    return open_packed(folder)


def open_packed(folder: StrPath) -> Packed:
    """Open what `pack` wrote, as a read-only memory map.

    Parameters
    ----------
    folder : path
        Folder with ``images.npy`` and ``manifest.csv``.

    Returns
    -------
    packed : Packed
        The array and its manifest.

    Raises
    ------
    ManifestError
        If a file is missing or damaged, the array is not uint8 of shape (N, H, W, 3), or the manifest has another
        number of rows.

    Examples
    --------
    >>> open_packed("nowhere")
    Traceback (most recent call last):
    spectell.errors.ManifestError: 'nowhere' is not a packed data set: it has no images.npy; make one with \
`spectell dataset pack`
    """
    folder = Path(folder)
    for name in (IMAGES_NAME, MANIFEST_NAME):
        if not (folder / name).is_file():
            raise ManifestError(
                f"{str(folder)!r} is not a packed data set: it has no {name}; make one with `spectell dataset pack`"
            )
    try:
        images = np.lib.format.open_memmap(folder / IMAGES_NAME, mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise ManifestError(f"{str(folder / IMAGES_NAME)!r} is damaged ({error}); pack the data set again") from error
    if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
        raise ManifestError(
            f"{str(folder / IMAGES_NAME)!r} must hold uint8 of shape (N, H, W, 3), got {images.dtype} of shape "
            f"{images.shape}; pack the data set again"
        )
    manifest = read_manifest(folder / MANIFEST_NAME, check_files=False)
    if len(manifest) != len(images):
        raise ManifestError(
            f"{str(folder)!r} has {len(images):,} images but {len(manifest):,} rows of manifest; pack it again"
        )
    return Packed(images, manifest)


def is_packed(path: StrPath) -> bool:
    """Whether a path is a folder that `pack` may have written.

    Examples
    --------
    >>> is_packed("nowhere")
    False
    """
    return all(Path(path, name).is_file() for name in (IMAGES_NAME, MANIFEST_NAME))


def _check_replaceable(folder: Path) -> None:
    found = contents(folder)
    # A run that was killed just before its end leaves the new array beside the manifest under its staged name.
    if found - {_STAGED_NAME} and not (is_packed(folder) or found == {IMAGES_NAME, _STAGED_NAME}):
        raise MismatchError(
            f"the folder {str(folder)!r} is not empty and holds no packed data set; name a new folder or an empty one"
        )


@dataclass
class _Writer:
    """Appends images of one size to a .npy file, and counts what does not fit.

    Plain writes, not a memory map: on a full disk a write fails with a reason, a mapped page kills the process.
    """

    n: int
    crop: int | None
    size: Size | None = None
    sizes: Counter[Size] = field(default_factory=Counter)
    unreadable: list[tuple[int, str]] = field(default_factory=list)

    def add(self, row: int, pixels: Pixels | ImageError, file: BinaryIO) -> None:
        if isinstance(pixels, ImageError):
            self.unreadable.append((row, str(pixels)))
            return
        height, width, _ = pixels.shape
        self.sizes[height, width] += 1
        if self.size is None:
            self.size = (self.crop, self.crop) if self.crop else (height, width)
            header = {"descr": "|u1", "fortran_order": False, "shape": (self.n, *self.size, 3)}
            np.lib.format.write_array_header_1_0(file, header)
        if not self.unreadable and (height, width) == self.size:
            file.write(np.ascontiguousarray(pixels).data)

    def check(self, manifest: Manifest) -> None:
        if self.unreadable:
            row, reason = self.unreadable[0]
            raise ManifestError(
                f"{len(self.unreadable):,} of {self.n:,} files cannot be packed, the first is {manifest.paths[row]!r}: "
                f"{reason}; take them out of the data set"
            )
        if any(size != self.size for size in self.sizes):
            rule = f"all be at least {self.crop}x{self.crop}" if self.crop else "have one size"
            wrong = Counter({size: n for size, n in self.sizes.items() if not self.crop or size != self.size})
            counts = ", ".join(f"{number:,} of {h}x{w}" for (h, w), number in wrong.most_common(5))
            more = ", …" if len(wrong) > 5 else ""
            raise ManifestError(
                f"images must {rule} (height x width), got {counts}{more}; take the others out of the data set, or "
                "choose a crop that fits all with size= (--size)"
            )
