import numpy as np
import pytest

from spectell.detectors.cooccurrence import CooccurrenceFeatures
from spectell.detectors.features import BlockFeatures, DCTFeatures, PixelFeatures
from spectell.detectors.layout import GRID, lay_out
from spectell.detectors.stack import StackedFeatures
from spectell.errors import ShapeError


def test_block_features_go_to_their_frequencies_one_by_one(rng):
    front_end = BlockFeatures(size=32, colour=True)
    values = rng.normal(size=front_end.n_features)
    luma, colour = np.zeros((2, GRID, GRID))
    position = 0
    for _ in range(2):  # logarithm of the mean, mean of the logarithm
        for k in range(32):
            for j in range(32):
                for channel in range(3):
                    (colour if channel else luma)[k // 2, j // 2] += values[position]
                    position += 1
    found = lay_out(front_end, values)
    assert found.maps["luma"] == pytest.approx(luma)
    assert found.maps["colour"] == pytest.approx(colour)
    assert found.sums == pytest.approx({"luma": luma.sum(), "colour": colour.sum()})


def test_a_stack_adds_the_maps_of_its_parts_and_loses_nothing(rng):
    parts = [BlockFeatures(size=32, colour=False), BlockFeatures(size=16), CooccurrenceFeatures(), DCTFeatures(size=20)]
    stack = StackedFeatures(parts)
    values = rng.normal(size=stack.n_features)
    found = lay_out(stack, values)
    assert set(found.sums) == {"luma", "colour", "cooccurrence"}
    assert sum(found.sums.values()) == pytest.approx(values.sum())
    assert found.maps["luma"].sum() == pytest.approx(found.sums["luma"])
    assert found.sums["cooccurrence"] == pytest.approx(values[2048 + 1536 : 2048 + 1536 + 507].sum())


def test_pixels_have_no_frequency():
    found = lay_out(PixelFeatures(size=2), np.ones(12))
    assert (found.sums, found.maps) == ({"pixels": 12.0}, {})


def test_frequencies_do_not_change_places(rng):
    values = np.zeros((2, 16, 16))
    values[0, 3, 5] = 1
    assert np.argwhere(lay_out(BlockFeatures(size=16, colour=False), values.ravel()).maps["luma"]).tolist() == [[3, 5]]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ShapeError, match=r"values must have shape \(8,\), got \(7,\)"):
        lay_out(BlockFeatures(size=2, colour=False), np.zeros(7))
