"""Where the blocks of an image are taken."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spectell.errors import ParameterError, ShapeError
from spectell.spectra import blocks_within_budget, sample_blocks


@given(
    size=st.integers(1, 40),
    extra=st.tuples(st.integers(0, 900), st.integers(0, 900)),
    max_blocks=st.one_of(st.none(), st.integers(1, 300)),
    seed=st.integers(-5, 2**40),
)
@settings(max_examples=150, deadline=None)
def test_every_block_lies_inside_and_their_number_is_bounded(size, extra, max_blocks, seed):
    height, width = size + extra[0], size + extra[1]
    rows, columns = sample_blocks((height, width, 3), size=size, max_blocks=max_blocks, seed=seed)
    assert len(rows) == len(columns) >= 1
    assert max_blocks is None or len(rows) <= max_blocks
    assert rows.min() >= 0
    assert columns.min() >= 0
    assert rows.max() <= height - size
    assert columns.max() <= width - size


@pytest.mark.parametrize("shape", [(512, 512), (3000, 4000), (375, 500), (200, 9000), (9000, 40)])
def test_the_bound_is_nearly_used_and_no_part_of_the_image_is_left_out(shape):
    rows, columns = sample_blocks(shape, size=32, max_blocks=256)
    assert 200 <= len(rows) <= 256
    n_parts = [4 if side >= 200 else 1 for side in shape]
    part_row = rows * n_parts[0] // (shape[0] - 31)
    part_column = columns * n_parts[1] // (shape[1] - 31)
    counts = np.bincount(part_row * n_parts[1] + part_column, minlength=n_parts[0] * n_parts[1])
    assert counts.min() > 0.5 * len(rows) / counts.size


def test_all_blocks_leave_no_pixel_out_except_along_the_border():
    rows, columns = sample_blocks((100, 131), size=32, max_blocks=None)
    seen = np.zeros((100, 131), int)
    for row, column in zip(rows, columns, strict=True):
        seen[row : row + 32, column : column + 32] += 1
    assert seen[16:-16, 16:-16].min() >= 1
    assert len(rows) == 5 * 7


@pytest.mark.parametrize("shape", [(512, 512), (3000, 4000), (1365, 2048)])
def test_every_phase_of_a_jpeg_grid_is_met_about_equally_often(shape):
    rows, columns = sample_blocks(shape, size=32, max_blocks=256)
    phases = np.bincount(rows % 8 * 8 + columns % 8, minlength=64)
    assert np.bincount(rows % 8, minlength=8).min() >= 20
    assert np.bincount(columns % 8, minlength=8).min() >= 20
    assert phases.max() <= 12
    assert (phases > 0).sum() >= 56


def test_images_of_one_shape_get_the_same_blocks_and_another_seed_gets_others():
    first = sample_blocks((480, 640, 3))
    again = sample_blocks((480, 640))
    other = sample_blocks((480, 640), seed=1)
    np.testing.assert_array_equal(first, again)
    assert np.mean(first[0] == other[0]) < 0.5


def test_an_image_of_one_block_has_one_block():
    rows, columns = sample_blocks((32, 32))
    assert (rows.tolist(), columns.tolist()) == ([0], [0])


def test_the_offsets_are_shared_and_cannot_be_damaged():
    rows, _ = sample_blocks((64, 64))
    with pytest.raises(ValueError, match="read-only"):
        rows[0] = 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sample_blocks((31, 64)), ShapeError, r"shape \(31, 64\) is smaller .* size <= 31, got 32"),
        (lambda: sample_blocks((64,)), ShapeError, r"shape must be \(H, W\) or \(H, W, C\), got \(64,\)"),
        (lambda: sample_blocks((64, 64), size=0), ParameterError, "must be positive, got size=0"),
        (lambda: sample_blocks((64, 64), max_blocks=0), ParameterError, "max_blocks=0"),
    ],
)
def test_errors_say_what_to_change(call, error, message):
    with pytest.raises(error, match=message):
        call()


@given(height=st.integers(1, 5000), width=st.integers(1, 5000), most=st.integers(1, 500), full=st.integers(1, 600))
def test_a_budget_grows_with_the_side_up_to_its_full_size(height, width, most, full):
    found = blocks_within_budget((height, width), most, full)
    assert 1 <= found <= most
    assert blocks_within_budget((height, width, 3), most, full) == found
    assert blocks_within_budget((2 * height, 2 * width), most, full) >= found
    if height * width >= full**2:
        assert found == most
    else:
        assert abs(found - most * (height * width) ** 0.5 / full) <= 1
    assert blocks_within_budget((height, width), most, None) == most
