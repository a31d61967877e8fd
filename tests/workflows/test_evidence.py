from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectell.workflows.evidence import MAX_TILES, EvidenceMap, map_evidence, standard_error, tile_grid

sides = st.integers(1, 20_000)


def mean_model(min_size=32, full_pixels=0):
    """A model whose score is the mean of the red channel, in hundredths."""

    def score(pixels):
        assert min(pixels.shape[:2]) >= min_size
        return SimpleNamespace(score=float(pixels[..., 0].mean()) / 100)

    def trust(n):
        return 1.0 if n >= full_pixels else np.sqrt(n / full_pixels)

    return SimpleNamespace(score=score, trust=trust, min_size=min_size)


@given(height=sides, width=sides)
def test_tiles_cover_the_image_and_are_not_too_many(height, width):
    grid = tile_grid(height, width)
    if grid is None:
        return
    side, tops, lefts = grid
    assert 2 <= len(tops) * len(lefts) <= MAX_TILES
    for places, length in ((tops, height), (lefts, width)):
        assert all(0 <= place <= length - side for place in places)
        if len(places) > 1:
            assert (places[0], places[-1]) == (0, length - side)
            assert np.diff(places).max() <= side
            assert np.diff(places).min() > 0


@pytest.mark.parametrize(("height", "width"), [(63, 4000), (100, 100), (127, 64), (32, 32)])
def test_an_image_smaller_than_two_tiles_has_no_map(height, width):
    assert tile_grid(height, width) is None
    assert map_evidence(np.zeros((height, width, 3), np.uint8), mean_model()) is None


def test_rows_and_columns_are_not_exchanged():
    side, tops, lefts = tile_grid(64, 256)
    assert (side, tops, lefts) == (64, (0,), (0, 32, 64, 96, 128, 160, 192))


def test_each_score_is_that_of_its_tile(rng):
    pixels = rng.integers(0, 256, (130, 150, 3), dtype=np.uint8)
    found = map_evidence(pixels, mean_model())
    for i, top in enumerate(found.tops):
        for j, left in enumerate(found.lefts):
            tile = pixels[top : top + found.side, left : left + found.side]
            assert found.scores[i, j] == pytest.approx(tile[..., 0].mean() / 100)


def test_the_standard_error_is_that_of_four_quarters(rng):
    tile = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    quarters = [tile[a : a + 32, b : b + 32, 0].mean() / 100 for a in (0, 32) for b in (0, 32)]
    mean = sum(quarters) / 4
    expected = np.sqrt(sum((q - mean) ** 2 for q in quarters) / 3 / 4)
    assert standard_error(tile, mean_model()) == pytest.approx(expected)
    assert standard_error(tile, mean_model(full_pixels=64 * 64)) == pytest.approx(2 * expected)


def test_without_quarters_there_is_no_uncertainty():
    found = map_evidence(np.zeros((64, 128, 3), np.uint8), mean_model(min_size=64))
    assert found.errors is None
    assert found.as_dict()["standard_errors"] is None


def test_tiles_are_counted_by_where_they_point():
    scores, errors = np.array([[1.0, -1.0, 0.0, 0.5]]), np.array([[0.1, 0.1, 0.1, 0.4]])
    found = EvidenceMap(64, (0,), (0, 1, 2, 3), scores, errors)
    assert found.counts() == {"generated": 1, "real": 1, "neither": 2}
