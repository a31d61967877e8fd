"""`spectell spectrum` without its figures: against decoding alone, against the authors' manner, and in memory.

The command is run as a user runs it, start, files and all; decode-only and the authors' manner are programs of their
own on the same files. *bound* is what a program would reach which decoded as fast as decode-only and did nothing but
one transform of each image; *CPU* columns compare processor times, all processes together, and depend less on what else
the machine is doing. Memory is that of all processes together, shared pages counted once.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.harness import show_table, spectell_command
from benchmarks.images import link_to, write_images
from benchmarks.memory import peak_memory
from benchmarks.statistics import CASES, HEADER, REPEATS, WORKERS, compared_row

__all__ = ["main"]

MEMORY_CASES = (("1024² JPEG", 1024, 40), ("1024² JPEG", 1024, 400))
_MEGABYTE = 10**6


def main() -> None:
    """Measure every case and print the tables; aims: a ratio of 0.45, 2.5 times the authors' manner, at most 1 GB."""
    with tempfile.TemporaryDirectory() as place:
        rows = [_row(Path(place), *case) for case in CASES]
        title = f"spectrum --no-figures, {WORKERS} processes, median of {REPEATS} turns (aims: ratio 0.45, 2.5 times)"
        show_table(title, HEADER, rows)
        if Path("/proc/self/smaps_rollup").exists():
            _memory(Path(place))


def _command(folder: Path, output: Path) -> Sequence[str | Path]:
    return [spectell_command(), "spectrum", folder, "-o", output, "--no-figures", "--workers", str(WORKERS)]


def _row(place: Path, name: str, size: int, suffix: str, count: int) -> tuple[str, ...]:
    originals = write_images(place / f"{size}{suffix}", 200, (size, size), suffix)
    folder = link_to(originals, place / f"{size}{suffix}-links" / "real", count)
    commands: dict[str, Sequence[str | Path]] = {
        "decode_only": [sys.executable, "-m", "benchmarks.decode_only", folder, str(WORKERS)],
        "spectrum": _command(folder, place / f"{size}{suffix}-out"),
        "authors_manner": [sys.executable, "-m", "benchmarks.authors_manner", folder],
    }
    return compared_row(name, count, originals, commands)


def _memory(place: Path) -> None:
    rows = []
    originals = write_images(place / "large", 20, (1024, 1024), ".jpg")
    for number, (name, _, count) in enumerate(MEMORY_CASES):
        folder = link_to(originals, place / f"memory{number}" / "real", count)
        peak = peak_memory(_command(folder, place / f"memory{number}-out"))
        rows.append((name, str(count), f"{peak.total / _MEGABYTE:.0f} MB", f"{peak.largest / _MEGABYTE:.0f} MB"))
    title = f"Peak memory of spectrum, {WORKERS} workers (aim: at most 1000 MB whatever the number of images)"
    show_table(title, ("images", "number", "all processes", "largest process"), rows)
