"""``spectell generate reconstruct``: real images and their reconstructions as pairs."""

from __future__ import annotations

import json

import click

from spectell.cli.figures import stage_progress
from spectell.cli.perturb import SOME_UNREADABLE

__all__ = ["reconstruct"]

_NAMED_FILES = 20


@click.command()
@click.argument("data", type=click.Path())
@click.option(
    "--weights",
    "-w",
    multiple=True,
    metavar="PATH",
    type=click.Path(),
    help="Autoencoder trained here, TAEF2 or SRGAN, told by content; may be repeated.",
)
@click.option("--simulate", is_flag=True, help="Random shallow decoders: no weights, no torch.")
@click.option("--output", "-o", required=True, metavar="DIR", type=click.Path(), help="New or empty folder.")
@click.option(
    "--history",
    default="original",
    show_default=True,
    metavar="RECIPE",
    help="What both get afterwards: original (the file's own JPEG), none, a perturbation, or PRESET/NAME.",
)
@click.option(
    "--before", default="none", show_default=True, metavar="RECIPE", help="What the picture gets before it is rebuilt."
)
@click.option("--crop", type=click.IntRange(min=32), metavar="N", help="Cut the middle N x N pixels first.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="So many pictures, chosen by the seed.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--workers", "-j", type=click.IntRange(min=1), help="Threads; all cores by default.")
@click.option("--resume", is_flag=True, help="Go on with what an interrupted run left in DIR.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def reconstruct(
    ctx: click.Context,
    /,
    data: str,
    weights: tuple[str, ...],
    simulate: bool,
    output: str,
    history: str,
    before: str,
    crop: int | None,
    limit: int | None,
    seed: int,
    workers: int | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Rebuild real images, so that a pair differs in the decoder's trace alone.

    DATA is a data set (its real images are taken) or any folder of images. DIR gets real/ (the originals), a folder for
    each network, all as PNG files of the same sizes with the same later history, and manifest.csv, in which an
    original and its reconstructions are one group. Exit status: 0 done, 3 some files could not be used, 1 nothing could
    be done, 2 wrong usage.

    Example:

    \b
        spectell generate reconstruct photos/ --weights taef2_decoder.safetensors -o pairs/
        spectell generate reconstruct photos/ --simulate --crop 256 --history jpeg -o simulated/
    """
    from spectell.workflows.reconstruct import ReconstructionConfig
    from spectell.workflows.reconstruct import reconstruct as run

    config = ReconstructionConfig(weights, simulate, before, history, crop, limit, seed)
    with stage_progress(shown=not as_json) as report:
        made = run(data, output, config, workers=workers, resume=resume, on_progress=report)
    for skipped in made.skipped[:_NAMED_FILES]:
        click.echo(f"Skipped {skipped.path!r}: {skipped.reason}", err=True)
    if len(made.skipped) > _NAMED_FILES:
        click.echo(f"Skipped {len(made.skipped) - _NAMED_FILES} more; record.jsonl names them.", err=True)
    if as_json:
        counts = {"pictures": made.pictures, "reused": made.reused, "skipped": len(made.skipped)}
        click.echo(json.dumps({"output": output, "generators": made.generators, **counts}))
    else:
        generators = ", ".join(made.generators)
        click.echo(f"Wrote {made.pictures} originals and their reconstructions by {generators} to {output}.")
    ctx.exit(SOME_UNREADABLE if made.skipped else 0)
