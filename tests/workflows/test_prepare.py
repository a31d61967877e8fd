import json

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import read_manifest
from spectell.errors import ManifestError, ParameterError
from spectell.workflows.prepare import prepare_images, square_window


@pytest.fixture
def save(tmp_path, rng):
    def write(name, width, height, **keywords):
        file = tmp_path / "in" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(file, **keywords)
        with Image.open(file) as image:
            return np.array(image)

    return write


def prepared(tmp_path, name, size, **keywords):
    return prepare_images(name, tmp_path / "in", tmp_path / "out", size, workers=1, **keywords)


def opened(tmp_path, name):
    with Image.open(tmp_path / "out" / "real" / name) as image:
        return np.array(image)


def test_celeba_is_cut_about_the_face_and_its_pixels_stay(tmp_path, save):
    original = save("img_align_celeba/000001.jpg", 178, 218)
    prepared(tmp_path, "celeba", 128)
    np.testing.assert_array_equal(opened(tmp_path, "img_align_celeba/000001.png"), original[57:185, 25:153])


def test_lsun_keeps_a_square_of_the_whole_shorter_side_and_is_not_squashed(tmp_path, save):
    original = save("bedroom_train/a/b/c.webp", 341, 256, lossless=True)
    save("bedroom_train/tall.png", 256, 400)
    prepared(tmp_path, "lsun", 256)
    np.testing.assert_array_equal(opened(tmp_path, "bedroom_train/a/b/c.png"), original[:, 42:298])
    assert opened(tmp_path, "bedroom_train/tall.png").shape == (256, 256, 3)


def test_a_circle_stays_a_circle(tmp_path, save):
    rows, columns = np.indices((256, 341))
    disc = np.uint8(255) * (np.hypot(rows - 127.5, columns - 170) < 100)
    (tmp_path / "in").mkdir()
    Image.fromarray(np.repeat(disc[..., None], 3, axis=2)).save(tmp_path / "in" / "disc.png")
    prepared(tmp_path, "lsun", 128)
    found = opened(tmp_path, "disc.png")[..., 0] > 127
    assert found.any(axis=0).sum() == pytest.approx(100, abs=2)
    assert found.any(axis=1).sum() == pytest.approx(100, abs=2)


def test_ffhq_is_shrunk_whole_as_pillow_does_with_lanczos(tmp_path, save):
    original = save("images1024x1024/00000/00001.png", 1024, 1024)
    prepared(tmp_path, "ffhq", 256)
    expected = Image.fromarray(original).resize((256, 256), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(opened(tmp_path, "images1024x1024/00000/00001.png"), np.asarray(expected))


def test_the_manifest_is_of_real_images_and_a_resumed_run_does_no_work_twice(tmp_path, save):
    save("00000/00000.png", 64, 64)
    save("00000/00001.png", 64, 64)
    assert prepared(tmp_path, "ffhq", 32).changed == 2
    manifest = read_manifest(tmp_path / "out" / "manifest.csv")
    assert [(entry.path, entry.generator, entry.source, entry.group) for entry in manifest] == [
        (f"real/00000/0000{n}.png", "real", "ffhq", f"ffhq/00000/0000{n}") for n in range(2)
    ]
    record = (tmp_path / "out" / "record.jsonl").read_text().splitlines()
    assert json.loads(record[1])["parameters"] == {"top": 0, "left": 0, "side": 64}
    assert prepared(tmp_path, "ffhq", 32, resume=True).reused == 2
    with pytest.raises(ParameterError, match=r"other settings \(size\)"):
        prepared(tmp_path, "ffhq", 16, resume=True)


def test_pictures_of_another_collection_or_too_small_are_named_and_left_out(tmp_path, save):
    save("good.png", 64, 64)
    save("oblong.png", 64, 60)
    save("small.png", 20, 20)
    copies = prepared(tmp_path, "ffhq", 32)
    assert [entry.path for entry in copies.manifest] == ["real/good.png"]
    assert "is square, this one has 64 x 60 pixels" in copies.skipped[0].reason
    assert "fewer than 32, and nothing is enlarged" in copies.skipped[1].reason
    with pytest.raises(ManifestError, match="an aligned CelebA picture has 178 x 218 pixels, this one 64 x 64"):
        prepare_images("celeba", tmp_path / "in", tmp_path / "out2", 128, workers=1)


@pytest.mark.parametrize(("name", "size"), [("celeba", 129), ("lsun", 257), ("ffhq", 1025), ("ffhq", 7)])
def test_a_size_beyond_the_published_pixels_is_refused(tmp_path, name, size):
    with pytest.raises(ParameterError, match="size must lie between 8 and"):
        prepare_images(name, tmp_path, tmp_path.parent / "out", size)
    with pytest.raises(ParameterError, match="unknown collection 'imagenet'; choose one of celeba, lsun, ffhq"):
        prepare_images("imagenet", tmp_path, tmp_path.parent / "out", size)


@pytest.mark.parametrize(("height", "width"), [(256, 341), (341, 256), (256, 256), (257, 256)])
def test_every_lsun_window_is_square_and_inside(height, width):
    top, left, side = square_window("lsun", height, width)
    assert side == min(height, width)
    assert 0 <= top <= height - side
    assert 0 <= left <= width - side


def test_a_folder_without_images_is_one_line(tmp_path):
    with pytest.raises(ManifestError, match="holds no image"):
        prepare_images("ffhq", tmp_path, tmp_path.parent / "out", 32)
    with pytest.raises(ManifestError, match="does not exist"):
        prepare_images("ffhq", tmp_path / "no", tmp_path / "out", 32)
