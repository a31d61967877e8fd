"""The real images of the papers: CelebA, LSUN and FFHQ, cut square and brought to one size.

Cut first, then shrunk if need be, and never enlarged: enlarging would leave in the real images the very trace that is
looked for in the generated ones. The files are lossless.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from spectell.datasets.places import require_apart
from spectell.errors import ParameterError, ShapeError
from spectell.perturbations import EncodedFile, Pixels
from spectell.perturbations.files import encode_png
from spectell.perturbations.resize import resize
from spectell.workflows.copies.picture_copies import Copies, make_copies, plain_folder
from spectell.workflows.reading.image_passes import Progress, quiet

__all__ = ["COLLECTIONS", "RECORD_KIND", "Collection", "prepare_images", "square_window"]

RECORD_KIND = "spectell-preparation-1"

KERNEL = "lanczos"
"""Kernel of the reduction, that of the scripts which made the training sets of the generators."""

Window = tuple[int, int, int]
"""Top, left and side of a square, in pixels."""


def _face(height: int, width: int) -> Window:
    if (height, width) != (218, 178):
        raise ShapeError(f"an aligned CelebA picture has 178 x 218 pixels, this one {width} x {height}")
    return 121 - 64, 89 - 64, 128


def _middle(height: int, width: int) -> Window:
    side = min(height, width)
    return (height - side) // 2, (width - side) // 2, side


def _whole(height: int, width: int) -> Window:
    if height != width:
        raise ShapeError(f"an aligned FFHQ picture is square, this one has {width} x {height} pixels")
    return 0, 0, height


@dataclass(frozen=True, slots=True)
class Collection:
    """A published set of photographs, and what its papers cut out of each.

    Parameters
    ----------
    window : callable
        From height and width to the square that is kept; raises `ShapeError` for a picture of another set.
    largest : int
        Pixels a side of the largest size that can be asked for.
    """

    window: Callable[[int, int], Window]
    largest: int


COLLECTIONS = MappingProxyType(
    {"celeba": Collection(_face, 128), "lsun": Collection(_middle, 256), "ffhq": Collection(_whole, 1024)}
)
"""CelebA, aligned, 178 x 218: 128 x 128 about row 121 and column 89. LSUN: the largest square in the middle, of 256
pixels in the published files. FFHQ, aligned, 1024 x 1024: the whole picture."""


def prepare_images(
    name: str,
    data: str | os.PathLike[str],
    output: str | os.PathLike[str],
    size: int,
    *,
    workers: int | None = None,
    resume: bool = False,
    on_progress: Progress = quiet,
) -> Copies:
    """Cut every photograph of a collection as its papers do, and write PNG files of one size.

    Parameters
    ----------
    name : {"celeba", "lsun", "ffhq"}
    data : path
        The folder of the images, as they are published; sub-folders are walked.
    output : path
        Folder for ``real/`` with the same sub-folders, ``manifest.csv`` and ``record.jsonl``.
    size : int
        Pixels a side.
    workers, resume, on_progress
        See `spectell.workflows.copies.picture_copies.make_copies`.

    Returns
    -------
    copies : Copies
        A picture that is smaller than `size`, or does not belong to the collection, is one of `skipped`.

    Raises
    ------
    ParameterError
        If there is no such collection, or the size is not one of its sizes.
    ManifestError
        If there are no images, or something cannot be written.

    Notes
    -----
    Where processes cannot be forked (macOS, Windows, a program with threads or with torch loaded) a script must call
    this below ``if __name__ == "__main__":``.

    References
    ----------
    .. [1] Liu, Luo, Wang, Tang (2015). Deep learning face attributes in the wild. ICCV. :arxiv:`1411.7766`
    .. [2] Yu et al. (2015). LSUN: construction of a large-scale image dataset using deep learning with humans in the
       loop. :arxiv:`1506.03365`
    .. [3] Karras, Laine, Aila (2019). A style-based generator architecture for generative adversarial networks. CVPR.
       :arxiv:`1812.04948`

    Examples
    --------
    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.mkdir(f"{folder}/in")
    ...     Image.new("RGB", (341, 256), "teal").save(f"{folder}/in/a.png")
    ...     copies = prepare_images("lsun", f"{folder}/in", f"{folder}/out", 128, workers=1)
    ...     with Image.open(f"{folder}/out/real/a.png") as square:
    ...         square.size
    (128, 128)
    """
    collection = COLLECTIONS.get(name)
    if collection is None:
        raise ParameterError(f"unknown collection {name!r}; choose one of {', '.join(COLLECTIONS)}")
    if not 8 <= size <= collection.largest:
        raise ParameterError(f"size must lie between 8 and {collection.largest} for {name}, got {size}")
    require_apart(data, output)
    return make_copies(
        plain_folder(data, name),
        output,
        partial(_prepared, name=name, size=size),
        kind=RECORD_KIND,
        settings={"collection": name, "size": size, "data": os.path.abspath(data)},  # noqa: PTH100 - links stay
        below="real",
        workers=workers,
        resume=resume,
        on_progress=on_progress,
    )


def square_window(name: str, height: int, width: int) -> Window:
    """Return the top, left and side of the square that a collection keeps of a picture.

    Raises
    ------
    ShapeError
        If a picture of that size does not belong to the collection.

    Examples
    --------
    >>> square_window("celeba", 218, 178), square_window("lsun", 256, 341)
    ((57, 25, 128), (0, 42, 256))
    """
    return COLLECTIONS[name].window(height, width)


def _prepared(
    path: str,  # noqa: ARG001 - nothing is drawn
    pixels: Pixels,
    replayed: tuple[Any] | None,  # noqa: ARG001
    *,
    name: str,
    size: int,
) -> tuple[EncodedFile, Any]:
    top, left, side = square_window(name, *pixels.shape[:2])
    if side < size:
        raise ShapeError(f"its square has {side} pixels a side, fewer than {size}, and nothing is enlarged")
    square = pixels[top : top + side, left : left + side]
    made = square if side == size else resize(square, size, size, KERNEL)
    return EncodedFile(".png", encode_png(made)), {"top": top, "left": left, "side": side}
