"""``spectell train``: a detector from a data set."""

from __future__ import annotations

import json
from typing import Any

import click

from spectell.cli.figures import evaluation_lines, stage_progress

__all__ = ["train"]


@click.command()
@click.argument("dataset")
@click.option("--detector", type=click.Choice(["ridge", "logistic"]), default="ridge", show_default=True)
@click.option("--domain", type=click.Choice(["pixel", "dct", "blocks"]), default="blocks", show_default=True)
@click.option("--output", "-o", required=True, metavar="FILE", help="Model file to write.")
@click.option("--size", type=click.IntRange(min=2), help="Side of a tile or block; all that images allow by default.")
@click.option("--penalty", type=click.Choice(["l1", "l2", "elasticnet"]), help="Of logistic regression; l2 by default.")
@click.option("--strength", type=float, help="Of the penalty; 0.01 by default.")
@click.option("--grid", is_flag=True, help="Search the strength by cross-validation.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--real", metavar="NAME", help="Sub-folder that is real, if it is not called real or 0_real.")
@click.option("--name", help="How verdicts call the model; detector and domain by default.")
@click.option("--licence", help="Of the weights, for the card.")
@click.option("--split-output", metavar="FILE", help="Write the manifest with the splits that were used.")
@click.option("--workers", "-j", type=click.IntRange(min=1), help="Threads; all cores by default.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def train(
    dataset: str,
    output: str,
    as_json: bool,
    split_output: str | None,
    real: str | None,
    name: str | None,
    licence: str | None,
    workers: int | None,
    **options: Any,
) -> None:
    """Train a detector, calibrate it, measure it, and write a model file.

    DATASET is a folder with a sub-folder per generator (one of them called real), a folder of such folders, or a
    manifest (.csv or .parquet), whose splits are kept if it has them.

    Example:

    \b
        spectell train faces/ --detector logistic --domain blocks --grid -o faces.safetensors
    """
    from spectell.datasets import write_manifest
    from spectell.detectors import save_model
    from spectell.workflows.train import TrainingConfig, train_model

    with stage_progress(shown=not as_json) as report:
        result = train_model(
            dataset,
            TrainingConfig(**options),
            name=name,
            real=real,
            workers=workers,
            on_progress=report,
            licence=licence,
        )
    save_model(result.model, output)
    if split_output is not None:
        write_manifest(result.manifest, split_output)
    if as_json:
        click.echo(json.dumps(result.as_dict(), allow_nan=False))
        return
    for leak in result.audit.leaks if result.audit else ():
        click.echo(f"Leak: {leak.what}: {leak.evidence}. Remedy: {leak.remedy}.", err=True)
    for note in (*result.notes, *result.evaluation.warnings):
        click.echo(f"Note: {note}", err=True)
    click.echo(f"Wrote {output}, trained on {result.model.card.trained_on}.")
    click.echo(f"Strength {result.facts['strength']:g}. On the test split, which took no part in training:")
    click.echo("\n".join(evaluation_lines(result.evaluation)))
