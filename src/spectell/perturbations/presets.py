"""Perturbations and published sets of them, by name.

``frank2020`` is what the paper describes: each perturbation is applied to half of the images, parameters drawn for
every image, and ``combined`` applies them one after the other, each with probability one half. The paper states the
kernel sizes of the blur but no sigma: OpenCV's rule for an unstated one is used.

``frank2020-code`` is what the authors' published script does instead:

- JPEG: the quality is passed where OpenCV expects the number of a setting, so that every file has OpenCV's default
  quality of 95; and an RGB image is passed where OpenCV expects BGR.
- noise: the number drawn as the variance multiplies a unit normal, so it is the standard deviation; the sum is cut
  off to an integer, not rounded.
- blur: sigma is OpenCV's number for a border mode, 4, at every kernel size.
- crop: height and width are swapped where the picture is enlarged.
- combined: the four take turns from one image to the next, so that an image gets one of them or none. Here the one
  is drawn.

Not reproduced, because they need OpenCV itself: its bicubic kernel (steeper than Pillow's) and its integer
arithmetic in the blur.
"""

from typing import Any

from spectell.errors import ParameterError
from spectell.perturbations.base import Perturbation
from spectell.perturbations.blur import GaussianBlur
from spectell.perturbations.chain import JpegChain
from spectell.perturbations.combine import OneOf, Sequence, Sometimes
from spectell.perturbations.crop import MarginCrop, OffsetCrop, WindowCrop
from spectell.perturbations.jpeg import JpegRecompression
from spectell.perturbations.noise import GaussianNoise
from spectell.perturbations.resize import Resize
from spectell.perturbations.social import Screenshot, SocialUpload
from spectell.perturbations.webp import WebpRecompression

__all__ = ["PERTURBATIONS", "PRESETS", "get_perturbation", "get_preset"]

PERTURBATIONS: dict[str, type[Any]] = {
    "blur": GaussianBlur,
    "crop": MarginCrop,
    "jpeg": JpegRecompression,
    "jpeg-chain": JpegChain,
    "noise": GaussianNoise,
    "offset": OffsetCrop,
    "resize": Resize,
    "screenshot": Screenshot,
    "social": SocialUpload,
    "webp": WebpRecompression,
    "window": WindowCrop,
}
"""Every elementary perturbation by the name that the command line and a record use."""

_PAPER: dict[str, Perturbation] = {
    "blur": GaussianBlur(min_sigma=None, max_sigma=None, kernel_sizes=(3, 5, 7, 9)),
    "crop": MarginCrop(min_share=0.05, max_share=0.2),
    "jpeg": JpegRecompression(min_quality=10, max_quality=75),
    "noise": GaussianNoise(min_sigma=5**0.5, max_sigma=20**0.5, uniform_in="variance"),
}
_CODE: dict[str, Perturbation] = {
    "blur": GaussianBlur(min_sigma=4.0, max_sigma=4.0, kernel_sizes=(3, 5, 7, 9)),
    "crop": MarginCrop(min_share=0.05, max_share=0.2, swap_sides=True),
    "jpeg": JpegRecompression(min_quality=95, max_quality=95, reverse_channels=True),
    "noise": GaussianNoise(min_sigma=5.0, max_sigma=20.0, truncate=True),
}

PRESETS: dict[str, dict[str, Perturbation]] = {
    "frank2020": {
        **{name: Sometimes(step, 0.5) for name, step in _PAPER.items()},
        "combined": Sequence(tuple(_PAPER.values()), probability=0.5),
    },
    "frank2020-code": {
        **{name: Sometimes(step, 0.5) for name, step in _CODE.items()},
        "combined": Sometimes(OneOf(tuple(_CODE.values())), 0.5),
    },
}
"""Published sets of perturbations: preset, then name, then the perturbation with the published parameters."""


def get_perturbation(name: str, **parameters: Any) -> Perturbation:
    """Return the perturbation called `name`, with these constructor arguments or else its defaults.

    Raises
    ------
    ParameterError
        If no perturbation has that name, or an argument does not fit it.

    Examples
    --------
    >>> get_perturbation("offset", max_offset=15)
    OffsetCrop(max_offset=15)
    """
    kind = PERTURBATIONS.get(name)
    if kind is None:
        raise ParameterError(f"unknown perturbation {name!r}; choose one of {', '.join(PERTURBATIONS)}")
    known = kind.__dataclass_fields__
    for argument in parameters:
        if argument not in known:
            raise ParameterError(f"perturbation {name!r} has no parameter {argument!r}; choose from {', '.join(known)}")
    perturbation: Perturbation = kind(**parameters)
    return perturbation


def get_preset(preset: str, name: str) -> Perturbation:
    """Return the perturbation called `name` as `preset` defines it.

    Raises
    ------
    ParameterError
        If there is no such preset, or it has no such perturbation.

    Examples
    --------
    >>> get_preset("frank2020-code", "noise").perturbation.max_sigma
    20.0
    """
    members = PRESETS.get(preset)
    if members is None:
        raise ParameterError(f"unknown preset {preset!r}; choose one of {', '.join(PRESETS)}")
    if name not in members:
        raise ParameterError(f"preset {preset!r} has no perturbation {name!r}; choose one of {', '.join(members)}")
    return members[name]
