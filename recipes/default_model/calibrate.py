"""From raw outputs to scores, thresholds and false-positive rates.

A user's photographs come from a source that training never saw. So calibration, and the thresholds of *generated*,
rest on what refits say of the sources that they did not see, half of the rows as found and half after a random history.
Every source weighs alike: a threshold set on four thousand faces would say little about a photographer's camera. The
floor below which the verdict is *real* rests on fakes in held-back groups of known generators: it can promise nothing
about unknown ones.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recipes.default_model.study import Study
from recipes.default_model.table import VIEW, Rows, Table
from spectell.evaluation.calibration import PlattCalibration, fit_platt
from spectell.evaluation.intervals import Interval, clopper_pearson
from spectell.evaluation.thresholds import Thresholds, fit_thresholds

__all__ = ["FPR", "FULL_PIXELS", "Calibrated", "calibrate", "false_positives", "trust"]

FULL_PIXELS = 128 * 128
"""Pixels from which a raw output counts in full; see `spectell.detectors.card.CalibrationCard`."""

FPR = 0.01

ROWS_PER_SOURCE = 700
"""Rows of real images that each source gives; several of one picture where a source has fewer pictures."""


@dataclass(frozen=True)
class Calibrated:
    """Calibration and thresholds, and the rows that they rest on."""

    platt: PlattCalibration
    thresholds: Thresholds
    real_rows: Rows
    fake_rows: Rows

    def scores(self, table: Table, raw: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Calibrated log-odds of raw outputs, one for each row of the table."""
        return np.asarray(self.platt.apply(raw * trust(table)))


def trust(table: Table) -> npt.NDArray[np.float64]:
    """Return what the raw output of each row is multiplied by: below one for small images."""
    return np.sqrt(np.minimum(np.exp(table.log_pixels) / FULL_PIXELS, 1))


def calibrate(table: Table, study: Study) -> Calibrated:
    """Fit Platt's scale and the thresholds."""
    real, fake = _real_rows(table), _fake_rows(table)
    fake = fake[np.isfinite(study.source_out[fake])]
    rows = np.concatenate([real, fake])
    platt = fit_platt(table.labels[rows], (study.source_out * trust(table))[rows])
    real_scores = platt.apply(study.source_out[real] * trust(table)[real])
    fake_scores = platt.apply(study.in_distribution[fake] * trust(table)[fake])
    labels = np.repeat([0, 1], [len(real), len(fake)])
    thresholds = fit_thresholds(labels, np.concatenate([real_scores, fake_scores]))
    return Calibrated(platt, thresholds, real, fake)


def false_positives(table: Table, calibrated: Calibrated, study: Study) -> dict[str, tuple[int, int, Interval]]:
    """Count the false positives of every source as found, at a threshold that neither it nor its refit had a part in.

    Returns k, n and the exact interval for each source, and for all of them under the name ``all``.
    """
    scores = calibrated.scores(table, study.source_out)
    judged = (table.condition == "clean") & (table.labels == 0) & ~table.aligned
    found: dict[str, tuple[int, int, Interval]] = {}
    for source in np.unique(table.source[judged]):
        others = calibrated.real_rows[table.source[calibrated.real_rows] != source]
        threshold = Thresholds(scores[others], calibrated.thresholds.fake_floor).at(FPR)
        own = scores[judged & (table.source == source)]
        k = int((own >= threshold).sum())
        found[str(source)] = (k, len(own), clopper_pearson(k, len(own)))
    k, n = (sum(value[i] for value in found.values()) for i in (0, 1))
    found["all"] = (k, n, clopper_pearson(k, n))
    return found


def _real_rows(table: Table) -> Rows:
    """As many rows of each source, at most half of them as found; photographs given to networks count once."""
    chosen = []
    real = (table.labels == 0) & ~table.aligned
    for source in np.unique(table.source[real]):
        own = real & (table.source == source)
        clean, views = (_shuffled(np.flatnonzero(own & (table.condition == name))) for name in ("clean", VIEW))
        clean = clean[: ROWS_PER_SOURCE // 2]
        chosen.append(np.concatenate([clean, views[: ROWS_PER_SOURCE - len(clean)]]))
    return np.concatenate(chosen)


def _fake_rows(table: Table) -> Rows:
    """One row of each fake; simulated traces are left out, since nobody meets them."""
    fake = (table.labels == 1) & (table.generator != "simulated")
    is_view = table.condition == VIEW
    starts = np.flatnonzero(is_view & ~np.concatenate([[False], is_view[:-1]]) & fake)
    clean = np.flatnonzero((table.condition == "clean") & fake)
    return np.asarray(np.where(np.arange(len(clean)) % 2, clean, starts))


def _shuffled(rows: Rows) -> Rows:
    """Return the same rows in an order that depends on nothing but their numbers."""
    return rows[np.argsort([zlib.crc32(str(row).encode()) for row in rows], kind="stable")]
