"""Statistics of folders: parallel equals serial, and what does not fit is counted."""

import os

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ImageError, ParameterError
from spectell.transforms import dct2, log_scale
from spectell.workflows import statistics as module
from spectell.workflows.statistics import folder_statistics


@pytest.fixture
def folder(rng, tmp_path):
    for number in range(40):
        pixels = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number:02}.png")
    return tmp_path


def pixels_of(folder):
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("??.png"))])


@pytest.mark.parametrize("log", [False, True])
def test_a_folder_has_the_mean_and_variance_of_its_images(folder, log):
    found = folder_statistics(folder, workers=2, log=log)
    spectra = dct2(pixels_of(folder))
    spectra = log_scale(spectra) if log else spectra
    assert found.statistics.count == 40
    np.testing.assert_allclose(found.statistics.mean, spectra.mean(0), atol=1e-2)
    np.testing.assert_allclose(found.statistics.variance(), spectra.var(0), rtol=2e-2)
    assert (found.other_sizes, found.unreadable) == ({}, ())


def test_any_number_of_workers_gives_the_same_bits(folder):
    one, three = (folder_statistics(str(folder), workers=n).statistics for n in (1, 3))
    np.testing.assert_array_equal(one.mean, three.mean)
    np.testing.assert_array_equal(one.variance(), three.variance())


def test_other_sizes_and_broken_files_are_counted_and_left_out(folder):
    expected = folder_statistics(folder).statistics
    Image.new("RGB", (10, 12)).save(folder / "small.png")
    Image.new("RGB", (24, 20)).rotate(90, expand=True).save(folder / "tall.png")
    (folder / "00 first.jpg").write_bytes(b"not an image")
    found = folder_statistics([folder, folder / "absent.jpg"])
    assert found.other_sizes == {(12, 10): 1, (24, 20): 1}
    assert len(found.unreadable) == 2
    assert "00 first.jpg" in found.unreadable[0]
    assert "absent.jpg" in found.unreadable[1]
    np.testing.assert_array_equal(found.statistics.count, expected.count)
    np.testing.assert_allclose(found.statistics.mean, expected.mean, atol=1e-9)


@pytest.mark.usefixtures("forked")
def test_a_decoder_that_kills_its_worker_costs_one_file(folder, monkeypatch):
    read = module.read_image

    def deadly(path, **options):
        if path.endswith("07.png"):
            os._exit(11)
        return read(path, **options)

    monkeypatch.setattr(module, "read_image", deadly)
    found = folder_statistics(folder, workers=2)
    assert found.statistics.count == 39
    assert len(found.unreadable) == 1
    assert "07.png: the decoder ended its process (exit status 11)" in found.unreadable[0]


def test_nothing_readable_is_an_error_that_names_the_first_file(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"not an image")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match=r"none of 1 files can be read as an image; the first: .*a\.jpg"):
        folder_statistics(tmp_path)
    with pytest.raises(ParameterError, match="no image files"):
        folder_statistics(tmp_path / "empty")
    with pytest.raises(ParameterError, match="workers must be at least 1, got 0"):
        folder_statistics(tmp_path / "a.jpg", workers=0)
