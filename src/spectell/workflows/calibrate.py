"""Set a model's thresholds on somebody's own photographs.

A picture counts once, however many copies of it there are: the first of its files stands for it. The pictures are
divided in two halves. The thresholds come from the first half alone, and the false-positive rates are then measured on
the second, which had no part in them: that is what the report states, with exact intervals, and the model that is
written keeps those very thresholds. (Thresholds from all photographs would be a little steadier, but nothing could then
be said about their rate that was not assumed.)

A rate whose interval lies above what is promised is said to. An unlucky half does that to one in six calibrations on
600 photographs. Where the promise is refuted (`spectell.workflows.promised_rates`) no model is written unless that is
asked for: whoever scanned with it would be promised what is known to be wrong.

The scale of the score is left as it was: photographs alone cannot calibrate odds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.datasets import REAL, Entry, Manifest
from spectell.detectors import Model, load_model, save_model
from spectell.detectors.card import RateCard, ThresholdCard
from spectell.errors import ManifestError, MismatchError
from spectell.evaluation.thresholds import DEFAULT_FPR, MIN_EXCEEDANCES, MIN_REAL, Thresholds
from spectell.images import DEFAULT_MAX_PIXELS
from spectell.workflows.evaluate import ScoredImages, score_images
from spectell.workflows.promised_rates import (
    measured_rates,
    needed_photographs,
    rates_above,
    refuted_rates,
    threshold_table,
)
from spectell.workflows.reading.image_files import FileReader, Skipped
from spectell.workflows.reading.image_passes import Progress, quiet
from spectell.workflows.reading.limits import DEFAULT_TIMEOUT
from spectell.workflows.reading.walk import Unreadable, walk

__all__ = ["CalibrationResult", "calibrate"]

StrPath = str | os.PathLike[str]

_USUAL = (DEFAULT_FPR, 0.05)


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """What a calibration did and found.

    Parameters
    ----------
    model : Model
        With the new thresholds.
    n_first, n_second : int
        Pictures that set the thresholds, and pictures that checked them.
    rates : tuple of RateCard
        Measured on the second half, for each supported rate.
    before : tuple of RateCard
        All pictures at the thresholds that the model had.
    supported : tuple of float
        Lowest and highest false-positive rate that the first half supports.
    skipped : tuple of Skipped
        Photographs without a score.
    notes : tuple of str
        What a reader must know.
    n_copies : int
        Files that show a picture which another one stands for; they count nowhere.
    refuted : tuple of RateCard
        Those of `rates` that are higher than chance explains.
    written : bool
        Whether the model was written.
    """

    model: Model
    n_first: int
    n_second: int
    rates: tuple[RateCard, ...]
    before: tuple[RateCard, ...]
    supported: tuple[float, float]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]
    n_copies: int = 0
    refuted: tuple[RateCard, ...] = ()
    written: bool = False

    @property
    def above(self) -> tuple[RateCard, ...]:
        """The rates whose interval lies above what is promised, refuted or not."""
        return rates_above(self.rates)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON has it."""
        return {
            "model": self.model.name,
            "n_first": self.n_first,
            "n_second": self.n_second,
            "n_copies": self.n_copies,
            "rates": [rate.as_json() for rate in self.rates],
            "above": [rate.fpr for rate in self.above],
            "refuted": [rate.fpr for rate in self.refuted],
            "written": self.written,
            "before": [rate.as_json() for rate in self.before],
            "supported": list(self.supported),
            "thresholds": self.model.card.thresholds.table,
            "skipped": [{"path": image.path, "reason": image.reason} for image in self.skipped],
            "notes": list(self.notes),
        }


def calibrate(
    model: Model | StrPath | None,
    photographs: StrPath,
    output: StrPath | None = None,
    *,
    seed: int = 0,
    force: bool = False,
    workers: int | None = None,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    timeout: float = DEFAULT_TIMEOUT,
    on_progress: Progress = quiet,
) -> CalibrationResult:
    """Set the thresholds of a model on real photographs.

    Parameters
    ----------
    model : Model or path, or None for the bundled one
    photographs : path
        A folder, walked as a scan walks it; every image in it is taken to be a photograph.
    output : path, optional
        Where the model goes, unless a rate is refuted.
    seed : int
        Of the division into halves.
    force : bool
        Write the model even so.
    workers : int, optional
        Processes; one a core by default.
    max_pixels, timeout
        Files with more pixels, or that take longer to read and score, have no score; see `spectell.workflows.scan`.
    on_progress : callable
        Called with a stage, the images done and their number.

    Returns
    -------
    result : CalibrationResult

    Raises
    ------
    ArtifactError
        If the model cannot be loaded or written.
    ManifestError
        If the folder holds no photograph that can be scored.
    MismatchError
        If there are too few different photographs for any false-positive rate.
    ParameterError
        If a limit is outside its domain.

    Notes
    -----
    Where processes cannot be forked (macOS, Windows, a program with threads or with torch loaded) a script must call
    this below ``if __name__ == "__main__":``.
    """
    read = FileReader(max_pixels, timeout)
    loaded = model if isinstance(model, Model) else load_model(model)
    manifest, unlisted = _photographs(Path(photographs))
    scored = score_images(loaded, manifest, read=read, group_copies=True, workers=workers, on_progress=on_progress)
    pictures = scored.select(_one_a_group(scored.manifest))
    n_copies = len(scored.scores) - len(pictures.scores)
    first = _first_half(pictures.manifest, seed)
    thresholds = _thresholds(pictures.scores[first], loaded, n_copies)
    whose = f"{int(first.sum())} photographs of the user's in {Path(photographs).absolute().name!r}"
    second = f"{int((~first).sum())} other photographs of the same folder"
    rates = measured_rates(thresholds, pictures.scores[~first], second)
    calibrated = loaded.replaced(
        card=dataclasses.replace(loaded.card, thresholds=_threshold_card(loaded, thresholds, whose, rates)),
        real_scores=thresholds.real_scores,
        training_hashes=np.union1d(loaded.training_hashes, scored.hashes),
    )
    skipped = (*unlisted, *scored.skipped)
    result = CalibrationResult(
        model=calibrated,
        n_first=int(first.sum()),
        n_second=int((~first).sum()),
        rates=rates,
        before=measured_rates(loaded.thresholds, pictures.scores, "all photographs of the folder"),
        supported=thresholds.supported,
        skipped=skipped,
        notes=tuple(_notes(loaded, pictures, thresholds, n_copies, skipped)),
        n_copies=n_copies,
        refuted=refuted_rates(thresholds, rates),
    )
    if output is None or (result.refuted and not force):
        return result
    save_model(calibrated, output)
    return dataclasses.replace(result, written=True)


def _threshold_card(model: Model, thresholds: Thresholds, whose: str, rates: tuple[RateCard, ...]) -> ThresholdCard:
    """Describe the new thresholds; the floor of *real* and the images that it rests on are the model's own."""
    before = model.card.thresholds
    return ThresholdCard(
        fake_floor=thresholds.fake_floor,
        n_real=len(thresholds.real_scores),
        n_generated=before.n_generated,
        table=threshold_table(thresholds),
        data=f"{whose}; the floor for 'real' is unchanged: {before.data}",
        verified=rates,
    )


def _photographs(folder: Path) -> tuple[Manifest, tuple[Skipped, ...]]:
    """List the images that a scan finds below a folder, whatever its sub-folders are called, and what it cannot."""
    if not folder.is_dir():
        raise ManifestError(f"{str(folder)!r} is not a folder of photographs")
    try:
        found = list(walk([folder]))
    except MismatchError:  # not one name of an image
        found = []
    files = [Path(item) for item in found if isinstance(item, str)]
    if not files:
        raise ManifestError(f"{str(folder)!r} holds no image; calibration needs a folder of photographs")
    unlisted = tuple(Skipped(item.path, item.reason) for item in found if isinstance(item, Unreadable))
    entries = (Entry(path.relative_to(folder).as_posix(), 0, REAL, folder.name) for path in files)
    return Manifest(entries, folder), unlisted


def _one_a_group(manifest: Manifest) -> npt.NDArray[np.bool_]:
    """Mark the first image of every group, shape (n,)."""
    chosen = np.zeros(len(manifest), bool)
    chosen[np.unique(manifest.groups, return_index=True)[1]] = True
    return chosen


def _first_half(manifest: Manifest, seed: int) -> npt.NDArray[np.bool_]:
    """Divide groups in two by their hash, so that the halves hold about as many and copies stay together."""
    digests = [
        hashlib.blake2b(f"{seed}/{name}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
        for name in manifest.group_names
    ]
    order = {digest: rank for rank, digest in enumerate(sorted(set(digests)))}
    return np.array([order[digest] % 2 == 0 for digest in digests])


def _thresholds(scores: npt.NDArray[np.float64], model: Model, n_copies: int) -> Thresholds:
    if len(scores) < MIN_REAL:
        copies = f" ({n_copies} files are copies of others and do not count)" if n_copies else ""
        raise MismatchError(
            f"half of the photographs must be at least {MIN_REAL} that can be scored, got {len(scores)}{copies}; "
            f"calibrate on more: {2 * MIN_REAL} at the very least, {needed_photographs(0.01)} for a rate of 1 %"
        )
    return Thresholds(scores, model.thresholds.fake_floor)


def _notes(
    model: Model, pictures: ScoredImages, thresholds: Thresholds, n_copies: int, skipped: tuple[Skipped, ...]
) -> list[str]:
    low, _ = thresholds.supported
    n_known = int(np.isin(pictures.hashes, model.training_hashes).sum())
    n_far = int((pictures.distances > 1).sum())
    notes = [
        f"rates below {low:.2g} are not supported: a rate f needs {MIN_EXCEEDANCES} / f photographs in the first half"
    ]
    unsupported = {f"{100 * rate:g} %": needed_photographs(rate) for rate in _USUAL if rate < low}
    if unsupported:
        needs = " and ".join(f"{rate} needs {number}" for rate, number in unsupported.items())
        notes.append(
            f"nothing was verified about a rate of {' or '.join(unsupported)}: {needs} different photographs, and "
            f"there are {len(pictures.scores)}; scan with --fpr {thresholds.lowest_rate:g} or more"
        )
    if n_copies:
        notes.append(f"{n_copies} files are copies of others and do not count: each picture counts once")
    if n_known:
        notes.append(f"{n_known} photographs were in the model's training: its rates on them flatter it")
    if n_far:
        notes.append(f"{n_far} photographs are unlike anything in training; a scan calls them inconclusive")
    if skipped:
        notes.append(f"{len(skipped)} files have no score, the first: {skipped[0].reason}")
    return notes
