"""Results in order, whatever becomes of the workers."""

import inspect
import os
import signal
import subprocess
import sys
import threading
import time
from itertools import count, islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from spectell.errors import ParameterError, SpectellError
from spectell.workflows.audit import audit_manifest
from spectell.workflows.calibrate import calibrate
from spectell.workflows.evaluate import evaluate
from spectell.workflows.perturb import perturb_images
from spectell.workflows.prepare import prepare_images
from spectell.workflows.scan import scan, scan_to_file
from spectell.workflows.spectrum import spectrum
from spectell.workflows.statistics import folder_statistics
from spectell.workflows.train import train_model
from spectell.workflows.workers import dispatch, pool, process
from spectell.workflows.workers.pending import PENDING
from spectell.workflows.workers.pool import WINDOW, Answer, Crew, available_cores, isolated_map
from spectell.workflows.workers.worker import Failure

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the functions of these tests reach workers by forking"),
    pytest.mark.usefixtures("forked"),
]


def work(item, gate):
    """Do to the worker what the item says."""
    kind, _, rest = item.partition(" ")
    if kind == "signal":
        os.kill(os.getpid(), int(rest))
    if kind == "exit":
        os._exit(int(rest))
    if kind == "sleep":
        time.sleep(float(rest))
    if kind == "memory":
        bytearray(int(rest))
    if kind == "raise":
        raise RuntimeError(rest)
    if kind == "large":
        with gate:
            work(rest, gate)
    return item.upper()


def process_number(item, gate):
    return os.getpid()


def results(items, **options):
    options = {"workers": 2, **options}
    answers = list(isolated_map(work, items, **options))
    assert [answer.item for answer in answers] == [item for item in items if item is not PENDING]
    return [answer.result for answer in answers]


def crowd(n):
    return [f"item {k}" for k in range(n)]


def alive(pid):
    try:
        with Path(f"/proc/{pid}/stat").open() as status:
            return status.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def soon(condition, seconds=5.0):
    patience = time.monotonic() + seconds
    while not condition() and time.monotonic() < patience:
        time.sleep(0.01)
    return condition()


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(workers, rng):
    items = [f"sleep {delay:.4f}" for delay in rng.uniform(0, 0.004, 200)]
    assert results(items, workers=workers) == [item.upper() for item in items]


def test_no_items_start_no_workers(monkeypatch):
    monkeypatch.setattr(pool, "WorkerProcess", None)
    assert list(isolated_map(work, [], workers=2)) == []


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (f"signal {signal.SIGSEGV}", "the decoder crashed (signal 11)"),
        (f"signal {signal.SIGABRT}", "the decoder crashed (signal 6)"),
        (f"signal {signal.SIGKILL}", "the decoder was killed twice (signal 9), most likely for want of memory"),
        ("exit 3", "the decoder ended its process (exit status 3)"),
        ("exit 0", "the decoder ended its process (exit status 0)"),
        ("memory 100000000000000", "it needs more memory than a worker may use"),
        ("raise two\nlines", "unexpected RuntimeError: two lines"),
        (f"large signal {signal.SIGSEGV}", "the decoder crashed (signal 11)"),
    ],
)
def test_a_death_costs_its_own_item_and_no_other(item, reason):
    items = [*crowd(50), item, *crowd(50), item, item, *crowd(50)]
    expected = [Failure(reason) if each == item else each.upper() for each in items]
    assert results(items) == expected


def test_an_item_over_its_time_is_a_failure_and_no_other_is():
    items = [*crowd(20), "sleep 60", *crowd(20), "large sleep 60", *crowd(20)]
    began = time.monotonic()
    found = results(items, timeout=0.5)
    assert time.monotonic() - began < 20
    assert [result for result in found if isinstance(result, Failure)] == [
        Failure("took longer than 0.5 s"),
        Failure("took longer than 2.5 s"),
    ]
    assert len(found) == 62


def test_many_slow_items_in_one_batch_are_not_one_slow_item():
    items = ["sleep 0.05"] * 20
    assert results(items, workers=1, timeout=0.4) == ["SLEEP 0.05"] * 20


def test_a_worker_killed_from_outside_loses_nothing(tmp_path):
    def once(item, gate):
        marker = tmp_path / item
        if item == "victim" and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item

    items = [*crowd(30), "victim", *crowd(30)]
    assert [answer.result for answer in isolated_map(once, items, workers=2)] == items


def test_large_items_go_one_at_a_time(tmp_path):
    def large(item, gate):
        with gate:
            began = time.monotonic()
            time.sleep(0.05)
            return began, time.monotonic()

    spans = sorted(answer.result for answer in isolated_map(large, range(8), workers=4))
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))


def test_waiting_for_the_gate_is_not_held_against_an_item():
    assert results(["large sleep 0.25"] * 6, workers=3, timeout=0.4) == ["LARGE SLEEP 0.25"] * 6


def test_a_killed_holder_gives_the_gate_back():
    items = ["large item", "large exit 1", "large sleep 30", "large item"]
    found = results(items, workers=3, timeout=0.2)
    assert found[0] == found[3] == "LARGE ITEM"
    assert all(isinstance(result, Failure) for result in found[1:3])


def test_items_are_taken_only_as_far_ahead_as_the_window():
    taken = []

    def items():
        for k in count():
            taken.append(k)
            yield f"item {k}"

    answers = isolated_map(work, items(), workers=2)
    assert len(list(islice(answers, 10))) == 10
    assert len(taken) <= WINDOW + 10
    answers.close()


def test_one_stuck_item_stops_the_others_at_the_window():
    def items():
        yield "sleep 1.0"
        yield from (f"item {k}" for k in range(3 * WINDOW))

    waiting = isolated_map(work, items(), workers=2)
    assert next(waiting) == Answer("sleep 1.0", "SLEEP 1.0")
    assert sum(1 for _ in waiting) == 3 * WINDOW


def test_results_are_handed_out_while_the_source_has_nothing():
    handed = []

    def items():
        for k in range(3):
            yield f"item {k}"
            while len(handed) <= k:  # as a writer that waits for each answer
                yield PENDING

    for answer in isolated_map(work, items(), workers=2):
        handed.append(answer.result)
    assert handed == ["ITEM 0", "ITEM 1", "ITEM 2"]


def test_closing_ends_the_workers_at_once():
    answers = isolated_map(lambda item, gate: time.sleep(60 * (item > 0)) or os.getpid(), count(), workers=1)
    pid = next(answers).result
    assert alive(pid)
    began = time.monotonic()
    answers.close()
    assert time.monotonic() - began < 1.0
    assert not alive(pid)


def test_an_error_of_the_source_ends_the_workers():
    def items():
        yield "item"
        yield PENDING
        raise ParameterError("nothing more")

    with pytest.raises(ParameterError, match="nothing more"):
        list(isolated_map(work, items(), workers=2))


def test_a_worker_that_cannot_start_raises_instead_of_looping(monkeypatch):
    monkeypatch.setattr(process, "serve", lambda *_: os._exit(7))
    with pytest.raises(SpectellError, match=r"^a worker process could not start \(exit status 7\)$"):
        list(isolated_map(work, ["item"], workers=2))


def test_workers_that_end_without_an_item_raise_instead_of_looping(monkeypatch):
    def serve(connection, others, work, progress, memory, forked):
        from spectell.workflows.workers.worker import Ready

        connection.send(Ready())
        connection.recv()
        os._exit(5)

    monkeypatch.setattr(process, "serve", serve)
    with pytest.raises(SpectellError, match="keep ending before they do anything"):
        list(isolated_map(work, ["item"], workers=2))


def test_memory_beyond_the_limit_is_a_failure_within_it_is_not():
    limit = 200_000_000
    found = results(["memory 50000000", "memory 300000000"], memory=limit)
    assert found == ["MEMORY 50000000", Failure("it needs more memory than a worker may use")]


def test_workers_say_nothing_on_the_terminal(capfd):
    def shout(item, gate):
        os.write(2, b"libtiff: warning")
        return item

    list(isolated_map(shout, [1], workers=1))
    assert capfd.readouterr().err == ""


def test_workers_ignore_the_interrupt_that_the_parent_gets():
    def interrupted(item, gate):
        os.kill(os.getpid(), signal.SIGINT)
        return item

    assert [answer.result for answer in isolated_map(interrupted, range(3), workers=1)] == [0, 1, 2]


def test_blas_has_one_thread_in_a_worker():
    def threads(item, gate):
        from threadpoolctl import threadpool_info

        np.ones((400, 400)) @ np.ones((400, 400))
        return [library["num_threads"] for library in threadpool_info()]

    (answer,) = isolated_map(threads, [0], workers=1)
    assert set(answer.result) == {1}


def test_limits_outside_their_domain_are_refused_before_anything_runs():
    with pytest.raises(ParameterError, match="workers must be at least 1, got 0"):
        isolated_map(work, [], workers=0)
    with pytest.raises(ParameterError, match=r"timeout must be at least 0\.1 s, got 0"):
        isolated_map(work, [], workers=1, timeout=0)


def test_there_is_at_least_one_core():
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


def test_a_process_with_threads_does_not_fork(monkeypatch):
    monkeypatch.undo()  # of the fixture that says it may
    monkeypatch.setattr(process.sys, "modules", {name: 0 for name in sys.modules if name != "torch"})
    assert process.may_fork() == (threading.active_count() == 1)
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    assert not process.may_fork()
    release.set()
    thread.join()


SPAWNING = """
import os, signal, sys, threading, time
from functools import partial
from spectell.workflows.workers.pool import isolated_map

def work(weight, item, gate):
    if item == 3:
        os.kill(os.getpid(), signal.SIGSEGV)
    with gate:
        return item if sys.argv[1] == "results" else time.sleep(60)

if __name__ == "__main__":
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    for answer in isolated_map(partial(work, bytes(int(sys.argv[2]))), range(6), workers=2):
        print(answer.result, flush=True)
"""
LONGER_THAN_A_PIPE = "1000000"


@pytest.mark.parametrize("weight", ["0", LONGER_THAN_A_PIPE])
def test_where_forking_is_unsafe_workers_are_spawned(tmp_path, weight):
    script = tmp_path / "script.py"
    script.write_text(SPAWNING)
    done = subprocess.run([sys.executable, script, "results", weight], capture_output=True, text=True, timeout=60)
    assert done.stdout.split("\n")[:6] == [
        *("0", "1", "2"),
        "Failure(reason='the decoder crashed (signal 11)')",
        *("4", "5"),
    ], done.stderr


@pytest.mark.parametrize("weight", ["0", LONGER_THAN_A_PIPE])
def test_a_script_without_a_guard_is_told_what_it_lacks(tmp_path, weight):
    script = tmp_path / "script.py"
    script.write_text(SPAWNING.replace('if __name__ == "__main__":', "if True:"))
    done = subprocess.run([sys.executable, script, "results", weight], capture_output=True, text=True, timeout=60)
    assert "call it below: if __name__ == '__main__':" in done.stderr


NEVER_LISTENS = """
import sys, threading, time
from spectell.errors import SpectellError
from spectell.workflows.workers import pool, process

def work(item, gate):
    return item

if __name__ == "__mp_main__":
    time.sleep(600)
if __name__ == "__main__":
    process._START_SECONDS = 1.0
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    try:
        list(pool.isolated_map(work, ["x" * int(sys.argv[1])] * 3, workers=2))
    except SpectellError as error:
        print(error)
"""


@pytest.mark.parametrize("length", ["1", LONGER_THAN_A_PIPE])
def test_a_worker_that_never_listens_is_given_up_whatever_it_is_to_be_sent(tmp_path, length):
    script = tmp_path / "script.py"
    script.write_text(NEVER_LISTENS)
    done = subprocess.run([sys.executable, script, length], capture_output=True, text=True, timeout=30)
    assert done.stdout.startswith("a worker process could not start (took longer than 1 s); in a script"), done.stderr


WORK_THAT_IS_LOST = """
import multiprocessing, os, threading, time
from spectell.errors import SpectellError
from spectell.workflows.workers import pool, process

class Work:
    def __init__(self, function, *arguments):
        self.made = function, arguments
    def __reduce__(self):
        return self.made

if __name__ == "__main__":
    process._START_SECONDS = 2.0
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    for work in (Work(os._exit, 3), Work(time.sleep, 600), lambda item, gate: item):
        try:
            list(pool.isolated_map(work, ["item"], workers=2))
        except SpectellError as error:
            print(error)
"""


def test_work_that_a_worker_cannot_take_up_is_told_from_a_worker_that_cannot_start(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(WORK_THAT_IS_LOST)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    ended, late, never_sent = done.stdout.splitlines() or [done.stderr] * 3
    assert ended == "a worker process could not take up its work (exit status 3)"
    assert late == "a worker process could not take up its work (took longer than 2 s)"
    assert never_sent.startswith("a worker process cannot be given its work: Can't pickle <function <lambda>")


@pytest.mark.parametrize(
    "function",
    [
        *(scan, scan_to_file, evaluate, calibrate, train_model, spectrum),
        *(folder_statistics, perturb_images, prepare_images, audit_manifest),
    ],
    ids=lambda function: function.__name__,
)
def test_whatever_starts_processes_says_what_a_script_needs(function):
    assert """below ``if __name__ == "__main__":``""" in inspect.getdoc(function)


@pytest.mark.parametrize("threads", [False, True])
@pytest.mark.parametrize("busy", [False, True])
def test_workers_end_when_their_parent_is_killed(tmp_path, threads, busy):
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys, threading, time\n"
        "from spectell.workflows.workers.pool import isolated_map\n"
        "def work(item, gate):\n"
        f"    if item or {busy}:\n"
        "        os.write(1, b'%d\\n' % os.getpid()); time.sleep(60)\n"
        "    return os.getpid()\n"
        "if __name__ == '__main__':\n"
        f"    if {threads}: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        f"    for answer in isolated_map(work, range(2 if {busy} else 1), workers=2):\n"
        "        print(answer.result, flush=True)\n"
        "        time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        pids = [int(parent.stdout.readline()) for _ in range(2 if busy else 1)]
        assert all(alive(pid) for pid in pids)
        parent.kill()
        parent.wait()
        assert soon(lambda: not any(alive(pid) for pid in pids))


def test_a_crew_stays_from_one_map_to_the_next():
    with Crew(process_number, workers=2) as crew:
        first, second = ({answer.result for answer in crew.map(range(200))} for _ in range(2))
    assert first == second
    assert len(first) == 2
    assert not any(alive(number) for number in first)


def test_whoever_is_busy_when_a_map_is_left_answers_no_later_one():
    with Crew(work, workers=2) as crew:
        answers = crew.map(["a", "sleep 30", "sleep 30", "b"])
        assert next(answers).result == "A"
        answers.close()
        assert [answer.result for answer in crew.map(crowd(20))] == [item.upper() for item in crowd(20)]


def test_a_crew_replaces_who_died_between_two_maps():
    with Crew(process_number, workers=1) as crew:
        (first,) = crew.map([0])
        os.kill(first.result, signal.SIGKILL)
        (second,) = crew.map([0])
    assert second.result != first.result


@pytest.mark.timeout(20)
def test_a_full_window_that_is_answered_at_once_is_filled_again(monkeypatch):
    monkeypatch.setattr(dispatch, "WINDOW", 8)

    def first_is_slow(item, gate):
        time.sleep(2.0 if item == 0 else 0.06)  # more than a batch may take, so that one item is sent at a time
        return item

    assert [result for _, result in isolated_map(first_is_slow, range(20), workers=3, timeout=60.0)] == list(range(20))
