"""train, evaluate, calibrate and models, from the command line."""

import csv
import dataclasses
import json

import pytest

from spectell.cli.figures import card_lines
from spectell.detectors import load_model
from spectell.workflows.models import ModelDescription


@pytest.fixture
def run(invoke):
    return invoke


def test_train_writes_a_model_and_says_how_good_it_is(run, toy_dataset, tmp_path):
    result = run("train", toy_dataset, "--size", 8, "-o", tmp_path / "m", "--split-output", tmp_path / "s.csv")
    assert "images: toy (" in result.stdout
    assert "AUC " in result.stdout
    assert "verdicts at a false-positive rate of" in result.stdout
    assert (tmp_path / "s.csv").read_text().startswith("path,label,generator,source,group,split,sha256\n")
    found = json.loads(run("evaluate", tmp_path / "m", tmp_path / "s.csv", "--split", "test", "--json").stdout)
    assert found["in_training"] == 0


def test_a_detector_of_several_classes_reports_which_was_taken_for_which(run, toy_dataset, tmp_path):
    folder = tmp_path / "three"
    parts = {"real": ("real", slice(None)), "one": ("pairs", slice(0, None, 2)), "two": ("pairs", slice(1, None, 2))}
    for name, (source, part) in parts.items():
        (folder / name).mkdir(parents=True)
        for path in sorted((toy_dataset / source).iterdir())[part]:
            (folder / name / path.name).symlink_to(path)
    options = ["--detector", "knn", "--domain", "dct", "--size", 32, "--attribution", "--grid", "--epochs", 2]
    result = run("train", folder, *options, "-o", tmp_path / "m")
    assert "--epochs has no effect" in result.stderr
    assert "which of 3 classes" in result.stdout
    assert "class, and what it was called" in result.stdout
    assert not (tmp_path / "m.grid.jsonl").exists(), "a finished search needs no notes"
    found = json.loads(run("evaluate", tmp_path / "m", folder, "--json").stdout)["attribution"]
    assert list(found["confusion"]) == ["real", "one", "two"]
    assert found["per_class"]["two"]["recall"]["estimate"] <= 1
    picture = folder / "two" / "001.png"
    scanned = ["scan", picture, "--model", tmp_path / "m", "--fpr", 0.4, "-j", 1]
    row = json.loads(run(*scanned, "--json").stdout)
    assert (row["verdict"], row["generator"] in {"one", "two"}) == ("generated", True)
    header, line = csv.reader(run(*scanned, "--csv").stdout.splitlines())
    assert dict(zip(header, line, strict=True))["generator"] == row["generator"]
    assert run(*scanned).stdout.endswith(f"(most like {row['generator']})\n")


def test_training_on_perturbed_images_is_measured_twice_and_unknown_names_are_one_line(run, toy_dataset, tmp_path):
    options = ["--size", 8, "--perturb", "jpeg, noise", "--probability", 0.25]
    result = run("train", toy_dataset, *options, "-o", tmp_path / "m")
    assert "; perturbed by jpeg or noise (probability 0.25)." in result.stdout
    clean, _, perturbed = result.stdout.partition("On the test split, perturbed as the training split was:")
    assert "overall, against" in clean
    assert "overall, against" in perturbed
    assert load_model(tmp_path / "m").card.configuration["perturb"] == ["jpeg", "noise"]
    refused = run("train", toy_dataset, "--perturb", "jpg", "-o", tmp_path / "n", status=2).stderr
    assert refused.startswith("Error: unknown perturbation 'jpg'; choose one of blur, ")
    assert refused.count("\n") == 1


def test_train_has_json(run, toy_dataset, tmp_path):
    arguments = ["--detector", "logistic", "--domain", "dct", "--size", 8, "--strength", 0.1, "--name", "mine: 1"]
    found = json.loads(run("train", toy_dataset, *arguments, "-o", tmp_path / "m", "--json").stdout)
    assert found["model"] == "mine- 1"
    assert found["facts"]["strength"] == 0.1
    assert found["facts"]["converged"] is True
    assert found["leaks"] == []


def test_evaluate_prints_slices_and_warns_on_stderr(run, toy_model_path, toy_dataset):
    result = run("evaluate", toy_model_path, toy_dataset)
    assert "were in training or calibration" in result.stderr
    assert "overall, against all real images: 120 real, 120 generated" in result.stdout
    assert "TPR at 1 % FPR" in result.stdout


def test_calibrate_reports_and_the_scan_uses_what_it_wrote(run, toy_model_path, toy_photographs, tmp_path):
    result = run("calibrate", toy_model_path, toy_photographs, "-o", tmp_path / "mine")
    assert "100 photographs set the thresholds; 100 others measured some above the promise." in result.stdout
    assert "False-positive rates from 3 % to 50 % can be asked for." in result.stdout
    found = json.loads(run("calibrate", toy_model_path, toy_photographs, "-o", tmp_path / "mine", "--json").stdout)
    assert found["n_second"] == 100


def test_models_describes_a_file_and_a_folder(run, toy_model_path):
    text = run("models", toy_model_path).stdout
    assert text.startswith("ridge-blocks  (")
    assert "trained on" in text
    assert "not good at" in text
    found = json.loads(run("models", toy_model_path.parent, "--json").stdout)
    assert [model["card"]["name"] for model in found] == ["ridge-blocks"]
    assert found[0]["bytes"] == toy_model_path.stat().st_size


def test_one_bad_file_hides_no_other_model(run, toy_model_path, tmp_path):
    for name in ("a", "c"):
        (tmp_path / f"{name}.safetensors").write_bytes(toy_model_path.read_bytes())
    (tmp_path / "b.safetensors").touch()
    (tmp_path / "d.safetensors").write_bytes(toy_model_path.read_bytes().replace(b"licence", b"license"))
    first, second, third, fourth = run("models", tmp_path, status=3).stdout.split("\n\n")
    assert first.startswith("ridge-blocks  (")
    assert second.startswith(f"{tmp_path / 'b.safetensors'} is not a model file: it has 0 bytes")
    assert third.startswith("ridge-blocks  (")
    assert fourth.startswith(f"cannot use the model file {tmp_path / 'd.safetensors'}: the model's card does not fit")
    found = json.loads(run("models", tmp_path, "--json", status=3).stdout)
    assert [set(each) >= {"path", "error"} for each in found] == [False, True, False, True]
    assert run("models", tmp_path / "b.safetensors", status=1).stderr.count("\n") == 1


def test_a_folder_without_models_is_said_to_have_none(run, tmp_path):
    result = run("models", tmp_path)
    assert (result.stdout, result.stderr) == ("", f"No model of Spectell (*.safetensors) in {tmp_path}.\n")


def test_a_card_fits_into_eighty_columns_whatever_it_says(run, toy_model_path):
    model = load_model(toy_model_path)
    card = dataclasses.replace(model.card, trained_on="many kinds of images " * 20, name="long")
    metrics = [dataclasses.replace(metric, data="a very long name of a slice " * 4) for metric in card.metrics]
    found = ModelDescription("m", 1, dataclasses.replace(card, metrics=tuple(metrics)), (0.01, 0.5))
    lines = card_lines(found)
    assert max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines).split()).count("many kinds of images") == 20
    heading = next(line for line in lines if line.startswith("  figures"))
    assert heading.split() == ["figures", "AUC", "TPR", "at", "1", "%", "FPR", "ECE"]
    assert sum("[" in line for line in lines) == 1, "one set of images, one line of figures"


def test_the_bundled_models_are_listed(run):
    assert isinstance(json.loads(run("models", "--json").stdout), list)


@pytest.mark.parametrize(
    "arguments",
    [
        ("train", "no-such-folder", "-o", "m"),
        ("evaluate", "no-such-model", "x"),
        ("calibrate", "no-such-model", "x", "-o", "m"),
        ("models", "no-such-model"),
    ],
)
def test_what_the_library_refuses_is_one_line_and_status_1(run, arguments):
    result = run(*arguments, status=1)
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert "no-such" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [("train", "x"), ("train", "x", "-o", "m", "--detector", "svm"), ("evaluate", "m"), ("calibrate", "m", "x")],
)
def test_wrong_usage_is_status_2(run, arguments):
    result = run(*arguments, status=2)
    assert result.stderr.startswith("Usage: ")
    assert "Error: " in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("command", ["train", "evaluate", "calibrate", "models"])
def test_help_has_an_example(run, command):
    text = run(command, "--help").stdout
    assert f"spectell {command}" in text.partition("Example:")[2]
