"""``spectell models``: what model files say about themselves."""

from __future__ import annotations

import json

import click

from spectell.cli.figures import card_lines

__all__ = ["models"]


@click.command()
@click.argument("path", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def models(path: str | None, as_json: bool) -> None:
    """List the bundled models, or describe a model file or a folder of them.

    Example:

    \b
        spectell models
        spectell models faces.safetensors --json
    """
    from spectell.workflows.models import describe_models

    found = describe_models(path)
    if as_json:
        click.echo(json.dumps([description.as_dict() for description in found], allow_nan=False))
        return
    if not found:
        click.echo(f"No model of Spectell (*.safetensors) in {path or 'the package'}.", err=True)
        return
    click.echo("\n\n".join("\n".join(card_lines(description)) for description in found))
