import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from spectell.cli import cli


@pytest.fixture
def album(tmp_path, rng):
    folder = tmp_path / "album"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(rng.integers(0, 256, (40, 36, 3), dtype=np.uint8)).save(folder / name)
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def run(*arguments):
    return CliRunner().invoke(cli, ["generate", "reconstruct", *map(str, arguments)])


def test_pairs_are_written_and_the_broken_file_costs_a_line(album, tmp_path):
    done = run(album, "--simulate", "-o", tmp_path / "out")
    assert done.exit_code == 3
    assert "Wrote 2 originals and their reconstructions by simulated" in done.stdout
    assert done.stderr.startswith("Skipped 'broken.png': cannot read")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "manifest.csv",
        "real",
        "record.jsonl",
        "simulated",
    ]


def test_a_second_run_needs_to_resume(album, tmp_path):
    run(album, "--simulate", "-o", tmp_path / "out")
    refused = run(album, "--simulate", "-o", tmp_path / "out")
    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert "is not empty" in refused.stderr
    (tmp_path / "out" / "simulated" / ".a.png.4711.part").write_bytes(b"of a run that was killed")
    resumed = run(album, "--simulate", "-o", tmp_path / "out", "--resume", "--json")
    assert resumed.exit_code == 3
    assert not list(tmp_path.rglob("*.part"))
    found = json.loads(resumed.stdout)
    assert (found["pictures"], found["reused"], found["skipped"]) == (2, 2, 1)


def test_what_cannot_be_is_one_line(album, tmp_path):
    for arguments, status in (
        (["-o", "x"], 2),
        (["--simulate", "--history", "gif", "-o", "y"], 2),
        (["-w", "absent", "-o", "z"], 1),
    ):
        done = run(album, *arguments[:-1], tmp_path / arguments[-1])
        assert (done.exit_code, done.stderr.count("\n")) == (status, 1), done.stderr
        assert not (tmp_path / arguments[-1]).exists()
    assert run(album, "--simulate", "--crop", "8", "-o", tmp_path / "x").exit_code == 2


def test_an_output_that_is_a_file_and_a_folder_without_images_are_one_line(album, tmp_path):
    (tmp_path / "sub.txt").write_text("mine")
    done = run(album, "--simulate", "-o", tmp_path / "sub.txt")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "sub.txt' is a file, and a folder is needed" in done.stderr
    assert (tmp_path / "sub.txt").read_text() == "mine"
    assert "lies in the folder of the images" in run(album, "--simulate", "-o", album / "pairs").stderr
    assert not (album / "pairs").exists()
    (tmp_path / "empty").mkdir()
    done = run(tmp_path / "empty", "--simulate", "-o", tmp_path / "out")
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1), done.stderr
    assert done.stderr.endswith("holds no real images; name a folder of photographs\n")
    assert not (tmp_path / "out").exists()


def test_all_files_that_can_be_used_are_status_0(album, tmp_path):
    (album / "broken.png").unlink()
    assert run(album, "--simulate", "-o", tmp_path / "out").exit_code == 0


@pytest.mark.torch
def test_an_autoencoder_is_trained_by_the_command_that_trains_generators(album, tmp_path, rng):
    pytest.importorskip("torch")
    for number in range(4):
        Image.fromarray(rng.integers(0, 256, (70, 64, 3), dtype=np.uint8)).save(album / f"large{number}.png")
    train = ["generate", "train", str(album), "--loss", "autoencoder", "--steps", "1", "--batch", "2"]
    done = CliRunner().invoke(cli, [*train, "--upsampling", "binomial", "-o", str(tmp_path / "run")])
    assert done.exit_code == 0, done.stderr
    assert "images that it never saw" in done.stdout
    (album / "broken.png").unlink()
    made = run(album, "-w", tmp_path / "run", "-o", tmp_path / "out", "--limit", "2", "--json")
    assert json.loads(made.stdout)["generators"] == ["autoencoder-binomial"]
    refused = CliRunner().invoke(cli, [*train, "--progressive", "-o", str(tmp_path / "other")])
    assert (refused.exit_code, "--progressive is for" in refused.stderr) == (2, True)
    refused = CliRunner().invoke(cli, [*train, "--learning-rate", "0", "-o", str(tmp_path / "other")])
    assert (refused.exit_code, "learning_rate must be positive" in refused.stderr) == (2, True)
    refused = CliRunner().invoke(cli, [*train, "-o", str(album / "network")])
    assert (refused.exit_code, "lies in the folder of the images" in refused.stderr) == (1, True)
