"""Changes that a picture meets on its way: blur, crops, compression, noise, resizing.

They serve as training augmentation and as tests of robustness. A draw and its application are separate
(`spectell.perturbations.base`), so that a run can record what it did to which image, and replay it.
"""

from spectell.perturbations.base import Perturbation, Pixels, perturb
from spectell.perturbations.blur import GaussianBlur
from spectell.perturbations.chain import JpegChain
from spectell.perturbations.combine import OneOf, Sequence, Sometimes
from spectell.perturbations.crop import MarginCrop, OffsetCrop, WindowCrop
from spectell.perturbations.files import EncodedFile, result_file
from spectell.perturbations.jpeg import JpegRecompression
from spectell.perturbations.noise import GaussianNoise
from spectell.perturbations.presets import PERTURBATIONS, PRESETS, get_perturbation, get_preset
from spectell.perturbations.resize import Resize
from spectell.perturbations.social import Screenshot, SocialUpload
from spectell.perturbations.webp import WebpRecompression

__all__ = [
    "PERTURBATIONS",
    "PRESETS",
    "EncodedFile",
    "GaussianBlur",
    "GaussianNoise",
    "JpegChain",
    "JpegRecompression",
    "MarginCrop",
    "OffsetCrop",
    "OneOf",
    "Perturbation",
    "Pixels",
    "Resize",
    "Screenshot",
    "Sequence",
    "SocialUpload",
    "Sometimes",
    "WebpRecompression",
    "WindowCrop",
    "get_perturbation",
    "get_preset",
    "perturb",
    "result_file",
]
