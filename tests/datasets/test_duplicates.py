import io
import itertools
import os

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import Entry, Manifest, read_dataset
from spectell.datasets.duplicates import MAX_DISTANCE, fingerprint, perceptual_hash
from spectell.errors import ShapeError


def distance(a, b):
    return sum((int(x) ^ int(y)).bit_count() for x, y in zip(a, b, strict=True))


def as_jpeg(image, quality=75):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def halved(image):
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)


def pixels(image):
    return np.asarray(image.convert("RGB"))


def test_a_jpeg_a_half_and_a_brighter_copy_are_the_same_picture(picture):
    image = Image.fromarray(picture(96, 128))
    brighter = image.point(lambda value: min(255, int(value * 1.1 + 5)))
    for copy in (as_jpeg(image), halved(image), brighter, image.convert("L")):
        assert distance(perceptual_hash(pixels(image)), perceptual_hash(pixels(copy))) <= MAX_DISTANCE


def test_different_pictures_differ_in_about_half_the_bits(picture):
    hashes = [perceptual_hash(picture()) for _ in range(30)]
    distances = [distance(a, b) for a, b in itertools.combinations(hashes, 2)]
    assert min(distances) > 2 * MAX_DISTANCE
    assert 60 < np.mean(distances) < 68


def test_a_mirrored_or_turned_picture_is_another_one(picture):
    image = picture(64, 64)
    for other in (image[:, ::-1], image[::-1], image.transpose(1, 0, 2), 255 - image):
        assert distance(perceptual_hash(image), perceptual_hash(other)) > 2 * MAX_DISTANCE


ROWS, COLUMNS = np.indices((64, 64))


@pytest.mark.parametrize(
    "luma",
    [
        np.zeros((64, 64)),
        np.full((64, 64), 255),
        COLUMNS * 4,
        ROWS * 2 + COLUMNS * 2,
        255 * ((ROWS - 31.5) ** 2 + (COLUMNS - 31.5) ** 2 < 100),
        np.hypot(ROWS - 31.5, COLUMNS - 31.5) * 5,
        128 + (ROWS + COLUMNS) % 2,
    ],
    ids=["black", "white", "ramp", "diagonal", "disc", "vignette", "checkerboard"],
)
def test_flat_smooth_and_symmetric_pictures_have_no_fingerprint(luma):
    assert perceptual_hash(np.repeat(luma.astype(np.uint8)[..., np.newaxis], 3, axis=2)) is None


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (31, 33)])
def test_any_size_has_an_answer(rng, shape):
    result = perceptual_hash(rng.integers(0, 256, (*shape, 3), dtype=np.uint8))
    assert result is None or (result.shape == (8,) and result.dtype == np.uint16)


@pytest.mark.parametrize("wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8)])
def test_other_arrays_are_refused(wrong):
    with pytest.raises(ShapeError, match="uint8 of shape"):
        perceptual_hash(wrong)


def test_flat_pictures_are_copies_only_of_the_same_bytes(tmp_path):
    (tmp_path / "real").mkdir()
    for name, value in [("a", 0), ("b", 0), ("c", 5), ("d", 250)]:
        Image.new("RGB", (40, 40), (value,) * 3).save(tmp_path / "real" / f"{name}.png")
    prints = fingerprint(read_dataset(tmp_path))
    assert prints.exact_pairs().tolist() == [[0, 1]]
    assert prints.near_pairs().tolist() == []
    assert len(set(prints.pictures().tolist())) == 3


def test_a_copy_is_found_whatever_its_format_and_folder(faces):
    original = Image.open(faces / "real" / "2.png")
    original.save(faces / "gan" / "copy.jpg", quality=75)
    halved(original).save(faces / "real" / "small.bmp")
    (faces / "real" / "same.png").write_bytes((faces / "real" / "2.png").read_bytes())
    manifest = read_dataset(faces)
    pictures = fingerprint(manifest).pictures()
    row = {path: index for index, path in enumerate(manifest.paths)}
    copies = {path for path in row if pictures[row[path]] == pictures[row["real/2.png"]]}
    assert copies == {"real/2.png", "gan/copy.jpg", "real/small.bmp", "real/same.png"}
    assert len(set(pictures.tolist())) == 12


def test_files_that_cannot_be_read_are_said_and_are_nobodys_copy(faces):
    (faces / "real" / "empty1.png").touch()
    (faces / "real" / "empty2.jpg").touch()
    manifest = Manifest([*read_dataset(faces), Entry("real/gone.png", 0, "real")], root=faces)
    done = []
    prints = fingerprint(manifest, on_progress=done.append, with_facts=True)
    assert [manifest.paths[row] for row in prints.unreadable] == ["real/empty1.png", "real/empty2.jpg", "real/gone.png"]
    assert prints.near_pairs().tolist() == []
    assert len(prints.exact_pairs()) == 1  # both empty files
    assert prints.sha256[-1] == ""
    assert [facts is None for facts in prints.facts] == [row in prints.unreadable for row in range(15)]
    assert sum(done) == 15
    assert prints.notes(manifest.paths)[0].startswith("3 of 15 files cannot be read as images")


def test_the_number_of_threads_does_not_matter(faces):
    one, four = (fingerprint(read_dataset(faces), workers=workers) for workers in (1, 4))
    assert list(one.sha256) == list(four.sha256)
    assert np.array_equal(one.hashes, four.hashes)


@pytest.mark.shared_data
def test_copies_of_200_photographs_are_found_and_nothing_else(shared_data):
    files = sorted((shared_data / "photos" / "real").iterdir())[:200]
    for file in files:
        image = Image.open(file).convert("RGB")
        original = perceptual_hash(pixels(image))
        assert distance(original, perceptual_hash(pixels(as_jpeg(image)))) <= MAX_DISTANCE, file
        assert distance(original, perceptual_hash(pixels(halved(image)))) <= MAX_DISTANCE, file


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["faces256", "photos"])
def test_no_two_photographs_of_a_collection_are_taken_for_copies(shared_data, name):
    manifest = read_dataset(shared_data / name)
    prints = fingerprint(manifest.select(manifest.labels == 0))
    assert prints.usable.all()
    assert len(prints.duplicate_pairs()) == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes")
def test_a_fifo_is_unreadable_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    prints = fingerprint(Manifest([Entry("a.png", 0, "real")], root=tmp_path))
    assert (list(prints.sha256), list(prints.unreadable)) == ([""], [0])
