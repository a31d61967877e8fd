"""Results of other runs, added to those of this one.

A set is in memory by itself; what is merged lies in the working folder under a name of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from spectell.errors import MismatchError
from spectell.images import describe_path
from spectell.workflows.mean_spectra.files import ArrayFile, Progress, load_progress, load_sums, save_progress
from spectell.workflows.mean_spectra.sums import SetSums

__all__ = ["merge_results", "merged_parts", "read_sums"]


def merge_results(work: Path, n_sets: int, added: Sequence[ArrayFile]) -> tuple[list[Path], list[str]]:
    """Add the sets of other runs to those in the working folder.

    Parameters
    ----------
    work : Path
        Where ``set000.npz`` and so on lie, and results go.
    n_sets : int
        How many of them there are.
    added : sequence of ArrayFile

    Returns
    -------
    paths : list of Path
        The files of all sets, in order.
    notes : list of str
        About images that are in several of the results, or of those that had been merged into them.

    Raises
    ------
    MismatchError
        If the same files are in two of the results.
    """
    notes = [note for file in added for note in file.metadata.get("overlaps", [])]
    paths = [work / f"set{number:03}.npz" for number in range(n_sets)]
    names = {read_sums(path).name: path for path in paths} if added else {}
    for file in added:
        for entry in file.metadata["sets"]:
            sums = load_sums(file, entry, entry["name"])
            path = names.get(sums.name)
            total = sums if path is None else read_sums(path)
            if path is None:
                path = names[sums.name] = work / f"merged{len(paths):03}.npz"
                paths.append(path)
            else:
                if share := total.sketch.share_of(sums.sketch):
                    notes.append(_twice(sums.name, share, file))
                total.merge(sums)
                path = names[sums.name]
            # Under a name of its own, so that interrupted work never goes on with what was merged already.
            target = path if path.stem.startswith("merged") else path.with_stem(f"merged-{path.stem}")
            save_progress(target, Progress(total, 0), "")
            paths[paths.index(path)] = names[sums.name] = target
    return paths, notes


def read_sums(path: Path) -> SetSums:
    """Read the sums of a set from the working folder.

    Raises
    ------
    MismatchError
        If somebody has taken them away.
    """
    progress = load_progress(path, None)
    if progress is None:
        raise MismatchError(f"{path} vanished while it was needed; run one spectrum at a time in a folder")
    return progress.sums


def merged_parts(added: Sequence[ArrayFile], settings: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """Say of merged results how they were measured, each with those that had been merged into it.

    Parameters
    ----------
    added : sequence of ArrayFile
    settings : mapping
        Of this run, which they do not share.

    Returns
    -------
    parts : list of dict
        Ready for JSON.
    notes : list of str
        Of those that had other limits or seeds, if there are limits at all.
    """
    parts = [_part(describe_path(file.path), file.metadata) for file in added]
    notes = []
    for part in _measuring(parts):
        limit, seed = part["settings"].get("limit"), part["settings"].get("seed")
        limited = limit is not None or settings["limit"] is not None
        if limited and (limit, seed) != (settings["limit"], settings["seed"]):
            chosen = "without a limit" if limit is None else f"with the limit {limit:,}, seed {seed}"
            notes.append(f"what {part['file']} measured was chosen {chosen}")
    return parts, notes


def _measuring(parts: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield those of the parts, and of what was merged into them, that measured images themselves."""
    for part in parts:
        if part["settings"].get("seed") is not None:
            yield part
        yield from _measuring(part["merged"])


def _twice(name: str, share: float, file: ArrayFile) -> str:
    about = "all" if share == 1.0 else f"about {share:.1%}".replace("%", " %")
    twice = "seem to be in another of the results too, and count twice"
    return f"{name}: {about} of the images of {describe_path(file.path)} {twice}"


def _part(file: str, metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "file": file,
        "sets": [entry["name"] for entry in metadata["sets"]],
        "settings": metadata["settings"],
        "lossless": metadata["lossless"],
        "merged": metadata.get("merged", []),
    }
