"""``spectell scan``: verdicts for files, folders and lists of paths."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from spectell.cli.limits import file_limits
from spectell.cli.progress import Progress
from spectell.workflows.workers.threads import keep_to_one_thread

if TYPE_CHECKING:
    from spectell.workflows.reading.scan_notes import ScanNotes
    from spectell.workflows.verdict import Verdict

__all__ = ["scan"]

_SOME_UNREADABLE = 3
_INTERRUPTED = 130
_COUNTING_SECONDS = 1.0


def _checked_output(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        from spectell.errors import ParameterError
        from spectell.workflows.rows.outputs import output_suffix

        try:
            output_suffix(value)
        except ParameterError as error:
            raise click.BadParameter(str(error)) from error
    return value


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--model", "-m", metavar="FILE", help="Model file; the bundled model by default.")
@click.option(
    "--fpr", type=float, default=0.01, show_default=True, help="Share of real photographs that may be called generated."
)
@click.option("--thorough", is_flag=True, help="Look at all of a large image instead of a bounded number of blocks.")
@click.option("--json", "style", flag_value="json", help="Print JSON, one row a line.")
@click.option("--csv", "style", flag_value="csv", help="Print CSV.")
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    callback=_checked_output,
    help="Write the rows to FILE (.jsonl, .csv or .parquet) as the work goes.",
)
@click.option("--resume", is_flag=True, help="Go on with an output that was interrupted.")
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
@click.option("--workers", "-j", type=click.IntRange(min=1), help="Processes; all cores by default.")
@file_limits
@click.option("--null", "-0", is_flag=True, help="Paths on standard input end in NUL, as from find -print0.")
@click.option("--quiet", "-q", is_flag=True, help="No progress and no summary.")
@click.pass_context
def scan(ctx: click.Context, /, paths: tuple[str, ...], style: str | None, quiet: bool, **options: Any) -> None:
    """Say of each image whether it is real or generated, or that nobody can tell.

    PATH is a file, a folder, which is walked, or - for a list of paths on standard input. Rows come in the order of the
    files. Exit status: 0 all files read, 3 some could not be read (they are rows with the verdict "error"), 1 nothing
    could be done, 2 wrong usage.

    Example:

    \b
        spectell scan holiday.jpg downloads/
        spectell scan photos/ -o rows.csv --resume
        find . -name '*.jpg' -print0 | spectell scan - -0 --json
    """
    if (options["resume"] or options["overwrite"]) and options["output"] is None:
        raise click.UsageError("--resume and --overwrite need an output: add -o FILE")
    if options["resume"] and options["overwrite"]:
        raise click.UsageError("--resume and --overwrite exclude each other")
    keep_to_one_thread()  # workers share the cores
    run = _Run(paths, style, quiet, options)
    try:
        run.go()
    except KeyboardInterrupt:
        run.interrupted()
        ctx.exit(_INTERRUPTED)
    ctx.exit(_SOME_UNREADABLE if run.tally["error"] else 0)


class _Run:
    """One run of the command: what it reads, prints and counts."""

    def __init__(self, paths: tuple[str, ...], style: str | None, quiet: bool, options: dict[str, Any]) -> None:
        self.paths, self.style, self.quiet = paths, style, quiet
        self.null = options.pop("null")
        self.output = {name: options.pop(name) for name in ("output", "resume", "overwrite")}
        self.options = {name: value for name, value in options.items() if value is not None}
        self.tally: Counter[str] = Counter()
        self.notes: ScanNotes | None = None
        self.done = 0

    def go(self) -> None:
        verdicts = self._verdicts()
        emit = self._printer()
        progress = _progress(self.paths, shown=not self.quiet)
        with closing(verdicts):
            for verdict in verdicts:
                if not self.done:
                    self._warn_of_changes(progress)
                self.done += 1
                self.tally[verdict.verdict] += 1
                if emit is not None:
                    progress.clear()
                    emit(verdict)
                progress.update(self.done)
        if not self.done:
            self._warn_of_changes(progress)
        progress.clear()
        if not self.quiet:
            click.echo(_summary(self.tally, self.done, progress.seconds, self.options["fpr"]), err=True)
            if self.notes is not None and self.notes.passed_over:
                click.echo(_passed_over(self.notes), err=True)

    def _warn_of_changes(self, progress: Progress) -> None:
        """Say at once which rows may be out of date, whatever becomes of this run, and also where it shall be quiet."""
        if self.notes is not None and self.notes.changed:
            progress.clear()
            click.echo(_changed(self.notes), err=True)

    def interrupted(self) -> None:
        kept = self.output["output"] is not None and self.done
        rows = "; they are kept, and the same command with --resume goes on" if kept else ""
        click.echo(f"\nInterrupted after {self.done} images{rows}.", err=True)

    def _verdicts(self) -> Any:
        from spectell.workflows.reading.scan_notes import ScanNotes
        from spectell.workflows.scan import scan, scan_to_file

        self.notes = ScanNotes()
        given = _given(self.paths, self.null)
        if self.output["output"] is None:
            return scan(given, notes=self.notes, **self.options)
        return scan_to_file(given, finished=self.tally, notes=self.notes, **self.output, **self.options)

    def _printer(self) -> Callable[[Verdict], None] | None:
        """Return what prints a row; nothing does where the rows go to a file and no style is named."""
        from spectell.workflows.rows.outputs import csv_header, csv_line, json_line

        if self.style is None:
            return None if self.output["output"] else _print_row()
        if self.style == "csv":
            return _headed(csv_header(), csv_line)
        return lambda verdict: _write(json_line(verdict))


def _given(paths: tuple[str, ...], null: bool) -> Iterator[Any]:
    from spectell.workflows.reading.walk import read_paths

    for path in paths:
        if path == "-":
            yield from read_paths(sys.stdin.buffer, null=null)
        else:
            yield path


def _write(row: bytes) -> None:
    """Hand a row to the reader at once: the next one may take a minute."""
    sys.stdout.buffer.write(row)
    sys.stdout.buffer.flush()


def _print_row() -> Callable[[Verdict], None]:
    from spectell.cli.table import table_header, table_row

    colour = sys.stdout.isatty()
    encoding = sys.stdout.encoding or "utf-8"
    row = lambda verdict: f"{table_row(verdict, colour=colour)}\n".encode(encoding, "backslashreplace")  # noqa: E731
    return _headed(f"{table_header()}\n".encode(), row)


def _headed(header: bytes, line: Callable[[Verdict], bytes]) -> Callable[[Verdict], None]:
    """Print a header with the first row, since a run that cannot begin has nothing to head."""
    headers = [header]
    return lambda verdict: _write((headers.pop() if headers else b"") + line(verdict))


def _progress(paths: tuple[str, ...], *, shown: bool) -> Progress:
    progress = Progress(None, shown=shown)
    if progress.shown and "-" not in paths:
        progress.total = _count(paths)
    return progress


def _count(paths: tuple[str, ...]) -> int | None:
    """Count the files if that is quick: a million of them shall not delay the first verdict."""
    from spectell.errors import ParameterError
    from spectell.workflows.reading.walk import walk

    patience = time.monotonic() + _COUNTING_SECONDS
    count = 0
    try:
        for count, _ in enumerate(walk(paths), start=1):  # noqa: B007 - the count outlives the loop
            if time.monotonic() > patience:
                return None
    except ParameterError:
        return None
    return count


def _passed_over(notes: ScanNotes) -> str:
    from spectell.images import describe_path

    return (
        f"Passed over {_files(notes.passed_over)} without an image's suffix (first: "
        f"{describe_path(notes.first_passed_over)}); "
        "files that are named are read: find FOLDER -type f -print0 | spectell scan - -0"
    )


def _changed(notes: ScanNotes) -> str:
    from spectell.images import describe_path

    return (
        f"Warning: {_files(notes.changed)} changed since the earlier run began, whose rows stay (first: "
        f"{describe_path(notes.first_changed)}); scan them again by name, or all with --overwrite"
    )


def _files(number: int) -> str:
    return f"{number:,} file{'' if number == 1 else 's'}"


def _summary(tally: Counter[str], done: int, seconds: float, fpr: float) -> str:
    """Say what was found, and what the false-positive rate means."""
    kinds = ", ".join(f"{tally[kind]:,} {kind}" for kind in ("real", "generated", "inconclusive"))
    errors = f"{tally['error']:,} error{'' if tally['error'] == 1 else 's'}"
    total = tally.total()
    earlier = f" ({total - done:,} of them earlier)" if total > done else ""
    images = f"{total:,} image{'' if total == 1 else 's'}{earlier}"
    return (
        f"{images}: {kinds}, {errors}; {done / max(seconds, 1e-3):.1f} images/s.\n"
        f"Of real photographs like those the model was calibrated on, about {100 * fpr:.3g} % are called generated."
    )
