import dataclasses
import os
import shutil
import signal

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import Manifest, read_dataset
from spectell.detectors import load_model, save_model
from spectell.detectors.artifact import training_hash
from spectell.errors import ManifestError, MismatchError, ParameterError
from spectell.images import read_image
from spectell.workflows.train import TrainingConfig, train_model
from spectell.workflows.training import steps as training_steps

BLOCKS = TrainingConfig(size=8)


@pytest.fixture(scope="module")
def result(toy_dataset):
    return train_model(toy_dataset, BLOCKS, audit=False)


def test_a_detector_learns_what_up_sampling_leaves(result):
    assert result.evaluation.overall.metrics["auc"].estimate > 0.95
    assert result.evaluation.overall.metrics["auc"].low > 0.75, "an exact bound: the classes are apart"


@pytest.mark.parametrize("detector", ["ridge", "logistic"])
@pytest.mark.parametrize("domain", ["pixel", "dct", "blocks"])
def test_every_detector_trains_in_every_domain(toy_dataset, tmp_path, detector, domain):
    found = train_model(toy_dataset, TrainingConfig(detector, domain, size=8), audit=False)
    save_model(found.model, tmp_path / "m")
    image = np.full((8, 9, 3), 7, np.uint8)
    assert load_model(tmp_path / "m").score(image) == found.model.score(image)
    assert found.model.name == f"{detector}-{domain}"


def test_the_largest_tile_that_every_image_has_is_the_default(toy_dataset):
    assert train_model(toy_dataset, TrainingConfig("ridge", "dct"), audit=False).model.min_size == 40
    assert train_model(toy_dataset, TrainingConfig("ridge", "blocks"), audit=False).model.min_size == 32


def test_each_split_has_one_use(toy_dataset, result):
    splits, manifest = result.manifest.splits, result.manifest
    hashes = [training_hash(read_image(manifest.file(index)).pixels) for index in range(len(manifest))]
    known = np.isin(hashes, result.model.training_hashes)
    assert known.tolist() == (splits != "test").tolist()
    assert result.evaluation.overall.n_real + result.evaluation.overall.n_generated == (splits == "test").sum()
    card = result.model.card
    validation = manifest.labels[splits == "validation"]
    assert card.calibration.n_real == card.thresholds.n_real == (validation == 0).sum()
    assert card.calibration.n_generated == (validation == 1).sum()
    assert len(result.model.thresholds.real_scores) == (validation == 0).sum()


def test_thresholds_are_scores_of_the_validation_images(result):
    manifest = result.manifest
    chosen = np.flatnonzero((manifest.splits == "validation") & (manifest.labels == 0))
    scores = [result.model.score(read_image(manifest.file(index)).pixels).score for index in chosen]
    np.testing.assert_allclose(np.sort(scores), result.model.thresholds.real_scores, atol=1e-5)


def test_the_limit_of_the_distance_leaves_one_validation_image_in_a_hundred_outside(result):
    manifest = result.manifest
    distances = [
        result.model.score(read_image(manifest.file(index)).pixels).distance
        for index in np.flatnonzero(manifest.splits == "validation")
    ]
    assert np.quantile(distances, 0.99) == pytest.approx(1.0, rel=1e-4)


def test_flat_and_striped_images_are_unlike_anything_in_training(result):
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[::2] = 255
    for pixels in (np.full((64, 64, 3), 90, np.uint8), stripes):
        assert result.model.score(pixels).distance > 1


def test_the_same_seed_gives_the_same_bytes(toy_dataset, tmp_path):
    for name in ("a", "b"):
        save_model(train_model(toy_dataset, BLOCKS, audit=False, workers=2).model, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_features_that_are_computed_again_give_the_model_that_kept_ones_do(toy_dataset, result, monkeypatch):
    monkeypatch.setattr(training_steps, "FEATURE_BYTES", 0)
    again = train_model(toy_dataset, BLOCKS, audit=False)
    np.testing.assert_array_equal(again.model.head.weights, result.model.head.weights)


def test_the_grid_searches_strengths_and_records_their_errors(toy_dataset):
    found = train_model(toy_dataset, TrainingConfig(size=8, grid=True), audit=False)
    errors = found.facts["errors"]
    assert errors[f"{found.facts['strength']:g}"] == min(errors.values())
    assert found.model.card.configuration["fit"]["errors"] == errors


def test_the_splits_of_a_manifest_are_kept_and_rows_without_one_take_no_part(toy_dataset):
    manifest = read_dataset(toy_dataset)
    cycle = ["train", "train", "validation", "test", ""]
    divided = manifest.with_values(splits=[cycle[index % 5] for index in range(len(manifest))])
    found = train_model(divided, BLOCKS, audit=False)
    assert len(found.manifest) == 192
    assert (found.manifest.splits == "train").sum() == 96


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (lambda manifest: ["train"] * len(manifest), "splits are train; training needs train, validation, test"),
        (
            lambda manifest: ["test" if label else "train" for label in manifest.labels[:-1]] + ["validation"],
            "the split 'train' has 119 real and 0 generated|the split 'train' has 120 real and 0 generated",
        ),
        (
            lambda manifest: [
                "validation" if index < 5 or index > 230 else ("train", "test")[index % 2]
                for index in np.argsort(np.argsort(manifest.labels, kind="stable"))
            ],
            "the split 'validation' has 5 real and 9 generated images; at least 6 and 1 are needed",
        ),
    ],
)
def test_splits_that_cannot_serve_are_refused(toy_dataset, splits, message):
    manifest = read_dataset(toy_dataset)
    with pytest.raises(ManifestError, match=message):
        train_model(manifest.with_values(splits=splits(manifest)), BLOCKS, audit=False)


def test_a_tile_larger_than_the_images_is_named_as_the_reason(toy_dataset):
    with pytest.raises(ManifestError, match=r"240 images are smaller than 999 pixels; .* use a smaller size"):
        train_model(toy_dataset, TrainingConfig(size=999), audit=False)


def test_a_detector_that_is_no_better_than_chance_says_so_and_says_nothing_else(toy_dataset):
    manifest = read_dataset(toy_dataset)
    # The labels of every second image are exchanged between training and validation, so that it learns the wrong way.
    splits = np.array(["train", "validation", "test"])[np.arange(len(manifest)) % 3]
    paths = np.array(list(manifest.paths))
    wrong = []
    for path, label, split in zip(paths, manifest.labels, splits, strict=True):
        label = 1 - label if split == "validation" else label
        entry = manifest[int(np.flatnonzero(paths == path)[0])]
        wrong.append(
            dataclasses.replace(entry, label=int(label), generator="pairs" if label else "real", split=str(split))
        )
    found = train_model(Manifest(wrong, manifest.root), BLOCKS, audit=False)
    assert any("no better than chance" in note for note in found.notes)
    assert "no better than chance" in found.model.card.calibration.reason
    assert abs(found.model.score(np.full((40, 40, 3), 8, np.uint8)).score) < 1


def test_images_that_cannot_serve_are_listed(toy_dataset, tmp_path):
    folder = tmp_path / "toy"
    shutil.copytree(toy_dataset, folder)
    (folder / "real" / "broken.png").write_bytes(b"no image")
    Image.new("RGB", (7, 50)).save(folder / "pairs" / "tiny.png")
    found = train_model(folder, BLOCKS, audit=False)
    reasons = {image.path: image.reason for image in found.skipped}
    assert set(reasons) == {"real/broken.png", "pairs/tiny.png"}
    assert reasons["pairs/tiny.png"] == "smaller than 8 pixels"


def test_leaks_between_the_classes_are_reported(toy_dataset, tmp_path):
    shutil.copytree(toy_dataset / "real", tmp_path / "real")
    (tmp_path / "pairs").mkdir()
    for file in (toy_dataset / "pairs").iterdir():
        Image.open(file).save(tmp_path / "pairs" / f"{file.stem}.jpg", quality=95)
    found = train_model(tmp_path, BLOCKS)
    assert any("format" in leak.what for leak in found.audit.leaks)


def test_leaks_that_pixels_alone_remember_are_reported_before_training(tmp_path):
    rng = np.random.default_rng(5)
    for name, quality in (("real", 60), ("gan", None)):
        (tmp_path / "set" / name).mkdir(parents=True)
        for number in range(60):
            noise = Image.fromarray(rng.integers(0, 256, (24, 24, 3), dtype=np.uint8)).resize((96, 96))
            if quality:
                noise.save(tmp_path / "once.jpg", quality=quality)
                noise = Image.open(tmp_path / "once.jpg")
            noise.save(tmp_path / "set" / name / f"{number}.png")
    seen = []
    found = train_model(tmp_path / "set", BLOCKS, on_progress=lambda *report: seen.append(report))
    assert "JPEG grid of gan" in {leak.what for leak in found.audit.leaks}
    assert [report[1:] for report in seen if report[0] == "auditing"][-1] == (240, 240)


def test_the_card_says_in_words_what_the_model_saw(result):
    card = result.model.card
    n_train = int((result.manifest.splits == "train").sum())
    assert card.trained_on.startswith(f"{n_train} images: toy (")
    assert "pairs" in card.not_good_at
    assert card.manifest_hash == result.manifest.digest()
    assert {metric.name for metric in card.metrics} >= {"auc", "ece", "brier", "eer", "tpr_at_fpr_0.01"}
    assert card.versions["spectell"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TrainingConfig("svm"), "unknown detector 'svm'"),
        (TrainingConfig(domain="wavelet"), "unknown domain 'wavelet'"),
        (TrainingConfig(penalty="l1"), "penalty is for the detector 'logistic'"),
        (TrainingConfig(grid=True, strength=0.1), "grid searches the strength"),
        (TrainingConfig(size=0), "size must be a whole number"),
        (TrainingConfig(strength=-1.0), "strength must be positive"),
        (TrainingConfig("logistic", penalty="l3"), "penalty must be l1, l2 or elasticnet, got 'l3'"),
        (TrainingConfig(seed=-1), "seed must not be negative, got -1"),
    ],
)
def test_a_configuration_without_a_meaning_is_refused(toy_dataset, config, message):
    with pytest.raises(ParameterError, match=message) as caught:
        train_model(toy_dataset, config, audit=False)
    assert not isinstance(caught.value, MismatchError), "no other images would make it right"


def test_a_data_set_of_one_class_is_refused(toy_photographs, toy_dataset, tmp_path):
    (tmp_path / "real").symlink_to(toy_photographs / "a")
    with pytest.raises(ManifestError, match="no generated image"):
        train_model(tmp_path, BLOCKS, audit=False)


def test_progress_names_its_stages(toy_dataset):
    seen = []
    train_model(toy_dataset, BLOCKS, audit=False, on_progress=lambda *report: seen.append(report))
    assert [*dict.fromkeys(stage for stage, _, _ in seen)] == [
        "comparing", "reading", "features", "distance", "calibrating", "scoring",
    ]  # fmt: skip
    assert all(done <= total for _, done, total in seen)


@pytest.fixture
def with_icon(toy_dataset, tmp_path):
    """The toy set, whose images have 40 pixels and more, and one of 5 x 5."""
    shutil.copytree(toy_dataset, tmp_path / "set")
    Image.new("RGB", (5, 5)).save(tmp_path / "set" / "real" / "icon.png")
    return tmp_path / "set"


def test_one_small_image_is_left_out_and_named_and_does_not_shrink_the_blocks(with_icon):
    found = train_model(with_icon, audit=False)
    assert found.model.min_size == 32
    assert [(image.path, image.reason) for image in found.skipped] == [("real/icon.png", "smaller than 32 pixels")]
    assert "blocks have 32 pixels; 1 of the 241 images are smaller; --size 5 would take them all" in found.notes
    assert train_model(with_icon, TrainingConfig(size=5), audit=False).model.min_size == 5


def test_blocks_are_smaller_where_most_images_are(toy_dataset, tmp_path):
    for kind in ("real", "pairs"):
        (tmp_path / kind).mkdir()
        for file in (toy_dataset / kind).iterdir():
            Image.open(file).crop((0, 0, 20, 16)).save(tmp_path / kind / file.name)
    Image.new("RGB", (5, 5)).save(tmp_path / "real" / "icon.png")
    found = train_model(tmp_path, audit=False)
    assert found.model.min_size == 16
    assert "blocks have 16 pixels, since most images are smaller than 32" in found.notes
    assert [image.path for image in found.skipped] == ["real/icon.png"]


def test_a_small_image_that_decides_the_size_of_all_tiles_is_named(with_icon):
    found = train_model(with_icon, TrainingConfig("ridge", "pixel"), audit=False)
    assert found.model.min_size == 5
    assert any(note.startswith("tiles have 5 pixels, since 'real/icon.png' is no larger; ") for note in found.notes)


@pytest.mark.usefixtures("forked")
def test_a_file_that_the_decoder_dies_of_takes_no_part(toy_dataset, tmp_path, monkeypatch):
    def read(path, **options):
        if path.endswith("dies.png"):
            os.kill(os.getpid(), signal.SIGSEGV)
        return read_image(path, **options)

    shutil.copytree(toy_dataset, tmp_path / "set")
    shutil.copy(tmp_path / "set" / "real" / "000.png", tmp_path / "set" / "real" / "dies.png")
    monkeypatch.setattr("spectell.datasets.duplicates.read_image", read)
    found = train_model(tmp_path / "set", BLOCKS)
    assert [image.path for image in found.skipped] == ["real/dies.png"]
    assert "the decoder crashed" in found.skipped[0].reason
    assert len(found.manifest) == 240
