"""What pages are made of: paragraphs, tables, figures, remarks. Strings are text and are escaped."""

from __future__ import annotations

import base64
import os
from collections.abc import Collection, Iterable, Sequence
from typing import Literal
from urllib.parse import quote_from_bytes

from spectell.errors import ParameterError
from spectell.reports.markup import Content, Markup, element, join, without_elements

__all__ = [
    "DARK_SCREEN",
    "callout",
    "code",
    "data_uri",
    "details",
    "facts",
    "figure",
    "file_link",
    "gallery",
    "items",
    "paragraph",
    "subsection",
    "table",
]

_SIGNATURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp"))
_LEGIBLE, _LEAST_SHARE = "36rem", 0.65
"""Width, and share of its own, below which a wide figure scrolls instead of shrinking."""
DARK_SCREEN = "screen and (prefers-color-scheme: dark)"
"""When the dark rendering of a figure is shown; paper gets the light one."""


def paragraph(*content: Content, class_: str | None = None) -> Markup:
    """Make a paragraph.

    Examples
    --------
    >>> paragraph("1 < 2")
    Markup('<p>1 &lt; 2</p>')
    """
    return element("p", *content, class_=class_)


def code(content: Content) -> Markup:
    """Make a piece of code, a path or a command in a line of text."""
    return element("code", content)


def items(*content: Content) -> Markup:
    """Make a list of one item each.

    Examples
    --------
    >>> items("a", "b")
    Markup('<ul><li>a</li><li>b</li></ul>')
    """
    return element("ul", *(element("li", item) for item in content))


def subsection(title: Content, *content: Content) -> Markup:
    """Make a heading of the third rank and what follows it."""
    return element("h3", title) + join(content)


def facts(pairs: Iterable[tuple[Content, Content]]) -> Markup:
    """Make a list of names and values.

    Examples
    --------
    >>> facts([("width", 256)])
    Markup('<dl class="facts"><dt>width</dt><dd>256</dd></dl>')
    """
    return element("dl", *(element("dt", name) + element("dd", value) for name, value in pairs), class_="facts")


def table(
    headers: Sequence[Content],
    rows: Iterable[Sequence[Content]],
    *,
    caption: Content,
    numeric: Collection[int] = (),
) -> Markup:
    """Make a table, which scrolls by itself where it is wider than the screen.

    Parameters
    ----------
    headers : sequence of str
        What stands above the columns.
    rows : iterable of sequences
        One value a column; the first of a row names it.
    caption : str
        What the table shows; also what a screen reader calls it.
    numeric : collection of int
        Columns, from 0, whose values are numbers: they are set flush right in figures of one width.

    Returns
    -------
    markup : Markup

    Raises
    ------
    ParameterError
        If a row has another number of values than there are headers.

    Examples
    --------
    >>> '<td class="number">12</td>' in table(["set", "images"], [["real", 12]], caption="Sets", numeric=[1])
    True
    """
    head = [element("th", title, scope="col", class_=_number(k, numeric)) for k, title in enumerate(headers)]
    body = []
    for row in rows:
        if len(row) != len(headers):
            raise ParameterError(f"a row must have {len(headers)} values, one for each header, got {len(row)}")
        cells = [element("td", value, class_=_number(k, numeric)) for k, value in enumerate(row)]
        named = element("th", _breakable(row[0]), scope="row", class_=_number(0, numeric))
        body.append(element("tr", named, *cells[1:]))
    made = element(
        "table",
        element("caption", element("span", caption)),  # so that it wraps to what is visible of a wide table
        element("thead", element("tr", *head)),
        element("tbody", *body),
    )
    return element("div", made, class_="scroll", role="region", tabindex=0, aria_label=without_elements(caption))


def figure(
    light: bytes,
    *,
    alt: str,
    caption: Content = "",
    dark: bytes | None = None,
    wide: bool = False,
    width: int | None = None,
) -> Markup:
    """Make a figure of the bytes of an image.

    Parameters
    ----------
    light : bytes
        PNG, JPEG, WebP or SVG, for paper and light screens.
    alt : str
        What the picture says, for those who do not see it.
    caption : str or Markup
        What stands below; none if empty.
    dark : bytes, optional
        The rendering for dark screens; the light one by default.
    wide : bool
        Scroll on a narrow screen instead of shrinking until nothing can be read.
    width : int, optional
        Largest width in CSS pixels; that of the column by default.

    Returns
    -------
    markup : Markup

    Raises
    ------
    ParameterError
        If `alt` is empty, or the bytes are not an image of these formats.
    """
    if not alt.strip():
        raise ParameterError("alt must say what the picture shows, got nothing; describe it in a sentence")
    style = None if width is None else f"max-width:min(100%,{int(width)}px)"
    if wide and width is not None:
        style = f"width:min(100%,{int(width)}px);min-width:min({_LEGIBLE},{int(_LEAST_SHARE * width)}px)"
    picture = element("img", src=data_uri(light), alt=alt, style=style)
    if dark is not None:
        picture = element("picture", element("source", srcset=data_uri(dark), media=DARK_SCREEN), picture)
    if wide:
        picture = element("div", picture, class_="scroll", role="region", tabindex=0, aria_label=alt[:80])
    return element("figure", picture, *([element("figcaption", caption)] if caption else []))


def gallery(*figures: Markup) -> Markup:
    """Make a grid of figures, as many beside each other as the screen has room for."""
    return element("div", *figures, class_="gallery")


def callout(title: Content, *content: Content, kind: Literal["note", "good", "caution", "bad"] = "note") -> Markup:
    """Make a remark that stands out; its title says in words what its colour says."""
    return element("div", paragraph(title, class_="callout-title"), *content, class_=f"callout {kind}", role="note")


def details(summary: Content, *content: Content, unfolded: bool = False) -> Markup:
    """Make a part that the reader unfolds, or may fold; what must be on paper in every browser begins unfolded."""
    return element("details", element("summary", summary), *content, open=unfolded)


def file_link(name: str, label: Content | None = None) -> Markup:
    """Make a link to a file beside the page.

    Examples
    --------
    >>> file_link("a b#1.png")
    Markup('<a href="./a%20b%231.png">a b#1.png</a>')
    """
    return element("a", name if label is None else label, href=f"./{quote_from_bytes(os.fsencode(name))}")


def data_uri(image: bytes) -> Markup:
    """Write the bytes of an image as an address that holds them.

    Raises
    ------
    ParameterError
        If they are not PNG, JPEG, WebP or SVG.

    Examples
    --------
    >>> data_uri(b"<svg/>")
    Markup('data:image/svg+xml;base64,PHN2Zy8+')
    """
    media = next((media for start, media in _SIGNATURES if image.startswith(start)), None)
    if media is None and b"<svg" in image[:1000]:
        media = "image/svg+xml"
    if media is None:
        raise ParameterError(f"an image of a page must be PNG, JPEG, WebP or SVG, got bytes that begin {image[:8]!r}")
    return Markup(f"data:{media};base64,{base64.b64encode(image).decode('ascii')}")


def _breakable(name: Content) -> Content:
    """Let a name of several parts, such as that of a set, end a line after a slash rather than amid a word."""
    if isinstance(name, Markup) or "/" not in str(name):
        return name
    return join(str(name).split("/"), Markup("/<wbr>"))


def _number(column: int, numeric: Collection[int]) -> str | None:
    return "number" if column in numeric else None
