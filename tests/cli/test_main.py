"""The frame of the command line."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

import spectell.cli
from spectell.cli import COMMANDS, cli
from spectell.errors import ImageError
from spectell.evaluation.thresholds import DEFAULT_FPR
from spectell.workflows.scan import DEFAULT_TIMEOUT


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "spectell", *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_has_help_with_an_example(name):
    result = CliRunner().invoke(cli, [name, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"spectell {name}" in result.output


def test_the_list_of_commands_imports_none_of_them():
    script = (
        "import sys, spectell.cli as c; c.cli(['--help'], standalone_mode=False);"
        "print(sorted(m for m in sys.modules if m.startswith('spectell.') or m == 'numpy'))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "['spectell.cli', 'spectell.errors']"
    for name, (_, summary) in COMMANDS.items():
        assert name in done.stdout
        assert summary.split()[0] in done.stdout


def test_the_version_is_printed():
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("spectell ")


def test_an_unknown_command_is_wrong_usage():
    done = run("scam")
    assert done.returncode == 2
    assert "No such command 'scam'" in done.stderr


@pytest.mark.parametrize(
    ("error", "status", "output"),
    [
        (ImageError("cannot read a.jpg: it is empty"), 1, "Error: cannot read a.jpg: it is empty\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (BrokenPipeError(), 141, ""),
        (OSError(28, "No space left on device"), 1, "Error: cannot write the output: No space left on device\n"),
    ],
)
def test_each_way_of_ending_early_has_its_status(monkeypatch, error, status, output):
    def fail():
        raise error

    monkeypatch.setattr(spectell.cli.LazyGroup, "get_command", lambda *_: click.Command("x", callback=fail))
    result = CliRunner().invoke(cli, ["x"])
    assert (result.exit_code, result.output) == (status, output)


def test_a_bug_keeps_its_traceback(monkeypatch):
    def fail():
        raise ZeroDivisionError

    monkeypatch.setattr(spectell.cli.LazyGroup, "get_command", lambda *_: click.Command("x", callback=fail))
    assert isinstance(CliRunner().invoke(cli, ["x"]).exception, ZeroDivisionError)


@pytest.mark.parametrize("command", ["scan", "evaluate"])
def test_options_that_repeat_a_default_of_the_library_agree_with_it(command):
    """They are written out so that --help need not import the library."""
    defaults = {option.name: option.default for option in cli.get_command(None, command).params}
    assert defaults["fpr"] == DEFAULT_FPR
    assert defaults.get("timeout", DEFAULT_TIMEOUT) == DEFAULT_TIMEOUT
