"""Peak memory of a program and of each of its processes, read from /proc while it runs (Linux)."""

import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

__all__ = ["PeakMemory", "peak_memory"]

_POLL_SECONDS = 0.02


class PeakMemory(NamedTuple):
    """Peaks in bytes."""

    largest: int
    """Resident memory of the process that had most at any time, pages shared with others included."""
    total: int
    """Of all processes together, shared pages divided among them; sampled, so a short peak may be missed."""


def peak_memory(command: Sequence[str | Path]) -> PeakMemory:
    """Run a command to its end and watch it and its descendants."""
    largest = total = 0
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            family = _family(process.pid)
            largest = max([largest, *(_field(pid, "status", "VmHWM") for pid in family)])
            total = max(total, sum(_field(pid, "smaps_rollup", "Pss") for pid in family))
            time.sleep(_POLL_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with status {process.returncode}")
    return PeakMemory(largest, total)


def _family(pid: int) -> list[int]:
    found = [pid]
    for member in found:
        for thread in Path(f"/proc/{member}/task").glob("*/children"):
            with suppress(OSError):
                found.extend(int(child) for child in thread.read_text().split())
    return found


def _field(pid: int, file: str, name: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return 0
