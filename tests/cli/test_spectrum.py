"""`spectell spectrum` through its real entry point."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def dataset(rng, tmp_path):
    for name, scale in (("real", 30), ("gan", 20)):
        folder = tmp_path / "toys" / name
        folder.mkdir(parents=True)
        for number in range(4):
            pixels = rng.normal(128, scale, (40, 40, 3)).clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    return tmp_path / "toys"


def run(*arguments, status=0):
    command = [sys.executable, "-m", "spectell", "spectrum", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_it_writes_arrays_and_a_summary_and_says_what_it_found(dataset, tmp_path):
    done = run(dataset, "-o", tmp_path / "out", "--no-figures")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["spectra.json", "spectra.npz"]
    assert "toys/real  (reference): 4 images" in done.stdout
    assert "toys/gan against toys/real, 40x40 log grey" in done.stdout


def test_a_share_that_only_rounds_to_none_is_not_said_to_be_none(rng, tmp_path):
    wave = 20 * np.outer(*[np.cos(np.pi * (np.arange(64) + 0.5) * k / 64) for k in (20, 30)])[..., None]
    for name, added in (("real", 0), ("gan", wave)):
        (tmp_path / "toys" / name).mkdir(parents=True)
        for number in range(16):
            pixels = rng.normal(128, 10, (64, 64, 3)) + added
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / "toys" / name / f"{number}.png")
    done = run(tmp_path / "toys", "-o", tmp_path / "out", "--no-figures")
    assert "64x64 log grey: under 0.1 % of coefficients differ, the largest" in done.stdout


def test_json_is_the_summary_that_is_written(dataset, tmp_path):
    done = run(dataset, "-o", tmp_path / "out", "--no-figures", "--json", "--reference", "gan", "--limit", 3)
    assert json.loads(done.stdout) == json.loads((tmp_path / "out" / "spectra.json").read_text())
    assert json.loads(done.stdout)["reference"] == "toys/gan"
    assert [each["files"]["n_images"] for each in json.loads(done.stdout)["sets"]] == [3, 3]


def test_results_that_follow_merge_are_merged(dataset, tmp_path):
    parts = []
    for name in ("real", "gan"):
        run(dataset / name, "-o", tmp_path / name, "--no-figures")
        parts.append(tmp_path / name / "spectra.npz")
    run("--merge", *parts, "-o", tmp_path / "all", "--no-figures")
    found = json.loads((tmp_path / "all" / "spectra.json").read_text())
    assert [each["name"] for each in found["sets"]] == ["toys/real", "toys/gan"]
    assert found["comparisons"]


def test_errors_are_one_line(dataset, tmp_path):
    assert "does not exist" in run(tmp_path / "absent", "-o", tmp_path / "out", status=1).stderr
    assert "must name one set" in run(dataset, "-o", tmp_path / "out", "--reference", "x", status=1).stderr
    assert "name a data set" in run("-o", tmp_path / "out", status=2).stderr
    (tmp_path / "file").touch()
    assert "cannot write to the folder" in run(dataset, "-o", tmp_path / "file", "--no-figures", status=1).stderr


def test_an_interrupt_is_one_line_and_status_130(dataset, tmp_path):
    for number in range(4, 4000):
        (dataset / "real" / f"{number}.png").symlink_to(dataset / "real" / f"{number % 4}.png")
    # During an import Python may lose an interrupt, or end by the signal: hence the wait for the first results.
    program = Path(sys.executable).with_name("spectell")
    command = [program, "spectrum", str(dataset), "-o", str(tmp_path / "out"), "--no-figures"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not list((tmp_path / "out" / ".spectrum-work").glob("*.part")):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on" in errors
    assert "Traceback" not in errors
