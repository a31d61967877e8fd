"""``spectell bench``: throughput on this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from spectell.workflows.workers.threads import keep_to_one_thread

if TYPE_CHECKING:
    from spectell.workflows.bench import BenchReport

__all__ = ["bench"]


@click.command()
@click.option("--model", metavar="MODEL", help="Model file; the bundled one by default.")
@click.option("--workers", "-j", type=click.IntRange(min=1), help="Processes; all cores by default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def bench(model: str | None, workers: int | None, as_json: bool) -> None:
    """Measure how fast this machine scans.

    Writes a few synthetic files (128² PNG, 512² JPEG, 12 megapixels JPEG) to a temporary folder, and compares scanning
    them with decoding alone: as many processes that read the same files with Pillow and do nothing else. Takes about
    ten seconds. Rates suffer where other programs are busy; ratios less.

    Example:

    \b
        spectell bench
        spectell bench --workers 1 --json
    """
    keep_to_one_thread()  # as `spectell scan` does: what is measured is that command
    from spectell.cli.figures import stage_progress
    from spectell.workflows.bench import run_bench

    with stage_progress(shown=not as_json) as report:
        found = run_bench(None if model == "default" else model, workers=workers, on_progress=report)
    if as_json:
        click.echo(json.dumps(found.as_dict(), allow_nan=False))
    else:
        click.echo("\n".join(_lines(found)))


def _lines(found: BenchReport) -> list[str]:
    machine = found.machine
    processes = "one process" if found.workers == 1 else f"{found.workers} processes"
    lines = [
        f"{machine['processor']}, {_cores(machine['cores'])}; {machine['system']}, Python {machine['python']}, "
        f"NumPy {machine['numpy']}, Pillow {machine['Pillow']}, "
        + (f"kernels for {machine['kernels']}" if machine["kernels"] else "kernels not compiled"),
        f"model {found.model}; {processes}; images per second, medians",
        "",
        f"{'images':12}  {'decode only':>11}  {'scan':>9}  {'ratio':>5}",
        *(
            f"{each.name:12}  {_rate(each.decode_only):>11}  {_rate(each.scan):>9}  {each.ratio:5.2f}"
            f"  ({each.least:.2f} to {each.most:.2f})"
            for each in found.throughput
        ),
        "",
        f"Cold start: {found.cold_start:.2f} s for one image, from the start of the program to its end.",
    ]
    if found.memory is not None:
        lines.append(
            f"Memory: {found.memory / 1e6:.0f} MB in the largest process, with the largest images "
            f"(at most {found.memory_bound / 1e6:.0f} MB are meant to suffice)."
        )
    if machine["load"] is not None and machine["load"] >= machine["cores"]:
        lines.append(
            f"Other programs were busy (load {machine['load']} on {_cores(machine['cores'])}): the rates are too low."
        )
    return lines


def _cores(number: int) -> str:
    return f"{number} core{'' if number == 1 else 's'}"


def _rate(images: float) -> str:
    """Write a rate with two digits or more.

    Examples
    --------
    >>> _rate(1234.5), _rate(7.25)
    ('1,234', '7.2')
    """
    return f"{images:,.0f}" if images >= 10 else f"{images:.1f}"
