"""What ``spectell dataset`` prints for people: tables and findings, line by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spectell.datasets import Manifest
    from spectell.workflows.auditing.report import AuditReport, Comparison
    from spectell.workflows.reading.image_files import Skipped

__all__ = ["audit_lines", "count_lines", "lost_notes", "split_counts", "split_lines"]

_SHOWN_VALUES = 3
_NAMED_FILES = 3


def count_lines(manifest: Manifest) -> Iterator[str]:
    """Yield a table of the images by source and generator."""
    counts = manifest.counts()
    rows = [[source, name, f"{number:,}"] for source, own in counts.items() for name, number in own.items()]
    return _aligned([["source", "generator", "images"], *rows])


def split_counts(manifest: Manifest) -> dict[str, dict[str, dict[str, int]]]:
    """Return {split: {source: {generator: images}}}; training comes first, then validation."""
    from spectell.datasets.splits import DEFAULT_FRACTIONS

    splits = manifest.splits
    known = list(DEFAULT_FRACTIONS)
    names = sorted(set(splits.tolist()), key=lambda name: (known.index(name) if name in known else len(known), name))
    return {name: manifest.select(splits == name).counts() for name in names}


def split_lines(manifest: Manifest) -> Iterator[str]:
    """Yield a table of the images by source, generator and split."""
    splits = split_counts(manifest)
    rows = [
        [source, name, *(f"{counts.get(source, {}).get(name, 0):,}" for counts in splits.values())]
        for source, own in manifest.counts().items()
        for name in own
    ]
    return _aligned([["source", "generator", *(name or "(none)" for name in splits)], *rows])


def lost_notes(skipped: Sequence[Skipped]) -> list[str]:
    """Count the files that crash, hang or want too much memory, and give the first reasons.

    Examples
    --------
    >>> from spectell.workflows.reading.image_files import Skipped
    >>> lost_notes([Skipped("a.png", "cannot read a.png: it hung")])
    ["1 of the unreadable files did harm to the processes that read them: 'a.png' (cannot read a.png: it hung)"]
    """
    if not skipped:
        return []
    named = "; ".join(f"{each.path!r} ({each.reason})" for each in skipped[:_NAMED_FILES])
    more = f"; and {len(skipped) - _NAMED_FILES:,} more" if len(skipped) > _NAMED_FILES else ""
    return [f"{len(skipped):,} of the unreadable files did harm to the processes that read them: {named}{more}"]


def audit_lines(report: AuditReport) -> Iterator[str]:
    """Yield what an audit found: a table of file facts, how well they separate the classes, copies, leaks."""
    header = ["class", "images", "read"]
    facts = list(report.classes[0].values)
    rows = [
        [known.generator, f"{known.images:,}", f"{known.examined:,}", *(_most(known.values[fact]) for fact in facts)]
        for known in report.classes
    ]
    yield from _aligned([[*header, *facts], *rows])
    yield ""
    read = [known for known in report.classes if known.traces]
    if read:
        traces = list(read[0].traces)
        rows = [[known.generator, *(_most(known.traces[trace]) for trace in traces)] for known in read]
        yield from _aligned([["class", *traces], *rows])
        yield ""
    yield from map(_comparison_line, report.comparisons)
    copies = report.duplicates
    yield (
        f"copies among the {report.examined:,} images read: {copies.exact:,} with the same bytes, {copies.near:,} that "
        f"look the same; {copies.near_across_classes:,} pictures occur as real and generated"
    )
    yield ""
    if not report.leaks:
        left = "" if report.pixels else " The pixels' own history (saved as JPEG before, resized) was not examined."
        yield f"No leak found.{left}"
    for leak in report.leaks:
        yield f"LEAK {leak.what}: {leak.evidence}\n     Remedy: {leak.remedy}."


def _comparison_line(comparison: Comparison) -> str:
    if comparison.auc is None:
        return f"{comparison.generator}: too few images of both classes to measure what file facts alone tell"
    seen = f"; 8 x 8 thumbnails alone with AUC {comparison.thumbnails}" if comparison.thumbnails else ""
    return f"file facts alone tell {comparison.generator} from real with AUC {comparison.auc} (0.5 is chance){seen}"


def _most(values: Mapping[str, int]) -> str:
    """Name the most frequent values with their shares."""
    total = sum(values.values())
    shown = [f"{value} {number / total:.0%}" for value, number in list(values.items())[:_SHOWN_VALUES]]
    return ", ".join(shown) + (", ..." if len(values) > _SHOWN_VALUES else "") if shown else "-"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Pad the columns of a table; characters that could upset a terminal are escaped."""
    from spectell.images import describe_path

    cells = [[describe_path(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
