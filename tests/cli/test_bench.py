import json
from functools import partial

import pytest

from spectell.workflows import bench
from spectell.workflows.bench import BenchCase

SMALL = (BenchCase("64² PNG", (64, 64), ".png", 1, 4),)


@pytest.fixture
def run(invoke, monkeypatch):
    whole = bench.run_bench
    monkeypatch.setattr(bench, "run_bench", lambda model, **options: whole(model, **options, cases=SMALL, turns=1))

    return partial(invoke, "bench")


def test_bench_prints_the_machine_a_table_and_what_one_image_takes(run, monkeypatch):
    monkeypatch.setattr(bench.os, "getloadavg", lambda: (99.0, 0.0, 0.0))
    lines = run("--workers", "1").stdout.splitlines()
    assert "core" in lines[0]
    assert "one process" in lines[1]
    assert lines[3].split() == ["images", "decode", "only", "scan", "ratio"]
    assert lines[4].startswith("64² PNG ")
    assert lines[6].startswith("Cold start: ")
    assert " MB in the largest process" in lines[7]
    assert lines[8].startswith("Other programs were busy (load 99.0 on ")


def test_bench_has_json(run):
    found = json.loads(run("--json", "--workers", "1", "--model", "default").stdout)
    assert found["workers"] == 1
    assert found["throughput"][0]["scan"] > 0
    assert found["machine"]["numpy"]


def test_a_model_that_is_not_there_is_one_line(run):
    assert run("--model", "/nowhere", status=1).stderr.startswith("Error: cannot read the model file /nowhere")
