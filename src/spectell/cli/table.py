"""Rows for people to read: columns that line up although each is printed as soon as it is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from spectell.images.sources import describe_path
from spectell.workflows.verdict import printable_path

if TYPE_CHECKING:
    from spectell.workflows.verdict import Verdict

__all__ = ["chance", "table_header", "table_row"]

_COLOURS = {"generated": "red", "real": "green", "inconclusive": "yellow", "error": "magenta"}


def table_header() -> str:
    """Return the names of the columns.

    Examples
    --------
    >>> table_header()
    'verdict       generated?  file'
    """
    return "verdict       generated?  file"


def table_row(verdict: Verdict, *, colour: bool = False) -> str:
    r"""Return one row: verdict, probability in per cent, path, and in brackets what is to be said beside it.

    Examples
    --------
    >>> from spectell.workflows.verdict import Verdict
    >>> table_row(Verdict("a.jpg", "real", 0.03, -3.5, 0.01, "default", 8, 8, "JPEG", 40, ("heavily compressed",)))
    'real                3 %   a.jpg  (heavily compressed)'
    >>> table_row(Verdict("a.jpg", "generated", 0.98, 3.9, 0.01, "faces", generator="progan"))
    'generated          98 %   a.jpg  (most like progan)'
    >>> table_row(Verdict.failed("b\x1b.jpg", "it is empty", fpr=0.01, model="default"))
    'error                 -   b\\x1b.jpg  (it is empty)'
    >>> table_row(Verdict.failed("c.jpg", "cannot read c.jpg: the file is empty", fpr=0.01, model="default"))
    'error                 -   c.jpg  (the file is empty)'
    """
    name = f"{verdict.verdict:12}"
    said = "; ".join(_remarks(verdict))
    text = f"{chance(verdict.probability):>10}   {_harmless(printable_path(verdict.path))}"
    beside = f"  ({_harmless(said)})" if said else ""
    if not colour:
        return f"{name}{text}{beside}"
    return f"{click.style(name, fg=_COLOURS[verdict.verdict])}{text}{click.style(beside, dim=True)}"


def _remarks(verdict: Verdict) -> Iterator[str]:
    if verdict.generator:
        yield f"most like {verdict.generator}"
    yield from verdict.warnings
    if verdict.error:
        yield _reason(verdict.path, verdict.error)


def _reason(path: str, error: str) -> str:
    """Leave out the file's name, which stands beside it: "cannot read NAME: REASON" says it a second time."""
    for name in (path, describe_path(path)):
        for verb in ("read", "judge"):
            error = error.removeprefix(f"cannot {verb} {name}: ")
    return error


def chance(probability: float | None) -> str:
    """Write a probability in whole per cent, for a column; as nobody is certain, 0 % and 100 % are never printed.

    Examples
    --------
    >>> [chance(probability) for probability in (None, 0.0, 0.5, 1.0)]
    ['-', '<1 %', '50 %', '>99 %']
    """
    if probability is None:
        return "-"
    if probability < 0.005:
        return "<1 %"
    return ">99 %" if probability > 0.995 else f"{100 * probability:.0f} %"


def _harmless(text: str) -> str:
    r"""Control characters in a name could move the cursor and forge rows; they are shown as escapes instead."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
