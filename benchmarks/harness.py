"""Times taken in turns, ratios between them, and a table."""

import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import NamedTuple

from spectell.compiled import load_kernels

__all__ = ["Cost", "Ratio", "describe_machine", "in_turns", "processors", "ratio", "run_command", "show_table"]
__all__ += ["spectell_command", "time_call", "walls"]


def describe_machine() -> str:
    """Processor, cores, load, versions and what is compiled, on one line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "Pillow"))
    kernels = load_kernels()
    compiled = f"kernels {kernels.instructions}" if kernels else "no kernels compiled"
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{_processor()}, {cores} cores{load}; {system}, {libraries}, {compiled}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def time_call(call: Callable[[], object], *, repeats: int) -> float:
    """Return the least processor time of one call in seconds, after one that does not count."""
    call()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


class Cost(NamedTuple):
    """What one run of a program took, in seconds."""

    wall: float
    processor: float
    """Of all its processes together; less at the mercy of the machine's other guests than the wall time."""


class Ratio(NamedTuple):
    """Median, least and largest ratio over the turns."""

    middle: float
    least: float
    most: float


def in_turns(commands: Mapping[str, Sequence[str | Path]], *, repeats: int) -> dict[str, list[Cost]]:
    """Run each command `repeats` times, one after the other, so that a slow minute of the machine meets them all."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            costs[name].append(run_command(command))
    return costs


def ratio(above: Iterable[float], below: Iterable[float]) -> Ratio:
    """Compare times that were taken in the same turn."""
    ratios = [numerator / denominator for numerator, denominator in zip(above, below, strict=True)]
    return Ratio(median(ratios), min(ratios), max(ratios))


def walls(costs: Iterable[Cost]) -> list[float]:
    """Return the wall times."""
    return [cost.wall for cost in costs]


def processors(costs: Iterable[Cost]) -> list[float]:
    """Return the processor times."""
    return [cost.processor for cost in costs]


def show_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table whose columns line up."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    print(f"\n{title}")
    for row in [header, ["-" * width for width in widths], *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  ".join(cells).rstrip(), flush=True)


def run_command(command: Sequence[str | Path], *, statuses: Collection[int] = (0,)) -> Cost:
    """Run a command to its end, quietly; say what it said if it fails."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in statuses:
        raise RuntimeError(f"{command[0]} ended with status {done.returncode}: {done.stderr.strip()[-500:]}")
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def spectell_command() -> Path:
    """Return the installed command that belongs to this interpreter."""
    return Path(sys.executable).with_name("spectell")
