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


def run_commands(*, torch, number):
    commands = [line.removeprefix("$ ") for line in "".join(blocks("console", torch=torch)).splitlines()]
    assert len(commands) == number
    for command in commands:
        result = CliRunner().invoke(cli, shlex.split(command)[1:], prog_name="spectell")
        assert result.exit_code == 0, result.output


def test_the_commands_run(folder):
    run_commands(torch=False, number=7)


@pytest.mark.torch
def test_the_examples_of_networks_run(folder):
    pytest.importorskip("torch")
    run_commands(torch=True, number=3)
    (block,) = blocks("python", torch=True)
    exec(compile(block, str(PAGE), "exec"), {})


def test_the_python_runs(folder):
    for block in blocks("python"):
        exec(compile(block, str(PAGE), "exec"), {})
    assert (folder / "mine.safetensors").is_file()
