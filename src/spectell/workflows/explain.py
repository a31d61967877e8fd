"""Why a verdict is what it is: everything that is known about one image, as numbers.

Nothing here draws, and nothing decides: the verdict is that of a scan. What a file says about place, owner and device
never gets this far: the reader hands out pixels and a fixed list of facts.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from spectell.detectors import Model, load_model
from spectell.detectors.artifact import training_hash
from spectell.detectors.attribution import is_attributable
from spectell.detectors.reference import PhotographReference, load_reference
from spectell.evaluation.thresholds import DEFAULT_FPR
from spectell.images import DEFAULT_MAX_PIXELS, DecodedImage, ImageFacts, read_image
from spectell.workflows.explaining.comparison import Comparison, compare_spectrum
from spectell.workflows.explaining.evidence import EvidenceMap, map_evidence
from spectell.workflows.explaining.image_peaks import ImagePeaks, find_image_peaks
from spectell.workflows.explaining.reasons import Reasons, find_reasons
from spectell.workflows.explaining.standing import Standing, find_standing
from spectell.workflows.explaining.trials import Trial, run_trials
from spectell.workflows.verdict import Verdict, judge, printable_path

__all__ = ["Explanation", "FileFacts", "explain", "explain_image"]


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Which file was explained.

    Parameters
    ----------
    name : str
        Without its folder, which may name a person.
    n_bytes : int
    sha256 : str
        Names the content, so that somebody else can tell that hers is the same.
    """

    name: str
    n_bytes: int
    sha256: str

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> FileFacts:
        """Look at a file, in pieces."""
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return cls(printable_path(Path(path).name), file.tell(), digest)

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as values that JSON knows."""
        return {"name": self.name, "bytes": self.n_bytes, "sha256": self.sha256}


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Everything that a report on one image says.

    Attributes
    ----------
    verdict : Verdict
        As a scan gives it.
    file : FileFacts
    facts : ImageFacts
        What the file's structure says.
    in_training : bool
        Whether these very pixels trained or calibrated the model: its verdict on them says little.
    standing : Standing or None
        Where the score stands; None, like `reasons`, for an image too small for the model.
    reasons : Reasons or None
        What moved the score; None as well for a model whose score cannot be shared among its features, such as one of
        nearest neighbours, see `spectell.detectors.attribution.is_attributable`.
    spectrum : Comparison or None
        The spectrum beside those of photographs; None for an image smaller than a block.
    peaks : ImagePeaks or None
        None for an image too small for them.
    evidence : EvidenceMap or None
        None for an image smaller than two tiles.
    trials : tuple of Trial
        The verdict as found, after JPEG, and after halving.
    model : Model
        What judged.
    reference : PhotographReference
        What was compared with.
    pixels : ndarray of shape (H, W, 3), uint8
        Of the image, for its preview.
    """

    verdict: Verdict
    file: FileFacts
    facts: ImageFacts
    in_training: bool
    standing: Standing | None
    reasons: Reasons | None
    spectrum: Comparison | None
    peaks: ImagePeaks | None
    evidence: EvidenceMap | None
    trials: tuple[Trial, ...]
    model: Model
    reference: PhotographReference
    pixels: npt.NDArray[np.uint8]

    def as_dict(self) -> dict[str, Any]:
        """Return every number of the report as values that JSON knows; null where there is nothing to say."""
        return {
            "verdict": self.verdict.as_dict(),
            "file": self.file.as_dict(),
            "facts": self.facts.as_dict(),
            "in_training": self.in_training,
            "standing": _as_dict(self.standing),
            "reasons": _as_dict(self.reasons),
            "spectrum": _as_dict(self.spectrum),
            "peaks": _as_dict(self.peaks),
            "evidence": _as_dict(self.evidence),
            "trials": [trial.as_dict() for trial in self.trials],
            "reference": self.reference.card,
        }


def _as_dict(part: Any) -> dict[str, Any] | None:
    return None if part is None else part.as_dict()


def explain(
    path: str | os.PathLike[str],
    *,
    model: Model | str | os.PathLike[str] | None = None,
    fpr: float = DEFAULT_FPR,
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> Explanation:
    """Judge one image file and say why.

    Parameters
    ----------
    path : path
        An image file.
    model : Model or path, optional
        The bundled model by default.
    fpr : float
        Share of real photographs that may be called generated; the model must support it.
    max_pixels : int > 0
        A file that declares more pixels is refused.

    Returns
    -------
    explanation : Explanation

    Raises
    ------
    ImageError
        If the file cannot be read as an image.
    ArtifactError
        If the model cannot be loaded.
    ParameterError
        If the model's calibration cannot support `fpr`.

    Examples
    --------
    >>> from spectell.workflows.photographs import PHOTOGRAPHS
    >>> explanation = explain(PHOTOGRAPHS[0].locate())
    >>> explanation.file.name, len(explanation.trials), round(explanation.reasons.gap, 2) == 0
    ('china.jpg', 3, True)
    """
    loaded = load_model(model) if model is None or isinstance(model, str | os.PathLike) else model
    loaded.thresholds.at(fpr)  # a rate that cannot be had is said before a large file is read
    image = read_image(path, max_pixels=max_pixels)
    return explain_image(image, FileFacts.of(path), loaded, path=os.fspath(path), fpr=fpr)


def explain_image(
    image: DecodedImage, file: FileFacts, model: Model, *, path: str = "", fpr: float = DEFAULT_FPR
) -> Explanation:
    """Judge one decoded image and say why; see `explain`.

    Parameters
    ----------
    image : DecodedImage
    file : FileFacts
        What the report says of the file.
    model : Model
    path : str
        What the verdict's row says of it.
    fpr : float
    """
    found = judge(image, model, fpr=fpr)
    pixels, facts = image.pixels, image.facts
    scored = min(pixels.shape[:2]) >= model.min_size
    reference = load_reference()
    verdict = Verdict(
        path,
        found.verdict,
        found.probability,
        found.score,
        fpr,
        model.name,
        facts.width,
        facts.height,
        facts.format,
        facts.jpeg_quality,
        found.warnings,
        generator=found.generator,
    )
    return Explanation(
        verdict=verdict,
        file=file,
        facts=facts,
        in_training=bool(np.isin(training_hash(pixels), model.training_hashes)),
        standing=find_standing(found.score, model, fpr=fpr) if scored else None,
        reasons=find_reasons(pixels, model, reference) if scored and is_attributable(model.head) else None,
        spectrum=compare_spectrum(pixels, reference),
        peaks=find_image_peaks(pixels, facts),
        evidence=map_evidence(pixels, model) if scored else None,
        trials=run_trials(image, model, found, fpr=fpr),
        model=model,
        reference=reference,
        pixels=pixels,
    )
