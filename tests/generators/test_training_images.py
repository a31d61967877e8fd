import hashlib

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import Entry, Manifest, read_dataset, write_manifest
from spectell.errors import ManifestError, ParameterError
from spectell.generators.training_images import export_images, list_photographs, prepare_images, reduce_image


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def noise(rng):
    return lambda height, width: rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_the_centre_square_is_reduced_with_an_antialiased_filter(noise):
    image = noise(70, 100)
    expected = Image.fromarray(image[:, 15:85]).resize((32, 32), Image.Resampling.LANCZOS)
    reduced = reduce_image(image, 32)
    np.testing.assert_array_equal(reduced, np.asarray(expected))
    assert reduced.std() < 0.7 * image.std()  # the nearest pixels would keep all of it


def test_an_image_below_twice_the_size_is_refused(noise):
    with pytest.raises(ParameterError, match="image must be at least 64 pixels high and wide, got 63x200"):
        reduce_image(noise(63, 200), 32)


def test_what_cannot_be_used_is_left_out_and_counted(tmp_path, noise):
    first, second = noise(64, 64), noise(90, 70)
    for name, pixels in {"a.png": first, "deep/b.png": second, "copy.png": first, "small.png": noise(63, 99)}.items():
        save(tmp_path / "in" / name, pixels)
    (tmp_path / "in" / "broken.jpg").write_bytes(b"\xff\xd8 nothing")
    (tmp_path / "in" / "notes.txt").write_text("no image")
    packed, facts = prepare_images(tmp_path / "in", tmp_path / "out", 32)
    assert {name: facts[name] for name in ("n_images", "too_small", "unreadable", "duplicates")} == {
        "n_images": 2,
        "too_small": 1,
        "unreadable": 1,
        "duplicates": 1,
    }
    np.testing.assert_array_equal(packed.images, [reduce_image(first, 32), reduce_image(second, 32)])
    assert [entry.path.rpartition("/")[2] for entry in packed.manifest] == ["a.png", "b.png"]
    assert facts["sha256"] == hashlib.sha256(np.ascontiguousarray(packed.images)).hexdigest()


def test_prepared_images_are_opened_as_they_are(tmp_path, noise):
    for index in range(3):
        save(tmp_path / "in" / f"{index}.png", noise(64, 80))
    packed, facts = prepare_images(tmp_path / "in", tmp_path / "out", 32)
    again, same = prepare_images(tmp_path / "out", tmp_path / "nowhere", 32)
    np.testing.assert_array_equal(again.images, packed.images)
    assert same == facts
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(ManifestError, match="holds images of 32x32 pixels, and size is 64"):
        prepare_images(tmp_path / "out", tmp_path / "nowhere", 64)


def test_of_a_data_set_only_the_real_class_is_taken(toy_dataset, tmp_path):
    assert len(list_photographs(toy_dataset)) == 120
    assert not list_photographs(toy_dataset).labels.any()
    write_manifest(Manifest([Entry("g.png", 1, "gan"), Entry("r.png", 0, "real")], tmp_path), tmp_path / "m.csv")
    (tmp_path / "g.png").touch()
    (tmp_path / "r.png").touch()
    assert [entry.path for entry in list_photographs(tmp_path / "m.csv")] == ["r.png"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent", "data set '.*absent' does not exist"),
        ("empty", "data set '.*empty' holds no real images; name a folder of photographs"),
        ("file.txt", "is not a folder, nor a .csv or .parquet manifest"),
        ("small", r"has 0 images to train on, and at least 2 are needed; left out: 1 with a shorter side below 64"),
    ],
)
def test_data_without_images_are_refused_in_one_line(tmp_path, noise, name, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").touch()
    save(tmp_path / "small" / "a.png", noise(40, 40))
    with pytest.raises(ManifestError, match=message) as caught:
        prepare_images(tmp_path / name, tmp_path / "out", 32)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out" / "images.npy").exists()


def test_exported_images_are_a_real_class_without_loss(tmp_path, noise):
    for index in range(3):
        save(tmp_path / "in" / f"{index}.png", noise(64, 80))
    packed, _ = prepare_images(tmp_path / "in", tmp_path / "packed", 32)
    export_images(packed, tmp_path / "out")
    manifest = read_dataset(tmp_path / "out")
    assert manifest.class_names == ("real",)
    for row, pixels in enumerate(packed.images):
        np.testing.assert_array_equal(np.asarray(Image.open(manifest.file(row))), pixels)
    listed = read_dataset(tmp_path / "out" / "manifest.csv")
    assert [entry.group for entry in listed] == [entry.group for entry in packed.manifest]
