"""What `spectell train` refuses before any work, and what it says of it."""

import shutil
from functools import partial

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from spectell.cli import cli
from spectell.detectors import load_model
from spectell.workflows import train as workflow


@pytest.fixture
def run(invoke):
    return partial(invoke, "train")


@pytest.fixture
def refused(run, monkeypatch):
    """Run a training that is refused before the data set is looked at; return the line that says why."""

    def no_work(*_, **__):
        raise AssertionError("the data set was opened")

    monkeypatch.setattr(workflow, "open_images", no_work)

    def invoke(*arguments, status=1):
        result = run(*arguments, status=status)
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        return result.stderr

    return invoke


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """120 pictures of 16 x 16, which a network learns in a second."""
    rng = np.random.default_rng(5)
    folder = tmp_path_factory.mktemp("small") / "small"
    for name in ("real", "gan"):
        (folder / name).mkdir(parents=True)
        for number in range(60):
            picture = rng.integers(60, 150, (16, 16, 3))
            picture[::2, ::2] += 60 * (name == "gan")
            Image.fromarray(picture.astype(np.uint8)).save(folder / name / f"{number:03}.png")
    return folder


def test_a_model_replaces_nothing_but_a_model(refused, toy_dataset, toy_model_path, tmp_path):
    picture = tmp_path / "x.png"
    picture.write_bytes((toy_dataset / "real" / "000.png").read_bytes())
    before = picture.read_bytes()
    message = refused(toy_dataset, "-o", picture)
    assert message.startswith("Error: --output would replace ")
    assert message.endswith("x.png', which is not a model of Spectell; choose another name\n")
    assert picture.read_bytes() == before
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(toy_model_path.read_bytes()[:-1])
    assert "which is not a model of Spectell" in refused(toy_dataset, "-o", damaged)


def test_a_model_is_replaced(run, small, toy_model_path, tmp_path):
    model = tmp_path / "m"
    model.write_bytes(toy_model_path.read_bytes())
    run(small, "--size", 8, "-o", model, "--name", "new")
    assert load_model(model).name == "new"


def test_calibrate_replaces_nothing_but_a_model(toy_model_path, toy_photographs, tmp_path):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"a photograph")
    arguments = ["calibrate", str(toy_model_path), str(toy_photographs), "-o", str(picture)]
    result = CliRunner().invoke(cli, arguments, prog_name="spectell")
    assert result.exit_code == 1
    assert result.stderr.endswith("a.png', which is not a model of Spectell; choose another name\n")
    assert picture.read_bytes() == b"a photograph"


def test_a_place_that_cannot_be_written_is_refused_before_the_training(refused, toy_dataset, tmp_path):
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "notes.csv").write_text("notes,more\n")
    model = tmp_path / "m"
    assert "--output must be a file, got the folder" in refused(toy_dataset, "-o", tmp_path)
    assert "notes.txt' is not a folder" in refused(toy_dataset, "-o", tmp_path / "notes.txt" / "m")
    for name, rule, status in (
        ("notes.txt", "must end in .csv or .parquet", 2),
        ("notes.csv", "which is not a manifest", 1),
        ("notes.txt/s.csv", "notes.txt' is not a folder", 1),
    ):
        assert rule in refused(toy_dataset, "-o", model, "--split-output", tmp_path / name, status=status)
    same = tmp_path / "m.csv"
    twice = refused(toy_dataset, "-o", same, "--split-output", same, status=2)
    assert "--split-output must not be the model itself" in twice
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.csv", "notes.txt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--detector", "prnu", "--domain", "blocks"], "'prnu' works in the domain pixel, got 'blocks'"),
        (["--perturb", "jpg"], "unknown perturbation 'jpg'"),
        (["--perturb", "jpeg", "--probability", 1.5], "probability"),
        (["--strength", 0], "strength must be positive, got 0.0"),
        (["--detector", "logistic", "--strength", "nan"], "strength must be positive, got nan"),
        (["--detector", "prnu", "--size", 4], "1 levels need images of at least 14 pixels, got 4"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_the_data_are_read(refused, tmp_path, options, message):
    assert message in refused("anything", *options, "-o", tmp_path / "m", status=2)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("options", "message", "status"),
    [
        (["--domain", "blocks"], "'resnet' works in the domain pixel, dct, got 'blocks'", 2),
        (["--size", 12], "'resnet' takes tiles of 13 to 4096 pixels, got 12", 2),
        (["--device", "moon"], "device 'moon' cannot be used", 1),
    ],
)
def test_options_that_do_not_fit_a_network_are_refused_before_the_data_are_read(
    refused, tmp_path, options, message, status
):
    pytest.importorskip("torch")
    assert message in refused("anything", "--detector", "resnet", *options, "-o", tmp_path / "m", status=status)


@pytest.mark.torch
def test_images_that_are_too_small_for_a_network_are_no_wrong_usage(run, tmp_path, rng):
    """The size follows from the images here; nobody has typed it."""
    pytest.importorskip("torch")
    for name in ("real", "gan"):
        (tmp_path / "tiny" / name).mkdir(parents=True)
        for number in range(80):
            pixels = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "tiny" / name / f"{number}.png")
    refused = run(tmp_path / "tiny", "--detector", "resnet", "-o", tmp_path / "m", status=1).stderr
    assert "'resnet' takes tiles of 13 to 4096 pixels, got 12" in refused


@pytest.mark.torch
def test_a_checkpoint_is_never_replaced_by_mistake(run, small, tmp_path, request):
    pytest.importorskip("torch")
    model, checkpoint = tmp_path / "m", tmp_path / "m.checkpoint"
    options = [small, "--detector", "cnn", "-o", model, "--epochs"]
    first = run(*options, 1, "--resume")
    note = f"Note: there is no checkpoint {str(checkpoint)!r} to resume from: the training starts anew\n"
    assert first.stderr.count(note) == 1
    assert load_model(model).name == "cnn-dct", "the domain that the detector works in, where none is given"
    assert "the training starts anew" not in run(*options, 2, "--resume").stderr
    other = run(*options, 2, "--resume", "--domain", "pixel", status=1).stderr
    assert "is of a training with other images or settings; delete it to train anew" in other
    before, refused = checkpoint.read_bytes(), request.getfixturevalue("refused")
    assert "add --resume to go on, or delete it" in refused(*options, 3)
    assert checkpoint.read_bytes() == before
    checkpoint.write_bytes(before[:-1])
    for more in ([], ["--resume"]):
        assert "the checkpoint cannot be used: " in refused(*options, 3, *more)
    checkpoint.write_bytes(model.read_bytes())
    assert "m.checkpoint is not a checkpoint of a network; delete it" in refused(*options, 3)


@pytest.mark.torch
def test_a_checkpoint_goes_when_the_training_has_come_to_its_end(run, small, tmp_path, monkeypatch):
    """Whether it can take more epochs decides; the model is whole by then."""
    pytest.importorskip("torch")
    import spectell.detectors
    from spectell.detectors.networks.training import Training

    model, checkpoint = tmp_path / "m", tmp_path / "m.checkpoint"
    arguments = [small, "--detector", "cnn", "--epochs", 1, "-o", model]
    assert f"Note: {str(checkpoint)!r} stays, since more --epochs can follow with --resume" in run(*arguments).stderr
    assert checkpoint.exists()
    monkeypatch.setattr(Training, "is_over", True)
    save_model = spectell.detectors.save_model

    def save(*saved):
        assert checkpoint.exists()
        save_model(*saved)

    monkeypatch.setattr(spectell.detectors, "save_model", save)
    assert "stays, since" not in run(*arguments, "--resume").stderr
    assert not checkpoint.exists()
    assert load_model(model).name == "cnn-dct"
    monkeypatch.undo()
    run(*arguments)


def test_a_detector_without_checkpoints_says_that_there_is_nothing_to_resume(run, small, tmp_path):
    (tmp_path / "m.checkpoint").write_text("of something else")
    result = run(small, "--size", 8, "--resume", "-o", tmp_path / "m", "--json")
    assert result.stderr.count("Note: --resume has no effect: the detector 'ridge' has no checkpoints\n") == 1
    assert (tmp_path / "m.checkpoint").read_text() == "of something else"


def test_the_domain_is_one_that_the_detector_works_in(run, small, tmp_path):
    run(small, "--detector", "prnu", "-o", tmp_path / "m")
    assert load_model(tmp_path / "m").name == "prnu-pixel"
    assert "blocks, or dct / pixel where the detector works in no other" in " ".join(run("--help").stdout.split())


def test_the_lowest_rate_that_a_scan_accepts_is_named_where_it_is_above_the_default(run, small, tmp_path):
    result = run(small, "--size", 8, "-o", tmp_path / "m")
    (note,) = [line for line in result.stderr.splitlines() if "scan with --fpr" in line]
    rate = note.partition("--fpr ")[2].split()[0]
    assert f"false-positive rates from {rate} to 0.5" in note
    picture = small / "real" / "000.png"

    def scan(fpr):
        arguments = ["scan", str(picture), "--model", str(tmp_path / "m"), "--fpr", str(fpr), "--json"]
        return CliRunner().invoke(cli, arguments, prog_name="spectell").exit_code

    assert scan(rate) == 0
    assert scan(float(rate) - 0.002) == 1


def test_images_that_were_left_out_are_counted_and_the_first_are_named(run, toy_dataset, tmp_path):
    shutil.copytree(toy_dataset, tmp_path / "set")
    for number in range(5):
        (tmp_path / "set" / "real" / f"broken{number}.png").write_bytes(b"no image")
    result = run(tmp_path / "set", "--size", 8, "-o", tmp_path / "m")
    (line,) = [line for line in result.stderr.splitlines() if "left out" in line]
    assert line.startswith("Note: 5 images were left out: 'real/broken0.png' (cannot read ")
    assert line.endswith("; and 2 more, which --json lists")
    assert "5 images were left out" in run(tmp_path / "set", "--size", 8, "-o", tmp_path / "m", "--json").stderr
