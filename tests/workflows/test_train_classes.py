"""Detectors of several classes, their grids, and packed images, through training and evaluation."""

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import read_dataset
from spectell.datasets.packed import pack
from spectell.datasets.splits import assign_splits
from spectell.detectors import load_model, save_model
from spectell.errors import ArtifactError, ManifestError, ParameterError
from spectell.images import read_image
from spectell.workflows.evaluate import evaluate
from spectell.workflows.train import TrainingConfig, train_model
from spectell.workflows.training import run as training_run

NAMES = ("real", "checks", "stripes")


@pytest.fixture(scope="module")
def three_classes(tmp_path_factory):
    """150 pictures of 32 pixels: noise, noise with a fixed grid, noise with fixed stripes; real has a pattern, too."""
    rng = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("three") / "three"
    traces = np.zeros((3, 32, 32, 1), int)
    traces[0] = rng.integers(-8, 9, (32, 32, 1))
    traces[1, ::2, ::2] = 16
    traces[2, ::2] = 12
    for name, trace in zip(NAMES, traces, strict=True):
        (folder / name).mkdir(parents=True)
        for number in range(50):
            smooth = np.kron(rng.integers(60, 190, (4, 4, 3)), np.ones((8, 8, 1), int))
            picture = smooth + rng.integers(-5, 6, (32, 32, 3)) + trace
            Image.fromarray(picture.astype(np.uint8)).save(folder / name / f"{number:03}.png")
    return folder


@pytest.mark.parametrize(
    ("detector", "domain"),
    [
        ("ridge", "dct"),
        ("ridge", "blocks"),
        ("logistic", "dct"),
        ("knn", "dct"),
        ("eigenfaces", "pixel"),
        ("eigenfaces", "dct"),
        ("prnu", "pixel"),
    ],
)
def test_attribution_trains_saves_loads_and_is_evaluated(three_classes, tmp_path, detector, domain):
    config = TrainingConfig(detector, domain, attribution=True)
    found = train_model(three_classes, config, audit=False)
    save_model(found.model, tmp_path / "m")
    model = load_model(tmp_path / "m")
    assert model.card.class_names == NAMES
    picture = read_image(three_classes / "stripes" / "000.png").pixels
    assert model.score(picture) == found.model.score(picture)
    assert len(model.score(picture).classes) == 3
    measured = evaluate(model, three_classes).as_dict()["attribution"]
    assert measured["class_names"] == list(NAMES)
    assert sum(sum(row.values()) for row in measured["confusion"].values()) == 150
    assert measured["overall"]["accuracy"]["estimate"] > 0.75
    held_out = found.evaluation.classes.attribution.overall["macro_f1"].estimate
    assert held_out > (0.35 if domain == "pixel" and detector == "eigenfaces" else 0.6)


@pytest.mark.parametrize("detector", ["ridge", "logistic"])
def test_the_grid_of_a_linear_detector_searches_strengths_over_all_classes(three_classes, detector):
    found = train_model(three_classes, TrainingConfig(detector, grid=True, attribution=True), audit=False)
    errors = found.facts["errors"]
    assert errors[f"{found.facts['strength']:g}"] == min(errors.values())
    assert found.model.head.n_classes == 3
    assert found.evaluation.classes.attribution.overall["accuracy"].estimate > 0.8


def test_the_parts_of_a_fit_of_several_classes_agree_however_features_are_kept(three_classes, monkeypatch):
    config = TrainingConfig("ridge", "dct", attribution=True)
    kept = train_model(three_classes, config, audit=False).model.head
    monkeypatch.setattr("spectell.workflows.training.steps.FEATURE_BYTES", 0)
    again = train_model(three_classes, config, audit=False).model.head
    np.testing.assert_allclose(again.weights, kept.weights, atol=1e-6)


def test_images_of_an_unknown_generator_are_scored_and_not_attributed(three_classes, tmp_path):
    model = train_model(three_classes, TrainingConfig("knn", "dct", attribution=True), audit=False).model
    other = read_dataset(three_classes)
    renamed = [f"{three_classes}/{path}" for path in other.paths]
    (tmp_path / "set" / "real").mkdir(parents=True)
    (tmp_path / "set" / "new").mkdir()
    for path in renamed[:100]:
        name = "real" if "/real/" in path else "new"
        (tmp_path / "set" / name / path.replace("/", "_")).symlink_to(path)
    found = evaluate(model, tmp_path / "set")
    assert found.classes.n_unknown == 50
    assert any("does not know new" in warning for warning in found.warnings)


def test_a_model_of_two_classes_has_no_attribution(toy_dataset):
    found = train_model(toy_dataset, TrainingConfig("knn", "blocks", size=8), audit=False)
    assert "attribution" not in found.evaluation.as_dict()
    assert found.model.score(np.zeros((40, 40, 3), np.uint8)).classes == ()


def test_a_card_whose_classes_are_not_those_of_the_head_is_refused(three_classes):
    model = train_model(three_classes, TrainingConfig("knn", "pixel", attribution=True), audit=False).model
    two = model.card.from_json({**model.card.as_json(), "class_names": ["real", "generated"]})
    with pytest.raises(ArtifactError, match="class_names is 2 where the rest has 3"):
        model.replaced(card=two)


def test_the_grid_takes_the_best_point_and_goes_on_where_it_stopped(three_classes, tmp_path, monkeypatch):
    config = TrainingConfig("eigenfaces", "dct", grid=True, attribution=True)
    fitted = []
    original = training_run.TrainingRun._fit

    def counting(run, params):
        fitted.append(dict(params))
        if len(fitted) == 6:
            raise KeyboardInterrupt
        return original(run, params)

    monkeypatch.setattr(training_run.TrainingRun, "_fit", counting)
    path = tmp_path / "grid.jsonl"
    with pytest.raises(KeyboardInterrupt):
        train_model(three_classes, config, audit=False, grid_file=path)
    found = train_model(three_classes, config, audit=False, grid_file=path)
    assert len(path.read_text().splitlines()) == 16
    assert len(fitted) == 6 + 11 + 1, "each point once more or less, and the best again"
    grid = found.facts["grid"]
    best = max(grid, key=lambda point: point["balanced_accuracy"])
    assert {name: found.facts[name] for name in ("variance", "C")} == best["params"]
    assert found.model.card.configuration["fit"]["grid"] == grid


def test_the_grid_of_prnu_changes_the_front_end(three_classes, monkeypatch):
    monkeypatch.setattr("spectell.detectors.prnu.PRNUDetector.GRID", {"levels": (1, 2, 3), "sigma": (0.2, 2.0)})
    found = train_model(three_classes, TrainingConfig("prnu", "pixel", grid=True), audit=False)
    assert len(found.facts["grid"]) == 4, "three levels do not fit 32 pixels"
    front_end = found.model.front_end.get_params()
    assert (front_end["levels"], front_end["sigma"]) == (found.facts["levels"], found.facts["sigma"])


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        (TrainingConfig("prnu", "dct"), ParameterError, "'prnu' works in the domain pixel, got 'dct'"),
        (TrainingConfig("ridge", attribution=True), ManifestError, "attribution needs real images and those of two"),
        (TrainingConfig("knn", strength=1.0), ParameterError, "strength is for the detectors 'ridge' and 'logistic'"),
        (TrainingConfig("knn", epochs=0), ParameterError, "epochs must be at least 1"),
        (TrainingConfig("knn", attribution=True), ManifestError, "attribution needs real images and those of two"),
    ],
)
def test_a_configuration_without_a_meaning_is_refused(toy_dataset, config, error, message):
    with pytest.raises(error, match=message):
        train_model(toy_dataset, config, audit=False)


def test_epochs_that_have_no_effect_are_said_to_have_none(toy_dataset):
    notes = train_model(toy_dataset, TrainingConfig("ridge", size=8, epochs=2), audit=False).notes
    assert "--epochs has no effect: the detector 'ridge' is not trained in passes over the data" in notes


@pytest.mark.parametrize("keep", ["all", "nothing"])
def test_packed_images_give_the_model_that_files_give(toy_dataset, tmp_path, monkeypatch, keep):
    if keep == "nothing":
        monkeypatch.setattr("spectell.workflows.training.steps.FEATURE_BYTES", 0)
        monkeypatch.setattr("spectell.workflows.reading.image_set.KEPT_BYTES", 0)
    manifest = assign_splits(read_dataset(toy_dataset))
    packed = pack(manifest, tmp_path / "packed", size=40)
    config = TrainingConfig("ridge", "dct", size=40)
    found = train_model(tmp_path / "packed", config)
    files = train_model(manifest, config, audit=False)
    tolerance = {"atol": 0} if keep == "all" else {"atol": 1e-4}
    np.testing.assert_allclose(found.model.head.weights, files.model.head.weights, **tolerance)
    assert found.audit is None
    assert evaluate(found.model, packed).as_dict() == evaluate(found.model, tmp_path / "packed").as_dict()


def test_packed_images_need_no_original_files_and_know_which_are_real(toy_dataset, tmp_path):
    manifest = read_dataset(toy_dataset)
    pack(manifest, tmp_path / "packed", size=32)
    moved = (tmp_path / "packed" / "manifest.csv").read_text().replace(str(toy_dataset), "/gone")
    (tmp_path / "packed" / "manifest.csv").write_text(moved)
    found = train_model(tmp_path / "packed", TrainingConfig("ridge", "blocks", size=8))
    assert found.evaluation.overall.metrics["auc"].estimate > 0.9
    with pytest.raises(ParameterError, match="a packed data set names its real images"):
        train_model(tmp_path / "packed", TrainingConfig(), real="pairs")
