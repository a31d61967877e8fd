"""Train the four generators that come with Spectell: SNGAN, CramerGAN, MMD-GAN and ProGAN, on one set of faces.

    python recipes/four_generators.py ../shared/data --work /tmp/four [NAME ...]

Needs the [torch] extra and CelebA photographs: the folder ``celeba178/real`` (1,170 aligned photographs of 178 x 218)
and column 0 of ``celeba128-grids`` (1,360 of 128 x 128 with the same framing). Each becomes its centre square, reduced
to the size by at least 2. CelebA is for non-commercial research only, and so are weights trained on it.

A training that was stopped goes on where it was: run the same command again. Each uses one thread, so two of them run
side by side on two cores:

    python recipes/four_generators.py ../shared/data --work /tmp/four sngan cramer &
    python recipes/four_generators.py ../shared/data --work /tmp/four mmd progan &

The averaged generators are written as float16 to src/spectell/weights/generators. ``--steps 20 --no-export`` measures.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from spectell.generators.trained import BUNDLED, load_generator, save_generator
from spectell.generators.training import TrainingRun, train_generator
from spectell.generators.training_config import GeneratorConfig
from spectell.generators.training_session import Schedule
from spectell.images import read_image

TILE = 128
LICENCE = "non-commercial research only: trained on CelebA (Liu et al. 2015)"
SEED = 20200611

SPECIFICATIONS = {
    "sngan": {"loss": "sngan", "steps": 4000},
    # Published with five updates of the critic at 1e-4; two at twice the rate cost half the time.
    "cramer": {"loss": "cramer", "steps": 2000, "critic_steps": 2, "learning_rate": 2e-4},
    "mmd": {"loss": "mmd", "steps": 4000},
    "progan": {"loss": "wgan-gp", "steps": 9000, "progressive": True},
}
"""Name of the generator → what differs from the defaults."""


def main() -> None:
    """Train the generators that were asked for, one after another."""
    arguments = parse_arguments()
    faces = gather_faces(arguments.data, arguments.work / "faces")
    for name in arguments.names or SPECIFICATIONS:
        options = dict(SPECIFICATIONS[name])
        if arguments.steps:
            options["steps"] = arguments.steps
        config = GeneratorConfig(size=arguments.size, seed=SEED, **options)
        folder = arguments.work / f"{name}-{arguments.size}"
        run = train_generator(
            faces,
            folder,
            config,
            resume=True,
            threads=1,
            schedule=Schedule(sample_steps=250),
            name=name,
            licence=LICENCE,
            on_progress=Reporter(name),
        )
        report(run)
        if not arguments.no_export:
            export(folder, name)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with celeba178 and celeba128-grids")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SPECIFICATIONS)}; all by default")
    parser.add_argument("--work", type=Path, required=True, help="folder for images, checkpoints, logs and samples")
    parser.add_argument("--size", type=int, default=32, choices=(32, 64, 128), help="in pixels [%(default)s]")
    parser.add_argument("--steps", type=int, help="instead of the recipe's own number")
    parser.add_argument("--no-export", action="store_true", help="write no weights into the package")
    arguments = parser.parse_intermixed_args()
    if unknown := sorted(set(arguments.names) - set(SPECIFICATIONS)):
        parser.error(f"unknown generator {unknown[0]!r}; choose from {', '.join(SPECIFICATIONS)}")
    return arguments


def gather_faces(data: Path, folder: Path) -> Path:
    """Put the photographs of both collections, as pixels of the files, into one folder.

    The tiles of the grids are cut on the grid of their JPEG blocks and kept losslessly; no pixel changes.
    """
    if folder.exists():
        return folder
    staged = folder.with_name(f".faces-{os.getpid()}")  # two trainings may begin at once
    staged.mkdir(parents=True)
    for path in sorted((data / "celeba178" / "real").iterdir()):
        (staged / f"celeba178_{path.name}").symlink_to(path.resolve())
    for path in sorted((data / "celeba128-grids").glob("*.jpg")):
        column = read_image(path).pixels[:, :TILE]
        for row, tile in enumerate(np.split(column, len(column) // TILE)):
            Image.fromarray(np.ascontiguousarray(tile)).save(staged / f"celeba128_{path.stem}_{row:02}.png")
    try:
        staged.rename(folder)
    except OSError:  # the other one was faster
        shutil.rmtree(staged)
    return folder


class Reporter:
    """Prints a line now and then."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.began = self.printed = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say how far it is, once a minute."""
        if time.monotonic() - self.printed > 60:
            self.printed = time.monotonic()
            print(f"{self.name}: {what} {done:,} of {total:,}, {self.printed - self.began:.0f} s", flush=True)


def report(run: TrainingRun) -> None:
    """Print what a run did."""
    steps = run.last_step - run.first_step
    for note in run.notes:
        print(f"{run.card['name']}: {note}")
    each = f", {run.seconds / steps:.3f} s each" if steps else ""
    print(f"{run.card['name']}: step {run.last_step:,}, {steps:,} in this run{each}", flush=True)


def export(folder: Path, name: str) -> None:
    """Write the averaged generator into the package."""
    generator = load_generator(folder)
    target = BUNDLED / f"{name}.safetensors"
    save_generator(target, generator.network, generator.card, half=True)
    print(f"wrote {target} ({target.stat().st_size / 1e3:.0f} kB)", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on where it was")
