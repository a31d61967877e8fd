import io
import os
import struct
import threading
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

import spectell.images.reader as reader
from spectell.errors import ImageError
from spectell.images import ImageFacts, read_image

FORMATS = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "gif": "GIF", "tiff": "TIFF", "bmp": "BMP"}


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def test_every_sample_becomes_rgb_bytes_and_names_its_format(sample):
    name, content = sample
    image = read_image(content)
    assert image.pixels.dtype == np.uint8
    assert image.pixels.shape == ((2, 2, 3) if name == "ppm-plain" else (17, 23, 3))
    assert image.pixels.flags.c_contiguous
    assert image.facts.format == FORMATS.get(name.split("-")[0], "PPM")
    assert (image.facts.height, image.facts.width) == image.pixels.shape[:2]


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "BMP", "PPM", "GIF", "WEBP"])
def test_lossless_formats_return_the_stored_values(rng, save, file_format):
    gray = rng.integers(0, 256, (31, 20), dtype=np.uint8)
    stored = gray if file_format == "GIF" else rng.integers(0, 256, (31, 20, 3), dtype=np.uint8)
    content = save(Image.fromarray(stored), file_format, **({"lossless": True} if file_format == "WEBP" else {}))
    expected = np.stack([gray] * 3, axis=2) if file_format == "GIF" else stored
    np.testing.assert_array_equal(read_image(content).pixels, expected)


@pytest.mark.parametrize("size", [(1, 1), (1, 70_000), (70_000, 1), (257, 255), (600, 401)])
def test_large_and_thin_images_are_assembled_from_their_strips(rng, save, size):
    stored = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    np.testing.assert_array_equal(read_image(save(Image.fromarray(stored), "PPM")).pixels, stored)


def test_path_bytes_and_file_objects_give_the_same_image(tmp_path, samples):
    path = tmp_path / "a.png"
    path.write_bytes(samples["png"])
    expected = read_image(samples["png"])
    with path.open("rb") as file:
        file.seek(10)
        results = [read_image(path), read_image(str(path)), read_image(file), read_image(io.BytesIO(samples["png"]))]
        assert not file.closed
    for result in results:
        assert result.facts == expected.facts
        np.testing.assert_array_equal(result.pixels, expected.pixels)


def test_a_large_file_is_read_like_a_small_one(tmp_path, rng, save):
    stored = rng.integers(0, 256, (700, 701, 3), dtype=np.uint8)
    for file_format, options in [("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("BMP", {})]:
        path = tmp_path / f"large.{file_format}"
        path.write_bytes(save(Image.fromarray(stored), file_format, **options))
        assert path.stat().st_size > 2**20
        np.testing.assert_array_equal(read_image(path).pixels, stored)


def test_the_suffix_does_not_matter(tmp_path, samples):
    path = tmp_path / "really-a-gif.jpg"
    path.write_bytes(samples["gif"])
    assert read_image(path).facts.format == "GIF"


def test_an_unseekable_stream_is_read(samples):
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as stream:
        with os.fdopen(write_end, "wb") as sink:
            sink.write(samples["png"])
        assert read_image(stream).facts.format == "PNG"


def test_pixels_are_read_only(samples):
    with pytest.raises(ValueError, match="read-only"):
        read_image(samples["png"]).pixels[0, 0, 0] = 1


def test_exif_rotation_is_not_applied_to_a_jpeg(rng, save):
    stored = Image.fromarray(rng.integers(0, 256, (16, 24, 3), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    facts = read_image(save(stored, "JPEG", exif=exif)).facts
    assert (facts.width, facts.height) == (24, 16)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw"])
def test_orientation_of_a_tiff_is_not_applied(rng, save, orientation, compression):
    stored = rng.integers(0, 256, (5, 8, 3), dtype=np.uint8)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[0x0112] = orientation
    content = save(Image.fromarray(stored), "TIFF", tiffinfo=tags, compression=compression)
    np.testing.assert_array_equal(read_image(content).pixels, stored)


def test_animations_yield_their_first_frame_and_count(samples):
    for name, frames in [("gif-animated", 3), ("png-animated", 3), ("webp-animated", 3), ("tiff-pages", 3), ("png", 1)]:
        assert read_image(samples[name]).facts.frames == frames, name
    np.testing.assert_array_equal(read_image(samples["png-animated"]).pixels, read_image(samples["png"]).pixels)


def test_a_multi_picture_file_is_a_jpeg_with_frames(rng, save):
    first, second = (Image.fromarray(rng.integers(0, 256, (16, 24, 3), dtype=np.uint8)) for _ in range(2))
    image = read_image(save(first, "MPO", save_all=True, append_images=[second], quality=83))
    assert (image.facts.format, image.facts.frames, image.facts.jpeg_quality) == ("JPEG", 2, 83)


def test_jpeg_facts_are_those_that_the_encoder_was_given(rng, save):
    picture = Image.fromarray(rng.integers(0, 256, (16, 24, 3), dtype=np.uint8))
    for quality, subsampling in [(1, "4:2:0"), (50, "4:2:2"), (95, "4:4:4"), (100, "4:2:0")]:
        facts = read_image(save(picture, "JPEG", quality=quality, subsampling=subsampling)).facts
        assert (facts.jpeg_quality, facts.jpeg_subsampling) == (quality, subsampling)
    gray = read_image(save(picture.convert("L"), "JPEG", quality=61)).facts
    assert (gray.jpeg_quality, gray.jpeg_subsampling) == (61, None)
    assert read_image(save(picture, "WEBP", quality=61)).facts.jpeg_quality is None


def test_facts_have_a_tuple_and_a_dictionary_of_scalars(sample):
    facts = read_image(sample[1]).facts
    assert ImageFacts(**facts.as_dict()) == facts
    assert facts.as_tuple() == tuple(facts.as_dict().values())
    assert all(isinstance(value, str | int | bool | None) for value in facts.as_tuple())


def test_the_gate_is_held_while_a_large_file_is_decoded_and_only_then(monkeypatch, samples):
    held = []

    @contextmanager
    def gate():
        held.append("in")
        yield
        held.append("out")

    read_image(samples["png"], large_gate=gate())
    assert held == []
    monkeypatch.setattr(reader, "LARGE_PIXELS", 17 * 23 - 1)
    for name in ("png", "webp", "avif", "jpeg"):
        read_image(samples[name], large_gate=gate())
        assert held == ["in", "out"], name
        held.clear()
    lock = threading.Lock()
    with pytest.raises(ImageError):
        read_image(samples["png"][:200], large_gate=lock)
    assert not lock.locked()


def test_damaged_files_print_nothing(capfd, samples):
    content = bytearray(samples["tiff-lzw"])
    content[8:60] = bytes(255 - byte for byte in content[8:60])  # libtiff complains about this on stderr
    absurd = bytearray(samples["tiff-16"])
    at = absurd.index(struct.pack("<HHI", 262, 3, 1))  # the photometric interpretation can be done without
    absurd[at : at + 12] = struct.pack("<HHII", 277, 4, 1, 2**31)  # samples per pixel: Pillow logs an error
    for bad in (content, absurd):
        with pytest.raises(ImageError):
            read_image(bytes(bad))
    assert capfd.readouterr() == ("", "")


def test_pillows_warnings_do_not_escape(samples):
    chunk = png_chunk(b"acTL", bytes(8))  # no frames: "Invalid APNG", an error under this suite's filters
    content = samples["png"][:33] + chunk + samples["png"][33:]
    assert read_image(content).facts.frames == 1


def test_threads_read_at_once(samples):
    expected = {name: read_image(content).pixels for name, content in samples.items()}
    wrong = []

    def work() -> None:
        for name, content in samples.items():
            if not np.array_equal(read_image(content).pixels, expected[name]):
                wrong.append(name)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_heif_is_read_where_the_extra_is_installed(rng):
    pillow_heif = pytest.importorskip("pillow_heif")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (200, 100, 50))).save(buffer, quality=90)
    image = read_image(buffer.getvalue())
    assert (image.facts.format, image.pixels.shape) == ("HEIF", (48, 64, 3))
    np.testing.assert_allclose(image.pixels[20, 20], [200, 100, 50], atol=4)
    with pytest.raises(ImageError):
        read_image(buffer.getvalue()[:300])


@pytest.mark.shared_data
def test_photographs_decode_to_the_pixels_that_pillow_gives(shared_data):
    for path in sorted((shared_data / "photos" / "real").iterdir())[:20]:
        with Image.open(path) as picture:
            expected = np.asarray(picture.convert("RGB"))
        np.testing.assert_array_equal(read_image(path).pixels, expected)


@pytest.mark.shared_data
def test_camera_files_report_their_facts(shared_data):
    facts = [read_image(path).facts for path in sorted((shared_data / "cameras" / "real").iterdir())]
    assert all(fact.format == "JPEG" and fact.jpeg_quality for fact in facts)
    assert {fact.jpeg_subsampling for fact in facts} == {"4:2:0", "4:2:2", "4:4:0", "4:4:4"}
    assert not any(fact.c2pa or fact.generation_parameters or fact.digital_source_type for fact in facts)
