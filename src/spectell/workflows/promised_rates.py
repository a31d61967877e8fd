"""The false-positive rates that a number of photographs supports, measured, and what refutes one.

A rate whose interval lies above what is promised need not be wrong: a threshold from few scores keeps its rate on
average, not every time. It is *refuted* where halves divided at random would give such a count with a probability of at
most `REFUTED` over all rates together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from spectell.detectors.card import RateCard
from spectell.evaluation.intervals import clopper_pearson
from spectell.evaluation.thresholds import MIN_EXCEEDANCES, Thresholds

__all__ = [
    "RATES",
    "REFUTED",
    "measured_rates",
    "needed_photographs",
    "rates_above",
    "refuted_rates",
    "shown_rates",
    "threshold_table",
]

RATES = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1)
"""False-positive rates that tables list, where the number of photographs supports them."""

REFUTED = 0.01
"""Chance of refuting any rate where both halves are of one kind."""

_COARSE_RATES = (0.2, 0.3, 0.5)


def needed_photographs(rate: float) -> int:
    """Photographs, both halves together, that support a rate.

    Examples
    --------
    >>> [needed_photographs(rate) for rate in (0.001, 0.01, 0.05)]
    [6000, 600, 120]
    """
    return 2 * math.ceil(round(MIN_EXCEEDANCES / rate, 9))


def shown_rates(thresholds: Thresholds) -> tuple[float, ...]:
    """Rates to list: the usual ones that are supported, or else the lowest supported one and some above it.

    Parameters
    ----------
    thresholds : Thresholds

    Examples
    --------
    >>> shown_rates(Thresholds(np.arange(40.0), 0.0)), shown_rates(Thresholds(np.arange(20.0), 0.0))
    ((0.1,), (0.15, 0.2, 0.3, 0.5))
    """
    usual = tuple(rate for rate in RATES if rate >= thresholds.supported[0])
    lowest = thresholds.lowest_rate
    return usual or (lowest, *(rate for rate in _COARSE_RATES if rate > lowest))


def threshold_table(thresholds: Thresholds) -> dict[str, float]:
    """Thresholds of the usual false-positive rates, as far as the calibration images support them: `shown_rates`.

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
    return {f"{rate:g}": thresholds.at(rate) for rate in shown_rates(thresholds)}


def measured_rates(thresholds: Thresholds, scores: npt.NDArray[np.float64], data: str) -> tuple[RateCard, ...]:
    """Count the scores of real images, shape (n,), that exceed each of the shown rates' thresholds.

    `data` says what the images are.
    """
    found = []
    for rate in shown_rates(thresholds):
        exceeded = int((scores >= thresholds.at(rate)).sum())
        interval = clopper_pearson(exceeded, len(scores))
        found.append(RateCard(rate, len(scores), exceeded, interval.low, interval.high, data))
    return tuple(found)


def rates_above(rates: Sequence[RateCard]) -> tuple[RateCard, ...]:
    """Choose the rates whose interval lies above what is promised, refuted or not."""
    return tuple(rate for rate in rates if rate.low > rate.fpr)


def refuted_rates(thresholds: Thresholds, rates: Sequence[RateCard]) -> tuple[RateCard, ...]:
    """Choose the rates that exceed the promise by more than chance explains.

    The number of n further scores above the k-th largest of m is beta-binomial, whatever the distribution of the
    scores, with parameters k and m + 1 - k.
    """
    above = rates_above(rates)
    if not above:
        return ()
    from scipy.stats import betabinom

    m = len(thresholds.real_scores)
    found = []
    for rate in above:
        k = thresholds.rank(rate.fpr)
        if betabinom.sf(rate.exceeded - 1, rate.n, k, m + 1 - k) <= REFUTED / len(rates):
            found.append(rate)
    return tuple(found)
