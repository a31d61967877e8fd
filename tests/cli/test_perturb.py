import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from spectell.cli import cli
from spectell.cli.perturb import _NAMES
from spectell.workflows.perturb import NAMES


@pytest.fixture
def run():
    def invoke(*arguments, status=0):
        result = CliRunner().invoke(cli, [*map(str, arguments)], prog_name="spectell")
        assert result.exit_code == status, result.output
        return result

    return invoke


@pytest.fixture
def faces(tmp_path, rng):
    for name in ("real/a.png", "gan/a.png"):
        file = tmp_path / "faces" / name
        file.parent.mkdir(parents=True)
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(file)
    return tmp_path / "faces"


def test_the_names_are_those_of_the_library():
    assert _NAMES == NAMES


def test_a_copy_its_replay_and_what_is_printed(run, faces, tmp_path):
    out, again = tmp_path / "out", tmp_path / "again"
    printed = run("perturb", "jpeg", faces, out, "--quality", 40, 45, "--seed", 3, "-j", 1)
    assert printed.stdout == f"Wrote 2 images to {out}.\n"
    described = json.loads(run("perturb", "jpeg", faces, again, "--replay", out / "record.jsonl", "--json").stdout)
    assert described == {"output": str(again), "images": 2, "reused": 0, "changed": 2, "skipped": 0, "different": 0}
    assert (out / "gan" / "a.jpg").read_bytes() == (again / "gan" / "a.jpg").read_bytes()


def test_a_broken_file_is_named_and_the_status_is_3(run, faces, tmp_path):
    (faces / "gan" / "b.png").write_bytes(b"no image")
    result = run("perturb", "blur", faces, tmp_path / "out", status=3)
    assert result.stderr.startswith("Skipped 'gan/b.png': cannot read ")
    assert "Wrote 2 images" in result.stdout


def test_what_does_not_fit_is_one_line(run, faces, tmp_path):
    out = tmp_path / "out"
    assert "has no option 'quality'" in run("perturb", "noise", faces, out, "--quality", 1, 2, status=1).stderr
    assert "unknown preset 'x'" in run("perturb", "noise", faces, out, "--preset", "x", status=1).stderr
    assert "does not exist" in run("perturb", "noise", tmp_path / "no", out, status=1).stderr
    run("perturb", "smear", faces, out, status=2)
    run("perturb", "jpeg", faces, out, "--replay", "r", "--seed", 1, status=2)
    assert not out.exists()


def test_prepare_writes_squares_and_names_what_it_left_out(run, faces, tmp_path, rng):
    Image.fromarray(rng.integers(0, 256, (64, 60, 3), dtype=np.uint8)).save(faces / "oblong.png")
    result = run("dataset", "prepare", "ffhq", faces, tmp_path / "out", "--size", 32, status=3)
    assert "this one has 60 x 64 pixels" in result.stderr
    with Image.open(tmp_path / "out" / "real" / "gan" / "a.png") as image:
        assert image.size == (32, 32)
    assert (
        "size must lie between 8 and 128 for celeba"
        in run("dataset", "prepare", "celeba", faces, tmp_path / "out2", "--size", 256, status=1).stderr
    )
