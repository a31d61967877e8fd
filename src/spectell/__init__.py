"""Tell generated images from photographs by their frequency spectrum.

>>> import spectell
>>> for verdict in spectell.scan("holiday.jpg"):  # doctest: +SKIP
...     print(verdict.path, verdict.verdict, verdict.probability)

Every name below is imported when it is first used, so that ``import spectell`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spectell.detectors import Model, ModelCard, Score, load_model, save_model
    from spectell.errors import (
        ArtifactError,
        ImageError,
        ManifestError,
        MismatchError,
        ParameterError,
        ShapeError,
        SpectellError,
    )
    from spectell.images import DecodedImage, ImageFacts, read_image
    from spectell.workflows.scan import scan, scan_to_file
    from spectell.workflows.spectrum import spectrum
    from spectell.workflows.verdict import Judgement, Verdict, judge, path_from_text, printable_path

_HOMES = {
    "spectell.detectors": ("Model", "ModelCard", "Score", "load_model", "save_model"),
    "spectell.errors": (
        "ArtifactError",
        "ImageError",
        "ManifestError",
        "MismatchError",
        "ParameterError",
        "ShapeError",
        "SpectellError",
    ),
    "spectell.images": ("DecodedImage", "ImageFacts", "read_image"),
    "spectell.workflows.scan": ("scan", "scan_to_file"),
    "spectell.workflows.spectrum": ("spectrum",),
    "spectell.workflows.verdict": ("Judgement", "Verdict", "judge", "path_from_text", "printable_path"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "ArtifactError",
    "DecodedImage",
    "ImageError",
    "ImageFacts",
    "Judgement",
    "ManifestError",
    "MismatchError",
    "Model",
    "ModelCard",
    "ParameterError",
    "Score",
    "ShapeError",
    "SpectellError",
    "Verdict",
    "judge",
    "load_model",
    "path_from_text",
    "printable_path",
    "read_image",
    "save_model",
    "scan",
    "scan_to_file",
    "spectrum",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("spectell")
    if name not in _HOME:
        raise AttributeError(f"module 'spectell' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
