r"""One row of a result: what a file is, how sure that is, and what a reader must know beside it.

The rule that turns a score into a verdict lives in `spectell.evaluation.thresholds`; here it is applied, and overruled
by *inconclusive* where the model cannot know: the image is smaller than the model can score, or unlike anything in
its training. Provenance marks in the file are facts about the file and never move the verdict, in either direction:
anybody can write or strip them.

Paths are kept exactly as given. Where they leave the program as text, a byte that is not UTF-8 is written ``\xHH``
(`printable_path`), which `path_from_text` reverses.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spectell.errors import MismatchError
from spectell.evaluation.calibration import logistic
from spectell.evaluation.thresholds import DEFAULT_FPR
from spectell.spectra import resampling_trace

if TYPE_CHECKING:
    from spectell.detectors import Model
    from spectell.images import DecodedImage, ImageFacts

__all__ = [
    "FIELDS",
    "HEAVY_COMPRESSION",
    "Judgement",
    "Verdict",
    "judge",
    "path_from_text",
    "printable_path",
]

HEAVY_COMPRESSION = 50
"""JPEG qualities below this are warned about: the quantiser has removed most of what lies above the low frequencies."""

TOO_SMALL = "too small for this model"
UNLIKE_TRAINING = "unlike anything in training"
HEAVILY_COMPRESSED = "heavily compressed"
LOOKS_RESIZED = "looks resized, which hides what generators leave"
SEVERAL_FRAMES = "only the first frame was judged"
TRANSPARENT = "transparency was ignored"
HAS_C2PA = "carries a C2PA manifest, which is no evidence"
HAS_SOURCE_TYPE = "declares a digital source type, which is no evidence"
HAS_PARAMETERS = "carries a generator's parameters, which are no evidence"

_RAW_BYTE = re.compile("[\udc80-\udcff]")
_ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
_LITERAL_ESCAPE = re.compile(r"\\(?=x[0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Verdict:
    r"""What one file is said to be; the fields of a result row, in their order.

    Parameters
    ----------
    path : str
        The file as it was given; bytes that are not UTF-8 are surrogate-escaped, so that it can be opened again.
    verdict : {"real", "generated", "inconclusive", "error"}
    probability : float in [0, 1] or None
        That the image is generated if half of all images were; the logistic of `score`. None in an error row alone.
    score : float or None
        Calibrated log-odds, higher = more likely generated. 0, with a probability of 0.5, when the image is too small
        to be scored. None in an error row alone.
    fpr : float
        The requested false-positive rate.
    model : str
        Name of the model.
    width, height : int or None
        In pixels; None when the file could not be read.
    format : str or None
        As found in the content, whatever the suffix: "JPEG", "PNG", ...
    jpeg_quality : int or None
        Estimated from the quantisation tables; None for other formats.
    warnings : tuple of str
        Short fixed sentences, each at most once.
    error : str or None
        Why there is no verdict, in one line.
    generator : str or None
        Of the generators that the model tells apart, the one whose images this one is most like; None where the
        verdict is not ``generated``, or the model knows no generator by its name.

    Examples
    --------
    >>> verdict = Verdict("a.jpg", "real", 0.25, -1.0986, 0.01, "default", 640, 480, "JPEG", 92)
    >>> verdict.verdict, verdict.as_dict()["width"], tuple(verdict.as_dict()) == FIELDS
    ('real', 640, True)
    """

    path: str
    verdict: str
    probability: float | None
    score: float | None
    fpr: float
    model: str
    width: int | None = None
    height: int | None = None
    format: str | None = None
    jpeg_quality: int | None = None
    warnings: tuple[str, ...] = ()
    error: str | None = None
    generator: str | None = None

    @classmethod
    def failed(cls, path: str, error: str, *, fpr: float, model: str) -> Verdict:
        """Return the row of a file that could not be judged, for a reason given in one line.

        Examples
        --------
        >>> row = Verdict.failed("a.jpg", "it is empty", fpr=0.01, model="default")
        >>> row.verdict, row.probability, row.error
        ('error', None, 'it is empty')
        """
        return cls(path, "error", None, None, fpr, model, error=error)

    def as_dict(self) -> dict[str, Any]:
        r"""Return the row as values that JSON knows; never NaN, and text that is always valid UTF-8.

        Examples
        --------
        >>> Verdict.failed("caf\udce9.jpg", "it is empty", fpr=0.01, model="default").as_dict()["path"]
        'caf\\xe9.jpg'
        """
        return {
            "path": printable_path(self.path),
            "verdict": self.verdict,
            "probability": self.probability,
            "score": self.score,
            "fpr": self.fpr,
            "model": self.model,
            "width": self.width,
            "height": self.height,
            "format": self.format,
            "jpeg_quality": self.jpeg_quality,
            "warnings": list(self.warnings),
            "error": None if self.error is None else _without_raw_bytes(self.error),
            "generator": None if self.generator is None else _without_raw_bytes(self.generator),
        }


FIELDS = tuple(Verdict.__dataclass_fields__)
"""The names of a row's fields, in the order of every output format."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What `judge` says about pixels: the part of a `Verdict` that does not depend on the file's name."""

    verdict: str
    score: float
    probability: float
    warnings: tuple[str, ...]
    generator: str | None = None


def judge(image: DecodedImage, model: Model, *, fpr: float = DEFAULT_FPR, thorough: bool = False) -> Judgement:
    """Judge one decoded image.

    Parameters
    ----------
    image : DecodedImage
        Pixels as the file holds them, never resized.
    model : Model
    fpr : float
        Share of real photographs that may be called generated; the model must support it.
    thorough : bool
        Let the model look at every block rather than at a bounded number of them.

    Returns
    -------
    judgement : Judgement

    Raises
    ------
    ParameterError
        If the model's calibration cannot support `fpr`, or the model's score is not finite.

    Examples
    --------
    >>> from types import SimpleNamespace as Fake
    >>> import numpy as np
    >>> from spectell.images import DecodedImage, ImageFacts
    >>> tiny = DecodedImage(np.zeros((8, 8, 3), np.uint8), ImageFacts("PNG", width=8, height=8, mode="RGB"))
    >>> judged = judge(tiny, Fake(min_size=32))
    >>> judged.verdict, judged.probability, judged.warnings
    ('inconclusive', 0.5, ('too small for this model',))
    """
    warnings = fact_warnings(image.facts)
    if min(image.pixels.shape[:2]) < model.min_size:
        return Judgement("inconclusive", 0.0, 0.5, (TOO_SMALL, *warnings))
    found = model.score(image.pixels, thorough=thorough)
    score = float(found.score)
    if not math.isfinite(score):
        raise MismatchError(f"the model {model.name!r} gave the score {score}; a score must be finite")
    verdict: str = model.thresholds.verdict(score, fpr)
    if not found.distance <= 1:  # a distance that is not a number is no likeness either
        verdict, warnings = "inconclusive", [UNLIKE_TRAINING, *warnings]
    if resampling_trace(image.pixels).found:
        warnings.append(LOOKS_RESIZED)
    generator = None
    if verdict == "generated" and found.classes:  # a name beside another verdict would accuse where that does not
        generator = _most_likely(found.classes, model.card.class_names)
    return Judgement(verdict, score, probability(score), tuple(warnings), generator)


def _most_likely(outputs: Sequence[float], class_names: Sequence[str]) -> str:
    """Return the name with the largest output, among those of the generators: that it is one was decided before.

    Examples
    --------
    >>> _most_likely((0.9, -0.3, 0.1), ("real", "progan", "stylegan"))
    'stylegan'
    """
    return class_names[max(range(1, len(outputs)), key=outputs.__getitem__)]


def probability(score: float) -> float:
    """Return the logistic of log-odds as a plain number.

    Examples
    --------
    >>> [probability(score) for score in (-1e6, 0.0, 1e6)]
    [0.0, 0.5, 1.0]
    """
    return float(logistic(score))


def fact_warnings(facts: ImageFacts) -> list[str]:
    """Return what the file's facts oblige us to say, in a fixed order."""
    found = []
    if facts.jpeg_quality is not None and facts.jpeg_quality < HEAVY_COMPRESSION:
        found.append(HEAVILY_COMPRESSED)
    if facts.frames > 1:
        found.append(SEVERAL_FRAMES)
    if facts.transparent:
        found.append(TRANSPARENT)
    if facts.c2pa:
        found.append(HAS_C2PA)
    if facts.digital_source_type:
        found.append(HAS_SOURCE_TYPE)
    if facts.generation_parameters:
        found.append(HAS_PARAMETERS)
    return found


def printable_path(path: str) -> str:
    r"""Return a path as text that can be encoded as UTF-8.

    Each byte that is not UTF-8 becomes ``\xHH``. So that this can be reversed, a backslash that already stands before
    ``xHH`` in the name becomes ``\x5c``; every other path is returned as it is.

    Examples
    --------
    >>> printable_path("caf\udce9.jpg"), printable_path("café.jpg"), printable_path(r"a\x41.png")
    ('caf\\xe9.jpg', 'café.jpg', 'a\\x5cx41.png')
    """
    if path.isascii() and "\\x" not in path:
        return path
    return _without_raw_bytes(_LITERAL_ESCAPE.sub(r"\\x5c", path))


def path_from_text(text: str) -> str:
    r"""Return the path that `printable_path` wrote, fit for `open`.

    Examples
    --------
    >>> path_from_text(r"caf\xe9.jpg") == "caf\udce9.jpg", path_from_text(r"a\x5cx41.png")
    (True, 'a\\x41.png')
    """
    raw = _ESCAPED.sub(
        lambda match: chr(int(match[1], 16) + 0xDC00) if match[1] >= "80" else chr(int(match[1], 16)), text
    )
    return os.fsdecode(os.fsencode(raw))


def _without_raw_bytes(text: str) -> str:
    if text.isascii():
        return text
    shown = _RAW_BYTE.sub(lambda match: f"\\x{ord(match[0]) - 0xDC00:02x}", text)
    return shown.encode("utf-8", "backslashreplace").decode("utf-8")
