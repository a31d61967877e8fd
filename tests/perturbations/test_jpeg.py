import io

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ParameterError
from spectell.perturbations.jpeg import JpegRecompression, encode_jpeg

# The luma table of ITU-T T.81, Annex K, top row of blocks; libjpeg scales it by the quality.
ANNEX_K_FIRST_ROW = [16, 11, 10, 16, 24, 40, 51, 61]


@pytest.fixture
def textured(rng):
    rows, columns = np.indices((88, 120))
    smooth = 128 + 60 * np.sin(rows / 7) * np.cos(columns / 11)
    return np.clip(smooth[..., None] + rng.normal(0, 8, (88, 120, 3)), 0, 255).astype(np.uint8)


def open_bytes(encoded):
    return Image.open(io.BytesIO(encoded))


@pytest.mark.parametrize("quality", [1, 10, 37, 50, 75, 95, 100])
def test_the_quality_can_be_read_back_from_the_files_quantisation_table(textured, quality):
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    expected = [min(255, max(1, (step * scale + 50) // 100)) for step in ANNEX_K_FIRST_ROW]
    table = open_bytes(encode_jpeg(textured, quality)).quantization[0]
    assert sorted(table[:64]) == sorted(table)
    natural_first_row = np.array(table).reshape(8, 8)[0].tolist()
    assert natural_first_row == expected


@pytest.mark.parametrize(("subsampling", "factors"), [("4:4:4", (1, 1)), ("4:2:2", (2, 1)), ("4:2:0", (2, 2))])
def test_the_subsampling_reaches_the_encoder(textured, subsampling, factors):
    image = open_bytes(encode_jpeg(textured, 90, subsampling))
    assert image.layer[0][1:3] == factors


def test_apply_uses_the_quality_that_was_drawn(textured):
    jpeg = JpegRecompression()
    errors = []
    for quality in (95, 50, 10):
        parameters = {"quality": quality, "subsampling": "4:4:4", "grid_row": 0, "grid_column": 0}
        result = jpeg.apply(textured, parameters)
        np.testing.assert_array_equal(result, np.asarray(open_bytes(encode_jpeg(textured, quality, "4:4:4"))))
        errors.append(np.abs(result.astype(int) - textured).mean())
    assert errors == sorted(errors)
    assert errors[0] < errors[-1] / 2


def test_both_ends_of_the_quality_range_are_drawn(rng):
    jpeg = JpegRecompression(10, 12, subsamplings=("4:4:4", "4:2:0"))
    draws = [jpeg.draw(rng, (8, 8)) for _ in range(200)]
    assert {draw["quality"] for draw in draws} == {10, 11, 12}
    assert {draw["subsampling"] for draw in draws} == {"4:4:4", "4:2:0"}
    assert {(draw["grid_row"], draw["grid_column"]) for draw in draws} == {(0, 0)}


def test_a_random_grid_takes_every_position(rng):
    draws = [JpegRecompression(random_grid=True).draw(rng, (8, 8)) for _ in range(800)]
    assert {draw["grid_row"] for draw in draws} == {draw["grid_column"] for draw in draws} == set(range(16))
    assert len({(draw["grid_row"], draw["grid_column"]) for draw in draws}) > 200


def steps_between(image, axis):
    """Mean step between neighbouring rows or columns, by the position of the second modulo 8."""
    steps = np.abs(np.diff(image.astype(float), axis=axis)).mean(axis=(1 - axis, 2))
    positions = np.arange(1, image.shape[axis]) % 8
    return np.array([steps[positions == p].mean() for p in range(8)])


@pytest.mark.parametrize(("row", "column"), [(0, 0), (3, 5), (8, 1), (15, 12)])
def test_the_block_grid_starts_where_the_draw_says(row, column):
    # Steep ramps at quality 1: every block becomes flat, so that all steps lie on the grid.
    ramp = np.clip(np.indices((96, 96)).sum(axis=0) * 1.3, 0, 255).astype(np.uint8)
    image = np.repeat(ramp[..., None], 3, axis=2)
    parameters = {"quality": 1, "subsampling": "4:4:4", "grid_row": row, "grid_column": column}
    result = JpegRecompression().apply(image, parameters)
    assert result.shape == image.shape
    assert int(steps_between(result, 0).argmax()) == row % 8
    assert int(steps_between(result, 1).argmax()) == column % 8


@pytest.mark.parametrize("offset", [(0, 0), (5, 0), (0, 11), (9, 14)])
def test_a_moved_grid_equals_compressing_a_larger_picture_and_cropping_it(textured, offset):
    top, left = offset
    parameters = {"quality": 60, "subsampling": "4:2:0", "grid_row": -top % 16, "grid_column": -left % 16}
    larger = np.pad(textured, ((top, 0), (left, 0), (0, 0)), mode="edge")
    expected = np.asarray(open_bytes(encode_jpeg(larger, 60)))[top:, left:]
    np.testing.assert_array_equal(JpegRecompression().apply(textured, parameters), expected)


def test_reversed_channels_give_the_colours_of_the_authors_code(textured):
    tinted = textured.copy()
    tinted[..., 0] //= 4
    parameters = {"quality": 50, "subsampling": "4:2:0", "grid_row": 0, "grid_column": 0}
    usual = JpegRecompression().apply(tinted, parameters)
    turned = JpegRecompression(reverse_channels=True).apply(tinted, parameters)
    np.testing.assert_array_equal(turned[..., ::-1], JpegRecompression().apply(tinted[..., ::-1], parameters))
    assert np.any(turned != usual)
    assert np.abs(turned.mean(axis=(0, 1)) - tinted.mean(axis=(0, 1))).max() < 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_quality": 80, "max_quality": 70}, "got min_quality=80, max_quality=70"),
        ({"min_quality": 0}, "quality must satisfy 1 <= min_quality"),
        ({"max_quality": 101}, "max_quality=101"),
        ({"subsamplings": ()}, "subsamplings must be some of 4:4:4, 4:2:2, 4:2:0"),
        ({"subsamplings": ("4:1:1",)}, "subsamplings must be some of"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        JpegRecompression(**settings)
