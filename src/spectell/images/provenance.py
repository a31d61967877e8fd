"""Marks of provenance that a file carries, as facts and never as evidence: anyone can add or strip them.

Only the presence of a mark, or a term of a controlled vocabulary, is reported. Free text, positions, names and
serial numbers stay in the file.
"""

import re
from collections.abc import Mapping
from typing import IO, Any

from PIL import ImageFile

from spectell.images.containers import bmff_boxes, riff_chunks

__all__ = ["digital_source_type", "generation_key", "has_c2pa", "is_manifest_store"]

_MANIFEST_STORE = bytes.fromhex("63327061 0011 0010 8000 00AA00389B71")
_MANIFEST_BOX = bytes.fromhex("D8FEC3D6 1B0E 483C 9297 5828877EC481")
_TIFF_MANIFEST = 52545
_HEADER = 40
"""Bytes that hold the headers of a box and of the description box in it."""


def is_manifest_store(box: bytes) -> bool:
    r"""Whether a JUMBF superbox says that it is a C2PA manifest store.

    Parameters
    ----------
    box : bytes
        The beginning of the box; 40 bytes are enough.

    Returns
    -------
    present : bool

    References
    ----------
    .. [1] C2PA Technical Specification 2.2, sections 11.1 and A.3.
    .. [2] ISO/IEC 19566-5:2023, JPEG universal metadata box format.

    Examples
    --------
    >>> store = bytes.fromhex("63327061 0011 0010 8000 00AA00389B71")
    >>> is_manifest_store(b"\0\0\0\x30jumb" + b"\0\0\0\x1ejumd" + store + b"\3c2pa\0")
    True
    >>> is_manifest_store(b"\0\0\0\x30jumb" + b"\0\0\0\x1ejumd" + b"json" + store[4:] + b"\3json\0")
    False
    """
    start = 16 if box[:4] == b"\0\0\0\1" else 8
    return box[4:8] == b"jumb" and box[start + 4 : start + 24] == b"jumd" + _MANIFEST_STORE


def has_c2pa(image: ImageFile.ImageFile, name: str, stream: IO[bytes], applications: Mapping[bytes, bytes]) -> bool:
    """Whether a file holds a C2PA manifest store, in the place that its format has for one.

    Parameters
    ----------
    image : loaded Pillow image
        Supplies the segments, chunks or tags that its plug-in has parsed.
    name : str
        Format of the file.
    stream : seekable binary file
        The file.
    applications : mapping of bytes to bytes
        Application extensions of a GIF; empty for other formats.

    References
    ----------
    .. [1] C2PA Technical Specification 2.2, section A.3 (embedding into JPEG, PNG, RIFF, BMFF, TIFF and GIF).
    """
    if name == "JPEG":
        segments: list[tuple[str, bytes]] = getattr(image, "applist", [])
        return any(k == "APP11" and s[:2] == b"JP" and is_manifest_store(s[8 : 8 + _HEADER]) for k, s in segments)
    if name == "PNG":
        chunks: list[tuple[Any, ...]] = getattr(image, "private_chunks", [])
        return any(chunk[0] == b"caBX" and is_manifest_store(chunk[1][:_HEADER]) for chunk in chunks)
    if name == "WEBP":
        return any(fourcc == b"C2PA" and is_manifest_store(data) for fourcc, data in riff_chunks(stream, _HEADER))
    if name in ("AVIF", "HEIF"):
        return any(kind == b"uuid" and data == _MANIFEST_BOX for kind, data in bmff_boxes(stream, 16))
    if name == "TIFF":
        value = getattr(image, "tag_v2", {}).get(_TIFF_MANIFEST)
        return isinstance(value, bytes) and is_manifest_store(value[:_HEADER])
    return is_manifest_store(applications.get(b"C2PA_GIF\1\0\0", b"")[1 : 1 + _HEADER])


_XMP_WINDOW = 2**20
_SOURCE_TYPE = re.compile(
    rb"DigitalSourceType\s{0,9}"
    rb"(?:=\s{0,9}[\"']|[^<>]{0,200}?resource\s{0,9}=\s{0,9}[\"']|[^<>]{0,200}>\s{0,99})"
    rb"[^\"'<>\s]{0,200}?([A-Za-z][A-Za-z0-9]{0,63})[\"'<\s]"
)


def digital_source_type(xmp: object) -> str | None:
    r"""Last component of the IPTC DigitalSourceType in an XMP packet.

    The packet is searched, not parsed: no entity is expanded, nothing is fetched, and only its first MiB is looked
    at. The value is reported only if it is a single word, as every term of the vocabulary is.

    Parameters
    ----------
    xmp : bytes, str or anything else
        The packet; other types hold none.

    Returns
    -------
    term : str or None
        Such as ``trainedAlgorithmicMedia``, ``compositeWithTrainedAlgorithmicMedia`` or ``digitalCapture``.

    References
    ----------
    .. [1] IPTC NewsCodes, Digital Source Type, http://cv.iptc.org/newscodes/digitalsourcetype/

    Examples
    --------
    >>> term = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    >>> digital_source_type(f'<x Iptc4xmpExt:DigitalSourceType="{term}"/>')
    'trainedAlgorithmicMedia'
    """
    if isinstance(xmp, str):
        xmp = xmp[:_XMP_WINDOW].encode("utf-8", "replace")
    if not isinstance(xmp, bytes) or b"DigitalSourceType" not in xmp:
        return None
    found = _SOURCE_TYPE.search(xmp[:_XMP_WINDOW])
    return found[1].decode("ascii") if found else None


_SETTINGS_KEYS = (
    "parameters",  # AUTOMATIC1111, Forge, Fooocus
    "prompt",  # ComfyUI
    "workflow",  # ComfyUI
    "invokeai_metadata",
    "invokeai_graph",
    "sd-metadata",  # InvokeAI before version 3
    "Dream",  # InvokeAI before version 2
    "fooocus_scheme",
)
_GENERATORS = re.compile(
    r"NovelAI|Stable ?Diffusion|Midjourney|ComfyUI|InvokeAI|Fooocus|Draw ?Things|DALL.?E|Adobe Firefly|Imagen\b", re.I
)
_MIDJOURNEY_JOB = re.compile(r"Job ID: [0-9a-f]{8}-")


def generation_key(texts: Mapping[Any, Any]) -> str | None:
    """Key of the first PNG text that a generator is known to leave.

    Parameters
    ----------
    texts : mapping of str to str
        Texts by key; entries of other types are ignored.

    Returns
    -------
    key : str or None
        One of a fixed list, never the text: ``parameters``, ``prompt``, ``workflow`` and the like whatever they hold,
        ``Software`` if it names a known generator, ``Description`` if it ends in a Midjourney job.

    Examples
    --------
    >>> generation_key({"parameters": "a cat, Steps: 20"}), generation_key({"Software": "GIMP 2.10"})
    ('parameters', None)
    """
    for key in _SETTINGS_KEYS:
        if isinstance(texts.get(key), str):
            return key
    for key, pattern in (("Software", _GENERATORS), ("Description", _MIDJOURNEY_JOB)):
        text = texts.get(key)
        if isinstance(text, str) and pattern.search(text, 0, 10_000):
            return key
    return None
