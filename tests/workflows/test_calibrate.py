import shutil

import numpy as np
import pytest

from spectell.detectors import load_model
from spectell.detectors.artifact import training_hash
from spectell.errors import ManifestError, ParameterError
from spectell.evaluation.intervals import clopper_pearson
from spectell.images import read_image
from spectell.workflows import calibrate as calibrate_module
from spectell.workflows.calibrate import calibrate
from spectell.workflows.evaluate import score_images


@pytest.fixture
def result(toy_model_path, toy_photographs, tmp_path):
    return calibrate(toy_model_path, toy_photographs, tmp_path / "mine")


def test_the_thresholds_come_from_the_first_half_alone(result, toy_model_path, toy_photographs):
    model = load_model(toy_model_path)
    scores = sorted(model.score(read_image(file).pixels).score for file in toy_photographs.rglob("*.png"))
    kept = result.model.thresholds.real_scores
    assert (result.n_first, result.n_second) == (100, 100)
    assert len(kept) == 100
    assert np.isin(kept, scores).all()


def test_the_rates_are_measured_on_the_second_half_with_exact_intervals(result, toy_model_path, toy_photographs):
    model = load_model(toy_model_path)
    scores = np.array([model.score(read_image(file).pixels).score for file in toy_photographs.rglob("*.png")])
    second = scores[~np.isin(scores, result.model.thresholds.real_scores)]
    assert [rate.fpr for rate in result.rates] == [0.05, 0.1]
    for rate in result.rates:
        exceeded = int((second >= result.model.thresholds.at(rate.fpr)).sum())
        interval = clopper_pearson(exceeded, 100)
        assert (rate.exceeded, rate.n, rate.low, rate.high) == (exceeded, 100, interval.low, interval.high)


def test_over_many_divisions_the_promised_rate_is_kept(toy_model_path, toy_photographs, monkeypatch):
    known = []

    def score_once(*arguments, **options):
        known or known.append(score_images(*arguments, **options))
        return known[0]

    monkeypatch.setattr(calibrate_module, "score_images", score_once)
    monkeypatch.setattr(calibrate_module, "fingerprint", lambda *_, **__: None)
    monkeypatch.setattr(calibrate_module, "merge_duplicates", lambda manifest, _: manifest)
    rates = [calibrate(toy_model_path, toy_photographs, seed=seed).rates[-1] for seed in range(60)]
    assert 0.07 < np.mean([rate.exceeded / rate.n for rate in rates]) < 0.12


def test_the_model_that_is_written_has_the_new_thresholds_and_the_old_scale(result, toy_model_path, tmp_path):
    old, new = load_model(toy_model_path), load_model(tmp_path / "mine")
    assert new.thresholds.supported == (0.03, 0.5)
    assert new.thresholds.fake_floor == old.thresholds.fake_floor
    assert new.card.calibration == old.card.calibration
    assert new.card.metrics == old.card.metrics
    assert "100 photographs of the user's in" in new.card.thresholds.data
    assert new.card.thresholds.verified == result.rates


def test_the_photographs_count_as_known_from_then_on(result, toy_photographs):
    digest = training_hash(read_image(next(toy_photographs.rglob("*.png"))).pixels)
    assert digest in result.model.training_hashes


def test_copies_stay_in_one_half(toy_model_path, toy_photographs, tmp_path):
    folder = tmp_path / "photographs"
    shutil.copytree(toy_photographs / "b", folder / "original")
    shutil.copytree(toy_photographs / "b", folder / "copy")
    found = calibrate(toy_model_path, folder)
    assert (found.n_first, found.n_second) == (50, 50)
    values, counts = np.unique(found.model.thresholds.real_scores, return_counts=True)
    assert len(values) == 25
    assert set(counts.tolist()) == {2}


def test_the_report_says_what_the_old_thresholds_did_and_what_the_number_allows(result):
    assert all(rate.n == 200 for rate in result.before)
    assert "rates below 0.03 are not supported" in result.notes[0]
    assert result.as_dict()["supported"] == [0.03, 0.5]


def test_unreadable_files_are_listed(toy_model_path, toy_photographs, tmp_path):
    folder = tmp_path / "photographs"
    shutil.copytree(toy_photographs / "b", folder)
    (folder / "broken.jpg").write_bytes(b"nothing")
    found = calibrate(toy_model_path, folder)
    assert [image.path for image in found.skipped] == ["broken.jpg"]


def test_too_few_photographs_or_none_are_refused(toy_model_path, toy_photographs, tmp_path):
    with pytest.raises(ManifestError, match="is not a folder"):
        calibrate(toy_model_path, tmp_path / "none")
    with pytest.raises(ManifestError, match="holds no image"):
        calibrate(toy_model_path, tmp_path)
    for index, file in enumerate(sorted((toy_photographs / "b").iterdir())[:8]):
        shutil.copy(file, tmp_path / f"{index}.png")
    with pytest.raises(ParameterError, match="half of the photographs must be at least 6 that can be scored, got"):
        calibrate(toy_model_path, tmp_path)
