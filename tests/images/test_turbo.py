"""The straight way to RGB against Pillow's, on sound and on damaged files."""

import io
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from spectell.errors import ImageError
from spectell.images import read_image
from spectell.images.turbo import decode_rgb


def jpeg(pixels, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def smooth(rng, height, width):
    steps = rng.normal(size=(height, width, 3)).cumsum(axis=0).cumsum(axis=1)
    return np.clip(steps * 2 + 128, 0, 255).astype(np.uint8)


def by_pillow(data):
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize(("quality", "progressive"), [(10, False), (75, False), (75, True), (100, False)])
@pytest.mark.parametrize("shape", [(1, 1), (7, 9), (16, 16), (33, 70)])
def test_pixels_are_those_of_pillow(rng, subsampling, quality, progressive, shape):
    data = jpeg(smooth(rng, *shape), quality=quality, subsampling=subsampling, progressive=progressive)
    found = decode_rgb(io.BytesIO(data), *shape)
    np.testing.assert_array_equal(found, by_pillow(data))


def test_rgb_stored_as_rgb_and_restart_markers_are_read_alike(rng):
    pixels = smooth(rng, 40, 50)
    for options in ({"keep_rgb": True}, {"restart_marker_rows": 1}):
        data = jpeg(pixels, **options)
        np.testing.assert_array_equal(decode_rgb(io.BytesIO(data), 40, 50), by_pillow(data))
        np.testing.assert_array_equal(read_image(data).pixels, by_pillow(data))


def test_a_cut_file_another_size_and_no_jpeg_are_left_to_pillow(rng):
    data = jpeg(smooth(rng, 40, 50))
    assert decode_rgb(io.BytesIO(data[: len(data) // 2]), 40, 50) is None
    assert decode_rgb(io.BytesIO(data), 50, 40) is None
    assert decode_rgb(io.BytesIO(b""), 1, 1) is None
    with pytest.raises(ImageError, match="cannot read"):
        read_image(data[: len(data) // 2])


def test_without_simplejpeg_the_pixels_are_the_same(rng, monkeypatch):
    data = jpeg(smooth(rng, 40, 50))
    quick = read_image(data)
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    assert decode_rgb(io.BytesIO(data), 40, 50) is None
    slow = read_image(data)
    np.testing.assert_array_equal(quick.pixels, slow.pixels)
    assert quick.facts == slow.facts


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_damage_is_judged_as_pillow_judges_it(data):
    content = bytearray(jpeg(smooth(np.random.default_rng(1), 24, 40), quality=80))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(2, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(content)

    def outcome():
        try:
            image = read_image(damaged)
        except ImageError as error:
            return str(error), None
        return image.facts, image.pixels

    quick = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "simplejpeg", None)
        slow = outcome()
    assert quick[0] == slow[0]
    np.testing.assert_array_equal(quick[1], slow[1])


@pytest.mark.shared_data
@pytest.mark.parametrize("folder", ["cameras/real", "photos/real", "faces256/real", "celeba178/real"])
def test_real_files_give_the_pixels_of_pillow(shared_data, folder):
    paths = sorted((shared_data / folder).iterdir())[:60]
    assert paths
    for path in paths:
        np.testing.assert_array_equal(read_image(path).pixels, by_pillow(path.read_bytes()), err_msg=path.name)
