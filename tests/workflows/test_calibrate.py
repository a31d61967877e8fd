import dataclasses
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import read_dataset
from spectell.detectors import load_model
from spectell.detectors.artifact import training_hash
from spectell.errors import ManifestError, MismatchError, ParameterError
from spectell.evaluation.intervals import clopper_pearson
from spectell.evaluation.thresholds import Thresholds
from spectell.images import read_image
from spectell.workflows import calibrate as calibrate_module
from spectell.workflows.calibrate import calibrate
from spectell.workflows.evaluate import score_images
from spectell.workflows.promised_rates import measured_rates, refuted_rates


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


def test_copies_count_once(toy_model_path, toy_photographs, tmp_path):
    folder = tmp_path / "photographs"
    shutil.copytree(toy_photographs / "b", folder / "original")
    shutil.copytree(toy_photographs / "b", folder / "copy")
    found = calibrate(toy_model_path, folder)
    alone = calibrate(toy_model_path, toy_photographs / "b")
    assert (found.n_first, found.n_second, found.n_copies) == (25, 25, 50)
    assert sorted({rate.n for rate in found.rates}) == [25]
    assert {rate.n for rate in found.before} == {50}
    assert found.supported == alone.supported == (0.12, 0.5)
    assert len(np.unique(found.model.thresholds.real_scores)) == 25
    assert "50 files are copies of others and do not count: each picture counts once" in found.notes


def test_pictures_that_look_the_same_count_once(toy_model_path, tmp_path, rng):
    for number in range(14):
        coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC)
        picture.save(tmp_path / f"{number}.png")
        picture.save(tmp_path / f"{number}.jpg", quality=85)
    found = calibrate(toy_model_path, tmp_path)
    assert (found.n_first, found.n_second, found.n_copies) == (7, 7, 14)


def test_many_copies_of_six_pictures_are_too_few(toy_model_path, toy_photographs, tmp_path):
    for file in sorted((toy_photographs / "b").iterdir())[:6]:
        for copy in range(10):
            shutil.copy(file, tmp_path / f"{file.stem}-{copy}.png")
    expected = r"must be at least 6 that can be scored, got 3 \(54 files are copies of others and do not count\)"
    with pytest.raises(MismatchError, match=expected):
        calibrate(toy_model_path, tmp_path, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


@pytest.fixture
def unlucky(toy_model_path, toy_photographs, monkeypatch):
    """Scores of which a given number in the second half lies above all of the first."""
    manifest = read_dataset(toy_photographs, require_real=False)
    manifest = manifest.with_values(groups=manifest.paths)
    scored = score_images(load_model(toy_model_path), manifest)

    def arrange(n_above):
        first = calibrate_module._first_half(scored.manifest, 0)
        scores = np.linspace(-1, 1, 200)
        scores[~first] = np.where(np.arange(100) < n_above, 5, -5)
        monkeypatch.setattr(
            calibrate_module, "score_images", lambda *_, **__: dataclasses.replace(scored, scores=scores)
        )

    return arrange


def test_a_rate_that_is_measured_above_its_promise_is_said_to_be(unlucky, toy_model_path, toy_photographs, tmp_path):
    unlucky(12)
    found = calibrate(toy_model_path, toy_photographs, tmp_path / "mine")
    assert [rate.fpr for rate in found.above] == [0.05]
    assert found.refuted == ()
    assert found.written


def test_a_refuted_promise_is_not_written_unless_that_is_asked_for(unlucky, toy_model_path, toy_photographs, tmp_path):
    unlucky(60)
    found = calibrate(toy_model_path, toy_photographs, tmp_path / "mine")
    assert [rate.fpr for rate in found.refuted] == [0.05, 0.1] == found.as_dict()["refuted"]
    assert (found.written, (tmp_path / "mine").exists()) == (False, False)
    assert calibrate(toy_model_path, toy_photographs, tmp_path / "mine", force=True).written
    assert load_model(tmp_path / "mine").card.thresholds.verified == found.rates


def test_halves_divided_at_random_refute_one_promise_in_a_hundred_at_most(rng):
    """Each half holds 300 scores of one distribution; of 400 calibrations 4 would be expected at most."""
    refuted = above = 0
    for _ in range(400):
        first, second = rng.random((2, 300))
        thresholds = Thresholds(first, 0.0)
        rates = tuple(measured_rates(thresholds, second, "the others"))
        refuted += bool(refuted_rates(thresholds, rates))
        above += any(rate.low > rate.fpr for rate in rates)
    assert refuted <= 10
    assert 40 < above < 100


@pytest.mark.parametrize(("number", "shown"), [(12, [0.5]), (40, [0.15, 0.2, 0.3, 0.5])])
def test_few_photographs_show_the_rates_that_they_allow(toy_model_path, toy_photographs, tmp_path, number, shown):
    for file in sorted((toy_photographs / "b").iterdir())[:number]:
        shutil.copy(file, tmp_path / file.name)
    found = calibrate(toy_model_path, tmp_path)
    assert [rate.fpr for rate in found.rates] == shown
    assert list(found.model.card.thresholds.table) == [f"{rate:g}" for rate in shown]
    assert (
        "nothing was verified about a rate of 1 % or 5 %: 1 % needs 600 and 5 % needs 120 different photographs, and "
        f"there are {number}; scan with --fpr {shown[0]:g} or more"
    ) in found.notes


def test_the_folder_is_walked_as_a_scan_walks_it(toy_model_path, toy_photographs, tmp_path):
    (tmp_path / "link").symlink_to(toy_photographs / "b")
    (tmp_path / "gone.png").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.jpg")
    found = calibrate(toy_model_path, tmp_path)
    assert found.n_first + found.n_second == 50
    assert [image.path for image in found.skipped] == ["gone.png", "pipe.jpg"]
    assert any(note.startswith("2 files have no score, the first: ") for note in found.notes)


def test_files_above_max_pixels_have_no_score(toy_model_path, toy_photographs, tmp_path):
    folder = tmp_path / "photographs"
    shutil.copytree(toy_photographs / "b", folder)
    Image.new("RGB", (50, 50)).save(folder / "large.png")
    found = calibrate(toy_model_path, folder, max_pixels=2000)
    assert [image.path for image in found.skipped] == ["large.png"]


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
