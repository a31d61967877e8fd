"""The recipe of the default model: histories, folds, weights, calibration rows and the file that it writes."""

from pathlib import Path

import numpy as np
import pytest
from recipes.default_model import build
from recipes.default_model.baselines import BASELINES, baseline_features
from recipes.default_model.build import _joined
from recipes.default_model.calibrate import FULL_PIXELS, ROWS_PER_SOURCE, calibrate, false_positives, trust
from recipes.default_model.corpus import collected_pictures
from recipes.default_model.features import front_end
from recipes.default_model.history import CONDITIONS, draw_view, under_condition
from recipes.default_model.network import CLIP, Networks, row_weights
from recipes.default_model.study import FOLDS, Study, compared_rows, fold_of, run_study
from recipes.default_model.table import VIEW, Table

from spectell.detectors.artifact import DEFAULT_MODEL, load_model


def table_of(cells, rng, *, rows_per_picture=(VIEW, VIEW, "clean")):
    """A table with pictures of (source, generator, number, aligned) and features that tell the classes apart."""
    columns = [
        (source, generator, f"{source}/{number}", condition, aligned)
        for source, generator, count, aligned in cells
        for number in range(count)
        for condition in rows_per_picture
    ]
    source, generator, group, condition, aligned = (np.array(column) for column in zip(*columns, strict=True))
    shift = (generator != "real")[:, np.newaxis]
    features = (rng.normal(size=(len(columns), 4)) + shift).astype(np.float16)
    baseline = np.full((len(columns), 299), np.log(FULL_PIXELS / 4), np.float32)
    return Table(features, baseline, source, generator, group, condition, aligned)


@pytest.mark.parametrize("shape", [(32, 32), (33, 90), (128, 128), (300, 500)])
def test_every_history_leaves_an_image_that_the_model_can_score(rng, shape):
    pixels = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    for _ in range(20):
        view = draw_view(pixels, rng)
        assert view.dtype == np.uint8
        assert min(view.shape[:2]) >= front_end().min_size


def test_conditions_keep_or_scale_the_size_and_skip_what_would_be_too_small(rng):
    pixels = rng.integers(0, 256, (80, 60, 3), dtype=np.uint8)
    assert under_condition(pixels, "clean", rng) is pixels
    assert under_condition(pixels, "resize 0.75", rng).shape == (60, 45, 3)
    assert under_condition(pixels, "resize 0.5", rng) is None
    for condition in CONDITIONS:
        changed = under_condition(pixels, condition, rng)
        assert changed is None or condition == "clean" or changed.shape != pixels.shape or (changed != pixels).any()


def test_baselines_fill_their_features_and_see_what_they_are_named_for(rng):
    pixels = rng.integers(0, 256, (64, 48, 3), dtype=np.uint8)
    features = baseline_features(pixels)
    assert max(columns.stop for columns in BASELINES.values()) == len(features) == 299
    turned = baseline_features(np.ascontiguousarray(pixels[::-1, ::-1]))
    same = {name: np.allclose(features[columns], turned[columns]) for name, columns in BASELINES.items()}
    assert not same["8 x 8 thumbnail"]
    np.testing.assert_allclose(features[:2], np.log([64, 48]), rtol=1e-6)


def test_a_group_has_one_fold_and_folds_are_even():
    folds = [fold_of(f"photos/{number}") for number in range(3000)]
    assert folds == [fold_of(f"photos/{number}") for number in range(3000)]
    assert np.bincount(folds, minlength=FOLDS).min() > 900


def test_weights_are_even_between_classes_and_follow_roots_within(rng):
    table = table_of([("a", "real", 10, False), ("b", "real", 40, False), ("a", "gan", 5, False)], rng)
    weights = row_weights(table, np.arange(len(table)))
    assert weights.mean() == pytest.approx(1.0)
    assert weights[table.labels == 0].sum() == pytest.approx(weights[table.labels == 1].sum(), rel=1e-4)
    of = {source: weights[(table.source == source) & (table.labels == 0)].sum() for source in "ab"}
    assert of["b"] / of["a"] == pytest.approx(2.0, rel=1e-4)


def test_refits_never_train_on_what_they_judge(rng, tmp_path):
    cells = [("photos", "real", 30, False), ("faces256", "real", 30, False), ("faces256", "stylegan", 30, False)]
    table = table_of(cells, rng)
    trained = []

    def fit(rows):
        trained.append(set(rows.tolist()))

        def decide(asked):
            assert not trained[-1] & set(asked.tolist())
            return np.zeros(len(asked))

        return decide

    study = run_study(table, fit, tmp_path, "toy")
    assert np.isfinite(study.in_distribution).all()
    assert np.isfinite(study.source_out).all()
    without = trained[FOLDS + 2]  # after the folds and the two sources: stylegan
    assert not (table.generator[sorted(without)] == "stylegan").any()
    again = run_study(table, None, tmp_path, "toy")
    np.testing.assert_array_equal(again.source_out, study.source_out)


def test_a_generator_is_compared_with_the_named_photographs_or_with_its_own_crops(rng):
    cells = [("faces256", "real", 4, False), ("photos", "real", 5, False), ("faces256", "stylegan", 3, False)]
    cells += [("photos", "real", 2, True), ("photos", "taef2", 2, True)]
    table = table_of(cells, rng)
    scores = np.zeros(len(table))
    rows = compared_rows(table, "stylegan", "clean", scores)
    assert set(table.source[rows]) == {"faces256"}
    assert len(rows) == 7
    rows = compared_rows(table, "taef2", "clean", scores)
    assert table.aligned[rows].all()
    assert len(rows) == 4


def test_thresholds_rest_on_as_many_rows_of_each_source_and_keep_their_rate(rng):
    cells = [(source, "real", 1000, False) for source in ("a", "b")] + [
        ("a", "gan", 600, False),
        ("c", "real", 9, True),
    ]
    table = table_of(cells, rng)
    scores = table.features.astype(float).sum(axis=1)
    study = Study(scores, scores, {})
    calibrated = calibrate(table, study)
    sources, counts = np.unique(table.source[calibrated.real_rows], return_counts=True)
    assert dict(zip(sources.tolist(), counts.tolist(), strict=True)) == {"a": ROWS_PER_SOURCE, "b": ROWS_PER_SOURCE}
    assert (table.condition[calibrated.real_rows] == "clean").sum() == ROWS_PER_SOURCE
    np.testing.assert_allclose(trust(table), 0.5, rtol=1e-5)
    rates = false_positives(table, calibrated, study)
    k, n, interval = rates["all"]
    assert n == 2000
    assert k == sum(rates[source][0] for source in "ab")
    # The scores of both sources are of one distribution, so the threshold of the one keeps its rate on the other.
    assert interval.low < 0.01 < interval.high


def test_the_joined_network_says_what_the_mean_of_its_members_says(rng, monkeypatch):
    monkeypatch.setattr(build, "NETWORKS", 3)
    members = tuple(
        (
            (rng.normal(size=(6, 3)).astype(np.float32), rng.normal(size=3).astype(np.float32)),
            (rng.normal(size=(3, 1)).astype(np.float32), rng.normal(size=1).astype(np.float32)),
        )
        for _ in range(3)
    )
    networks = Networks(np.zeros(6, np.float32), np.ones(6, np.float32), members)
    rows = rng.normal(scale=3 * CLIP, size=(5, 6)).astype(np.float16)
    np.testing.assert_allclose(
        _joined(networks).decide(rows.astype(np.float32)), networks.decide(rows), rtol=2e-2, atol=5e-2
    )


def test_the_shipped_model_is_small_and_its_card_repeats_the_figures_of_the_page():
    assert DEFAULT_MODEL.stat().st_size <= 3e6
    page = (Path(__file__).resolve().parents[2] / "docs" / "default-model-figures.md").read_text()
    section, rows = "", {}
    for line in page.splitlines():
        section = line.removeprefix("### ") if line.startswith("### ") else section
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and cells[0] in CONDITIONS:
            rows[section, cells[0]] = cells[1:]
    stated = {}
    for metric in load_model(DEFAULT_MODEL).card.metrics:
        kind, _, rest = metric.data.partition(": ")
        generator, _, rest = rest.partition(" against ")
        condition = rest.partition(", after ")[2] or "clean"
        bounds = "" if metric.low is None else f" [{metric.low:.3f}, {metric.high:.3f}]"
        counts = [f"{metric.n_real}, {metric.n_generated}"]
        stated.setdefault((f"{generator}, {kind}", condition), counts).append(f"{metric.estimate:.3f}{bounds}")
    assert len(rows) > 200
    assert stated == rows


@pytest.mark.shared_data
def test_the_corpus_names_source_generator_and_group_of_every_picture(shared_data):
    pictures = collected_pictures(shared_data)
    cells = {(picture.source, picture.generator) for picture in pictures}
    assert ("cameras", "real") in cells
    assert ("celeba128", "stargan") in cells
    assert all(picture.group.startswith(picture.source) for picture in pictures)
    fruit = [picture for picture in pictures if picture.source == "apple2orange256"]
    by_group = {picture.group: 0 for picture in fruit}
    for picture in fruit:
        by_group[picture.group] += picture.generated
    assert set(by_group.values()) <= {1, 2}
