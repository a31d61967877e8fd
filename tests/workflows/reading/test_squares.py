"""Images cut to one size in processes: as in threads, and files that kill or stop their reader are named."""

import os
import signal
import time

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import read_dataset
from spectell.datasets.packed import pack
from spectell.errors import ManifestError
from spectell.images import read_image
from spectell.workflows.reading import image_files
from spectell.workflows.reading.image_files import FileReader
from spectell.workflows.reading.squares import IsolatedSquares

pytestmark = pytest.mark.usefixtures("forked")

LIMITS = FileReader(max_pixels=5_000, timeout=1.0)


@pytest.fixture
def pictures(tmp_path, rng):
    for kind in ("real", "gan"):
        (tmp_path / "in" / kind).mkdir(parents=True)
        for number in range(20):
            pixels = rng.integers(0, 256, (40 + number, 50, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "in" / kind / f"{number:02}.png")
    return tmp_path / "in"


@pytest.mark.parametrize("workers", [1, 2])
def test_processes_cut_what_threads_cut(pictures, tmp_path, workers):
    manifest = read_dataset(pictures)
    threads = pack(manifest, tmp_path / "threads", 32)
    processes = pack(manifest, tmp_path / "processes", 32, read=IsolatedSquares(LIMITS), workers=workers)
    np.testing.assert_array_equal(processes.images, threads.images)
    first = np.asarray(Image.open(pictures / manifest.paths[0]))
    np.testing.assert_array_equal(processes.images[0], first[4:36, 9:41])


@pytest.mark.parametrize(
    ("name", "reason"), [("dies", "crashed"), ("hangs", "longer than 1 s"), ("large", "max_pixels")]
)
def test_a_file_that_cannot_be_read_is_named_whatever_it_does(pictures, tmp_path, monkeypatch, name, reason):
    here = os.getpid()

    def read(path, **options):
        assert os.getpid() != here
        if "dies" in path:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "hangs" in path:
            time.sleep(600)
        return read_image(path, **options)

    monkeypatch.setattr(image_files, "read_image", read)
    Image.new("RGB", (100, 100) if name == "large" else (50, 50)).save(pictures / "gan" / f"{name}.png")
    with pytest.raises(ManifestError, match=rf"1 of 41 files cannot be packed, the first is .*{name}.*{reason}"):
        pack(read_dataset(pictures), tmp_path / "out", 32, read=IsolatedSquares(LIMITS), workers=2)
    assert not (tmp_path / "out").exists()
