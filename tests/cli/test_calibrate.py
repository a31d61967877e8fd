"""What `spectell calibrate` says of what it verified, and when it writes nothing."""

import json
from functools import partial

import numpy as np
import pytest

from spectell.detectors import load_model
from spectell.workflows import calibrate as workflow


@pytest.fixture
def run(invoke, toy_model_path, toy_photographs):
    return partial(invoke, "calibrate", toy_model_path, toy_photographs)


@pytest.fixture
def refuting(monkeypatch):
    """Have the second half refute every rate that it is asked about."""
    rates = workflow.measured_rates

    def all_above(thresholds, scores, data):
        return rates(thresholds, scores if "all photographs" in data else scores + 1000, data)

    monkeypatch.setattr(workflow, "measured_rates", all_above)


def test_a_refuted_promise_has_a_status_of_its_own_and_leaves_the_file_alone(run, refuting, toy_model_path, tmp_path):
    model = tmp_path / "m"
    model.write_bytes(toy_model_path.read_bytes())
    result = run("-o", model, status=4)
    assert not result.stdout.startswith("Wrote")
    assert "100 photographs set the thresholds; 100 others refuted them." in result.stdout
    assert "     5 %   100 of 100: 100.00 % [96.38, 100.00]   REFUTED" in result.stdout
    first, *_, last = result.stderr.splitlines()
    assert first == (
        "Warning: a rate of 5 % is refuted: 100 of 100 photographs that had no part in the thresholds pass it, "
        "96.38 to 100.00 % with 95 % confidence"
    )
    assert last.startswith(f"Warning: {model} was not written, ")
    assert model.read_bytes() == toy_model_path.read_bytes()


@pytest.mark.parametrize(("n_above", "said"), [(5, "verified them"), (11, "measured some above the promise")])
def test_a_rate_above_its_promise_that_chance_explains_is_not_refuted(run, monkeypatch, tmp_path, n_above, said):
    rates = workflow.measured_rates

    def some_above(thresholds, scores, data):
        if "all photographs" in data:
            return rates(thresholds, scores, data)
        return rates(thresholds, np.where(np.arange(len(scores)) < n_above, thresholds.at(0.05), -1000.0), data)

    monkeypatch.setattr(workflow, "measured_rates", some_above)
    result = run("-o", tmp_path / "m")
    assert f"100 photographs set the thresholds; 100 others {said}." in result.stdout
    assert ("     5 %   11 of 100: 11.00 % [5.62, 18.83]   above the promise" in result.stdout) == (n_above == 11)
    assert ("Warning: a rate of 5 % is exceeded: 11 of 100" in result.stderr) == (n_above == 11)


def test_it_is_written_by_force_and_warned_about_all_the_same(run, refuting, tmp_path):
    result = run("-o", tmp_path / "m", "--force", "--json")
    found = json.loads(result.stdout)
    assert (found["written"], found["refuted"], found["above"]) == (True, [0.05, 0.1], [0.05, 0.1])
    assert "Warning: a rate of 5 % is refuted" in result.stderr
    assert load_model(tmp_path / "m").card.thresholds.verified[0].exceeded == 100


def test_limits_of_a_file_are_options(run, tmp_path):
    refused = run("-o", tmp_path / "m", "--max-pixels", 1700, "--timeout", 30, status=1).stderr
    assert "it declares 1,760 pixels, more than max_pixels = 1,700" in refused
    assert "timeout must be" in run("-o", tmp_path / "n", "--timeout", 0, status=2).stderr
