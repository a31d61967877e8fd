import sys

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ImageError
from spectell.workflows import photographs
from spectell.workflows.photographs import PHOTOGRAPHS, Photograph, read_photographs


def test_the_photographs_are_those_in_the_packages():
    datasets = pytest.importorskip("sklearn.datasets")
    found = read_photographs()
    assert list(found) == ["china", "flower", "hopper"]
    np.testing.assert_array_equal(found["china"], datasets.load_sample_image("china.jpg"))
    np.testing.assert_array_equal(found["flower"], datasets.load_sample_image("flower.jpg"))


def test_scikit_learn_still_names_the_licence():
    pytest.importorskip("sklearn.datasets")
    from sklearn.datasets import load_sample_images

    notes = load_sample_images().DESCR
    assert "creative commons" in notes.lower()
    for photograph in PHOTOGRAPHS[:2]:
        assert photograph.address.removeprefix("https://").rstrip("/") in notes


def test_matplotlib_still_names_the_source():
    with Image.open(PHOTOGRAPHS[2].locate()) as image:
        assert image.info["comment"].decode().endswith("commons.wikimedia.org/wiki/File:Grace_Hopper.jpg")


def test_every_photograph_is_credited_with_a_free_licence():
    for photograph in PHOTOGRAPHS:
        assert "CC BY 2.0" in photograph.credit or "public domain" in photograph.credit
        assert photograph.address.startswith("https://")


def test_a_package_that_is_absent_or_stripped_is_left_out(monkeypatch):
    absent = Photograph("absent", "no_such_package_here", "a.jpg", "", "")
    stripped = Photograph("stripped", "numpy", "no/such/file.jpg", "", "")
    monkeypatch.setattr(photographs, "PHOTOGRAPHS", (absent, stripped, PHOTOGRAPHS[0]))
    assert list(read_photographs()) == ["china"]
    monkeypatch.setattr(photographs, "PHOTOGRAPHS", (absent, stripped))
    with pytest.raises(
        ImageError, match="no_such_package_here and numpy are installed without their sample photographs"
    ):
        read_photographs()


def test_the_packages_are_not_imported(tmp_path):
    import subprocess

    code = (
        "import sys; from spectell.workflows.photographs import read_photographs; read_photographs();"
        "sys.exit(bool({'sklearn', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
