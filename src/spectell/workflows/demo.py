"""The main job on input that everybody has: photographs from installed packages, and images made on the spot.

The folder that it writes is a data set by this package's own convention, a sub-folder ``real`` and one for each
generator, so that every other command can go on from there. Nothing is downloaded.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spectell.errors import MismatchError
from spectell.evaluation.thresholds import DEFAULT_FPR
from spectell.generators.tiny import load_tiny_generators
from spectell.spectra import block_spectra
from spectell.workflows.photographs import read_photographs
from spectell.workflows.scan import scan
from spectell.workflows.verdict import Verdict

if TYPE_CHECKING:
    from spectell.detectors import Model

__all__ = [
    "OUTCOMES",
    "PICTURE_TITLE",
    "DemoResult",
    "DemoRow",
    "is_demo_picture",
    "mean_spectrum",
    "run_demo",
    "write_demo_images",
]

OUTCOMES = ("right", "inconclusive", "wrong", "error")
PICTURE_TITLE = "Spectell demonstration"
"""The title in every PNG file of the demonstration, by which a later one knows what it may replace."""

_SIZE = 256
"""Sides of every image, in pixels: the same for both classes, as their format is."""
_HEAD = 4096
"""Bytes of a PNG file in which its title stands, if it has one of ours."""
_IMAGES_A_GENERATOR = 3
_BLOCK = 64
"""Sides of the blocks whose spectra are averaged: enough frequencies to tell the peaks of three doublings apart."""


@dataclass(frozen=True, slots=True)
class DemoRow:
    """A verdict and the truth.

    Parameters
    ----------
    truth : str
        ``real``, or the name of the generator.
    verdict : Verdict

    Examples
    --------
    >>> row = DemoRow("shuffle", Verdict("a.png", "real", 0.2, -1.4, 0.01, "default"))
    >>> row.outcome
    'wrong'
    """

    truth: str
    verdict: Verdict

    @property
    def outcome(self) -> str:
        """One of `OUTCOMES`: an inconclusive verdict is neither right nor wrong."""
        if self.verdict.verdict in ("inconclusive", "error"):
            return self.verdict.verdict
        expected = "real" if self.truth == "real" else "generated"
        return "right" if self.verdict.verdict == expected else "wrong"

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict's fields, then ``truth`` and ``outcome``, as values that JSON knows."""
        return {**self.verdict.as_dict(), "truth": self.truth, "outcome": self.outcome}


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What the demonstration found.

    Parameters
    ----------
    rows : tuple of DemoRow
        The real images first.
    real_spectrum, generated_spectrum : ndarray of shape (64, 64)
        As `mean_spectrum` returns them.
    """

    rows: tuple[DemoRow, ...]
    real_spectrum: npt.NDArray[np.float64]
    generated_spectrum: npt.NDArray[np.float64]

    @property
    def counts(self) -> dict[str, int]:
        """How many rows had each of `OUTCOMES`, zeros included."""
        counted = Counter(row.outcome for row in self.rows)
        return {outcome: counted[outcome] for outcome in OUTCOMES}


def run_demo(
    folder: str | os.PathLike[str],
    *,
    model: Model | str | os.PathLike[str] | None = None,
    fpr: float = DEFAULT_FPR,
    seed: int = 0,
) -> DemoResult:
    """Write real and generated images, scan them, and average their spectra.

    Parameters
    ----------
    folder : path
        Where the images go, see `write_demo_images`.
    model : Model or path, optional
        What judges; the bundled model by default.
    fpr : float
        Share of real photographs that may be called generated.
    seed : int >= 0
        Of the generated images.

    Returns
    -------
    result : DemoResult

    Raises
    ------
    MismatchError
        If the folder cannot be written, another file lies where an image would go, or the model does not support `fpr`.
    ParameterError
        If an argument is out of its range.
    ArtifactError
        If the model or the generators' weights cannot be read.
    ImageError
        If no photograph is installed.
    """
    images = write_demo_images(folder, seed=seed)
    verdicts = scan([path for path, _, _ in images], model=model, fpr=fpr, workers=1)
    rows = tuple(DemoRow(truth, verdict) for (_, truth, _), verdict in zip(images, verdicts, strict=True))
    return DemoResult(
        rows,
        mean_spectrum(pixels for _, truth, pixels in images if truth == "real"),
        mean_spectrum(pixels for _, truth, pixels in images if truth != "real"),
    )


def write_demo_images(folder: str | os.PathLike[str], *, seed: int = 0) -> list[tuple[str, str, npt.NDArray[np.uint8]]]:
    """Write crops of photographs and generated images, all 256 x 256 PNG files.

    Parameters
    ----------
    folder : path
        Made if it does not exist. Photographs go to ``real``, generated images to a sub-folder for each generator;
        those of an earlier demonstration are replaced, other files are left alone.
    seed : int >= 0
        Of the generated images.

    Returns
    -------
    images : list of (str, str, ndarray of shape (256, 256, 3))
        Path, truth (``real`` or the generator's name) and pixels of each.

    Raises
    ------
    MismatchError
        If the folder cannot be written, or another file lies where an image would go; then nothing is written.
    ParameterError
        If `seed` is negative.
    ArtifactError
        If the generators' weights cannot be read.
    ImageError
        If no photograph is installed.
    """
    made = [("real", name, pixels) for name, pixels in _crops(read_photographs())]
    generators, _ = load_tiny_generators()
    for name, generator in generators.items():
        for index in range(_IMAGES_A_GENERATOR):
            made.append((name, f"{name}-{index}", generator.generate(seed, index, height=_SIZE, width=_SIZE)))
    placed = [(Path(folder) / truth / f"{name}.png", truth, pixels) for truth, name, pixels in made]
    for path, _, _ in placed:
        if os.path.lexists(path) and not is_demo_picture(path):
            raise MismatchError(f"{path} is not a picture of the demonstration; choose another folder")
    return [(_write(path, pixels), truth, pixels) for path, truth, pixels in placed]


def is_demo_picture(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a picture that a demonstration wrote.

    Raises
    ------
    OSError
        If there is a file that cannot be read.

    Examples
    --------
    >>> is_demo_picture("no-such-picture.png")
    False
    """
    place = Path(path)
    if not place.is_file():  # a pipe would block whoever reads it
        return False
    with place.open("rb") as file:
        head = file.read(_HEAD)
    return head.startswith(b"\x89PNG\r\n") and b"tEXtTitle\0" + PICTURE_TITLE.encode() in head


def mean_spectrum(images: Iterable[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float64]:
    """Average the block spectra of several images.

    Parameters
    ----------
    images : iterable of ndarray of shape (H, W, 3), uint8
        At least one, with sides of at least 64 pixels; every image counts alike.

    Returns
    -------
    log_mean_power : ndarray of shape (64, 64), float64
        Of the luma, in nats: the mean, over images, of the logarithm of the mean power over an image's blocks.

    Examples
    --------
    >>> noise = np.random.default_rng(0).integers(0, 2, (128, 128, 1), np.uint8).repeat(3, axis=-1) * np.uint8(6)
    >>> round(float(np.exp(mean_spectrum([noise])[1:, 1:]).mean()))
    9
    """
    spectra = [block_spectra(image, size=_BLOCK, max_blocks=None).log_mean_power[..., 0] for image in images]
    # Logarithms are averaged: in a mean of powers one busy picture would hide all the others.
    return np.asarray(np.mean(spectra, axis=0, dtype=np.float64))


def _crops(photographs: dict[str, npt.NDArray[np.uint8]]) -> Iterable[tuple[str, npt.NDArray[np.uint8]]]:
    """Yield as many crops of the native pixels as fit side by side, the rest divided between the borders."""
    for name, pixels in photographs.items():
        tops, lefts = (range(size % _SIZE // 2, size - _SIZE + 1, _SIZE) for size in pixels.shape[:2])
        starts = [(top, left) for top in tops for left in lefts]
        for index, (top, left) in enumerate(starts):
            yield f"{name}-{index}", pixels[top : top + _SIZE, left : left + _SIZE]


def _write(path: Path, pixels: npt.NDArray[np.uint8]) -> str:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    title = PngInfo()
    title.add_text("Title", PICTURE_TITLE)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path, pnginfo=title)
    except OSError as error:
        raise MismatchError(f"cannot write {path}: {error.strerror or error}; choose another folder") from error
    return str(path)
