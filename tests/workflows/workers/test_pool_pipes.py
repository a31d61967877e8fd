"""The pipes between parent and workers, and the clock by which a worker is late."""

import os
import signal
import subprocess
import sys
import time

import pytest

from spectell.workflows.workers.pool import isolated_map
from spectell.workflows.workers.process import WorkerProcess

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="forked workers and signals"),
    pytest.mark.usefixtures("forked"),
]

LONGER_THAN_A_PIPE = 300_000

STOPPED = """
import time
from spectell.workflows.workers.pool import isolated_map

def work(item, gate):
    for _ in range(40):  # each sleep ends at the latest when the process goes on: the work that is left remains
        time.sleep(0.02)
    return item

print("started", flush=True)
print([answer.result for answer in isolated_map(work, range(4), workers=1, timeout=4.0)])
"""


def _echo(item, gate):
    return item


@pytest.mark.parametrize(
    "wrap", [str, lambda text: (text, text), lambda text: ("", (text,))], ids=["text", "pairs", "nested"]
)
def test_items_and_results_longer_than_a_pipe_do_not_lock_both_ends(wrap):
    items = [wrap("x" * LONGER_THAN_A_PIPE) for _ in range(150)]
    signal.alarm(30)  # a lock would be for ever
    try:
        answers = list(isolated_map(_echo, items, workers=2, timeout=20.0))
    finally:
        signal.alarm(0)
    assert [answer.result for answer in answers] == items


def test_long_items_between_short_ones_stay_in_order():
    items = ["x" * (LONGER_THAN_A_PIPE if k % 7 == 3 else 5) + str(k) for k in range(60)]
    assert [answer.result for answer in isolated_map(_echo, items, workers=2, timeout=20.0)] == items


@pytest.mark.parametrize("length", [1, 40, 5_000])
def test_no_message_to_a_busy_worker_is_longer_than_a_pipe_takes(monkeypatch, length):
    lengths = []

    def noted(worker, batch, message):
        if worker.batches:
            lengths.append(len(message))
        send(worker, batch, message)

    send = WorkerProcess.send
    monkeypatch.setattr(WorkerProcess, "send", noted)
    items = [(number, tuple(f"{number:06}" for _ in range(length))) for number in range(3000)]
    assert [answer.result for answer in isolated_map(_echo, items, workers=2)] == items
    assert max(lengths, default=0) <= 4096
    assert bool(lengths) == (length < 5_000)


def test_the_time_for_which_a_run_was_stopped_is_nobodys_lateness():
    """Ctrl-Z and fg stop and continue the whole group, so that nobody worked meanwhile."""
    run = subprocess.Popen([sys.executable, "-c", STOPPED], stdout=subprocess.PIPE, start_new_session=True)
    try:
        assert run.stdout.readline() == b"started\n"
        time.sleep(0.5)
        os.killpg(run.pid, signal.SIGSTOP)
        time.sleep(5.0)
        os.killpg(run.pid, signal.SIGCONT)
        assert run.communicate(timeout=60)[0] == b"[0, 1, 2, 3]\n"
    finally:
        run.kill()
        run.communicate()
