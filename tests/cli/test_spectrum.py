"""`spectell spectrum` through its real entry point."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def save(rng, folder, *, size=(40, 40), scale=30, number=4):
    folder.mkdir(parents=True)
    for index in range(number):
        pixels = rng.normal(128, scale, (*size, 3)).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")


@pytest.fixture
def dataset(rng, tmp_path):
    for name, scale in (("real", 30), ("gan", 20)):
        save(rng, tmp_path / "toys" / name, scale=scale)
    return tmp_path / "toys"


def names(folder):
    return {path.name for path in folder.iterdir()}


def run(*arguments, status=0):
    command = [sys.executable, "-m", "spectell", "spectrum", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_it_writes_arrays_and_a_summary_and_says_what_it_found(dataset, tmp_path):
    done = run(dataset, "-o", tmp_path / "out", "--no-figures")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["spectra.json", "spectra.npz"]
    assert "toys/real  (reference): 4 images" in done.stdout
    assert "toys/gan against toys/real, 40x40 log grey" in done.stdout


def test_a_share_that_only_rounds_to_none_is_not_said_to_be_none(rng, tmp_path):
    wave = 20 * np.outer(*[np.cos(np.pi * (np.arange(64) + 0.5) * k / 64) for k in (20, 30)])[..., None]
    for name, added in (("real", 0), ("gan", wave)):
        (tmp_path / "toys" / name).mkdir(parents=True)
        for number in range(16):
            pixels = rng.normal(128, 10, (64, 64, 3)) + added
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(tmp_path / "toys" / name / f"{number}.png")
    done = run(tmp_path / "toys", "-o", tmp_path / "out", "--no-figures")
    assert "64x64 log grey: under 0.1 % of coefficients differ, the largest" in done.stdout


def test_sets_of_equal_images_are_not_measured_by_their_spread(rng, tmp_path):
    one, other = rng.integers(0, 256, (2, 40, 40, 3), np.uint8)
    for name, pixels in (("real", one), ("gan", other), ("black", np.zeros_like(one))):
        (tmp_path / "toys" / name).mkdir(parents=True)
        for number in range(9):
            Image.fromarray(pixels).save(tmp_path / "toys" / name / f"{number}.png")
    said = run(tmp_path / "toys", "-o", tmp_path / "out", "--no-figures").stdout
    assert said.count("not comparable, since the images of a set do not differ from each other") == 4
    assert "standard deviations" not in said
    assert said.count("no power to fit a power law to") == 1


def test_where_nothing_differs_no_largest_difference_is_told(rng, tmp_path):
    for name in ("real", "gan"):
        save(rng, tmp_path / "toys" / name)
    done = run(tmp_path / "toys", "-o", tmp_path / "out", "--no-figures")
    assert "40x40 log grey: 0.0 % of coefficients differ\n" in done.stdout
    summary = json.loads((tmp_path / "out" / "spectra.json").read_text())["comparisons"][0]["effect_summary"]
    assert [summary[name] for name in ("largest", "largest_low", "largest_high")] == [None] * 3
    assert summary["maximum_absolute"] > 1


@pytest.mark.parametrize("size", [(1, 1), (1, 100), (100, 1)])
def test_images_one_pixel_high_or_wide_have_a_page_and_no_full_size_spectrum(rng, tmp_path, size):
    for name in ("real", "gan"):
        save(rng, tmp_path / "lines" / name, size=size)
    done = run(tmp_path / "lines", "-o", tmp_path / "out")
    assert "lines/gan: 4 images are one pixel high or wide, and have no full-size spectrum" in done.stderr
    assert "lines/gan: 4 images; with full-size spectra: none" in done.stdout
    assert (tmp_path / "out" / "index.html").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="names there are Unicode")
def test_names_of_any_bytes_are_shown_and_taken_back(dataset, tmp_path):
    strange = tmp_path / os.fsdecode(b"to\x1b[31mys\n\xff")
    dataset.rename(strange)
    (strange / "gan").rename(strange / os.fsdecode(b"\xfe"))
    for reference in (os.fsdecode(b"\xfe"), r"\xfe"):
        done = run(strange, "-o", tmp_path / "out\x1b[31m", "--reference", reference)
        assert r"to\x1b[31mys\n\xff/real against to\x1b[31mys\n\xff/\xfe, 40x40 log grey" in done.stdout
        assert "\x1b" not in done.stdout + done.stderr
        assert r"out\x1b[31m." in done.stderr
    with np.load(tmp_path / "out\x1b[31m" / "spectra.npz") as file:
        assert r"to\x1b[31mys\n\xff/\xfe/blocks/luma/mean" in file.files
    (strange / r"\xfe").mkdir()
    (strange / r"\xfe" / "0.png").write_bytes((strange / "real" / "0.png").read_bytes())
    assert "have a set called" in run(strange, "-o", tmp_path / "out", status=1).stderr


def test_the_page_says_why_nothing_is_compared(dataset, tmp_path):
    (dataset / "empty").mkdir()
    (dataset / "empty" / "0.png").write_bytes(b"no picture")
    done = run(dataset, "-o", tmp_path / "out", "--reference", "empty")
    assert "Note: nothing can be compared with the reference toys/empty, which has no readable image" in done.stderr
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "toys/gan is not compared with toys/empty: toys/empty has no readable image." in page


def test_figures_of_an_earlier_run_go_and_nothing_else(rng, dataset, tmp_path):
    out = tmp_path / "out"
    run(dataset, "-o", out)
    first = names(out)
    assert {"index.html", "mean-40x40.png", "mean-40x40.pdf"} <= first
    for own in ("mean-9x9.png", "notes.html"):
        (out / own).touch()
    for name in ("real", "gan"):
        save(rng, tmp_path / "more" / name, size=(48, 48))
    run(tmp_path / "more", "-o", out)
    assert names(out) == {name.replace("40x40", "48x48") for name in first} | {"mean-9x9.png", "notes.html"}
    run(dataset, "-o", out, "--no-figures")
    assert names(out) == {"spectra.json", "spectra.npz", "mean-9x9.png", "notes.html"}
    summary = json.loads((out / "spectra.json").read_text())
    for figures in (["../keep.png", "/etc/x.png", "a\0.png", "spectra.npz", 1], "mean-9x9.png", None):
        (out / "spectra.json").write_text(json.dumps(summary | {"figures": figures}))
        (tmp_path / "keep.png").touch()
        run(dataset, "-o", out, "--no-figures")
        assert (tmp_path / "keep.png").exists()
        assert names(out) == {"spectra.json", "spectra.npz", "mean-9x9.png", "notes.html"}


@pytest.mark.parametrize("own", ["index.html", "radial.png"])
def test_a_file_of_the_users_own_is_neither_replaced_nor_removed(dataset, tmp_path, own):
    out = tmp_path / "out"
    out.mkdir()
    (out / own).write_text("mine")
    said = run(dataset, "-o", out, status=1).stderr.splitlines()[-1]
    assert said.startswith(f"Error: '{out / own}' is in the way, and no run of spectrum has listed it as its own")
    assert names(out) == ({own} if own == "index.html" else {own, "spectra.json", "spectra.npz"})
    run(dataset, "-o", out, "--no-figures")
    assert (out / own).read_text() == "mine"


def test_json_is_the_summary_that_is_written(dataset, tmp_path):
    done = run(dataset, "-o", tmp_path / "out", "--no-figures", "--json", "--reference", "gan", "--limit", 3)
    assert json.loads(done.stdout) == json.loads((tmp_path / "out" / "spectra.json").read_text())
    assert json.loads(done.stdout)["reference"] == "toys/gan"
    assert [each["files"]["n_images"] for each in json.loads(done.stdout)["sets"]] == [3, 3]


def test_results_that_follow_merge_are_merged(dataset, tmp_path):
    parts = []
    for name in ("real", "gan"):
        run(dataset / name, "-o", tmp_path / name, "--no-figures")
        parts.append(tmp_path / name / "spectra.npz")
    run("--merge", *parts, "-o", tmp_path / "all", "--no-figures")
    found = json.loads((tmp_path / "all" / "spectra.json").read_text())
    assert [each["name"] for each in found["sets"]] == ["toys/real", "toys/gan"]
    assert found["comparisons"]


def test_errors_are_one_line(dataset, tmp_path):
    assert "does not exist" in run(tmp_path / "absent", "-o", tmp_path / "out", status=1).stderr
    assert "must name one set" in run(dataset, "-o", tmp_path / "out", "--reference", "x", status=1).stderr
    assert "name a data set" in run("-o", tmp_path / "out", status=2).stderr
    (tmp_path / "file").touch()
    assert "cannot write to the folder" in run(dataset, "-o", tmp_path / "file", "--no-figures", status=1).stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there is no limit on files")
def test_a_disk_without_room_is_no_fault_of_the_images(dataset, tmp_path):
    command = ["bash", "-c", 'ulimit -f 50; exec "$@"', "bash", sys.executable, "-m", "spectell", "spectrum"]
    command += [str(dataset), "-o", str(tmp_path / "out"), "--no-figures"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith(f"Error: cannot write '{tmp_path / 'out' / '.spectrum-work'}")
    assert not list((tmp_path / "out" / ".spectrum-work").glob("*.part"))
    run(dataset, "-o", tmp_path / "out", "--no-figures")
    files = [each["files"] for each in json.loads((tmp_path / "out" / "spectra.json").read_text())["sets"]]
    assert [(each["n_images"], each["n_unreadable"]) for each in files] == [(4, 0), (4, 0)]


@pytest.fixture
def long_run(dataset, tmp_path):
    """A run that has begun to measure, and has much to do."""
    for number in range(4, 12_000):
        (dataset / "real" / f"{number}.png").symlink_to(dataset / "real" / f"{number % 4}.png")
    # During an import Python may lose an interrupt, or end by the signal: hence the wait for the first results.
    program = Path(sys.executable).with_name("spectell")
    command = [program, "spectrum", str(dataset), "-o", str(tmp_path / "out"), "--no-figures"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while not list((tmp_path / "out" / ".spectrum-work").glob("*.part")):
            assert process.poll() is None
            time.sleep(0.01)
        yield process
        process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no claims on files")
def test_two_runs_in_one_folder_are_one_line_and_a_killed_one_keeps_nobody_out(long_run, dataset, tmp_path):
    second = run(dataset / "gan", "-o", tmp_path / "out", "--no-figures", status=1)
    assert second.stderr == (
        f"Error: another spectrum is running in '{tmp_path / 'out'}'; wait for it or name another folder\n"
    )
    assert long_run.poll() is None
    long_run.kill()
    long_run.wait()
    (tmp_path / "out" / ".spectra.npz.4711.part").touch()  # as one leaves that is killed while it writes
    run(dataset / "gan", "-o", tmp_path / "out", "--no-figures")
    assert names(tmp_path / "out") == {"spectra.json", "spectra.npz"}


def test_an_interrupt_is_one_line_and_status_130(long_run):
    long_run.send_signal(signal.SIGINT)
    _, errors = long_run.communicate(timeout=60)
    assert long_run.returncode == 130
    assert "the same command goes on" in errors
    assert "Traceback" not in errors
