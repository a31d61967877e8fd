"""The quick way through a PNG against Pillow's, on sound and on damaged files."""

import io
import struct
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from spectell.errors import ImageError
from spectell.images import read_image
from spectell.images.spng import decode_rgb

END = struct.pack(">I4sI", 0, b"IEND", zlib.crc32(b"IEND"))


def png(pixels, mode=None, **options):
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(buffer, "PNG", **options)
    return buffer.getvalue()


def smooth(rng, height, width):
    steps = rng.normal(size=(height, width, 3)).cumsum(axis=0).cumsum(axis=1)
    return np.clip(steps * 2 + 128, 0, 255).astype(np.uint8)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@given(height=st.integers(1, 40), width=st.integers(1, 40), level=st.integers(0, 9), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_the_pixels_are_those_that_were_written(height, width, level, seed):
    pixels = smooth(np.random.default_rng(seed), height, width)
    found = decode_rgb(io.BytesIO(png(pixels, compress_level=level)), height, width)
    np.testing.assert_array_equal(found, pixels)
    assert found.dtype == np.uint8


def test_pixels_in_many_chunks_are_joined(rng):
    pixels = smooth(rng, 60, 50)
    data = png(pixels)
    start = data.index(b"IDAT") - 4
    content = data[start + 8 : start + 8 + struct.unpack_from(">I", data, start)[0]]
    parts = b"".join(chunk(b"IDAT", content[i : i + 100]) for i in range(0, len(content), 100))
    np.testing.assert_array_equal(decode_rgb(io.BytesIO(data[:start] + parts + END), 60, 50), pixels)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_other_colour_types_are_left_to_pillow(rng, mode):
    pixels = smooth(rng, 8, 9)
    data = png(pixels[..., 0].astype(np.uint16)) if mode == "I;16" else png(pixels, mode)
    assert decode_rgb(io.BytesIO(data), 8, 9) is None
    assert read_image(data).pixels.shape == (8, 9, 3)


def test_another_size_a_cut_file_and_no_png_are_left_to_pillow(rng):
    data = png(smooth(rng, 20, 30))
    assert decode_rgb(io.BytesIO(data), 30, 20) is None
    assert decode_rgb(io.BytesIO(data[: len(data) // 2]), 20, 30) is None
    assert decode_rgb(io.BytesIO(b""), 1, 1) is None
    with pytest.raises(ImageError, match="cannot read"):
        read_image(data[: len(data) // 2])


def test_a_wrong_checksum_is_left_to_pillow(rng):
    data = bytearray(png(smooth(rng, 20, 30)))
    data[data.index(b"IDAT") + 10] ^= 1
    assert decode_rgb(io.BytesIO(bytes(data)), 20, 30) is None


def test_text_after_the_pixels_is_still_read(rng):
    data = png(smooth(rng, 20, 30))
    text = chunk(b"tEXt", b"parameters\0a castle, Steps: 20")
    late = data[: -len(END)] + text + END
    assert decode_rgb(io.BytesIO(late), 20, 30) is None
    assert read_image(late).facts.generation_parameters == "parameters"


def test_a_transparent_colour_is_not_overlooked(rng):
    pixels = smooth(rng, 20, 30)
    data = png(pixels, transparency=tuple(int(v) for v in pixels[0, 0]))
    assert read_image(data).facts.transparent


def test_facts_and_pixels_do_not_depend_on_pyspng(rng, monkeypatch):
    note = PngInfo()
    note.add_text("parameters", "a castle")
    data = png(smooth(rng, 40, 50), pnginfo=note)
    quick = read_image(data)
    monkeypatch.setitem(sys.modules, "pyspng", None)
    assert decode_rgb(io.BytesIO(data), 40, 50) is None
    slow = read_image(data)
    np.testing.assert_array_equal(quick.pixels, slow.pixels)
    assert quick.facts == slow.facts
    assert not quick.pixels.flags.writeable


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damage_is_judged_as_pillow_judges_it(data):
    content = bytearray(png(smooth(np.random.default_rng(1), 24, 40)))
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(8, len(content)))]
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(8, len(content)), label="at") - 1] = data.draw(st.integers(0, 255))

    def outcome():
        try:
            image = read_image(bytes(content))
        except ImageError as error:
            return str(error), None
        return image.facts, image.pixels

    quick = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pyspng", None)
        slow = outcome()
    assert quick[0] == slow[0]
    np.testing.assert_array_equal(quick[1], slow[1])
