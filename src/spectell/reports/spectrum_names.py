"""What sets are called on the page of a study and in its figures."""

from __future__ import annotations

from collections.abc import Sequence

from spectell.figures.canvas import is_drawable
from spectell.workflows.mean_spectra.study import SetSpectra, SpectrumStudy

__all__ = ["listed", "set_label"]


def set_label(each: SetSpectra, study: SpectrumStudy) -> str:
    """Name a set in a figure: its generator, and its source where there are several.

    A name that no font here can draw is ``set 3``, counted as in the table of the sets, which has the name.
    """
    name = each.generator if len({other.source for other in study.sets}) == 1 else each.name
    if is_drawable(name):
        return name
    return f"set {[other.name for other in study.sets].index(each.name) + 1}"


def listed(labels: Sequence[str]) -> str:
    """Write names one after the other, as a sentence has them.

    Examples
    --------
    >>> listed(["real"]), listed(["real", "progan", "sngan"])
    ('real', 'real, progan and sngan')
    """
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
