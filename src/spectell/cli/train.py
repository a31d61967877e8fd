"""``spectell train``: a detector from a data set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spectell.cli.figures import evaluation_lines, stage_progress
from spectell.cli.limits import file_limits
from spectell.detectors.registry import DETECTORS, DOMAINS

if TYPE_CHECKING:
    from spectell.workflows.reading.image_files import Skipped
    from spectell.workflows.train import TrainingResult

__all__ = ["train"]

_NAMED = 3
_RUN = ("name", "real", "licence", "workers", "resume", "timeout", "max_pixels")


def _perturbations(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    return () if value is None else tuple(name.strip() for name in value.split(","))


@click.command()
@click.argument("dataset")
@click.option("--detector", type=click.Choice(sorted(DETECTORS)), default="ridge", show_default=True)
@click.option(
    "--domain",
    type=click.Choice(sorted(DOMAINS)),
    help="What is learned from; blocks, or dct / pixel where the detector works in no other, by default.",
)
@click.option("--output", "-o", required=True, metavar="FILE", help="Model file to write.")
@click.option("--size", type=click.IntRange(min=2), help="Side of a tile or block; all that images allow by default.")
@click.option("--penalty", type=click.Choice(["l1", "l2", "elasticnet"]), help="Of logistic regression; l2 by default.")
@click.option("--strength", type=float, help="Of the penalty; 0.01 by default.")
@click.option("--grid", is_flag=True, help="Search the detector's parameters; an interrupted search goes on.")
@click.option("--attribution", is_flag=True, help="Tell the generators from one another, too.")
@click.option(
    "--perturb",
    metavar="NAME[,NAME...]",
    callback=_perturbations,
    help="Learn from perturbed images too; names as in spectell perturb. Of several, one is drawn for each image.",
)
@click.option("--preset", metavar="PRESET", help="Of --perturb: frank2020 (the paper) or frank2020-code (its code).")
@click.option("--probability", type=float, metavar="P", help="Of --perturb: share of the images; 0.5 by default.")
@click.option("--epochs", type=click.IntRange(min=1), help="Most passes over the data, of networks; 50 by default.")
@click.option("--device", metavar="D", help="That trains a network, as torch names it (cpu, cuda); cpu by default.")
@click.option("--resume", is_flag=True, help="Go on with a network's training from FILE.checkpoint.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--real", metavar="NAME", help="Sub-folder that is real, if it is not called real or 0_real.")
@click.option("--name", help="How verdicts call the model; detector and domain by default.")
@click.option("--licence", help="Of the weights, for the card.")
@click.option("--split-output", metavar="FILE", help="Write the manifest with the splits that were used.")
@click.option("--workers", "-j", type=click.IntRange(min=1), help="Processes and threads; all cores by default.")
@file_limits
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def train(
    dataset: str,
    output: str,
    as_json: bool,
    split_output: str | None,
    domain: str | None,
    **options: Any,
) -> None:
    """Train a detector, calibrate it, measure it, and write a model file.

    DATASET is a folder with a sub-folder per generator (one of them called real), a folder of such folders, or a
    manifest (.csv or .parquet), whose splits are kept if it has them. A folder that `spectell dataset pack` wrote is
    read as it is, without decoding.

    With --perturb each image of the training and the validation split takes part once: perturbed with a probability of
    one half (--probability), else as it is. The rule is the same for every detector, both classes and all passes over
    the data; the pixels are those that `spectell perturb` writes with the same seed and probability. The test split is
    measured as it is, and again perturbed in the same way.

    FILE may be a model, which is replaced; any other file never is. FILE.checkpoint of a network whose training was
    interrupted, or can take more epochs, goes on with --resume. It is removed when the training has come to its end.

    Example:

    \b
        spectell train faces/ --detector logistic --domain blocks --grid -o faces.safetensors
        spectell train faces/ --perturb jpeg,resize --size 32 -o robust.safetensors
    """
    from spectell.datasets import write_manifest
    from spectell.detectors import save_model
    from spectell.workflows.train import TrainingConfig, train_model
    from spectell.workflows.training.checks import check_training

    _check_outputs(output, split_output)
    grid_file = Path(f"{output}.grid.jsonl") if options["grid"] else None
    run = {name: options.pop(name) for name in _RUN if name in options}
    config, checkpoint = TrainingConfig(domain=domain or "", **options), f"{output}.checkpoint"
    said = check_training(config, checkpoint, resume=run["resume"])
    _echo_all("Note", said)  # at once: whoever mistyped a name would else be told after the training
    with stage_progress(shown=not as_json) as report:
        result = train_model(dataset, config, on_progress=report, grid_file=grid_file, checkpoint=checkpoint, **run)
    save_model(result.model, output)
    if grid_file is not None:
        grid_file.unlink(missing_ok=True)
    if result.checkpoint_spent:
        Path(checkpoint).unlink(missing_ok=True)
    if split_output is not None:
        write_manifest(result.manifest, split_output)
    notes = [*(note for note in result.notes if note not in said), *_skipped_notes(result.skipped)]
    if as_json:
        _echo_all("Note", notes)
        click.echo(json.dumps(result.as_dict(), allow_nan=False))
    else:
        _echo_result(result, output, notes)


def _check_outputs(output: str, split_output: str | None) -> None:
    """Refuse a file that cannot be written, or would replace something else, before the training and not after it."""
    from spectell.cli.outputs import MANIFEST, MODEL, check_output
    from spectell.errors import ParameterError

    check_output(output, MODEL, option="--output")
    if split_output is None:
        return
    check_output(split_output, MANIFEST, option="--split-output")
    if Path(split_output).absolute() == Path(output).absolute():
        raise ParameterError(f"--split-output must not be the model itself, got {split_output!r}; choose another name")


def _echo_result(result: TrainingResult, output: str, notes: Sequence[str]) -> None:
    leaks = result.audit.leaks if result.audit else ()
    _echo_all("Leak", [f"{leak.what}: {leak.evidence}. Remedy: {leak.remedy}." for leak in leaks])
    _echo_all("Note", (*notes, *result.evaluation.warnings))
    click.echo(f"Wrote {output}, trained on {result.model.card.trained_on}.")
    click.echo(f"{_settings(result.facts)}. On the test split, which took no part in training:")
    click.echo("\n".join(evaluation_lines(result.evaluation)))
    if result.perturbed is not None:
        click.echo("\nOn the test split, perturbed as the training split was:")
        click.echo("\n".join(evaluation_lines(result.perturbed)))


def _echo_all(kind: str, texts: Sequence[str]) -> None:
    for text in texts:
        click.echo(f"{kind}: {text}", err=True)


def _skipped_notes(skipped: Sequence[Skipped]) -> list[str]:
    """Count the images that were left out, and give the first reasons.

    Examples
    --------
    >>> from spectell.workflows.reading.image_files import Skipped
    >>> _skipped_notes([Skipped("real/icon.png", "smaller than 32 pixels")])
    ["1 image was left out: 'real/icon.png' (smaller than 32 pixels)"]
    """
    if not skipped:
        return []
    named = "; ".join(f"{each.path!r} ({each.reason})" for each in skipped[:_NAMED])
    more = f"; and {len(skipped) - _NAMED:,} more, which --json lists" if len(skipped) > _NAMED else ""
    return [f"{len(skipped):,} image{' was' if len(skipped) == 1 else 's were'} left out: {named}{more}"]


def _settings(facts: dict[str, Any]) -> str:
    """Say with which parameters the detector was fitted.

    Examples
    --------
    >>> _settings({"variance": 0.95, "C": 0.01, "converged": True})
    'Variance 0.95, C 0.01'
    """
    named = ("strength", "k", "variance", "C", "levels", "sigma", "epochs", "best_epoch")
    text = ", ".join(f"{name.replace('_', ' ')} {facts[name]:g}" for name in named if name in facts)
    return text[:1].upper() + text[1:] or "Fitted"
