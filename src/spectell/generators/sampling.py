"""Samples of a trained generator as files, with a manifest. Importing this module imports torch."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from spectell.datasets import Entry, Manifest, write_manifest
from spectell.datasets.atomic import replacing
from spectell.errors import ParameterError
from spectell.generators.trained import TrainedGenerator

__all__ = ["DETAILS_NAME", "write_samples"]

DETAILS_NAME = "samples.csv"
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
        Gets ``000000.png`` and so on; ``manifest.csv``, whose columns are those of every manifest; and ``samples.csv``,
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
        If `n` is not positive or `seed` negative.
    ManifestError
        If a file cannot be written.
    """
    if n < 1:
        raise ParameterError(f"n must be at least 1, got {n}")
    root = Path(folder)
    source = root.resolve().name
    entries = []
    for start in range(0, n, _AT_ONCE):
        for index, pixels in enumerate(generator.images(seed, start, min(n, start + _AT_ONCE)), start):
            content = io.BytesIO()
            Image.fromarray(pixels).save(content, format="PNG")
            name = f"{index:06}.png"
            with replacing(root / name) as file:
                file.write(content.getvalue())
            digest = hashlib.sha256(content.getvalue()).hexdigest()
            group = f"{source}/{generator.name}/{seed}/{index}"
            entries.append(Entry(name, 1, generator.name, source, group, sha256=digest))
        if on_progress is not None:
            on_progress(len(entries))
    manifest = Manifest(entries, root)
    write_manifest(manifest, root / "manifest.csv")
    _write_details(generator, manifest, seed)
    return manifest


def _write_details(generator: TrainedGenerator, manifest: Manifest, seed: int) -> None:
    card, config = generator.card, generator.card["config"]
    facts = (
        generator.name,
        config["loss"],
        config["upsampling"],
        generator.phase.resolution,
        card["step"],
        config["seed"],
    )
    with replacing(manifest.root / DETAILS_NAME) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows((entry.path, *facts, seed, index) for index, entry in enumerate(manifest))
        text.detach()
