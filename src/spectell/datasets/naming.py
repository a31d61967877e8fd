"""What names of folders and files say: which folder is real, and which files show one picture."""

from __future__ import annotations

import re

from spectell.datasets.entries import REAL

__all__ = ["REAL_FOLDERS", "default_group", "path_below_class"]

REAL_FOLDERS = frozenset({REAL, "0_real"})
"""Names of sub-folders that hold photographs."""

_ROLE = re.compile(r"(?<=.)_(?:real|fake|rec)(?:_[AB])?$")
"""Endings by which translation scripts (CycleGAN and its kin) tell the versions of one picture apart."""


def default_group(source: str, path: str) -> str:
    """Name the picture that a file shows, as far as its name tells.

    The group is the file's path below its generator's folder, without suffix, within its source: ``real/x.jpg`` and
    ``gan/x.png`` of one source are one picture, as reconstructions and translations keep their original's name.
    Sub-folders count, because numbering often starts anew in each. The endings ``_real_A``, ``_fake_B``, ``_rec_A`` of
    translation scripts do not count. Files whose numbers agree by chance share a group, which costs nothing but a
    slightly coarser split; a pair that is missed would leak.

    Parameters
    ----------
    source : str
        The collection.
    path : str
        Path below the generator's folder, with forward slashes.

    Returns
    -------
    group : str
        ``source/path`` without suffix.

    Examples
    --------
    >>> default_group("faces", "0001.png"), default_group("fruit", "n7_fake_B.png")
    ('faces/0001', 'fruit/n7')
    """
    folder, _, name = path.rpartition("/")
    stem = name[: name.rfind(".")] if name.rfind(".") > 0 else name
    return "/".join(part for part in (source, folder, _ROLE.sub("", stem)) if part)


def path_below_class(path: str, generator: str) -> str:
    """Path without the folders that name its class, for `default_group`.

    Examples
    --------
    >>> path_below_class("faces/0_real/a.png", "real"), path_below_class("faces/gan/a.png", "gan")
    ('faces/a.png', 'faces/a.png')
    """
    folders = REAL_FOLDERS if generator == REAL else frozenset({generator})
    *parents, name = path.split("/")
    return "/".join([*(folder for folder in parents if folder not in folders), name])
