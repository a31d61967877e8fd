"""The images of a source identification: photographs beside the samples of several generators, of one size.

Two kinds. Photographs, brought to size in the one way in which generators are given theirs, beside samples of the four
generators that come with Spectell. Or a data set of the user's own, with real images and those of two generators or
more, whose pixels are taken as they are: at most the middle of each is cut out, none is resized.

Either way one packed data set is written once, ``images/``, and every detector, seed and perturbation uses it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spectell.datasets import REAL, read_dataset
from spectell.datasets.duplicates import Fingerprints, fingerprint
from spectell.datasets.packed import Packed, is_packed, open_packed, pack
from spectell.datasets.splits import merge_duplicates
from spectell.errors import ManifestError
from spectell.experiments.identification.samples import GENERATORS, PREPARED, missing_generators, write_samples
from spectell.experiments.photographs import choose_photographs
from spectell.experiments.record import manifest_hash
from spectell.experiments.sources import find_sources

__all__ = ["PREPARED", "ImageChoice", "choose_images", "identity_of", "prepare"]

FACES = "celeba178"
"""Of several data sets the one with the faces that these generators learned from."""

_FEWEST = 20
"""Images of a class with which detectors can be trained and judged at all."""
_OWN_SIDE = 64
"""Most pixels of the side of what is cut from the user's own images at the small scale."""

Report = Callable[[str, int, int], object]


@dataclass(frozen=True, slots=True)
class ImageChoice:
    """Which images an experiment is about.

    Parameters
    ----------
    name : str
        Of the data set.
    path : Path
        Where its images lie.
    own : bool
        Whether it has all classes; otherwise it gives the real one, and `GENERATORS` the others.
    images : int
        About how many of the real class can be used.
    classes : tuple of str
        ``real`` first.
    notes : tuple of str
        What is not taken, a line each.
    """

    name: str
    path: Path
    own: bool
    images: int
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def choose_images(data: str | os.PathLike[str], size: int, *, only_own: bool = False) -> ImageChoice:
    """Say which images an experiment would take from a folder.

    Parameters
    ----------
    data : path
        One data set with real images and those of two generators or more, which is taken as it is; or photographs, of
        which several data sets are searched for those that the generators learned from, else for the most.
    size : int > 0
        Side in pixels that photographs are brought to.
    only_own : bool
        Whether to refuse photographs without generated images.

    Returns
    -------
    choice : ImageChoice

    Raises
    ------
    ManifestError
        If there are no such images.
    """
    sources, _ = find_sources(data)
    if len(sources) == 1 and (found := _own_classes(sources[0].path)) is not None:
        classes, images = found
        return ImageChoice(sources[0].name, sources[0].path, True, images, classes, ())
    if only_own:
        raise ManifestError(
            f"the full scale needs one data set with real images and those of two generators or more, and "
            f"{os.fspath(data)!r} is none; name its folder, or use --scale small"
        )
    named = [source for source in sources if source.path.name == FACES or source.path.parent.name == FACES]
    photographs = choose_photographs(named[0].path if named else data, size)
    notes = [*photographs.notes]
    if named and len(sources) > 1:
        notes.append(f"every data set but {FACES}, whose faces the generators learned from")
    notes += missing_generators()
    return ImageChoice(photographs.name, photographs.path, False, photographs.images, (REAL, *GENERATORS), tuple(notes))


def prepare(
    choice: ImageChoice, folder: Path, *, size: int, limit: int, seed: int, workers: int, on_progress: Report
) -> Packed:
    """Write the images of all classes once, or open them if they are there.

    Parameters
    ----------
    choice : ImageChoice
    folder : Path
        Of the experiment; they go to `PREPARED` in it.
    size : int > 0
        Side of photographs and samples in pixels; the user's own images keep theirs where it is 0.
    limit : int
        Most images of a class.
    seed : int
        Of which images are taken where there are more, and of the samples.
    workers : int
    on_progress : callable

    Returns
    -------
    packed : Packed

    Raises
    ------
    ManifestError
        If images differ in size, or a class has too few.
    ArtifactError
        If a generator is missing or makes images of another size.
    """
    if not is_packed(folder / PREPARED):
        if choice.own:
            _prepare_own(choice, folder, size, limit, seed, workers, on_progress)
        else:
            write_samples(choice.path, folder, size, limit, seed, workers, on_progress)
    packed = open_packed(folder / PREPARED)
    counts = {name: int((packed.manifest.generators == name).sum()) for name in packed.manifest.class_names}
    least = min(counts, key=lambda name: counts[name])
    if counts[least] < _FEWEST:
        raise ManifestError(
            f"the class {least!r} has {counts[least]} images, and an experiment needs {_FEWEST} of each"
        )
    return packed


def identity_of(packed: Packed) -> str:
    """Return one hash of what the images are and of their pixels."""
    digest = hashlib.sha256()
    for start in range(0, len(packed.images), 256):
        digest.update(np.ascontiguousarray(packed.images[start : start + 256]).data)
    return manifest_hash([packed.manifest.digest(), digest.hexdigest()])


def _own_classes(path: Path) -> tuple[tuple[str, ...], int] | None:
    try:
        manifest = read_dataset(path, require_real=False)
    except ManifestError:
        return None
    names = manifest.class_names
    return (names, int((manifest.generators == REAL).sum())) if len(names) > 2 and names[0] == REAL else None


def _prepare_own(
    choice: ImageChoice, folder: Path, size: int, limit: int, seed: int, workers: int, on_progress: Report
) -> None:
    """Group what shows one picture, take so many of each class, and cut the middle out if that is asked for."""
    from spectell.workflows.reading.fingerprints import IsolatedFingerprints
    from spectell.workflows.reading.squares import IsolatedSquares

    manifest = read_dataset(choice.path)
    done = 0

    def count(number: int) -> None:
        nonlocal done
        done += number
        on_progress("comparing", done, len(manifest))

    read = IsolatedFingerprints()
    prints = fingerprint(manifest, with_facts=True, read=read, workers=workers, on_progress=count)
    side = _common_side(prints, choice)
    rng = np.random.default_rng((seed, 12))
    kept = [rng.permutation(np.flatnonzero(manifest.generators == name))[:limit] for name in manifest.class_names]
    chosen = merge_duplicates(manifest, prints).select(np.sort(np.concatenate(kept)))
    side = min(_OWN_SIDE, side)
    pack(chosen, folder / PREPARED, side if size else None, read=IsolatedSquares(), workers=workers)


def _common_side(prints: Fingerprints, choice: ImageChoice) -> int:
    sizes = sorted({(facts.height, facts.width) for facts in prints.facts if facts is not None})
    if len(sizes) != 1:
        shown = ", ".join(f"{height}x{width}" for height, width in sizes[:3]) or "none that can be read"
        raise ManifestError(
            f"all images of {choice.name!r} must have one size, or the size tells the classes apart; got {shown}; crop "
            "them alike: spectell dataset prepare"
        )
    return min(sizes[0])
