"""Samples of a trained generator as files, with a manifest. Importing this module imports torch.

Invariant: a folder holds one sample, of one generator with one seed. ``samples.csv`` says which and is written first,
so that a later run knows its own files from others'; the manifest is written last, when it is right.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from spectell.datasets import Entry, Manifest, write_manifest
from spectell.datasets.atomic import remove_parts, replacing
from spectell.datasets.places import contents, removing_empty_folders
from spectell.errors import MismatchError, ParameterError
from spectell.generators.trained import TrainedGenerator

__all__ = ["DETAILS_NAME", "write_samples"]

DETAILS_NAME = "samples.csv"
_MANIFEST_NAME = "manifest.csv"
_COLUMNS = ("path", "generator", "loss", "upsampling", "size", "steps", "training_seed", "seed", "index")
_AT_ONCE = 64


def write_samples(
    generator: TrainedGenerator,
    folder: str | os.PathLike[str],
    n: int,
    seed: int,
    *,
    on_progress: Callable[[int], object] | None = None,
) -> Manifest:
    """Write `n` images as PNG files with a manifest.

    Parameters
    ----------
    generator : TrainedGenerator
    folder : path
        New or empty, or one that holds as many or fewer images of the same sample, finished or not. Gets
        ``000000.png`` and so on; ``manifest.csv``, whose columns are those of every manifest; and ``samples.csv``,
        which says of each image the generator, its loss and up-sampling, the seed and the index.
    n : int > 0
    seed : int >= 0
    on_progress : callable, optional
        Called with the number of images written.

    Returns
    -------
    manifest : Manifest

    Raises
    ------
    ParameterError
        If `n` is not positive or `seed` negative, or `folder` holds something else or a longer sample.
    ManifestError
        If a file cannot be written.
    """
    if n < 1:
        raise ParameterError(f"n must be at least 1, got {n}")
    root = Path(folder)
    facts = _facts(generator)
    held = _held(root, facts, n, seed)
    with removing_empty_folders(root):
        if len(held) != n:  # more are listed than there are where a longer run was interrupted
            _write_details(root, facts, n, seed)
            (root / _MANIFEST_NAME).unlink(missing_ok=True)  # it would not name the images that are added
        remove_parts(root, {_name(index) for index in range(n)}.__contains__)
        manifest = Manifest(_write_images(generator, root, n, seed, on_progress), root)
        write_manifest(manifest, root / _MANIFEST_NAME)
    return manifest


def _write_images(
    generator: TrainedGenerator, root: Path, n: int, seed: int, on_progress: Callable[[int], object] | None
) -> list[Entry]:
    source = root.resolve().name
    entries: list[Entry] = []
    for start in range(0, n, _AT_ONCE):
        for index, pixels in enumerate(generator.images(seed, start, min(n, start + _AT_ONCE)), start):
            content = io.BytesIO()
            Image.fromarray(pixels).save(content, format="PNG")
            with replacing(root / _name(index)) as file:
                file.write(content.getvalue())
            digest = hashlib.sha256(content.getvalue()).hexdigest()
            group = f"{source}/{generator.name}/{seed}/{index}"
            entries.append(Entry(_name(index), 1, generator.name, source, group, sha256=digest))
        if on_progress is not None:
            on_progress(len(entries))
    return entries


def _name(index: int) -> str:
    return f"{index:06}.png"


def _facts(generator: TrainedGenerator) -> tuple[str, ...]:
    """Return what ``samples.csv`` says of a generator, in the order of its columns."""
    card, config = generator.card, generator.card["config"]
    size, seed = generator.phase.resolution, config["seed"]
    return tuple(map(str, (generator.name, config["loss"], config["upsampling"], size, card["step"], seed)))


def _held(root: Path, facts: tuple[str, ...], n: int, seed: int) -> list[str]:
    """List the images that a folder is said to hold; refuse all but the beginning of this very sample."""
    found = contents(root)
    if not found:
        return []
    remedy = "name a new folder"
    if DETAILS_NAME not in found:
        raise MismatchError(f"the folder {str(root)!r} is not empty and holds no samples ({DETAILS_NAME}); {remedy}")
    try:
        with (root / DETAILS_NAME).open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
    except (OSError, ValueError, csv.Error):
        header, rows = [], []
    if tuple(header) != _COLUMNS or rows != _rows(facts, len(rows), seed):
        raise MismatchError(f"the folder {str(root)!r} holds samples of another generator or seed; {remedy}")
    if any(row[0] in found for row in rows[n:]):
        raise MismatchError(f"n must be at least {len(rows)}, got {n}: {str(root)!r} holds a longer sample; {remedy}")
    held = [row[0] for row in rows]
    if foreign := sorted(found.intersection(map(_name, range(n))).difference(held)):
        raise MismatchError(f"the folder {str(root)!r} holds {foreign[0]!r}, which is none of its samples; {remedy}")
    return held


def _rows(facts: tuple[str, ...], n: int, seed: int) -> list[list[str]]:
    return [[_name(index), *facts, str(seed), str(index)] for index in range(n)]


def _write_details(root: Path, facts: tuple[str, ...], n: int, seed: int) -> None:
    with replacing(root / DETAILS_NAME) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(_rows(facts, n, seed))
        text.detach()
