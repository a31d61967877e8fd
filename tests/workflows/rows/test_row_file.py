"""What the disk says late is said too."""

import errno
import os

import pytest

from spectell.errors import SpectellError
from spectell.workflows.rows.row_file import RowFile, remove_file


def refuse(code):
    def fsync(_):
        raise OSError(code, os.strerror(code))

    return fsync


def test_a_quota_that_is_noticed_only_at_the_end_is_an_error_and_closes_the_file(tmp_path, monkeypatch):
    rows = RowFile(tmp_path / "rows", 0)
    rows.write(b"one\n")
    monkeypatch.setattr(os, "fsync", refuse(errno.ENOSPC))
    with pytest.raises(SpectellError, match=r"cannot write .*rows: No space left on device"):
        rows.close()
    monkeypatch.undo()
    rows.close()
    RowFile(tmp_path / "rows", 4).close()  # the claim has ended with the file


def test_a_file_system_that_cannot_synchronise_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", refuse(errno.EINVAL))
    rows = RowFile(tmp_path / "rows", 0)
    rows.write(b"one\n")
    rows.close()
    assert (tmp_path / "rows").read_bytes() == b"one\n"


def test_where_nothing_could_be_made_no_rows_are_promised(tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "rows.jsonl"
    with pytest.raises(SpectellError, match=r"Not a directory; no row was written, name another place"):
        remove_file(path)
