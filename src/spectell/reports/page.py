"""One HTML page that holds everything it shows: no network, no script, no second file.

A page is put together from what `spectell.reports.parts` makes::

    render_page("Title", section("First", paragraph("..."), table(...)), section("Second", figure(...)))

A content-security policy in the page forbids scripts and requests besides, should a browser think otherwise.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from spectell.datasets.atomic import replacing
from spectell.reports.markup import Content, Markup, element, join, without_elements
from spectell.reports.stylesheet import stylesheet

__all__ = ["Section", "is_page", "render_page", "section", "write_page"]

_DOCTYPE = "<!doctype html>"

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page with a heading, which its table of contents names; made by `section`."""

    title: Content
    body: Markup


def section(title: Content, *content: Content) -> Section:
    """Make a part of a page under a heading of the second rank."""
    return Section(title, join(content))


def render_page(
    title: str,
    *parts: Section | Markup,
    lead: Content = "",
    eyebrow: Content = "",
    footer: Content = "",
    contents: bool = False,
) -> str:
    """Put a whole page together.

    Parameters
    ----------
    title : str
        Heading of the page and of its window.
    *parts : Section or Markup
        What `section` and the other functions made.
    lead : str or Markup
        The page in a sentence, below its title.
    eyebrow : str or Markup
        What kind of page it is, above its title.
    footer : str or Markup
        How it was made.
    contents : bool
        List the sections at the top.

    Returns
    -------
    page : str
        An HTML document in UTF-8.

    Examples
    --------
    >>> page = render_page("A & B", section("One", "text"))
    >>> "<title>A &amp; B</title>" in page, '<section aria-labelledby="one"><h2 id="one">One</h2>' in page
    (True, True)
    """
    taken: set[str] = set()
    names = [_anchor(part.title, taken) if isinstance(part, Section) else "" for part in parts]
    body = [
        _section(part, name) if isinstance(part, Section) else part for part, name in zip(parts, names, strict=True)
    ]
    top = [element("p", eyebrow, class_="eyebrow")] if eyebrow else []
    top += [element("h1", title), *([element("p", lead, class_="lead")] if lead else [])]
    links = [
        element("li", element("a", part.title, href=f"#{name}"))
        for part, name in zip(parts, names, strict=True)
        if isinstance(part, Section)
    ]
    listed = element("nav", element("ul", *links), class_="contents", aria_label="Contents") if contents else ""
    skip = element("a", "Skip to the content", href="#content", class_="skip") if contents else ""
    return Markup(f"{_DOCTYPE}\n") + element(
        "html",
        _head(title),
        element(
            "body",
            skip,
            element("header", *top),
            listed,
            element("main", *body, id="content"),
            element("footer", footer) if footer else "",
        ),
        lang="en-GB",
    )


def is_page(path: Path) -> bool:
    """Whether a file begins as a page of ours does; `OSError` if it cannot be read."""
    with path.open("rb") as file:
        return file.read(len(_DOCTYPE)).lower() == _DOCTYPE.encode()


def write_page(path: str | os.PathLike[str], page: str) -> None:
    """Write a page, whole or not at all.

    Raises
    ------
    ManifestError
        If the file cannot be written.
    """
    with replacing(path) as file:
        file.write(page.encode("utf-8", "backslashreplace"))


def _head(title: str) -> Markup:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", Markup(stylesheet())),
    )


def _section(part: Section, name: str) -> Markup:
    return element("section", element("h2", part.title, id=name), part.body, aria_labelledby=name)


def _anchor(title: Content, taken: set[str]) -> str:
    """Name a place in the page after its heading, unlike every other."""
    stem = re.sub(r"[^a-z0-9]+", "-", without_elements(title).lower()).strip("-") or "part"
    name, number = stem, 1
    while name in taken | {"content"}:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name
