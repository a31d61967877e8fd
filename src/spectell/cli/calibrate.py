"""``spectell calibrate``: a model's thresholds from one's own photographs."""

from __future__ import annotations

import json
from typing import Any

import click

from spectell.cli.figures import calibration_lines, refutation_lines, stage_progress
from spectell.cli.limits import file_limits

__all__ = ["calibrate"]

_REFUTED = 4


@click.command()
@click.argument("model")
@click.argument("real_folder")
@click.option("--output", "-o", required=True, metavar="FILE", help="Model file to write.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the division into halves.")
@click.option("--force", is_flag=True, help="Write the model even if a promised rate is refuted.")
@click.option("--workers", "-j", type=click.IntRange(min=1), help="Processes; all cores by default.")
@file_limits
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def calibrate(
    ctx: click.Context,
    /,
    model: str,
    real_folder: str,
    output: str,
    as_json: bool,
    **options: Any,
) -> None:
    """Set a model's thresholds on your own real photographs.

    Half of the photographs set the thresholds; on the other half the false-positive rates are verified. Copies of a
    picture count once. Where a rate is higher than promised by more than chance explains, no model is written, unless
    --force is given. MODEL is a model file, or the word default for the bundled model. Exit status: 0 the model was
    written, 4 a rate is refuted and it was not, 1 nothing could be done, 2 wrong usage.

    Example:

    \b
        spectell calibrate default my-photographs/ -o mine.safetensors
        spectell scan downloads/ --model mine.safetensors
    """
    from spectell.cli.outputs import MODEL, check_output
    from spectell.workflows.calibrate import calibrate as set_thresholds

    check_output(output, MODEL, option="--output")
    with stage_progress(shown=not as_json) as report:
        found = set_thresholds(model, real_folder, output, on_progress=report, **options)
    if as_json:
        click.echo(json.dumps(found.as_dict(), allow_nan=False))
    else:
        click.echo("\n".join([*([f"Wrote {output}."] if found.written else []), *calibration_lines(found)]))
    for line in refutation_lines(found):
        click.echo(f"Warning: {line}", err=True)
    if not found.written:
        click.echo(
            f"Warning: {output} was not written, since chance alone explains that in one calibration of a hundred at "
            "most; calibrate on more photographs, or write it all the same with --force",
            err=True,
        )
        ctx.exit(_REFUTED)
