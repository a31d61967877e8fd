"""Images of a data set, cut to one size, each read in a process that may crash, hang or run out of memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from spectell.datasets import Manifest
from spectell.datasets.packed import square
from spectell.errors import ImageError
from spectell.workflows.reading.image_files import FileReader, Pixels, Skipped, map_read
from spectell.workflows.reading.image_passes import read_file

__all__ = ["IsolatedSquares"]


class IsolatedSquares:
    """Reads images in processes: a `spectell.datasets.packed.ReadSquares`.

    Parameters
    ----------
    files : FileReader
        Says how large a file may be, and how long it may take.
    """

    def __init__(self, files: FileReader = read_file) -> None:
        self._files = files

    def __call__(self, manifest: Manifest, side: int | None, workers: int | None) -> Iterator[Pixels | ImageError]:
        """Read every image, in order; what ends its process, or takes too long, cannot be read."""
        for found in map_read(self._files, self._files, manifest, partial(square, side=side), workers):
            yield ImageError(found.reason) if isinstance(found, Skipped) else found
