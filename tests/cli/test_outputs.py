import os

import pytest

from spectell.cli.outputs import FileKind, check_output
from spectell.errors import ArtifactError, ManifestError, MismatchError, ParameterError

LIST = FileKind("a list", "list.txt", lambda path: path.read_bytes().startswith(b"- "))


def refused(path, kind=LIST):
    with pytest.raises(MismatchError) as caught:
        check_output(path, kind, option="--output")
    message = str(caught.value)
    assert message.startswith("--output ")
    assert "\n" not in message
    return message


def test_a_file_may_be_written_where_nothing_is_and_nothing_is_made_for_it(tmp_path):
    for name in ("list.txt", "new/folders/list.txt"):
        check_output(tmp_path / name, LIST, option="--output")
    assert not list(tmp_path.iterdir())


def test_a_file_of_the_same_kind_may_be_replaced_and_no_other(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"- one")
    check_output(tmp_path / "list.txt", LIST, option="--output")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    message = refused(tmp_path / "photo.png")
    assert message.endswith("photo.png', which is not a list; choose another name")


@pytest.mark.parametrize("error", [OSError("torn"), ArtifactError("of another version")])
def test_a_file_that_cannot_be_read_is_of_no_kind(tmp_path, error):
    def recognise(path):
        raise error

    (tmp_path / "list.txt").touch()
    assert "is not a list" in refused(tmp_path / "list.txt", FileKind("a list", "list.txt", recognise))


def test_what_is_no_file_is_refused_unread(tmp_path):
    assert refused(tmp_path).endswith("; add a name, such as list.txt")
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe"):  # a pipe that was opened would never answer
        assert "is not a list" in refused(tmp_path / name)


def test_of_a_file_that_the_command_names_no_other_name_is_asked_for(tmp_path):
    (tmp_path / "list.txt").mkdir()
    message = refused(tmp_path / "list.txt", FileKind("a list", "", LIST.recognise))
    assert message.endswith("list.txt', which is not a list; choose another name")


def test_a_place_that_cannot_hold_the_file_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for name in ("file/list.txt", "file/new/list.txt"):
        assert refused(tmp_path / name).endswith("file' is not a folder; choose another place")
    assert "File name too long" in refused(tmp_path / ("a" * 300))


def test_a_name_that_such_a_file_may_not_have_is_wrong_whatever_lies_there(tmp_path):
    def check_name(path):
        raise ManifestError(f"a list must end in .txt, got {path.name!r}")

    kind = FileKind("a list", "list.txt", LIST.recognise, check_name)
    for name in ("list.csv", "."):
        with pytest.raises(ParameterError, match=r"a list must end in \.txt") as caught:
            check_output(tmp_path / name, kind, option="--output")
        assert not isinstance(caught.value, MismatchError)


def test_a_folder_that_may_not_be_written_is_refused(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("the superuser may write everywhere")
    for name in ("list.txt", "new/list.txt"):
        assert "theirs' may not be written" in refused(folder / name)
