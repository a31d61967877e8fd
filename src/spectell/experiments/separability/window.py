"""Which part of the images of both classes is looked at, so that all have one size and none is resized."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Size", "Window", "choose_window"]

Size = tuple[int, int]
"""Height and width in pixels."""

_COMMON = 0.5  # share of the images that one size must have to be taken alone
_LARGE_ENOUGH = 0.8  # share of each class that a crop must fit into where sizes differ


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of which images is looked at.

    Parameters
    ----------
    side : int
        Of the square, in pixels.
    size : tuple of two int, optional
        Height and width of the images that take part; None for all that are large enough.

    Examples
    --------
    >>> Window(128, (256, 256)).text, Window(32, (32, 32)).text, Window(96).text
    ('centre 128² of 256 × 256', 'native 32²', 'centre 96² of images of several sizes')
    """

    side: int
    size: Size | None = None

    @property
    def text(self) -> str:
        """What it is, in words."""
        if self.size == (self.side, self.side):
            return f"native {self.side}²"
        of = "images of several sizes" if self.size is None else f"{self.size[1]} × {self.size[0]}"
        return f"centre {self.side}² of {of}"

    def takes(self, size: Size) -> bool:
        """Whether an image of this height and width takes part."""
        return size == self.size if self.size else min(size) >= self.side


def choose_window(real: Sequence[Size], generated: Sequence[Size], largest: int) -> Window:
    """Choose a part of the images that all have, so that none is resized.

    Parameters
    ----------
    real, generated : sequence of (int, int)
        Height and width of every image.
    largest : int
        Of the side, in pixels.

    Returns
    -------
    window : Window
        The size that most images of both classes have, where at least half of the smaller class has it; otherwise the
        largest square, in steps of 8 pixels, that four fifths of either class hold.

    Examples
    --------
    >>> choose_window([(256, 256)] * 9 + [(300, 200)], [(256, 256)] * 10, 1024)
    Window(side=256, size=(256, 256))
    >>> choose_window([(500, 375), (333, 500)], [(512, 512)] * 2, 1024)
    Window(side=328, size=None)
    """
    counted, others = Counter(real), Counter(generated)
    shared = {size: min(count, others[size]) for size, count in counted.items() if others[size]}
    if shared:
        size = max(shared, key=lambda one: (shared[one], one))
        if shared[size] >= _COMMON * min(len(real), len(generated)):
            return Window(min(*size, largest), size)
    sides = [np.sort([min(size) for size in sizes])[::-1] for sizes in (real, generated)]
    side = min(int(each[max(round(_LARGE_ENOUGH * len(each)) - 1, 0)]) for each in sides)
    side = min(side, largest)
    return Window(side - side % 8 if side >= 8 else side)
