import numpy as np
import pytest
from PIL import Image

from spectell.datasets import Entry, Manifest
from spectell.datasets.packed import pack
from spectell.errors import ArtifactError, ParameterError
from spectell.generators.training_folder import check_training_folder

NAME = "checkpoint.safetensors"


@pytest.fixture
def faces(tmp_path):
    (tmp_path / "faces").mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "faces" / "a.png")
    return tmp_path / "faces"


@pytest.fixture
def packed(tmp_path, faces):
    def write(folder):
        pack(Manifest([Entry("a.png", 0, "real")], root=faces), folder)

    return write


@pytest.mark.parametrize("resume", [False, True])
def test_a_new_or_an_empty_folder_is_begun_in(faces, tmp_path, resume):
    (tmp_path / "empty").mkdir()
    for name in ("empty", "absent"):
        assert not check_training_folder(faces, tmp_path / name, NAME, resume=resume)


def test_a_training_is_gone_on_with_only_when_asked(faces, tmp_path):
    (tmp_path / NAME).touch()
    assert check_training_folder(faces, tmp_path, NAME, resume=True)
    with pytest.raises(ArtifactError, match="holds a training already; go on with --resume, or name another folder"):
        check_training_folder(faces, tmp_path, NAME, resume=False)


@pytest.mark.parametrize("below", ["", "out", "real/out"])
def test_no_training_begins_among_the_images(faces, below):
    with pytest.raises(ParameterError, match="lies in the folder of the images; name one outside it"):
        check_training_folder(faces, faces / below, NAME, resume=True)


def test_what_was_written_before_the_first_checkpoint_is_gone_on_with(faces, packed, tmp_path):
    root = tmp_path / "out"
    packed(root / "images")
    (root / "log.csv").write_text("step,loss\n1,2\n")
    (root / "samples-000500.png").touch()
    assert not check_training_folder(faces, root, NAME, resume=True)
    with pytest.raises(ParameterError, match="only begun; go on with --resume or name a new folder"):
        check_training_folder(faces, root, NAME, resume=False)


def test_a_training_on_packed_images_may_lie_beside_them(packed, tmp_path):
    packed(tmp_path / "out" / "images")
    assert not check_training_folder(tmp_path / "out" / "images", tmp_path / "out", NAME, resume=True)
    assert not check_training_folder(tmp_path / "out" / "images", tmp_path / "out" / "images" / "x", NAME, resume=False)


@pytest.mark.parametrize("name", ["notes.txt", "log.csv", "images/a.png", "images"])
@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_of_anything_else_is_refused(faces, tmp_path, name, resume):
    file = tmp_path / "mine" / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")
    with pytest.raises(ParameterError, match="is not empty and holds no training; name a new folder"):
        check_training_folder(faces, tmp_path / "mine", NAME, resume=resume)
