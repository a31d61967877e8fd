"""`spectell scan` as a process of its own, with a model that reads its orders from the pixels (marked.py)."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("marked.py")


@pytest.fixture
def pids(tmp_path_factory):
    return tmp_path_factory.mktemp("pids")


@pytest.fixture
def command(pids):
    def build(*arguments, seconds=0.0):
        return [sys.executable, str(SCRIPT), str(pids), str(seconds), "scan", *map(str, arguments)]

    return build


@pytest.fixture
def scan(command):
    def run(*arguments, seconds=0.0, status=0, **options):
        options = {"capture_output": True, "timeout": 120, **options}
        done = subprocess.run(command(*arguments, seconds=seconds), **options)
        assert done.returncode == status, done.stderr
        return done

    return run
