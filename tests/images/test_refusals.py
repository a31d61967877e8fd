import io
import os
import struct
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image, TiffImagePlugin

import spectell.images.reader as reader
from spectell.errors import ImageError
from spectell.images import read_image


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def png_of_declared_size(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(100))) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_file_cut_short_is_an_error(sample):
    name, content = sample
    for keep in (0, 1, 8, len(content) // 3, len(content) * 2 // 3):
        if keep > len(content) // 4 and name in ("gif-animated", "png-animated", "webp-animated", "tiff-pages"):
            continue  # the first frame may be whole
        with pytest.raises(ImageError, match=r"^cannot read <\d+ bytes>: "):
            read_image(content[:keep])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html>", "not an image of a known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "not an image of a known format"),
        (b"\xff\xd8\xff\xe0" + bytes(50), "damaged"),
        (png_of_declared_size(0, 5), "damaged"),
        (png_of_declared_size(20_000, 20_000), r"declares 400,000,000 pixels, more than max_pixels = 250,000,000"),
        (png_of_declared_size(2**31 - 1, 2**31 - 1), "more than max_pixels"),
        (b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b",", "damaged|more than max_pixels"),
        (b"P6 60000 60000 255\n", "more than max_pixels"),
    ],
)
def test_the_reason_is_in_the_message(content, reason):
    with pytest.raises(ImageError, match=reason):
        read_image(content)


def test_a_list_of_names_taken_for_one_name_is_told_from_a_damaged_file():
    with pytest.raises(ImageError, match=r"^cannot read a\.jpg\\x00b\.jpg\\x00: .* NUL .* --null$"):
        read_image("a.jpg\0b.jpg\0")


def test_the_limit_on_pixels_is_inclusive_and_the_users(samples):
    assert read_image(samples["png"], max_pixels=17 * 23).facts.width == 23
    for name in ("png", "webp", "webp-lossy", "avif", "jpeg", "tiff-16", "gif"):
        with pytest.raises(ImageError, match=r"declares 391 pixels, more than max_pixels = 390; raise that"):
            read_image(samples[name], max_pixels=390)


def test_a_bomb_within_the_users_limit_but_above_pillows_is_quiet(capfd, monkeypatch, samples):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for name in ("png", "jpeg", "bmp", "ppm"):
        assert read_image(samples[name]).facts.width == 23
    with pytest.raises(ImageError, match=r"raise PIL\.Image\.MAX_IMAGE_PIXELS"):
        read_image(samples["tiff-16"])  # its plug-in asks Pillow's own limit
    assert capfd.readouterr() == ("", "")


def test_text_that_inflates_without_end_is_an_error():
    bomb = b"parameters\0\0" + zlib.compress(bytes(5_000_000), 9)
    content = png_of_declared_size(1, 1)
    with pytest.raises(ImageError, match="too large"):
        read_image(content[:33] + png_chunk(b"zTXt", bomb) + content[33:])


def test_metadata_larger_than_its_allowance_is_not_taken_in(tmp_path, samples):
    path = tmp_path / "long.png"
    with path.open("wb") as file:  # sparse: a private chunk of a GiB, all zeros
        file.write(samples["png"][:33] + (2**30).to_bytes(4, "big") + b"teST")
        file.truncate(2**30 + 100)
    with pytest.raises(ImageError, match="more data than its pixels can need"):
        read_image(path)


def test_a_file_that_its_decoder_would_take_in_whole_has_a_size_limit(tmp_path, samples):
    path = tmp_path / "long.webp"
    with path.open("wb") as file:
        file.write(samples["webp"])
        file.truncate(2**28 + 1)
    with pytest.raises(ImageError, match="larger than 256 MiB"):
        read_image(path)


def test_missing_directories_links_and_special_files_are_named(tmp_path):
    (tmp_path / "broken.jpg").symlink_to("nowhere")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(tmp_path / "fifo.jpg")
    cases = {
        "none.jpg": "there is no such file",
        "": "it is a directory",
        "broken.jpg": "it is a broken link",
        "loop.jpg": "too many levels of symbolic links",
        "fifo.jpg": "it is a FIFO",
        "a\0b.jpg": "no name of a file holds a NUL character",
        "x" * 5000: "file name too long",
    }
    for name, reason in cases.items():
        with pytest.raises(ImageError, match=f"^cannot read .*{reason}"):
            read_image(f"{tmp_path}/{name}")
    for device in ("/dev/zero", "/dev/null"):
        with pytest.raises(ImageError, match="it is a device"):
            read_image(device)


def test_a_fifo_that_takes_the_place_of_a_file_does_not_hang(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "fifo.jpg")
    (tmp_path / "plain.jpg").touch()
    plain = (tmp_path / "plain.jpg").stat()
    monkeypatch.setattr(os, "stat", lambda path, **_: plain)
    with pytest.raises(ImageError, match="it is a FIFO"):
        read_image(str(tmp_path / "fifo.jpg"))


def test_an_unreadable_file_is_an_error(tmp_path, samples, monkeypatch):
    path = tmp_path / "secret.png"
    path.write_bytes(samples["png"])

    def refuse(*_: object) -> int:  # root, who runs many test suites, may open everything
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ImageError, match=r"secret\.png: permission denied$"):
        read_image(path)


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems accept UTF-8 names only")
def test_a_name_that_is_not_utf_8_is_read_and_printable_in_errors(tmp_path, samples):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xe9t\xe9\n\x1b[31m.png")
    Path(path).write_bytes(samples["png"])
    assert read_image(path).facts.format == "PNG"
    Path(path).write_bytes(b"nothing")
    with pytest.raises(ImageError) as caught:
        read_image(path)
    assert r"\xe9t\xe9\n\x1b[31m.png" in str(caught.value)
    assert str(caught.value).isprintable()


class Stubborn(io.RawIOBase):
    def read(self, size: int = -1) -> bytes:
        raise LookupError("no\nway")


@pytest.mark.parametrize("source", [None, 3, io.StringIO("P6"), Stubborn(), object()])
def test_a_source_of_the_wrong_kind_is_the_same_error(source):
    with pytest.raises(ImageError, match=r"^cannot read <"):
        read_image(source)


def test_a_path_of_a_broken_class_is_the_same_error():
    class Path:
        def __fspath__(self) -> str:
            raise RuntimeError("no path")

    with pytest.raises(ImageError, match="no path"):
        read_image(Path())


def test_running_out_of_memory_is_the_same_error(monkeypatch, samples):
    def exhaust(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(reader, "to_rgb", exhaust)
    with pytest.raises(ImageError, match="not enough memory"):
        read_image(samples["gif"])


def test_an_interrupt_is_not_swallowed(monkeypatch, samples):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reader, "to_rgb", interrupt)
    with pytest.raises(KeyboardInterrupt):
        read_image(samples["gif"])


def test_a_raw_camera_preview_is_refused(save):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[254] = 1
    with pytest.raises(ImageError, match="only a preview"):
        read_image(save(Image.new("RGB", (8, 8)), "TIFF", tiffinfo=tags))


def test_heif_without_the_extra_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match=r"pip install 'spectell\[heif\]'$"):
        read_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
