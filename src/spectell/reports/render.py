"""From figures to bytes: the same figure gives the same bytes on the same versions, at any time of any day.

PNG files hold a palette: heat maps and curves have few colours, and a palette takes a quarter of the bytes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spectell.figures.style import DARK, LIGHT, Theme
from spectell.reports.markup import Content, Markup, join
from spectell.reports.parts import figure
from spectell.workflows.workers.pool import available_cores, isolated_map
from spectell.workflows.workers.process import may_fork
from spectell.workflows.workers.worker import Gate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["DPI", "Drawing", "Rendered", "render_drawing", "render_drawings", "render_pdf", "render_png"]

DPI = 130
"""Pixels an inch of PNG files; PDF files have none, except those of the spectra themselves."""

Pixels = npt.NDArray[np.uint8]

_COLOURS = 256
_SECONDS = 120.0  # for one drawing; then this process tries
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
    both : bool
        Drawn for the dark scheme too, which takes half as long again. Where a picture fills most of its frame, as heat
        maps do, the light one serves both.
    """

    name: str
    make: Callable[[Theme], Figure]
    alt: str
    caption: Content
    both: bool = True


@dataclass(frozen=True, slots=True)
class Rendered:
    """A drawing as bytes.

    Parameters
    ----------
    drawing : Drawing
        What was rendered.
    light : bytes
        PNG in the light scheme.
    dark : bytes
        PNG in the dark one; empty if it is drawn in one only.
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

    @property
    def width(self) -> int:
        """Of the figure on a page, in CSS pixels."""
        return round(int.from_bytes(self.light[16:20], "big") / _DENSITY)  # of the PNG's header

    def figure(self, note: Content = "", *, both: bool = True) -> Markup:
        """Return the figure of a page, in both schemes or, where bytes must be saved, in the light one."""
        caption = join([self.drawing.caption, note], " " if note else "")
        dark = self.dark if both and self.dark else None
        return figure(self.light, dark=dark, alt=self.drawing.alt, caption=caption, wide=True, width=self.width)


def render_drawing(drawing: Drawing) -> Rendered:
    """Render a drawing in its schemes, and for print."""
    light = drawing.make(LIGHT)
    png = render_png(light)
    # Places are found, and are the same in all; finding them again takes as long as drawing.
    light.set_layout_engine("none")
    return Rendered(drawing, png, _render_dark(drawing, light) if drawing.both else b"", render_pdf(light))


def _render_dark(drawing: Drawing, light: Figure) -> bytes:
    dark = drawing.make(DARK)
    dark.set_layout_engine("none")
    for ours, theirs in zip(dark.axes, light.axes, strict=True):
        ours.set_position(theirs.get_position(original=True))
    return render_png(dark)


def render_drawings(drawings: Sequence[Drawing], *, workers: int | None = None) -> Iterator[Rendered]:
    """Render several drawings, in as many processes as there are cores where processes can be forked.

    Parameters
    ----------
    drawings : sequence of Drawing
    workers : int >= 1, optional
        Processes; all cores by default. The bytes do not depend on it.

    Yields
    ------
    rendered : Rendered
        In the order of the drawings.
    """
    workers = min(available_cores() if workers is None else workers, len(drawings))
    if workers < 2 or not may_fork():  # a drawing holds functions, which do not travel
        yield from map(render_drawing, drawings)
        return
    import matplotlib.backends.backend_agg
    import matplotlib.backends.backend_pdf  # noqa: F401 - so that every process has them already

    def work(number: int, gate: Gate) -> tuple[bytes, bytes, bytes]:
        del gate
        made = render_drawing(drawings[number])
        return made.light, made.dark, made.pdf

    for drawing, answer in zip(
        drawings, isolated_map(work, range(len(drawings)), workers=workers, timeout=_SECONDS), strict=True
    ):
        whole = isinstance(answer.result, tuple) and len(answer.result) == 3
        yield Rendered(drawing, *answer.result) if whole else render_drawing(drawing)


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
    indices, palette = _palette(np.asarray(canvas.buffer_rgba()))
    image = Image.frombytes("P", canvas.get_width_height(), indices.tobytes())
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=7, dpi=(dpi, dpi))
    return buffer.getvalue()


def render_pdf(drawn: Figure) -> bytes:
    """Render a figure as PDF, without date and name of a program."""
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    buffer = io.BytesIO()
    canvas: Any = FigureCanvasPdf(drawn)
    # Figure.savefig draws twice, the first time to find what is cut off; nothing is.
    canvas.print_pdf(buffer, metadata={"CreationDate": None, "Creator": None, "Producer": None})
    return buffer.getvalue()


def _palette(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """Return an index for every pixel of shape (H, W, 4), and the colours, shape (n, 3).

    The most frequent colours are kept as they are: those of the ground, of a map, of the lines. The rest are the edges
    of letters, which get the nearest of these.
    """
    packed = np.ascontiguousarray(pixels).view(np.uint32).ravel()
    found, inverse, counts = np.unique(packed, return_inverse=True, return_counts=True)
    colours = found.view(np.uint8).reshape(-1, 4)[:, :3]
    order = np.argsort(-counts, kind="stable")
    kept = colours[order[:_COLOURS]]
    place = np.empty(len(found), np.uint8)
    place[order[:_COLOURS]] = np.arange(len(kept))
    rare = order[_COLOURS:]
    # The square of a difference is the sum of the squares less twice the product; the first square is no matter here.
    distance = np.square(kept.astype(np.float32)).sum(axis=1) - 2 * colours[rare].astype(np.float32) @ kept.T.astype(
        np.float32
    )
    place[rare] = distance.argmin(axis=1)
    return place[inverse], kept
