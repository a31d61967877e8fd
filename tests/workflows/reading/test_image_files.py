import os
import signal
import time
from contextlib import nullcontext
from itertools import takewhile

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import read_dataset
from spectell.errors import ParameterError
from spectell.images import read_image
from spectell.workflows.reading import image_files, image_set
from spectell.workflows.reading.image_files import AlteredReader, FileReader, Skipped, files_of
from spectell.workflows.reading.image_passes import map_images
from spectell.workflows.reading.image_set import ImageSet
from spectell.workflows.workers.pending import PENDING

pytestmark = pytest.mark.usefixtures("forked")


@pytest.fixture
def folder(tmp_path, rng):
    """Six pictures; the decoder dies of one, hangs on the next, and a third is damaged."""
    for kind in ("real", "gan"):
        (tmp_path / kind).mkdir()
        for name in ("a", "b", "c"):
            picture = rng.integers(0, 256, (12, 20, 3), dtype=np.uint8)
            Image.fromarray(picture).save(tmp_path / kind / f"{name}.png")
    (tmp_path / "gan" / "a.png").rename(tmp_path / "gan" / "dies.png")
    (tmp_path / "gan" / "b.png").rename(tmp_path / "gan" / "hangs.png")
    (tmp_path / "real" / "c.png").write_bytes(b"no image")
    return tmp_path


@pytest.fixture
def hostile(monkeypatch):
    def read(path, **options):
        if path.endswith("dies.png"):
            os.kill(os.getpid(), signal.SIGSEGV)
        if path.endswith("hangs.png"):
            time.sleep(600)
        return read_image(path, **options)

    monkeypatch.setattr(image_files, "read_image", read)


def test_a_file_that_a_decoder_dies_of_or_hangs_on_costs_itself_alone(folder, hostile):
    manifest = read_dataset(folder)
    found = list(map_images(manifest, np.shape, read=FileReader(timeout=1.0), workers=2))
    reasons = {each.path: each.reason for each in found if isinstance(each, Skipped)}
    assert sorted(reasons) == ["gan/dies.png", "gan/hangs.png", "real/c.png"]
    assert reasons["gan/dies.png"].endswith("dies.png: the decoder crashed (signal 11)")
    assert reasons["gan/hangs.png"].endswith("hangs.png: took longer than 1 s")
    assert [each for each in found if not isinstance(each, Skipped)] == [(12, 20, 3)] * 3


def test_a_set_of_images_is_made_of_the_others_with_their_pixels(folder, hostile):
    images = ImageSet(read_dataset(folder), read=FileReader(timeout=1.0), workers=2)
    assert list(images.manifest.paths) == ["gan/c.png", "real/a.png", "real/b.png"]
    assert len(images.skipped) == 3
    for index in range(3):
        expected = np.asarray(Image.open(images.manifest.file(index)))
        np.testing.assert_array_equal(images.pixels(index), expected)


@pytest.mark.parametrize("name", ["KEPT_BYTES", "_SENT_BYTES"])
def test_what_is_not_kept_is_read_again(folder, monkeypatch, name):
    monkeypatch.setattr(f"spectell.workflows.reading.image_set.{name}", 0)
    images = ImageSet(read_dataset(folder))
    again = list(images.map(np.mean, np.arange(len(images))))
    assert again == [np.mean(Image.open(images.manifest.file(index))) for index in range(5)]


def test_rows_are_handed_out_no_further_ahead_than_memory_allows(folder, monkeypatch):
    monkeypatch.setattr("spectell.workflows.reading.image_set._WAITING_BYTES", 1)
    images = ImageSet(read_dataset(folder), workers=1)
    assert len(images) == 5


@pytest.mark.parametrize(("crew", "share"), [(2, 1.0), (16, 0.0)])
def test_pixels_that_wait_for_a_slow_file_have_a_bound_whatever_the_sizes_so_far(tmp_path, monkeypatch, crew, share):
    """Twenty small images are done when the next file takes long, and everything after it is large.

    Few workers use the memory again once that size is known; many have more rows than such images would fit.
    """
    small, n_files, bound = 20, 200, 900_000
    (tmp_path / "real").mkdir()
    for number in range(n_files):
        side = 10 if number < small else 100
        Image.new("RGB", (side, side)).save(tmp_path / "real" / f"{number:03}.png")
    waited = []

    def map_files(files, manifest, work, items, workers):
        items = iter(items)
        for _ in range(small):
            yield work(next(items), nullcontext())
        while waiting := [work(item, nullcontext()) for item in takewhile(lambda item: item is not PENDING, items)]:
            waited.append(sum(each.pixels.nbytes for each in waiting if each.pixels is not None))
            yield from waiting

    monkeypatch.setattr(image_set, "_AHEAD", 100 // crew)
    monkeypatch.setattr(image_set, "_SENT_BYTES", 30_000)
    monkeypatch.setattr(image_set, "_WAITING_BYTES", bound)
    monkeypatch.setattr(image_set, "map_files", map_files)
    images = ImageSet(read_dataset(tmp_path, require_real=False), workers=crew)
    assert len(images) == n_files
    assert max(waited) <= bound
    assert waited[1] == share * bound


def test_files_above_the_limit_are_refused_and_large_ones_take_turns(folder, monkeypatch):
    gates = []

    def read(path, *, max_pixels, large_gate):
        gates.append(large_gate)
        return read_image(path, max_pixels=max_pixels, large_gate=large_gate)

    manifest = read_dataset(folder)
    found = list(map_images(manifest, np.shape, read=FileReader(max_pixels=239)))
    assert all("240 pixels" in each.reason for each in found[:5])
    monkeypatch.setattr(image_files, "read_image", read)
    FileReader()(manifest, 0)
    FileReader()(manifest, 1)
    assert gates[0] is gates[1] is not None


@pytest.mark.parametrize("limits", [{"max_pixels": 0}, {"timeout": 0.0}, {"timeout": float("nan")}])
def test_limits_outside_their_domain_are_refused(limits):
    with pytest.raises(ParameterError, match=f"{next(iter(limits))} must be"):
        FileReader(**limits)


def test_altered_pixels_come_from_the_processes(folder):
    reader = AlteredReader(FileReader(), lambda manifest, index, pixels: pixels[:index + 1])  # fmt: skip
    assert files_of(reader) == FileReader()
    manifest = read_dataset(folder)
    assert list(map_images(manifest, len, read=reader))[:3] == [1, 2, 3]
    assert len(reader(manifest, 1)) == 2
