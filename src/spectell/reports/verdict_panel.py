"""The head of a report on one image: the picture, the verdict in words, colour and shape, and a calm bar.

Its styles are written into the elements; colours are the variables of the page's stylesheet, so both schemes and paper
are served. Nothing depends on a background, which printers leave out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from spectell.reports.explanation_words import HEADLINES, MEANINGS, SHAPES, TOO_SMALL
from spectell.reports.markup import Content, Markup, element
from spectell.reports.numbers import percent
from spectell.reports.parts import data_uri, paragraph
from spectell.workflows.verdict import probability

if TYPE_CHECKING:
    from spectell.workflows.explaining.standing import Standing

__all__ = ["probability_bar", "verdict_panel"]

_COLOURS = {"generated": "var(--bad-ink)", "real": "var(--accent)", "inconclusive": "var(--muted)"}
_ENLARGED_BELOW = 200
"""Pictures with no side of so many pixels are shown larger, as squares: a stamp cannot be recognised."""

_SMALL = "font-size:.875rem;line-height:1.35;color:var(--muted)"


def verdict_panel(
    verdict: str, picture: bytes, *, size: tuple[int, int], standing: Standing | None, remarks: Content
) -> Markup:
    """Put the picture beside the verdict.

    Parameters
    ----------
    verdict : {"real", "generated", "inconclusive"}
    picture : bytes
        JPEG for display.
    size : tuple of int
        Width and height of the image, in pixels.
    standing : Standing or None
        Where the score stands; None for an image that is too small to have one.
    remarks : str or Markup
        What stands below the bar.
    """
    colour = _COLOURS[verdict]
    sign = element("span", SHAPES[verdict], aria_hidden="true", style="font-size:.8em;margin-right:.35em")
    headline = element(
        "p",
        sign,
        HEADLINES[verdict],
        style="margin:0 0 .4rem;font-size:clamp(1.7rem,1.2rem + 2.2vw,2.4rem);font-weight:700;line-height:1.15;"
        f"color:{colour}",
    )
    bar = "" if standing is None else probability_bar(standing, colour)
    meaning = TOO_SMALL if standing is None else MEANINGS[verdict]
    words = element("div", headline, paragraph(meaning), bar, remarks, style="flex:1 1 20rem;min-width:0")
    return element(
        "div",
        element("figure", _picture(picture, *size), style="flex:0 1 24rem;min-width:min(100%,14rem);margin:0"),
        words,
        style="display:flex;flex-wrap:wrap;gap:1.25rem 2.25rem;align-items:flex-start;margin:1.5rem 0 1.75rem;"
        f"padding:clamp(1rem,3vw,1.75rem);border:1px solid var(--line);border-left:6px solid {colour};"
        "border-radius:8px",
    )


def _picture(picture: bytes, width: int, height: int) -> Markup:
    enlarged = ";width:16rem;image-rendering:pixelated" if max(width, height) < _ENLARGED_BELOW else ""
    return element(
        "img",
        src=data_uri(picture),
        alt=f"The picture that was judged, {width} × {height} pixels, here for recognition only.",
        style=f"max-height:30rem;max-width:100%;width:auto;height:auto;border:1px solid var(--line){enlarged}",
    )


def probability_bar(standing: Standing, colour: str) -> Markup:
    """Draw the probability on a line from 0 to 100 %, with the borders of the verdicts.

    Parameters
    ----------
    standing : Standing
        Score, threshold and floor.
    colour : str
        Of the mark.
    """
    here, low, high = (100 * probability(score) for score in (standing.score, standing.floor, standing.threshold))
    label = (
        f"Probability that the picture is generated, if half of all pictures were: {percent(here / 100)}. "
        f"Real up to {percent(low / 100)}, generated from {percent(high / 100)} on, inconclusive between."
    )
    track = "position:absolute;top:0;bottom:0;"
    zones = [
        element("span", style=f"{track}left:0;width:{low:.2f}%;border-top:6px solid var(--accent);opacity:.55"),
        element("span", style=f"{track}left:{low:.2f}%;width:{high - low:.2f}%;border-top:6px solid var(--line)"),
        element("span", style=f"{track}left:{high:.2f}%;right:0;border-top:6px solid var(--bad-ink);opacity:.55"),
    ]
    mark = element(
        "span",
        style=f"position:absolute;left:clamp(0px,calc({here:.2f}% - 8px),calc(100% - 16px));top:-7px;"
        "width:16px;height:20px;"
        f"border:3px solid {colour};border-radius:8px;background:var(--paper)",
    )
    line = element("div", *zones, mark, style="position:relative;height:6px;margin:1rem 0 .9rem")
    names = element(
        "div",
        element("span", f"● real, to {percent(low / 100)}"),
        element("span", f"▲ generated, from {percent(high / 100)}", style="text-align:right"),
        style=f"display:flex;justify-content:space-between;gap:1rem;{_SMALL}",
    )
    number = element("strong", percent(here / 100), style="font-variant-numeric:tabular-nums")
    caption = paragraph("Probability of being generated, if half of all pictures were: ", number)
    return element("div", caption, element("div", line, names, role="img", aria_label=label), style="margin:0 0 1.1rem")
