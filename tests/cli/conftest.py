"""The command line in this process, and `spectell scan` in one of its own, with a model that obeys pixels."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from spectell.cli import cli

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


@pytest.fixture
def invoke():
    """Run the command line in this process; its status is asserted, and what it printed is returned."""

    def call(*arguments, status=0):
        result = CliRunner().invoke(cli, [*map(str, arguments)], prog_name="spectell")
        assert result.exit_code == status, result.output
        return result

    return call
