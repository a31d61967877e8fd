import json

import pytest
from click.testing import CliRunner

from spectell.cli import cli
from spectell.cli.demo import demo
from spectell.detectors.artifact import DEFAULT_MODEL
from spectell.workflows import demo as workflow
from spectell.workflows.verdict import Verdict


@pytest.fixture
def fake_scan(monkeypatch):
    """Verdicts without a model: whatever lies in a folder called shuffle is generated."""

    def scan(paths, **_):
        for path in paths:
            kind = "generated" if "/shuffle/" in path else "real"
            yield Verdict(path, kind, 0.25, -1.1, 0.01, "default", 256, 256, "PNG", None, ("looks resized",))

    monkeypatch.setattr(workflow, "scan", scan)


def test_the_table_shows_the_truth_beside_each_verdict_and_counts_them(tmp_path, fake_scan):
    result = CliRunner().invoke(demo, ["-o", str(tmp_path / "out")], catch_exceptions=False)
    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert lines[0].split() == ["truth", "outcome", "verdict", "generated?", "file"]
    assert lines[1].startswith("real        right         real")
    assert "(looks resized)" in lines[1]
    assert sum(line.startswith("nearest     wrong") for line in lines) == 3
    assert (
        "17 images: 11 right, 0 inconclusive, 6 wrong, 0 error; thresholds for a false-positive rate of 1 %." in lines
    )
    assert str(tmp_path / "out" / "spectra.png") in lines[-1]


def test_json_is_one_object_with_everything(tmp_path, fake_scan):
    result = CliRunner().invoke(demo, ["-o", str(tmp_path), "--json"], catch_exceptions=False)
    answer = json.loads(result.output)
    assert answer["counts"] == {"right": 11, "inconclusive": 0, "wrong": 6, "error": 0}
    assert {"path", "verdict", "probability", "truth", "outcome"} <= answer["rows"][0].keys()
    assert len(answer["rows"]) == 17
    assert answer["spectra"] == str(tmp_path / "spectra.png")


def test_the_picture_is_written(tmp_path, fake_scan):
    CliRunner().invoke(demo, ["-o", str(tmp_path)], catch_exceptions=False)
    assert (tmp_path / "spectra.png").read_bytes().startswith(b"\x89PNG")


def test_a_second_demonstration_replaces_the_first_and_nothing_else(tmp_path, fake_scan):
    for _ in range(2):
        assert CliRunner().invoke(demo, ["-o", str(tmp_path / "out")], catch_exceptions=False).exit_code == 0
    picture = tmp_path / "spectra.png"
    for make in (lambda: picture.write_bytes(b"\x89PNG mine"), lambda: (picture.unlink(), picture.mkdir())):
        make()
        result = CliRunner().invoke(cli, ["demo", "-o", str(tmp_path)])
        assert result.exit_code == 1
        assert "spectra.png', which is not a picture of the demonstration; choose another name" in result.output
        assert len(result.output.splitlines()) == 1
        assert not (tmp_path / "real").exists()


def test_a_file_in_the_place_of_the_folder_is_wrong_usage(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    result = CliRunner().invoke(demo, ["-o", str(tmp_path / "file")])
    assert result.exit_code == 2
    assert "is a file" in result.output


@pytest.mark.skipif(not DEFAULT_MODEL.is_file(), reason="the default model is not there yet")
def test_the_demonstration_runs_from_end_to_end(tmp_path):
    result = CliRunner().invoke(demo, ["-o", str(tmp_path), "--json"], catch_exceptions=False)
    assert json.loads(result.output)["counts"]["error"] == 0
