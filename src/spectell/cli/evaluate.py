"""``spectell evaluate``: a model measured on a data set."""

from __future__ import annotations

import json
from typing import Any

import click

from spectell.cli.figures import evaluation_lines, stage_progress
from spectell.cli.limits import file_limits

__all__ = ["evaluate"]


@click.command()
@click.argument("model")
@click.argument("dataset")
@click.option("--fpr", type=float, default=0.01, show_default=True, help="Rate whose threshold gives the verdicts.")
@click.option("--split", metavar="NAME", help="Only images of this split of a manifest.")
@click.option("--unseen", is_flag=True, help="Only images that were not in the model's training.")
@click.option("--real", metavar="NAME", help="Sub-folder that is real, if it is not called real or 0_real.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the intervals.")
@click.option("--workers", "-j", type=click.IntRange(min=1), help="Processes; all cores by default.")
@file_limits
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate(model: str, dataset: str, as_json: bool, **options: Any) -> None:
    """Measure a model on a data set, with 95 % intervals.

    MODEL is a model file, or the word default for the bundled model. DATASET is a folder or a manifest.

    Example:

    \b
        spectell evaluate faces.safetensors faces/ --unseen
        spectell evaluate default my-pictures/ --json
    """
    from spectell.workflows.evaluate import evaluate as measure

    with stage_progress(shown=not as_json) as report:
        found = measure(model, dataset, on_progress=report, **options)
    if as_json:
        click.echo(json.dumps(found.as_dict(), allow_nan=False))
        return
    for warning in found.warnings:
        click.echo(f"Warning: {warning}", err=True)
    click.echo("\n".join(evaluation_lines(found)))
