"""`spectell scan`: against decoding alone, from a cold start, and in memory.

The command is run as a user runs it, with the bundled model unless ``python -m benchmarks.scan --model FILE`` names
another; decode-only is `benchmarks.decode_only`, a program of its own with as many processes on the same files.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.harness import Cost, in_turns, processors, ratio, run_command, show_table, spectell_command, walls
from benchmarks.images import link_to, write_images
from benchmarks.memory import peak_memory

__all__ = ["main"]

WORKERS = 2
REPEATS = 5
CASES = (
    ("128² PNG", (128, 128), ".png", 200, 10_000),
    ("512² JPEG", (512, 512), ".jpg", 60, 2000),
    ("12 Mpx JPEG", (3000, 4000), ".jpg", 4, 60),
)
COLD_STARTS = 9
MEMORY_COUNTS = (100, 10_000)
_MEGABYTE = 10**6


def main(*options: str) -> None:
    """Measure speed, cold start and memory, and print the tables; options go to the command, ``--model FILE`` say."""
    command: list[str | Path] = [spectell_command(), "scan", *options]
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        originals = {
            case[0]: write_images(place / f"originals{number}", case[3], case[1], case[2])
            for number, case in enumerate(CASES)
        }
        _throughput(command, originals, place)
        _cold_start(command, originals["512² JPEG"][0])
        if Path("/proc/self/smaps_rollup").exists():
            _memory(command, originals, place)


def _throughput(command: list[str | Path], originals: dict[str, list[Path]], place: Path) -> None:
    rows = []
    for number, (name, _, _, _, count) in enumerate(CASES):
        folder = link_to(originals[name], place / f"throughput{number}", count)
        commands: dict[str, list[str | Path]] = {
            "decode-only": [sys.executable, "-m", "benchmarks.decode_only", folder, str(WORKERS)],
            "scan": [*command, folder, "--workers", str(WORKERS), "-o", place / "rows.jsonl", "--overwrite"],
        }
        decode_only, scan = in_turns(commands, repeats=REPEATS).values()
        rows.append(_compared(name, count, decode_only, scan))
    header = ("images", "decode-only/s", "scan/s", "ratio", "least..most", "CPU ratio")
    show_table(f"scan, {WORKERS} processes, median of {REPEATS} turns (aims: 0.5, better 0.7)", header, rows)


def _compared(name: str, count: int, decode_only: list[Cost], scan: list[Cost]) -> tuple[str, ...]:
    wall = ratio(walls(decode_only), walls(scan))
    rates = [f"{count / median(walls(costs)):.0f}" for costs in (decode_only, scan)]
    processor = ratio(processors(decode_only), processors(scan))
    return (name, *rates, f"{wall.middle:.2f}", f"{wall.least:.2f}..{wall.most:.2f}", f"{processor.middle:.2f}")


def _cold_start(command: list[str | Path], image: Path) -> None:
    costs = [run_command([*command, image, "--json"]) for _ in range(COLD_STARTS + 1)][1:]
    rows = [
        (name, f"{median(times):.2f} s", f"{min(times):.2f} s", f"{max(times):.2f} s")
        for name, times in (("wall", walls(costs)), ("processor", processors(costs)))
    ]
    title = f"spectell scan one.jpg --json from a cold start, {COLD_STARTS} times (aim: at most 1 s)"
    show_table(title, ("time", "median", "least", "most"), rows)


def _memory(command: list[str | Path], originals: dict[str, list[Path]], place: Path) -> None:
    cases = [("128² PNG", count) for count in MEMORY_COUNTS] + [("12 Mpx JPEG", 8)]
    pixels = {name: size[0] * size[1] for name, size, *_ in CASES}
    rows: list[tuple[str, ...]] = []
    for name, count in cases:
        folder = link_to(originals[name], place / f"memory{len(rows)}", count)
        peak = peak_memory(
            [*command, folder, "--workers", str(WORKERS), "-o", place / f"memory{len(rows)}.jsonl", "-q"]
        )
        bound = 150 * _MEGABYTE + 10 * pixels[name]
        figures = [f"{value / _MEGABYTE:.0f} MB" for value in (peak.largest, bound, peak.total)]
        rows.append((f"{count:,} of {name}", *figures))
    header = ("files", "largest process", "its bound", "all processes")
    show_table(f"Peak memory of scan, {WORKERS} workers (bound: 150 MB + 10 bytes a pixel)", header, rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
