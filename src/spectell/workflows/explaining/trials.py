"""What would change a verdict: the same picture judged again after what web sites do to pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spectell.images import DecodedImage, read_image
from spectell.perturbations.jpeg import encode_jpeg
from spectell.perturbations.resize import resize
from spectell.workflows.verdict import Judgement, judge

if TYPE_CHECKING:
    from spectell.detectors import Model

__all__ = ["TRIAL_QUALITY", "Trial", "run_trials"]

TRIAL_QUALITY = 75
"""Of the JPEG, on libjpeg's scale; what libraries write where nobody asks for more."""

AS_FOUND, AS_JPEG, HALVED = "as found", f"saved as JPEG {TRIAL_QUALITY}", "halved in size"


@dataclass(frozen=True, slots=True)
class Trial:
    """One picture after one treatment, judged.

    Parameters
    ----------
    name : str
        What was done.
    width, height : int
        In pixels, after it.
    judgement : Judgement
    """

    name: str
    width: int
    height: int
    judgement: Judgement

    @property
    def judged(self) -> bool:
        """Whether the picture is still large enough for the model."""
        return "too small for this model" not in self.judgement.warnings

    def as_dict(self) -> dict[str, Any]:
        """Return the trial as values that JSON knows; score and probability are null where nothing could be scored."""
        return {
            "name": self.name,
            "width": self.width,
            "height": self.height,
            "verdict": self.judgement.verdict,
            "probability": self.judgement.probability if self.judged else None,
            "score": self.judgement.score if self.judged else None,
            "warnings": list(self.judgement.warnings),
        }


def run_trials(image: DecodedImage, model: Model, found: Judgement, *, fpr: float) -> tuple[Trial, ...]:
    """Judge a picture as it is, after JPEG compression, and halved.

    Parameters
    ----------
    image : DecodedImage
    model : Model
    found : Judgement
        That of the picture as it is.
    fpr : float

    Returns
    -------
    trials : tuple of Trial
        As found; saved as JPEG 75 with colours at half resolution; halved with Pillow's bicubic filter, which is
        widened against aliasing, and kept lossless.
    """
    height, width = image.pixels.shape[:2]
    compressed = read_image(encode_jpeg(image.pixels, TRIAL_QUALITY))
    small = (max(height // 2, 1), max(width // 2, 1))
    halved = DecodedImage(resize(image.pixels, *small), image.facts)
    return (
        Trial(AS_FOUND, width, height, found),
        Trial(AS_JPEG, width, height, judge(compressed, model, fpr=fpr)),
        Trial(HALVED, small[1], small[0], judge(halved, model, fpr=fpr)),
    )
