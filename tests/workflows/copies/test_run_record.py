import json

import pytest

from spectell.errors import ParameterError
from spectell.workflows.copies.run_record import RunRecord, read_record

KIND, SETTINGS = "test-1", {"seed": 3, "bounds": (1, 2)}


def write(path, *rows, resume=False, settings=SETTINGS, found=None):
    found = [] if found is None else found
    with RunRecord.open(path, KIND, settings, resume=resume, about={"versions": {}}, on_row=found.append) as record:
        for row in rows:
            record.write(row)
    return found


def test_what_is_written_is_read_and_taken_up(tmp_path):
    path = tmp_path / "out" / "record.jsonl"
    assert write(path, {"path": "a"}, {"path": "b"}) == []
    settings, rows = read_record(path, KIND)
    assert settings == {"seed": 3, "bounds": [1, 2]}
    assert list(rows) == [{"path": "a"}, {"path": "b"}]
    assert write(path, {"path": "c"}, resume=True) == [{"path": "a"}, {"path": "b"}]
    assert [json.loads(line).get("path") for line in path.read_text().splitlines()] == [None, "a", "b", "c"]


def test_a_torn_line_is_cut_off_and_only_that(tmp_path):
    path = tmp_path / "record.jsonl"
    write(path, {"path": "a"})
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"path": "')
    assert write(path, resume=True) == [{"path": "a"}]
    assert path.read_bytes() == whole


def test_other_settings_damage_and_occupied_folders_are_refused(tmp_path):
    path = tmp_path / "record.jsonl"
    write(path, {"path": "a"})
    with pytest.raises(ParameterError, match="is not empty; name another one"):
        write(path)
    with pytest.raises(ParameterError, match=r"other settings \(seed\)"):
        write(path, resume=True, settings={**SETTINGS, "seed": 4})
    with path.open("ab") as file:
        file.write(b"{]\n")
    with pytest.raises(ParameterError, match=r"line 3 of .* is damaged; start anew"):
        write(path, resume=True)
    with pytest.raises(ParameterError, match=r"line 3 of .* is damaged"):
        list(read_record(path, KIND)[1])
    with pytest.raises(ParameterError, match=r"does not begin as a record of this kind does \(other-1\)"):
        read_record(path, "other-1")
    with pytest.raises(ParameterError, match="cannot read the record"):
        read_record(tmp_path / "none.jsonl", KIND)


def test_a_line_that_is_nested_too_deeply_is_damage(tmp_path):
    path, deep = tmp_path / "record.jsonl", b"[" * 200_000 + b"\n"
    write(path)
    path.write_bytes(path.read_bytes() + deep)
    with pytest.raises(ParameterError, match=r"line 2 of .* is damaged; start anew"):
        write(path, resume=True)
    with pytest.raises(ParameterError, match=r"line 2 of .* is damaged"):
        list(read_record(path, KIND)[1])
    path.write_bytes(deep)
    with pytest.raises(ParameterError, match="does not begin as a record does; start anew"):
        write(path, resume=True)
    with pytest.raises(ParameterError, match="does not begin as a record of this kind does"):
        read_record(path, KIND)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "deep"):
        with pytest.raises(ParameterError, match="a file, and a folder is needed; name another one"):
            write(folder / "record.jsonl")
