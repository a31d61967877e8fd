"""generate train and generate sample, from the command line."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import spectell.cli.generate as command
from spectell.cli import cli

SMALL = ("--steps", 2, "--batch", 4, "--width", 2, "--threads", 1)


@pytest.fixture
def run():
    def invoke(*arguments, status=0):
        result = CliRunner().invoke(cli, ["generate", *map(str, arguments)], prog_name="spectell")
        assert result.exit_code == status, result.output
        return result

    return invoke


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    rng = np.random.default_rng(1)
    for index in range(6):
        Image.fromarray(rng.integers(0, 256, (64, 70, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(folder / "small.png")
    return folder


@pytest.mark.torch
def test_a_generator_is_trained_continued_and_sampled(run, photographs, tmp_path):
    pytest.importorskip("torch")
    place = tmp_path / "generator"
    result = run("train", photographs, "--upsampling", "binomial", *SMALL, "-o", place)
    assert "Trained sngan-binomial on 6 images for 2 steps" in result.stdout
    assert "left out images: 1 with a shorter side below 64 pixels, twice the size" in result.stderr
    refused = run("train", photographs, "--upsampling", "binomial", *SMALL, "-o", place, status=1)
    assert "holds a training already; go on with --resume" in refused.stderr
    done = run("train", photographs, "--upsampling", "binomial", *SMALL, "-o", place, "--resume", "--json")
    assert json.loads(done.stdout)["first_step"] == 2
    for name in ("a", "b"):
        sampled = run("sample", place, "--n", 3, "--seed", 3, "-o", tmp_path / name)
        assert "Wrote 3 images of 32x32 pixels by sngan-binomial" in sampled.stdout
    files = [sorted((tmp_path / name).glob("*.png")) for name in ("a", "b")]
    assert len(files[0]) == 3
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]


@pytest.mark.torch
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "{empty}", "-o", "{out}"), "holds no real images to train on"),
        (("train", "{photographs}", "--size", "64", "-o", "{out}"), "has 0 images to train on"),
        (("train", "{photographs}", "--learning-rate", "-1", "-o", "{out}"), "learning_rate must be positive, got -1"),
        (("sample", "{empty}", "-o", "{out}"), "holds no generator.safetensors"),
        (("sample", "nobody", "-o", "{out}"), "no generator 'nobody'"),
    ],
)
def test_bad_input_is_one_line_and_status_1(run, photographs, tmp_path, arguments, message):
    pytest.importorskip("torch")
    (tmp_path / "empty").mkdir()
    places = {"photographs": photographs, "empty": tmp_path / "empty", "out": tmp_path / "out"}
    result = run(*(argument.format(**places) for argument in arguments), status=1)
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.glob("out/*.safetensors"))


def test_without_torch_one_line_says_how_to_get_it(run, photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    for arguments in (("train", photographs, "-o", tmp_path), ("sample", "x", "-o", tmp_path)):
        assert "pip install 'spectell[torch]'" in run(*arguments, status=1).stderr


def test_wrong_usage_is_status_2(run):
    run("train", "x", "--loss", "lsgan", "-o", "y", status=2)
    run("train", "x", "--size", "48", "-o", "y", status=2)


def test_help_loads_no_torch_and_lists_the_commands():
    script = (
        "import sys; from spectell.cli import cli; cli(['generate', '--help'], standalone_mode=False); "
        "assert not {'torch', 'numpy'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "train" in done.stdout
    assert "sample" in done.stdout


@pytest.mark.torch
def test_ctrl_c_leaves_a_checkpoint_and_status_130(photographs, tmp_path):
    pytest.importorskip("torch")
    arguments = ["train", photographs, *SMALL[2:], "--steps", "1000000", "--seed", "1", "-o", tmp_path / "out"]
    process = subprocess.Popen(
        [sys.executable, "-m", "spectell", "generate", *map(str, arguments)], stderr=subprocess.PIPE, text=True
    )
    try:
        log = tmp_path / "out" / "log.csv"
        until = time.monotonic() + 200
        while not (log.is_file() and len(log.read_text().splitlines()) > 1) and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=100)
    finally:
        process.kill()
    assert process.returncode == 130
    assert errors == "Interrupted.\n" or errors.endswith("\nInterrupted.\n")
    assert (tmp_path / "out" / "checkpoint.safetensors").is_file()
