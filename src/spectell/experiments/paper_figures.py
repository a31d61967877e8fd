"""Accuracies of the paper, as recalled and not verified: nobody here could compare them with its pages.

They stand on pages beside ours, with these words, and are never what a test expects.

References
----------
.. [1] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML. :arxiv:`2003.08685`
"""

from __future__ import annotations

__all__ = ["ATTRIBUTION", "RECALLED", "recalled"]

RECALLED = "as recalled, unverified"
"""What stands wherever one of these figures does."""

Pair = tuple[float | None, float | None]

ATTRIBUTION: dict[str, dict[str, Pair]] = {
    "CelebA": {
        "knn": (29.22, 71.58),
        "eigenfaces": (57.58, 88.39),
        "yu2019": (99.43, None),
        "cnn": (97.80, 99.07),
    },
    "LSUN": {
        "knn": (39.96, 81.56),
        "eigenfaces": (47.07, 94.31),
        "prnu": (64.28, None),
        "yu2019": (98.33, None),
        "cnn": (98.95, 99.64),
    },
}
"""Per cent in the pixel and the DCT domain, by data set and detector."""


def recalled(data: str, detector: str) -> str:
    """Write what is recalled of a detector.

    Examples
    --------
    >>> recalled("CelebA", "knn"), recalled("LSUN", "prnu"), recalled("CelebA", "prnu")
    ('29.22 → 71.58', '64.28 → –', '–')
    """
    pair = ATTRIBUTION[data].get(detector)
    if pair is None:
        return "–"
    return " → ".join("–" if value is None else f"{value:.2f}" for value in pair)
