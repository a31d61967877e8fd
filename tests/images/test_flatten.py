import struct

import numpy as np
import pytest
from PIL import Image

from spectell.images import read_image
from spectell.images.flatten import to_rgb


def gray_of(content: bytes) -> np.ndarray:
    pixels = read_image(content).pixels
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


def test_alpha_is_dropped_and_said_so(rng, save):
    stored = rng.integers(0, 256, (9, 7, 4), dtype=np.uint8)
    for opaque in (False, True):
        if opaque:
            stored[..., 3] = 255
        image = read_image(save(Image.fromarray(stored), "PNG"))
        np.testing.assert_array_equal(image.pixels, stored[..., :3])
        assert image.facts.transparent is not opaque
        gray = read_image(save(Image.fromarray(stored[..., [0, 3]]), "PNG"))
        np.testing.assert_array_equal(gray.pixels, stored[..., [0, 0, 0]])
        assert (gray.facts.mode, gray.facts.transparent) == ("LA", not opaque)


def test_transparency_in_the_last_row_of_a_large_image_is_seen(save):
    stored = np.full((300, 400, 4), 255, np.uint8)
    stored[299, 399, 3] = 254
    assert read_image(save(Image.fromarray(stored), "PNG")).facts.transparent


@pytest.mark.parametrize("table", [b"\xff\x00\xff", b"\x80\xff\xff", 1])
def test_a_transparent_palette_entry_keeps_its_colour(save, table):
    picture = Image.new("P", (2, 1))
    picture.putpalette([1, 2, 3, 40, 50, 60, 7, 8, 9])
    picture.putdata([0, 1])
    image = read_image(save(picture, "PNG", transparency=table))
    assert image.pixels.tolist() == [[[1, 2, 3], [40, 50, 60]]]
    assert image.facts.transparent


def test_a_transparent_colour_that_does_not_occur_is_no_transparency(save):
    picture = Image.new("RGB", (2, 1), (1, 2, 3))
    assert not read_image(save(picture, "PNG", transparency=(9, 9, 9))).facts.transparent
    image = read_image(save(picture, "PNG", transparency=(1, 2, 3)))
    assert image.facts.transparent
    assert image.pixels[0, 0].tolist() == [1, 2, 3]


def test_cmyk_follows_the_plain_formula(rng, save):
    stored = rng.integers(0, 256, (6, 5, 4), dtype=np.uint8)
    cmyk = Image.frombytes("CMYK", (5, 6), stored.tobytes())
    expected = (255.0 - stored[..., :3]) * (255.0 - stored[..., 3:]) / 255
    np.testing.assert_allclose(read_image(save(cmyk, "TIFF")).pixels, expected, atol=1.0)


def test_lab_becomes_srgb(save):
    content = save(Image.frombytes("LAB", (2, 1), bytes([128, 0, 0, 255, 0, 0])), "TIFF")
    np.testing.assert_allclose(read_image(content).pixels[0], [[119] * 3, [255] * 3], atol=3)  # L* = 50 is sRGB 119


def test_sixteen_bits_keep_the_high_byte_in_gray_and_in_colour(save):
    levels = np.array([[0, 255, 256, 0x1234, 0x7FFF, 0xFFFF]], np.uint16)
    high = [[0, 0, 1, 0x12, 0x7F, 0xFF]]
    for file_format in ("PNG", "TIFF"):
        assert gray_of(save(Image.fromarray(levels), file_format)).tolist() == high
    big_endian = Image.frombytes("I;16B", (6, 1), levels.astype(">u2").tobytes())
    assert gray_of(save(big_endian, "TIFF")).tolist() == high
    colour = np.stack([levels] * 3, axis=2).astype(">u2")
    assert read_image(b"P6 6 1 65535\n" + colour.tobytes()).pixels[0, 3].tolist() == [0x12] * 3
    assert gray_of(b"P5 6 1 65535\n" + levels.astype(">u2").tobytes()).tolist() == high


def test_twelve_bits_of_a_tiff_fill_the_range():
    data = bytes([0xFF, 0xF0, 0x80])  # 0xFFF and 0x080
    tags = [(256, 3, 2), (257, 3, 1), (258, 3, 12), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (279, 4, 3)]
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    content = b"II*\0" + struct.pack("<I", 12) + data + b"\0" + struct.pack("<H", len(tags)) + directory + bytes(4)
    assert gray_of(content).tolist() == [[255, 8]]


def test_one_bit_is_black_and_white(save):
    bits = np.array([[True, False, True]])
    for file_format in ("PNG", "TIFF", "BMP", "PPM"):
        assert gray_of(save(Image.fromarray(bits), file_format)).tolist() == [[255, 0, 255]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),
        ([0.0, 100.4, 255.0], [0, 100, 255]),
        ([0.0, 257.0, 65535.0], [0, 1, 255]),
        ([-1.0, 0.0, 1.0], [0, 128, 255]),
        ([np.nan, 0.25, 1.0], [0, 64, 255]),
        ([-np.inf, 0.5, np.inf], [0, 128, 255]),
        ([np.nan, np.nan, np.nan], [0, 0, 0]),
        ([1e6, 1e6, 1e6], [0, 0, 0]),
        ([-3e38, 0.0, 3e38], [0, 128, 255]),
    ],
)
def test_floats_are_scaled_from_the_range_that_holds_them(save, values, expected):
    content = save(Image.fromarray(np.array([values], np.float32)), "TIFF")
    assert gray_of(content).tolist() == [expected]


def test_a_signalling_nan_is_quiet(save):
    content = save(Image.fromarray(np.array([[0.0, 1.0]], np.float32)), "TIFF")
    signalling = struct.pack("<I", 0x7F800001)
    assert gray_of(content.replace(struct.pack("<f", 1.0), signalling)).tolist() == [[0, 0]]


def test_integers_of_32_bits_are_scaled_like_floats(save):
    for values, expected in [
        ([0, 7, 255], [0, 7, 255]),
        ([-5, 0, 5], [0, 128, 255]),
        ([0, 2**30, 2**31 - 1], [0, 128, 255]),
    ]:
        content = save(Image.fromarray(np.array([values], np.int32)), "TIFF")
        assert gray_of(content).tolist() == [expected]


def as_negative(tiff: bytes) -> bytes:
    """The same samples in a file that says that 0 is white, and the largest value black."""
    positive = struct.pack("<HHIH", 262, 3, 1, 1)
    assert tiff.count(positive) == 1
    return tiff.replace(positive, struct.pack("<HHIH", 262, 3, 1, 0))


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
@pytest.mark.parametrize("size", [(5, 3), (300, 301)])
def test_a_negative_tiff_is_turned_whatever_its_depth(save, rng, compression, size):
    levels = rng.integers(0, 256, size, dtype=np.uint8)
    for stored in (levels, levels.astype(np.uint16) * 257, levels.astype(np.float32)):
        content = save(Image.fromarray(stored), "TIFF", compression=compression)
        np.testing.assert_array_equal(gray_of(content), levels)
        np.testing.assert_array_equal(gray_of(as_negative(content)), 255 - levels)


def test_in_a_negative_of_floats_nan_is_black_too(save):
    content = save(Image.fromarray(np.array([[np.nan, 0.0, 1.0, -np.inf, np.inf]], np.float32)), "TIFF")
    assert gray_of(as_negative(content)).tolist() == [[0, 255, 0, 255, 0]]


def test_unsigned_integers_of_32_bits_use_all_of_their_range(save):
    levels = np.array([[0, 2**30, 2**31, 2**32 - 1]], np.uint32)
    signed = save(Image.fromarray(levels.view(np.int32)), "TIFF")
    tag = struct.pack("<HHIH", 339, 3, 1, 2)
    assert signed.count(tag) == 1
    unsigned = signed.replace(tag, struct.pack("<HHIH", 339, 3, 1, 1))
    assert gray_of(unsigned).tolist() == [[0, 64, 128, 255]]
    assert gray_of(signed).tolist() == [[170, 255, 0, 170]]  # from -2**31 to 2**30


def test_every_mode_of_pillow_that_a_file_can_have_is_flattened():
    modes = ["1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"]
    modes += ["I", "I;16", "I;16L", "I;16B", "F"]
    for mode in modes:
        for size in [(3, 2), (300, 301)]:
            pixels, _ = to_rgb(Image.new(mode, size))
            assert pixels.shape == (size[1], size[0], 3), mode
            assert not pixels.flags.writeable


def test_premultiplied_colour_is_divided_out(save):
    content = save(Image.fromarray(np.full((1, 1, 4), (50, 25, 0, 128), np.uint8)), "TIFF")
    unassociated, associated = (struct.pack("<HHII", 338, 3, 1, kind) for kind in (2, 1))
    assert unassociated in content
    image = read_image(content.replace(unassociated, associated))
    np.testing.assert_allclose(image.pixels[0, 0], [100, 50, 0], atol=1)
    assert read_image(content).pixels[0, 0].tolist() == [50, 25, 0]
