"""From names to files: order, links, what cannot be listed, and lists on standard input."""

import io
import os
import subprocess
import sys
from itertools import islice

import pytest

from spectell.errors import MismatchError, ParameterError
from spectell.workflows.reading import walk as module
from spectell.workflows.reading.scan_notes import ScanNotes
from spectell.workflows.reading.walk import Unreadable, as_paths, read_paths, walk
from spectell.workflows.workers.pending import PENDING

on_posix = pytest.mark.skipif(os.name == "nt", reason="names and links of POSIX")


def make(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(folder, *more):
    return [os.path.relpath(path, folder) for path in walk([str(folder), *more])]


def test_folders_are_walked_depth_first_with_names_in_order(tmp_path):
    make(tmp_path, "b.jpg", "a/z.png", "a/b/y.PNG", "c/x.webp", "A.jpeg", "notes.txt", "a/noise", ".hidden.jpg")
    assert names(tmp_path) == [".hidden.jpg", "A.jpeg", "a/b/y.PNG", "a/z.png", "b.jpg", "c/x.webp"]


def test_a_name_without_a_dot_has_no_suffix_and_nor_has_a_hidden_one_with_that_dot_alone(tmp_path):
    make(tmp_path, "jpg", "PNG", ".jpg", "a.jpg")
    notes = ScanNotes()
    assert list(walk([tmp_path], notes=notes)) == [str(tmp_path / "a.jpg")]
    assert (notes.passed_over, notes.first_passed_over) == (2, str(tmp_path / "PNG"))


def test_paths_are_reported_as_given_in_the_order_given_with_duplicates(tmp_path, monkeypatch):
    make(tmp_path, "photos/a.jpg", "b.jpg")
    monkeypatch.chdir(tmp_path)
    given = ["b.jpg", "./photos/", "photos", "b.jpg", "photos/../b.jpg"]
    expected = ["b.jpg", "./photos/a.jpg", "photos/a.jpg", "b.jpg", "photos/../b.jpg"]
    assert list(walk(given)) == expected


def test_a_named_file_is_taken_whatever_its_suffix_and_whether_it_exists(tmp_path):
    make(tmp_path, "notes.txt")
    given = [tmp_path / "notes.txt", os.fsencode(tmp_path / "missing.jpg")]
    assert list(walk(given)) == [str(tmp_path / "notes.txt"), str(tmp_path / "missing.jpg")]


@on_posix
def test_links_are_followed_but_not_resolved(tmp_path):
    make(tmp_path, "there/a.jpg")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "folder").symlink_to(tmp_path / "there")
    (tmp_path / "here" / "file.jpg").symlink_to(tmp_path / "there" / "a.jpg")
    (tmp_path / "here" / "broken.png").symlink_to("nowhere")
    assert names(tmp_path / "here") == ["broken.png", "file.jpg", "folder/a.jpg"]


@on_posix
def test_a_folder_may_be_called_like_an_image_and_so_may_a_link_to_one(tmp_path):
    make(tmp_path, "here/album.jpg/a.png", "there/b.png")
    (tmp_path / "here" / "link.jpg").symlink_to(tmp_path / "there")
    assert names(tmp_path / "here") == ["album.jpg/a.png", "link.jpg/b.png"]


@on_posix
def test_folders_that_link_to_each_other_are_each_entered_once_and_in_their_own_places(tmp_path):
    for k in range(8):
        make(tmp_path, f"{k}/x.jpg")
        for other in set(range(8)) - {k}:
            (tmp_path / f"{k}" / f"to{other}").symlink_to(tmp_path / f"{other}")
    assert names(tmp_path) == [f"{k}/x.jpg" for k in range(8)]
    inside = names(tmp_path / "3")
    assert len(inside) == 8, "from one of them every other is entered through one link"
    assert names(tmp_path / "3", tmp_path / "3") == inside * 2, "each folder that is named is walked"


@on_posix
def test_a_folder_that_is_linked_to_from_outside_is_entered_once_whatever_leads_to_it(tmp_path):
    make(tmp_path, "out/deep/a.jpg", "out/b.jpg", "in/z/c.jpg")
    for name, target in [("1", "out/deep"), ("2", "out"), ("3", "out/deep"), ("4", "out"), ("5", "in"), ("6", ".")]:
        (tmp_path / "in" / name).symlink_to(tmp_path / target)
    (tmp_path / "out" / "back").symlink_to(tmp_path / "in" / "z")
    assert names(tmp_path / "in") == ["1/a.jpg", "2/b.jpg", "z/c.jpg"]


def test_files_that_are_passed_over_are_counted_and_hidden_ones_are_not(tmp_path):
    make(tmp_path, "a.jpg", "b/photo", "c.jpg_large", "d.pfm", "e/.hidden")
    notes = ScanNotes()
    assert list(walk([tmp_path], notes=notes)) == [str(tmp_path / "a.jpg"), str(tmp_path / "d.pfm")]
    assert (notes.passed_over, notes.first_passed_over) == (2, str(tmp_path / "b" / "photo"))


@on_posix
def test_reasons_are_one_line_of_text_whatever_a_folder_is_called(tmp_path):
    folder = tmp_path / os.fsdecode(b"one\ntw\xe9")
    folder.mkdir()
    make(tmp_path, "a.jpg")
    with pytest.raises(MismatchError, match=r"no image files in .*/one\\ntw\\xe9; files are found"):
        list(walk([folder]))
    _, row = walk([tmp_path / "a.jpg", folder])
    assert row.reason == f"no image files in the folder {tmp_path}/one\\ntw\\xe9"


@on_posix
def test_a_loop_of_links_ends(tmp_path):
    make(tmp_path, "a/b/x.jpg")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    assert names(tmp_path) == ["a/b/x.jpg", "self.jpg"]


@on_posix
def test_anything_with_an_image_suffix_is_passed_on_for_the_reader_to_refuse(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert names(tmp_path) == ["pipe.jpg"]


def test_a_folder_that_cannot_be_listed_is_a_row_in_its_place(tmp_path, monkeypatch):
    make(tmp_path, "a.jpg", "b/secret.jpg", "c.jpg")
    scandir = os.scandir

    def refuse(folder):
        if folder.endswith("/b"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(module.os, "scandir", refuse)
    folder = str(tmp_path / "b")
    expected = Unreadable(folder, f"cannot list the folder {folder}: Permission denied")
    assert list(walk([tmp_path])) == [str(tmp_path / "a.jpg"), expected, str(tmp_path / "c.jpg")]


def test_an_empty_folder_beside_others_is_a_row_in_its_place(tmp_path):
    make(tmp_path, "full/a.jpg")
    empty = tmp_path / "empty"
    empty.mkdir()
    row = Unreadable(str(empty), f"no image files in the folder {empty}")
    full = str(tmp_path / "full" / "a.jpg")
    assert list(walk([empty, tmp_path / "full", empty])) == [row, full, row]


def test_nothing_but_empty_folders_is_an_error(tmp_path):
    with pytest.raises(ParameterError, match=r"^no image files in .* and 1 more; files are found by their suffix"):
        list(walk([tmp_path, tmp_path]))


def test_no_paths_at_all_is_an_error():
    with pytest.raises(ParameterError, match="nothing to scan: no paths were given"):
        list(walk([]))


def test_a_deep_tree_does_not_exhaust_the_stack(tmp_path):
    deep = tmp_path
    for _ in range(400):
        deep = deep / "d"
        deep.mkdir()
    (deep / "a.jpg").touch()
    assert len(list(walk([tmp_path]))) == 1


def test_files_are_listed_no_further_than_they_are_asked_for():
    def endless():
        while True:
            yield "a.jpg"

    assert list(islice(walk(endless()), 3)) == ["a.jpg"] * 3


@on_posix
def test_names_that_are_not_utf8_pass(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.jpg")
    path.touch()
    assert list(walk([os.fsencode(tmp_path)])) == [str(path)]


def test_a_single_path_is_a_list_of_one(tmp_path):
    for path in ("a", b"a", tmp_path):
        assert list(as_paths(path)) == [path]


@pytest.mark.parametrize(
    ("text", "null", "paths"),
    [
        (b"a\nb c\n", False, [b"a", b"b c"]),
        (b"a\r\n\n b", False, [b"a", b" b"]),
        (b"a\nb\0\0c\r\0", True, [b"a\nb", b"c\r"]),
        (b"", False, []),
        (b"caf\xe9\n", False, [b"caf\xe9"]),
    ],
)
def test_lists_are_read_by_line_or_by_nul(tmp_path, text, null, paths):
    if not null:
        assert list(read_paths(io.BytesIO(text))) == paths
    (tmp_path / "list").write_bytes(text)
    with (tmp_path / "list").open("rb") as file:
        assert list(read_paths(file, null=null)) == paths


@on_posix
def test_a_list_that_is_still_being_written_does_not_wait():
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb", buffering=0) as writer:
        paths = read_paths(stream)
        assert next(paths) is PENDING
        writer.write(b"a.jpg\nb.")
        assert next(paths) == b"a.jpg"
        assert next(paths) is PENDING
        writer.write(b"jpg\n")
        assert next(paths) == b"b.jpg"
        writer.close()
        assert list(paths) == []


def test_a_list_of_a_million_needs_no_memory():
    script = (
        "import sys, resource; from spectell.workflows.reading.walk import read_paths\n"
        "held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(sum(1 for path in read_paths(sys.stdin.buffer) if isinstance(path, bytes)), \n"
        "      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held)"
    )
    done = subprocess.run([sys.executable, "-c", script], input=b"some/folder/a.jpg\n" * 300_000, capture_output=True)
    count, grown = map(int, done.stdout.split())
    assert count == 300_000
    assert grown < 10_000
