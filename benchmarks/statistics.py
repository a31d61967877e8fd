"""Mean and variance of the DCT over a folder: against decoding alone, and against the authors' manner.

Each program starts afresh, imports what it needs and reads the same files from the page cache. *bound* is what a
program would reach which decoded as fast as decode-only and did nothing but one transform of each image; *CPU* columns
compare processor times, all processes together: they count what two processes save in work, not what they save by being
two, and depend less on what else the machine is doing.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from scipy import fft

from benchmarks.decode_only import decode
from benchmarks.harness import in_turns, processors, ratio, show_table, time_call, walls
from benchmarks.images import link_to, write_images

__all__ = ["CASES", "HEADER", "REPEATS", "WORKERS", "compared_row", "main"]

WORKERS = 2
REPEATS = 3
CASES = (
    ("128² JPEG", 128, ".jpg", 20_000),
    ("128² PNG", 128, ".png", 20_000),
    ("256² JPEG", 256, ".jpg", 16_000),
    ("256² PNG", 256, ".png", 8000),
)
HEADER = ("images", "decode-only/s", "ours/s", "ratio", "least..most", "CPU ratio", "bound")
HEADER += ("authors' manner", "CPU", "bound")


def main() -> None:
    """Measure every case and print the table; the aims are a ratio of 0.45 and 2.5 times the authors' manner."""
    with tempfile.TemporaryDirectory() as place:
        rows = [_row(Path(place), *case) for case in CASES]
    title = f"Statistics of a folder, {WORKERS} processes, median of {REPEATS} turns (aims: ratio 0.45, 2.5 times)"
    show_table(title, HEADER, rows)


def _row(place: Path, name: str, size: int, suffix: str, count: int) -> tuple[str, ...]:
    originals = write_images(place / f"{size}{suffix}", 200, (size, size), suffix)
    folder = link_to(originals, place / f"{size}{suffix}-links", count)
    commands: dict[str, list[str | Path]] = {
        program: [sys.executable, "-m", f"benchmarks.{program}", folder, str(WORKERS)]
        for program in ("decode_only", "folder_statistics", "authors_manner")
    }
    return compared_row(name, count, originals, commands)


def compared_row(
    name: str, count: int, originals: list[Path], commands: Mapping[str, Sequence[str | Path]]
) -> tuple[str, ...]:
    """Run decode-only, ours and the authors' manner, in this order, on `count` files, and return a row of the table."""
    decode_only, ours, authors = in_turns(commands, repeats=REPEATS).values()
    wall = ratio(walls(decode_only), walls(ours))
    bound = transform_bound(originals)
    return (
        name,
        f"{count / median(walls(decode_only)):.0f}",
        f"{count / median(walls(ours)):.0f}",
        f"{wall.middle:.2f}",
        f"{wall.least:.2f}..{wall.most:.2f}",
        f"{ratio(processors(decode_only), processors(ours)).middle:.2f}",
        f"{bound:.2f}",
        f"{ratio(walls(authors), walls(ours)).middle:.1f} times",
        f"{ratio(processors(authors), processors(ours)).middle:.1f}",
        f"{bound * ratio(walls(authors), walls(decode_only)).middle:.1f} times",
    )


def transform_bound(paths: list[Path]) -> float:
    """Share of the decode-only rate that is left when each image is also transformed, on one core."""
    pixels = np.zeros(decode(paths[0]), np.float32)
    decoding = time_call(lambda: [decode(path) for path in paths], repeats=5) / len(paths)
    transform = partial(fft.dctn, pixels, type=2, norm="ortho", axes=(0, 1), overwrite_x=True)
    return decoding / (decoding + time_call(transform, repeats=100))
