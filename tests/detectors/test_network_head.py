"""Networks in NumPy, against definitions written out."""

import numpy as np
import pytest
from scipy.signal import correlate2d

from spectell.detectors.network_head import NetworkHead, _convolve, _pool
from spectell.detectors.network_plan import Pool, make_plan, parameter_shapes
from spectell.detectors.registry import load_head
from spectell.errors import ArtifactError


def drawn(rng, architecture, size, n_classes):
    shapes = parameter_shapes(make_plan(architecture, size, 1 if n_classes == 2 else n_classes))
    return {name: rng.normal(size=shape) / np.sqrt(np.prod(shape[1:]) or 1) for name, shape in shapes.items()}


@pytest.mark.parametrize(("padding", "mode"), [("same", "constant"), ("reflect", "reflect"), ("valid", None)])
def test_a_convolution_is_a_sum_of_correlations(rng, monkeypatch, padding, mode):
    monkeypatch.setattr("spectell.detectors.network_head._CACHED", 4 * 9 * 2 * 9 * 2)  # two or three rows at a time
    values, weight = rng.normal(size=(2, 7, 9)).astype("f4"), rng.normal(size=(4, 2, 3, 3)).astype("f4")
    bias = rng.normal(size=4).astype("f4")
    around = values if mode is None else np.pad(values, ((0, 0), (1, 1), (1, 1)), mode=mode)
    expected = [
        sum(correlate2d(plane, kernel, "valid") for plane, kernel in zip(around, kernels, strict=True)) + constant
        for kernels, constant in zip(weight, bias, strict=True)
    ]
    np.testing.assert_allclose(_convolve(values, weight, bias, padding), expected, atol=1e-5)


@pytest.mark.parametrize(("kind", "measure"), [("mean", np.mean), ("max", np.max)])
def test_pooling_drops_what_does_not_fill_a_square(rng, kind, measure):
    values = rng.normal(size=(2, 7, 10)).astype("f4")
    found = _pool(values, Pool(3, kind))
    expected = [
        [[measure(p[3 * i : 3 * i + 3, 3 * j : 3 * j + 3]) for j in range(3)] for i in range(2)] for p in values
    ]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_perceptron_reads_the_features_in_the_order_of_the_front_ends(rng):
    arrays = drawn(rng, "mlp", 4, 2)
    rows = rng.normal(size=(3, 48)).astype("f4")
    planes = rows.reshape(3, 4, 4, 3).transpose(0, 3, 1, 2).reshape(3, 48)
    hidden = np.maximum(planes @ arrays["1.weight"].T + arrays["1.bias"], 0)
    expected = hidden @ arrays["3.weight"].T + arrays["3.bias"]
    np.testing.assert_allclose(NetworkHead("mlp", 4, 2, arrays).decide(rows), expected[:, 0], atol=1e-5)


def test_the_raw_output_of_several_classes_is_the_log_odds_of_all_that_are_generated(rng):
    head = NetworkHead("cnn", 8, 4, drawn(rng, "cnn", 8, 4))
    rows = rng.normal(size=(5, 192)).astype("f4")
    shares = np.exp(head.classify(rows))
    shares /= shares.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(head.decide(rows), np.log((1 - shares[:, 0]) / shares[:, 0]), atol=1e-9)


@pytest.mark.parametrize("architecture", ["mlp", "cnn", "resnet"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_head_is_the_same_after_a_model_file(rng, architecture, n_classes):
    head = NetworkHead(architecture, 13, n_classes, drawn(rng, architecture, 13, n_classes))
    rows = rng.normal(size=(2, 507)).astype("f4")
    again = load_head(head.name, head.config, head.arrays)
    np.testing.assert_array_equal(again.classify(rows), head.classify(rows))
    assert (again.n_classes, again.n_features) == (n_classes, 507)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "vgg"}, "architecture must be one of"),
        ({"architecture": 3}, "must state its architecture"),
        ({"size": 2}, "takes tiles of 4 to 4096 pixels"),
        ({"size": True}, "takes tiles of 4 to 4096 pixels"),
        ({"n_classes": 1}, "n_classes must be a whole number from 2"),
        ({"n_classes": 5}, "must have shape"),
        ({"more": 1}, "must state its architecture"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(rng, change, message):
    head = NetworkHead("cnn", 8, 2, drawn(rng, "cnn", 8, 2))
    with pytest.raises(ArtifactError, match=message):
        load_head("network", {**head.config, **change}, head.arrays)


def test_an_array_too_few_is_refused(rng):
    arrays = drawn(rng, "cnn", 8, 2)
    del arrays["0.bias"]
    with pytest.raises(ArtifactError, match=r"lacks the array '0\.bias'"):
        load_head("network", {"architecture": "cnn", "size": 8, "n_classes": 2}, arrays)
