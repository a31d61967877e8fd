"""Heads, distance, registries: rebuilt from configuration and arrays, and refused where those do not fit."""

import itertools

import numpy as np
import pytest

from spectell.detectors import registry
from spectell.detectors.distance import BandDistance, band_statistics
from spectell.detectors.heads import AverageHead, LinearHead, MLPHead
from spectell.detectors.registry import DETECTORS, HEADS, get_detector, load_distance, load_front_end, load_head
from spectell.errors import ArtifactError, ParameterError


def network(rng, sizes=(150, 9, 4, 1), activation="relu"):
    pairs = itertools.pairwise(sizes)
    return MLPHead([(rng.normal(size=pair), rng.normal(size=pair[1])) for pair in pairs], activation)


@pytest.mark.parametrize(("activation", "function"), [("relu", lambda x: np.maximum(x, 0)), ("tanh", np.tanh)])
@pytest.mark.parametrize("n_inputs", [3, 64, 150])
def test_a_network_is_the_chain_of_its_layers(rng, activation, function, n_inputs):
    head = network(rng, (n_inputs, 9, 4, 1), activation)
    rows = rng.normal(size=(5, n_inputs)).astype(np.float32)
    values = rows.astype(np.float64)
    for i in range(3):
        values = (function(values) if i else values) @ head.arrays[f"{i}.weights"] + head.arrays[f"{i}.bias"]
    np.testing.assert_allclose(head.decide(rows), values[:, 0], rtol=1e-3, atol=1e-3)


def test_an_average_is_the_mean_of_its_heads(rng):
    heads = [LinearHead(rng.normal(size=150), 1.0), network(rng)]
    rows = rng.normal(size=(4, 150)).astype(np.float32)
    np.testing.assert_allclose(AverageHead(heads).decide(rows), (heads[0].decide(rows) + heads[1].decide(rows)) / 2)


@pytest.mark.parametrize("kind", ["linear", "mlp", "average"])
def test_every_head_is_rebuilt_from_its_parts(rng, kind):
    head = {
        "linear": LinearHead(rng.normal(size=150), 0.1),
        "mlp": network(rng),
        "average": AverageHead([network(rng), LinearHead(rng.normal(size=150), 0.1)]),
    }[kind]
    again = load_head(head.name, head.config, head.arrays)
    rows = rng.normal(size=(4, 150)).astype(np.float32)
    np.testing.assert_array_equal(again.decide(rows), head.decide(rows))
    assert again.n_features == 150


def test_half_precision_weights_stay_so_in_a_file_and_give_the_same_output(rng):
    half = rng.normal(size=(9, 1)).astype(np.float16)
    head = MLPHead([(half, [0.5])])
    assert head.arrays["0.weights"].dtype == np.float16
    again = load_head("mlp", head.config, head.arrays)
    assert again.arrays["0.weights"].dtype == np.float16
    rows = rng.normal(size=(3, 9)).astype(np.float32)
    np.testing.assert_allclose(again.decide(rows), rows @ half.astype(float)[:, 0] + 0.5, rtol=1e-5)


def test_a_network_that_clips_gives_no_input_more_than_its_limit():
    head = MLPHead([([[2.0], [0.0]], [1.0])], clip=3.0)
    rows = np.array([[2.0, 9.0], [50.0, 9.0], [-50.0, 0.0]], np.float32)
    assert head.decide(rows).tolist() == [5.0, 7.0, -5.0]


@pytest.mark.parametrize(
    ("name", "config", "arrays", "message"),
    [
        ("linear", {}, {"weights": np.ones(2)}, "lacks the array 'intercept'"),
        ("linear", {"more": 1}, {"weights": np.ones(2), "intercept": np.ones(1)}, "configuration of the head"),
        ("linear", {}, {"weights": np.ones((2, 1)), "intercept": np.ones(1)}, r"shape \(any\), got \(2, 1\)"),
        ("mlp", {"layers": 0, "activation": "relu", "clip": None}, {}, "1 to 100 layers"),
        (
            "mlp",
            {"layers": 1, "activation": "gelu", "clip": None},
            {"0.weights": np.ones((2, 1)), "0.bias": np.ones(1)},
            "gelu",
        ),
        (
            "mlp",
            {"layers": 1, "activation": "relu", "clip": "6"},
            {"0.weights": np.ones((2, 1)), "0.bias": np.ones(1)},
            "clip at a number",
        ),
        (
            "mlp",
            {"layers": 1, "activation": "relu", "clip": -1.0},
            {"0.weights": np.ones((2, 1)), "0.bias": np.ones(1)},
            "clip must be positive",
        ),
        (
            "mlp",
            {"layers": 1, "activation": "relu", "clip": None},
            {"0.weights": np.ones((2, 3)), "0.bias": np.ones(3)},
            "one output",
        ),
        ("average", {"heads": []}, {}, "1 to 100 heads"),
        ("average", {"heads": [{"name": "average", "config": {"heads": []}}]}, {}, "no average itself"),
        ("average", {"heads": [{"name": "linear", "config": {}}]}, {"7.weights": np.ones(2)}, "unknown array"),
        ("kernel", {}, {}, "does not know"),
    ],
)
def test_parts_that_do_not_fit_are_refused(name, config, arrays, message):
    with pytest.raises(ArtifactError, match=message):
        load_head(name, config, arrays)


def test_heads_of_different_lengths_cannot_be_averaged():
    with pytest.raises(ParameterError, match=r"same number of features, got \[1, 2\]"):
        AverageHead([LinearHead([1.0], 0.0), LinearHead([1.0, 2.0], 0.0)])


def test_band_statistics_are_means_and_log_mean_squares(rng):
    rows = rng.normal(size=(3, 100)).astype(np.float32)
    found = band_statistics(rows, 32)
    runs = rows[:, :96].reshape(3, 32, 3)
    np.testing.assert_allclose(found[:, :32], runs.mean(axis=2), atol=1e-6)
    np.testing.assert_allclose(found[:, 32:], np.log((runs**2).mean(axis=2) + 1e-6), atol=1e-5)


@pytest.mark.parametrize("n_features", [1, 5, 31, 32, 33])
def test_few_features_fill_as_many_bands_as_they_can(rng, n_features):
    found = band_statistics(rng.normal(size=(2, n_features)).astype(np.float32), 32)
    assert found.shape == (2, 64)
    assert np.isfinite(found).all()


def test_the_distance_of_training_images_is_about_one_and_of_strange_ones_far_more(rng):
    def draw(n, shift=0.0, scale=1.0):
        return (rng.normal(size=(n, 640)) * scale + shift).astype(np.float32)

    distance = BandDistance.fit(band_statistics(draw(500)))
    usual = distance.measure(draw(200))
    assert 0.7 < usual.mean() < 1.3
    assert distance.measure(draw(50, scale=0.2)).min() > usual.max()
    assert distance.measure(draw(50, scale=3.0)).min() > usual.max()
    assert distance.measure(draw(50, shift=20.0)).min() > usual.max()
    zeros = np.zeros((1, 640), np.float32)
    np.testing.assert_allclose(distance.limited(4.0).measure(zeros), distance.measure(zeros) / 4)


def test_the_distance_is_rebuilt_from_its_parts(rng):
    distance = BandDistance.fit(rng.normal(size=(100, 64))).limited(2.5)
    again = load_distance("bands", distance.config, distance.arrays, 2.5)
    rows = rng.normal(size=(3, 200)).astype(np.float32)
    np.testing.assert_array_equal(again.measure(rows), distance.measure(rows))
    with pytest.raises(ArtifactError, match="1 to 1000 bands"):
        load_distance("bands", {"bands": 0}, distance.arrays, 2.5)
    with pytest.raises(ArtifactError, match="shape"):
        load_distance("bands", {"bands": 5}, distance.arrays, 2.5)


@pytest.mark.parametrize("table", [DETECTORS, HEADS, registry.DISTANCES, registry.FRONT_ENDS])
def test_every_entry_of_a_registry_loads_and_is_described(table):
    for name, spec in table.items():
        assert spec.load().__doc__
        assert spec.summary
        assert name == name.lower()


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ParameterError, match=r"unknown detector 'rigde'; choose one of .*logistic, .*ridge"):
        get_detector("rigde")
    with pytest.raises(ArtifactError, match="front end 'wavelet' that this version does not know"):
        load_front_end("wavelet", {}, {})
