"""The parent's view of one worker process: what it was given, when it was last heard, how it ended."""

from __future__ import annotations

import math
import multiprocessing
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.reduction import ForkingPickler
from typing import Any, NamedTuple

from spectell.errors import SpectellError
from spectell.workflows.workers.worker import GO, Work, serve

__all__ = ["LARGE_PATIENCE", "Answer", "Task", "WorkerProcess", "pickled"]

LARGE_PATIENCE = 5
"""A large item may take this many times as long, counted from the moment at which it is let through the gate."""

_START_SECONDS = 120.0

Task = tuple[int, Any]
"""An item and its place among all items."""


class Answer(NamedTuple):
    """An item with its result, which is a `Failure` if the item could not be done."""

    item: Any
    result: Any


class WorkerProcess:
    """A started worker.

    Parameters
    ----------
    work : callable
    others : list of WorkerProcess
        The workers whose pipes a fork inherits, and closes.
    memory : int or None
        See `spectell.workflows.workers.worker.serve`.
    """

    def __init__(self, work: Work, others: list[WorkerProcess], memory: int | None) -> None:
        self.forked = may_fork()
        context: Any = multiprocessing.get_context("fork" if self.forked else "spawn")
        self.connection, far = context.Pipe()
        self.progress = context.RawValue("q", -1)
        inherited = [self.connection, *(other.connection for other in others)] if self.forked else []
        # A spawned process that dies before it has read its arguments blocks `start` for ever if they do not fit into
        # the pipe: its parent keeps the end open from which they are read. So the work, which may be long, comes later.
        self._work = work
        arguments = (far, inherited, work if self.forked else None, self.progress, memory, self.forked)
        self.process = context.Process(target=serve, args=arguments, daemon=True)
        self.tasks: deque[Task] = deque()
        self.batches: deque[int] = deque()
        self.started = self.ready = self.waiting = self.large = False
        self._held: list[memoryview] = []
        self.overdue: str | None = None
        self.heard = time.monotonic()
        with _interrupts_blocked():
            self.process.start()
        far.close()

    def instruct(self) -> None:
        """Note that it has started, and give it its work, which it has not inherited."""
        self.started = True
        try:
            message = pickled(self._work)
        except Exception as error:  # whatever the work's own pickling raises
            raise SpectellError(f"a worker process cannot be given its work: {error}") from error
        self._tell(message)

    def send(self, batch: list[Task], message: memoryview) -> None:
        """Give it a batch, whose bytes are the message; an idle worker's time begins.

        A batch that does not fit into the pipe would block until a spawned worker has started, however long that takes,
        so it is held until then. A fork listens at once.
        """
        if not self.tasks:
            self.heard = time.monotonic()
        self.tasks.extend(batch)
        self.batches.append(len(batch))
        if self.ready or self.forked:
            self._tell(message)
        else:
            self._held.append(message)

    def begin(self) -> None:
        """Note that it is ready, and give it what was held until then."""
        self.ready = True
        for message in self._held:
            self._tell(message)
        self._held.clear()

    def let_through(self) -> None:
        """Let it go on with a large item; the item's time begins anew."""
        self.waiting, self.large, self.heard = False, True, time.monotonic()
        self._tell(pickled(GO))

    def answered(self, results: list[Any]) -> Iterator[tuple[int, Answer]]:
        """Match results with the tasks that were sent first."""
        for result in results:
            index, item = self.tasks.popleft()
            self.batches[0] -= 1
            if not self.batches[0]:
                self.batches.popleft()
            yield index, Answer(item, result)

    def limit(self, timeout: float) -> float:
        """Return how many seconds it may be silent, infinite while it is idle or waits for the gate."""
        if not self.ready:
            return _START_SECONDS
        if self.overdue or self.waiting or not self.tasks:
            return math.inf
        return timeout * (LARGE_PATIENCE if self.large else 1)

    def stop(self, patience: float = 0.0) -> int | None:
        """End the process whatever it is doing, as it holds nothing that anybody needs; return its exit code."""
        self.process.join(patience)
        self.process.kill()
        self.process.join()
        self.connection.close()
        code: int | None = self.process.exitcode
        return code

    def _tell(self, message: memoryview) -> None:
        with suppress(OSError):  # it has just died, which the end of its pipe will show
            self.connection.send_bytes(message)


def pickled(message: object) -> memoryview:
    """Return the bytes that a connection would send of a message."""
    return ForkingPickler.dumps(message)


def may_fork() -> bool:
    """Whether forking is safe: it copies locks in whatever state other threads hold them (docs/decisions/0003)."""
    return sys.platform == "linux" and threading.active_count() == 1 and "torch" not in sys.modules


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Keep Ctrl-C from a worker that cannot ignore it yet."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
