"""``spectell reproduce``: the paper's tables and figures on the user's images."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from spectell.cli.figures import stage_progress
from spectell.workflows.workers.threads import keep_to_one_thread

if TYPE_CHECKING:
    from spectell.experiments.plan import Plan

__all__ = ["reproduce"]

_INTERRUPTED = 130


def _names(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    """Refuse a name that is no experiment's, as wrong usage."""
    from spectell.experiments.registry import EXPERIMENTS

    del ctx, parameter
    if value not in EXPERIMENTS:
        listed = "; ".join(f"{name}: {spec.summary}" for name, spec in EXPERIMENTS.items())
        raise click.BadParameter(f"{value!r} is no experiment; choose from {listed}")
    return value


@click.command()
@click.argument("name", callback=_names)
@click.option("--data", required=True, metavar="DIR", help="Folder of data sets, each a folder of generators.")
@click.option("--scale", type=click.Choice(["small", "full"]), default="small", show_default=True)
@click.option("--output", "-o", metavar="DIR", help="Folder for the results; reproduce-NAME by default.")
@click.option("--dry-run", is_flag=True, help="Print what would be done, and stop.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of every random choice.")
@click.option("--workers", "-j", type=click.IntRange(min=1), help="Processes; all cores by default.")
@click.option("--json", "as_json", is_flag=True, help="Print the plan, or the record of the run, as JSON.")
@click.pass_context
def reproduce(
    ctx: click.Context,
    /,
    name: str,
    data: str,
    scale: str,
    output: str | None,
    dry_run: bool,
    seed: int,
    workers: int | None,
    as_json: bool,
) -> None:
    """Repeat an experiment of Frank et al. (2020) on your own images.

    NAME is spectra (mean spectra of every source below --data, real images beside every generator), upsampling (the
    same networks trained with one up-sampling after the other, and the trace that each leaves), separability (linear
    detectors on pixels and on the DCT), attribution (which of several sources an image comes from), data-efficiency
    (the same from a fifth of the images) or robustness (the same after blur, crop, JPEG and noise). The results are
    one page, figures as PNG and PDF, every number, and a record with the command that repeats it. An interrupted run
    goes on when the same command is given again. small is done on a laptop, full is as large as in the paper.

    Example:

    \b
        spectell reproduce spectra --data images/ --dry-run
        spectell reproduce spectra --data images/ --scale small -o spectra/
        spectell reproduce upsampling --data faces/ --scale small -o upsampling/
        spectell reproduce attribution --data faces/ --scale small -o attribution/
        spectell reproduce separability --data images/ --scale small -o separability/
    """
    keep_to_one_thread()  # workers share the cores
    from spectell.experiments.config import resolve_config
    from spectell.experiments.registry import get_experiment

    config = resolve_config(name, data, output=output, scale=scale, seed=seed, workers=workers)
    experiment = get_experiment(name)
    if dry_run:
        click.echo(_plan_text(experiment.plan(config), as_json=as_json))
        return
    try:
        with stage_progress(shown=not as_json) as report:
            page = experiment.run(config, report)
    except KeyboardInterrupt:
        click.echo(f"\nInterrupted; the same command goes on with what is in {config.output}.", err=True)
        ctx.exit(_INTERRUPTED)
    from spectell.experiments.record import RECORD

    record = (page.parent / RECORD).read_text(encoding="utf-8")
    if as_json:
        click.echo(record.rstrip("\n"))
        return
    for name, reason in json.loads(record).get("skipped", {}).items():
        click.echo(f"Skipped: {name}: {reason}", err=True)
    click.echo(f"Wrote {page}.")


def _plan_text(plan: Plan, *, as_json: bool) -> str:
    if not as_json:
        return "\n".join(plan.lines())
    from dataclasses import asdict

    return json.dumps({**asdict(plan), "images": plan.images, "seconds": plan.seconds}, allow_nan=False)
