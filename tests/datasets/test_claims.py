"""Claims: one process and one thread at a time, and none that outlives its process."""

import errno
import subprocess
import sys
import threading

import pytest

from spectell.datasets.claims import claim, claimed

HOLDING = """
import sys
from pathlib import Path
from spectell.datasets.claims import claimed
with claimed(Path(sys.argv[1])) as ours:
    print(ours, flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no claims")


@pytest.fixture
def holder(tmp_path):
    """A process that holds a claim on the file."""
    command = [sys.executable, "-c", HOLDING, str(tmp_path / "claim")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "True\n"
        yield process
        process.kill()


def ours(path):
    with claimed(path) as found:
        return found


def test_a_second_process_is_told(holder, tmp_path):
    assert not ours(tmp_path / "claim")
    holder.communicate("")
    assert ours(tmp_path / "claim")


def test_a_killed_process_keeps_nobody_out(holder, tmp_path):
    holder.kill()
    holder.wait()
    assert ours(tmp_path / "claim")


def test_a_file_that_its_owner_removes_meanwhile_is_not_claimed(tmp_path, monkeypatch):
    def claim(_):
        (tmp_path / "claim").unlink()
        return True

    monkeypatch.setattr("spectell.datasets.claims.claim", claim)
    assert not ours(tmp_path / "claim")


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EACCES])  # systems differ in which of the two they say
def test_a_conflict_is_one_by_either_of_its_numbers(tmp_path, monkeypatch, number):
    def lockf(*_):
        raise OSError(number, "taken")

    monkeypatch.setattr("fcntl.lockf", lockf)
    with (tmp_path / "claim").open("wb") as file:
        assert not claim(file.fileno())


def test_a_file_system_without_locks_keeps_nobody_out(tmp_path, monkeypatch):
    def lockf(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr("fcntl.lockf", lockf)
    assert ours(tmp_path / "claim")


def test_a_second_thread_is_told(tmp_path):
    found = []
    with claimed(tmp_path / "claim"):
        thread = threading.Thread(target=lambda: found.append(ours(tmp_path / "claim")))
        thread.start()
        thread.join()
        assert not ours(tmp_path / "claim")  # nor does the same thread get it twice
    assert found == [False]
    assert ours(tmp_path / "claim")


def test_a_thread_that_is_told_leaves_the_claim_to_its_owner(tmp_path):
    with claimed(tmp_path / "claim"):
        assert not ours(tmp_path / "claim")
        command = [sys.executable, "-c", HOLDING, str(tmp_path / "claim")]
        assert subprocess.run(command, input="", capture_output=True, text=True, check=True).stdout == "False\n"


def test_what_its_owner_removed_is_for_the_next(tmp_path):
    with claimed(tmp_path / "claim"):
        (tmp_path / "claim").unlink()
        assert ours(tmp_path / "claim")
