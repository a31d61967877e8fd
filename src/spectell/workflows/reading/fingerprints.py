"""Fingerprints of files that nobody has read yet, each in a process that may crash, hang or run out of memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spectell.datasets import Manifest
from spectell.datasets.duplicates import FileFingerprint, file_digest, fingerprint_file
from spectell.workflows.reading.image_files import FileReader, Skipped, map_files
from spectell.workflows.reading.image_passes import read_file
from spectell.workflows.workers.worker import Gate

__all__ = ["IsolatedFingerprints"]


@dataclass(frozen=True, slots=True)
class _Comparing:
    """Fingerprints the file of a row, in a process."""

    manifest: Manifest
    max_pixels: int

    def __call__(self, index: int, gate: Gate) -> FileFingerprint:
        return fingerprint_file(self.manifest.file(index), gate, max_pixels=self.max_pixels)


class IsolatedFingerprints:
    """Fingerprints files in processes: a `spectell.datasets.duplicates.FingerprintFiles`.

    A file that ends its process, or takes too long, has no fingerprint but the hash of its bytes.

    Parameters
    ----------
    files : FileReader
        Says how large a file may be, and how long it may take.

    Attributes
    ----------
    skipped : list of Skipped
        Those files.
    """

    def __init__(self, files: FileReader = read_file) -> None:
        self._files = files
        self.skipped: list[Skipped] = []

    def __call__(self, manifest: Manifest, workers: int | None) -> Iterator[FileFingerprint]:
        """Fingerprint the file of every row, in order."""
        work = _Comparing(manifest, self._files.max_pixels)
        for row, found in enumerate(map_files(self._files, manifest, work, range(len(manifest)), workers)):
            if isinstance(found, Skipped):
                self.skipped.append(found)
                yield file_digest(manifest.file(row)), None, None
            else:
                yield found
