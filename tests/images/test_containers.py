import io
import struct

from hypothesis import given
from hypothesis import strategies as st

from spectell.images.containers import bmff_boxes, count_tiff_pages, gif_blocks, riff_chunks

any_bytes = st.binary(max_size=300)


def test_riff_chunks_of_odd_size_are_padded():
    body = b"AAAA" + (3).to_bytes(4, "little") + b"abc\0" + b"BBBB" + (2).to_bytes(4, "little") + b"xy"
    stream = io.BytesIO(b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WEBP" + body)
    assert list(riff_chunks(stream, 10)) == [(b"AAAA", b"abc"), (b"BBBB", b"xy")]


def test_boxes_may_have_long_sizes_and_may_run_to_the_end():
    long_box = b"\0\0\0\1wide" + (18).to_bytes(8, "big") + b"zz"
    stream = io.BytesIO(b"\0\0\0\x0cftypavif" + long_box + b"\0\0\0\0mdat" + bytes(50))
    assert list(bmff_boxes(stream, 4)) == [(b"ftyp", b"avif"), (b"wide", b"zz"), (b"mdat", bytes(4))]


def test_pages_are_counted_in_both_widths_and_orders():
    for order, mark in [("<", b"II"), (">", b"MM")]:
        entry = bytes(12)
        small = mark + struct.pack(order + "HI", 42, 8)
        small += struct.pack(order + "H", 1) + entry + struct.pack(order + "I", 26) + struct.pack(order + "HI", 0, 0)
        assert count_tiff_pages(io.BytesIO(small)) == 2
        big = mark + struct.pack(order + "HHHQ", 43, 8, 0, 16)
        big += struct.pack(order + "QQ", 0, 32) + struct.pack(order + "QQ", 0, 0)
        assert count_tiff_pages(io.BytesIO(big)) == 2


def test_a_chain_of_directories_that_bites_its_tail_ends():
    assert count_tiff_pages(io.BytesIO(b"II*\0" + struct.pack("<IHI", 8, 0, 8))) == 1


def test_a_gif_yields_its_frames_and_application_extensions(samples):
    plain = samples["gif-animated"]
    assert gif_blocks(io.BytesIO(plain)).frames == 3
    at = 13 + (6 << (plain[10] & 7))  # after the screen and its palette
    extension = b"!\xff\x0bSOMETHING10" + b"\3abc" + b"\0"
    blocks = gif_blocks(io.BytesIO(plain[:at] + extension + plain[at:]))
    assert blocks.frames == 3
    assert blocks.applications[b"SOMETHING10"] == b"\3abc\0"


@given(any_bytes)
def test_walks_end_quietly_on_anything(content):
    stream = io.BytesIO(content)
    assert len(list(riff_chunks(stream, 4))) <= 300
    assert len(list(bmff_boxes(stream, 4))) <= 300
    assert count_tiff_pages(io.BytesIO(b"II*\0" + content)) >= 1
    assert count_tiff_pages(io.BytesIO(b"MM\0+" + content)) >= 1
    assert gif_blocks(io.BytesIO(b"GIF89a" + content)).frames >= 1
