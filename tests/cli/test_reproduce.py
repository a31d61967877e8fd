import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for name, seed in (("real", 1), ("gan", 2)):
        rng = np.random.default_rng(seed)
        (folder / "faces" / name).mkdir(parents=True)
        for index in range(3):
            pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "faces" / name / f"{index}.png")
    (folder / "more.zip").touch()
    return folder


def reproduce(*arguments, status=0):
    command = [sys.executable, "-m", "spectell", "reproduce", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == status, done.stderr
    return done


def test_a_dry_run_prints_cells_images_and_time_and_writes_nothing(images, tmp_path):
    done = reproduce("spectra", "--data", images, "--dry-run", "-o", tmp_path / "out")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("faces       6 images  about ")
    assert lines[0].endswith("real (3), gan (3)")
    assert lines[1].startswith("1 cell, 6 images, about ")
    assert lines[2] == "Left out: more.zip is an archive; unpack it to include it"
    assert not (tmp_path / "out").exists()


def test_a_run_prints_its_record_and_the_record_repeats_it(images, tmp_path):
    done = reproduce("spectra", "--data", images, "-o", tmp_path / "out", "--workers", 1, "--json")
    record = json.loads(done.stdout)
    assert record["command"].startswith("spectell reproduce spectra --data ")
    assert (tmp_path / "out" / "index.html").read_text().startswith("<!doctype html>")
    again = reproduce(*record["command"].split()[2:], "--dry-run", "--json")
    assert json.loads(again.stdout)["cells"][0]["done"]


def test_an_unknown_name_is_wrong_usage(images):
    assert "no experiment" in reproduce("spectre", "--data", images, status=2).stderr


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    done = reproduce("spectra", "--data", tmp_path / "none", status=1)
    assert done.stderr.startswith("Error: data must be a folder of data sets")
    assert done.stderr.count("\n") == 1
