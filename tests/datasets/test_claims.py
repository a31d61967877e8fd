"""Claims: one process at a time, and none that outlives its process."""

import subprocess
import sys

import pytest

from spectell.datasets.claims import claimed

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
