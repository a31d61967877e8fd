import shutil

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import read_dataset
from spectell.detectors import load_model
from spectell.errors import ManifestError, ParameterError
from spectell.evaluation.metrics import roc_auc
from spectell.images import read_image
from spectell.workflows.evaluate import evaluate


@pytest.fixture
def mixed(toy_dataset, toy_photographs, tmp_path):
    """Two sources: the toy set's generator with fresh real pictures, and a second generator without any."""
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "real").symlink_to(toy_photographs / "b")
    (tmp_path / "first" / "pairs").symlink_to(toy_dataset / "pairs")
    (tmp_path / "second" / "flat").mkdir(parents=True)
    for index in range(4):
        Image.new("RGB", (40, 40), (index, 50, 90)).save(tmp_path / "second" / "flat" / f"{index}.png")
    return tmp_path


def test_the_metrics_are_those_of_the_models_scores(toy_model_path, mixed):
    model, manifest = load_model(toy_model_path), read_dataset(mixed)
    found = evaluate(toy_model_path, mixed, fpr=0.2)
    scores = [model.score(read_image(manifest.file(index)).pixels).score for index in range(len(manifest))]
    assert found.overall.metrics["auc"].estimate == pytest.approx(roc_auc(manifest.labels, scores))
    threshold = model.thresholds.at(0.2)
    called = [s >= threshold for s, label in zip(scores, manifest.labels, strict=True) if label]
    assert found.overall.metrics["true_positive_rate_at_0.2"].estimate == pytest.approx(np.mean(called))


def test_slices_name_what_they_are_compared_with(toy_model_path, mixed):
    found = evaluate(toy_model_path, mixed)
    assert [(part.name, part.compared_with, part.n_real, part.n_generated) for part in found.slices] == [
        ("overall", "all real images", 50, 124),
        ("source: first", "real images of first", 50, 120),
        ("source: second", "", 0, 4),
        ("generator: flat", "real images of first", 50, 4),
        ("generator: pairs", "real images of first", 50, 120),
    ]


def test_the_confusion_matrix_counts_every_image_once_and_strange_ones_as_inconclusive(toy_model_path, mixed):
    found = evaluate(toy_model_path, mixed)
    assert {name: sum(row.values()) for name, row in found.confusion.items()} == {"real": 50, "flat": 4, "pairs": 120}
    assert found.confusion["flat"] == {"real": 0, "inconclusive": 4, "generated": 0}
    assert found.confusion["pairs"]["generated"] > 60
    assert any("unlike anything in training" in warning for warning in found.warnings)


def test_images_of_the_training_are_warned_about_whatever_their_names(toy_model_path, toy_dataset, tmp_path):
    for kind in ("real", "pairs"):
        (tmp_path / kind).mkdir()
        for index, file in enumerate(sorted((toy_dataset / kind).iterdir())):
            shutil.copy(file, tmp_path / kind / f"renamed{index}.png")
    found = evaluate(toy_model_path, tmp_path)
    model = load_model(toy_model_path)
    assert found.in_training == len(model.training_hashes)
    assert f"{found.in_training} of the 240 images were in training" in found.warnings[0]
    fresh = evaluate(toy_model_path, tmp_path, unseen=True)
    assert fresh.in_training == 0
    assert fresh.overall.n_real + fresh.overall.n_generated == 240 - found.in_training


def test_a_rate_that_the_model_cannot_support_is_replaced_and_said(toy_model_path, mixed):
    low, _ = load_model(toy_model_path).thresholds.supported
    found = evaluate(toy_model_path, mixed, fpr=0.001)
    assert found.fpr == low
    assert any("stands in for 0.001" in warning for warning in found.warnings)


@pytest.mark.parametrize("fpr", [0.0, 1.0, 2.0, float("nan")])
def test_what_is_no_rate_is_refused_before_the_images_are_read(fpr):
    with pytest.raises(ParameterError, match="fpr must lie strictly between 0 and 1, got"):
        evaluate("no model", "no images", fpr=fpr)


def test_images_without_a_score_are_listed(toy_model_path, mixed):
    (mixed / "second" / "flat" / "broken.png").write_bytes(b"")
    Image.new("RGB", (7, 7)).save(mixed / "second" / "flat" / "tiny.png")
    found = evaluate(toy_model_path, mixed)
    assert {image.path for image in found.skipped} == {"second/flat/broken.png", "second/flat/tiny.png"}
    assert "smaller than 8 pixels" in found.skipped[1].reason


def test_one_class_alone_has_rates(toy_model_path, toy_photographs, tmp_path):
    (tmp_path / "real").symlink_to(toy_photographs / "b")
    found = evaluate(toy_model_path, tmp_path)
    assert "auc" not in found.overall.metrics
    assert found.overall.metrics["false_positive_rate"].high < 1


def test_a_split_can_be_chosen_and_an_empty_one_is_refused(toy_model_path, toy_dataset):
    manifest = read_dataset(toy_dataset).with_values(splits=["test", "other"] * 120)
    assert evaluate(toy_model_path, manifest, split="test").overall.n_generated == 60
    with pytest.raises(ManifestError, match="no image to evaluate in the split 'none'"):
        evaluate(toy_model_path, manifest, split="none")


def test_the_same_seed_gives_the_same_intervals(toy_model_path, mixed):
    assert evaluate(toy_model_path, mixed, seed=3) == evaluate(toy_model_path, mixed, seed=3)


def test_it_has_a_json_form(toy_model_path, mixed):
    import json

    found = json.loads(json.dumps(evaluate(toy_model_path, mixed).as_dict(), allow_nan=False))
    assert found["slices"][0]["metrics"]["auc"]["estimate"] <= 1


@pytest.mark.parametrize("fpr", [0.51, 0.9])
def test_a_rate_that_a_scan_would_refuse_whatever_the_model_is_refused(fpr):
    with pytest.raises(ParameterError, match=f"fpr must be at most 0.5, got {fpr}"):
        evaluate("no model", "no images", fpr=fpr)


def test_what_the_walk_over_the_folders_left_out_is_said(toy_model_path, mixed):
    (mixed / "second" / "flat" / "gone.png").symlink_to("nowhere")
    found = evaluate(toy_model_path, mixed)
    assert found.warnings[0] == "left out 1 (broken links or special files), the first is 'second/flat/gone.png'"


def test_files_above_max_pixels_have_no_score(toy_model_path, mixed):
    Image.new("RGB", (50, 50)).save(mixed / "second" / "flat" / "large.png")
    found = evaluate(toy_model_path, mixed, max_pixels=2000)
    assert [image.path for image in found.skipped] == ["second/flat/large.png"]
    assert "2,500 pixels, more than max_pixels = 2,000" in found.skipped[0].reason
