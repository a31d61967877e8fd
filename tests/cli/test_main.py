"""The frame of the command line."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from PIL import Image

import spectell.cli
from spectell.cli import COMMANDS, cli
from spectell.cli.limits import file_limits
from spectell.errors import ImageError, MismatchError, ParameterError
from spectell.evaluation.thresholds import DEFAULT_FPR
from spectell.images import DEFAULT_MAX_PIXELS
from spectell.workflows.reading.limits import DEFAULT_TIMEOUT


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
        (MismatchError("too few images, got 3"), 1, "Error: too few images, got 3\n"),
        (ParameterError("fpr must lie between 0 and 1, got 2"), 2, "Error: fpr must lie between 0 and 1, got 2\n"),
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


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ("scan IN --fpr 2", 2),
        ("scan IN --fpr nan", 2),
        ("scan IN --fpr 0.0001", 1),
        ("scan IN --model absent", 1),
        ("explain IN/real/a.png --fpr 0 -o -", 2),
        ("explain IN/real/a.png --fpr 0.0001 -o -", 1),
        ("calibrate default IN -o OUT.safetensors", 1),
        ("evaluate default IN --fpr 2", 2),
        ("evaluate default IN --split absent", 1),
        ("spectrum IN -o OUT --reference absent", 1),
        ("train IN -o OUT --strength 0", 2),
        ("train IN -o OUT --grid --strength 1", 2),
        ("train IN -o OUT --probability 0.5", 2),
        ("train IN -o OUT", 1),
        ("dataset build IN -o OUT.txt", 2),
        ("dataset build absent -o OUT.csv", 1),
        ("dataset split IN -o OUT.csv --fractions 1.5 -0.5 0", 2),
        ("dataset pack IN -o IN", 1),
        ("dataset pack IN -o OUT --size 64", 1),
        ("dataset prepare celeba IN OUT --size 256", 2),
        ("dataset prepare ffhq IN IN/out --size 8", 1),
        ("perturb jpeg IN OUT --quality 90 70", 2),
        ("perturb webp IN OUT --preset frank2020", 2),
        ("perturb jpeg IN OUT --replay absent", 1),
        ("perturb jpeg IN IN", 1),
        ("generate train IN -o OUT --learning-rate 0", 2),
        ("generate train IN -o OUT --loss autoencoder --smoothing", 2),
        ("generate reconstruct IN -o OUT", 2),
        ("generate reconstruct IN -o OUT --simulate --before absent", 2),
        ("generate reconstruct IN -o OUT --simulate", 1),
        ("reproduce absent --data IN", 2),
        ("reproduce spectra --data absent", 1),
        ("models absent", 1),
        ("bench --model absent", 1),
        ("bench -j 0", 2),
        ("demo -o IN/real/a.png", 2),
    ],
)
def test_wrong_usage_has_status_2_and_what_does_not_fit_the_files_1(tmp_path, arguments, status):
    """Whether the command line alone is wrong decides, whatever the files hold."""
    if "--loss autoencoder" in arguments:
        pytest.importorskip("torch")
    (tmp_path / "in" / "real").mkdir(parents=True)
    Image.new("RGB", (16, 16)).save(tmp_path / "in" / "real" / "a.png")
    places = {"IN": str(tmp_path / "in"), "OUT": str(tmp_path / "out")}
    words = [word.replace("IN", places["IN"]).replace("OUT", places["OUT"]) for word in arguments.split()]
    result = CliRunner().invoke(cli, words, prog_name="spectell")
    assert result.exit_code == status, result.output
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert status == 1 or not list(tmp_path.glob("out*")), "wrong usage leaves nothing behind"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["scan", "--help"]])
def test_help_that_has_nowhere_to_go_is_one_line(arguments):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-m", "spectell", *arguments], stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, b"Error: cannot write the output: No space left on device\n")


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams with a shell")
@pytest.mark.parametrize(("closed", "status"), [("0<&-", 1), ("1>&-", 3), ("2>&-", 3), ("0<&- 1>&- 2>&-", 1)])
def test_a_closed_standard_stream_is_an_empty_one(tmp_path, closed, status):
    paths = "-" if "0" in closed else "no-such-file.jpg"
    script = f'"$0" -m spectell scan {paths} -o "$1" --json {closed}'
    output = tmp_path / "rows.jsonl"
    done = subprocess.run(["sh", "-c", script, sys.executable, output], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    if status == 3:
        assert output.read_text().count("\n") == 1


def test_a_bug_keeps_its_traceback(monkeypatch):
    def fail():
        raise ZeroDivisionError

    monkeypatch.setattr(spectell.cli.LazyGroup, "get_command", lambda *_: click.Command("x", callback=fail))
    assert isinstance(CliRunner().invoke(cli, ["x"]).exception, ZeroDivisionError)


@pytest.mark.parametrize("command", ["scan", "evaluate", "calibrate", "train"])
def test_options_that_repeat_a_default_of_the_library_agree_with_it(command):
    """They are written out so that --help need not import the library."""
    options = {option.name: option for option in cli.get_command(None, command).params}
    assert "fpr" not in options or options["fpr"].default == DEFAULT_FPR
    assert options["timeout"].default == DEFAULT_TIMEOUT
    assert f"{DEFAULT_MAX_PIXELS // 10**6} million by default" in options["max_pixels"].help


def test_only_a_limit_that_was_given_reaches_the_command():
    @click.command()
    @file_limits
    def command(**options):
        click.echo(repr(options))

    assert CliRunner().invoke(command, []).output == "{'timeout': 60.0}\n"
    assert CliRunner().invoke(command, ["--max-pixels", "7"]).output == "{'timeout': 60.0, 'max_pixels': 7}\n"
