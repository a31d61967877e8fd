"""What runs inside a worker process: answer batches of items until the other end of the pipe closes.

A worker may die at any moment, so it holds nothing that another process needs: the one shared resource, the gate for
large items, is kept by the parent, which learns of a death from the pipe. Conversely a worker never outlives its
parent: a closed pipe ends an idle one, and the kernel (Linux) or a thread (elsewhere) ends a busy one.

Decoders write to the terminal and dump core when they fail; a worker silences both once it has started.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from multiprocessing import connection as connections
from multiprocessing.connection import Connection
from multiprocessing.process import parent_process
from pathlib import Path
from typing import Any, NamedTuple

from spectell.workflows.workers.threads import end_threads

__all__ = ["GO", "Failure", "Gate", "Large", "Ready", "Released", "Rows", "Started", "Work", "serve"]

FLUSH_SECONDS = 0.05
"""A worker reports at least this often, between items; more often costs the parent, less often the reader."""

GO = "go"
"""The parent's answer to `Large`."""

_KILL_FIRST = b"500"

Gate = AbstractContextManager[Any]
Work = Callable[[Any, Gate], Any]
"""Takes an item and the gate to hold while the item needs much memory; returns the result."""


class Started(NamedTuple):
    """The worker's process runs, and waits for its work, as it has not inherited it."""


class Ready(NamedTuple):
    """The worker has its work, and can begin."""


class Rows(NamedTuple):
    """Results of the next items, in the order in which they were sent, and how long they took together."""

    results: list[Any]
    seconds: float


class Large(NamedTuple):
    """The worker waits for `GO` before it goes on with a large item."""


class Released(NamedTuple):
    """The worker has let go of the gate."""


class Failure(NamedTuple):
    """Takes the place of a result that could not be had, for a reason in a few words."""

    reason: str


def serve(
    connection: Connection[Any, Any],
    others: Sequence[Connection[Any, Any]],
    work: Work | None,
    progress: Any,
    memory: int | None,
    forked: bool,
) -> None:
    """Run a worker until its parent closes the pipe.

    Parameters
    ----------
    connection : Connection
        This worker's end. Receives its work, batches ``[(index, item), ...]`` and `GO`; sends the messages above.
    others : sequence of Connection
        Parent's ends that were inherited by forking; closed, so that no worker keeps another one's pipe open.
    work : callable or None
        None if it comes through the pipe.
    progress : shared integer
        Index of the item in work, so that the parent knows which one killed the worker.
    memory : int or None
        Bytes that the worker may allocate beyond what it holds at the start (Linux).
    forked : bool
        Whether the process is a fork of its parent.
    """
    _ignore_interrupts()
    for other in others:
        other.close()
    _end_with_parent(forked)
    if work is None:
        connection.send(Started())
        work = connection.recv()
    end_threads()  # the processes share the cores already
    gc.freeze()  # collections shall not touch, and so copy, the pages shared with the parent
    connection.send(Ready())
    _silence()
    _limit_memory(memory)
    with suppress(EOFError, OSError):
        _Server(connection, work, progress).run()


class _Server:
    """The loop, and the gate that it hands to the work."""

    def __init__(self, connection: Connection[Any, Any], work: Work, progress: Any) -> None:
        self._connection = connection
        self._work = work
        self._progress = progress
        self._inbox: deque[Any] = deque()
        self._results: list[Any] = []
        self._reported = 0.0

    def run(self) -> None:
        while True:
            batch = self._inbox.popleft() if self._inbox else self._connection.recv()
            self._reported = time.perf_counter()
            for index, item in batch:
                self._progress.value = index
                result = self._answer(item)  # may report, and so replace the list of results
                self._results.append(result)
                if time.perf_counter() - self._reported > FLUSH_SECONDS:
                    self._report()
            self._report()

    def _answer(self, item: Any) -> Any:
        try:
            return self._work(item, self)
        except MemoryError:
            return Failure("it needs more memory than a worker may use")
        except Exception as error:  # one strange file must not end a run over millions
            return Failure(f"unexpected {type(error).__name__}: {' '.join(str(error).split())[:200]}")

    def _report(self) -> None:
        if self._results:
            now = time.perf_counter()
            self._connection.send(Rows(self._results, now - self._reported))
            self._results, self._reported = [], now

    def __enter__(self) -> None:
        """Wait for the turn of a large item; the next batch may arrive before the answer."""
        self._report()
        self._connection.send(Large())
        while (message := self._connection.recv()) != GO:
            self._inbox.append(message)
        self._reported = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._connection.send(Released())


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of the terminal; the parent alone decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _end_with_parent(forked: bool) -> None:
    """See that a worker whose parent was killed ends even while it hangs in a decoder.

    The kernel's signal follows the *thread* that forked, so it is asked for only where that is the main one: a worker
    is forked from a process with a single thread (see `pool`).
    """
    if forked and sys.platform == "linux":
        import ctypes

        death_signal = 1  # PR_SET_PDEATHSIG of <sys/prctl.h>
        ctypes.CDLL(None).prctl(death_signal, signal.SIGKILL)
        return
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_wait_for_end, args=(parent.sentinel,), daemon=True).start()


def _wait_for_end(sentinel: int) -> None:
    connections.wait([sentinel])
    os._exit(1)


def _silence() -> None:
    faulthandler.disable()
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def _limit_memory(memory: int | None) -> None:
    """Let a bomb fail inside the worker, and when memory runs out all the same, let the kernel end the worker first."""
    if sys.platform != "linux":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError), Path("/proc/self/oom_score_adj").open("wb", buffering=0) as adjustment:
        adjustment.write(_KILL_FIRST)
    if memory is not None:
        with suppress(OSError, ValueError):
            held = int(Path("/proc/self/statm").read_bytes().split()[5]) * resource.getpagesize()
            _, hard = resource.getrlimit(resource.RLIMIT_DATA)
            bound = held + memory if hard == resource.RLIM_INFINITY else min(held + memory, hard)
            resource.setrlimit(resource.RLIMIT_DATA, (bound, hard))
