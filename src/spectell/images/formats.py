"""Tell the format from the first bytes, and open it with the one Pillow plug-in that reads it.

The plug-in classes are used directly rather than through ``Image.open``, for three reasons: no other plug-in can
run, whatever the bytes say; only the plug-in that is needed is imported; and the limit on pixels is the caller's,
not a global of Pillow's.
"""

from importlib import import_module
from typing import IO

from PIL import ImageFile

from spectell.images.sources import Refused

__all__ = ["FORMATS", "LOSSLESS", "LOSSY", "READ_WHOLE", "canvas_pixels", "identify", "open_image"]

FORMATS = {
    "JPEG": ("PIL.JpegImagePlugin", "JpegImageFile"),
    "PNG": ("PIL.PngImagePlugin", "PngImageFile"),
    "WEBP": ("PIL.WebPImagePlugin", "WebPImageFile"),
    "AVIF": ("PIL.AvifImagePlugin", "AvifImageFile"),
    "TIFF": ("PIL.TiffImagePlugin", "TiffImageFile"),
    "BMP": ("PIL.BmpImagePlugin", "BmpImageFile"),
    "GIF": ("PIL.GifImagePlugin", "GifImageFile"),
    "PPM": ("PIL.PpmImagePlugin", "PpmImageFile"),
    "HEIF": ("pillow_heif", "HeifImageFile"),
}
"""Format name to the module and the class that decode it."""

READ_WHOLE = frozenset({"WEBP", "AVIF", "HEIF"})
"""Formats whose decoder takes the whole file into memory."""

LOSSLESS = frozenset({"PNG", "TIFF", "BMP", "PPM"})
"""Formats that keep pixels as they are; what was done to them before, a file does not say."""

LOSSY = frozenset({"JPEG", "AVIF", "HEIF"})
"""Formats that are taken to have changed the pixels. WebP may be of either kind; a GIF keeps pixels but few colours."""

_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
)


def identify(head: bytes) -> str:
    r"""Name the format of a file from its first 256 bytes.

    Parameters
    ----------
    head : bytes
        The beginning of the file; fewer bytes only when the file is shorter.

    Returns
    -------
    format : str
        A key of `FORMATS`.

    Raises
    ------
    Refused
        If the bytes begin no format that is read here.

    Examples
    --------
    >>> identify(b"\xff\xd8\xff\xe0"), identify(b"P6 4 3 255\n")
    ('JPEG', 'PPM')
    """
    if not head:
        raise Refused("the file is empty")
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp" and (family := _identify_brands(head)):
        return family
    if head[:1] == b"P" and ((head[1:2] in b"123456" and head[2:3].isspace()) or head[1:3] == b"f\n"):
        return "PPM"
    raise Refused(f"its content is not an image of a known format ({', '.join(FORMATS)})")


def _identify_brands(head: bytes) -> str | None:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & _AVIF_BRANDS and head[8:12] not in _HEIF_BRANDS - {b"mif1", b"msf1"}:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else None


def canvas_pixels(head: bytes) -> int | None:
    r"""Pixels that a WebP file declares, which its decoder allocates as soon as it is created.

    Parameters
    ----------
    head : bytes
        The first 30 bytes of a WebP file, or more.

    Returns
    -------
    pixels : int or None
        Width times height; None when the header is damaged, which the decoder will find too.

    References
    ----------
    .. [1] RFC 9649, WebP image format, sections 2.5 to 2.7.

    Examples
    --------
    >>> canvas_pixels(b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\x03\0\0" + b"\x02\0\0")
    12
    """
    if len(head) < 30:
        return None
    chunk = head[12:16]
    if chunk == b"VP8X":
        return (int.from_bytes(head[24:27], "little") + 1) * (int.from_bytes(head[27:30], "little") + 1)
    if chunk == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return ((bits & 0x3FFF) + 1) * ((bits >> 14 & 0x3FFF) + 1)
    if chunk == b"VP8 ":
        sides = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
        return (sides[0] & 0x3FFF) * (sides[1] & 0x3FFF)
    return None


def open_image(name: str, stream: IO[bytes]) -> ImageFile.ImageFile:
    """Parse the header of a file of a known format; the pixels are not decoded yet.

    Parameters
    ----------
    name : str
        A key of `FORMATS`.
    stream : seekable binary file
        Stays open, and is read again when the pixels are loaded.

    Raises
    ------
    Refused
        If the library for this format is not installed.
    Exception
        Whatever the plug-in raises for a damaged file.
    """
    module_name, class_name = FORMATS[name]
    try:
        module = import_module(module_name)
    except ImportError as error:
        if name != "HEIF":
            raise
        raise Refused("it is a HEIF (HEIC) image; to read those, run: pip install 'spectell[heif]'") from error
    stream.seek(0)
    image: ImageFile.ImageFile = getattr(module, class_name)(stream)
    return image
