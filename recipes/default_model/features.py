"""Features of every training view and of every picture under every condition: computed once, used by every refit."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recipes.default_model.corpus import Picture
from recipes.default_model.history import CONDITIONS, draw_view, under_condition
from spectell.detectors.cooccurrence import CooccurrenceFeatures
from spectell.detectors.features import BlockFeatures
from spectell.detectors.stack import StackedFeatures

__all__ = ["Table", "front_end", "load_table", "tabulate"]

VIEW = "view"
VIEWS_WANTED = 3000
MIN_VIEWS, MAX_VIEWS = 4, 12
"""Views of a picture: enough that a source with few pictures gives about `VIEWS_WANTED`, within these bounds."""

JUDGED_UNDER_CONDITIONS = 120
"""Pictures of a source and a generator that are measured under every condition; all are measured clean."""

SIDE_FEATURES = 3
"""Height, width and last JPEG quality of a view, for the classifier that sees file facts only."""


def front_end() -> StackedFeatures:
    """Return the front end of the default model: spectra at two block sizes, and co-occurrences of differences.

    The numbers of blocks are what a scan can afford: half of the time that decoding a photograph takes.
    """
    return StackedFeatures(
        [
            BlockFeatures(size=32, max_blocks=72, colour=False),
            BlockFeatures(size=16, max_blocks=40, colour=True),
            CooccurrenceFeatures(size=32, max_windows=10, step=2),
        ]
    )


@dataclass(frozen=True)
class Table:
    """Rows of features and what each is a row of."""

    features: npt.NDArray[np.float16]
    baseline: npt.NDArray[np.float32]
    """Features of the three baselines side by side; see `recipes.default_model.baselines`."""
    source: npt.NDArray[np.str_]
    generator: npt.NDArray[np.str_]
    group: npt.NDArray[np.str_]
    condition: npt.NDArray[np.str_]
    """`view` for training views, else the name of the condition."""
    aligned: npt.NDArray[np.bool_]

    @property
    def labels(self) -> npt.NDArray[np.int8]:
        """0 real, 1 generated."""
        return (self.generator != "real").astype(np.int8)

    def __len__(self) -> int:
        return len(self.source)


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


def load_table(paths: Sequence[Path]) -> Table:
    """Read tables and put them below one another."""
    rows = [dict(np.load(path / "rows.npz")) for path in paths]
    features = np.concatenate([np.load(path / "features.npy") for path in paths])
    return Table(features, **{name: np.concatenate([row[name] for row in rows]) for name in rows[0]})


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
    from recipes.default_model.baselines import baseline_features

    picture, n_views, judged, seed = task
    rng, pixels, encode = np.random.default_rng(seed), picture.pixels, front_end()
    views = [(VIEW, draw_view(pixels, rng)) for _ in range(n_views)]
    for condition in CONDITIONS if judged else ["clean"]:
        changed = under_condition(pixels, condition, rng)
        if changed is not None:
            views.append((condition, changed))
    return [(name, encode.row(view).astype(np.float16), baseline_features(view)) for name, view in views]
