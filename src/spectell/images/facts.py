"""What is known about an image once it has been read.

Facts come from the file's structure and never from its pixels, with one exception that says so. They name no
place, no owner and no device: positions, serial numbers and free text are not among them.
"""

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DEFAULT_MAX_PIXELS", "IMAGE_SUFFIXES", "LARGE_PIXELS", "DecodedImage", "ImageFacts"]

DEFAULT_MAX_PIXELS = 250_000_000
"""Pixels (width times height) that a file may declare: above every camera on sale, 200 megapixel phones among them."""

LARGE_PIXELS = 20_000_000
"""Pixels above which a file is decoded while holding the caller's gate, so that workers take turns."""

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".dib"}
    | {".gif", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".heic", ".heif", ".hif"}
)
"""Lower-case suffixes of the files that a walk over a folder offers to `read_image`; reading itself ignores names."""


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Facts about one image file.

    Parameters
    ----------
    format : str
        Container by content: ``JPEG``, ``PNG``, ``WEBP``, ``AVIF``, ``TIFF``, ``BMP``, ``GIF``, ``PPM`` (the whole
        Netpbm family) or ``HEIF``. A camera's multi-picture file is a ``JPEG`` with several `frames`.
    width, height : int > 0
        Size in pixels as stored, before any rotation that EXIF asks for.
    mode : str
        Pillow's name of the stored samples (``RGB``, ``L``, ``P``, ``CMYK``, ``I;16``, ...). Colour of 16 bits a
        channel is called ``RGB`` there too.
    frames : int >= 1
        Pictures in the file; only the first is decoded. Counted to 10,000 at most (GIF: within its first 16 MiB).
    transparent : bool
        Some decoded pixel is not opaque. Transparency is dropped, not composited, so pixels that a viewer hides
        were analysed. The only fact that looks at pixels.
    jpeg_quality : int in [1, 100] or None
        Quality on the scale of the Independent JPEG Group whose luminance table is nearest to the file's; exact for
        files written by libjpeg, an estimate for others. None unless the file is a JPEG.
    jpeg_subsampling : str or None
        Chroma subsampling such as ``4:2:0``; None for gray and for other formats.
    c2pa : bool
        The file carries a C2PA manifest store. Nobody has checked its signature.
    digital_source_type : str or None
        Last component of the IPTC DigitalSourceType in the XMP packet, such as ``trainedAlgorithmicMedia``.
    generation_parameters : str or None
        Key of the PNG text in which a generator left its settings, such as ``parameters``; never the text.

    Examples
    --------
    >>> facts = ImageFacts(format="PNG", width=4, height=3, mode="RGB")
    >>> facts.as_dict()["frames"], facts.jpeg_quality
    (1, None)
    """

    format: str
    width: int
    height: int
    mode: str
    frames: int = 1
    transparent: bool = False
    jpeg_quality: int | None = None
    jpeg_subsampling: str | None = None
    c2pa: bool = False
    digital_source_type: str | None = None
    generation_parameters: str | None = None

    def as_tuple(self) -> tuple[Any, ...]:
        """Return the values in the order of the fields; every one is a JSON scalar.

        Examples
        --------
        >>> ImageFacts(format="PNG", width=4, height=3, mode="RGB").as_tuple()[:5]
        ('PNG', 4, 3, 'RGB', 1)
        """
        return tuple(_values(self))

    def as_dict(self) -> dict[str, Any]:
        """Return a fresh dictionary of field names and values.

        Examples
        --------
        >>> list(ImageFacts(format="PNG", width=4, height=3, mode="RGB").as_dict())[:4]
        ['format', 'width', 'height', 'mode']
        """
        return dict(zip(_NAMES, _values(self), strict=True))


_NAMES = tuple(field.name for field in fields(ImageFacts))
_values = attrgetter(*_NAMES)


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """Pixels of the first frame of a file, and its facts.

    Parameters
    ----------
    pixels : ndarray of shape (H, W, 3), uint8
        RGB, C-contiguous and read-only: copy before changing it.
    facts : ImageFacts
        What the file says about itself.

    Examples
    --------
    >>> facts = ImageFacts(format="PNG", width=4, height=3, mode="RGB")
    >>> DecodedImage(np.zeros((3, 4, 3), np.uint8), facts).pixels.shape
    (3, 4, 3)
    """

    pixels: npt.NDArray[np.uint8]
    facts: ImageFacts
