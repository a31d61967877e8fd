"""Which data sets lie below a folder, and what lies there that is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spectell.datasets.naming import REAL_FOLDERS
from spectell.errors import ManifestError
from spectell.images import IMAGE_SUFFIXES

__all__ = ["Source", "find_sources"]

_ARCHIVES = (".tar", ".tgz", ".gz", ".bz2", ".xz", ".zip", ".7z", ".rar", ".zst")
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Source:
    """A data set: images that were collected together.

    Parameters
    ----------
    name : str
        Its path below the folder that was searched, with forward slashes; the folder's own name if it is the set.
    path : Path
        A folder with a sub-folder for each generator, or a plain folder of images.
    """

    name: str
    path: Path


def find_sources(folder: str | os.PathLike[str]) -> tuple[list[Source], list[str]]:
    """Find every data set below a folder.

    A folder whose sub-folders hold images is a data set; so is a plain folder of images that lies beside data sets. In
    a folder with plain sub-folders only, these are its generators.

    Parameters
    ----------
    folder : path
        Where to look. Links to folders are followed no further than six levels down.

    Returns
    -------
    sources : list of Source
        By name.
    notes : list of str
        What was passed over, one line each: archives, and folders without images.

    Raises
    ------
    ManifestError
        If there is no data set.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     for name in ("faces/real/a.png", "faces/gan/a.png", "photos/b.jpg", "more.tar"):
    ...         Path(place, name).parent.mkdir(parents=True, exist_ok=True)
    ...         Path(place, name).touch()
    ...     sources, notes = find_sources(place)
    >>> [source.name for source in sources], notes
    (['faces', 'photos'], ['more.tar is an archive; unpack it to include it'])
    """
    root, notes = Path(folder), list[str]()
    found = list(_sources(root, root, notes, depth=0))
    if not found:
        raise ManifestError(f"no data set in {os.fspath(folder)!r}; expected folders of images, such as faces/real")
    return sorted(found, key=lambda source: source.name), notes


def _sources(folder: Path, root: Path, notes: list[str], *, depth: int) -> Iterator[Source]:
    folders, archives, images = _listed(folder)
    notes += [f"{path.relative_to(root).as_posix()} is an archive; unpack it to include it" for path in archives]
    plain = [child for child in folders if _is_plain(child)]
    others = [child for child in folders if child not in plain]
    below = [source for child in others if depth < _DEEPEST for source in _sources(child, root, notes, depth=depth + 1)]
    yield from below
    has_real = any(child.name in REAL_FOLDERS for child in plain)
    if plain and (has_real or not below):
        yield Source(_name(folder, root), folder)
    else:
        yield from (Source(_name(child, root), child) for child in plain)
    if images and not folders:
        yield Source(_name(folder, root), folder)
    elif not (images or plain or below):
        notes.append(f"{_name(folder, root)} holds no images")


def _name(folder: Path, root: Path) -> str:
    return folder.absolute().name if folder == root else folder.relative_to(root).as_posix()


def _is_plain(folder: Path) -> bool:
    folders, _, images = _listed(folder)
    return images and not folders


def _listed(folder: Path) -> tuple[list[Path], list[Path], bool]:
    """Sub-folders, archives, and whether there are images."""
    folders, archives, images = [], [], False
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name.startswith("."):
                continue
            suffix = Path(entry.name).suffix.lower()
            if entry.is_dir():
                folders.append(Path(entry.path))
            elif suffix in _ARCHIVES:
                archives.append(Path(entry.path))
            images = images or suffix in IMAGE_SUFFIXES
    return folders, archives, images
