"""``spectell generate train --loss autoencoder``: what of that command concerns the autoencoder alone."""

from __future__ import annotations

import json
from typing import Any

import click

from spectell.cli.figures import stage_progress
from spectell.errors import ParameterError

__all__ = ["train_autoencoder_command"]

_OF_GANS = ("progressive", "smoothing", "width", "critic_steps")


def train_autoencoder_command(
    data: str,
    output: str,
    size: int,
    options: dict[str, Any],
    *,
    resume: bool,
    device: str,
    threads: int | None,
    checkpoint_every: int,
    licence: str | None,
    as_json: bool,
) -> None:
    """Train an autoencoder with the options of the command, and say what came of it.

    Raises
    ------
    ParameterError
        If an option is set that only generative adversarial networks have.
    """
    for name in _OF_GANS:
        if options.get(name):
            raise ParameterError(
                f"--{name.replace('_', '-')} is for generators that learn from a critic, not for autoencoder"
            )
    from spectell.generators.autoencoder_config import AutoencoderConfig
    from spectell.generators.autoencoder_run import train_autoencoder_on

    chosen = {name: options[name] for name in ("upsampling", "steps", "seed", "spectral")}
    rate = {"learning_rate": options["learning_rate"]} if options["learning_rate"] is not None else {}
    config = AutoencoderConfig(batch_size=options["batch"], checkpoint_every=checkpoint_every, **chosen, **rate)
    with stage_progress(shown=not as_json) as report:
        trained = train_autoencoder_on(
            data,
            output,
            size,
            config,
            resume=resume,
            device=device,
            threads=threads,
            licence=licence,
            on_progress=report,
        )
    if as_json:
        click.echo(json.dumps({"path": str(trained.path), "psnr": trained.psnr, "held_out": trained.held_out}))
        return
    click.echo(f"Wrote {trained.path}: {trained.psnr:.1f} dB on {trained.held_out} images that it never saw.")
