"""Spectra of sets of images, in one pass: means, spread, profiles, peaks, and how the sets differ.

Only one set is in memory at a time; what is finished lies on the disk, where an interrupted run finds it again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from spectell.datasets.atomic import replacing
from spectell.datasets.places import require_apart
from spectell.errors import ImageError, ParameterError
from spectell.transforms.scaling import LOG_OFFSET
from spectell.workflows.mean_spectra.batch import BLOCK_SIZE, MAX_BLOCKS, MAX_TILES, TILE_SIZES, Measuring
from spectell.workflows.mean_spectra.choices import choose_lossless, choose_reference, resolve
from spectell.workflows.mean_spectra.compare import Measured, compare_sets
from spectell.workflows.mean_spectra.drawn import remove_drawn, write_summary
from spectell.workflows.mean_spectra.files import (
    FORMAT_VERSION,
    ArrayFile,
    open_result,
    sums_arrays,
    write_arrays,
)
from spectell.workflows.mean_spectra.left_out import left_out
from spectell.workflows.mean_spectra.merging import merge_results, merged_parts, read_sums
from spectell.workflows.mean_spectra.one_pass import FULL_PIXELS, FULL_SIZES, WORKER_BYTES, OnProgress, measure_set
from spectell.workflows.mean_spectra.sets import DETAILED_IMAGES, ImageFiles, list_sets
from spectell.workflows.mean_spectra.study import SpectrumStudy
from spectell.workflows.mean_spectra.summary import ARRAYS, load_study, study_as_dict
from spectell.workflows.mean_spectra.working import WORK, clear, working_in
from spectell.workflows.reading.walk import PathLike, as_paths
from spectell.workflows.workers.pool import Crew, available_cores

__all__ = ["load_study", "spectrum", "study_as_dict"]


def spectrum(
    datasets: PathLike | Iterable[PathLike] = (),
    output: str | os.PathLike[str] = "spectrum",
    *,
    merge: Sequence[str | os.PathLike[str]] = (),
    reference: str | None = None,
    real: str | None = None,
    lossless: Sequence[str] = (),
    limit: int | None = None,
    seed: int = 0,
    workers: int | None = None,
    on_progress: OnProgress = lambda *_: None,
) -> SpectrumStudy:
    """Measure the spectra of sets of images and how they differ.

    Parameters
    ----------
    datasets : path or iterable of path
        Folders with a sub-folder per generator, folders of such folders, plain folders of images, or manifests. Every
        pair of a source and a generator is a set, called ``source/generator``.
    output : path
        Folder for ``spectra.npz`` and ``spectra.json``, each written whole or not at all and in the place of an older
        one, whose figures and page are removed. Work that was interrupted is gone on with there, if files and settings
        are the same.
    merge : sequence of path
        ``spectra.npz`` of other runs, whose images are added: to the set of the same name, or as sets of their own.
    reference : str, optional
        What the others are compared with: the name of a set, of a generator or of a source that only one set has. By
        default the real images if there is exactly one such set, else the first set; of those with a readable image.
    real : str, optional
        Name of the sub-folders that are real, instead of ``real`` and ``0_real``.
    lossless : sequence of str
        Sets, named as for `reference`, that are known never to have been stored with loss or resized. Only their peaks
        are said to suggest an up-sampling factor. A set with JPEG, AVIF or HEIF files is not believed to be one. What
        was merged counts if all its parts were said to be lossless.
    limit : int >= 1, optional
        Images a set at most, chosen at random.
    seed : int >= 0
        Of that choice, and of the 512 images that take part in block, tile and radial spectra.
    workers : int >= 1, optional
        Processes; all cores by default. The result does not depend on it.
    on_progress : callable
        Called with the name of a set, files done, and their number.

    Returns
    -------
    study : SpectrumStudy
        Reads its arrays from `output` when they are asked for. Its notes also say whether this run went on with
        unfinished work.

    Raises
    ------
    MismatchError
        If a name is not that of one set, `output` lies in a data set, cannot be made or is in use by another run, or a
        result is merged twice.
    ParameterError
        If there is nothing to measure, a number is outside its domain, or there is a limit but no data set.
    ManifestError
        If a data set cannot be read, or the results cannot be written.
    ImageError
        If not one image can be read.
    ArtifactError
        If a file to be merged is not what a study wrote.

    Notes
    -----
    Where processes cannot be forked (macOS, Windows, a program with threads or with torch loaded) a script must call
    this below ``if __name__ == "__main__":``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, value in (("real/a", 10), ("real/b", 30), ("gan/a", 90)):
    ...         Path(folder, "in", name).parent.mkdir(parents=True, exist_ok=True)
    ...         _ = Path(folder, "in", f"{name}.ppm").write_bytes(b"P6 2 2 255 " + bytes([value] * 12))
    ...     study = spectrum(f"{folder}/in", f"{folder}/out", workers=1)
    ...     study.reference, study["in/real"].full[0].signed["red"].mean.round(3).tolist()
    ('in/real', [[40.0, 0.0], [0.0, 0.0]])
    """
    workers = _checked(limit, seed, available_cores() if workers is None else workers)
    folder = Path(output)
    named: list[Any] = list(as_paths(datasets))
    course: list[str] = []  # of this run; what it leaves is the same whether it was interrupted or not
    with ExitStack() as stack:  # the working folder is kept until workers have ended and results are written
        with Crew(Measuring(str(folder / WORK)), workers=workers, memory=WORKER_BYTES) as crew:
            for each in named:
                require_apart(each, output)
            sets, notes = list_sets(named, real=real, limit=limit, seed=seed)
            added = [open_result(path) for path in merge]
            if not sets and not added:
                raise ParameterError(
                    "datasets must name at least one data set, or merge a result to add; both are empty"
                )
            if limit is not None and not sets:
                raise ParameterError(
                    f"limit chooses among the images of data sets, and none is named, got {limit}; give it to the runs "
                    "that are merged"
                )
            _check_names(sets, added, reference, lossless)
            work = stack.enter_context(working_in(folder))
            settings = _settings(limit if sets else None, seed if sets else None)
            import scipy.fft  # noqa: F401 - so that forked workers have it already

            for number, files in enumerate(sets):
                course += _measured(files, work / f"set{number:03}.npz", settings, crew, on_progress)
        finished, twice = merge_results(work, len(sets), added)
        entries = _entries(finished)
        chosen = _chosen(entries, [files.name for files in sets], added, reference, lossless)
        parts, said = merged_parts(added, settings)
        about = {"format": FORMAT_VERSION, "settings": settings, "merged": parts, "overlaps": twice, "sets": entries}
        _write(folder, finished, about | chosen | {"notes": [*notes, *said, *twice, *chosen["notes"]]})
        remove_drawn(folder)  # while the old summary still lists it
        study = load_study(folder)
        write_summary(folder, study_as_dict(study))
        clear(work)
    return replace(study, notes=(*study.notes, *course))


def _checked(limit: int | None, seed: int, workers: int) -> int:
    for name, value, least in (("limit", limit, 1), ("seed", seed, 0), ("workers", workers, 1)):
        if value is not None and value < least:
            raise ParameterError(f"{name} must be at least {least}, got {value}")
    return workers


def _check_names(
    sets: Sequence[ImageFiles], added: Sequence[ArrayFile], reference: str | None, lossless: Sequence[str]
) -> None:
    """Complain about an unknown name before the work, not after it."""
    known = {each.name: {"name": each.name, "source": each.source, "generator": each.generator} for each in sets}
    for file in added:
        known |= {entry["name"]: entry for entry in file.metadata["sets"]}
    for name in [*([reference] if reference is not None else []), *lossless]:
        resolve(name, list(known.values()), "lossless" if name in lossless else "reference")


def _settings(limit: int | None, seed: int | None) -> dict[str, Any]:
    """Everything that decides the numbers; nothing was chosen by limit and seed where they are None."""
    return {
        "limit": limit,
        "seed": seed,
        "detailed_images": DETAILED_IMAGES,
        "full_pixels": FULL_PIXELS,
        "full_sizes": FULL_SIZES,
        "log_offset": LOG_OFFSET,
        "block_size": BLOCK_SIZE,
        "max_blocks": MAX_BLOCKS,
        "tile_sizes": list(TILE_SIZES),
        "max_tiles": MAX_TILES,
    }


def _measured(
    files: ImageFiles, path: Path, settings: dict[str, Any], crew: Crew, on_progress: OnProgress
) -> list[str]:
    """Measure a set; return what is to be said about it."""
    identity = files.identity(json.dumps([FORMAT_VERSION, settings, files.name]))
    existed = path.exists()
    resumed = measure_set(files, path, crew, identity=identity, on_progress=on_progress)
    if existed and not resumed:
        return [f"{files.name}: unfinished work was of other files or settings, and was begun anew"]
    return [f"{files.name}: went on with unfinished work"] if resumed else []


def _entries(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Return what the metadata of a study says of each set."""
    entries = [dict(ArrayFile(path).metadata["set"]) for path in paths]
    for entry in entries:
        entry["name"] = f"{entry['source']}/{entry['generator']}"
    _require_images(entries)
    return entries


def _require_images(entries: Sequence[dict[str, Any]]) -> None:
    tallies = [entry["tally"] for entry in entries]
    if not any(tally["n_images"] for tally in tallies):
        reason = next((line for tally in tallies for line in tally["unreadable"]), "there are none")
        raise ImageError(f"none of {sum(tally['n_files'] for tally in tallies)} files can be read; the first: {reason}")


def _chosen(
    entries: Sequence[dict[str, Any]],
    measured: Sequence[str],
    added: Sequence[ArrayFile],
    reference: str | None,
    lossless: Sequence[str],
) -> dict[str, Any]:
    base, about_base = choose_reference(entries, reference)
    believed, about_loss = choose_lossless(entries, lossless, measured, added)
    about_sets = [note for entry in entries for note in left_out(entry)]
    return {"reference": base, "lossless": believed, "notes": [*about_base, *about_sets, *about_loss]}


def _write(folder: Path, paths: Sequence[Path], metadata: dict[str, Any]) -> None:
    entries, files = metadata["sets"], [ArrayFile(path) for path in paths]
    metadata["comparisons"] = []
    measured = [
        Measured(entry["name"], entry["counts"], file, "set") for entry, file in zip(entries, files, strict=True)
    ]

    def arrays() -> Iterator[tuple[str, npt.NDArray[Any]]]:
        for path, entry in zip(paths, entries, strict=True):
            yield from sums_arrays(read_sums(path), entry["name"])
        base = next(each for each in measured if each.name == metadata["reference"])
        for each in measured:
            for facts, compared in compare_sets(each, base) if each is not base else ():
                metadata["comparisons"].append(facts)
                for name, array in compared.items():
                    yield f"{facts['key']}/{name}", array

    with replacing(folder / ARRAYS) as file:
        write_arrays(file, arrays(), metadata)
