"""Training, validation and test: who sees what.

Invariants: a group is never divided; a group's split depends on its name and the seed alone, so that images added later
move nothing that was there, unless one of them is a copy that joins two groups; files with the same bytes, and pictures
that look the same (`spectell.datasets.duplicates`), are one group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from spectell.datasets.columns import encode_text
from spectell.datasets.duplicates import FingerprintFiles, Fingerprints, connected, fingerprint, fingerprint_in_threads
from spectell.datasets.table import Manifest
from spectell.errors import ParameterError

__all__ = ["DEFAULT_FRACTIONS", "assign_splits", "merge_duplicates"]

DEFAULT_FRACTIONS: Mapping[str, float] = MappingProxyType({"train": 0.7, "validation": 0.15, "test": 0.15})
"""Expected share of the groups in each split."""


def assign_splits(
    manifest: Manifest,
    fractions: Mapping[str, float] | None = None,
    seed: int = 0,
    *,
    near_duplicates: bool = True,
    read: FingerprintFiles = fingerprint_in_threads,
    workers: int | None = None,
    on_progress: Callable[[int], object] | None = None,
) -> Manifest:
    """Assign every group of a data set to a split, by the hash of its name.

    Parameters
    ----------
    manifest : Manifest
        The images; splits that it has are replaced.
    fractions : mapping of str to float, optional
        Names of the splits and their expected shares, which sum to 1. The default is `DEFAULT_FRACTIONS`. Shares are
        met on average, not exactly: with n groups a share p varies by sqrt(p (1 - p) / n).
    seed : int
        Another seed gives another, independent assignment.
    near_duplicates : bool
        Whether to read every file first and merge the groups of duplicates. Without it nothing is read.
    read, workers, on_progress
        How files are read; see `spectell.datasets.duplicates.fingerprint`.

    Returns
    -------
    manifest : Manifest
        The same images with `split`, and, where files were read, merged `group` and `sha256`.

    Raises
    ------
    ParameterError
        If a fraction is negative, they do not sum to 1, or a name is empty.

    Examples
    --------
    >>> from spectell.datasets import Entry
    >>> pictures = [Entry(f"{made}/{n}.png", int(made == "gan"), made, "toy", f"toy/{n}")
    ...             for made in ("real", "gan") for n in range(1000)]
    >>> divided = assign_splits(Manifest(pictures, root="."), near_duplicates=False)
    >>> bool((divided.splits[:1000] == divided.splits[1000:]).all())
    True
    >>> bool(abs((divided.splits == "train").mean() - 0.7) < 0.05)
    True
    """
    fractions = DEFAULT_FRACTIONS if fractions is None else fractions
    _check_fractions(fractions)
    if near_duplicates:
        prints = fingerprint(manifest, read=read, workers=workers, on_progress=on_progress)
        manifest = merge_duplicates(manifest, prints)
    names = [name for name, share in fractions.items() if share > 0]
    bounds = np.cumsum([fractions[name] for name in names])
    places = np.array([_place(seed, group) for group in manifest.group_names])
    chosen = np.minimum(np.searchsorted(bounds, places, side="right"), len(names) - 1)  # the last bound may be 0.999…
    return manifest.with_values(splits=(names[index] for index in chosen.tolist()))


def merge_duplicates(manifest: Manifest, prints: Fingerprints) -> Manifest:
    """Give all images that show one picture one group.

    Parameters
    ----------
    manifest : Manifest
        The images.
    prints : Fingerprints
        Of the same images.

    Returns
    -------
    manifest : Manifest
        Groups that share a picture, directly or through others, carry that name of theirs which sorts first; the
        column `sha256` is filled. A note tells of files without a fingerprint.

    Examples
    --------
    >>> from spectell.datasets import Entry
    >>> toy = Manifest([Entry("b.png", 0, "real"), Entry("a.png", 0, "real"), Entry("c.png", 0, "real")], root=".")
    >>> same = Fingerprints(["1", "1", "2"], np.zeros((3, 8), np.uint16), np.zeros(3, bool))
    >>> list(merge_duplicates(toy, same).group_names)
    ['a.png', 'a.png', 'c.png']
    """
    groups = manifest.groups
    merged = connected(len(groups), groups[prints.duplicate_pairs()])[groups].tolist()
    names: dict[int, str] = {}
    for number, name in zip(merged, manifest.group_names, strict=True):
        names[number] = min(name, names.get(number, name))
    return manifest.with_values(
        groups=(names[number] for number in merged), sha256=prints.sha256, notes=prints.notes(manifest.paths)
    )


def _place(seed: int, group: str) -> float:
    """Map a group to [0, 1), evenly and for ever: part of the format of a split."""
    digest = hashlib.blake2b(b"%d\0%b" % (seed, encode_text(group)), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _check_fractions(fractions: Mapping[str, float]) -> None:
    given = ", ".join(f"{name}={share:g}" for name, share in fractions.items())
    if not all(fractions) or not all(share >= 0 for share in fractions.values()):
        raise ParameterError(f"fractions must be named and not negative, got {given}")
    if abs(sum(fractions.values()) - 1) > 1e-6:
        raise ParameterError(f"fractions must sum to 1, got {given}, which sum to {sum(fractions.values()):g}")
