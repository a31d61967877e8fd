"""``spectell explain``: why one image got its verdict, as a page."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spectell.workflows.workers.threads import keep_to_one_thread

if TYPE_CHECKING:
    from spectell.workflows.explain import Explanation

__all__ = ["explain"]

SUFFIX = ".spectell.html"


@click.command()
@click.argument("image", metavar="IMAGE")
@click.option("--output", "-o", metavar="FILE", help=f"The page; NAME{SUFFIX} in this folder by default, - prints it.")
@click.option("--model", "-m", metavar="FILE", help="Model file; the bundled model by default.")
@click.option(
    "--fpr", type=float, default=0.01, show_default=True, help="Share of real photographs that may be called generated."
)
@click.option("--max-pixels", type=click.IntRange(min=1), help="Refuse larger files; 250 million by default.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the page's facts and numbers as JSON; a page with -o only."
)
def explain(
    image: str, output: str | None, model: str | None, fpr: float, max_pixels: int | None, as_json: bool
) -> None:
    """Say why IMAGE got its verdict, in one HTML page that needs no network.

    The page shows the verdict and how sure it is, what would change it, where in the picture the evidence lies, and how
    the spectrum compares with those of real photographs. An existing page is replaced; any other file never is.
    Exit status: 0 whatever the verdict, 1 if the file cannot be read, 2 wrong usage.

    Example:

    \b
        spectell explain holiday.jpg
        spectell explain holiday.jpg -o report.html --fpr 0.005
        spectell explain holiday.jpg --json
    """
    if as_json and output == "-":
        raise click.UsageError("--json and -o - both print: choose one")
    keep_to_one_thread()  # products are small: threads would wait for each other
    page = None if as_json and output is None else _page_path(image, output)
    from spectell.workflows.explain import explain as explain_file

    limits = {} if max_pixels is None else {"max_pixels": max_pixels}
    found = explain_file(image, model=model, fpr=fpr, **limits)
    if as_json:
        click.echo(json.dumps(found.as_dict(), allow_nan=False))
    if page is not None:
        _write(found, page, quiet=as_json)


def _page_path(image: str, output: str | None) -> str:
    """Return where the page goes, which is never the image."""
    from spectell.cli.outputs import PAGE, check_output
    from spectell.errors import MismatchError

    path = f"{Path(image).stem}{SUFFIX}" if output is None else output
    if path == "-":
        return path
    if Path(path).exists() and Path(image).exists() and Path(path).samefile(image):
        raise MismatchError(f"output must not be the image itself, got {path!r}; choose another name with -o")
    check_output(path, PAGE, option="--output")
    return path


def _write(found: Explanation, path: str, *, quiet: bool) -> None:
    from spectell.cli.table import chance
    from spectell.images import describe_path
    from spectell.reports.explanation import render_explanation
    from spectell.reports.page import write_page

    page = render_explanation(found)
    if path == "-":
        sys.stdout.buffer.write(page.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
        return
    write_page(path, page)
    if not quiet:
        verdict = found.verdict
        share = "" if found.standing is None else f", {chance(verdict.probability)} generated"
        click.echo(f"{verdict.verdict}{share}: the explanation is in {describe_path(path)}")
