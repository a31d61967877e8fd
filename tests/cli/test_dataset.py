import json
import os
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from PIL import Image

from spectell.cli import COMMANDS
from spectell.datasets import read_manifest
from spectell.datasets.packed import open_packed
from spectell.images import read_image


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    """Whether or not the list of commands has it yet."""
    monkeypatch.setitem(COMMANDS, "dataset", ("spectell.cli.dataset:dataset", "Manifests and splits."))


@pytest.fixture
def run(invoke):
    return partial(invoke, "dataset")


@pytest.fixture
def faces(tmp_path, rng):
    for kind, suffix in (("real", "jpg"), ("gan", "png")):
        folder = tmp_path / "faces" / kind
        folder.mkdir(parents=True)
        for number in range(8):
            coarse = Image.fromarray(rng.integers(0, 256, (10, 12, 3), dtype=np.uint8))
            coarse.resize((48, 40), Image.Resampling.BICUBIC).save(folder / f"{number}.{suffix}")
    return tmp_path / "faces"


@pytest.mark.skipif(sys.platform != "linux", reason="what reads is put in the place of the decoder by forking")
def test_files_that_nobody_has_read_are_read_in_processes(run, faces, tmp_path, monkeypatch):
    """A decoder that crashes shall not take the command along."""
    here = os.getpid()

    def read(path, **options):
        if os.getpid() == here:
            raise AssertionError(f"{path} is decoded in the process of the command")
        if path.endswith("7.png"):
            os.kill(os.getpid(), signal.SIGSEGV)
        return read_image(path, **options)

    monkeypatch.setattr("spectell.workflows.workers.process.may_fork", lambda: True)
    monkeypatch.setattr("spectell.datasets.duplicates.read_image", read)
    split = run("split", faces, "-o", tmp_path / "split.csv")
    assert "Note: 1 of 16 files cannot be read as images" in split.stderr
    assert "Note: 1 of the unreadable files did harm to the processes that read them: 'gan/7.png' (" in split.stderr
    assert "7.png: the decoder crashed (signal 11))" in split.stderr
    told = run("split", faces, "-o", tmp_path / "again.csv", "--json")
    assert sum("the decoder crashed (signal 11)" in note for note in json.loads(told.stdout)["notes"]) == 1
    assert len(read_manifest(tmp_path / "split.csv")) == 16
    assert json.loads(run("audit", tmp_path / "split.csv", "--json").stdout)["unreadable"] == 1


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_build_writes_a_manifest_and_prints_the_counts(run, faces, tmp_path, suffix):
    result = run("build", faces, "-o", tmp_path / f"m.{suffix}")
    lines = result.stdout.splitlines()
    assert lines[:3] == ["source  generator  images", "faces   gan        8", "faces   real       8"]
    assert lines[3].endswith(f"m.{suffix}: 16 images")
    assert read_manifest(tmp_path / f"m.{suffix}").labels.sum() == 8


def test_build_takes_several_folders_and_another_name_for_real(run, faces, tmp_path):
    (faces / "real").rename(faces / "photographs")
    (tmp_path / "art" / "diffusion").mkdir(parents=True)
    (tmp_path / "art" / "diffusion" / "a.png").touch()
    result = run("build", faces, tmp_path / "art", "--real", "photographs", "-o", tmp_path / "m.csv", "--json")
    described = json.loads(result.stdout)
    assert described["counts"] == {"art": {"diffusion": 1}, "faces": {"gan": 8, "real": 8}}
    assert described["images"] == 17


def test_what_was_left_out_goes_to_standard_error(run, faces, tmp_path):
    (faces / "real" / "notes.txt").touch()
    result = run("build", faces, "-o", tmp_path / "m.csv")
    assert result.stderr == "Note: left out 1 (names without the suffix of an image), the first is 'real/notes.txt'\n"
    assert "notes.txt" not in result.stdout


@pytest.mark.parametrize("command", ["build", "split"])
def test_a_manifest_replaces_nothing_but_a_manifest(run, faces, tmp_path, command):
    notes = tmp_path / "notes.csv"
    for text in ("picture,remark\n1,blurred\n", "path,label,remark\na.png,0,blurred\n", ""):
        notes.write_text(text)
        result = run(command, faces, "-o", notes, status=1)
        assert result.stderr.endswith("notes.csv', which is not a manifest; choose another name\n")
        assert result.stderr.startswith("Error: --output would replace ")
        assert result.stderr.count("\n") == 1
        assert notes.read_text() == text
    picture = faces / "real" / "0.jpg"
    before = picture.read_bytes()
    assert "must end in .csv or .parquet" in run(command, faces, "-o", picture, status=2).stderr
    assert picture.read_bytes() == before


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_build_never_erases_splits(run, faces, tmp_path, suffix):
    path = tmp_path / f"m.{suffix}"
    run("build", faces, "-o", path)
    run("build", faces, "-o", path)
    run("split", path, "-o", path, "--names-only")
    divided = path.read_bytes()
    message = run("build", faces, "-o", path, status=1).stderr
    assert "a manifest that holds splits" in message
    assert message.count("\n") == 1
    assert path.read_bytes() == divided
    run("split", path, "-o", path, "--names-only", "--seed", 1)


def test_the_page_of_an_audit_replaces_nothing_but_a_page(run, faces, tmp_path):
    picture = faces / "real" / "0.jpg"
    before = picture.read_bytes()
    result = run("audit", faces, "--html", picture, status=1)
    assert result.stderr.startswith("Error: --html would replace ")
    assert result.stderr.endswith("0.jpg', which is not an HTML page; choose another name\n")
    assert result.stdout == "", "it is refused before any work"
    assert picture.read_bytes() == before
    (tmp_path / "old.html").write_text("<!DOCTYPE HTML>\n<title>old</title>")
    run("audit", faces, "--files-only", "--html", tmp_path / "old.html")
    assert "old</title>" not in (tmp_path / "old.html").read_text(encoding="utf-8")


def test_split_assigns_whole_groups_and_prints_a_table(run, faces, tmp_path):
    run("build", faces, "-o", tmp_path / "m.csv")
    result = run("split", tmp_path / "m.csv", "-o", tmp_path / "s.csv", "--fractions", 0.5, 0.25, 0.25)
    manifest = read_manifest(tmp_path / "s.csv")
    assert result.stdout.splitlines()[0].split()[:3] == ["source", "generator", "train"]
    assert set(manifest.splits.tolist()) <= {"train", "validation", "test"}
    assert len(set(zip(manifest.groups.tolist(), manifest.splits.tolist(), strict=True))) == 8


def test_split_in_json_counts_by_split_source_and_generator(run, faces, tmp_path):
    result = run("split", faces, "-o", tmp_path / "s.csv", "--fractions", 1, 0, 0, "--names-only", "--json")
    assert json.loads(result.stdout)["counts"] == {"train": {"faces": {"gan": 8, "real": 8}}}


def test_pack_writes_an_array(run, faces, tmp_path):
    result = run("pack", faces, "-o", tmp_path / "packed", "--size", 32)
    assert result.stdout == f"{tmp_path / 'packed'}: 16 images of 32x32, 0.0 MB\n"
    assert open_packed(tmp_path / "packed").images.shape == (16, 32, 32, 3)
    described = json.loads(run("pack", faces, "-o", tmp_path / "packed", "--json").stdout)
    assert described["shape"] == [16, 40, 48, 3]


def test_pack_replaces_packed_data_sets_alone(run, faces, tmp_path):
    foreign = tmp_path / "study"
    foreign.mkdir()
    (foreign / "images.npy").write_bytes(b"mine")
    result = run("pack", faces, "-o", foreign, "--size", 32, status=1)
    assert result.stderr.endswith("is not empty and holds no packed data set; name a new folder or an empty one\n")
    assert [path.name for path in foreign.iterdir()] == ["images.npy"]
    assert (foreign / "images.npy").read_bytes() == b"mine"
    result = run("pack", faces, "-o", foreign / "images.npy", "--size", 32, status=1)
    assert "images.npy' is a file, and a folder is needed" in result.stderr
    (foreign / "images.npy").rename(foreign / ".images.npy.4711.part")  # what a killed run leaves is no content
    run("pack", faces, "-o", foreign, "--size", 32)
    run("pack", faces, "-o", foreign, "--size", 16)
    assert open_packed(foreign).images.shape[1] == 16
    assert sorted(path.name for path in foreign.iterdir()) == ["images.npy", "manifest.csv"]


def test_a_packing_that_fails_leaves_no_folder(run, faces, tmp_path):
    (tmp_path / "mine").mkdir()
    for place in ("new/packed", "mine/packed"):
        run("pack", faces, "-o", tmp_path / place, "--size", 4096, status=1)
    assert not (tmp_path / "new").exists()
    assert list((tmp_path / "mine").iterdir()) == []


def test_audit_tells_of_leaks_and_exits_4_when_strict(run, faces):
    result = run("audit", faces)
    assert "LEAK format of gan: real JPEG 100%; gan PNG 100%" in result.stdout
    assert "Remedy: give both classes one history" in result.stdout
    assert run("audit", faces, "--strict", status=4).stdout == result.stdout
    described = json.loads(run("audit", faces, "--strict", "--json", status=4).stdout)
    assert [leak["what"] for leak in described["leaks"]] == ["format of gan"]


def test_audit_of_files_alike_exits_0_when_strict(run, faces):
    for file in (faces / "real").iterdir():
        Image.open(file).save(file.with_suffix(".png"))
        file.unlink()
    assert "No leak found." in run("audit", faces, "--strict", "--all").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "nowhere"], "Error: data set 'nowhere' does not exist\n"),
        (["build", "nowhere", "-o", "m.csv"], "Error: data set 'nowhere' does not exist\n"),
        (
            ["split", "nowhere.csv", "-o", "m.csv"],
            "Error: cannot read manifest 'nowhere.csv': No such file or directory\n",
        ),
    ],
)
def test_a_data_set_that_is_not_there_is_one_line_and_status_1(run, arguments, message):
    assert run(*arguments, status=1).stderr == message


def test_shares_that_do_not_sum_to_1_are_one_line_and_status_2(run, faces, tmp_path):
    result = run("split", faces, "-o", tmp_path / "s.csv", "--fractions", 0.5, 0.1, 0.1, "--names-only", status=2)
    assert result.stderr.startswith("Error: fractions must sum to 1, got train=0.5, validation=0.1, test=0.1")


def test_wrong_usage_is_status_2(run, faces):
    for arguments, reason in (
        (("build", faces), "Missing option '--output' / '-o'"),
        (("pack", faces, "-o", "x", "--size", 0), "0 is not in the range"),
        (("audit",), "Missing argument"),
    ):
        result = run(*arguments, status=2)
        assert reason in result.stderr
        assert result.stdout == ""


@pytest.mark.parametrize("command", ["build", "split", "pack", "prepare", "audit"])
def test_the_help_of_every_command_has_an_example(run, command):
    help_text = run(command, "--help").stdout
    assert f"spectell dataset {command} " in help_text.partition("Example:")[2]
    assert "--json" in help_text


def test_an_unheard_of_name_is_printed_harmlessly(run, faces, tmp_path):
    (faces / "gan").rename(faces / "gan\x1b[2J\udcff")
    result = run("build", faces, "-o", tmp_path / "m.csv")
    assert "\x1b" not in result.stdout
    assert "gan\\x1b[2J" in result.stdout


def test_help_and_build_load_no_heavy_library(faces, tmp_path):
    script = (
        "import sys; from spectell.cli.dataset import dataset\n"
        "dataset(['build', sys.argv[1], '-o', sys.argv[2]], standalone_mode=False)\n"
        "heavy = {'torch', 'sklearn', 'pyarrow', 'matplotlib', 'scipy', 'pandas'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    arguments = [sys.executable, "-c", script, str(faces), str(tmp_path / "m.csv")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_audit_writes_a_page_and_may_leave_the_pixels_alone(run, faces, tmp_path):
    described = json.loads(run("audit", faces, "--html", tmp_path / "audit.html", "--json").stdout)
    assert described["pixels"]
    assert described["limits"] == {"facts": 0.55, "thumbnails": 0.6}
    page = (tmp_path / "audit.html").read_text()
    assert "Format of gan" in page
    assert "What the pixels remember" in page
    described = json.loads(run("audit", faces, "--files-only", "--json").stdout)
    assert not described["pixels"]
    assert described["comparisons"][0]["by_trace"] == {}
