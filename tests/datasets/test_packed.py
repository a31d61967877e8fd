import errno
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import Entry, Manifest, read_dataset
from spectell.datasets.packed import open_packed, pack
from spectell.errors import ManifestError, ParameterError


def test_every_row_has_the_pixels_of_its_file(faces, tmp_path):
    manifest = read_dataset(faces)
    packed = pack(manifest, tmp_path / "packed")
    assert packed.images.shape == (12, 48, 64, 3)
    assert packed.images.dtype == np.uint8
    for row, entry in enumerate(packed.manifest):
        assert np.array_equal(packed.images[row], np.asarray(Image.open(entry.path)))
    assert [e.group for e in packed.manifest] == [e.group for e in manifest]
    assert sorted(path.name for path in (tmp_path / "packed").iterdir()) == ["images.npy", "manifest.csv"]


def test_the_map_is_read_only_and_needs_no_original(faces, tmp_path):
    pack(read_dataset(faces), tmp_path / "packed")
    for file in faces.rglob("*.png"):
        file.unlink()
    packed = open_packed(tmp_path / "packed")
    assert isinstance(packed.images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        packed.images[0] = 0


def test_a_crop_is_the_centre_at_native_pixels(faces, tmp_path):
    packed = pack(read_dataset(faces), tmp_path / "packed", size=20)
    original = np.asarray(Image.open(faces / "gan" / "0.png"))
    assert np.array_equal(packed.images[0], original[14:34, 22:42])


def test_images_of_several_sizes_are_refused_with_their_numbers(faces, tmp_path):
    Image.new("RGB", (30, 10)).save(faces / "gan" / "small.png")
    with pytest.raises(
        ManifestError, match=r"must have one size \(height x width\), got 12 of 48x64, 1 of 10x30; .*size="
    ):
        pack(read_dataset(faces), tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


def test_images_smaller_than_the_crop_are_refused_with_their_numbers(faces, tmp_path):
    Image.new("RGB", (30, 10)).save(faces / "gan" / "small.png")
    with pytest.raises(ManifestError, match=r"must all be at least 20x20 \(height x width\), got 1 of 10x30;"):
        pack(read_dataset(faces), tmp_path / "packed", size=20)


def test_unreadable_images_are_counted_and_the_first_is_named(faces, tmp_path):
    (faces / "gan" / "x.png").write_bytes(b"no image")
    (faces / "gan" / "y.png").write_bytes(b"no image")
    with pytest.raises(ManifestError, match=r"2 of 14 files cannot be packed, the first is 'gan/x\.png': cannot read"):
        pack(read_dataset(faces), tmp_path / "packed")


@pytest.mark.parametrize("size", [0, -1])
def test_a_size_of_nothing_is_refused(faces, tmp_path, size):
    with pytest.raises(ParameterError, match="size must be a positive number of pixels"):
        pack(read_dataset(faces), tmp_path / "packed", size=size)


def test_nothing_to_pack_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="no images to pack"):
        pack(Manifest([], root=tmp_path), tmp_path / "packed")


def test_a_failure_leaves_older_files_as_they_were(faces, tmp_path):
    pack(read_dataset(faces), tmp_path / "packed")
    before = {path.name: path.read_bytes() for path in (tmp_path / "packed").iterdir()}
    (faces / "gan" / "x.png").write_bytes(b"no image")
    with pytest.raises(ManifestError):
        pack(read_dataset(faces), tmp_path / "packed")
    assert {path.name: path.read_bytes() for path in (tmp_path / "packed").iterdir()} == before


def test_a_full_disk_while_the_manifest_is_written_leaves_older_files_too(faces, tmp_path, monkeypatch):
    pack(read_dataset(faces), tmp_path / "packed")
    before = {path.name: path.read_bytes() for path in (tmp_path / "packed").iterdir()}

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("spectell.datasets.manifest._write_csv", full)
    with pytest.raises(ManifestError, match="No space left on device"):
        pack(read_dataset(faces), tmp_path / "packed", size=8)
    assert {path.name: path.read_bytes() for path in (tmp_path / "packed").iterdir()} == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="limits on file size are POSIX")
def test_a_disk_that_fills_up_is_one_error_and_no_file(faces, tmp_path):
    script = (
        "import resource, sys; from spectell.datasets import read_dataset; from spectell.datasets.packed import pack\n"
        "manifest = read_dataset(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try: pack(manifest, sys.argv[2])\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    arguments = [sys.executable, "-c", script, str(faces), str(tmp_path / "packed")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ManifestError cannot write")
    assert "File too large; nothing was left" in done.stdout
    assert not (tmp_path / "packed").exists()


def test_progress_counts_every_image(faces, tmp_path):
    done = []
    pack(read_dataset(faces), tmp_path / "packed", on_progress=done.append, workers=1)
    assert sum(done) == 12


@pytest.mark.parametrize("name", ["images.npy", "manifest.csv"])
def test_half_a_packed_folder_says_what_is_missing(faces, tmp_path, name):
    pack(read_dataset(faces), tmp_path / "packed")
    (tmp_path / "packed" / name).unlink()
    with pytest.raises(ManifestError, match=f"it has no {name}; make one with"):
        open_packed(tmp_path / "packed")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 4, 4, 3), np.uint8), "has 2 images but 1 rows of manifest"),
        (np.zeros((1, 4, 4, 3), np.float32), r"must hold uint8 of shape \(N, H, W, 3\), got float32"),
        (np.zeros((1, 3, 4, 4), np.uint8), r"got uint8 of shape \(1, 3, 4, 4\)"),
        (np.zeros((1, 4, 4), np.uint8), r"got uint8 of shape \(1, 4, 4\)"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(tmp_path, images, message):
    pack(Manifest([one_image(tmp_path)], root=tmp_path), tmp_path / "packed")
    np.save(tmp_path / "packed" / "images.npy", images)
    with pytest.raises(ManifestError, match=message):
        open_packed(tmp_path / "packed")


@pytest.mark.parametrize("content", [b"", b"no array", None])
def test_a_damaged_array_is_one_error(tmp_path, content):
    pack(Manifest([one_image(tmp_path)], root=tmp_path), tmp_path / "packed")
    images = tmp_path / "packed" / "images.npy"
    images.write_bytes(images.read_bytes()[:-1] if content is None else content)
    with pytest.raises(ManifestError, match=r"is damaged .*; pack the data set again"):
        open_packed(tmp_path / "packed")


def test_no_pickle_is_ever_loaded(tmp_path):
    pack(Manifest([one_image(tmp_path)], root=tmp_path), tmp_path / "packed")
    np.save(tmp_path / "packed" / "images.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ManifestError, match="is damaged"):
        open_packed(tmp_path / "packed")


def one_image(folder):
    Image.new("RGB", (4, 4)).save(folder / "a.png")
    return Entry("a.png", 0, "real")
