"""Files that kill or stop who reads them are compared by their bytes, and cost themselves alone."""

import os
import signal
import time

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import duplicates, read_dataset
from spectell.datasets.duplicates import fingerprint
from spectell.datasets.splits import assign_splits
from spectell.images import read_image
from spectell.workflows.audit import audit_manifest
from spectell.workflows.reading.fingerprints import IsolatedFingerprints
from spectell.workflows.reading.image_files import FileReader

pytestmark = pytest.mark.usefixtures("forked")

LIMITS = FileReader(max_pixels=5_000, timeout=1.0)


@pytest.fixture
def pictures(tmp_path, rng):
    for kind in ("real", "gan"):
        (tmp_path / kind).mkdir()
        for number in range(6):
            coarse = Image.fromarray(rng.integers(0, 256, (10, 12, 3), dtype=np.uint8))
            coarse.resize((48, 40), Image.Resampling.BICUBIC).save(tmp_path / kind / f"{kind}{number}.png")
    return tmp_path


@pytest.fixture
def hostile(pictures, monkeypatch):
    """Of these the decoder dies, and on the other it hangs; in this process that would end the tests."""
    (pictures / "gan" / "gan1.png").rename(pictures / "gan" / "dies.png")
    (pictures / "gan" / "hangs.png").write_bytes((pictures / "gan" / "gan2.png").read_bytes())
    (pictures / "gan" / "dies too.png").write_bytes((pictures / "gan" / "dies.png").read_bytes())
    here = os.getpid()

    def read(path, **options):
        assert os.getpid() != here
        if "dies" in path:
            os.kill(os.getpid(), signal.SIGSEGV)
        if "hangs" in path:
            time.sleep(600)
        return read_image(path, **options)

    monkeypatch.setattr(duplicates, "read_image", read)
    return read_dataset(pictures)


def test_processes_give_the_fingerprints_that_threads_give(pictures):
    Image.new("RGB", (100, 100)).save(pictures / "real" / "larger than the limit.png")
    manifest = read_dataset(pictures)
    threads = fingerprint(manifest, with_facts=True)
    processes = fingerprint(manifest, with_facts=True, workers=2, read=IsolatedFingerprints(LIMITS))
    assert list(processes.sha256) == list(threads.sha256)
    np.testing.assert_array_equal(processes.hashes, threads.hashes)
    (row,) = processes.unreadable
    assert manifest.paths[row] == "real/larger than the limit.png"
    assert processes.facts == [None if each == row else facts for each, facts in enumerate(threads.facts)]


def test_a_file_that_nobody_survives_is_compared_by_its_bytes(hostile):
    read = IsolatedFingerprints(LIMITS)
    prints = fingerprint(hostile, read=read, workers=2)
    unreadable = [hostile.paths[row] for row in prints.unreadable]
    assert unreadable == [each.path for each in read.skipped] == ["gan/dies too.png", "gan/dies.png", "gan/hangs.png"]
    assert "the decoder crashed (signal 11)" in read.skipped[0].reason
    assert "took longer than 1 s" in read.skipped[2].reason
    groups = prints.pictures()
    row = {path: groups[index] for index, path in enumerate(hostile.paths)}
    assert row["gan/dies too.png"] == row["gan/dies.png"]
    assert row["gan/hangs.png"] == row["gan/gan2.png"]


def test_a_split_is_made_of_all_files(hostile):
    divided = assign_splits(hostile, read=IsolatedFingerprints(LIMITS), workers=2)
    assert all(divided.splits)
    assert any("3 of 14 files cannot be read" in note for note in divided.notes)


def test_an_audit_counts_them_as_unreadable(hostile, monkeypatch):
    monkeypatch.setattr("spectell.workflows.audit.read_file", LIMITS)
    report = audit_manifest(hostile, pixels=True, workers=2)
    assert (report.examined, report.unreadable) == (14, 3)
