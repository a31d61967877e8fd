import errno
import os

import pytest

from spectell.datasets.atomic import part_of, remove_parts, replacing
from spectell.errors import ImageError, ManifestError


def write_and_raise(path, error):
    with replacing(path) as file:
        file.write(b"half")
        raise error


def test_a_block_that_raises_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "m.csv").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_and_raise(tmp_path / "m.csv", KeyboardInterrupt())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("m.csv", "old")]


def test_the_name_appears_only_when_the_block_ends(tmp_path):
    with replacing(tmp_path / "new" / "m.csv") as file:
        file.write(b"whole")
        assert not (tmp_path / "new" / "m.csv").exists()
    assert (tmp_path / "new" / "m.csv").read_bytes() == b"whole"
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_a_full_disk_is_one_error_and_leaves_nothing(tmp_path):
    with pytest.raises(ManifestError, match=r"^cannot write '.*m\.csv': No space left on device; nothing was left"):
        write_and_raise(tmp_path / "m.csv", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert list(tmp_path.iterdir()) == []


def test_an_image_error_keeps_its_own_words_although_it_is_an_oserror(tmp_path):
    with pytest.raises(ImageError, match=r"^cannot read that$"), replacing(tmp_path / "m.csv"):
        raise ImageError("cannot read that")


def test_a_file_in_the_place_of_the_folder_is_one_error(tmp_path):
    (tmp_path / "plain").touch()
    with pytest.raises(ManifestError, match="cannot write"), replacing(tmp_path / "plain" / "m.csv"):
        pass


def test_the_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with replacing(tmp_path / "m.csv"):
        pass
    assert (tmp_path / "m.csv").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_the_temporary_file_is_known_by_its_name_and_no_other_is(tmp_path):
    with replacing(tmp_path / "m.csv"):
        (part,) = tmp_path.iterdir()
        assert part_of(part.name) == "m.csv"
    for name in ("m.csv", ".m.csv.part", "m.csv.12.part", ".m.csv.12.part.gz", "..12.part", ".m.csv.-1.part"):
        assert part_of(name) is None


def test_parts_of_own_names_are_removed_from_one_folder_alone(tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / ".c.png.3.part").mkdir()
    for name in (".a.png.3.part", ".a.png.4.part", ".b.png.3.part", "below/.a.png.3.part"):
        (tmp_path / name).touch()
    remove_parts(tmp_path, lambda name: name in {"a.png", "c.png"})
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.part")) == [
        ".b.png.3.part",
        ".c.png.3.part",
        "below/.a.png.3.part",
    ]
    remove_parts(tmp_path / "absent", lambda name: True)
