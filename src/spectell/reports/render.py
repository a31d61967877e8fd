"""From figures to bytes: the same figure gives the same bytes on the same versions, at any time of any day.

PNG files hold a palette: heat maps and curves have few colours, and a palette takes a quarter of the bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spectell.figures.style import DARK, LIGHT, Theme
from spectell.reports.markup import Content, Markup, join
from spectell.reports.parts import figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DPI", "Drawing", "Rendered", "render_drawing", "render_pdf", "render_png"]

DPI = 130
"""Pixels an inch of PNG files; PDF files have none, except those of the spectra themselves."""

_COLOURS = 256
_DENSITY = 1.2
"""Pixels of a figure in one of the page, so that its letters are about as large as the text's."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure that can be made in either scheme of colours, and what is said about it.

    Parameters
    ----------
    name : str
        Of its files, without suffix: lower-case letters, digits, hyphens.
    make : callable
        From a theme to a matplotlib Figure.
    alt : str
        What it shows, for those who do not see it.
    caption : str or Markup
        What stands below.
    """

    name: str
    make: Callable[[Theme], Figure]
    alt: str
    caption: Content


@dataclass(frozen=True, slots=True)
class Rendered:
    """A drawing as bytes.

    Parameters
    ----------
    drawing : Drawing
        What was rendered.
    light, dark : bytes
        PNG in both schemes.
    pdf : bytes
        PDF in the light scheme.
    """

    drawing: Drawing
    light: bytes
    dark: bytes
    pdf: bytes

    @property
    def files(self) -> dict[str, bytes]:
        """Contents of the files to be written, by name."""
        return {f"{self.drawing.name}.png": self.light, f"{self.drawing.name}.pdf": self.pdf}

    def figure(self, note: Content = "") -> Markup:
        """Return the figure of a page, in both schemes."""
        caption = join([self.drawing.caption, note], " " if note else "")
        width = round(int.from_bytes(self.light[16:20], "big") / _DENSITY)  # of the PNG's header
        return figure(self.light, dark=self.dark, alt=self.drawing.alt, caption=caption, wide=True, width=width)


def render_drawing(drawing: Drawing) -> Rendered:
    """Render a drawing in both schemes, and for print."""
    light, dark = drawing.make(LIGHT), drawing.make(DARK)
    png = render_png(light)
    # Places are found, and are the same in both; finding them again takes as long as drawing.
    for drawn in (light, dark):
        drawn.set_layout_engine("none")
    for ours, theirs in zip(dark.axes, light.axes, strict=True):
        ours.set_position(theirs.get_position(original=True))
    return Rendered(drawing, png, render_png(dark), render_pdf(light))


def render_png(drawn: Figure, *, dpi: int = DPI) -> bytes:
    """Render a figure as PNG with a palette.

    Parameters
    ----------
    drawn : matplotlib.figure.Figure
        The figure; its canvas is replaced.
    dpi : int > 0
        Pixels an inch.

    Returns
    -------
    png : bytes
        No date, no name of a program.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    drawn.set_dpi(dpi)
    canvas: Any = FigureCanvasAgg(drawn)
    canvas.draw()
    size = canvas.get_width_height()
    pixels = Image.frombuffer("RGBA", size, canvas.buffer_rgba(), "raw", "RGBA", 0, 1).convert("RGB")
    buffer = io.BytesIO()
    # The most frequent colours as they are: those of a map and of the lines. The rest are the edges of letters.
    counted: Any = pixels.getcolors(size[0] * size[1]) or []
    frequent = [colour for _, colour in sorted(counted, key=lambda item: (-item[0], item[1]))[:_COLOURS]]
    palette = Image.new("P", (1, 1))
    palette.putpalette(bytes(value for colour in frequent for value in colour))
    pixels.quantize(palette=palette, dither=Image.Dither.NONE).save(
        buffer, format="PNG", compress_level=7, dpi=(dpi, dpi)
    )
    return buffer.getvalue()


def render_pdf(drawn: Figure) -> bytes:
    """Render a figure as PDF, without date and name of a program."""
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="pdf", metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return buffer.getvalue()
