"""What the pages promise: links lead somewhere, every command is listed as it is called, and the examples run."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from spectell.cli import COMMANDS, cli
from spectell.datasets import read_dataset
from spectell.datasets.packed import pack
from spectell.detectors.artifact import DEFAULT_MODEL

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
INDEX = ROOT / "docs" / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
MAKE_TARGETS = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)


def relative_links(page):
    targets = re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", page.read_text())
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def leaves(group, prefix=()):
    """Name every command that does something, ``("dataset", "build")`` among them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from leaves(command, (*prefix, name))
        else:
            yield (*prefix, name)


LEAVES = list(leaves(cli))


def usage(words):
    output = CliRunner().invoke(cli, [*words, "--help"], prog_name="spectell").output
    line = output.partition("\n\n")[0].removeprefix("Usage: ").replace(" [OPTIONS]", "")
    return " ".join(line.split()).replace("...", "…")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page):
    for link in relative_links(page):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_is_in_the_index():
    linked = {(INDEX.parent / link.partition("#")[0]).resolve() for link in relative_links(INDEX)}
    assert linked >= set(ROOT.glob("docs/**/*.md")) - {INDEX}


def test_decisions_are_numbered_without_a_gap_and_say_their_status():
    decisions = sorted((ROOT / "docs" / "decisions").iterdir())
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for number, path in enumerate(decisions, start=1):
        title, _, status = path.read_text().split("\n")[:3]
        assert title.startswith(f"# {number}. ")
        assert re.match("Accepted|Superseded|Rejected|Proposed", status)


def test_the_readme_lists_every_command_as_it_is_called():
    listed = re.findall(r"^\| `(spectell [^`]+)` \|", README.read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(usage(words) for words in LEAVES)


def test_the_index_names_a_page_for_every_command():
    assert re.findall(r"^\| `spectell (\w+)` \|", INDEX.read_text(), re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("words", [(), *[(name,) for name in COMMANDS], *LEAVES], ids=" ".join)
def test_every_command_has_help_with_an_example(words):
    result = CliRunner().invoke(cli, [*words, "--help"], prog_name="spectell")
    assert result.exit_code == 0
    assert re.search(rf"Example:\n\n +spectell {' '.join(words)}", result.output)


@pytest.mark.parametrize("page", [README, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_every_make_target_that_a_page_names_exists(page):
    named = set(re.findall(r"(?:^|`)make (\w+)", page.read_text(), re.MULTILINE))
    assert named
    assert named <= set(MAKE_TARGETS)


@pytest.mark.skipif(not DEFAULT_MODEL.is_file(), reason="the default model is not there")
def test_the_python_of_the_readme_runs(tmp_path, rng):
    (tmp_path / "pictures").mkdir()
    Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(tmp_path / "pictures" / "holiday.png")
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(block)
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("pictures/holiday.png ")
    assert done.stdout.endswith(" PNG\n")


RUN_ELSEWHERE = {"models.md"}
"""Pages whose examples need more than the folders below; see tests/workflows/test_models_page.py."""

PYTHON = {page.name: re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL) for page in PAGES}
CONVERSATIONS = sorted(name for name, blocks in PYTHON.items() if any(block.startswith(">>>") for block in blocks))
SCRIPTS = sorted(
    (name, number)
    for name, blocks in PYTHON.items()
    for number, block in enumerate(blocks)
    if not block.startswith(">>>") and name not in {README.name, *RUN_ELSEWHERE}
)


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_the_conversations_of_a_page_go_as_printed(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testfile(str(ROOT / "docs" / name), module_relative=False, encoding="utf-8")
    assert result.attempted
    assert result.failed == 0


@pytest.mark.parametrize(("name", "number"), SCRIPTS)
def test_the_scripts_of_a_page_run(name, number, tmp_path, toy_dataset):
    """In a folder with what they name: a data set, a folder of data sets, and the images of a training."""
    for each in toy_dataset.glob("*/*.png"):
        (tmp_path / "faces" / each.parent.name).mkdir(parents=True, exist_ok=True)
        with Image.open(each) as image:
            image.resize((128, 128)).save(tmp_path / "faces" / each.parent.name / each.name)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "faces").symlink_to(toy_dataset)
    pack(read_dataset(toy_dataset), tmp_path / "faces-sngan" / "images", size=32)
    script = tmp_path / "example.py"
    script.write_text(PYTHON[name][number])
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
