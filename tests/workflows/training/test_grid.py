import json

import numpy as np
import pytest

from spectell.errors import ManifestError, ParameterError
from spectell.workflows.training.grid import GridFile, GridPoint, best_point, grid_points


def test_the_grids_are_those_of_the_paper():
    assert [point["k"] for point in grid_points("knn", n_train=9999, most_levels=4)] == [
        1, 3, 5, 9, 17, 33, 65, 129, 257, 513, 1025,
    ]  # fmt: skip
    eigenfaces = grid_points("eigenfaces", n_train=10, most_levels=4)
    assert len(eigenfaces) == 16
    assert eigenfaces[0] == {"variance": 0.25, "C": 1e-4}
    prnu = grid_points("prnu", n_train=10, most_levels=4)
    assert len(prnu) == 76
    assert (prnu[0], prnu[-1]) == ({"levels": 1, "sigma": 0.05}, {"levels": 4, "sigma": 0.95})
    assert grid_points("ridge", n_train=10, most_levels=4) == []


def test_points_that_the_images_do_not_allow_are_left_out():
    assert max(point["k"] for point in grid_points("knn", n_train=100, most_levels=4)) == 65
    assert {point["levels"] for point in grid_points("prnu", n_train=10, most_levels=2)} == {1, 2}
    with pytest.raises(ParameterError, match="no point that these images allow"):
        best_point([])


def test_of_equal_points_the_first_is_taken():
    assert best_point([GridPoint({"k": 1}, 0.5), GridPoint({"k": 3}, 0.7), GridPoint({"k": 5}, 0.7)]).params == {"k": 3}


def test_finished_points_are_found_again_by_the_same_run_alone(tmp_path):
    path = tmp_path / "grid.jsonl"
    GridFile(path, "a").add({"k": 1, "C": 0.1}, 0.75)
    assert GridFile(path, "a").known({"C": 0.1, "k": 1}) == 0.75
    assert GridFile(path, "b").known({"k": 1, "C": 0.1}) is None
    assert GridFile(None, "a").known({"k": 1}) is None


def test_half_a_line_is_passed_over_and_does_not_spoil_the_next(tmp_path):
    path = tmp_path / "grid.jsonl"
    first = GridFile(path, "a")
    first.add({"k": 1}, 0.5)
    first.add({"k": 3}, 0.6)
    path.write_bytes(path.read_bytes()[:-20])
    again = GridFile(path, "a")
    assert (again.known({"k": 1}), again.known({"k": 3})) == (0.5, None)
    again.add({"k": 3}, np.float64(0.6))
    assert GridFile(path, "a").known({"k": 3}) == 0.6
    assert json.loads(path.read_text().splitlines()[-1])["balanced_accuracy"] == 0.6


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(ManifestError, match=r"cannot write the grid's file .*: No such file or directory"):
        GridFile(tmp_path / "nowhere" / "grid.jsonl", "a").add({"k": 1}, 0.5)
