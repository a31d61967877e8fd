import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from spectell.cli.perturb import _NAMES
from spectell.workflows.perturb import NAMES


@pytest.fixture
def run(invoke):
    return invoke


@pytest.fixture
def faces(tmp_path, rng):
    for name in ("real/a.png", "gan/a.png"):
        file = tmp_path / "faces" / name
        file.parent.mkdir(parents=True)
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(file)
    return tmp_path / "faces"


def test_the_names_are_those_of_the_library():
    assert _NAMES == NAMES


def test_a_copy_its_replay_and_what_is_printed(run, faces, tmp_path):
    out, again = tmp_path / "out", tmp_path / "again"
    printed = run("perturb", "jpeg", faces, out, "--quality", 40, 45, "--seed", 3, "-j", 1)
    assert printed.stdout == f"Wrote 2 images to {out}.\n"
    described = json.loads(run("perturb", "jpeg", faces, again, "--replay", out / "record.jsonl", "--json").stdout)
    assert described == {"output": str(again), "images": 2, "reused": 0, "changed": 2, "skipped": 0, "different": 0}
    assert (out / "gan" / "a.jpg").read_bytes() == (again / "gan" / "a.jpg").read_bytes()


def test_a_broken_file_is_named_and_the_status_is_3(run, faces, tmp_path):
    (faces / "gan" / "b.png").write_bytes(b"no image")
    result = run("perturb", "blur", faces, tmp_path / "out", status=3)
    assert result.stderr.startswith("Skipped 'gan/b.png': cannot read ")
    assert "Wrote 2 images" in result.stdout


def test_images_smaller_than_the_window_are_left_out_and_named(run, faces, tmp_path, rng):
    Image.fromarray(rng.integers(0, 256, (64, 40, 3), dtype=np.uint8)).save(faces / "gan" / "b.png")
    size = ("--height", 48, "--width", 48)
    result = run("perturb", "window", faces, tmp_path / "out", *size, "-j", 1, status=3)
    place = faces / "gan" / "b.png"
    reason = "an image must be at least as large as the window, 48 x 48 pixels, got 64 x 40; choose a smaller window"
    assert result.stderr == f"Skipped 'gan/b.png': cannot use {place}: {reason}\n"
    assert result.stdout == f"Wrote 2 images to {tmp_path / 'out'}.\n"
    assert "gan/b" not in (tmp_path / "out" / "manifest.csv").read_text()
    assert reason in (tmp_path / "out" / "record.jsonl").read_text()
    for path in (tmp_path / "out").rglob("*.png"):
        with Image.open(path) as image:
            assert image.size == (48, 48)
    assert "none of the 3 pictures" in run("perturb", "window", faces, tmp_path / "none", status=1).stderr


def test_a_window_that_was_drawn_for_larger_images_is_not_replayed_on_smaller_ones(run, faces, tmp_path):
    run("perturb", "window", faces, tmp_path / "out", "--height", 48, "--width", 48, "-j", 1)
    with Image.open(faces / "gan" / "a.png") as image:
        small = image.crop((0, 0, 40, 40))
    small.save(faces / "gan" / "a.png")
    replay = ("--replay", tmp_path / "out" / "record.jsonl")
    result = run("perturb", "window", faces, tmp_path / "again", *replay, "-j", 1, status=3)
    assert "must lie in the image, got 40 x 40" in result.stderr


def test_what_does_not_fit_is_one_line(run, faces, tmp_path):
    out = tmp_path / "out"
    assert "has no option 'quality'" in run("perturb", "noise", faces, out, "--quality", 1, 2, status=2).stderr
    assert "unknown preset 'x'" in run("perturb", "noise", faces, out, "--preset", "x", status=2).stderr
    assert "does not exist" in run("perturb", "noise", tmp_path / "no", out, status=1).stderr
    run("perturb", "smear", faces, out, status=2)
    run("perturb", "jpeg", faces, out, "--replay", "r", "--seed", 1, status=2)
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("window", "--height", 0), "height and width must be at least 1, got 0 and 256"),
        (("jpeg-chain", "--compressions", 0), "compressions must be at least 2, got 0"),
        (("social", "--max-side", 0), "max_side must be at least 1, got 0"),
        (("blur", "--kernel-size", 4), "kernel_sizes must be odd and positive, got 4\n"),
        (("blur", "--kernel-size", 3, "--kernel-size", 4), "got 3, 4\n"),
        (("resize", "--kernel", "cubic"), "got cubic\n"),
        (("jpeg", "--subsampling", "4:1:1"), "got 4:1:1\n"),
        (("screenshot", "--ratio", 0), "got 0.0\n"),
        (("noise", "--variance", -1, 2), "variance must satisfy 0.0 <= min_variance"),
        (
            ("noise", "--sigma", 1, 2, "--variance", 1, 2),
            "sigma and variance say the same of noise",
        ),
    ],
)
def test_a_wrong_value_is_refused_and_shown_as_it_was_typed(run, faces, tmp_path, arguments, message):
    name, *options = arguments
    assert message in run("perturb", name, faces, tmp_path / "out", *options, status=2).stderr
    assert not (tmp_path / "out").exists()


def test_a_zero_that_an_option_may_have_is_taken(run, faces, tmp_path):
    run("perturb", "offset", faces, tmp_path / "out", "--max-offset", 0, "-j", 1)
    with Image.open(tmp_path / "out" / "gan" / "a.png") as image:
        assert image.size == (64, 64)
    run("perturb", "screenshot", faces, tmp_path / "screens", "--jpeg-share", 0, "-j", 1)
    assert not list((tmp_path / "screens").rglob("*.jpg"))


@pytest.mark.parametrize("command", [("perturb", "jpeg"), ("dataset", "prepare", "ffhq")])
def test_an_output_that_is_a_file_is_one_line(run, faces, tmp_path, command):
    place = tmp_path / "sub.txt"
    place.write_text("mine")
    size = ("--size", 32) if "prepare" in command else ()
    for output, found in ((place, "is a file"), (place / "below", "lies below a file")):
        result = run(*command, faces, output, *size, status=1)
        assert f"{str(output)!r} {found}, and a folder is needed" in result.stderr
        assert result.stderr.count("\n") == 1
    assert place.read_text() == "mine"


def test_resuming_removes_the_parts_of_killed_workers_and_nothing_else(run, faces, tmp_path):
    out = tmp_path / "out"
    run("perturb", "jpeg", faces, out, "-j", 1)
    (out / "gan" / "a.jpg").unlink()
    parts = [out / "gan" / ".a.jpg.4711.part", out / "real" / ".a.jpg.12.part", out / ".manifest.csv.3.part"]
    others = [out / "gan" / ".b.jpg.4711.part", out / "gan" / ".a.jpg.part", out / "gan" / "a.part"]
    for file in (*parts, *others):
        file.write_bytes(b"half")
    run("perturb", "jpeg", faces, out, "-j", 1, "--resume")
    assert (out / "gan" / "a.jpg").is_file()
    assert not any(file.exists() for file in parts)
    assert all(file.exists() for file in others)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is a console event there, which a test cannot send")
def test_ctrl_c_leaves_no_parts(tmp_path, rng):
    pixels = rng.integers(0, 256, (1024, 1024, 3), dtype=np.uint8)
    (tmp_path / "in").mkdir()
    for index in range(60):
        Image.fromarray(np.roll(pixels, index)).save(tmp_path / "in" / f"{index}.bmp")
    out = tmp_path / "out"
    arguments = ["perturb", "noise", str(tmp_path / "in"), str(out), "-j", "2"]
    process = subprocess.Popen([sys.executable, "-m", "spectell", *arguments], stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 100
        while not list(out.glob("*.png")) and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.01)
        while not list(out.glob("*.part")) and time.monotonic() < until:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=100)
    finally:
        process.kill()
    assert (process.returncode, errors) == (130, "Interrupted.\n")
    assert len(list(out.glob("*.png"))) < 60
    assert not list(out.glob("*.part"))


def test_prepare_writes_squares_and_names_what_it_left_out(run, faces, tmp_path, rng):
    Image.fromarray(rng.integers(0, 256, (64, 60, 3), dtype=np.uint8)).save(faces / "oblong.png")
    result = run("dataset", "prepare", "ffhq", faces, tmp_path / "out", "--size", 32, status=3)
    assert "this one has 60 x 64 pixels" in result.stderr
    with Image.open(tmp_path / "out" / "real" / "gan" / "a.png") as image:
        assert image.size == (32, 32)
    assert (
        "size must lie between 8 and 128 for celeba"
        in run("dataset", "prepare", "celeba", faces, tmp_path / "out2", "--size", 256, status=2).stderr
    )
