from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectell.detectors import load_model
from spectell.workflows.explaining.evidence import (
    MAX_TILES,
    EvidenceMap,
    _roughness,
    is_blank,
    map_evidence,
    standard_error,
    tile_grid,
)

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


def test_without_quarters_there_is_no_uncertainty_and_nothing_is_clear(rng):
    pixels = rng.integers(0, 256, (64, 128, 3), dtype=np.uint8)
    found = map_evidence(pixels, mean_model(min_size=64))
    assert found.errors is None
    assert found.as_dict()["standard_errors"] is None
    assert found.counts() == {"generated": 0, "real": 0, "neither": 3}


def test_tiles_are_as_large_as_four_quarters_for_the_model_where_the_image_holds_two(rng):
    pixels = rng.integers(0, 256, (128, 256, 3), dtype=np.uint8)
    assert (map_evidence(pixels, mean_model()).side, map_evidence(pixels, mean_model(min_size=64)).side) == (64, 128)
    assert map_evidence(pixels, mean_model(min_size=64)).errors.shape == (1, 3)
    assert map_evidence(pixels[:, :255], mean_model(min_size=64)).side == 64


def test_tiles_are_counted_by_where_they_point():
    scores, errors = np.array([[1.0, -1.0, 0.0, 0.5]]), np.array([[0.1, 0.1, 0.1, 0.4]])
    found = EvidenceMap(64, (0,), (0, 1, 2, 3), scores, errors)
    assert found.counts() == {"generated": 1, "real": 1, "neither": 2}


def test_only_what_departs_from_a_plane_is_texture(rng):
    rows, columns = np.indices((24, 40))
    quarter = np.stack([2 * rows + 1.5 * columns, 120 - columns, rng.normal(128, 1.5, rows.shape)], axis=-1).astype(
        np.uint8
    )
    plane = np.stack([np.ones(rows.size), rows.ravel(), columns.ravel()], axis=1)
    left = [values - plane @ np.linalg.lstsq(plane, values)[0] for values in quarter.reshape(-1, 3).T.astype(float)]
    assert _roughness(quarter) == pytest.approx(max(np.sqrt((values**2).mean()) for values in left), abs=1e-9)
    assert _roughness(quarter[..., :2]) < 0.3


@pytest.mark.parametrize(
    ("tile", "blank"),
    [
        (lambda rng: np.full((64, 64, 3), 200), True),
        (lambda rng: np.add.outer(np.arange(64), np.arange(64) / 3)[..., None].repeat(3, axis=2), True),
        (lambda rng: 90 + (rng.random((64, 64, 3)) < 0.1), True),
        (lambda rng: np.indices((64, 64, 3)).sum(axis=0) % 4 * 60, True),  # textured, and everywhere the same
        (lambda rng: rng.normal(128, 1.0, (64, 64, 3)).round(), False),
    ],
)
def test_a_tile_without_four_textures_of_its_own_says_nothing(rng, tile, blank):
    assert is_blank(tile(rng).astype(np.uint8)) is blank


def test_a_tile_that_is_half_flat_says_nothing_and_one_flat_quarter_is_no_harm(rng):
    tile = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    tile[:32, :32] = 0
    assert not is_blank(tile)
    tile[:32] = 0
    assert is_blank(tile)


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("min_size", [32, 64])
def test_no_tile_of_a_flat_picture_is_clear(level, min_size):
    found = map_evidence(np.full((128, 192, 3), level, np.uint8), mean_model(min_size=min_size))
    assert found.counts() == {"generated": 0, "real": 0, "neither": found.scores.size}
    assert np.array(found.as_dict()["blank"]).all()


def test_black_bars_around_a_picture_point_nowhere(rng):
    pixels = np.zeros((384, 256, 3), np.uint8)
    pixels[128:256] = rng.normal(128, 20, (128, 256, 1)).clip(0, 255).astype(np.uint8)
    found = map_evidence(pixels, load_model())
    bars = [row for row, top in enumerate(found.tops) if top + found.side <= 128 or top >= 256]
    assert len(bars) >= 6
    assert not found.clear[bars].any()
    assert not found.blank[[row for row, top in enumerate(found.tops) if 128 <= top <= 256 - found.side]].any()


def test_no_error_is_believed_below_the_least():
    scores, errors = np.array([[0.1, 0.17, -0.15, -0.17]]), np.full((1, 4), 1e-9)
    assert EvidenceMap(64, (0,), (0, 1, 2, 3), scores, errors).clear.tolist() == [[False, True, False, True]]
