"""PyTorch and NumPy compute the same."""

import numpy as np
import pytest

from spectell.detectors.features import DCTFeatures, PixelFeatures
from spectell.detectors.network_head import NetworkHead
from spectell.detectors.network_plan import Dropout, count_parameters, make_plan
from spectell.detectors.standardisation import Standardisation

torch = pytest.importorskip("torch")

from spectell.detectors.networks.input_layer import InputLayer, feature_statistics  # noqa: E402
from spectell.detectors.networks.modules import learned_arrays, make_network  # noqa: E402

pytestmark = pytest.mark.torch

ARCHITECTURES = ("mlp", "cnn", "resnet", "yu2019")


def photographs(rng, n, size):
    """Smooth colours and some noise: every coefficient is there."""
    smooth = np.kron(rng.integers(60, 190, (n, 4, 4, 3)), np.ones((1, size // 4, size // 4, 1), int))
    return (smooth + rng.integers(-30, 31, (n, size, size, 3))).astype(np.uint8)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_a_network_answers_in_numpy_as_in_torch(rng, architecture, n_outputs):
    size = 18
    layers = make_plan(architecture, size, n_outputs)
    network = make_network(layers, seed=3)
    features = torch.from_numpy(rng.normal(size=(4, 3, size, size)).astype("f4"))
    with torch.no_grad():
        for module in network.modules():  # as training leaves them: no bias 0, no deviation 1
            for name in ("bias", "running_mean"):
                if isinstance(getattr(module, name, None), torch.Tensor):
                    getattr(module, name).uniform_(-0.1, 0.1)
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 1.5)
        expected = network.eval()(features).numpy()
    head = NetworkHead(architecture, size, max(n_outputs, 2), learned_arrays(network, layers))
    rows = features.numpy().transpose(0, 2, 3, 1).reshape(4, -1)
    np.testing.assert_allclose(head.outputs(rows), expected, atol=1e-4)
    assert np.ptp(expected) > 1e-3


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_torch_counts_the_parameters_that_the_plan_has(architecture):
    layers = make_plan(architecture, 20, 5)
    assert sum(values.numel() for values in make_network(layers, seed=0).parameters()) == count_parameters(layers)


def test_the_same_seed_gives_the_same_weights_and_leaves_the_generator_alone():
    before = torch.get_rng_state()
    first, second, other = (make_network(make_plan("cnn", 8, 1), seed=seed)[0].weight for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_dropout_is_in_the_residual_network_before_its_last_layer():
    assert isinstance(make_plan("resnet", 32, 1)[-2], Dropout)
    assert isinstance(make_network(make_plan("resnet", 32, 1), seed=0)[-2], torch.nn.Dropout)


@pytest.mark.parametrize("size", [32, 128])  # NumPy multiplies with the matrix, and beyond 64 takes an FFT
def test_the_first_layer_gives_the_features_of_the_front_end(rng, size):
    images = photographs(rng, 3, size)
    mean, scale = rng.normal(size=size * size * 3), rng.uniform(0.5, 2, size * size * 3)
    features = DCTFeatures(size).transform(images)
    layer = InputLayer(size, 1e-12)
    layer.standardise(mean, scale)
    found = layer(torch.from_numpy(images)).numpy().transpose(0, 2, 3, 1).reshape(3, -1)
    expected = Standardisation(mean, scale).apply(features)
    # Single precision is off by some 1e-5 before the logarithm, whatever the coefficient: small ones differ more.
    large = features > np.log(5.0)
    assert large.mean() > 0.75
    np.testing.assert_allclose(found[large], expected[large], atol=1e-4)
    np.testing.assert_allclose(found.mean(axis=1), expected.mean(axis=1), atol=1e-4)


def test_pixel_values_are_between_minus_one_and_one(rng):
    images = photographs(rng, 2, 12)
    found = InputLayer(12, None)(torch.from_numpy(images)).numpy().transpose(0, 2, 3, 1).reshape(2, -1)
    np.testing.assert_allclose(found, PixelFeatures(12).transform(images), atol=1e-6)


def test_the_statistics_are_those_of_all_features_however_they_come_in_batches(rng):
    images = photographs(rng, 11, 8)
    images[:, :, :, 2] = 40  # flat: its coefficients never vary, and have no scale
    features = DCTFeatures(8).transform(images).astype(np.float64)
    layer = InputLayer(8, 1e-12)
    batches = [torch.from_numpy(images[start:stop]) for start, stop in ((0, 4), (4, 5), (5, 11))]
    mean, scale = feature_statistics(layer, batches)
    varied = features.std(axis=0) > 1e-3
    varied.reshape(8, 8, 3)[:, :, 2] = False
    np.testing.assert_allclose(mean[varied], features.mean(axis=0)[varied], atol=1e-4)
    np.testing.assert_allclose(scale[varied], features.std(axis=0)[varied], atol=1e-4)
    assert scale[2] == 1, "the mean of the flat channel"
