"""``spectell calibrate``: a model's thresholds from one's own photographs."""

from __future__ import annotations

import json

import click

from spectell.cli.figures import calibration_lines, stage_progress

__all__ = ["calibrate"]


@click.command()
@click.argument("model")
@click.argument("real_folder")
@click.option("--output", "-o", required=True, metavar="FILE", help="Model file to write.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the division into halves.")
@click.option("--workers", "-j", type=click.IntRange(min=1), help="Threads; all cores by default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def calibrate(model: str, real_folder: str, output: str, seed: int, workers: int | None, as_json: bool) -> None:
    """Set a model's thresholds on your own real photographs.

    Half of the photographs set the thresholds; on the other half the false-positive rates are verified. MODEL is a
    model file, or the word default for the bundled model.

    Example:

    \b
        spectell calibrate default my-photographs/ -o mine.safetensors
        spectell scan downloads/ --model mine.safetensors
    """
    from spectell.cli.outputs import MODEL, check_output
    from spectell.workflows.calibrate import calibrate as set_thresholds

    check_output(output, MODEL, option="--output")
    with stage_progress(shown=not as_json) as report:
        found = set_thresholds(model, real_folder, output, seed=seed, workers=workers, on_progress=report)
    if as_json:
        click.echo(json.dumps(found.as_dict(), allow_nan=False))
        return
    click.echo("\n".join([f"Wrote {output}.", *calibration_lines(found)]))
