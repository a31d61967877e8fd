"""The examples of docs/models.md run as they stand there."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from spectell.cli import cli

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models.md"


@pytest.fixture
def folder(toy_dataset, toy_photographs, tmp_path, monkeypatch):
    (tmp_path / "faces").symlink_to(toy_dataset)
    (tmp_path / "my-photographs").symlink_to(toy_photographs)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def blocks(language, *, torch=False):
    """Give the examples that need PyTorch, or those that do not."""
    found = re.findall(rf"```{language}\n(.*?)```(?!\n\n<!-- not run)", PAGE.read_text(), re.DOTALL)
    return [block for block in found if ("cnn" in block) == torch]


def run_commands(*, torch):
    """Run the commands of the page; return the status of each, and the files that they name as output."""
    commands = [line.removeprefix("$ ") for line in "".join(blocks("console", torch=torch)).splitlines()]
    words = [shlex.split(command)[1:] for command in commands]
    statuses = [CliRunner().invoke(cli, each, prog_name="spectell").exit_code for each in words]
    return statuses, [Path(each[each.index("-o") + 1]) for each in words if "-o" in each]


def test_the_commands_run(folder):
    statuses, outputs = run_commands(torch=False)
    assert statuses == [0] * 7
    assert outputs
    assert all(path.is_file() for path in outputs)


@pytest.mark.torch
def test_the_examples_of_networks_run(folder):
    pytest.importorskip("torch")
    statuses, outputs = run_commands(torch=True)
    assert statuses == [0] * 3
    assert all(path.is_file() for path in outputs)
    (block,) = blocks("python", torch=True)
    exec(compile(block, str(PAGE), "exec"), {})


def test_the_python_runs(folder):
    for block in blocks("python"):
        exec(compile(block, str(PAGE), "exec"), {"__name__": "__main__"})
    assert (folder / "mine.safetensors").is_file()
