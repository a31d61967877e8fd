"""Rows in files: formats, resuming, damage, full disks, and two runs at once."""

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spectell.errors import MismatchError, ParameterError, SpectellError
from spectell.workflows.reading.scan_notes import ScanNotes
from spectell.workflows.reading.walk import Unreadable
from spectell.workflows.rows.outputs import Output, csv_header, csv_line, json_line, output_suffix
from spectell.workflows.rows.parquet import SCHEMA
from spectell.workflows.verdict import FIELDS, Verdict
from spectell.workflows.workers.pending import PENDING

RUN = {"model": "fake", "fpr": 0.01}
DEEP = b"[" * 200_000  # deeper than Python may recurse
SUFFIXES = ["jsonl", "csv", "parquet"]
PATHS = ["a.jpg", 'b,"c"\r\n.jpg', "caf\udce9.png", "a.jpg", "zürich\n.jpg", "missing.jpg"]


def verdict(path):
    if path == "missing.jpg":
        return Verdict.failed(path, f"cannot read {path}: no such file", fpr=0.01, model="fake")
    return Verdict(path, "real", 0.25, -1.5, 0.01, "fake", 640, 480, "JPEG", 92, ("one thing", "another"))


def run(path, paths, *, stop=None, **options):
    """Write the rows of a run, or of its beginning."""
    with Output(path, RUN, **options) as output:
        remaining = list(output.remaining(paths))
        for done in remaining[:stop]:
            output.write(verdict(done))
        if stop is None:
            output.finish()
    return remaining


def rows_of(path):
    if path.suffix == ".parquet":
        return path.with_name(path.name + ".partial.jsonl")
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_holds_the_same_rows(tmp_path, suffix):
    path = tmp_path / f"rows.{suffix}"
    run(path, PATHS)
    expected = [verdict(each).as_dict() for each in PATHS]
    if suffix == "jsonl":
        assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == expected
    elif suffix == "parquet":
        assert pyarrow.parquet.read_schema(path).equals(SCHEMA)
        assert pyarrow.parquet.read_table(path).to_pylist() == expected
    else:
        with path.open(newline="", encoding="utf-8") as file:
            found = list(csv.DictReader(file))
        plain = [{name: "" if value is None else value for name, value in row.items()} for row in expected]
        assert found == [
            {name: "; ".join(value) if name == "warnings" else str(value) for name, value in row.items()}
            for row in plain
        ]


def test_columns_are_the_fields():
    assert csv_header() == ",".join(FIELDS).encode() + b"\r\n"
    assert tuple(SCHEMA.names) == FIELDS


@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1), st.text())
def test_any_row_is_one_record_of_json_and_of_csv(path, error):
    row = Verdict.failed(path, error, fpr=0.01, model="fake")
    assert json_line(row).count(b"\n") == 1
    (record,) = csv.reader([csv_line(row).decode()])
    assert dict(zip(FIELDS, record, strict=True))["path"] == row.as_dict()["path"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("stop", range(len(PATHS) + 1))
def test_a_stopped_run_goes_on_where_it_stopped(tmp_path, suffix, stop):
    whole, parts = tmp_path / f"whole.{suffix}", tmp_path / f"parts.{suffix}"
    run(whole, PATHS)
    run(parts, PATHS, stop=stop)
    assert run(parts, PATHS, resume=True) == PATHS[stop:]
    assert parts.read_bytes() == whole.read_bytes()


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_is_left_of_the_file_the_resumed_run_ends_the_same(tmp_path, data):
    suffix = data.draw(st.sampled_from(["jsonl", "csv"]))
    whole, parts = tmp_path / f"whole.{suffix}", tmp_path / f"parts.{suffix}"
    run(whole, PATHS, overwrite=True)
    content = whole.read_bytes()
    run(parts, PATHS, stop=0, overwrite=True)
    parts.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    run(parts, PATHS, resume=True)
    assert parts.read_bytes() == content


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_finished_run_has_nothing_left_and_keeps_its_rows(tmp_path, suffix):
    path = tmp_path / f"rows.{suffix}"
    run(path, PATHS)
    before = path.read_bytes()
    assert run(path, PATHS, resume=True) == []
    assert path.read_bytes() == before
    assert run(path, [*PATHS, "new.jpg"], resume=True) == ["new.jpg"]
    assert not path.with_name(path.name + ".partial.jsonl").exists()


def test_finished_rows_are_counted_by_verdict(tmp_path):
    run(tmp_path / "rows.csv", PATHS)
    with Output(tmp_path / "rows.csv", RUN, resume=True) as output:
        list(output.remaining(PATHS))
        assert output.finished == {"real": 5, "error": 1}


def test_unreadable_folders_have_rows_like_files_and_pauses_none(tmp_path):
    items = [PENDING, Unreadable("folder", "no"), PENDING, "a.jpg", "b.jpg"]
    with Output(tmp_path / "rows.jsonl", RUN) as output:
        assert list(output.remaining(items)) == items
        output.write(Verdict.failed("folder", "no", fpr=0.01, model="fake"))
    with Output(tmp_path / "rows.jsonl", RUN, resume=True) as output:
        assert list(output.remaining(items)) == [PENDING, "a.jpg", "b.jpg"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_existing_output_is_neither_replaced_nor_continued_unasked(tmp_path, suffix):
    path = tmp_path / f"rows.{suffix}"
    run(path, PATHS, stop=3)
    before = rows_of(path).read_bytes()
    with pytest.raises(ParameterError, match="exists; add --resume to go on with it or --overwrite to replace it"):
        run(path, PATHS)
    assert rows_of(path).read_bytes() == before
    run(path, PATHS[:2], overwrite=True)
    assert run(path, PATHS, resume=True) == PATHS[2:]


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["a.jpg", "x.jpg"], "its row 2 is for b.jpg and now x.jpg stands there"),
        (["a.jpg", "c.jpg"], "its row 2 is for b.jpg and now c.jpg stands there"),
        (["a.jpg"], "its row 2 is for b.jpg and now there are no more files"),
    ],
)
def test_other_files_are_refused(tmp_path, paths, message):
    path = tmp_path / "rows.jsonl"
    run(path, ["a.jpg", "b.jpg", "c.jpg"], stop=2)
    before = path.read_bytes()
    with pytest.raises(ParameterError, match=message):
        run(path, paths, resume=True)
    assert path.read_bytes() == before


def test_other_settings_are_refused_with_the_one_that_differs(tmp_path):
    path = tmp_path / "rows.jsonl"
    run(path, PATHS, stop=1)
    with pytest.raises(ParameterError, match=r"it was made with fpr = 0\.01, this run has 0\.05"):
        Output(path, {**RUN, "fpr": 0.05}, resume=True)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (None, r"without its record .*rows\.jsonl\.run\.json; use --overwrite"),
        (b"{", r"rows\.jsonl\.run\.json is not the record of a scan; remove both or choose another name"),
        (b"[]", r"is not the record of a scan"),
        (DEEP, r"is not the record of a scan"),
        (b'{"model": "mine"}', r"is not the record of a scan"),
        (b'{"model": "fake", "fpr": 0.01}', r"rows\.jsonl\.run\.json does not say when its rows were begun"),
        (b'{"model": "fake", "fpr": 0.01, "begun": [[0, "noon"]]}', r"does not say when its rows were begun"),
        (b'{"model": "fake", "fpr": 0.01, "begun": [[1, 0]]}', r"does not say when its rows were begun"),
    ],
)
def test_rows_of_unknown_settings_are_refused(tmp_path, record, message):
    run(tmp_path / "rows.jsonl", PATHS, stop=1)
    place = tmp_path / "rows.jsonl.run.json"
    place.unlink()
    if record is not None:
        place.write_bytes(record)
    with pytest.raises(MismatchError, match=message):
        Output(tmp_path / "rows.jsonl", RUN, resume=True)


def everything(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("stop", [None, 3])
def test_a_run_with_nothing_to_judge_leaves_everything_as_it_was(tmp_path, suffix, stop):
    def nothing():
        yield PENDING
        raise MismatchError("nothing to scan")

    with pytest.raises(MismatchError, match="nothing to scan"):
        run(tmp_path / "new" / f"rows.{suffix}", nothing())
    assert not (tmp_path / "new").exists()
    path = tmp_path / f"rows.{suffix}"
    run(path, PATHS, stop=stop)
    before = everything(tmp_path)
    with pytest.raises(MismatchError, match="nothing to scan"):
        run(path, nothing(), overwrite=True)
    assert everything(tmp_path) == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", b"name,value\r\na,1\r\n"),
        ("rows.csv", b"path,label,generator,source,group,split,sha256\n"),
        ("rows.jsonl", b'{"path": "a.jpg", "label": 0}\n'),
        ("rows.jsonl", b"\x89PNG\r\n"),
        ("rows.jsonl", b"[1]\n"),
        ("rows.jsonl", DEEP + b"\n"),
        ("rows.parquet", b"PAR1"),
        ("rows.parquet.partial.jsonl", b"notes\n"),
        ("rows.csv.run.json", b'{"mine": 1}'),
        ("rows.jsonl.run.json", b"notes"),
        ("rows.jsonl.run.json", DEEP),
    ],
)
@pytest.mark.parametrize("overwrite", [True, False])
def test_what_a_scan_cannot_have_written_is_never_replaced(tmp_path, name, content, overwrite):
    (tmp_path / name).write_bytes(content)
    output = tmp_path / name.removesuffix(".run.json").removesuffix(".partial.jsonl")
    with pytest.raises(MismatchError, match=r"exists and (does not hold the rows|is not the record) of a scan"):
        run(output, PATHS, overwrite=overwrite)
    assert everything(tmp_path) == {name: content}


def test_the_table_of_others_is_not_replaced(tmp_path):
    pyarrow.parquet.write_table(pyarrow.table({"path": ["a.jpg"]}), tmp_path / "rows.parquet")
    with pytest.raises(MismatchError, match="does not hold the rows of a scan"):
        run(tmp_path / "rows.parquet", PATHS, overwrite=True)


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_torn_rows_and_an_empty_file_may_be_replaced(tmp_path, suffix):
    whole, path = tmp_path / f"whole.{suffix}", tmp_path / f"rows.{suffix}"
    run(whole, PATHS)
    for size in range(0, 60, 7):
        path.write_bytes(whole.read_bytes()[:size])
        run(path, PATHS, overwrite=True)
        assert path.read_bytes() == whole.read_bytes()
    path.write_bytes(b"")
    run(path, PATHS)  # as a run that is killed when it begins leaves it


def test_a_folder_under_the_name_is_said_to_be_one(tmp_path):
    (tmp_path / "rows.csv").mkdir()
    for options in ({}, {"resume": True}, {"overwrite": True}):
        with pytest.raises(MismatchError, match=r"must be a file, got the folder .*rows\.csv; add a name"):
            run(tmp_path / "rows.csv", PATHS, **options)


def test_what_is_no_file_is_refused_unread(tmp_path):
    os.mkfifo(tmp_path / "rows.csv")
    (tmp_path / "rows.jsonl").symlink_to("nowhere")
    for name in ("rows.csv", "rows.jsonl"):
        with pytest.raises(MismatchError, match="does not hold the rows of a scan"):
            run(tmp_path / name, PATHS, overwrite=True)


@pytest.mark.skipif(os.name == "nt", reason="there the system keeps no time of change that copies leave alone")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_changed_after_its_row_is_noticed_and_its_row_stays(tmp_path, suffix):
    path, paths = tmp_path / f"rows.{suffix}", [str(tmp_path / f"{k}.jpg") for k in range(5)]
    for each in paths[:4]:
        Path(each).write_text("before")
    time.sleep(0.02)  # more than a tick of the system's clock
    run(path, paths, stop=3 if suffix == "parquet" else None)

    def resumed():
        notes = ScanNotes()
        run(path, paths, stop=0, resume=True, notes=notes)
        return notes.changed, notes.first_changed

    before = rows_of(path).read_bytes()
    assert resumed()[0] == (0 if suffix == "parquet" else 1), "the fifth file is not there, and its row says real"
    Path(paths[4]).write_text("there")
    time.sleep(0.02)
    other = tmp_path / "other"
    other.write_text("after")
    os.utime(other, (1, 1))
    other.replace(paths[1])  # as cp -p and mv do, with an old time
    for _ in range(2):
        changed, first = resumed()
        assert (changed, first) == (1 if suffix == "parquet" else 2, paths[1])
    assert rows_of(path).read_bytes() == before


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_change_is_said_in_every_later_run_and_what_came_later_has_not_changed(tmp_path, suffix):
    path, paths = tmp_path / f"rows.{suffix}", [str(tmp_path / f"{k}.jpg") for k in range(4)]

    def resumed(n):
        notes = ScanNotes()
        run(path, paths[:n], resume=True, notes=notes)
        return notes.changed, notes.first_changed

    for each in paths[:2]:
        Path(each).write_text("before")
    run(path, paths[:2])
    for n, each in ((3, paths[2]), (4, paths[3])):
        time.sleep(0.02)  # more than a tick of the system's clock
        Path(each).write_text("new")
        Path(paths[0]).write_text("after")
        assert resumed(n) == (1, paths[0])
    assert [resumed(4) for _ in range(2)] == [(1, paths[0])] * 2


def test_a_file_that_changed_after_its_row_and_before_the_last_one_is_noticed(tmp_path):
    path, paths, notes = tmp_path / "rows.csv", [str(tmp_path / f"{k}.jpg") for k in range(3)], ScanNotes()
    for each in paths:
        Path(each).write_text("before")
    with Output(path, RUN) as output:
        for each in output.remaining(paths):
            output.write(verdict(each))
            time.sleep(0.02)
            if each == paths[1]:
                Path(paths[0]).write_text("after")
        output.finish()
    run(path, paths, resume=True, notes=notes)
    assert (notes.changed, notes.first_changed) == (1, paths[0])


def test_rows_that_were_lost_take_the_time_of_their_run_with_them(tmp_path):
    path, paths, notes = tmp_path / "rows.jsonl", [str(tmp_path / f"{k}.jpg") for k in range(3)], ScanNotes()
    for n, each in enumerate(paths, start=1):
        Path(each).write_text("before")
        run(path, paths[:n], resume=True)
        time.sleep(0.02)
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])  # as a power cut may leave it
    Path(paths[1]).write_text("after")
    run(path, paths, resume=True)
    run(path, paths, resume=True, notes=notes)
    assert notes == ScanNotes()


def test_a_file_that_was_missing_and_still_is_has_not_changed(tmp_path):
    notes = ScanNotes()
    run(tmp_path / "rows.csv", ["missing.jpg"])
    run(tmp_path / "rows.csv", ["missing.jpg"], resume=True, notes=notes)
    assert notes == ScanNotes()


@pytest.mark.parametrize(
    ("suffix", "content", "message"),
    [
        ("jsonl", b'{"path": "a.jpg"}\n', "its line 1 is damaged"),
        ("jsonl", b'{"path": "a.jpg", "verdict": ' + DEEP + b"\n", "its line 1 is damaged"),
        ("jsonl", b'{"path": "a.jpg", "verdict": "real"}\n\0\0\n', "its line 2 is damaged"),
        ("csv", b"a,b\r\n", "its first line does not name the columns"),
        ("csv", csv_header() + b"a.jpg,real\r\n", "its line 2 is damaged"),
        ("parquet", b"PAR1", "not a Parquet file"),
    ],
)
def test_damage_before_the_last_row_is_refused_with_its_place(tmp_path, suffix, content, message):
    path = tmp_path / f"rows.{suffix}"
    run(path, PATHS, stop=0)
    rows_of(path).unlink()
    path.write_bytes(content)
    with pytest.raises(ParameterError, match=f"cannot resume .*{message}"):
        run(path, PATHS, resume=True)
    assert path.read_bytes() == content


def test_a_parquet_file_of_others_is_refused(tmp_path):
    path = tmp_path / "rows.parquet"
    run(path, PATHS)
    pyarrow.parquet.write_table(pyarrow.table({"path": ["a.jpg"]}), path)
    with pytest.raises(ParameterError, match="does not have the columns of a scan"):
        run(path, PATHS, resume=True)


def test_a_name_without_a_known_suffix_is_refused_with_those_that_are():
    with pytest.raises(ParameterError, match=r"must end in \.jsonl, \.csv, \.parquet, got 'rows\.txt'"):
        output_suffix("rows.txt")


def test_a_second_run_into_the_same_file_is_refused(tmp_path):
    path = tmp_path / "rows.jsonl"
    script = (
        "import sys\nfrom spectell.workflows.rows.outputs import Output\n"
        "from spectell.workflows.verdict import Verdict\n"
        f"with Output({str(path)!r}, {RUN!r}) as output:\n"
        "    list(output.remaining(['a.jpg']))\n"
        "    output.write(Verdict.failed('a.jpg', 'no', fpr=0.01, model='fake'))\n"
        "    print('open', flush=True)\n    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "open\n"
        for options in ({"resume": True}, {"overwrite": True}):
            with pytest.raises(ParameterError, match="another run is writing"):
                run(path, ["a.jpg"], **options)
        other.communicate("")
    assert run(path, ["a.jpg", "b.jpg"], resume=True) == ["b.jpg"]


@pytest.fixture
def disk_of():
    """A limit on the size of files, which the system treats like a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_whole_rows_and_the_run_goes_on_later(tmp_path, suffix, disk_of):
    whole, path = tmp_path / f"whole.{suffix}", tmp_path / f"rows.{suffix}"
    run(whole, PATHS)
    disk_of(400)
    with pytest.raises(
        SpectellError, match=r"cannot write .*rows\..*; its rows so far are whole, and --resume goes on"
    ):
        run(path, PATHS)
    content = rows_of(path).read_bytes()
    assert 0 < len(content) <= 400
    assert content.endswith(b"\n")
    disk_of(resource.RLIM_INFINITY)
    remaining = run(path, PATHS, resume=True)
    assert 0 < len(remaining) < len(PATHS)
    assert path.read_bytes() == whole.read_bytes()


def test_a_disk_too_full_for_the_parquet_file_keeps_the_rows_for_later(tmp_path, disk_of):
    whole, path = tmp_path / "whole.parquet", tmp_path / "rows.parquet"
    run(whole, PATHS)
    disk_of(2000)
    with pytest.raises(SpectellError, match=r"cannot write .*rows\.parquet"):
        run(path, PATHS)
    assert not path.exists()
    disk_of(resource.RLIM_INFINITY)
    assert run(path, PATHS, resume=True) == []
    assert path.read_bytes() == whole.read_bytes()


def test_a_folder_that_does_not_exist_is_made(tmp_path):
    run(tmp_path / "new" / "rows.csv", PATHS)
    assert (tmp_path / "new" / "rows.csv").exists()


def test_rows_are_in_the_file_as_soon_as_they_are_written(tmp_path):
    path = tmp_path / "rows.jsonl"
    with Output(path, RUN) as output:
        for number, each in enumerate(output.remaining(PATHS), start=1):
            output.write(verdict(each))
            assert path.read_bytes().count(b"\n") == number
