"""From anybody's photographs to the one real class of a study.

Invariants: an image becomes its centre square, reduced to the training size with Pillow's antialiased Lanczos filter by
a factor of at least 2, which removes the grid of JPEG blocks and most of what else a file's history left; the result is
written once, losslessly, and is what generators are trained on *and* what their images are compared with, so that real
and generated differ in nothing but the generator. What is left out is counted. Torch-free.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from spectell.datasets import REAL, Entry, Manifest, read_dataset, read_manifest, write_manifest
from spectell.datasets.atomic import replacing
from spectell.datasets.manifest import MANIFEST_SUFFIXES
from spectell.datasets.naming import default_group
from spectell.datasets.packed import IMAGES_NAME, MANIFEST_NAME, Packed, open_packed
from spectell.datasets.places import removing_empty_folders
from spectell.errors import ImageError, ManifestError, MismatchError
from spectell.images import IMAGE_SUFFIXES, read_image

__all__ = ["MIN_REDUCTION", "export_images", "list_photographs", "prepare_images", "reduce_image"]

MIN_REDUCTION = 2
"""Smallest ratio of an image's shorter side to the training size."""

PixelArray = npt.NDArray[np.uint8]
StrPath = str | os.PathLike[str]


def reduce_image(image: PixelArray, size: int) -> PixelArray:
    """Cut the centre square of an image and reduce it to `size`.

    Parameters
    ----------
    image : ndarray of shape (H, W, 3), uint8
        RGB, with min(H, W) >= 2 `size`.
    size : int > 0
        Side of the result in pixels.

    Returns
    -------
    reduced : ndarray of shape (size, size, 3), uint8

    Raises
    ------
    MismatchError
        If the image is too small.

    Examples
    --------
    >>> wide = np.zeros((8, 20, 3), np.uint8)
    >>> wide[:, 6:14] = 200  # the centre square
    >>> np.unique(reduce_image(wide, 4)).tolist()
    [200]
    """
    height, width = image.shape[:2]
    side = min(height, width)
    if side < MIN_REDUCTION * size:
        raise MismatchError(f"image must be at least {MIN_REDUCTION * size} pixels high and wide, got {height}x{width}")
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(np.ascontiguousarray(image[top : top + side, left : left + side]))
    return np.asarray(square.resize((size, size), Image.Resampling.LANCZOS))


def list_photographs(path: StrPath) -> Manifest:
    """List the real images of a data set, or all images of a plain folder.

    Parameters
    ----------
    path : path
        A data set as for `spectell.datasets.read_dataset`, of which the real class is taken; or a folder without such
        a class, of which every image is taken, sub-folders included.

    Returns
    -------
    manifest : Manifest
        Class 0 only.

    Raises
    ------
    ManifestError
        If there is no such folder or manifest, or no real image in it.
    """
    place = Path(path)
    if place.suffix.lower() in MANIFEST_SUFFIXES and place.is_file():
        manifest = read_manifest(place)
        manifest = manifest.select(manifest.labels == 0)
    elif not place.is_dir():
        found = "is not a folder, nor a .csv or .parquet manifest" if place.exists() else "does not exist"
        raise ManifestError(f"data set {os.fspath(path)!r} {found}")
    else:
        manifest = _real_folder(place) or _plain_folder(place)
    if not len(manifest):
        raise ManifestError(f"data set {os.fspath(path)!r} holds no real images; name a folder of photographs")
    return manifest


def prepare_images(
    data: StrPath, out_dir: StrPath, size: int, *, on_progress: Callable[[int, int], object] | None = None
) -> tuple[Packed, dict[str, Any]]:
    """Bring photographs to training size and write them once, as a packed data set.

    Parameters
    ----------
    data : path
        As for `list_photographs`; or a folder that this function wrote, which is opened as it is.
    out_dir : path
        Folder for ``images.npy`` and ``manifest.csv``.
    size : int > 0
        Side of the images in pixels.
    on_progress : callable, optional
        Called with the number of files read and that of all files.

    Returns
    -------
    packed : Packed
        The images, a memory map, and where each came from.
    facts : dict
        ``n_images``, ``sha256`` of the pixels, and the counts ``too_small``, ``unreadable``, ``duplicates``.

    Raises
    ------
    ManifestError
        If fewer than two images are left, or the files cannot be written.
    """
    if (Path(data) / IMAGES_NAME).is_file() and (Path(data) / MANIFEST_NAME).is_file():
        return _open_prepared(Path(data), size)
    photographs = list_photographs(data)
    writer = _Writer(size)
    folder = Path(out_dir)
    with removing_empty_folders(folder), replacing(folder / IMAGES_NAME) as file:
        _write_header(file, len(photographs), size)
        for row, reduced in enumerate(_reduced(photographs, size)):
            if (pixels := writer.admit(row, reduced)) is not None:
                file.write(pixels.tobytes())
            if on_progress is not None:
                on_progress(row + 1, len(photographs))
        writer.check(os.fspath(data))
        file.seek(0)
        _write_header(file, len(writer.rows), size)
        (folder / MANIFEST_NAME).unlink(missing_ok=True)
    write_manifest(photographs.select(np.array(writer.rows)), folder / MANIFEST_NAME)
    return open_packed(folder), writer.facts()


def export_images(packed: Packed, folder: StrPath) -> Manifest:
    """Write training images as PNG files, for use as the real class of a data set.

    Parameters
    ----------
    packed : Packed
        As `prepare_images` returns it.
    folder : path
        Gets ``real/000000.png`` and so on, and ``manifest.csv``.

    Returns
    -------
    manifest : Manifest
        With groups as in `packed` and the hash of every file.
    """
    root = Path(folder)
    entries = []
    for index, (pixels, entry) in enumerate(zip(packed.images, packed.manifest, strict=True)):
        name = f"{REAL}/{index:06}.png"
        with replacing(root / name) as file:
            Image.fromarray(pixels).save(file, format="PNG")
        digest = hashlib.sha256((root / name).read_bytes()).hexdigest()
        entries.append(Entry(name, 0, REAL, entry.source, entry.group, entry.split, digest))
    manifest = Manifest(entries, root)
    write_manifest(manifest, root / MANIFEST_NAME)
    return manifest


def _real_folder(place: Path) -> Manifest | None:
    try:
        manifest = read_dataset(place, require_real=False)
    except ManifestError:  # images without sub-folders
        return None
    return manifest.select(manifest.labels == 0) if REAL in manifest.class_names else None


def _plain_folder(place: Path) -> Manifest:
    found = sorted(
        path.relative_to(place).as_posix()
        for path in place.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
    source = place.resolve().name or "photographs"
    return Manifest((Entry(path, 0, REAL, source, default_group(source, path)) for path in found), place)


def _open_prepared(folder: Path, size: int) -> tuple[Packed, dict[str, Any]]:
    packed = open_packed(folder)
    if packed.images.shape[1:3] != (size, size):
        shape = "x".join(map(str, packed.images.shape[1:3]))
        raise ManifestError(f"{str(folder)!r} holds images of {shape} pixels, and size is {size}; prepare them again")
    if packed.manifest.labels.any():
        raise ManifestError(f"{str(folder)!r} holds generated images too; name a folder of photographs")
    facts = {"n_images": len(packed.images), "sha256": _hash_rows(packed.images)}
    return packed, facts | {"too_small": 0, "unreadable": 0, "duplicates": 0}


def _hash_rows(images: PixelArray) -> str:
    digest = hashlib.sha256()
    for pixels in images:
        digest.update(pixels.tobytes())
    return digest.hexdigest()


def _write_header(file: Any, n: int, size: int) -> None:
    """Write the header of a .npy file. NumPy pads it so that another number of rows fits into the same bytes."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (n, size, size, 3)}
    np.lib.format.write_array_header_1_0(file, header)


class _Writer:
    """Decides which images are kept, and counts the others."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.rows: list[int] = []
        self.counts = {"too_small": 0, "unreadable": 0, "duplicates": 0}
        self._seen: set[bytes] = set()
        self._hash = hashlib.sha256()

    def admit(self, row: int, reduced: PixelArray | str) -> PixelArray | None:
        if isinstance(reduced, str):
            self.counts[reduced] += 1
            return None
        content = reduced.tobytes()
        digest = hashlib.sha256(content).digest()
        if digest in self._seen:
            self.counts["duplicates"] += 1
            return None
        self._seen.add(digest)
        self._hash.update(content)
        self.rows.append(row)
        return reduced

    def check(self, data: str) -> None:
        if len(self.rows) < 2:
            raise ManifestError(
                f"data set {data!r} has {len(self.rows)} images to train on, and at least 2 are needed; left out: "
                f"{self.counts['too_small']:,} with a shorter side below {MIN_REDUCTION * self.size} pixels (twice the "
                f"size), {self.counts['unreadable']:,} unreadable, {self.counts['duplicates']:,} duplicates"
            )

    def facts(self) -> dict[str, Any]:
        return {"n_images": len(self.rows), "sha256": self._hash.hexdigest(), **self.counts}


def _reduced(photographs: Manifest, size: int) -> Iterator[PixelArray | str]:
    """Yield reduced images in order, or the name of the reason why there is none, decoding a few ahead."""
    gate = threading.Lock()

    def reduce(path: str) -> PixelArray | str:
        try:
            pixels = read_image(path, large_gate=gate).pixels
        except ImageError:
            return "unreadable"
        return reduce_image(pixels, size) if min(pixels.shape[:2]) >= MIN_REDUCTION * size else "too_small"

    workers = os.cpu_count() or 1
    files: Sequence[str] = [photographs.file(row) for row in range(len(photographs))]
    with ThreadPoolExecutor(workers) as pool:
        for start in range(0, len(files), 8 * workers):
            yield from pool.map(reduce, files[start : start + 8 * workers])
