"""A perturbed picture as a file: the perturbation's own where it is a file format, else a PNG.

Invariant: decoding the file gives exactly the pixels that `apply` returns. Only a perturbation whose last step writes a
file has one of its own; noise added to a JPEG is no JPEG any more.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from spectell.perturbations.base import Perturbation, Pixels, check_image

__all__ = ["EncodedFile", "encode_png", "own_file", "result_file"]


@dataclass(frozen=True, slots=True)
class EncodedFile:
    """The bytes of an image file and the suffix of its name.

    Parameters
    ----------
    suffix : str
        With its dot: ``.png``, ``.jpg`` or ``.webp``.
    content : bytes
        The whole file.
    """

    suffix: str
    content: bytes


def result_file(perturbation: Perturbation, image: Pixels, parameters: Any, *, lossless: bool = False) -> EncodedFile:
    """Apply a perturbation, and return what it makes of the picture as a file.

    Parameters
    ----------
    perturbation : Perturbation
    image : ndarray of shape (H, W, 3), uint8
    parameters : JSON value
        A draw of the perturbation.
    lossless : bool
        A PNG in any case, with the same pixels.

    Returns
    -------
    file : EncodedFile

    Examples
    --------
    >>> from spectell.perturbations.jpeg import JpegRecompression
    >>> jpeg, image = JpegRecompression(), np.zeros((8, 8, 3), np.uint8)
    >>> parameters = jpeg.draw(np.random.default_rng(0), image.shape)
    >>> result_file(jpeg, image, parameters).suffix, result_file(jpeg, image, parameters, lossless=True).suffix
    ('.jpg', '.png')
    """
    made = None if lossless else own_file(perturbation, image, parameters)
    return EncodedFile(".png", encode_png(perturbation.apply(image, parameters))) if made is None else made


def own_file(perturbation: Perturbation, image: Pixels, parameters: Any) -> EncodedFile | None:
    """Return the file that a perturbation writes, or None where it changes pixels only.

    A perturbation that may write one has a method ``encode(image, parameters)`` that returns it or None.

    Examples
    --------
    >>> from spectell.perturbations.noise import GaussianNoise
    >>> print(own_file(GaussianNoise(), np.zeros((8, 8, 3), np.uint8), {"sigma": 1.0, "seed": 0}))
    None
    """
    encode = getattr(perturbation, "encode", None)
    if encode is None:
        return None
    made: EncodedFile | None = encode(image, parameters)
    return made


def encode_png(image: Pixels) -> bytes:
    r"""Return `image` as the bytes of a PNG file.

    Raises
    ------
    ShapeError
        If `image` is not an RGB image of 8 bit.

    Examples
    --------
    >>> encode_png(np.zeros((8, 8, 3), np.uint8))[:4]
    b'\x89PNG'
    """
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(check_image(image))).save(buffer, format="PNG")
    return buffer.getvalue()
