"""The only reader of image files: bytes, path or file object in, RGB pixels and facts out.

Everything above this room sees pixels as ``uint8`` arrays of shape (H, W, 3) and never a decoder. Importing
the package loads Pillow's core but none of its format plug-ins: the plug-in of a format is imported when the
first file of that format is read.
"""

from spectell.images.facts import DEFAULT_MAX_PIXELS, IMAGE_SUFFIXES, LARGE_PIXELS, DecodedImage, ImageFacts
from spectell.images.reader import read_image
from spectell.images.sources import describe_path

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "IMAGE_SUFFIXES",
    "LARGE_PIXELS",
    "DecodedImage",
    "ImageFacts",
    "describe_path",
    "read_image",
]
