"""Features of every training view and of every picture under every condition: computed once, used by every refit."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recipes.default_model.baselines import baseline_features
from recipes.default_model.corpus import Picture
from recipes.default_model.history import CONDITIONS, draw_view, under_condition
from recipes.default_model.table import VIEW
from spectell.detectors.cooccurrence import CooccurrenceFeatures
from spectell.detectors.features import BlockFeatures
from spectell.detectors.stack import StackedFeatures

__all__ = ["front_end", "tabulate"]

VIEWS_WANTED = 3000
MIN_VIEWS, MAX_VIEWS = 4, 12
"""Views of a picture: enough that a source with few pictures gives about `VIEWS_WANTED`, within these bounds."""

JUDGED_UNDER_CONDITIONS = 120
"""Pictures of a source and a generator that are measured under every condition; all are measured clean."""

FULL_SIDE = 256
"""Smaller images get fewer blocks: at 128 pixels half as many, since decoding takes a tenth of a photograph's time."""


def front_end() -> StackedFeatures:
    """Return the front end of the default model: spectra at two block sizes, and co-occurrences of differences.

    The numbers of blocks are what a scan can afford: no more time than decoding the image takes.
    """
    return StackedFeatures(
        [
            BlockFeatures(size=32, max_blocks=56, colour=False, full_side=FULL_SIDE),
            BlockFeatures(size=16, max_blocks=36, colour=True, full_side=FULL_SIDE),
            CooccurrenceFeatures(size=32, max_windows=9, step=2, full_side=FULL_SIDE),
        ]
    )


def tabulate(pictures: Sequence[Picture], path: Path, seed: int, processes: int = 2) -> None:
    """Write the table of `pictures` to `path` (a folder) unless it is there already."""
    if (path / "rows.npz").exists():
        return
    path.mkdir(parents=True, exist_ok=True)
    tasks = list(_tasks(pictures, seed))
    columns: list[tuple[str, str, str, str, bool]] = []
    features: list[npt.NDArray[np.float16]] = []
    baseline: list[npt.NDArray[np.float32]] = []
    with Pool(processes) as pool:
        for done, rows in enumerate(pool.imap(_rows, tasks, 8)):
            picture = tasks[done][0]
            for condition, values, plain in rows:
                features.append(values)
                baseline.append(plain)
                columns.append((picture.source, picture.generator, picture.group, condition, picture.aligned))
            if done % 500 == 0:
                print(f"  features of {done} of {len(tasks)} pictures", flush=True)
    source, generator, group, condition, aligned = (np.array(column) for column in zip(*columns, strict=True))
    np.save(path / "features.npy", np.stack(features))
    np.savez(
        path / "rows.npz",
        baseline=np.stack(baseline),
        source=source,
        generator=generator,
        group=group,
        condition=condition,
        aligned=aligned,
    )


def _tasks(pictures: Sequence[Picture], seed: int) -> Iterator[tuple[Picture, int, bool, int]]:
    """Each picture with its number of views, whether it is judged under every condition, and its own seed."""
    counts = Counter((picture.source, picture.generator) for picture in pictures)
    seen: Counter[tuple[str, str]] = Counter()
    for number, picture in enumerate(pictures):
        cell = (picture.source, picture.generator)
        n_views = int(np.clip(VIEWS_WANTED // counts[cell], MIN_VIEWS, MAX_VIEWS))
        every = counts[cell] / JUDGED_UNDER_CONDITIONS
        judged = int(seen[cell] / every) != int((seen[cell] - 1) / every) or every <= 1
        seen[cell] += 1
        yield picture, n_views, judged, int.from_bytes(hashlib.blake2b(f"{seed}/{number}".encode()).digest()[:6])


def _rows(
    task: tuple[Picture, int, bool, int],
) -> list[tuple[str, npt.NDArray[np.float16], npt.NDArray[np.float32]]]:
    picture, n_views, judged, seed = task
    rng, pixels, encode = np.random.default_rng(seed), picture.pixels, front_end()
    views = [(VIEW, draw_view(pixels, rng)) for _ in range(n_views)]
    for condition in CONDITIONS if judged else ["clean"]:
        changed = under_condition(pixels, condition, rng)
        if changed is not None:
            views.append((condition, changed))
    return [(name, encode.row(view).astype(np.float16), baseline_features(view)) for name, view in views]
