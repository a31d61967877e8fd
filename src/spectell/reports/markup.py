"""HTML that cannot be put together unescaped.

`Markup` is a string that is HTML already. Whatever takes content escapes every string that is not Markup, and every
operation on strings but those below gives a plain string, which is escaped in its turn. So forgetting to escape is
not possible, and escaping twice shows on the page, where it harms nobody.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from typing import SupportsIndex

from spectell.errors import ParameterError

__all__ = ["Content", "Markup", "element", "join", "text", "without_elements"]

_VOID = frozenset({"br", "hr", "img", "meta", "source", "wbr"})
_NAME = re.compile(r"[a-z][a-z0-9-]*")


class Markup(str):
    """A string that is HTML and is not escaped again.

    Write ``Markup("...")`` around literals only; everything that comes from outside passes `text` or `element`.

    Examples
    --------
    >>> Markup("<b>a</b>") + " < b"
    Markup('<b>a</b> &lt; b')
    >>> "a & " + Markup("<b>b</b>")
    Markup('a &amp; <b>b</b>')
    >>> type(Markup("<b>{}</b>").format("<i>"))  # plain again, hence escaped where it is used
    <class 'str'>
    """

    __slots__ = ()

    def __add__(self, other: str) -> Markup:
        return Markup(str.__add__(self, text(other)))

    def __radd__(self, other: str) -> Markup:
        return Markup(str.__add__(text(other), self))

    def __mul__(self, number: SupportsIndex) -> Markup:
        return Markup(str.__mul__(self, number))

    def __repr__(self) -> str:
        return f"Markup({str.__repr__(self)})"


Content = str | int | float
"""What may stand in an element: Markup as it is, other strings escaped, numbers as Python prints them."""


def text(content: Content) -> Markup:
    r"""Escape a string for any place in a page; Markup is returned as it is.

    Characters that cannot be encoded, or that could reorder or hide what stands beside them (surrogates of file names
    that are not UTF-8, control and bidirectional formatting characters), are shown as Python escapes.

    Examples
    --------
    >>> text('<script>"&')
    Markup('&lt;script&gt;&quot;&amp;')
    >>> text("caf\udce9\u202egpj.exe")
    Markup('caf\\xe9\\u202egpj.exe')
    """
    if isinstance(content, Markup):
        return content
    return Markup(html.escape("".join(map(_visible, str(content))), quote=True))


def join(parts: Iterable[Content], separator: Content = "") -> Markup:
    """Escape what is not Markup and put the separator between.

    Examples
    --------
    >>> join(["a<", Markup("<br>")], ", ")
    Markup('a&lt;, <br>')
    """
    return Markup(str.join(text(separator), map(text, parts)))


def element(name: str, /, *children: Content, **attributes: Content | bool | None) -> Markup:
    """Make an element.

    Parameters
    ----------
    name : str
        Its name, in lower case.
    *children : Markup, str or number
        What stands in it; strings are escaped.
    **attributes : str, number, bool or None
        Values are escaped. A trailing underscore of a name is dropped (``class_``), others become hyphens
        (``aria_label``); True is an attribute without a value, False and None are left out.

    Returns
    -------
    markup : Markup

    Raises
    ------
    ParameterError
        If a name is not a name, an attribute would run a script (``on...``), or a void element has children.

    Examples
    --------
    >>> element("a", "R&D", href="?a=1&b=2", class_="wide", hidden=True)
    Markup('<a href="?a=1&amp;b=2" class="wide" hidden>R&amp;D</a>')
    >>> element("br")
    Markup('<br>')
    """
    written = [name]
    for key, value in attributes.items():
        attribute = key.removesuffix("_").replace("_", "-")
        if not _NAME.fullmatch(attribute) or attribute.startswith("on"):
            raise ParameterError(f"an attribute must be a lower-case name that is no event handler, got {attribute!r}")
        if value is True:
            written.append(attribute)
        elif value is not None and value is not False:
            # Quotes are escaped once more: Markup may hold them, and in a value they would end it.
            written.append(f'{attribute}="{text(value).replace(chr(34), "&quot;")}"')
    if not _NAME.fullmatch(name) or (name in _VOID and children):
        raise ParameterError(f"{name!r} with {len(children)} children is not an element of HTML; check its name")
    opening = f"<{' '.join(written)}>"
    return Markup(opening if name in _VOID else f"{opening}{join(children)}</{name}>")


def without_elements(content: Content) -> Markup:
    """Return content as text alone, for an attribute.

    Examples
    --------
    >>> without_elements(Markup("<b>a</b> &lt; b"))
    Markup('a &lt; b')
    """
    return Markup(re.sub(r"<[^>]*>", "", text(content)))


def _visible(character: str) -> str:
    if character.isprintable() or character in "\n\t" or unicodedata.category(character) == "Zs":
        return character
    if "\udc80" <= character <= "\udcff":  # a byte of a file name that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
