import json

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import REAL, Entry, Manifest
from spectell.errors import ArtifactError, ManifestError
from spectell.experiments import attribution, data_efficiency, robustness
from spectell.experiments.config import resolve_config
from spectell.experiments.identification import samples as identification_samples
from spectell.experiments.identification.cells import IdentificationCell, IdentificationScale, thumbnails_of
from spectell.experiments.identification.fit import divide, judge
from spectell.experiments.identification.images import choose_images, prepare
from spectell.experiments.identification.plan import estimated_seconds
from spectell.experiments.identification.summary import best_by_validation, over_seeds, summarise

TINY = IdentificationScale(32, 40, 2, ("knn", "ridge"), {}, 600.0, shares=(0.5, 1.0))


def silent(*_):
    pass


def config_of(name, data, tmp_path, **options):
    return resolve_config(name, data, output=tmp_path / "out", workers=1, **options)


@pytest.fixture
def manifest():
    names = [(name, k) for name in (REAL, "gan", "other") for k in range(60)]
    return Manifest([Entry(f"{name}/{k}", int(name != REAL), name, "s", f"g{k // 2}") for name, k in names], root=".")


def test_no_group_is_divided_and_every_split_has_every_class(manifest):
    divided = divide(manifest, (REAL, "gan", "other"), fractions=None, seed=3)
    groups = [set(divided.groups[rows].tolist()) for rows in divided.rows.values()]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]
    assert all(set(divided.codes[rows].tolist()) == {0, 1, 2} for rows in divided.rows.values())
    assert sum(map(len, divided.rows.values())) == 180


def test_a_share_is_a_part_of_a_larger_one_and_leaves_the_other_splits_alone(manifest):
    shares = (0.1, 0.3, 1.0)
    found = [divide(manifest, (REAL, "gan", "other"), fractions=None, share=share, seed=1) for share in shares]
    train = [set(one.rows["train"].tolist()) for one in found]
    assert train[0] < train[1] < train[2]
    counts = np.bincount(found[2].codes[found[2].rows["train"]])
    assert np.bincount(found[1].codes[found[1].rows["train"]]).tolist() == [round(0.3 * count) for count in counts]
    assert all((one.rows["test"] == found[0].rows["test"]).all() for one in found)


def test_splits_that_are_stated_are_kept_and_limits_hold(manifest):
    stated = manifest.with_values(splits=["train", "validation", "test"] * 60)
    divided = divide(stated, (REAL, "gan", "other"), fractions=None, most={"train": 7}, seed=0)
    assert np.bincount(divided.codes[divided.rows["train"]]).tolist() == [7, 7, 7]
    assert set(divided.rows["test"] % 3) == {2}
    with pytest.raises(ManifestError, match="no image of 'nobody'"):
        divide(stated, (REAL, "gan", "nobody"), fractions=None, seed=0)


def test_a_group_counts_as_one_trial():
    codes, named = np.repeat([0, 1, 2], 20), np.repeat([0, 1, 1], 20)
    alone = judge(codes, named, np.arange(60), 3)
    grouped = judge(codes, named, np.arange(60) // 2, 3)
    assert alone.interval.estimate == grouped.interval.estimate == pytest.approx(2 / 3)
    assert grouped.interval.low < alone.interval.low
    assert alone.confusion.tolist() == [[20, 0, 0], [0, 20, 0], [0, 20, 0]]
    perfect = judge(codes, codes, np.arange(60), 3).interval
    assert perfect.high == 1.0
    assert perfect.low == pytest.approx(0.025 ** (1 / 60))


def test_seeds_are_put_together_and_what_was_skipped_is_said():
    cells = [IdentificationCell("knn", domain, seed) for domain in ("pixel", "dct") for seed in (0, 1)]
    judged = {"estimate": 0.5, "low": 0.4, "high": 0.6}
    facts = {"parameters": 7, "training_seconds": 2.0, "most_epochs": None}
    done = {"test": judged, "validation": judged, "facts": facts}
    results = {cells[0].name: done, cells[1].name: {"skipped": "too slow"}, cells[2].name: {"skipped": "too slow"}}
    results[cells[3].name] = {**done, "test": {"estimate": 0.9, "low": 0.8, "high": 0.95}}
    found = summarise(cells, results)["knn"]
    assert found["pixel"] | over_seeds([judged]) == found["pixel"]
    assert (found["pixel"]["skipped"], found["dct"]["estimate"]) == (["too slow"], 0.9)
    assert best_by_validation({"knn": found}, "dct") == "knn"
    assert best_by_validation({"knn": {"dct": {"skipped": ["too slow"]}}}, "dct") is None


def test_thumbnails_are_means_of_equal_parts(rng):
    images = rng.integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    means = images.reshape(3, 8, 4, 8, 4, 3).mean(axis=(2, 4))
    assert np.abs(thumbnails_of(images) - means).max() <= 1.01  # rounded after rows and after columns


def test_a_data_set_with_all_classes_is_taken_as_it_is(three_sources, tmp_path):
    choice = choose_images(three_sources, 32)
    assert (choice.own, choice.classes, choice.images) == (True, ("real", "board", "stripes"), 40)
    assert choose_images(three_sources, 0, only_own=True) == choice
    packed = prepare(choice, tmp_path, size=32, limit=25, seed=0, workers=1, on_progress=silent)
    assert packed.images.shape == (75, 32, 32, 3)
    for row in (0, 30, 74):
        with Image.open(three_sources / packed.manifest.paths[row]) as image:
            assert (np.asarray(image) == packed.images[row]).all()


def test_the_full_scale_takes_whole_images_and_plans_with_the_splits_of_the_paper(three_sources, tmp_path):
    choice = choose_images(three_sources, 0, only_own=True)
    packed = prepare(choice, tmp_path / "whole", size=0, limit=100, seed=0, workers=1, on_progress=silent)
    assert packed.images.shape == (120, 32, 32, 3)
    for module in (attribution, data_efficiency, robustness):
        plan = module.plan(config_of("attribution", three_sources, tmp_path, scale="full"))
        assert plan.cells[1].images <= round(120 * 100 / 135)
        assert plan.seconds > 0


def test_images_of_several_sizes_are_refused(three_sources, tmp_path):
    Image.new("RGB", (48, 32)).save(three_sources / "real" / "wide.png")
    choice = choose_images(three_sources, 32)
    with pytest.raises(ManifestError, match="must have one size"):
        prepare(choice, tmp_path, size=32, limit=25, seed=0, workers=1, on_progress=silent)


def test_of_several_data_sets_the_faces_of_the_generators_are_taken(three_sources, tmp_path, rng):
    for name, number in (("celeba178", 3), ("more", 5)):
        (tmp_path / "data" / name / "real").mkdir(parents=True)
        for index in range(number):
            pixels = rng.integers(0, 256, (70, 80, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / name / "real" / f"{index}.png")
    choice = choose_images(tmp_path / "data", 32)
    assert (choice.own, choice.name, choice.images) == (False, "celeba178", 3)
    assert choice.classes == ("real", "progan", "sngan", "cramer", "mmd")
    assert any("every data set but celeba178" in note for note in choice.notes)
    with pytest.raises(ManifestError, match="full scale needs one data set"):
        choose_images(tmp_path / "data", 0, only_own=True)


def test_missing_generators_can_be_planned_with_and_are_one_line(shared_like, tmp_path, monkeypatch):
    monkeypatch.setattr(identification_samples, "BUNDLED", tmp_path / "none")
    config = config_of("attribution", shared_like, tmp_path)
    plan = attribution.plan(config, TINY)
    assert sum("can be planned and not run" in note for note in plan.notes) == 4
    pytest.importorskip("torch")
    with pytest.raises(ArtifactError, match="generators are missing: progan") as raised:
        attribution.run(config, silent, TINY)
    assert "\n" not in str(raised.value)


@pytest.fixture
def shared_like(tmp_path, rng):
    folder = tmp_path / "faces"
    folder.mkdir()
    for index in range(24):
        pixels = rng.integers(0, 256, (70, 70, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
    return folder


@pytest.mark.torch
def test_samples_are_those_of_the_generators_and_as_many_as_photographs(shared_like, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    from spectell.generators.gan import Generator
    from spectell.generators.trained import load_generator, save_generator

    places = tmp_path / "bundled"
    options = {"size": 32, "upsampling": "nearest", "width": 8, "smoothing": True}
    for name in identification_samples.GENERATORS:
        network = Generator(32, "nearest", 8, smoothing=True).eval()
        card = {"name": name, "config": options, "resolution": 32, "alpha": 1.0}
        save_generator(places / f"{name}.safetensors", network, card)
    monkeypatch.setattr(identification_samples, "BUNDLED", places)
    choice = choose_images(shared_like, 32)
    packed = prepare(choice, tmp_path / "out", size=32, limit=22, seed=1, workers=1, on_progress=silent)
    assert packed.images.shape == (5 * 22, 32, 32, 3)
    made = packed.images[packed.manifest.generators == "cramer"]
    assert (made == load_generator(places / "cramer.safetensors").images(2001, 0, 22)).all()


def test_attribution_finds_the_sources_and_goes_on_where_it_stopped(three_sources, tmp_path):
    config = config_of("attribution", three_sources, tmp_path)
    cells = attribution.list_cells(config, TINY)

    def stop(stage, done, total):
        if (stage, done) == ("detectors", 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attribution.run(config, stop, TINY)
    planned = {cell.name: cell.done for cell in attribution.plan(config, TINY).cells}
    assert list(planned) == ["images", *(cell.name for cell in cells)]
    assert planned["images"]
    assert not all(planned.values())
    page = attribution.run(config, silent, TINY)
    record = json.loads((page.parent / "record.json").read_text())
    assert record["tables"]["images"]["ridge"]["dct"]["estimate"] > 0.8
    assert record["tables"]["images"]["ridge"]["dct"]["seeds"] == [
        record["cells"][f"ridge-dct-{seed}"]["test"]["estimate"] for seed in (0, 1)
    ]
    assert (record["chance"] < 0.5, record["skipped"], record["classes"]) == (True, {}, ["real", "board", "stripes"])
    text = page.read_text(encoding="utf-8")
    assert config.command in text
    assert "as recalled, unverified" in text
    assert "29.22 → 71.58" in text
    assert all(cell.done for cell in attribution.plan(config, TINY).cells)
    again = json.loads((attribution.run(config, silent, TINY).parent / "record.json").read_text())
    assert {**again, "seconds": 0} == {**record, "seconds": 0}


def test_what_would_take_too_long_is_not_tried_and_said(three_sources, tmp_path):
    scale = IdentificationScale(32, 40, 1, ("knn", "eigenfaces"), {}, 0.2)
    cell = IdentificationCell("eigenfaces", "dct", 0)
    assert (
        estimated_seconds(cell, scale, 84, 32)
        > 0.2
        > estimated_seconds(IdentificationCell("knn", "dct", 0), scale, 84, 32)
    )
    config = config_of("attribution", three_sources, tmp_path)
    lines = attribution.plan(config, scale).lines()
    assert sum("skipped: about 0 s by estimate" in line for line in lines) == 2
    page = attribution.run(config, silent, scale)
    record = json.loads((page.parent / "record.json").read_text())
    assert {"eigenfaces-pixel-0", "eigenfaces-dct-0"} <= set(record["skipped"])
    text = page.read_text(encoding="utf-8")
    assert "What was skipped" in text
    assert ">skipped<" in text


def test_data_efficiency_has_both_shares_and_a_curve(three_sources, tmp_path):
    config = config_of("data-efficiency", three_sources, tmp_path)
    scale = IdentificationScale(32, 40, 1, ("ridge",), {}, 600.0, shares=(0.5,))
    page = data_efficiency.run(config, silent, scale)
    record = json.loads((page.parent / "record.json").read_text())
    assert list(record["tables"]) == ["0.2", "0.5", "1"]
    trained = [
        record["cells"][name]["facts"]["n_train"] for name in ("ridge-dct-0-20", "ridge-dct-0-50", "ridge-dct-0")
    ]
    assert trained[0] < trained[1] < trained[2]
    assert page.read_text(encoding="utf-8").count("<picture") == 1
