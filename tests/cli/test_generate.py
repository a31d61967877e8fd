"""generate train and generate sample, from the command line."""

import json
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import spectell.cli.generate as command
from spectell.datasets import read_manifest

SMALL = ("--steps", 2, "--batch", 4, "--width", 2, "--threads", 1)


@pytest.fixture
def run(invoke):
    return partial(invoke, "generate")


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


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    """A folder with a generator that was never trained: its images are as good as any here."""
    pytest.importorskip("torch")
    from spectell.generators.gan import Generator
    from spectell.generators.trained import save_generator
    from spectell.generators.training_config import GeneratorConfig

    folder = tmp_path_factory.mktemp("generator")
    for name in ("generator", "other"):
        card = {"config": GeneratorConfig(width=4).as_dict(), "step": 9, "resolution": 32, "alpha": 1.0}
        save_generator(folder / f"{name}.safetensors", Generator(32, "nearest", 4), {"name": name, **card})
    return folder


def everything(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused_in_one_line(run, message, folder, *arguments):
    """The command ends with one line and status 1, and what lies in the folder stays as it is."""
    before = everything(folder)
    result = run(*arguments, status=1)
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert everything(folder) == before


@pytest.mark.torch
def test_a_folder_holds_one_sample(run, generator, tmp_path):
    out = tmp_path / "out"
    sample = ("sample", generator, "-o", out)
    run(*sample, "--n", 6, "--seed", 3)
    foreign = "samples of another generator or seed; name a new folder"
    refused_in_one_line(run, foreign, out, *sample, "--n", 12, "--seed", 5)
    refused_in_one_line(run, foreign, out, "sample", generator / "other.safetensors", "-o", out, "--n", 12, "--seed", 3)
    refused_in_one_line(run, "n must be at least 6, got 4", out, *sample, "--n", 4, "--seed", 3)
    before = everything(out)
    run(*sample, "--n", 6, "--seed", 3)
    assert everything(out) == before
    run(*sample, "--n", 9, "--seed", 3)
    assert len(read_manifest(out / "manifest.csv")) == len(list(out.glob("*.png"))) == 9
    assert before.items() - everything(out).items() == {
        (path, content) for path, content in before.items() if path.suffix == ".csv"
    }


@pytest.mark.torch
def test_an_interrupted_sample_is_repeated_to_its_end(run, generator, tmp_path):
    sample = ("sample", generator, "--seed", 3)
    run(*sample, "--n", 6, "-o", tmp_path / "whole")
    run(*sample, "--n", 6, "-o", tmp_path / "parts")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for name in ("manifest.csv", "000003.png", "000004.png", "000005.png"):
        (parts / name).unlink()
    (parts / ".000003.png.4711.part").write_bytes(b"half")
    run(*sample, "--n", 5, "-o", parts)  # shorter than was asked for, longer than what is there
    assert len(read_manifest(parts / "manifest.csv")) == 5
    run(*sample, "--n", 6, "-o", parts)
    rewritten = everything(parts)
    assert rewritten.keys() == everything(whole).keys()
    assert all((parts / f"{k:06}.png").read_bytes() == (whole / f"{k:06}.png").read_bytes() for k in range(6))


@pytest.mark.torch
def test_samples_never_replace_or_join_what_is_not_theirs(run, generator, photographs, tmp_path):
    real = tmp_path / "data" / "real"
    real.mkdir(parents=True)
    (real / "000000.png").write_bytes((photographs / "0.png").read_bytes())
    refused_in_one_line(run, "is not empty and holds no samples", real, "sample", generator, "-o", real)
    out = tmp_path / "out"
    run("sample", generator, "--n", 2, "-o", out)
    (out / "000002.png").write_bytes((photographs / "0.png").read_bytes())
    message = "'000002.png', which is none of its samples"
    refused_in_one_line(run, message, out, "sample", generator, "--n", 3, "-o", out)
    (out / "samples.csv").write_text("path,mine\n")
    refused_in_one_line(run, "another generator or seed", out, "sample", generator, "--n", 3, "-o", out)
    assert (real / "000000.png").read_bytes() == (photographs / "0.png").read_bytes()
    assert (out / "000002.png").read_bytes() == (photographs / "0.png").read_bytes()
    assert (out / "samples.csv").read_text() == "path,mine\n"


@pytest.mark.torch
def test_a_training_begins_in_a_folder_of_its_own(run, photographs, tmp_path):
    pytest.importorskip("torch")
    train = ("train", photographs, *SMALL)
    refused_in_one_line(run, "lies in the folder of the images", photographs, *train, "-o", photographs / "out")
    mine = tmp_path / "mine"
    (mine / "images").mkdir(parents=True)
    (mine / "images" / "a.png").write_bytes((photographs / "0.png").read_bytes())
    for resume in ((), ("--resume",)):
        refused_in_one_line(run, "is not empty and holds no training", mine, *train, *resume, "-o", mine)
    run(*train, "-o", tmp_path / "out")
    for name in ("checkpoint", "generator"):
        (tmp_path / "out" / f"{name}.safetensors").unlink()  # as a training that was killed early leaves it
    begun = "that was only begun; go on with --resume"
    refused_in_one_line(run, begun, tmp_path / "out", *train, "-o", tmp_path / "out")
    run(*train, "--resume", "-o", tmp_path / "out")
    assert (tmp_path / "out" / "generator.safetensors").is_file()


@pytest.mark.torch
def test_an_output_that_is_a_file_is_one_line(run, generator, photographs, tmp_path):
    (tmp_path / "sub.txt").write_text("mine")
    for arguments in (("sample", generator), ("train", photographs), ("train", photographs, "--loss", "autoencoder")):
        message = "sub.txt' is a file, and a folder is needed"
        refused_in_one_line(run, message, tmp_path, *arguments, "-o", tmp_path / "sub.txt")
        assert (tmp_path / "sub.txt").read_text() == "mine"


@pytest.mark.torch
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "{empty}", "-o", "{out}"), "holds no real images; name a folder of photographs"),
        (("train", "{photographs}", "--size", "64", "-o", "{out}"), "has 0 images to train on"),
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
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--learning-rate", "-1"), "learning_rate must be positive, got -1"),
        (("--spectral", "-1"), "spectral must not be negative, got -1"),
    ],
)
def test_a_wrong_value_is_one_line_and_status_2(run, photographs, tmp_path, options, message):
    refused = run("train", photographs, *options, "-o", tmp_path / "out", status=2).stderr
    assert message in refused
    assert refused.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_without_torch_one_line_says_how_to_get_it(run, photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    for arguments in (("train", photographs, "-o", tmp_path), ("sample", "x", "-o", tmp_path)):
        assert "pip install 'spectell[torch]'" in run(*arguments, status=1).stderr


def test_wrong_usage_is_status_2(run):
    assert "'lsgan' is not one of" in run("train", "x", "--loss", "lsgan", "-o", "y", status=2).stderr
    assert "'48' is not one of" in run("train", "x", "--size", "48", "-o", "y", status=2).stderr


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
    program = Path(sys.executable).with_name("spectell")  # see the test of the same kind for spectrum
    process = subprocess.Popen([program, "generate", *map(str, arguments)], stderr=subprocess.PIPE, text=True)
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
