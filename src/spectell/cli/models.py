"""``spectell models``: what model files say about themselves."""

from __future__ import annotations

import json

import click

from spectell.cli.figures import card_lines

__all__ = ["models"]

_SOME_UNUSABLE = 3


@click.command()
@click.argument("path", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def models(ctx: click.Context, path: str | None, as_json: bool) -> None:
    """List the bundled models, or describe a model file or a folder of them.

    Exit status: 0 every model was described, 3 some files of the folder cannot be used (the list says why), 1 the file
    that is named cannot be used, 2 wrong usage.

    Example:

    \b
        spectell models
        spectell models faces.safetensors --json
    """
    from spectell.workflows.models import UnusableModel, describe_models

    found = describe_models(path)
    if as_json:
        click.echo(json.dumps([description.as_dict() for description in found], allow_nan=False))
    elif not found:
        click.echo(f"No model of Spectell (*.safetensors) in {path or 'the package'}.", err=True)
    else:
        listed = ([each.error] if isinstance(each, UnusableModel) else card_lines(each) for each in found)
        click.echo("\n\n".join(map("\n".join, listed)))
    if any(isinstance(each, UnusableModel) for each in found):
        ctx.exit(_SOME_UNUSABLE)
