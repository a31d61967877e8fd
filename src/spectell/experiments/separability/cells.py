"""How large the study of separability is, and the cells that it falls into.

A comparison is a generator against the real images of its own source. A cell is a comparison, what was done to both
classes before, and a split.
"""

from __future__ import annotations

from dataclasses import dataclass

from spectell.perturbations import JpegRecompression, Perturbation

__all__ = ["CONDITIONS", "FOUND", "JPEG", "SCALES", "Cell", "Comparison", "SeparabilityScale"]

FOUND, JPEG = "as found", "both as JPEG 75"
CONDITIONS: dict[str, Perturbation | None] = {FOUND: None, JPEG: JpegRecompression(75, 75)}
"""What both classes went through, in training and test. The second makes their last history equal."""

_SLUGS = {FOUND: "found", JPEG: "jpeg75"}


@dataclass(frozen=True, slots=True)
class SeparabilityScale:
    """How large a study is.

    Parameters
    ----------
    images : int
        Most of a class.
    side : int
        Largest side of an image, in pixels; a larger image is cut at its centre.
    splits : int >= 1
        How often the images are split, trained on and tested.
    test_share : float
        Of the groups of each class.
    curve : tuple of int
        Training images a class of the learning curve, beside all of them.
    logistic_strengths : tuple of float
        Among which cross-validation within training chooses; a single one is taken as it is.
    audited : int
        Images a class that are searched for leaks.
    limit : float or None
        Seconds that a cell may take.
    """

    images: int
    side: int
    splits: int
    test_share: float
    curve: tuple[int, ...]
    logistic_strengths: tuple[float, ...]
    audited: int
    limit: float | None


SCALES = {
    "small": SeparabilityScale(1000, 128, 5, 0.4, (25, 50, 100, 200), (1e-3, 1e-2, 0.1, 1.0, 10.0), 250, 900.0),
    # 11,000 a class train, of which cross-validation takes the place of the paper's 1,000 validation images.
    "full": SeparabilityScale(16_000, 1024, 1, 5 / 16, (100, 1000), (0.01,), 1000, None),
}
"""By the name that the command line uses."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A generator and the real images of its source.

    Parameters
    ----------
    name : str
        Of its files.
    source, generator : str
    path : str
        Of the source.
    images : int
        Of each class, at most.
    digest : str
        Hash of the list of its files.
    """

    name: str
    source: str
    generator: str
    path: str
    images: int
    digest: str

    @property
    def title(self) -> str:
        """What the page calls it."""
        return f"{self.source}: {self.generator}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One split of a comparison under a condition.

    Parameters
    ----------
    comparison : str
        Its name.
    condition : str
        One of `CONDITIONS`.
    split : int >= 0

    Examples
    --------
    >>> Cell("faces-gan", JPEG, 2).name
    'faces-gan-jpeg75-2'
    """

    comparison: str
    condition: str
    split: int

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.comparison}-{_SLUGS[self.condition]}-{self.split}"
