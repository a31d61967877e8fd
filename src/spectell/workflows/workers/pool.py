"""Map a function over items in worker processes that may crash, hang or run out of memory.

The executors of the standard library give up when a worker dies. Here a death costs one result: the worker's shared
`progress` names the item that it died of, that item becomes a `Failure`, what else the worker held is given to others,
and a new worker takes its place. Results come in the order of the items; at most `WINDOW` of them are under way, so
memory does not grow with their number. `spectell.workflows.workers.dispatch` says who gets which item.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from typing import Any, Self

from spectell.errors import ParameterError
from spectell.workflows.workers.dispatch import WINDOW, Dispatch, end_all
from spectell.workflows.workers.process import LARGE_PATIENCE, Answer, WorkerProcess
from spectell.workflows.workers.worker import Work

__all__ = ["LARGE_PATIENCE", "WINDOW", "Answer", "Crew", "available_cores", "check_limits", "isolated_map"]

MIN_TIMEOUT = 0.1
"""Seconds below which an honest file would often be given up, and a worker with each of them."""


def available_cores() -> int:
    """Return the number of cores that this process may use, at least 1."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS and Windows
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def isolated_map(
    work: Work, items: Iterable[Any], *, workers: int, timeout: float = 60.0, memory: int | None = None
) -> Generator[Answer, None, None]:
    """Apply `work` to every item in isolated processes; results in order, lazily.

    Parameters
    ----------
    work : callable
        Called as ``work(item, gate)``. Inherited by forked workers, pickled for others.
    items : iterable
        See `Crew.map`.
    workers : int >= 1
        Processes at most; no more are started than there are items.
    timeout : float > 0
        See `Crew.map`.
    memory : int or None
        Bytes that a worker may allocate beyond its start (Linux); exceeding it is a `Failure`.

    Yields
    ------
    answer : Answer

    Raises
    ------
    ParameterError
        If `workers` or `timeout` is outside its domain.
    SpectellError
        If a worker cannot start, or cannot take up the work.

    Notes
    -----
    Closing the iterator ends the workers.

    Examples
    --------
    >>> [answer.result for answer in isolated_map("{0}!".format, ["a", "b"], workers=2)]
    ['a!', 'b!']
    """
    check_limits(workers, timeout)
    return _mapped_once(work, items, workers, timeout, memory)


def _mapped_once(
    work: Work, items: Iterable[Any], workers: int, timeout: float, memory: int | None
) -> Generator[Answer, None, None]:
    with Crew(work, workers=workers, memory=memory) as crew:
        yield from crew.map(items, timeout=timeout)


def check_limits(workers: int, timeout: float) -> None:
    """Refuse limits of `isolated_map` that are outside their domain, with a `ParameterError`."""
    if workers < 1:
        raise ParameterError(f"workers must be at least 1, got {workers}")
    if not timeout >= MIN_TIMEOUT:
        raise ParameterError(f"timeout must be at least {MIN_TIMEOUT} s, got {timeout!r}")


class Crew:
    """Workers that stay from one map to the next.

    Parameters
    ----------
    work : callable
        Called as ``work(item, gate)``. Inherited by forked workers, pickled for others.
    workers : int >= 1
        Processes at most; one is started when there is an item for it.
    memory : int or None
        Bytes that a worker may allocate beyond its start (Linux); exceeding it is a `Failure`.

    Attributes
    ----------
    work : callable
        As given.
    limit : int
        Processes at most.

    Examples
    --------
    >>> with Crew("{0}!".format, workers=2) as crew:
    ...     [[answer.result for answer in crew.map(items)] for items in ("ab", "c")]
    [['a!', 'b!'], ['c!']]
    """

    def __init__(self, work: Work, *, workers: int, memory: int | None = None) -> None:
        self.work, self.limit = work, workers
        self._memory = memory
        self._workers: list[WorkerProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End all workers."""
        end_all(self._workers)

    def map(self, items: Iterable[Any], *, timeout: float = 60.0) -> Generator[Answer, None, None]:
        """Apply the work to every item; results in order, lazily. One map at a time.

        Parameters
        ----------
        items : iterable
            Read only as far ahead as needed. It may yield `PENDING` for "none just now".
        timeout : float > 0
            Seconds for one item, `LARGE_PATIENCE` times as many while it holds the gate; waiting for the gate is free.

        Yields
        ------
        answer : Answer

        Raises
        ------
        SpectellError
            If a worker cannot start, or cannot take up the work.
        """
        return Dispatch(iter(items), self._workers, self.hire, limit=self.limit, timeout=timeout).run()

    def hire(self) -> WorkerProcess:
        """Start one more worker."""
        worker = WorkerProcess(self.work, self._workers, self._memory)
        self._workers.append(worker)
        return worker
