import pytest

from spectell.datasets.places import contents, removing_empty_folders, require_apart
from spectell.errors import ParameterError


def test_contents_are_the_names_that_a_killed_process_did_not_leave(tmp_path):
    assert contents(tmp_path / "absent") == frozenset()
    for name in ("a.png", ".hidden", ".a.png.12.part", ".a.png.part"):
        (tmp_path / name).touch()
    assert contents(tmp_path) == {"a.png", ".hidden", ".a.png.part"}


def test_a_file_has_no_contents(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ParameterError, match=r"'.*file' is a file, and a folder is needed; name another one"):
        contents(tmp_path / "file")
    with pytest.raises(ParameterError, match=r"'.*below' lies below a file, and a folder is needed"):
        contents(tmp_path / "file" / "below")


def fail_in(folder, *files):
    def fail():
        folder.mkdir(parents=True, exist_ok=True)
        for name in files:
            (folder / name).touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), removing_empty_folders(folder):
        fail()


def test_a_failure_removes_the_folders_that_it_made_and_no_others(tmp_path):
    fail_in(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()
    (tmp_path / "mine").mkdir()
    fail_in(tmp_path / "mine")
    fail_in(tmp_path / "mine" / "b")
    assert list((tmp_path / "mine").iterdir()) == []
    fail_in(tmp_path / "full" / "b", "kept")
    assert (tmp_path / "full" / "b" / "kept").is_file()


def test_a_success_keeps_an_empty_folder(tmp_path):
    with removing_empty_folders(tmp_path / "a"):
        (tmp_path / "a").mkdir()
    assert (tmp_path / "a").is_dir()


def test_copies_may_lie_beside_the_originals_but_not_among_them(tmp_path):
    (tmp_path / "set").mkdir()
    require_apart(tmp_path / "set", tmp_path / "set-copies")
    for inside in ("set", "set/copies"):
        with pytest.raises(ParameterError, match="lies in the folder of the images"):
            require_apart(tmp_path / "set", tmp_path / inside)
