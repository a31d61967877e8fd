import json
import time
from dataclasses import dataclass
from functools import partial

import pytest

from spectell.errors import ManifestError, ParameterError
from spectell.experiments import cells as module
from spectell.experiments.cells import cell_path, check_settled, is_done, read_cell, run_cells, settle, skipped_cells


@dataclass(frozen=True)
class Cell:
    name: str
    number: float = 0.0


def silent(*_):
    pass


def square(cell):
    return {"square": cell.number**2}


def refuse(cell):
    if cell.number < 0:
        raise ParameterError("number must not be negative")
    return square(cell)


def wait(cell, marks):
    with (marks / cell.name).open("a") as file:
        file.write("x")
    time.sleep(cell.number)
    return {}


@pytest.mark.parametrize(("workers", "limit"), [(1, None), (1, 60.0), (2, 60.0), (2, None)])
def test_every_cell_is_done_once_whoever_does_it(tmp_path, workers, limit):
    cells, reports = [Cell(str(k), k) for k in range(5)], []
    run = partial(run_cells, cells, folder=tmp_path, workers=workers, limit=limit)
    found = run(work=square, on_progress=lambda *report: reports.append(report))
    assert [result["square"] for result in found.values()] == [0, 1, 4, 9, 16]
    assert reports == [("cells", k, 5) for k in range(1, 6)]
    assert run(work=refuse, on_progress=silent) == found  # read, not done again
    assert all(is_done(tmp_path, cell) for cell in cells)


def test_a_cell_that_cannot_be_done_says_why_and_the_others_go_on(tmp_path):
    cells = [Cell("good", 1), Cell("bad", -1), Cell("better", 2)]
    found = run_cells(cells, refuse, tmp_path, on_progress=silent)
    assert skipped_cells(found) == {"bad": "number must not be negative"}
    assert [result.get("square") for result in found.values()] == [1, None, 4]
    assert run_cells(cells[1:2], square, tmp_path, on_progress=silent) == {"bad": found["bad"]}


def test_a_cell_over_the_limit_is_tried_again_with_a_larger_one_only(tmp_path):
    marks = tmp_path / "marks"
    marks.mkdir()
    cells = [Cell("long", 3.0), Cell("short", 0.0)]
    run = partial(run_cells, work=partial(wait, marks=marks), folder=tmp_path, on_progress=silent)
    found = run(cells, limit=0.3)
    assert found["long"] == {"skipped": "over the limit of 0.3 s", "limit": 0.3}
    assert set(found["short"]) == {"seconds"}
    assert run(cells, limit=0.2) == found
    assert (marks / "long").read_text() == "x"
    quick = [Cell("long", 0.0), cells[1]]
    assert is_done(tmp_path, quick[0], 0.3)
    assert not is_done(tmp_path, quick[0], 20.0)
    assert not is_done(tmp_path, quick[0])
    assert skipped_cells(run(quick, limit=20.0)) == {}
    assert (marks / "short").read_text() == "x"


def test_an_interruption_keeps_what_is_done(tmp_path):
    def stop(stage, done, total):
        if done == 2:
            raise KeyboardInterrupt

    cells = [Cell(str(k), k) for k in range(4)]
    with pytest.raises(KeyboardInterrupt):
        run_cells(cells, square, tmp_path, on_progress=stop)
    assert [is_done(tmp_path, cell) for cell in cells] == [True, True, False, False]


@pytest.mark.parametrize("content", ["{", "[" * 200_000])
def test_a_damaged_result_is_made_again(tmp_path, content):
    cell = Cell("one", 3)
    cell_path(tmp_path, cell).parent.mkdir()
    cell_path(tmp_path, cell).write_text(content)
    assert read_cell(tmp_path, cell) is None
    assert run_cells([cell], square, tmp_path, on_progress=silent)["one"]["square"] == 9


def test_a_result_that_cannot_be_written_ends_the_run_with_the_reason(tmp_path, monkeypatch):
    def full(path, value):
        raise ManifestError("cannot write: No space left on device")

    monkeypatch.setattr(module, "write_json", full)
    with pytest.raises(ManifestError, match="No space left"):
        run_cells([Cell("one")], square, tmp_path, on_progress=silent)


@pytest.mark.parametrize("names", [["a", "a"], ["../a"], [""]])
def test_names_must_be_of_files_and_differ(tmp_path, names):
    with pytest.raises(ParameterError, match="cell"):
        run_cells([Cell(name) for name in names], square, tmp_path, on_progress=silent)


def test_a_folder_holds_one_setting(tmp_path):
    folder = tmp_path / "results"
    check_settled(folder, {"seed": 0})
    settle(folder, {"seed": 0, "shares": (1, 2)})
    settle(folder, {"seed": 0, "shares": (1, 2)})
    assert json.loads((folder / "settings.json").read_text()) == {"seed": 0, "shares": [1, 2]}
    with pytest.raises(ParameterError, match="differs in seed"):
        settle(folder, {"seed": 1, "shares": (1, 2)})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(ParameterError, match="holds no experiment"):
        settle(tmp_path / "other", {})
