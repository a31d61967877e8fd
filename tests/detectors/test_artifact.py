import dataclasses
import hashlib
import json
import os
import pickle
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from spectell.detectors.artifact import load_model, save_model, training_hash
from spectell.detectors.card import CalibrationCard, ModelCard
from spectell.detectors.features import BlockFeatures, DCTFeatures, PixelFeatures
from spectell.detectors.heads import AverageHead, LinearHead, MLPHead
from spectell.errors import ArtifactError, ShapeError

D = BlockFeatures(size=4).n_features


def heads(rng):
    linear = LinearHead(rng.normal(size=D), 0.1)
    network = MLPHead([(rng.normal(size=(D, 3)), rng.normal(size=3)), (rng.normal(size=(3, 1)), [0.2])], "tanh")
    return {"linear": linear, "mlp": network, "average": AverageHead([linear, network])}


@pytest.fixture
def path(tmp_path, model_of):
    path = tmp_path / "small.safetensors"
    save_model(model_of(), path)
    return path


@pytest.mark.parametrize("head", ["linear", "mlp", "average"])
def test_a_loaded_model_scores_as_the_saved_one_did(tmp_path, rng, model_of, head):
    model = model_of(head=heads(rng)[head])
    save_model(model, tmp_path / "m")
    image = rng.integers(0, 256, (9, 14, 3), dtype=np.uint8)
    assert load_model(tmp_path / "m").score(image) == model.score(image)


@pytest.mark.parametrize("front_end", [PixelFeatures(4), DCTFeatures(4, 1e-6), BlockFeatures(4, 7, False, 0.5)])
def test_every_front_end_survives_the_file(tmp_path, rng, model_of, front_end):
    save_model(model_of(front_end), tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    assert loaded.front_end.config == front_end.config
    assert loaded.card.log_offset == front_end.log_offset
    image = rng.integers(0, 256, (9, 14, 3), dtype=np.uint8)
    assert loaded.score(image) == model_of(front_end).score(image)


def test_the_score_is_the_calibrated_chain_of_its_parts(rng, model_of):
    model = model_of()
    image = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    row = BlockFeatures(size=4).transform([image])[0].astype(np.float64)
    z = (row - model.standardisation.mean) / model.standardisation.scale
    assert model.score(image).score == pytest.approx(2.0 * (z @ model.head.weights + 0.25) - 1.0, rel=1e-4)


def test_the_raw_output_of_a_small_image_counts_by_the_root_of_its_share_of_pixels(rng, model_of):
    full, shrunk = (
        model_of(calibration=CalibrationCard(2.0, -1.0, 100, 50, "drawn", "none", full_pixels=n)) for n in (0, 64)
    )
    small, large = (rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for side in (4, 8))
    raw = (full.score(small).score + 1.0) / 2.0
    assert shrunk.score(small).score == pytest.approx(2.0 * raw * np.sqrt(16 / 64) - 1.0)
    assert shrunk.score(large).score == full.score(large).score


def test_a_larger_image_has_the_mean_over_its_native_tiles(rng, model_of):
    model = model_of(PixelFeatures(4))
    image = rng.integers(0, 256, (8, 4, 3), dtype=np.uint8)
    halves = [model.score(np.ascontiguousarray(half)).score for half in (image[:4], image[4:])]
    assert model.score(image).score == pytest.approx(np.mean(halves), rel=1e-5)


def test_too_small_an_image_is_refused_with_the_smallest_size(model_of):
    with pytest.raises(ShapeError, match=r"from 4 x 4 pixels up, got \(3, 50, 3\)"):
        model_of().score(np.zeros((3, 50, 3), np.uint8))


def test_the_card_travels_with_the_file(path, model_of):
    card = load_model(path).card
    assert dataclasses.replace(card, hashes={}) == model_of().card
    assert set(card.hashes) == set(model_of().arrays())


def test_thresholds_travel_as_scores_so_that_any_supported_rate_can_be_asked(path, model_of):
    loaded = load_model(path)
    assert [loaded.thresholds.at(f) for f in (0.03, 0.1, 0.5)] == [
        model_of().thresholds.at(f) for f in (0.03, 0.1, 0.5)
    ]


def test_saving_twice_gives_the_same_bytes(tmp_path, path, model_of):
    save_model(model_of(), tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, path, model_of, monkeypatch):
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(ArtifactError, match=r"cannot write .*small.safetensors': No space left on device"):
        save_model(model_of(name="other"), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_official_library_reads_the_file(path, model_of):
    arrays = load_file(path)
    assert set(arrays) == set(model_of().arrays())


def test_training_hashes_tell_images_apart(rng):
    image = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    assert training_hash(image) == training_hash(np.asfortranarray(image))
    assert training_hash(image) != training_hash(image.reshape(6, 4, 3))


# ------------------------------------------------------------------ files that are not models


def rewrite(path, change_arrays=None, change_card=None, rehash=False):
    """The file again with some of its parts changed, hashes made to fit or not."""
    model = load_model(path)
    arrays = {k: np.array(v) for k, v in model.arrays().items()}
    if change_arrays:
        change_arrays(arrays)
    card = model.card.as_json()
    if rehash:
        card["hashes"] = {k: hashlib.sha256(v.tobytes()).hexdigest() for k, v in arrays.items()}
    if change_card:
        change_card(card)
    save_file(arrays, path, {"spectell.card": json.dumps(card)})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "0 bytes, too few"),
        (b"x" * 9, "9 bytes, too few"),
        (b"\xff" * 64, "header claims"),
        (struct.pack("<Q", 10) + b"not json!!", "not JSON"),
        (struct.pack("<Q", 2) + b"[]", "not a JSON object"),
        (struct.pack("<Q", 2) + b"{}", "no Spectell card"),
        (struct.pack("<Q", 2) + b"{}" + b"more", "4 bytes of tensors where its header describes 0"),
        (struct.pack("<Q", 200_000) + b"[" * 200_000, "not JSON"),
        (pickle.dumps({"weights": np.zeros(3)}), "header claims"),
        (b"PK\x03\x04" + bytes(100), "header claims"),
    ],
)
def test_other_files_are_refused_in_one_line(tmp_path, content, reason):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ArtifactError, match=reason) as caught:
        load_model(tmp_path / "m")
    assert "\n" not in str(caught.value)


def test_missing_files_directories_and_pipes_are_refused(tmp_path):
    with pytest.raises(ArtifactError, match="No such file"):
        load_model(tmp_path / "none")
    with pytest.raises(ArtifactError, match="not a regular file"):
        load_model(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArtifactError, match="not a regular file"):
        load_model(tmp_path / "pipe")
    with pytest.raises(ArtifactError, match="cannot read"):
        load_model("nul\0name")


def poison(arrays):
    arrays["head.weights"][0] = np.nan


def widen(arrays):
    arrays["head.weights"] = np.append(arrays["head.weights"], np.float32(0))


def drop(arrays):
    del arrays["head.intercept"]


def add(arrays):
    arrays["surprise"] = np.zeros(3)


def integers(arrays):
    arrays["standardisation.mean"] = arrays["standardisation.mean"].astype(np.int64)


def flat_scale(arrays):
    arrays["standardisation.scale"][:] = 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (poison, "'head.weights'|'weights' holds a value that is not finite"),
        (widen, "features of the head is 97 where the rest has 96"),
        (drop, "lacks the array 'intercept'"),
        (add, "unknown array 'surprise'"),
        (integers, "must be floating, got int64"),
        (flat_scale, "scale must be positive"),
    ],
)
def test_arrays_that_do_not_fit_are_named(path, change, reason):
    rewrite(path, change, rehash=True)
    with pytest.raises(ArtifactError, match=reason):
        load_model(path)


def test_a_changed_array_no_longer_has_its_hash(path):
    rewrite(path, lambda arrays: arrays["head.weights"].__setitem__(0, 1.0))
    with pytest.raises(ArtifactError, match=r"'head.weights' does not have the hash on the card; the file is damaged"):
        load_model(path)


RATE = {"fpr": 0.05, "n": 8, "exceeded": 1, "low": 0.003, "high": 0.53, "data": "others"}
METRIC = {"data": "x", "name": "AUC", "estimate": 0.7, "low": 0.6, "high": 0.8, "n_real": 9, "n_generated": 9}


def test_cards_of_rates_and_figures_that_fit_are_taken(path):
    rewrite(path, change_card=lambda card: card["thresholds"].update(verified=[RATE]) or card.update(metrics=[METRIC]))
    assert load_model(path).card.thresholds.verified[0].high == 0.53


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda card: card["head"].update(name="svm"), "head 'svm' that this version does not know"),
        (lambda card: card.update(format_version=2), "format_version is '2', but this version of Spectell reads 1"),
        (lambda card: card.pop("licence"), "card lacks 'licence'"),
        (lambda card: card.update(extra=1), "unknown field 'extra'"),
        (lambda card: card["calibration"].update(slope=-1), "card.calibration.slope must be a positive number, got -1"),
        (lambda card: card["calibration"].update(intercept=float("nan")), "calibration.intercept must be a finite"),
        (lambda card: card["calibration"].update(intercept=10**400), "calibration.intercept must be a"),
        (lambda card: card.update(class_names=["generated", "real"]), "class_names must be .*'real' first"),
        (lambda card: card.update(min_size=99), "min_size is 99 where the rest has 4"),
        (lambda card: card["front_end"].update(name="wavelet"), "front end 'wavelet' that this version does not know"),
        (lambda card: card["front_end"]["config"].update(size=1.5), "size must be a whole number"),
        (lambda card: card["front_end"]["config"].pop("size"), "must state"),
        (lambda card: card["head"].update(name="os:system"), "card.head.name must be a name"),
        (lambda card: card["thresholds"].update(n_real=5), "thresholds.n_real is 5 where the rest has 100"),
        (lambda card: card["thresholds"]["table"].update({"0.05": -50}), r"table\['0.05'\] is -50.* give -4\.99"),
        (lambda card: card["thresholds"]["table"].update({"0.01": 0}), r"table\['0.01'\] is 0.* give no threshold"),
        (lambda card: card["thresholds"]["table"].update(many=0), r"table\['many'\] is 0.* give no threshold"),
        (lambda card: card["thresholds"].update(verified=[RATE | {"exceeded": 9}]), "exceeded must be at most n = 8"),
        (lambda card: card["thresholds"].update(verified=[RATE | {"low": 0.2}]), r"low <= 0\.125 \(exceeded / n\)"),
        (lambda card: card.update(metrics=[METRIC | {"low": 0.9}]), r"low must be at most high = 0\.8"),
        (lambda card: card["distance"].update(limit=0), "distance.limit must be a positive"),
        (lambda card: card.update(metrics=[{"name": "auc"}]), r"metrics\[0\] lacks"),
        (lambda card: card["hashes"].pop("head.weights"), "'head.weights' is not both in the file and among"),
    ],
)
def test_cards_that_do_not_fit_name_the_field(path, change, reason):
    rewrite(path, change_card=change)
    with pytest.raises(ArtifactError, match=reason) as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


def refusal(function, argument):
    """The message with which the argument is refused; empty if it is taken."""
    try:
        function(argument)
    except ArtifactError as error:
        return str(error)
    return ""


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_a_model_or_one_line(tmp_path, path, data):
    content = bytearray(path.read_bytes())
    header = 8 + int.from_bytes(content[:8], "little")
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.integers(0, header if data.draw(st.booleans()) else len(content) - 1))
        content[where] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)) | st.just(len(content)))
    (tmp_path / "damaged").write_bytes(content[:cut])
    assert "\n" not in refusal(load_model, tmp_path / "damaged")


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    ),
    data=st.data(),
)
def test_any_value_in_any_field_of_a_card_is_taken_or_named(model_of, value, data):
    card = model_of().card.as_json()
    field = data.draw(st.sampled_from(sorted(card)))
    card[field] = value
    assert field in (refusal(ModelCard.from_json, card) or field)


# ------------------------------------------------------------------ cold start


def test_loading_and_scoring_import_numpy_and_no_scientific_library(path):
    code = (
        "import sys, numpy as np; from spectell.detectors import load_model; m = load_model(sys.argv[1]);"
        "m.score(np.zeros((64, 64, 3), np.uint8));"
        "print([k for k in ('sklearn', 'scipy', 'torch', 'safetensors', 'pandas', 'pyarrow') if k in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
