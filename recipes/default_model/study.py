"""Refits of the one recipe: how well it does on pictures, on sources and on generators that it never saw.

Three kinds. *In distribution*: three folds by group, so that every picture is scored once by a refit that saw others of
its kind. *Source left out*: every picture of a collection, photographs and fakes alike, is scored by a refit that
saw none of it. *Generator left out*: what a generator made, and photographs of held-back groups, are scored by a refit
that saw neither.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recipes.default_model.made import FACES, REBUILT, SAMPLED, SIDE
from recipes.default_model.network import fit_networks
from recipes.default_model.store import kept_array
from recipes.default_model.table import Fit, Rows, Scores, Table

__all__ = ["COMPARED_WITH", "FOLDS", "GENERATORS", "Study", "compared_rows", "fold_of", "network_fit", "run_study"]

FOLDS = 3

COMPARED_WITH = {
    "stylegan": ("faces256",),
    "stargan": ("celeba128",),
    "dcgan": ("cifar32",),
    "cyclegan": ("apple2orange256",),
    "stable-diffusion": ("photos", "cameras", "apple2orange256"),
    "taef2": (),
    "srgan": (),
    "simulated": (),
    REBUILT: (),
    **dict.fromkeys(SAMPLED, (FACES,)),
}
"""Whose photographs each generator is compared with; the empty ones with the very crops that they were made from."""

GENERATORS = tuple(COMPARED_WITH)


class Study:
    """Raw scores of the rows of a table under the three kinds of refit; NaN where a row was not scored."""

    def __init__(self, in_distribution: Scores, source_out: Scores, generator_out: dict[str, Scores]) -> None:
        self.in_distribution = in_distribution
        self.source_out = source_out
        self.generator_out = generator_out


def fold_of(group: str) -> int:
    """Fold of a group: a hash, so that it depends on nothing else."""
    return hashlib.blake2b(group.encode(), digest_size=4).digest()[0] % FOLDS


def network_fit(table: Table, seed: int) -> Fit:
    """Return the recipe itself, as `run_study` wants it."""

    def fit(rows: Rows) -> Callable[[Rows], Scores]:
        networks = fit_networks(table, rows, seed)
        return lambda asked: networks.decide(table.features[asked])

    return fit


def run_study(table: Table, fit: Fit, work: Path, name: str) -> Study:
    """Do every refit that is not in the work folder yet."""
    work.mkdir(parents=True, exist_ok=True)
    folds = np.array([fold_of(group) for group in table.group])
    every = np.arange(len(table))

    def scored(key: str, train: npt.NDArray[np.bool_], judge: npt.NDArray[np.bool_]) -> Scores:
        def make() -> Scores:
            print(f"  {name}: {key}, {train.sum()} rows in training, {judge.sum()} judged", flush=True)
            scores = np.full(len(table), np.nan)
            scores[judge] = fit(every[train])(every[judge])
            return scores

        return np.asarray(kept_array(work / f"{name}-{key.replace(' ', '-')}.npy", make), dtype=np.float64)

    in_distribution = np.full(len(table), np.nan)
    for fold in range(FOLDS):
        found = scored(f"fold {fold}", folds != fold, folds == fold)
        in_distribution[folds == fold] = found[folds == fold]
    source_out = np.full(len(table), np.nan)
    for source in np.unique(table.source):
        own = table.source == source
        source_out[own] = scored(f"without source {source}", ~own, own)[own]
    held_back = folds == 0
    generator_out = {}
    for generator in GENERATORS:
        own = table.generator == generator
        judged = held_back & (own | (table.labels == 0))
        generator_out[generator] = scored(f"without {generator}", ~held_back & ~own, judged)
    return Study(in_distribution, source_out, generator_out)


def _is_reduced_face(table: Table) -> npt.NDArray[np.bool_]:
    return (table.labels == 0) & table.aligned & (table.source == FACES) & (table.log_pixels < 2 * np.log(SIDE + 1))


def compared_rows(table: Table, generator: str, condition: str, scores: Scores) -> Rows:
    """Rows of a generator and of the photographs that it is compared with, scored, under one condition."""
    here = (table.condition == condition) & np.isfinite(scores)
    sources = COMPARED_WITH[generator]
    own = here & (table.generator == generator)
    if generator in SAMPLED:
        real = here & _is_reduced_face(table)
    elif sources:
        real = here & (table.labels == 0) & np.isin(table.source, sources) & ~table.aligned
    else:
        crops = here & (table.labels == 0) & table.aligned & ~_is_reduced_face(table)
        real = crops & np.isin(table.group, np.unique(table.group[own]))
    return np.flatnonzero(own | real)
