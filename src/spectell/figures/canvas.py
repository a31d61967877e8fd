"""What every figure begins with: a theme put into effect, names made fit to be drawn, decibels, panels in rows.

matplotlib is imported when a figure is made, never with this module.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from spectell.figures.style import LIGHT, Theme

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

__all__ = [
    "DECIBELS_PER_NAT",
    "HALF_CYCLE_TICKS",
    "colour_map",
    "cycle",
    "drawable",
    "grid_shape",
    "is_drawable",
    "themed",
]

DECIBELS_PER_NAT = 10 / np.log(10)
"""Decibels in one unit of the natural logarithm of a power; a magnitude has twice as many."""

HALF_CYCLE_TICKS = (0.0, 0.125, 0.25, 0.375, 0.5)
"""Ticks of a frequency axis in cycles per pixel: where JPEG blocks and doublings of the size leave their marks."""

_FONT = "DejaVu Sans"  # comes with matplotlib, so that figures are the same everywhere
_FALLBACKS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Noto Sans JP",
    "Noto Sans KR",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
    "IPAexGothic",
    "IPAGothic",
    "NanumGothic",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "PingFang SC",
    "Hiragino Sans",
    "Arial Unicode MS",
)
"""Fonts with Chinese, Japanese or Korean letters; those that are installed draw what the first font has not."""

_LONGEST_NAME = 28
_LEVELS = 64
"""Colours of a map: finer steps than an eye tells apart, coarser than the noise that PNG cannot compress."""


@contextmanager
def themed(theme: Theme = LIGHT) -> Iterator[None]:
    """Put the settings of a theme into effect for the figures that are made within.

    Examples
    --------
    >>> import matplotlib
    >>> with themed():
    ...     matplotlib.rcParams["text.color"]
    '#1c2126'
    """
    import matplotlib

    with matplotlib.rc_context(_settings(theme)):
        yield


def colour_map(theme: Theme, *, diverging: bool) -> Colormap:
    """Return the map of colours for heat maps; cells without a value have the colour of the theme's lines.

    Sequential is cividis, which is perceptually even and looks the same to most colour-blind readers. Diverging runs
    from purple (less) over the ground of the page to orange (more), ordered by lightness on either side.
    """
    from matplotlib import colormaps
    from matplotlib.colors import LinearSegmentedColormap

    if not diverging:
        chosen: Colormap = colormaps["cividis"]
    elif theme.name == "dark":
        ends = ["#cbbcff", "#8f7be0", "#4a3f86", theme.paper, "#7d4a1c", "#e0893a", "#ffc48a"]
        chosen = LinearSegmentedColormap.from_list("purple-orange", ends)
    else:
        chosen = colormaps["PuOr_r"]
    chosen = chosen.resampled(_LEVELS + diverging)  # an odd number has a middle
    return chosen.with_extremes(bad=theme.line)


def is_drawable(name: str) -> bool:
    r"""Whether the figures' fonts have every letter of a name.

    Examples
    --------
    >>> is_drawable("g\u00e9n\u00e9r\u00e9"), is_drawable("a\udce9")
    (True, False)
    """
    known = _glyphs()
    return all(letter.isprintable() and ord(letter) in known for letter in name)


def drawable(name: str) -> str:
    r"""Write a name with what the figures' fonts have, and not too long; the middle of a long one is left out.

    Examples
    --------
    >>> drawable("progan"), drawable("\u200b"), drawable("a\udce9")
    ('progan', '\\u200b', 'a\\udce9')
    >>> drawable("a-name-that-goes-on-for-ever/and-ever")
    'a-name-that-go…ever/and-ever'
    """
    known = _glyphs()
    written = "".join(
        letter if letter.isprintable() and ord(letter) in known else letter.encode("unicode_escape").decode("ascii")
        for letter in name
    )
    if len(written) <= _LONGEST_NAME:
        return written
    half = _LONGEST_NAME // 2
    return f"{written[:half]}…{written[len(written) - half + 1 :]}"


def grid_shape(number: int, *, columns: int = 4) -> tuple[int, int]:
    """Rows and columns for a number of panels, as even as can be.

    Examples
    --------
    >>> [grid_shape(number) for number in (1, 4, 5, 9)]
    [(1, 1), (1, 4), (2, 3), (3, 3)]
    """
    rows = max(-(-number // columns), 1)
    return rows, max(-(-number // rows), 1)


def cycle(theme: Theme, number: int) -> Sequence[str]:
    """Return colours for so many curves, over and over where there are more curves than colours."""
    return [theme.cycle[k % len(theme.cycle)] for k in range(number)]


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset().union(*(get_font(findfont(font)).get_charmap() for font in _fonts()))


@lru_cache(maxsize=1)
def _fonts() -> list[str]:
    """Names of the fonts that there are, in the order in which matplotlib looks for a letter in them."""
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return [_FONT, *(font for font in _FALLBACKS if font in installed)]


def _settings(theme: Theme) -> Any:
    return {
        "font.family": _fonts(),
        "font.size": 9.0,
        "axes.titlesize": 10.0,
        "axes.labelsize": 9.0,
        "legend.fontsize": 8.5,
        "xtick.labelsize": 8.0,
        "ytick.labelsize": 8.0,
        "text.parse_math": False,  # a name may hold dollar signs
        "figure.facecolor": theme.paper,
        "savefig.facecolor": theme.paper,
        "axes.facecolor": theme.paper,
        "axes.edgecolor": theme.muted,
        "axes.labelcolor": theme.ink,
        "axes.titlecolor": theme.ink,
        "axes.linewidth": 0.6,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "grid.color": theme.line,
        "grid.linewidth": 0.5,
        "text.color": theme.ink,
        "xtick.color": theme.muted,
        "ytick.color": theme.muted,
        "xtick.labelcolor": theme.ink,
        "ytick.labelcolor": theme.ink,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 3.0,
        "ytick.major.size": 3.0,
        "legend.frameon": False,
        "lines.linewidth": 1.5,
        "lines.solid_capstyle": "round",
        "pdf.fonttype": 42,  # text stays text
    }
