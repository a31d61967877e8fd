"""Networks through training, model files, evaluation and scans; and what of it needs no PyTorch."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import read_dataset
from spectell.datasets.packed import pack
from spectell.datasets.splits import assign_splits
from spectell.detectors import load_model, save_model
from spectell.detectors.features import tile_corners
from spectell.errors import ArtifactError, ManifestError, ParameterError
from spectell.images import read_image
from spectell.workflows.evaluate import evaluate
from spectell.workflows.reading.image_passes import open_images
from spectell.workflows.reading.image_set import ImageSet
from spectell.workflows.train import TrainingConfig, train_model
from spectell.workflows.training import tiles as training_tiles

pytest.importorskip("torch")

pytestmark = pytest.mark.torch

NAMES = ("real", "checks", "stripes")

BLOCKED = (
    "import sys, importlib.abc as a; "
    "absent = lambda name: exec('raise ModuleNotFoundError(name=name)', {'name': name}); "
    "find = lambda self, name, *_: absent(name) if name == 'torch' else None; "
    "sys.meta_path.insert(0, type('Blocked', (a.MetaPathFinder,), {'find_spec': find})())"
)
"""Makes an interpreter one without PyTorch."""


@pytest.fixture(scope="module")
def three_classes(tmp_path_factory):
    """150 pictures of 16 x 16 to 40 x 16 pixels: noise, noise with a fixed grid, noise with fixed stripes."""
    rng = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("three") / "three"
    for kind, name in enumerate(NAMES):
        (folder / name).mkdir(parents=True)
        for number in range(50):
            width = 40 if number % 10 == 0 else 16
            picture = rng.integers(60, 150, (16, width, 3))
            picture[:: max(kind, 1), ::2] += 60 * (kind > 0)
            Image.fromarray(picture.astype(np.uint8)).save(folder / name / f"{number:03}.png")
    return folder


@pytest.fixture(scope="module")
def trained(three_classes, tmp_path_factory):
    """A model of three classes, as its file."""
    config = TrainingConfig("cnn", "pixel", attribution=True, epochs=3)
    found = train_model(three_classes, config, audit=False)
    path = tmp_path_factory.mktemp("model") / "cnn.safetensors"
    save_model(found.model, path)
    return found, path


def test_a_network_is_trained_saved_loaded_and_evaluated(three_classes, trained):
    found, path = trained
    model = load_model(path)
    assert model.card.class_names[0] == "real"
    assert model.card.head.config == {"architecture": "cnn", "size": 16, "n_classes": 3}
    wide = read_image(three_classes / "stripes" / "000.png").pixels
    assert model.score(wide) == found.model.score(wide)
    assert len(model.score(wide).classes) == 3
    measured = evaluate(model, three_classes).as_dict()["attribution"]
    assert sorted(measured["class_names"]) == sorted(NAMES)
    facts = model.card.configuration["fit"]
    assert facts["epochs"] == 3
    assert facts["parameters"] == sum(array.size for array in model.head.arrays.values())


def test_a_scan_needs_no_torch(three_classes, trained, tmp_path):
    small = tmp_path / "small.png"
    Image.new("RGB", (15, 40)).save(small)
    picture = three_classes / "checks" / "001.png"
    script = (
        f"{BLOCKED}; from spectell.cli import main; "
        f"sys.argv = ['spectell', 'scan', {str(picture)!r}, {str(small)!r}, '--model', {str(trained[1])!r}, "
        "'--fpr', '0.5', '--workers', '1', '--json']; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["score"] == pytest.approx(load_model(trained[1]).score(read_image(picture).pixels).score, abs=1e-4)
    assert second["verdict"] == "inconclusive"


def test_without_torch_training_is_refused_in_one_line_and_other_detectors_train(three_classes, tmp_path):
    script = (
        f"{BLOCKED}; from spectell.cli import main; "
        f"sys.argv = ['spectell', 'train', {str(three_classes)!r}, '--domain', 'pixel', '-o', {str(tmp_path / 'm')!r}, "
        "'--detector', sys.argv[1]]; sys.exit(main())"
    )
    command = [sys.executable, "-c", script]
    refused, other = (subprocess.run([*command, name], capture_output=True, text=True) for name in ("cnn", "ridge"))
    assert (refused.returncode, other.returncode) == (1, 0)
    assert refused.stderr.strip().splitlines()[-1].endswith("pip install 'spectell[torch]'")
    assert "Traceback" not in refused.stderr


def test_the_same_seed_gives_the_same_model_and_resuming_goes_on(three_classes, tmp_path):
    def run(epochs, *, resume=False, checkpoint=None):
        config = TrainingConfig("cnn", "dct", epochs=epochs)
        return train_model(three_classes, config, audit=False, checkpoint=checkpoint, resume=resume)

    path = tmp_path / "checkpoint"
    whole = run(3)
    run(2, checkpoint=path)
    again = run(3, checkpoint=path, resume=True)
    for name, array in whole.model.arrays().items():
        np.testing.assert_array_equal(array, again.model.arrays()[name])


def test_tiles_are_those_that_a_model_scores_and_packed_ones_are_not_copied(three_classes, tmp_path):
    images = ImageSet(read_dataset(three_classes))
    rows = np.arange(0, 50, 5)
    tiles = training_tiles.tiles_of(images, rows, 16)
    places = [(row, corner) for row in rows for corner in tile_corners(*images.pixels(row).shape[:2], 16)]
    assert len(places) == len(tiles.places) > len(rows)
    for place, (row, (top, left)) in enumerate(places):
        np.testing.assert_array_equal(tiles.pixels[place], images.pixels(row)[top : top + 16, left : left + 16])
        assert rows[tiles.owners[place]] == row
    packed = pack(read_dataset(three_classes), tmp_path / "packed", size=16)
    manifest, read = open_images(packed)
    some = ImageSet(manifest.select(np.arange(100, 150)), read=read)
    of_packed = training_tiles.tiles_of(some, np.array([3, 7]), 16)
    assert of_packed.pixels is packed.images
    assert of_packed.places.tolist() == [103, 107]


def test_packed_images_give_the_model_that_files_give(three_classes, tmp_path):
    manifest = assign_splits(read_dataset(three_classes))
    alike = manifest.select(np.array([not path.endswith("0.png") for path in manifest.paths]))
    pack(alike, tmp_path / "packed")
    config = TrainingConfig("mlp", "dct", epochs=1)
    packed, files = train_model(tmp_path / "packed", config), train_model(alike, config, audit=False)
    for name, array in files.model.head.arrays.items():
        np.testing.assert_array_equal(array, packed.model.head.arrays[name])


def test_perturbed_images_are_drawn_once_so_that_a_training_can_be_resumed(three_classes, tmp_path):
    def run(epochs, perturb=("noise",), *, resume=False, checkpoint=None):
        config = TrainingConfig("cnn", "dct", epochs=epochs, perturb=perturb, attribution=True)
        return train_model(three_classes, config, audit=False, checkpoint=checkpoint, resume=resume).model

    path = tmp_path / "checkpoint"
    whole = run(2)
    run(1, checkpoint=path)
    again = run(2, checkpoint=path, resume=True)
    for name, array in whole.arrays().items():
        np.testing.assert_array_equal(array, again.arrays()[name])
    with pytest.raises(ArtifactError, match="of a training with other images or settings"):
        run(2, perturb=("jpeg",), checkpoint=path, resume=True)


def test_tiles_that_do_not_fit_into_memory_are_refused(three_classes, monkeypatch):
    monkeypatch.setattr(training_tiles, "TILE_BYTES", 10_000)
    with pytest.raises(ParameterError, match="pack the images: spectell dataset pack --size 16"):
        train_model(three_classes, TrainingConfig("cnn", "pixel"), audit=False)


@pytest.mark.parametrize(
    ("config", "error", "message"),
    [
        (TrainingConfig("cnn", "blocks"), ParameterError, "'cnn' works in the domain pixel, dct, got 'blocks'"),
        (TrainingConfig("resnet", "dct", size=12), ParameterError, "'resnet' takes tiles of 13 to 4096 pixels, got 12"),
        (TrainingConfig("cnn", "dct", size=17), ManifestError, "0 real and 0 generated images; .* smaller than 17"),
        (TrainingConfig("cnn", "dct", device="moon"), ParameterError, "device 'moon' cannot be used"),
    ],
)
def test_a_configuration_without_a_meaning_is_refused_in_one_line(three_classes, config, error, message):
    with pytest.raises(error, match=message) as caught:
        train_model(three_classes, config, audit=False)
    assert "\n" not in str(caught.value)


def test_what_has_no_effect_is_said(three_classes):
    notes = train_model(three_classes, TrainingConfig("cnn", "pixel", epochs=1, grid=True), audit=False).notes
    assert "--grid has no effect: the detector 'cnn' has nothing to search" in notes
    assert any("after the last epoch, 1" in note for note in notes)
    linear = train_model(three_classes, TrainingConfig("ridge", "blocks", size=8, device="cpu"), audit=False)
    assert any("--device has no effect" in note for note in linear.notes)
