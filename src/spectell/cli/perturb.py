"""``spectell perturb``: a perturbed copy of a folder, with the record of every draw."""

from __future__ import annotations

import json
from typing import Any

import click

from spectell.cli.figures import stage_progress

__all__ = ["SOME_UNREADABLE", "echo_copies", "perturb"]

SOME_UNREADABLE = 3
"""Exit status when some files could not be read."""

_NAMES = (
    "blur",
    "combined",
    "crop",
    "jpeg",
    "jpeg-chain",
    "noise",
    "offset",
    "resize",
    "screenshot",
    "social",
    "webp",
    "window",
)
_NAMED_FILES = 20
_BOUNDS: dict[str, Any] = {"nargs": 2, "metavar": "MIN MAX"}


def _own_options(command: Any) -> Any:
    """Add the options of single perturbations."""
    options = [
        click.option("--quality", type=int, help="jpeg, jpeg-chain, webp, social, screenshot.", **_BOUNDS),
        click.option("--sigma", type=float, help="Standard deviation: blur (pixels), noise (of 0 to 255).", **_BOUNDS),
        click.option("--variance", type=float, help="noise, instead of --sigma.", **_BOUNDS),
        click.option("--kernel-size", type=int, multiple=True, help="blur: odd; one of several is drawn."),
        click.option("--share", type=float, help="crop: of each side that is cut off.", **_BOUNDS),
        click.option("--scale", type=float, help="resize: factor of both sides.", **_BOUNDS),
        click.option("--kernel", multiple=True, help="resize, crop, social, screenshot: bilinear, bicubic, ..."),
        click.option("--restore", is_flag=True, help="resize: back to the original size."),
        click.option("--subsampling", multiple=True, help="jpeg, jpeg-chain: 4:2:0, 4:2:2 or 4:4:4."),
        click.option("--random-grid", is_flag=True, help="jpeg: blocks start anywhere; files are PNG."),
        click.option("--compressions", type=int, help="jpeg-chain: how many; 2 by default."),
        click.option("--max-side", type=int, help="social: 2048 by default."),
        click.option("--ratio", type=float, multiple=True, help="screenshot: screen pixels per picture pixel."),
        click.option("--jpeg-share", type=float, help="screenshot: captures that are JPEG files; 0.5 by default."),
        click.option("--max-offset", type=int, help="offset: rows and columns cut off; 7 by default."),
        click.option("--height", type=int, help="window: rows; 256 by default."),
        click.option("--width", type=int, help="window: columns; 256 by default."),
        click.option("--method", type=int, help="webp: effort from 0 to 6; 4 by default."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.argument("name", metavar="NAME", type=click.Choice(_NAMES))
@click.argument("data", metavar="IN", type=click.Path())
@click.argument("output", metavar="OUT", type=click.Path())
@click.option(
    "--preset",
    metavar="PRESET",
    help="frank2020: as the paper describes it, on half of the images; frank2020-code: as its code does it.",
)
@click.option("--probability", type=float, metavar="P", help="Share of the images that are changed; all by default.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Another seed, other draws.")
@_own_options
@click.option("--lossless", is_flag=True, help="Write PNG files always, with the same pixels.")
@click.option("--replay", metavar="RECORD", type=click.Path(), help="Apply the draws of an earlier record.jsonl.")
@click.option("--workers", "-j", type=click.IntRange(min=1), help="Processes; all cores by default.")
@click.option("--resume", is_flag=True, help="Go on with what an interrupted run left in OUT.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def perturb(
    ctx: click.Context,
    /,
    name: str,
    data: str,
    output: str,
    preset: str | None,
    probability: float | None,
    seed: int,
    lossless: bool,
    replay: str | None,
    workers: int | None,
    resume: bool,
    as_json: bool,
    **own: Any,
) -> None:
    """Write a perturbed copy of every image, and what was drawn for it.

    NAME is blur, crop, jpeg, noise, combined (one after the other), resize, webp, jpeg-chain (again on another grid),
    social (at most 2048 pixels, JPEG 71 to 85), screenshot, offset or window (crops that leave pixels as they are). IN
    is a data set or a folder of images; OUT gets the same folders, manifest.csv and record.jsonl. Files are PNG unless
    the perturbation is a file format itself. An image that is smaller than the window is left out and named. Exit
    status: 0 done, 3 some files could not be read or are too small, 1 nothing could be done, 2 wrong usage.

    Example:

    \b
        spectell perturb jpeg faces/ faces-jpeg/ --quality 70 90
        spectell perturb combined faces/ faces-combined/ --preset frank2020
        spectell perturb noise faces/ again/ --replay faces-noise/record.jsonl
    """
    from spectell.workflows.perturb import PerturbConfig, perturb_images, replayed_config

    options = {option: value for option, value in own.items() if _is_given(value)}
    if replay is None:
        config = PerturbConfig(name, preset, probability, options, seed, lossless)
    else:
        given = [*options, *(["preset"] if preset else []), *(["probability"] if probability is not None else [])]
        if given or seed or lossless:
            raise click.UsageError("--replay takes all options from the record; leave the others out")
        config = replayed_config(replay, name)
    with stage_progress(shown=not as_json) as report:
        copies = perturb_images(data, output, config, replay=replay, workers=workers, resume=resume, on_progress=report)
    echo_copies(ctx, output, copies, as_json=as_json)


def _is_given(value: Any) -> bool:
    """Whether an option was named; a zero is a value like any other, though it equals False."""
    return value is not None and value is not False and value != ()


def echo_copies(ctx: click.Context, output: str, copies: Any, *, as_json: bool) -> None:
    """Say what was written, name what was not, and exit with the status that tells of it."""
    for skipped in copies.skipped[:_NAMED_FILES]:
        click.echo(f"Skipped {skipped.path!r}: {skipped.reason}", err=True)
    if len(copies.skipped) > _NAMED_FILES:
        click.echo(f"Skipped {len(copies.skipped) - _NAMED_FILES} more; record.jsonl names them.", err=True)
    if copies.different:
        click.echo(
            f"Note: {copies.different} files differ from those of the record; the images or the codecs are others.",
            err=True,
        )
    counts = {"images": len(copies.manifest), "reused": copies.reused, "changed": copies.changed}
    if as_json:
        counts |= {"skipped": len(copies.skipped), "different": copies.different}
        click.echo(json.dumps({"output": output, **counts}))
    else:
        reused = f", {copies.reused:,} of them by an earlier run" if copies.reused else ""
        click.echo(f"Wrote {len(copies.manifest):,} images to {output}{reused}.")
    ctx.exit(SOME_UNREADABLE if copies.skipped else 0)
