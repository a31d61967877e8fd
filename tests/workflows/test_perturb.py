import json

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import read_dataset, read_manifest
from spectell.errors import ManifestError, ParameterError
from spectell.images.jpeg import estimate_quality
from spectell.perturbations import get_preset
from spectell.workflows.perturb import NAMES, PerturbConfig, perturb_images, replayed_config


@pytest.fixture
def faces(tmp_path, rng):
    for name in ("real/a.jpg", "real/deep/b.png", "gan/a.png", "gan/c.png"):
        file = tmp_path / "faces" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(file)
    return tmp_path / "faces"


def contents(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "record.jsonl"
    }


def pixels(file):
    with Image.open(file) as image:
        return np.array(image)


def rows(folder):
    return [json.loads(line) for line in (folder / "record.jsonl").read_text().splitlines()[1:]]


def draws(folder):
    return {row["path"]: row["parameters"] for row in rows(folder)}


def test_folders_stay_and_copies_share_the_group_of_their_originals(faces, tmp_path):
    copies = perturb_images(faces, tmp_path / "out", PerturbConfig("jpeg"), workers=2)
    assert sorted(contents(tmp_path / "out")) == [
        "gan/a.jpg",
        "gan/c.jpg",
        "manifest.csv",
        "real/a.jpg",
        "real/deep/b.jpg",
    ]
    original = {entry.path.rsplit(".")[0]: entry for entry in read_dataset(faces)}
    written = read_manifest(tmp_path / "out" / "manifest.csv")
    assert len(written) == copies.changed == 4
    for entry in written:
        twin = original[entry.path.rsplit(".")[0]]
        assert (entry.group, entry.source, entry.generator) == (twin.group, twin.source, twin.generator)


def test_the_quality_in_the_record_is_that_of_the_files_tables(faces, tmp_path):
    perturb_images(faces, tmp_path / "out", PerturbConfig("jpeg", options={"quality": (20, 70)}), workers=1)
    for row in rows(tmp_path / "out"):
        with Image.open(tmp_path / "out" / row["copy"]) as image:
            assert estimate_quality(image.quantization[0]) == row["parameters"]["quality"]
        assert 20 <= row["parameters"]["quality"] <= 70


def test_the_copy_holds_what_the_recorded_draw_makes_of_the_original(faces, tmp_path):
    config = PerturbConfig("noise", preset="frank2020", probability=1.0)
    perturb_images(faces, tmp_path / "out", config, workers=1)
    for row in rows(tmp_path / "out"):
        original, copy = pixels(faces / row["path"]), pixels(tmp_path / "out" / row["copy"])
        np.testing.assert_array_equal(copy, get_preset("frank2020", "noise").apply(original, row["parameters"]))
        inner = (original > 20) & (original < 235)
        assert (copy.astype(float) - original)[inner].std() == pytest.approx(row["parameters"]["sigma"], rel=0.1)


def test_a_replay_gives_the_same_bytes_whatever_the_seed_would_have_drawn(faces, tmp_path):
    config = PerturbConfig("combined", preset="frank2020", seed=5)
    perturb_images(faces, tmp_path / "out", config, workers=2)
    record = tmp_path / "out" / "record.jsonl"
    again = replayed_config(record, "combined")
    assert again == config
    copies = perturb_images(faces, tmp_path / "again", again, replay=record, workers=1)
    assert contents(tmp_path / "again") == contents(tmp_path / "out")
    assert (copies.different, copies.skipped) == (0, ())


def test_a_replay_counts_copies_that_differ_and_names_pictures_without_a_draw(faces, tmp_path, rng):
    perturb_images(faces, tmp_path / "out", PerturbConfig("crop"), workers=1)
    record = tmp_path / "out" / "record.jsonl"
    Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(faces / "gan" / "a.png")
    Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(faces / "gan" / "new.png")
    copies = perturb_images(faces, tmp_path / "again", replayed_config(record, "crop"), replay=record, workers=1)
    assert copies.different == 1
    assert [(skipped.path, skipped.reason) for skipped in copies.skipped] == [
        ("gan/new.png", "the record has no draw for it")
    ]


def test_draws_depend_on_seed_and_path_alone(faces, tmp_path):
    perturb_images(faces, tmp_path / "one", PerturbConfig("noise"), workers=1)
    (faces / "gan" / "aa.png").write_bytes((faces / "gan" / "a.png").read_bytes())
    (faces / "real" / "a.jpg").unlink()
    perturb_images(faces, tmp_path / "two", PerturbConfig("noise"), workers=2)
    perturb_images(faces, tmp_path / "three", PerturbConfig("noise", seed=1), workers=1)
    one, two, three = (draws(tmp_path / name) for name in ("one", "two", "three"))
    shared = one.keys() & two.keys()
    assert len(shared) == 3
    assert {path: one[path] for path in shared} == {path: two[path] for path in shared}
    assert all(two[path] != three[path] for path in two)
    assert one["gan/a.png"] != two["gan/aa.png"]


def test_pictures_that_are_left_alone_are_lossless_and_recorded(faces, tmp_path):
    copies = perturb_images(faces, tmp_path / "out", PerturbConfig("webp", probability=0.0), workers=1)
    assert copies.changed == 0
    for row in rows(tmp_path / "out"):
        assert row["parameters"] is None
        assert row["copy"].endswith(".png")
        np.testing.assert_array_equal(pixels(tmp_path / "out" / row["copy"]), pixels(faces / row["path"]))


def test_a_broken_file_costs_a_line_and_a_resumed_run_tries_it_again(faces, tmp_path):
    whole = (faces / "gan" / "a.png").read_bytes()
    (faces / "gan" / "a.png").write_bytes(whole[:100])
    copies = perturb_images(faces, tmp_path / "out", PerturbConfig("blur"), workers=1)
    assert [skipped.path for skipped in copies.skipped] == ["gan/a.png"]
    assert "cannot read" in copies.skipped[0].reason
    assert len(read_manifest(tmp_path / "out" / "manifest.csv")) == 3
    (faces / "gan" / "a.png").write_bytes(whole)
    copies = perturb_images(faces, tmp_path / "out", PerturbConfig("blur"), workers=1, resume=True)
    assert (copies.reused, copies.skipped, len(copies.manifest)) == (3, (), 4)


def test_an_interrupted_run_goes_on_to_the_same_result(faces, tmp_path):
    config = PerturbConfig("jpeg-chain")

    def interrupt(stage, done, total):
        if done == 2:
            raise KeyboardInterrupt

    perturb_images(faces, tmp_path / "whole", config, workers=1)
    with pytest.raises(KeyboardInterrupt):
        perturb_images(faces, tmp_path / "out", config, workers=1, on_progress=interrupt)
    with (tmp_path / "out" / "record.jsonl").open("ab") as file:
        file.write(b'{"path": "real/a')  # torn
    with pytest.raises(ParameterError, match=r"is not empty; name another one, or set resume \(--resume\)"):
        perturb_images(faces, tmp_path / "out", config)
    with pytest.raises(ParameterError, match=r"the earlier run had other settings \(seed\)"):
        perturb_images(faces, tmp_path / "out", PerturbConfig("jpeg-chain", seed=2), resume=True)
    copies = perturb_images(faces, tmp_path / "out", config, workers=2, resume=True)
    assert copies.reused == 1
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_a_folder_without_classes_gets_no_manifest(faces, tmp_path):
    perturb_images(faces / "gan", tmp_path / "out", PerturbConfig("jpeg", lossless=True), workers=1)
    assert sorted(contents(tmp_path / "out")) == ["a.png", "c.png"]


def test_names_that_differ_in_their_suffix_alone_are_kept_apart(faces, tmp_path):
    (faces / "gan" / "a.jpg").write_bytes((faces / "real" / "a.jpg").read_bytes())
    copies = perturb_images(faces, tmp_path / "out", PerturbConfig("blur"), workers=1)
    names = [entry.path for entry in copies.manifest if entry.generator == "gan"]
    assert names == ["gan/a.jpg.png", "gan/a.png.png", "gan/c.png"]
    assert len({entry.group for entry in copies.manifest if "/a" in entry.path}) == 1


def test_the_disk_that_cannot_be_written_ends_the_run_at_once(faces, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "real").touch()
    with pytest.raises(ManifestError, match="cannot write"):
        perturb_images(faces, tmp_path / "out", PerturbConfig("blur"), workers=1, resume=True)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PerturbConfig("smear"), "unknown perturbation 'smear'; choose one of blur, combined, crop, "),
        (lambda: PerturbConfig("noise", options={"quality": (1, 2)}), "'noise' has no option 'quality'"),
        (lambda: PerturbConfig("jpeg", preset="frank2021"), "unknown preset 'frank2021'"),
        (lambda: PerturbConfig("webp", preset="frank2020"), "preset 'frank2020' has no perturbation 'webp'"),
        (lambda: PerturbConfig("jpeg", "frank2020", None, {"quality": (1, 2)}), "quality must not be given"),
        (lambda: PerturbConfig("jpeg", probability=1.5), "probability must lie between 0 and 1"),
        (lambda: PerturbConfig("jpeg", seed=-1), "seed must not be negative"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_an_output_among_the_originals_is_refused(faces):
    with pytest.raises(ParameterError, match="lies in the folder of the images"):
        perturb_images(faces, faces / "out", PerturbConfig("blur"))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_has_defaults_and_those_of_the_paper_have_its_parameters(name):
    perturbation = PerturbConfig(name).perturbation
    if name in ("blur", "crop", "jpeg", "noise"):
        assert perturbation == get_preset("frank2020", name).perturbation
        assert PerturbConfig(name, preset="frank2020").perturbation == get_preset("frank2020", name)


def test_options_are_bounds_and_lists_of_the_perturbations_fields():
    def made(name, **options):
        return PerturbConfig(name, options=options).perturbation

    assert made("noise", variance=(4, 9)).max_sigma == 3
    assert made("noise", sigma=(4, 9)).uniform_in == "sigma"
    assert made("blur", kernel_size=(3,)).min_sigma is None
    assert made("blur", sigma=(1, 2)).kernel_sizes is None
    assert made("resize", kernel=("lanczos",), scale=(0.5, 0.5), restore=True).kernels == ("lanczos",)
    assert made("crop", kernel=("box",)).kernel == "box"
    assert made("screenshot", ratio=(2.0,)).ratios == (2.0,)
