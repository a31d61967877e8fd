"""Training on perturbed images: the same as training on perturbed copies, repeatable, and of some use."""

import dataclasses

import numpy as np
import pytest

from spectell.datasets import Manifest, read_dataset
from spectell.datasets.packed import pack
from spectell.datasets.splits import assign_splits
from spectell.detectors import load_model, save_model
from spectell.detectors.artifact import training_hash
from spectell.errors import ImageError, ManifestError, ParameterError
from spectell.images import read_image
from spectell.perturbations.jpeg import JpegRecompression
from spectell.workflows.evaluate import evaluate
from spectell.workflows.perturb import PerturbConfig, perturb_images
from spectell.workflows.reading.image_passes import open_images
from spectell.workflows.reading.image_set import ImageSet
from spectell.workflows.train import TrainingConfig, train_model
from spectell.workflows.training.augmentation import Augmentation
from spectell.workflows.training.tiles import tiles_of

CLEAN = TrainingConfig(size=8)
JPEG = dataclasses.replace(CLEAN, perturb=("jpeg",))


@pytest.fixture(scope="module")
def divided(toy_dataset):
    """Half of the toy data set, with splits."""
    manifest = read_dataset(toy_dataset)
    return assign_splits(manifest.select(np.arange(len(manifest)) % 2 == 0), near_duplicates=False)


def split_like(copies, divided):
    """Give copies the splits of their originals; copies of others have none."""
    splits = dict(zip(divided.paths, divided.splits.tolist(), strict=True))
    return copies.with_values(splits=[splits.get(f"{path.rpartition('.')[0]}.png", "") for path in copies.paths])


@pytest.fixture(scope="module")
def with_jpeg(divided):
    return train_model(divided, JPEG, audit=False)


def test_a_model_of_perturbed_images_is_the_model_of_their_perturbed_copies(divided, with_jpeg, tmp_path):
    config = PerturbConfig("jpeg", probability=0.5, lossless=True)
    copies = perturb_images(divided.root, tmp_path / "copies", config, workers=2).manifest
    copied = train_model(split_like(copies, divided), CLEAN, audit=False)
    np.testing.assert_array_equal(with_jpeg.model.head.weights, copied.model.head.weights)
    np.testing.assert_array_equal(with_jpeg.model.thresholds.real_scores, copied.model.thresholds.real_scores)
    assert with_jpeg.model.card.calibration.slope == copied.model.card.calibration.slope
    assert with_jpeg.perturbed.as_dict()["slices"] == copied.evaluation.as_dict()["slices"]


def test_a_detector_that_met_jpeg_loses_less_on_jpeg_copies_than_one_that_did_not(divided, with_jpeg, tmp_path):
    copies = perturb_images(divided.root, tmp_path / "copies", PerturbConfig("jpeg", seed=7), workers=2).manifest
    copies = split_like(copies, divided)
    clean = train_model(divided, CLEAN, audit=False).model
    accuracy = {
        name: evaluate(model, copies, split="test").overall.metrics["accuracy"].estimate
        for name, model in (("clean", clean), ("with jpeg", with_jpeg.model))
    }
    assert accuracy["with jpeg"] > accuracy["clean"] + 0.1
    assert with_jpeg.evaluation.overall.metrics["auc"].estimate > 0.9


def test_the_test_images_are_measured_as_they_are_and_perturbed(divided, with_jpeg):
    again = evaluate(with_jpeg.model, divided, split="test")
    assert again.as_dict()["slices"] == with_jpeg.evaluation.as_dict()["slices"]
    assert again.in_training == 0
    assert with_jpeg.perturbed.overall != with_jpeg.evaluation.overall
    assert with_jpeg.as_dict()["perturbed"] == with_jpeg.perturbed.as_dict()


def test_a_model_knows_the_images_that_it_learned_from_as_they_were(divided, with_jpeg):
    files = [divided.file(index) for index in range(len(divided))]
    known = np.isin([training_hash(read_image(file).pixels) for file in files], with_jpeg.model.training_hashes)
    assert known.tolist() == (divided.splits != "test").tolist()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_draws(divided, with_jpeg, tmp_path, monkeypatch):
    save_model(with_jpeg.model, tmp_path / "a")
    monkeypatch.setattr(
        "spectell.workflows.reading.image_set.KEPT_BYTES", 0
    )  # perturbed again whenever they are needed
    save_model(train_model(divided, JPEG, audit=False, workers=1).model, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    other = train_model(divided, dataclasses.replace(JPEG, seed=1), audit=False)
    assert (other.model.head.weights != with_jpeg.model.head.weights).any()


def test_the_card_says_what_was_done_and_all_that_a_repetition_needs(with_jpeg, tmp_path):
    save_model(with_jpeg.model, tmp_path / "m")
    card = load_model(tmp_path / "m").card
    assert card.trained_on.endswith("; perturbed by jpeg (probability 0.5)")
    assert card.thresholds.data == card.calibration.data == "the validation split, perturbed by jpeg (probability 0.5)"
    assert card.configuration["perturb"] == ["jpeg"]
    assert card.configuration["seed"] == 0
    assert card.configuration["perturbation"] == repr(PerturbConfig("jpeg", probability=0.5).perturbation)
    data = {metric.data for metric in card.metrics}
    assert {each.partition(", overall")[0] for each in data} == {
        "test split", "test split, perturbed by jpeg (probability 0.5)",
    }  # fmt: skip


def test_about_half_of_each_class_is_perturbed_and_counterparts_are_drawn_apart():
    augmentation = Augmentation(["noise"], seed=4)
    picture = np.full((8, 8, 3), 90, np.uint8)
    changed = {
        name: [bool((augmentation.perturbed(f"{name}/{k}.png", picture) != picture).any()) for k in range(200)]
        for name in ("real", "gan")
    }
    assert all(70 < sum(drawn) < 130 for drawn in changed.values())
    assert changed["real"] != changed["gan"]


def test_of_several_perturbations_one_is_drawn_for_each_image():
    augmentation = Augmentation(["jpeg", "window"], probability=1.0)
    picture = np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    sides = [augmentation.perturbed(f"{k}", picture).shape[0] for k in range(20)]
    assert set(sides) == {256, 300}


def test_a_probability_of_zero_changes_nothing(divided):
    never = train_model(divided, dataclasses.replace(JPEG, probability=0.0), audit=False).model
    clean = train_model(divided, CLEAN, audit=False).model
    np.testing.assert_array_equal(never.head.weights, clean.head.weights)


def test_presets_have_their_own_parameters():
    assert "min_quality=95" in repr(Augmentation(["jpeg"], preset="frank2020-code").perturbation)
    assert Augmentation(["combined"]).description == "perturbed by combined (probability of each step 0.5)"
    assert Augmentation(["blur", "crop"], preset="frank2020").description == (
        "perturbed by blur or crop as in frank2020 (probability 0.5)"
    )


def test_packed_pixels_are_perturbed_before_they_are_learned_from(divided, tmp_path):
    packed = pack(divided.select(np.arange(40)), tmp_path / "packed", size=40)
    manifest, read = open_images(packed)
    augmentation = Augmentation(["noise"], probability=1.0)
    images = ImageSet(manifest, read=read, alter=augmentation.learned_from)
    rows = np.flatnonzero(manifest.splits == "train")[:5]
    found = tiles_of(images, rows, 40).pixels
    expected = [augmentation.perturbed(manifest.paths[row], packed.images[row]) for row in rows]
    np.testing.assert_array_equal(found, expected)
    assert (found != packed.images[rows]).any(axis=(1, 2, 3)).all()


def test_a_grid_over_several_generators_searches_on_perturbed_images(divided, tmp_path, monkeypatch):
    monkeypatch.setattr("spectell.detectors.knn.KNNDetector.GRID", {"k": (1, 3)})
    named = [
        dataclasses.replace(entry, generator=f"pairs{k % 2}") if entry.label else entry
        for k, entry in enumerate(divided)
    ]
    several = Manifest(named, divided.root)
    config = TrainingConfig("knn", "blocks", size=8, grid=True, attribution=True, perturb=("blur",))
    path = tmp_path / "grid.jsonl"
    found = train_model(several, config, audit=False, grid_file=path)
    assert found.model.card.class_names == ("real", "pairs0", "pairs1")
    assert found.perturbed.classes is not None
    train_model(several, dataclasses.replace(config, perturb=("jpeg",)), audit=False, grid_file=path)
    assert len(path.read_text().splitlines()) == 4, "points of another perturbation are searched again"


def test_the_smallest_perturbed_image_sets_the_tile(divided):
    config = TrainingConfig("ridge", "dct", perturb=("resize",))
    assert train_model(divided, config, audit=False).model.min_size < 40


@pytest.mark.usefixtures("forked")
def test_an_image_that_cannot_be_perturbed_is_skipped_with_the_reason(divided, monkeypatch):
    def refuse(self, image, parameters):
        raise ParameterError(f"quality must not be {parameters['quality']}")

    monkeypatch.setattr(JpegRecompression, "apply", refuse)
    with pytest.raises(ImageError, match=r"cannot perturb real/1.png: quality must not be"):
        Augmentation(["jpeg"], probability=1.0).perturbed("real/1.png", np.zeros((9, 9, 3), np.uint8))
    found = train_model(divided, JPEG, audit=False)
    assert 25 < len(found.skipped) < 75
    assert all("quality must not be" in image.reason for image in found.skipped)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"perturb": ("jpegs",)}, "unknown perturbation 'jpegs'; choose one of blur, combined"),
        ({"perturb": ("jpeg", "jpeg")}, "several different ones, got .'jpeg', 'jpeg'."),
        ({"perturb": ("webp",), "preset": "frank2020"}, "preset 'frank2020' has no perturbation 'webp'"),
        ({"perturb": ("jpeg",), "preset": "paper"}, "unknown preset 'paper'"),
        ({"perturb": ("jpeg",), "probability": 1.5}, "probability must lie between 0 and 1"),
        ({"preset": "frank2020"}, "of perturb, which is not given"),
        ({"probability": 0.5}, "of perturb, which is not given"),
    ],
)
def test_what_has_no_meaning_is_refused_before_anything_is_read(changes, message):
    with pytest.raises(ParameterError, match=message):
        train_model("/nowhere", dataclasses.replace(CLEAN, **changes))


def test_a_class_whose_training_images_are_all_too_small_is_named(divided, tmp_path):
    from PIL import Image

    for index in range(12):
        (tmp_path / "set" / "tiny").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((9, 9 + index, 3), 9 * index, np.uint8)).save(tmp_path / f"set/tiny/{index}.png")
    for name in ("real", "pairs"):
        (tmp_path / "set" / name).symlink_to(divided.file(0).rsplit("/", 2)[0] + f"/{name}")
    with pytest.raises(ManifestError, match="no training image of tiny is large enough; use a smaller size"):
        train_model(tmp_path / "set", TrainingConfig(size=32, attribution=True), audit=False)
