"""Read one image: bytes, path or file object in, pixels and facts out, or one `ImageError`.

Decoders are fed hostile bytes here and answer with whatever exception they have. All of them become one error of
one line that names the file and the reason. A decoder that hangs or kills the process is the caller's concern: the
workers that scan files are replaceable.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import IO, BinaryIO

import numpy as np
from PIL import Image, ImageFile

from spectell.errors import ImageError
from spectell.images import spng, turbo
from spectell.images.containers import GifBlocks, count_tiff_pages, gif_blocks
from spectell.images.facts import DEFAULT_MAX_PIXELS, LARGE_PIXELS, DecodedImage, ImageFacts
from spectell.images.flatten import Pixels, to_rgb
from spectell.images.formats import READ_WHOLE, canvas_pixels, identify, open_image
from spectell.images.jpeg import count_pictures, estimate_quality, name_subsampling
from spectell.images.provenance import digital_source_type, generation_key, has_c2pa
from spectell.images.quiet import native_stderr_silenced, pillow_silenced
from spectell.images.sources import (
    MAX_METADATA_BYTES,
    MAX_WHOLE_BYTES,
    MeteredReader,
    Refused,
    describe_source,
    open_source,
)

__all__ = ["read_image"]

_STRAIGHT_TO_RGB = {"JPEG": turbo.decode_rgb, "PNG": spng.decode_rgb}
"""Decoders that are faster than Pillow's and return the same pixels, or None where Pillow should decide."""

_HEAD = 256
_ORIENTATION = 0x0112
_BITS_PER_SAMPLE = 258
_PHOTOMETRIC = 262
_SAMPLE_FORMAT, _UNSIGNED = 339, 1
_REDUCED_COPY = 254
_UNDO_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def read_image(
    source: str | bytes | os.PathLike[str] | BinaryIO,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    large_gate: AbstractContextManager[object] | None = None,
) -> DecodedImage:
    """Decode the first frame of an image file at its native size.

    The format is told by content; names do not matter. Nothing is resized, rotated as EXIF asks (turning the
    picture would not change the analysis) or converted between colour profiles. See ``docs/images.md`` for what
    becomes of each mode.

    Parameters
    ----------
    source : str, path-like, bytes or binary file object
        A string is a path, surrogate escapes allowed; bytes are the content of a file. A file object is read from
        its start and left open.
    max_pixels : int > 0
        A file that declares more pixels (width times height) is refused before they are decoded.
    large_gate : context manager, optional
        Held while a file of more than `LARGE_PIXELS` pixels is decoded, so that several workers can take turns.

    Returns
    -------
    image : DecodedImage
        Pixels of shape (H, W, 3), uint8 RGB, read-only; and the facts.

    Raises
    ------
    ImageError
        If there is no such file, it is not a regular file, or not wholly an image of a format that is read here.
        The message is one printable line.

    Examples
    --------
    >>> image = read_image(b"P6 2 1 255 " + bytes([255, 0, 0, 0, 0, 255]))
    >>> image.pixels.tolist()
    [[[255, 0, 0], [0, 0, 255]]]
    >>> image.facts.format, image.facts.width, image.facts.height
    ('PPM', 2, 1)
    >>> read_image(b"<html>")
    Traceback (most recent call last):
    spectell.errors.ImageError: cannot read <6 bytes>: its content is not an image of a known format (JPEG, PNG, \
WEBP, AVIF, TIFF, BMP, GIF, PPM, HEIF)
    """
    with _one_error(source), ExitStack() as held:
        stream, owned = open_source(source)
        if owned:
            held.enter_context(stream)
        held.enter_context(pillow_silenced())
        head = stream.read(_HEAD)
        name = identify(head)
        if name in READ_WHOLE:
            _allow_whole_file(stream)
        pixels = canvas_pixels(head) if name == "WEBP" else None
        if pixels is None:
            image = open_image(name, stream)
            pixels = _admit(image.width * image.height, max_pixels, large_gate, held)
        else:
            _admit(pixels, max_pixels, large_gate, held)
            image = open_image(name, stream)
        if isinstance(stream, MeteredReader):
            stream.allowance = MAX_METADATA_BYTES + 16 * pixels
        return _decode(image, name, stream, max_pixels)


def _admit(pixels: int, max_pixels: int, large_gate: AbstractContextManager[object] | None, held: ExitStack) -> int:
    if pixels > max_pixels:
        raise Refused(f"it declares {pixels:,} pixels, more than max_pixels = {max_pixels:,}; raise that to read it")
    if large_gate is not None and pixels > LARGE_PIXELS:
        held.enter_context(large_gate)
    return pixels


def _allow_whole_file(stream: IO[bytes]) -> None:
    size = stream.seek(0, os.SEEK_END)
    if size > MAX_WHOLE_BYTES:
        raise Refused(f"it is larger than {MAX_WHOLE_BYTES >> 20} MiB, the most that its format may have here")
    if isinstance(stream, MeteredReader):
        stream.allowance = 2 * MAX_WHOLE_BYTES


def _decode(image: ImageFile.ImageFile, name: str, stream: IO[bytes], max_pixels: int) -> DecodedImage:
    mode = image.mode
    pixels, transparent = _rgb(image, name, stream, max_pixels)
    height, width, _ = pixels.shape
    blocks = gif_blocks(stream) if name == "GIF" else GifBlocks(1, {})
    quality, subsampling = _jpeg_facts(image) if name == "JPEG" else (None, None)
    facts = ImageFacts(
        format=name,
        width=width,
        height=height,
        mode=mode,
        frames=_count_frames(image, name, stream, blocks),
        transparent=transparent,
        jpeg_quality=quality,
        jpeg_subsampling=subsampling,
        c2pa=has_c2pa(image, name, stream, blocks.applications),
        digital_source_type=digital_source_type(image.info.get("xmp") or blocks.applications.get(b"XMP DataXMP")),
        generation_parameters=generation_key(image.info) if name == "PNG" else None,
    )
    return DecodedImage(pixels, facts)


def _rgb(image: ImageFile.ImageFile, name: str, stream: IO[bytes], max_pixels: int) -> tuple[Pixels, bool]:
    if image.mode == "RGB" and name in _STRAIGHT_TO_RGB and "transparency" not in image.info:
        position = stream.tell()
        pixels = _STRAIGHT_TO_RGB[name](stream, image.height, image.width)
        if pixels is not None:
            pixels.flags.writeable = False
            return pixels, False
        stream.seek(position)  # where Pillow's decoder goes on
    loaded = _load_as_stored(image) if name == "TIFF" else _load(image)
    if loaded.width * loaded.height > max_pixels:
        raise Refused(f"it turned out larger than it declared, and than max_pixels = {max_pixels:,}")
    if name == "TIFF":
        return to_rgb(_unsigned(loaded, image), bits=_significant_bits(image, name), negative=_white_is_zero(image))
    return to_rgb(loaded, bits=_significant_bits(image, name))


def _load(image: ImageFile.ImageFile) -> Image.Image:
    image.load()
    return image


def _load_as_stored(image: ImageFile.ImageFile) -> Image.Image:
    # Pillow turns TIFF files, and only those, as their orientation tag asks. Turning them back is lossless.
    tags = getattr(image, "tag_v2", {})
    if tags.get(_REDUCED_COPY, 0) & 1:
        raise Refused("its first picture is only a preview, as in raw camera files; develop it to a plain TIFF first")
    turn = _UNDO_ORIENTATION.get(image.getexif().get(_ORIENTATION, 1))
    with nullcontext() if image.info.get("compression") == "raw" else native_stderr_silenced():
        image.load()
    return image if turn is None else image.transpose(turn)


def _significant_bits(image: ImageFile.ImageFile, name: str) -> int | None:
    if name == "PPM" and image.mode == "I":
        return 16  # Pillow has scaled the samples to that from whatever maximum the file states
    if name == "TIFF" and image.mode.startswith("I;16"):
        return int(min(16, max(8, getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (16,))[0])))
    return None


def _white_is_zero(image: ImageFile.ImageFile) -> bool:
    """Without the tag too, as Pillow has it, which turns samples of 8 bits and fewer itself."""
    return bool(getattr(image, "tag_v2", {}).get(_PHOTOMETRIC, 0) == 0)


def _unsigned(loaded: Image.Image, image: ImageFile.ImageFile) -> Image.Image:
    """Undo Pillow's reading of unsigned samples of 32 bits as signed ones, where that changed any."""
    signed = getattr(image, "tag_v2", {}).get(_SAMPLE_FORMAT, (_UNSIGNED,))[0] != _UNSIGNED
    if loaded.mode != "I" or signed or np.asarray(loaded).min() >= 0:
        return loaded
    return Image.fromarray(np.asarray(loaded).view(np.uint32).astype(np.float32))


def _jpeg_facts(image: ImageFile.ImageFile) -> tuple[int | None, str | None]:
    layers: list[tuple[int, int, int, int]] = getattr(image, "layer", [])
    tables: dict[int, list[int]] = getattr(image, "quantization", {})
    quality = estimate_quality(tables.get(layers[0][3], ())) if layers else None
    return quality, name_subsampling([(across, down) for _, across, down, _ in layers])


def _count_frames(image: ImageFile.ImageFile, name: str, stream: IO[bytes], blocks: GifBlocks) -> int:
    if name == "JPEG":
        segments: list[tuple[str, bytes]] = getattr(image, "applist", [])
        return max((count_pictures(segment) for kind, segment in segments if kind == "APP2"), default=1)
    if name == "TIFF":
        return count_tiff_pages(stream)
    return blocks.frames if name == "GIF" else int(getattr(image, "n_frames", 1))


@contextmanager
def _one_error(source: object) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # decoders raise what they like: SyntaxError, KeyError, struct.error, MemoryError ...
        line = " ".join(_explain(error).split())
        printable = "".join(character if character.isprintable() else "?" for character in line)
        raise ImageError(f"cannot read {describe_source(source)}: {printable[:300]}") from error


def _explain(error: Exception) -> str:
    if isinstance(error, Refused):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory to decode it"
    if isinstance(error, Image.DecompressionBombError):
        return "it has more pixels than Pillow allows here; raise PIL.Image.MAX_IMAGE_PIXELS to read it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return f"it is damaged or of an unsupported kind ({str(error) or type(error).__name__})"
