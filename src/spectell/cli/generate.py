"""``spectell generate``: train generators, sample from them, reconstruct photographs."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from spectell.errors import MismatchError

__all__ = ["generate"]

_LATER = {"reconstruct": "spectell.cli.reconstruct:reconstruct"}
"""Commands of this group that live in a module of their own."""


class _GenerateGroup(click.Group):
    """Finds the commands of other modules when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - names need no context
        """List the names in the order in which they are used."""
        return [*self.commands, *(name for name, place in _LATER.items() if _exists(place))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        place = _LATER.get(cmd_name)
        if place is None or not _exists(place):
            return super().get_command(ctx, cmd_name)
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=_GenerateGroup)
def generate() -> None:
    """Make labelled images: train generators with a chosen loss and up-sampling, and sample from them.

    Example:

    \b
        spectell generate train faces/ --loss sngan --upsampling nearest --size 32 -o faces-sngan
        spectell generate sample faces-sngan --n 1000 --seed 1 -o samples/sngan
    """


@generate.command()
@click.argument("data")
@click.option(
    "--loss",
    type=click.Choice(["sngan", "wgan-gp", "cramer", "mmd", "autoencoder"]),
    default="sngan",
    show_default=True,
    help="The last trains a network for `reconstruct`.",
)
@click.option(
    "--upsampling",
    type=click.Choice(["nearest", "bilinear", "binomial", "transposed", "pixelshuffle"]),
    default="nearest",
    show_default=True,
)
@click.option(
    "--size", type=click.Choice(["32", "64", "128", "256"]), default="32", show_default=True, help="In pixels."
)
@click.option("--steps", type=click.IntRange(min=1), default=5000, show_default=True, help="Updates of the generator.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--output", "-o", required=True, metavar="FOLDER", help="New or empty; gets generator, checkpoint and log."
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in FOLDER, bit for bit.")
@click.option("--progressive", is_flag=True, help="Grow the networks from 8 x 8 pixels (with wgan-gp: ProGAN).")
@click.option(
    "--batch", type=click.IntRange(min=2), default=64, show_default=True, help="Images of each kind in an update."
)
@click.option(
    "--width", type=click.IntRange(min=1), help="Channels at full size; 24 at 32 pixels, else 16, by default."
)
@click.option(
    "--critic-steps", type=click.IntRange(min=1), help="Of the critic for each of the generator; as published."
)
@click.option("--learning-rate", type=float, help="Of Adam; as published with the loss.")
@click.option("--smoothing", is_flag=True, help="End the generator with a filter [1 2 1] / 4.")
@click.option("--spectral", type=float, default=0.0, show_default=True, help="Weight of the spectral regulariser.")
@click.option("--device", default="cpu", show_default=True, help="As torch names it: cpu, cuda, cuda:1.")
@click.option("--threads", type=click.IntRange(min=1), help="Of the CPU; all cores by default.")
@click.option("--checkpoint-every", type=click.IntRange(min=1), default=500, show_default=True, help="In steps.")
@click.option("--sample-every", type=click.IntRange(min=1), default=500, show_default=True, help="In steps.")
@click.option("--name", help="How manifests call the generator; loss and up-sampling by default.")
@click.option("--licence", help="Of the weights, for the card.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def train(
    data: str,
    output: str,
    size: str,
    resume: bool,
    device: str,
    threads: int | None,
    checkpoint_every: int,
    sample_every: int,
    name: str | None,
    licence: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a generator on photographs.

    DATA is a folder of photographs, a data set of which the real class is taken, or a manifest. Every image becomes its
    centre square, reduced to the size by a factor of at least 2; smaller images are left out. Those training images are
    kept in FOLDER/images: they are the real class to compare the samples with.

    Example:

    \b
        spectell generate train faces/ --loss sngan --upsampling nearest --size 32 --seed 1 -o faces-sngan
    """
    from spectell.generators.training_config import GeneratorConfig

    run_options: dict[str, Any] = {"resume": resume, "device": device, "threads": threads, "licence": licence}
    if options["loss"] == "autoencoder":
        from spectell.cli.autoencoder import train_autoencoder_command

        _require_torch()
        run_options |= {"checkpoint_every": checkpoint_every}
        train_autoencoder_command(data, output, int(size), options, **run_options, as_json=as_json)
        return
    config = GeneratorConfig(size=int(size), **options)
    _require_torch()
    from spectell.cli.figures import stage_progress
    from spectell.generators.training import train_generator
    from spectell.generators.training_session import Schedule

    with stage_progress(shown=not as_json) as report:
        run = train_generator(
            data,
            output,
            config,
            schedule=Schedule(checkpoint_steps=checkpoint_every, sample_steps=sample_every),
            name=name,
            on_progress=report,
            **run_options,
        )
    _print_run(run, as_json)


@generate.command()
@click.argument("generator")
@click.option("--n", type=click.IntRange(min=1), default=64, show_default=True, help="Number of images.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--output", "-o", required=True, metavar="FOLDER", help="Where the images and their manifest are written."
)
def sample(generator: str, n: int, seed: int, output: str) -> None:
    """Write images of a trained generator.

    GENERATOR is a folder that `spectell generate train` wrote, a generator's file, or the name of one that comes with
    Spectell. Image k depends on the generator, the seed and k alone. FOLDER gets PNG files, manifest.csv, and
    samples.csv with loss, up-sampling, seed and index of each image. It must be new or empty, or hold this very sample,
    as far as it got: then it is completed or made longer.

    Example:

    \b
        spectell generate sample faces-sngan --n 1000 --seed 1 -o samples/sngan
    """
    _require_torch()
    from spectell.cli.progress import Progress
    from spectell.generators.sampling import write_samples
    from spectell.generators.trained import load_generator

    loaded = load_generator(generator)
    bar = Progress(n)
    try:
        write_samples(loaded, output, n, seed, on_progress=bar.update)
    finally:
        bar.clear()
    side = loaded.phase.resolution
    click.echo(f"Wrote {n} images of {side}x{side} pixels by {loaded.name} to {output}, with manifest.csv.")


def _print_run(run: Any, as_json: bool) -> None:
    import json

    if as_json:
        facts = {"folder": str(run.folder), "first_step": run.first_step, "last_step": run.last_step}
        click.echo(json.dumps({**facts, "seconds": run.seconds, "notes": run.notes, "card": run.card}, allow_nan=False))
        return
    for note in run.notes:
        click.echo(f"Note: {note}", err=True)
    taken = run.last_step - run.first_step
    if not taken:
        click.echo(f"{run.folder} has its {run.last_step} steps already; sample from it, or ask for more with --steps.")
        return
    click.echo(
        f"Trained {run.card['name']} on {run.card['data']['n_images']:,} images for {taken:,} steps, "
        f"{run.seconds / taken:.3f} s each; it stands at step {run.last_step:,}."
    )
    click.echo(f"Wrote {os.fspath(run.folder)}: generator.safetensors, checkpoint.safetensors, log.csv, samples-*.png.")


def _require_torch() -> None:
    if find_spec("torch") is None:
        raise MismatchError("generators need PyTorch, which is not installed; run: pip install 'spectell[torch]'")


def _exists(place: str) -> bool:
    return find_spec(place.partition(":")[0]) is not None
