"""Front ends side by side."""

import numpy as np
import pytest

from spectell.detectors.cooccurrence import CooccurrenceFeatures
from spectell.detectors.features import BlockFeatures
from spectell.detectors.registry import load_front_end
from spectell.detectors.stack import StackedFeatures
from spectell.errors import ArtifactError, ParameterError


@pytest.fixture
def stack():
    return StackedFeatures([BlockFeatures(size=8, colour=False), CooccurrenceFeatures(size=16)])


def test_features_stand_side_by_side_in_the_order_of_the_parts(rng, stack):
    pixels = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    expected = np.concatenate([part.rows(pixels) for part in stack.parts], axis=1)
    np.testing.assert_array_equal(stack.rows(pixels), expected)
    assert stack.n_features == expected.shape[1]
    assert stack.min_size == 16
    assert stack.log_offset == stack.parts[0].log_offset


def test_thorough_reaches_every_part(rng, stack):
    pixels = rng.integers(0, 256, (400, 500, 3), dtype=np.uint8)
    expected = np.concatenate([part.rows(pixels, thorough=True) for part in stack.parts], axis=1)
    np.testing.assert_array_equal(stack.rows(pixels, thorough=True), expected)


def test_a_stack_is_rebuilt_from_its_configuration(rng, stack):
    again = load_front_end("stack", stack.config, {})
    pixels = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    np.testing.assert_array_equal(again.rows(pixels), stack.rows(pixels))


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"parts": []},
        {"parts": [{"name": "stack", "config": {"parts": []}}]},
        {"parts": [{"name": "blocks"}]},
        {"parts": [{"name": "unheard-of", "config": {}}]},
        {"parts": [{"name": "blocks", "config": {"size": 8}}]},
    ],
)
def test_a_damaged_configuration_is_refused(config):
    with pytest.raises(ArtifactError):
        load_front_end("stack", config, {})


def test_an_empty_stack_is_refused():
    with pytest.raises(ParameterError, match="at least one front end"):
        StackedFeatures([]).check_params()
