"""What is chosen for the sets of a study: which one the others are compared with, and which count as lossless.

Sets are given as the entries of a study's metadata; what a person should know of a choice comes back as notes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from spectell.errors import MismatchError
from spectell.images import describe_path
from spectell.images.formats import LOSSY
from spectell.workflows.mean_spectra.files import ArrayFile

__all__ = ["choose_lossless", "choose_reference", "resolve"]

Entry = Mapping[str, Any]


def resolve(name: str, entries: Sequence[Entry], argument: str) -> str:
    """Find the set that somebody means.

    Parameters
    ----------
    name : str
        Of a set, of a generator or of a source that only one set has; as it lies on the disk, or as it is shown.
    entries : sequence of mapping
    argument : str
        Where the name was given.

    Raises
    ------
    MismatchError
        If none or several are called so.

    Examples
    --------
    >>> resolve("gan", [{"name": "a/gan", "source": "a", "generator": "gan"}], "reference")
    'a/gan'
    """
    shown = describe_path(name)
    for kind in ("name", "generator", "source"):
        found = [str(entry["name"]) for entry in entries if describe_path(str(entry[kind])) == shown]
        if len(found) == 1:
            return found[0]
    names = ", ".join(f"'{entry['name']}'" for entry in entries)
    raise MismatchError(f"{argument} must name one set, got '{shown}'; choose from {names}")


def choose_reference(entries: Sequence[Entry], named: str | None) -> tuple[str, list[str]]:
    """Choose the set that the others are compared with.

    Parameters
    ----------
    entries : sequence of mapping
        At least one of them has images.
    named : str, optional
        By default the only real set with images, else the first with images.

    Returns
    -------
    name : str
    notes : list of str
    """
    empty = [str(entry["name"]) for entry in entries if not entry["tally"]["n_images"]]
    if named is not None:
        chosen = resolve(named, entries, "reference")
        why = f"nothing can be compared with the reference {chosen}, which has no readable image; name another one"
        return chosen, [why] if chosen in empty and len(entries) > 1 else []
    chosen = _default_reference([entry for entry in entries if entry["name"] not in empty])
    if chosen == _default_reference(entries):
        return chosen, []
    without = f"{_listed(empty)} {'has' if len(empty) == 1 else 'have'} no readable image"
    return chosen, [f"the others are compared with {chosen}, as {without}"]


def _default_reference(entries: Sequence[Entry]) -> str:
    real = [entry["name"] for entry in entries if entry["generator"] == "real"]
    return str(real[0] if len(real) == 1 else entries[0]["name"])


def choose_lossless(
    entries: Sequence[Entry], named: Sequence[str], measured: Collection[str], added: Sequence[ArrayFile]
) -> tuple[list[str], list[str]]:
    """Choose the sets whose images count as never stored with loss.

    Parameters
    ----------
    entries : sequence of mapping
    named : sequence of str
        Sets that this run was told to be lossless, with all that is merged into them.
    measured : collection of str
        Names of the sets that this run has measured images of.
    added : sequence of ArrayFile
        Results that were merged, which say what they were told.

    Returns
    -------
    names : list of str
    notes : list of str
    """
    vouched = [resolve(name, entries, "lossless") for name in named]
    chosen, notes = [], []
    for entry in entries:
        name = str(entry["name"])
        said = [name in file.metadata["lossless"] for file in added if name in _names(file)]
        said += [False] if name in measured else []
        if name not in vouched and not all(said):
            if any(said):
                notes.append(f"{name}: no up-sampling factor is suggested, as only some of its parts are lossless")
        elif LOSSY & entry["tally"]["formats"].keys():
            notes.append(f"{name}: no up-sampling factor is suggested, as some of its files are lossy")
        else:
            chosen.append(name)
    return chosen, notes


def _names(file: ArrayFile) -> list[str]:
    return [entry["name"] for entry in file.metadata["sets"]]


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
