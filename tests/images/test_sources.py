import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectell.images import IMAGE_SUFFIXES, describe_path
from spectell.images import sources as module
from spectell.images.sources import MeteredReader, Refused, open_source


@given(st.binary(max_size=40))
def test_any_name_is_described_on_one_printable_line(name):
    described = describe_path(name)
    assert described.isprintable()
    described.encode("utf-8")
    assert describe_path(os.fsdecode(name)) == described


@given(st.text(st.characters(categories=["L", "N", "P"]), max_size=20))
def test_a_printable_name_is_left_as_it_is(name):
    assert describe_path(name) == name


def test_names_that_could_deceive_a_reader_are_escaped():
    assert describe_path("gpj.\u202egif") == r"gpj.\u202egif"
    assert describe_path("\x1b[2Ja") == r"\x1b[2Ja"
    assert describe_path(b"\xff") == r"\xff"
    assert describe_path("\ud800") == r"\ud800"


def test_a_metered_file_stops_where_its_allowance_ends():
    reader = MeteredReader(io.BytesIO(bytes(100)))
    reader.allowance = 60
    assert len(reader.read(60)) == 60
    with pytest.raises(Refused, match="more data"):
        reader.read()
    assert reader.seek(0) == 0


def test_a_stream_without_end_is_given_up(monkeypatch):
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            return bytes(size)

    monkeypatch.setattr(module, "MAX_WHOLE_BYTES", 3 * 2**20)
    with pytest.raises(Refused, match="longer than 3 MiB"):
        open_source(Endless())


def test_a_file_that_grows_while_it_is_opened_is_still_read_whole(tmp_path, monkeypatch):
    path = tmp_path / "growing"
    path.write_bytes(b"abcdef")
    before = os.stat_result((path.stat().st_mode, 0, 0, 1, 0, 0, 2, 0, 0, 0))
    monkeypatch.setattr(os, "fstat", lambda _: before)
    stream, owned = open_source(path)
    with stream:
        assert (stream.read(), owned) == (b"abcdef", True)


def test_files_are_closed(tmp_path):
    (tmp_path / "small").write_bytes(b"abc")
    for _ in range(2000):  # more than the usual limit on open files
        open_source(tmp_path / "small")
        with pytest.raises(Refused):
            open_source(tmp_path)


def test_suffixes_are_lower_case_with_their_dot():
    assert all(suffix == suffix.lower() and suffix[0] == "." for suffix in IMAGE_SUFFIXES)
    assert {
        ".jpg",
        ".jpeg",
        ".png",
        ".webp",
        ".avif",
        ".tif",
        ".tiff",
        ".bmp",
        ".gif",
        ".ppm",
        ".pfm",
    } <= IMAGE_SUFFIXES
