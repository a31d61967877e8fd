"""How every figure and page looks: colours of both schemes, colour maps, fonts and sizes, in one place.

Text reaches a contrast of at least 4.5 to 1 on its ground in both schemes (WCAG 2.2, 1.4.3), and no meaning rests on
hue alone. Importing this loads no matplotlib.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DARK", "LIGHT", "THEMES", "Theme"]


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one scheme, as ``#rrggbb``.

    Parameters
    ----------
    name : str
        ``light`` or ``dark``.
    paper, panel : str
        The ground of a page and of what stands out from it, such as a call-out or a table's head.
    ink, muted : str
        Text, and text of second rank. Both are legible on both grounds.
    line : str
        Rules and grids.
    accent : str
        Links and the keyboard's focus.
    good, caution, bad : str
        What a call-out is about, always said in words too.
    cycle : tuple of str
        Curves, in the order of use: distinct for the colour-blind, each at least 3 to 1 on the paper.
    """

    name: str
    paper: str
    panel: str
    ink: str
    muted: str
    line: str
    accent: str
    good: str
    caution: str
    bad: str
    cycle: tuple[str, ...]


LIGHT = Theme(
    name="light",
    paper="#fcfcfa",
    panel="#f1f2ef",
    ink="#1c2126",
    muted="#56606a",
    line="#cfd4d8",
    accent="#0b57a4",
    good="#1b6e45",
    caution="#8a5200",
    bad="#a8261c",
    cycle=("#1c2126", "#0b62b0", "#c4500a", "#00795c", "#9c3f86", "#8a6400", "#5b4fc4"),
)
DARK = Theme(
    name="dark",
    paper="#14181c",
    panel="#1f252b",
    ink="#e7eaed",
    muted="#a7b1ba",
    line="#3a434b",
    accent="#8cbcf2",
    good="#74cf9f",
    caution="#f0b45c",
    bad="#ff9d92",
    cycle=("#e7eaed", "#6fb3f2", "#f59a58", "#45c9a2", "#e08fc9", "#d8b34c", "#a9a0ff"),
)
THEMES = (LIGHT, DARK)
"""Light first: it is what is printed, and what a viewer without a preference gets."""
