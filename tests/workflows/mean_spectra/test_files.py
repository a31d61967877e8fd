"""Arrays of a file: what was written, in any compression, and no array of a damaged or replaced file."""

import zipfile

import numpy as np
import pytest

from spectell.errors import ArtifactError
from spectell.workflows.mean_spectra.files import FORMAT_VERSION, ArrayFile, write_arrays

ARRAYS = {
    "set/a/mean": np.arange(12.0).reshape(3, 4),
    "séries/图/x": np.arange(7, dtype=np.uint64),
    "empty": np.zeros((0, 3), np.float32),
}


@pytest.fixture
def path(tmp_path):
    with (tmp_path / "a.npz").open("wb") as file:
        write_arrays(file, ARRAYS.items(), {"format": FORMAT_VERSION, "said": "é"})
    return tmp_path / "a.npz"


def same(file):
    return list(file) == list(ARRAYS) and all(np.array_equal(file[name], ARRAYS[name]) for name in ARRAYS)


def test_arrays_are_those_that_were_written_and_numpy_reads_them_too(path):
    file = ArrayFile(path)
    assert file.metadata["said"] == "é"
    assert same(file)
    with np.load(path, allow_pickle=False) as loaded:
        assert all(np.array_equal(loaded[name], ARRAYS[name]) for name in ARRAYS)
    with pytest.raises(KeyError):
        file["metadata"]


def test_a_compressed_archive_is_read_as_well(path, tmp_path):
    with zipfile.ZipFile(path) as plain, zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    assert same(ArrayFile(tmp_path / "b.npz"))


@pytest.mark.parametrize("where", ["values", "header"])
def test_a_damaged_array_is_not_given(path, where):
    content = bytearray(path.read_bytes())
    text = ARRAYS["set/a/mean"].tobytes() if where == "values" else b"\x93NUMPY"
    content[content.index(text) + 3] ^= 0x40
    path.write_bytes(content)
    file = ArrayFile(path)
    with pytest.raises(ArtifactError, match="cannot read 'set/a/mean' in"):
        file["set/a/mean"]
    assert np.array_equal(file["empty"], ARRAYS["empty"])


def test_a_file_that_was_replaced_is_not_read_on(path, tmp_path):
    file = ArrayFile(path)
    (tmp_path / "new").write_bytes(path.read_bytes())
    (tmp_path / "new").replace(path)
    with pytest.raises(ArtifactError, match="another run has replaced"):
        file["empty"]


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive"])
def test_something_else_is_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(ArtifactError, match="not a file that spectell spectrum wrote"):
        ArrayFile(tmp_path / "a.npz")
