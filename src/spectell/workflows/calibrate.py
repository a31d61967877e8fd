"""Set a model's thresholds on somebody's own photographs.

The photographs are divided in two halves, whole groups at a time. The thresholds come from the first half alone, and
the false-positive rates are then measured on the second, which had no part in them: that is what the report states,
with exact intervals, and the model that is written keeps those very thresholds. (Thresholds from all photographs would
be a little steadier, but nothing could then be said about their rate that was not assumed.)

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
from spectell.datasets.duplicates import fingerprint
from spectell.datasets.splits import merge_duplicates
from spectell.detectors import Model, load_model, save_model
from spectell.detectors.card import RateCard, ThresholdCard
from spectell.errors import ManifestError, MismatchError
from spectell.evaluation.intervals import clopper_pearson
from spectell.evaluation.thresholds import MIN_EXCEEDANCES, MIN_REAL, Thresholds
from spectell.images import IMAGE_SUFFIXES
from spectell.workflows.evaluate import ScoredImages, score_images
from spectell.workflows.image_set import Progress, Skipped, counted, quiet

__all__ = ["RATES", "CalibrationResult", "calibrate", "threshold_table"]

StrPath = str | os.PathLike[str]

RATES = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1)
"""False-positive rates that tables list, where the number of photographs supports them."""


@dataclass(frozen=True, slots=True)
class CalibrationResult:
    """What a calibration did and found.

    Parameters
    ----------
    model : Model
        With the new thresholds.
    n_first, n_second : int
        Photographs that set the thresholds, and photographs that checked them.
    rates : tuple of RateCard
        Measured on the second half, for each supported rate.
    before : tuple of RateCard
        The same photographs at the thresholds that the model had.
    supported : tuple of float
        Lowest and highest false-positive rate that the first half supports.
    skipped : tuple of Skipped
        Photographs without a score.
    notes : tuple of str
        What a reader must know.
    """

    model: Model
    n_first: int
    n_second: int
    rates: tuple[RateCard, ...]
    before: tuple[RateCard, ...]
    supported: tuple[float, float]
    skipped: tuple[Skipped, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON has it."""
        return {
            "model": self.model.name,
            "n_first": self.n_first,
            "n_second": self.n_second,
            "rates": [rate.as_json() for rate in self.rates],
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
    workers: int | None = None,
    on_progress: Progress = quiet,
) -> CalibrationResult:
    """Set the thresholds of a model on real photographs.

    Parameters
    ----------
    model : Model or path, or None for the bundled one
    photographs : path
        A folder, walked; every image in it is taken to be a photograph.
    output : path, optional
        Where the model goes.
    seed : int
        Of the division into halves.
    workers : int, optional
        Threads; one a core by default.
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
        If there are too few photographs for any false-positive rate.
    """
    loaded = model if isinstance(model, Model) else load_model(model)
    manifest = _photographs(Path(photographs))
    compared = counted(on_progress, "comparing", len(manifest))
    manifest = merge_duplicates(manifest, fingerprint(manifest, workers=workers, on_progress=compared))
    scored = score_images(loaded, manifest, workers=workers, on_progress=on_progress)
    first = _first_half(scored.manifest, seed)
    thresholds = _thresholds(scored.scores[first], loaded)
    whose = f"{int(first.sum())} photographs of the user's in {Path(photographs).absolute().name!r}"
    second = f"{int((~first).sum())} other photographs of the same folder"
    rates = tuple(_rates(thresholds, scored.scores[~first], second))
    card = dataclasses.replace(
        loaded.card,
        thresholds=ThresholdCard(
            fake_floor=thresholds.fake_floor,
            n_real=len(thresholds.real_scores),
            n_generated=loaded.card.thresholds.n_generated,
            table=threshold_table(thresholds),
            data=f"{whose}; the floor for 'real' is unchanged: {loaded.card.thresholds.data}",
            verified=rates,
        ),
    )
    hashes = np.union1d(loaded.training_hashes, scored.hashes)
    calibrated = loaded.replaced(card=card, real_scores=thresholds.real_scores, training_hashes=hashes)
    result = CalibrationResult(
        model=calibrated,
        n_first=int(first.sum()),
        n_second=int((~first).sum()),
        rates=rates,
        before=tuple(_rates(loaded.thresholds, scored.scores, "all photographs of the folder")),
        supported=thresholds.supported,
        skipped=scored.skipped,
        notes=tuple(_notes(loaded, scored, thresholds)),
    )
    if output is not None:
        save_model(calibrated, output)
    return result


def _photographs(folder: Path) -> Manifest:
    """List the images below a folder, whatever its sub-folders are called."""
    if not folder.is_dir():
        raise ManifestError(f"{str(folder)!r} is not a folder of photographs")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file())
    if not files:
        raise ManifestError(f"{str(folder)!r} holds no image; calibration needs a folder of photographs")
    return Manifest((Entry(path.relative_to(folder).as_posix(), 0, REAL, folder.name) for path in files), folder)


def _first_half(manifest: Manifest, seed: int) -> npt.NDArray[np.bool_]:
    """Divide groups in two by their hash, so that the halves hold about as many and copies stay together."""
    digests = [
        hashlib.blake2b(f"{seed}/{name}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
        for name in manifest.group_names
    ]
    order = {digest: rank for rank, digest in enumerate(sorted(set(digests)))}
    return np.array([order[digest] % 2 == 0 for digest in digests])


def _thresholds(scores: npt.NDArray[np.float64], model: Model) -> Thresholds:
    if len(scores) < MIN_REAL:
        raise MismatchError(
            f"half of the photographs must be at least {MIN_REAL} that can be scored, got {len(scores)}; "
            f"calibrate on more: {2 * MIN_REAL} at the very least, 600 for a rate of 1 %"
        )
    return Thresholds(scores, model.thresholds.fake_floor)


def threshold_table(thresholds: Thresholds) -> dict[str, float]:
    """Thresholds of the usual false-positive rates, as far as the calibration images support them.

    Parameters
    ----------
    thresholds : Thresholds

    Returns
    -------
    table : dict of str to float
        By the rate as text, which JSON wants as a key.

    Examples
    --------
    >>> threshold_table(Thresholds(np.arange(40.0), 0.0))
    {'0.1': 36.00000000000001}
    """
    low, _ = thresholds.supported
    return {f"{rate:g}": thresholds.at(rate) for rate in RATES if rate >= low}


def _rates(thresholds: Thresholds, scores: npt.NDArray[np.float64], data: str) -> list[RateCard]:
    if not len(scores):
        return []
    found = []
    for rate in RATES:
        if rate >= thresholds.supported[0]:
            exceeded = int((scores >= thresholds.at(rate)).sum())
            interval = clopper_pearson(exceeded, len(scores))
            found.append(RateCard(rate, len(scores), exceeded, interval.low, interval.high, data))
    return found


def _notes(model: Model, scored: ScoredImages, thresholds: Thresholds) -> list[str]:
    low, _ = thresholds.supported
    n_known = int(np.isin(scored.hashes, model.training_hashes).sum())
    n_far = int((scored.distances > 1).sum())
    notes = [
        f"rates below {low:.2g} are not supported: a rate f needs {MIN_EXCEEDANCES} / f photographs in the first half"
    ]
    if n_known:
        notes.append(f"{n_known} photographs were in the model's training: its rates on them flatter it")
    if n_far:
        notes.append(f"{n_far} photographs are unlike anything in training; a scan calls them inconclusive")
    if scored.skipped:
        notes.append(f"{len(scored.skipped)} files have no score, the first: {scored.skipped[0].reason}")
    return notes
