"""When each of the runs behind an output began: a file that has changed since may be another than its row is about."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from operator import itemgetter
from typing import Any, Self

__all__ = ["Beginnings"]


class Beginnings:
    """The first run and those that went on, each with the rows that it found and the time at which it began to read.

    Rows carry no time of their own, as it is none of the documented fields: that of their run stands for it.

    Parameters
    ----------
    pairs : list of (int, int)
        Number of rows before, and nanoseconds since 1970, by increasing rows.

    Examples
    --------
    >>> runs = Beginnings()
    >>> runs.add(0, 1000)
    >>> runs.add(20, 2000)
    >>> [runs.of_row(index) for index in (0, 19, 20)]
    [1000, 1000, 2000]
    >>> runs.add(10, 3000)  # the rows after the tenth were lost
    >>> runs.pairs
    [(0, 1000), (10, 3000)]
    """

    def __init__(self, pairs: list[tuple[int, int]] | None = None) -> None:
        self.pairs = pairs or []

    @classmethod
    def read(cls, found: Any) -> Self:
        """Take them from a record; raises `TypeError` or `ValueError` if it does not hold them."""
        pairs = [(rows, time) for rows, time in found]
        if not all(type(number) is int for pair in pairs for number in pair):
            raise TypeError
        if not pairs or pairs[0][0] != 0 or any(one[0] >= other[0] for one, other in pairwise(pairs)):
            raise ValueError
        return cls(pairs)

    def of_row(self, index: int) -> int:
        """Return when the run began that wrote a row, counted from 0."""
        return self.pairs[bisect_right(self.pairs, index, key=itemgetter(0)) - 1][1]

    def add(self, rows: int, time: int) -> None:
        """Begin another run after so many rows; runs of which no row is left are forgotten."""
        self.pairs = [pair for pair in self.pairs if pair[0] < rows] + [(rows, time)]
