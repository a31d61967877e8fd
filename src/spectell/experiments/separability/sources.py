"""What is compared with what, and its images brought to one size without resizing.

Each generator is compared with the real images of its own source, as many of each class. The images are read once:
copies become one group, images of one size are packed, and the audit says what else than a trace tells the classes
apart.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.datasets import REAL, Manifest, read_dataset
from spectell.datasets.packed import pack
from spectell.errors import ManifestError
from spectell.experiments.cells import write_json
from spectell.experiments.registry import OnProgress
from spectell.experiments.separability.cells import Comparison, SeparabilityScale
from spectell.experiments.separability.window import Size, Window, choose_window
from spectell.experiments.sources import Source, find_sources

__all__ = ["FEWEST", "PREPARED", "list_comparisons", "prepare", "read_prepared"]

PREPARED = "prepared"
"""Folder of the packed images of every comparison."""
FEWEST = 20
"""Images of a class with which detectors can be trained and judged at all."""
HISTORY = ("format", "JPEG quality", "JPEG subsampling", "JPEG grid", "JPEG quality in pixels")
"""Things of the audit that are the history of files, and that saving both classes alike makes equal."""

_FACTS = "prepared.json"


def list_comparisons(data: str | os.PathLike[str], limit: int) -> tuple[list[Comparison], list[str]]:
    """List what can be compared, from the names of files alone.

    Parameters
    ----------
    data : path
        A data set, or a folder of several.
    limit : int
        Images of a class, at most.

    Returns
    -------
    comparisons : list of Comparison
    notes : list of str
        What is passed over, a line each.

    Raises
    ------
    ManifestError
        If there is nothing to compare.
    """
    sources, notes = find_sources(data)
    found: list[Comparison] = []
    for source in sources:
        listed, said = _of_source(source, limit, {comparison.name for comparison in found})
        found += listed
        notes += said
    if not found:
        raise ManifestError(
            f"no data set in {os.fspath(data)!r} has {FEWEST} real images and as many of a generator; expected folders "
            "such as faces/real and faces/stylegan"
        )
    return found, notes


def _of_source(source: Source, limit: int, taken: set[str]) -> tuple[list[Comparison], list[str]]:
    try:
        manifest = read_dataset(source.path, require_real=False)
    except ManifestError:
        return [], [f"{source.name}: images without folders that say what made them"]
    generators = [name for name in manifest.class_names if name != REAL]
    if REAL not in manifest.class_names or not generators:
        kind = "real images" if not generators else "generated images"
        return [], [f"{source.name}: {kind} only, nothing to compare with"]
    found, notes = [], list(manifest.notes)
    for generator in generators:
        chosen = _chosen(manifest, generator, limit)
        images = int((chosen.labels == 0).sum())
        if images < FEWEST:
            notes.append(f"{source.name}: {generator}: {images} images a class, fewer than {FEWEST}")
            continue
        name = _file_name(f"{source.name}-{generator}", taken)
        taken.add(name)
        found.append(Comparison(name, source.name, generator, str(source.path.absolute()), images, chosen.digest()))
    return found, notes


def _chosen(manifest: Manifest, generator: str, limit: int) -> Manifest:
    """As many of each class, by the hash of their groups: images of one group are chosen together."""
    order = np.argsort(manifest.group_hashes, kind="stable")
    kinds = manifest.generators[order]
    classes = [order[kinds == name] for name in (REAL, generator)]
    number = min(limit, *map(len, classes))
    return manifest.select(np.sort(np.concatenate([rows[:number] for rows in classes])))


def _file_name(text: str, taken: set[str]) -> str:
    stem = re.sub(r"[^A-Za-z0-9_.+-]+", "-", text).strip("-.+_") or "source"
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def prepare(
    comparison: Comparison, folder: Path, scale: SeparabilityScale, *, workers: int, on_progress: OnProgress
) -> dict[str, Any]:
    """Read the images of a comparison, pack them, and look for leaks; what is done already is read.

    Parameters
    ----------
    comparison : Comparison
    folder : Path
        Of the study.
    scale : SeparabilityScale
    workers : int
        Processes, and threads for what they have read without harm.
    on_progress : callable
        Called with the name of a stage, images done, and their number.

    Returns
    -------
    facts : dict
        ``side``, ``window``, ``images`` (of each class), ``groups``, ``copies`` (images beyond the first of a group
        within a class), ``histories_differ``, ``audit`` and ``notes``.

    Raises
    ------
    ManifestError
        If too few images are left.
    """
    from spectell.datasets.duplicates import fingerprint
    from spectell.datasets.splits import merge_duplicates
    from spectell.workflows.reading.fingerprints import IsolatedFingerprints
    from spectell.workflows.reading.image_passes import counted
    from spectell.workflows.reading.squares import IsolatedSquares

    place = folder / PREPARED / comparison.name
    if (known := read_prepared(folder, comparison)) is not None:
        return known
    manifest = read_dataset(comparison.path, require_real=False)
    chosen = _chosen(manifest, comparison.generator, scale.images)
    report = counted(on_progress, f"{comparison.title}: reading", len(chosen))
    read = IsolatedFingerprints()
    prints = fingerprint(chosen, with_facts=True, read=read, workers=workers, on_progress=report)
    merged = merge_duplicates(chosen, prints)
    sizes = [None if facts is None else (facts.height, facts.width) for facts in prints.facts]
    window, kept = _windowed(comparison, merged, sizes, scale.side)
    audit = _audit(kept, scale.audited, workers, comparison, on_progress)
    report = counted(on_progress, f"{comparison.title}: packing", len(kept))
    pack(kept, place, window.side, read=IsolatedSquares(), workers=workers, on_progress=report)
    images = int((kept.labels == 0).sum())
    facts = {
        "side": window.side,
        "window": window.text,
        "images": images,
        "groups": len(np.unique(kept.groups)),
        "digest": kept.digest(),
        "notes": _left_out(comparison, len(chosen), 2 * images),
        **audit,
    }
    write_json(place / _FACTS, facts)
    return facts


def read_prepared(folder: Path, comparison: Comparison) -> dict[str, Any] | None:
    """Read what `prepare` found, or None if it has not been done."""
    try:
        found = json.loads((folder / PREPARED / comparison.name / _FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _windowed(
    comparison: Comparison, manifest: Manifest, sizes: Sequence[Size | None], largest: int
) -> tuple[Window, Manifest]:
    """Choose the part that is looked at, and as many images of each class that have it."""
    labels = manifest.labels
    classes = [
        [size for size, own in zip(sizes, labels == label, strict=True) if own and size is not None] for label in (0, 1)
    ]
    if min(map(len, classes)) < FEWEST:
        raise ManifestError(f"{comparison.title}: fewer than {FEWEST} images of a class can be read")
    window = choose_window(classes[0], classes[1], largest)
    fits: npt.NDArray[np.bool_] = np.array([size is not None and window.takes(size) for size in sizes])
    kept = manifest.select(fits)
    kept = _chosen(kept, comparison.generator, len(kept))
    if (kept.labels == 0).sum() < FEWEST or window.side < 8:
        raise ManifestError(f"{comparison.title}: fewer than {FEWEST} images of a class have a size in common")
    return window, kept


def _left_out(comparison: Comparison, listed: int, kept: int) -> list[str]:
    if kept == listed:
        return []
    return [
        f"{comparison.title}: {listed - kept:,} of {listed:,} images, unreadable, of other sizes, or beyond balance"
    ]


def _audit(
    manifest: Manifest, limit: int, workers: int, comparison: Comparison, on_progress: OnProgress
) -> dict[str, Any]:
    from spectell.workflows.audit import LEAK_AUC, audit_manifest
    from spectell.workflows.reading.image_passes import counted

    total = sum(min(limit, int((manifest.labels == label).sum())) for label in (0, 1))
    report = counted(on_progress, f"{comparison.title}: looking for leaks", 2 * total)
    found = audit_manifest(manifest, limit=limit, pixels=True, workers=workers, on_progress=report)
    (compared,) = found.comparisons
    told = {**compared.by_fact, **compared.by_trace}
    differ = [name for name in HISTORY if (auc := told.get(name)) is not None and auc.low > LEAK_AUC]
    return {
        "histories_differ": differ,
        "audit": {
            "examined": found.examined,
            "facts": None if compared.auc is None else compared.auc.as_dict(),
            "thumbnails": None if compared.thumbnails is None else compared.thumbnails.as_dict(),
            "leaks": [{"what": leak.what, "evidence": leak.evidence, "remedy": leak.remedy} for leak in found.leaks],
            "near_copies": found.duplicates.near,
        },
    }
