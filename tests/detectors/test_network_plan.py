"""The architectures: their numbers of parameters, computed by hand, and what they refuse."""

import pytest

from spectell.detectors.network_plan import Pool, Residual, count_parameters, make_plan, parameter_shapes
from spectell.errors import ParameterError


def test_the_paper_counts_the_parameters_of_its_network():
    assert count_parameters(make_plan("cnn", 128, 5)) == 169_961


def test_the_perceptron_has_one_hidden_layer_of_128():
    inputs = 64 * 64 * 3
    assert count_parameters(make_plan("mlp", 64, 5)) == inputs * 128 + 128 + 128 * 5 + 5


def test_the_residual_network_has_ten_blocks_at_every_size():
    def convolution(inputs, outputs):
        return 9 * inputs * outputs + outputs

    first, last = convolution(3, 32) + convolution(32, 64), convolution(64, 64) + 64 * 256 + 256 + 256 * 5 + 5
    expected = first + 10 * (2 * convolution(64, 64) + 2 * 2 * 64) + last
    assert expected == 815_365
    for size in (32, 128):
        layers = make_plan("resnet", size, 5)
        assert count_parameters(layers) == expected
        assert sum(isinstance(layer, Residual) for layer in layers) == 10


def test_the_network_of_yu_and_others_doubles_its_channels_whenever_it_halves_the_image():
    layers = make_plan("yu2019", 128, 5)
    shapes = parameter_shapes(layers)
    widths = [shape[:2] for shape in shapes.values() if len(shape) == 4]
    assert [outputs for outputs, _ in widths] == [16, 32, 32, 64, 64, 128, 128, 256, 256, 512, 512]
    assert [inputs for _, inputs in widths] == [3, 16, 32, 32, 64, 64, 128, 128, 256, 256, 512]
    assert sum(isinstance(layer, Pool) for layer in layers) == 5
    dense = 512 * 4 * 4 * 512 + 512 + 512 * 5 + 5
    assert count_parameters(layers) == sum(9 * a * b + a for a, b in widths) + dense == 8_913_797


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("vgg", 32, 1), "architecture must be one of mlp, cnn, resnet, yu2019, got 'vgg'"),
        (("cnn", 3, 1), "takes tiles of 4 to 4096 pixels, got 3"),
        (("resnet", 12, 1), "takes tiles of 13 to 4096 pixels, got 12"),
        (("cnn", 32, 0), "n_outputs must be a whole number from 1"),
    ],
)
def test_what_has_no_meaning_is_refused(arguments, message):
    with pytest.raises(ParameterError, match=message):
        make_plan(*arguments)


@pytest.mark.parametrize("architecture", ["mlp", "cnn", "resnet", "yu2019"])
@pytest.mark.parametrize("size", [13, 31, 100])
def test_no_size_leaves_a_layer_without_inputs(architecture, size):
    assert all(min(shape) > 0 for shape in parameter_shapes(make_plan(architecture, size, 3)).values())
