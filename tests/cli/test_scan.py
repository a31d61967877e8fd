"""The command from outside: a process with arguments, output, an exit status, and accidents."""

import csv
import io
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

SEGFAULT, KILL, HANG, EXIT, RAISE, NOT_A_NUMBER = range(1, 7)
REAL, NEITHER, GENERATED = 0, 128, 255

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals, /proc and forked workers")


def picture(path, value=REAL, *, mark=0, distance=0, side=16):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((side, side, 3), (mark, value, distance), np.uint8)).save(path, lossless=True)
    return path


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def none_left(pids, seconds=5.0):
    patience = time.monotonic() + seconds
    found = [int(path.name) for path in pids.iterdir()]
    while any(map(alive, found)) and time.monotonic() < patience:
        time.sleep(0.01)
    return bool(found) and not any(map(alive, found))


def test_json_has_a_row_for_each_file_in_order(tmp_path, scan):
    picture(tmp_path / "b.png", GENERATED)
    picture(tmp_path / "a.jpg", REAL)
    picture(tmp_path / "c" / "d.webp", NEITHER)
    picture(tmp_path / "e.png", GENERATED, distance=2)
    picture(tmp_path / "f.png", side=4)
    found = rows(scan(tmp_path, "--json"))
    assert [Path(row["path"]).name for row in found] == ["a.jpg", "b.png", "d.webp", "e.png", "f.png"]
    assert [row["verdict"] for row in found] == ["real", "generated", *["inconclusive"] * 3]
    assert [row["warnings"] for row in found[3:]] == [["unlike anything in training"], ["too small for this model"]]
    assert found[0] == {
        **{"path": str(tmp_path / "a.jpg"), "verdict": "real", "fpr": 0.01, "model": "marked", "warnings": []},
        **{"width": 16, "height": 16, "format": "JPEG", "jpeg_quality": 75, "error": None, "generator": None},
        **{"score": found[0]["score"], "probability": pytest.approx(0, abs=1e-6)},
    }


def test_every_kind_of_accident_is_one_error_row_among_the_others(tmp_path, scan):
    marks = {SEGFAULT: "crashed (signal 11)", KILL: "killed twice (signal 9)", HANG: "took longer than 1 s"}
    marks |= {EXIT: "ended its process (exit status 3)", RAISE: "unexpected RuntimeError: no such luck"}
    marks |= {NOT_A_NUMBER: "the model 'marked' gave the score nan; a score must be finite"}
    for k in range(40):
        picture(tmp_path / f"{k:02}.png")
    for mark in marks:
        picture(tmp_path / f"{5 * mark:02}x.png", mark=mark)
    (tmp_path / "40.jpg").touch()
    (tmp_path / "41.png").write_text("text")
    os.mkfifo(tmp_path / "42.gif")
    (tmp_path / "43.bmp").symlink_to("nowhere")
    (tmp_path / "44.tif").mkdir()
    done = scan(tmp_path, tmp_path / "missing.jpg", "--json", "--workers", 2, "--timeout", 1, status=3)
    found = {Path(row["path"]).name: row for row in rows(done)}
    assert list(found) == [*sorted({path.name for path in tmp_path.iterdir()} - {"44.tif"}), "missing.jpg"]
    errors = {name: row["error"] for name, row in found.items() if row["verdict"] == "error"}
    assert set(errors) == {f"{5 * mark:02}x.png" for mark in marks} | {
        "40.jpg",
        "41.png",
        "42.gif",
        "43.bmp",
        "missing.jpg",
    }
    for mark, reason in marks.items():
        name = f"{5 * mark:02}x.png"
        assert errors[name].startswith(f"cannot judge {tmp_path / name}: "), errors[name]
        assert reason in errors[name]
    assert all((row["probability"] is None) == (row["verdict"] == "error") for row in found.values())
    assert b"40 real, 0 generated, 0 inconclusive, 11 errors" in done.stderr


def test_formats_agree_on_standard_output_and_in_files(tmp_path, scan):
    for k in range(5):
        picture(tmp_path / "in" / f"{k}.png", 60 * k)
    expected = rows(scan(tmp_path / "in", "--json"))
    assert [row["path"] for row in csv.DictReader(io.StringIO(scan(tmp_path / "in", "--csv").stdout.decode()))] == [
        row["path"] for row in expected
    ]
    for suffix in ("jsonl", "csv", "parquet"):
        assert scan(tmp_path / "in", "-o", tmp_path / f"rows.{suffix}").stdout == b""
    assert [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()] == expected
    assert pyarrow.parquet.read_table(tmp_path / "rows.parquet").to_pylist() == expected
    assert (tmp_path / "rows.csv").read_bytes() == scan(tmp_path / "in", "--csv").stdout


def test_the_table_is_plain_text_in_a_pipe(tmp_path, scan):
    picture(tmp_path / "a\x1b[2J.png", GENERATED)
    done = scan(tmp_path)
    assert done.stdout.decode().splitlines() == [
        "verdict       generated?  file",
        f"generated        >99 %   {tmp_path}/a\\x1b[2J.png",
    ]
    assert b"\r" not in done.stderr


def test_the_summary_says_what_the_rate_means_and_quiet_leaves_it_out(tmp_path, scan):
    picture(tmp_path / "a.png")
    assert scan(tmp_path, "--json", "--quiet").stderr == b""
    text = scan(tmp_path, "--json", "--fpr", 0.05).stderr.decode()
    assert text.startswith("1 image: 1 real, 0 generated, 0 inconclusive, 0 errors; ")
    assert text.endswith(
        "Of real photographs like those the model was calibrated on, about 5 % are called generated.\n"
    )


def test_what_was_passed_over_is_one_line_at_the_end_with_how_to_include_it(tmp_path, scan):
    picture(tmp_path / "in" / "a.png")
    for name in ("photo", "b.jpg_large"):
        (tmp_path / "in" / name).write_bytes((tmp_path / "in" / "a.png").read_bytes())
    done = scan(tmp_path / "in", "--json")
    assert len(rows(done)) == 1
    assert done.stderr.decode().splitlines()[-1] == (
        f"Passed over 2 files without an image's suffix (first: {tmp_path}/in/b.jpg_large); "
        "files that are named are read: find FOLDER -type f -print0 | spectell scan - -0"
    )
    assert scan(tmp_path / "in", "--json", "--quiet").stderr == b""
    given = b"\0".join(bytes(path) for path in (tmp_path / "in").iterdir())
    assert len(rows(scan("-", "-0", "--json", input=given))) == 3


def test_a_file_that_changed_since_its_row_is_said_and_nothing_to_scan_costs_no_rows(tmp_path, scan):
    output = tmp_path / "rows.jsonl"
    picture(tmp_path / "in" / "a.png")
    time.sleep(0.02)
    scan(tmp_path / "in", "-o", output)
    before = output.read_bytes()
    time.sleep(0.02)
    picture(tmp_path / "in" / "a.png", GENERATED)
    done = scan(tmp_path / "in", "-o", output, "--resume", "--quiet")
    assert done.stderr.decode() == (
        f"Warning: 1 file changed since the earlier run began, whose rows stay (first: {tmp_path}/in/a.png); "
        "scan them again by name, or all with --overwrite\n"
    )
    done = scan("-", "-o", output, "--overwrite", status=1, input=b"")
    assert done.stderr == b"Error: nothing to scan: no paths were given\n"
    assert output.read_bytes() == before
    assert json.loads(scan(tmp_path / "in", "-o", output, "--overwrite", "--json").stdout)["verdict"] == "generated"


def test_paths_come_from_standard_input_by_line_or_by_nul(tmp_path, scan):
    names = [picture(tmp_path / name) for name in ("a.png", "b\nc.png", os.fsdecode(b"d\xe9.png"))]
    given = b"\0".join(os.fsencode(name) for name in names)
    found = rows(scan("-", "-0", "--json", input=given))
    assert [Path(row["path"]).name for row in found] == ["a.png", "b\nc.png", "d\\xe9.png"]
    found = rows(scan(names[0], "-", names[0], "--json", input=bytes(tmp_path) + b"\n"))
    assert [Path(row["path"]).name for row in found] == ["a.png", "a.png", "b\nc.png", "d\\xe9.png", "a.png"]


def test_a_partner_that_writes_a_path_and_waits_gets_its_row(tmp_path, command):
    paths = [picture(tmp_path / f"{k}.png") for k in range(3)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command("-", "--json"), **pipes) as partner:
        for path in paths:
            partner.stdin.write(bytes(path) + b"\n")
            partner.stdin.flush()
            assert json.loads(partner.stdout.readline())["path"] == str(path)
        partner.communicate()
    assert partner.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--json"], 2, "Missing argument 'PATH...'"),
        (["a.jpg", "--resume"], 2, "--resume and --overwrite need an output: add -o FILE"),
        (["a.jpg", "-o", "rows.csv", "--resume", "--overwrite"], 2, "exclude each other"),
        (["a.jpg", "-o", "rows.txt"], 2, "must end in .jsonl, .csv, .parquet, got 'rows.txt'"),
        (["a.jpg", "--workers", "0"], 2, "0 is not in the range x>=1"),
        (["a.jpg", "--timeout", "1e-9"], 2, "Error: timeout must be at least 0.1 s, got 1e-09\n"),
        (["empty"], 1, "Error: no image files in empty; files are found by their suffix"),
        (["-"], 1, "Error: nothing to scan: no paths were given\n"),
    ],
)
def test_wrong_usage_is_2_and_what_does_not_fit_the_files_1_without_a_traceback(
    tmp_path, scan, arguments, status, message
):
    (tmp_path / "empty").mkdir()
    done = scan(*arguments, status=status, cwd=tmp_path, stdin=subprocess.DEVNULL)
    assert message in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert done.stdout == b""


def test_a_closed_pipe_ends_quietly(tmp_path, command, pids):
    for k in range(200):
        picture(tmp_path / f"{k}.png")
    reader = subprocess.Popen(["head", "-n", "1"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    done = subprocess.run(command(tmp_path, "--json", seconds=0.01), stdout=reader.stdin, stderr=subprocess.PIPE)
    reader.stdin.close()
    reader.wait()
    assert (done.returncode, done.stderr) == (141, b"")
    assert none_left(pids)


def test_a_full_disk_on_standard_output_is_one_line(tmp_path, scan):
    picture(tmp_path / "a.png")
    with Path("/dev/full").open("wb") as full:
        done = scan(tmp_path, "--json", status=1, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.stderr == b"Error: cannot write the output: No space left on device\n"


def test_a_full_disk_under_a_file_is_one_line_and_the_run_goes_on_later(tmp_path, scan):
    for k in range(40):
        picture(tmp_path / "in" / f"{k}.png")
    scan(tmp_path / "in", "-o", tmp_path / "whole.jsonl")

    def limited():
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    arguments = (tmp_path / "in", "-o", tmp_path / "rows.jsonl")
    done = scan(*arguments, status=1, preexec_fn=limited)
    assert done.stderr.decode() == (
        f"Error: cannot write {tmp_path / 'rows.jsonl'}: File too large; its rows so far are whole, "
        "and --resume goes on with them\n"
    )
    assert 0 < (tmp_path / "rows.jsonl").read_bytes().count(b"\n") < 40
    assert (tmp_path / "rows.jsonl").read_bytes().endswith(b"\n")
    assert b"40 images (" in scan(*arguments, "--resume").stderr
    assert (tmp_path / "rows.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@pytest.fixture
def album(tmp_path, rng):
    """Sixty images, some of which crash, one named three times."""
    folder = tmp_path / "album"
    for k in range(60):
        picture(
            folder / f"{k:02}.png", int(rng.choice([REAL, NEITHER, GENERATED])), mark=SEGFAULT if k % 20 == 7 else 0
        )
    return [folder / "03.png", folder, folder / "03.png"]


def started(process, path, bytes_at_least):
    """Wait until a process has written so much."""
    while process.poll() is None and not (path.exists() and path.stat().st_size >= bytes_at_least):
        time.sleep(0.002)


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_killed_again_and_again_it_ends_with_the_same_rows(tmp_path, scan, command, album, pids, rng, suffix):
    whole, parts = tmp_path / f"whole.{suffix}", tmp_path / f"parts.{suffix}"
    growing = parts if suffix != "parquet" else parts.with_name(parts.name + ".partial.jsonl")
    scan(*album, "-o", whole, "--workers", 2, status=3)
    kills = 0
    for size in itertools.accumulate(rng.integers(1, 6000, 100)):
        arguments = (*album, "-o", parts, "--resume", "--workers", 2)
        with subprocess.Popen(command(*arguments, seconds=0.005), stderr=subprocess.DEVNULL) as process:
            started(process, growing, size)
            time.sleep(rng.uniform(0, 0.02))
            process.kill()
        assert none_left(pids)
        if process.returncode == 3:
            break
        assert process.returncode == -signal.SIGKILL
        kills += 1
    assert kills > 0
    assert parts.read_bytes() == whole.read_bytes()


def test_ctrl_c_is_one_line_and_130_and_loses_nothing(tmp_path, scan, command, album, pids):
    scan(*album, "-o", tmp_path / "whole.jsonl", status=3)
    arguments = (*album, "-o", tmp_path / "rows.jsonl", "--workers", 2)
    group = {"start_new_session": True, "stderr": subprocess.PIPE}
    with subprocess.Popen(command(*arguments, seconds=0.02), **group) as process:
        started(process, tmp_path / "rows.jsonl", 2000)
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: parent and workers alike
        message = process.stderr.read().decode().strip()
    assert process.returncode == 130
    assert time.monotonic() - began < 2
    done = (tmp_path / "rows.jsonl").read_bytes().count(b"\n")
    assert message == f"Interrupted after {done} images; they are kept, and the same command with --resume goes on."
    assert none_left(pids)
    scan(*arguments, "--resume", status=3)
    assert (tmp_path / "rows.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_a_hanging_decoder_does_not_hold_up_ctrl_c(tmp_path, command, pids):
    picture(tmp_path / "a.png", mark=HANG)
    with subprocess.Popen(command(tmp_path, "--json"), stderr=subprocess.PIPE) as process:
        while not list(pids.iterdir()):
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        assert process.stderr.read().strip() == b"Interrupted after 0 images."
    assert process.returncode == 130
    assert none_left(pids)


def test_a_resumed_run_with_errors_before_still_exits_3(tmp_path, scan, album):
    arguments = (*album, "-o", tmp_path / "rows.jsonl")
    scan(*arguments, status=3)
    done = scan(*arguments, "--resume", status=3)
    assert done.stderr.startswith(b"62 images (62 of them earlier): ")


def test_another_rate_cannot_resume(tmp_path, scan, album):
    scan(*album, "-o", tmp_path / "rows.jsonl", status=3)
    done = scan(*album, "-o", tmp_path / "rows.jsonl", "--resume", "--fpr", 0.05, status=1)
    assert b"it was made with fpr = 0.01, this run has 0.05; use the same settings or --overwrite" in done.stderr


def test_on_a_terminal_there_is_progress_and_colour(tmp_path, command):
    import pty

    for k in range(10):
        picture(tmp_path / f"{k}.png", GENERATED)
    shown, terminal = pty.openpty()
    with subprocess.Popen(command(tmp_path, seconds=0.05), stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        text = b""
        while chunk := _read(shown):
            text += chunk
    os.close(shown)
    assert process.returncode == 0
    assert b"/10  " in text
    assert b"images/s" in text
    assert b"\x1b[31mgenerated" in text
    assert b"10 images: 0 real, 10 generated" in text


def _read(handle):
    try:
        return os.read(handle, 4096)
    except OSError:  # the other side has gone
        return b""


def test_one_image_loads_nothing_heavy(tmp_path, command):
    picture(tmp_path / "a.png")
    heavy = {"torch", "matplotlib", "sklearn", "pandas", "pyarrow", "rich", "scipy", "importlib.metadata"}
    loud = [sys.executable, "-X", "importtime", *command(tmp_path / "a.png", "--json")[1:]]
    done = subprocess.run(loud, capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert loaded & heavy == set()
    assert "numpy" in loaded
