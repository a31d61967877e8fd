import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from spectell.images.jpeg import LUMINANCE_TABLE, count_pictures, estimate_quality, name_subsampling


def luminance_table_written_by_libjpeg(quality: int) -> list[int]:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        return image.quantization[0]


def test_every_quality_that_libjpeg_writes_is_read_back():
    tables = [luminance_table_written_by_libjpeg(quality) for quality in range(1, 101)]
    assert len({tuple(table) for table in tables}) == 100
    assert [estimate_quality(table) for table in tables] == list(range(1, 101))


@given(st.integers(5, 97), st.integers(0, 63), st.sampled_from([-1, 1]))
def test_a_table_that_differs_in_one_step_is_at_most_one_quality_away(quality, at, change):
    table = luminance_table_written_by_libjpeg(quality)
    table[at] = max(1, table[at] + change)
    assert abs(estimate_quality(table) - quality) <= 1


@given(st.lists(st.integers(0, 65535), min_size=64, max_size=64))
def test_any_table_has_a_quality(table):
    assert 1 <= estimate_quality(table) <= 100


def test_coarser_tables_have_lower_qualities():
    estimates = [estimate_quality([step * factor for step in LUMINANCE_TABLE]) for factor in (1, 2, 4, 8)]
    assert estimates[0] == 50
    assert estimates == sorted(estimates, reverse=True)
    assert estimates[1] == 25


@pytest.mark.parametrize("table", [(), [1] * 63, [1] * 65])
def test_a_table_of_another_size_has_none(table):
    assert estimate_quality(table) is None


@pytest.mark.parametrize(
    ("factors", "name"),
    [
        ([(1, 1), (1, 1), (1, 1)], "4:4:4"),
        ([(2, 2), (2, 2), (2, 2)], "4:4:4"),
        ([(2, 1), (1, 1), (1, 1)], "4:2:2"),
        ([(2, 2), (1, 2), (1, 2)], "4:2:2"),
        ([(1, 2), (1, 1), (1, 1)], "4:4:0"),
        ([(2, 2), (1, 1), (1, 1), (2, 2)], "4:2:0"),
        ([(4, 1), (1, 1), (1, 1)], "4:1:1"),
        ([(2, 2), (1, 2), (2, 1)], "2x2,1x2,2x1"),
        ([(3, 1), (2, 1), (2, 1)], "3x1,2x1,2x1"),
        ([(1, 1), (0, 0), (0, 0)], "1x1,0x0,0x0"),
        ([(1, 1)], None),
        ([], None),
    ],
)
def test_subsampling_is_named_by_the_ratio_of_the_factors(factors, name):
    assert name_subsampling(factors) == name


@pytest.mark.parametrize("order", ["<", ">"])
def test_pictures_are_counted_in_either_byte_order(order):
    mark = b"II*\0" if order == "<" else b"MM\0*"
    version = struct.pack(order + "HHI", 0xB000, 7, 4) + b"0100"
    count = struct.pack(order + "HHII", 0xB001, 4, 1, 3)
    segment = b"MPF\0" + mark + struct.pack(order + "IH", 8, 2) + version + count
    assert count_pictures(segment) == 3
    assert count_pictures(segment[:-1]) == 1
    assert count_pictures(b"ICC_PROFILE\0") == 1


@given(st.binary(max_size=60))
def test_a_damaged_index_counts_as_one_picture_or_more(tail):
    assert 1 <= count_pictures(b"MPF\0" + tail) <= 10_000
