"""Hand items to workers, and put right what becomes of workers that die or do not answer.

Items travel in batches of about 50 ms of work, so that the cost per item is some ten microseconds. Nobody holds a lock:
a worker asks the parent before it starts on a large item, and the parent lets one at a time go on.
"""

from __future__ import annotations

import math
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from multiprocessing import connection as connections
from operator import itemgetter
from typing import Any, Final

from spectell.errors import SpectellError
from spectell.workflows.workers.pending import PENDING
from spectell.workflows.workers.process import Answer, Task, WorkerProcess, pickled
from spectell.workflows.workers.worker import Failure, Large, Ready, Released, Rows, Started

__all__ = ["WINDOW", "Dispatch", "end_all"]

WINDOW = 2048
"""Items that may be under way, or answered and waiting for an earlier one."""

_BATCH_SECONDS = 0.05
_BATCH_ITEMS = 64
_BATCH_BYTES = 4096  # less than any system's buffer of a pipe, so that sending does not wait for the worker
_DEPTH = 2
_POLL_SECONDS = 0.05
_BEAT_SECONDS = 1.0  # the parent looks up this often while somebody may be late, so as to notice that it was stopped
_MAX_UNEXPLAINED = 8
_EXHAUSTED: Final = object()


class Dispatch:
    """Who has which item, what has been answered, and what comes next.

    Parameters
    ----------
    items : iterator
        See `spectell.workflows.workers.pool.Crew.map`.
    workers : list of WorkerProcess
        Those that there are. Whoever dies or is left with work that nobody waits for is taken out.
    hire : callable
        Starts one more worker and returns it.
    limit : int >= 1
        Workers at most.
    timeout : float > 0
        Seconds for one item.
    """

    def __init__(
        self,
        items: Iterator[Any],
        workers: list[WorkerProcess],
        hire: Callable[[], WorkerProcess],
        *,
        limit: int,
        timeout: float,
    ) -> None:
        self._items, self._workers, self._hire, self._limit, self._timeout = items, workers, hire, limit, timeout
        self._at_gate: deque[WorkerProcess] = deque()
        self._inside: WorkerProcess | None = None
        self._again: deque[Task] = deque()
        self._suspects: set[int] = set()
        self._answers: dict[int, Answer] = {}
        self._taken = self._yielded = self._unexplained = 0
        self._exhausted = self._starved = False
        self._pace, self._weight = math.inf, 1.0  # seconds and bytes an item

    def run(self) -> Generator[Answer, None, None]:
        """Hand out every item and yield the answers in order."""
        try:
            while True:
                self._dispatch()
                if self._yielded in self._answers:
                    yield from self._next_answers()
                    continue  # there is room again for what a full window kept back, perhaps from every worker
                if self._exhausted and self._yielded == self._taken:
                    return
                self._listen()
        finally:
            # Whoever is not done works on what nobody waits for.
            busy = [worker for worker in self._workers if worker.tasks]
            self._workers[:] = [worker for worker in self._workers if not worker.tasks]
            end_all(busy)

    def _next_answers(self) -> Generator[Answer, None, None]:
        while self._yielded in self._answers:
            self._yielded += 1
            yield self._answers.pop(self._yielded - 1)

    def _dispatch(self) -> None:
        self._starved = False
        while self._has_room() and (batch := self._next_batch()):
            worker, message = self._idlest(), pickled(batch)
            self._weight = len(message) / len(batch)
            if not worker.batches or len(message) <= _BATCH_BYTES:
                worker.send(batch, message)
                continue
            self._again.extendleft(reversed(batch))  # it might be sending, and both would wait for ever
            if len(batch) == 1:
                return

    def _has_room(self) -> bool:
        depth = _DEPTH if self._pace < _BATCH_SECONDS else 1
        return len(self._workers) < self._limit or any(len(worker.batches) < depth for worker in self._workers)

    def _idlest(self) -> WorkerProcess:
        worker = min(self._workers, key=lambda worker: len(worker.batches), default=None)
        if worker is None or (worker.batches and len(self._workers) < self._limit):
            worker = self._hire()
        return worker

    def _next_batch(self) -> list[Task]:
        """Take items for about `_BATCH_SECONDS` and `_BATCH_BYTES`, if they are like those before them."""
        batch: list[Task] = []
        count = min(_BATCH_ITEMS, max(1, int(min(_BATCH_SECONDS / self._pace, _BATCH_BYTES / self._weight))))
        while len(batch) < count and (task := self._next_task()):
            batch.append(task)
        return batch

    def _next_task(self) -> Task | None:
        if self._again:
            return self._again.popleft()
        if self._exhausted or self._starved or self._taken - self._yielded >= WINDOW:
            return None
        item = next(self._items, _EXHAUSTED)
        self._starved, self._exhausted = item is PENDING, item is _EXHAUSTED
        if self._starved or self._exhausted:
            return None
        self._taken += 1
        return self._taken - 1, item

    def _listen(self) -> None:
        patience, began = self._patience(), time.monotonic()
        readable = set(connections.wait([worker.connection for worker in self._workers], patience))
        if patience is not None:
            self._forgive(time.monotonic() - began - patience)
        for worker in [worker for worker in self._workers if worker.connection in readable]:
            self._hear(worker)
        now = time.monotonic()
        for worker in self._workers:
            limit = worker.limit(self._timeout)
            if now - worker.heard > limit:
                worker.overdue = f"took longer than {limit:g} s"
                worker.process.kill()

    def _forgive(self, overslept: float) -> None:
        """Hold it against nobody that the whole run was stopped for a while (Ctrl-Z), and its workers with it."""
        if overslept > _BEAT_SECONDS:
            for worker in self._workers:
                worker.heard += overslept

    def _patience(self) -> float | None:
        due = min((worker.heard + worker.limit(self._timeout) for worker in self._workers), default=math.inf)
        if due == math.inf and not self._starved:
            return None
        return max(0.0, min(due - time.monotonic(), _POLL_SECONDS if self._starved else _BEAT_SECONDS))

    def _hear(self, worker: WorkerProcess) -> None:
        try:
            message = worker.connection.recv()
        except Exception:  # its end, a message that its death cut short, or memory that it had garbled
            self._bury(worker)
            return
        worker.heard = time.monotonic()
        if isinstance(message, Rows):
            self._answers.update(worker.answered(message.results))
            pace = message.seconds / len(message.results)
            self._pace = pace if self._pace == math.inf else 0.7 * self._pace + 0.3 * pace
            self._unexplained = 0
        elif isinstance(message, Started):
            worker.instruct()
        elif isinstance(message, Ready):
            worker.begin()
        elif isinstance(message, Large):
            worker.waiting = True
            self._at_gate.append(worker)
        elif isinstance(message, Released):
            worker.large, self._inside = False, None
        self._open_gate()

    def _open_gate(self) -> None:
        if self._inside is None and self._at_gate:
            self._inside = self._at_gate.popleft()
            self._inside.let_through()

    def _bury(self, worker: WorkerProcess) -> None:
        """Find out what a worker died of, and pass on what it held."""
        code = worker.stop(patience=1.0)
        self._workers.remove(worker)
        if worker is self._inside:
            self._inside = None
        with suppress(ValueError):
            self._at_gate.remove(worker)
        if not worker.ready:
            raise SpectellError(_no_start(worker, code))
        self._unexplained += 1
        for index, item in worker.tasks:
            if index != worker.progress.value or self._deserves_another_try(index, worker, code):
                self._again.append((index, item))
            else:
                self._answers[index] = Answer(item, Failure(worker.overdue or _last_words(code)))
                self._unexplained = 0
        self._again = deque(sorted(self._again, key=itemgetter(0)))
        if self._unexplained > _MAX_UNEXPLAINED:
            raise SpectellError(f"worker processes keep ending before they do anything (exit status {code})")
        self._open_gate()

    def _deserves_another_try(self, index: int, worker: WorkerProcess, code: int | None) -> bool:
        """Whoever kills when memory runs out picks any process: being picked once proves nothing against the item."""
        first = code == -signal.SIGKILL and not worker.overdue and index not in self._suspects
        if first:
            self._suspects.add(index)
        return first


def _last_words(code: int | None) -> str:
    if code == -signal.SIGKILL:
        return "the decoder was killed twice (signal 9), most likely for want of memory"
    if code is not None and code < 0:
        return f"the decoder crashed (signal {-code})"
    return f"the decoder ended its process (exit status {code})"


def _no_start(worker: WorkerProcess, code: int | None) -> str:
    reason = worker.overdue or f"exit status {code}"
    if worker.started:
        return f"a worker process could not take up its work ({reason})"
    remedy = "" if worker.forked else "; in a script, call it below: if __name__ == '__main__':"
    return f"a worker process could not start ({reason}){remedy}"


def end_all(workers: list[WorkerProcess]) -> None:
    """End workers, whatever they are doing, and forget them."""
    for worker in workers:
        worker.process.kill()
    for worker in workers:
        worker.stop()
    workers.clear()
