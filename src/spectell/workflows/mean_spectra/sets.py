"""From what the user names to sets of image files: one for each generator of each source."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
import numpy.typing as npt

from spectell.datasets import REAL, Entry, Manifest, read_dataset
from spectell.datasets.naming import REAL_FOLDERS
from spectell.errors import ManifestError, ParameterError
from spectell.images import describe_path
from spectell.workflows.reading.walk import PathLike, walk

__all__ = ["DETAILED_IMAGES", "ImageFiles", "list_sets"]

DETAILED_IMAGES = 512
"""Images of a set that take part in block, tile and radial spectra, whose means vary little beyond so many."""


@dataclass(frozen=True)
class ImageFiles:
    """The files of one set that are looked at.

    Parameters
    ----------
    source, generator : str
        What the set is, in printable characters; the generator of photographs is ``real``.
    files : sequence of str
        In a fixed order, after `limit` has chosen among them.
    detailed : ndarray of shape (N,), bool
        Which of them take part in block, tile and radial spectra.
    """

    source: str
    generator: str
    files: Sequence[str]
    detailed: npt.NDArray[np.bool_]

    @property
    def name(self) -> str:
        """Name of the set."""
        return f"{self.source}/{self.generator}"

    def identity(self, settings: str) -> str:
        """Hash of what decides the result: settings, names of the files, their sizes and times of change."""
        digest = hashlib.sha256(settings.encode())
        for path, detailed in zip(self.files, self.detailed.tolist(), strict=True):
            try:
                status = os.stat(path)  # noqa: PTH116 - Path() is ten times slower
                facts = f"{status.st_size} {status.st_mtime_ns}"
            except OSError:
                facts = "missing"
            digest.update(f"{path}\0{facts} {detailed}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()


def list_sets(
    datasets: Iterable[PathLike], *, real: str | None = None, limit: int | None = None, seed: int = 0
) -> tuple[list[ImageFiles], list[str]]:
    """List the sets of some data sets, and what was left out.

    Parameters
    ----------
    datasets : iterable of path
        Folders with a sub-folder per generator, folders of such folders, manifests, or plain folders of images. A plain
        folder is one set: it counts as a generator of the folder that it lies in.
    real : str, optional
        Name of the folders that are real, instead of ``real`` and ``0_real``.
    limit : int >= 1, optional
        Images a set at most, chosen at random.
    seed : int
        Of that choice and of the images that take part in detailed spectra.

    Returns
    -------
    sets : list of ImageFiles
        Named as `describe_path` names what may hold any bytes: names of arrays must be text, and lines one line.
    notes : list of str
        For a person to see.

    Raises
    ------
    ManifestError
        If a data set cannot be read, or two of them have a set of one name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("gan/a.png", "real/b.png", "real/c.png"):
    ...         Path(folder, "faces", name).parent.mkdir(parents=True, exist_ok=True)
    ...         Path(folder, "faces", name).touch()
    ...     sets, _ = list_sets([f"{folder}/faces"], limit=1)
    ...     plain, _ = list_sets([f"{folder}/faces/real"])
    >>> [(each.name, len(each.files)) for each in sets], [(each.name, len(each.files)) for each in plain]
    ([('faces/real', 1), ('faces/gan', 1)], [('faces/real', 2)])
    """
    found: dict[tuple[str, str], _Rows] = {}
    notes: list[str] = []
    for dataset in datasets:
        manifest = _listed(os.fsdecode(dataset), real)
        notes.extend(map(describe_path, manifest.notes))
        for source, generators in manifest.counts().items():
            for generator in sorted(generators, key=lambda name: (name != REAL, name)):
                key = (describe_path(source or Path(os.fsdecode(dataset)).stem), describe_path(generator))
                if key in found:
                    raise ManifestError(
                        f"several of the data sets have a set called '{'/'.join(key)}'; rename a folder"
                    )
                chosen = (manifest.sources == source) & (manifest.generators == generator)
                found[key] = _Rows(manifest, np.flatnonzero(chosen))
    return [_chosen(*key, rows, limit, seed) for key, rows in found.items()], notes


class _Rows(Sequence[str]):
    """Paths of some rows of a manifest, made as they are asked for: a million of them need little memory."""

    def __init__(self, manifest: Manifest, indices: npt.NDArray[np.intp]) -> None:
        self._manifest, self._indices = manifest, indices

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return _Rows(self._manifest, self._indices[index])
        return self._manifest.file(int(self._indices[index]))

    def take(self, indices: npt.NDArray[np.intp]) -> _Rows:
        """Return some of them."""
        return _Rows(self._manifest, self._indices[indices])


def _listed(dataset: str, real: str | None) -> Manifest:
    if _is_plain(dataset):
        return _plain(dataset, real)
    return read_dataset(dataset, real=real, require_real=False)


def _is_plain(dataset: str) -> bool:
    """Whether it is a folder without sub-folders."""
    try:
        with os.scandir(dataset) as entries:
            return not any(entry.is_dir() and not entry.name.startswith(".") for entry in entries)
    except OSError:
        return False


def _plain(dataset: str, real: str | None) -> Manifest:
    folder = Path(os.path.abspath(dataset))  # noqa: PTH100 - links in the name stay as the user gave them
    generator = REAL if folder.name in (REAL_FOLDERS if real is None else {real}) else folder.name
    label, source = int(generator != REAL), folder.parent.name
    try:
        items = (item for item in walk([str(folder)]) if isinstance(item, str))
        return Manifest((Entry(path, label, generator, source) for path in items), folder)
    except ParameterError as error:
        raise ManifestError(f"data set {dataset!r} holds no images: {error}") from error


def _chosen(source: str, generator: str, files: _Rows, limit: int | None, seed: int) -> ImageFiles:
    name = hashlib.sha256(f"{source}/{generator}".encode()).digest()
    rng = np.random.default_rng([seed, *name[:8]])
    if limit is not None and limit < len(files):
        files = files.take(np.sort(rng.permutation(len(files))[:limit]))
    detailed = np.zeros(len(files), np.bool_)
    detailed[rng.permutation(len(files))[:DETAILED_IMAGES]] = True
    return ImageFiles(source, generator, files, detailed)
