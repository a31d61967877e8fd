"""Small files of every format that is read, made on the spot."""

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

Encode = Callable[..., bytes]


def encode(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def make_samples() -> dict[str, bytes]:
    rng = np.random.default_rng(20200611)
    rgba = Image.fromarray(rng.integers(0, 256, (17, 23, 4), dtype=np.uint8))
    rgb = rgba.convert("RGB")
    deep = Image.fromarray(rng.integers(0, 65536, (17, 23)).astype(np.uint16))
    frames = {"save_all": True, "append_images": [Image.new("RGB", (23, 17), "red"), rgb]}
    samples = {
        "jpeg": encode(rgb, "JPEG"),
        "jpeg-gray": encode(rgb.convert("L"), "JPEG"),
        "jpeg-cmyk": encode(rgb.convert("CMYK"), "JPEG"),
        "jpeg-progressive": encode(rgb, "JPEG", progressive=True),
        "png": encode(rgb, "PNG"),
        "png-16": encode(deep, "PNG"),
        "webp": encode(rgba, "WEBP", lossless=True),
        "webp-lossy": encode(rgb, "WEBP"),
        "avif": encode(rgb, "AVIF"),
        "gif": encode(rgb.convert("P"), "GIF"),
        "gif-animated": encode(rgb, "GIF", **frames),
        "png-animated": encode(rgb, "PNG", **frames),
        "webp-animated": encode(rgb, "WEBP", **frames),
        "tiff-float": encode(Image.fromarray(rng.random((17, 23), dtype=np.float32)), "TIFF"),
        "tiff-16": encode(deep, "TIFF"),
        "tiff-jpeg": encode(rgb, "TIFF", compression="jpeg"),
        "tiff-lzw": encode(rgb, "TIFF", compression="tiff_lzw"),
        "tiff-big": encode(rgb, "TIFF", big_tiff=True),
        "tiff-pages": encode(rgb, "TIFF", **frames),
        "bmp": encode(rgb, "BMP"),
        "ppm": encode(rgb, "PPM"),
        "pbm": encode(rgb.convert("1"), "PPM"),
        "pfm": encode(Image.fromarray(rng.random((17, 23), dtype=np.float32)), "PPM"),
        "ppm-plain": b"P3 2 2 100\n" + b"1 2 3 " * 4,
    }
    for mode in ("1", "L", "LA", "P", "RGBA"):
        samples[f"png-{mode}"] = encode(rgba.convert(mode), "PNG")
    for mode in ("1", "L", "P", "RGBA", "CMYK", "LAB"):
        samples[f"tiff-{mode}"] = encode(rgba if mode == "RGBA" else rgb.convert(mode), "TIFF")
    for mode in ("1", "L", "P"):
        samples[f"bmp-{mode}"] = encode(rgb.convert(mode), "BMP")
    return samples


SAMPLES = make_samples()


@pytest.fixture
def save() -> Encode:
    """Encode a Pillow image: ``save(image, format, **options)`` gives bytes."""
    return encode


@pytest.fixture(params=sorted(SAMPLES))
def sample(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """Each sample in turn: its name and its bytes."""
    return request.param, SAMPLES[request.param]


@pytest.fixture(scope="session")
def samples() -> dict[str, bytes]:
    """All samples by name; the name begins with the format."""
    return SAMPLES
