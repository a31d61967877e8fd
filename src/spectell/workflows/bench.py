"""How fast this machine scans: images per second against decoding alone, a cold start, and memory.

Decoding is the floor of any scan, so a rate is given beside that of a plain pool of processes that decode the same
files with Pillow and do nothing else. The two take turns, so that a slow moment of the machine meets both, and time is
taken from the first results on, so that starting processes is in neither.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from spectell.compiled import load_kernels
from spectell.detectors import Model, load_model
from spectell.errors import ParameterError, SpectellError
from spectell.workflows.bench_images import decode, write_image
from spectell.workflows.reading.image_passes import Progress, quiet
from spectell.workflows.scan import scan
from spectell.workflows.workers.pool import available_cores

if TYPE_CHECKING:
    from multiprocessing.pool import Pool

__all__ = ["CASES", "BenchCase", "BenchReport", "Throughput", "run_bench"]

StrPath = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class BenchCase:
    """A kind of file to scan.

    Parameters
    ----------
    name : str
    size : tuple of int
        Height and width in pixels.
    suffix : str
        ``.png`` or ``.jpg``.
    originals : int
        Different files that are written.
    each : int
        Images that each process scans, one file standing for several.
    """

    name: str
    size: tuple[int, int]
    suffix: str
    originals: int
    each: int


CASES = (
    BenchCase("128² PNG", (128, 128), ".png", 16, 500),
    BenchCase("512² JPEG", (512, 512), ".jpg", 8, 80),
    BenchCase("12 Mpx JPEG", (3000, 4000), ".jpg", 1, 4),
)
"""Small, ordinary and large; together about ten seconds on two cores."""

_TURNS = 3
_COLD_STARTS = 3
_WARM_SHARE = 8
"""One in so many results comes before the time is taken."""

_MEMORY_BYTES = 150_000_000
_MEMORY_BYTES_PER_PIXEL = 10
"""What a process may take: so much, and so much a pixel of the largest image."""


_LAUNCHER = """import resource, subprocess, sys
status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)"""
"""Starts a command from a small process: the peak of a started process counts that of the one that starts it."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Images per second of one kind of file.

    Attributes
    ----------
    name : str
    images : int
        In each turn.
    decode_only, scan : float
        Images per second, medians over the turns.
    ratio, least, most : float
        Of scanning to decoding in one turn: median, least and largest.
    """

    name: str
    images: int
    decode_only: float
    scan: float
    ratio: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class BenchReport:
    """What was measured.

    Attributes
    ----------
    machine : dict
        System, processor, cores, load before the run, versions, and for which instructions the kernels are compiled
        (`spectell.compiled`), None if they are not.
    model : str
    workers : int
        Processes of both.
    throughput : tuple of Throughput
    cold_start : float
        Seconds of ``spectell scan`` for one image, from the start of the program to its end: a median.
    memory : int or None
        Bytes of the largest process of a scan of the largest images; None where the system does not tell.
    memory_bound : int
        Bytes that it may take.
    """

    machine: dict[str, Any]
    model: str
    workers: int
    throughput: tuple[Throughput, ...]
    cold_start: float
    memory: int | None
    memory_bound: int

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return asdict(self)


def run_bench(
    model: StrPath | None = None,
    *,
    workers: int | None = None,
    cases: Sequence[BenchCase] = CASES,
    turns: int = _TURNS,
    on_progress: Progress = quiet,
) -> BenchReport:
    """Measure scanning on synthetic files in a temporary folder.

    Parameters
    ----------
    model : path, optional
        The bundled one by default.
    workers : int >= 1, optional
        Processes; one a core by default.
    cases : sequence of BenchCase
        Rising in size: the second, or the only one, stands for one image, and the last for memory.
    turns : int >= 1
        How often each is measured.
    on_progress : callable
        Called with ``"measuring"``, the measurements done and their number.

    Raises
    ------
    ParameterError
        If an argument is outside its domain.
    ArtifactError, SpectellError
        If the model cannot be loaded, or a scan fails.
    """
    workers = available_cores() if workers is None else workers
    if min(workers, turns, len(cases)) < 1:
        raise ParameterError(f"workers, turns and cases must be at least 1, got {workers}, {turns} and {len(cases)}")
    loaded = load_model(model)
    machine = _machine()
    total = len(cases) * turns + _COLD_STARTS + 1
    with tempfile.TemporaryDirectory(prefix="spectell-bench-") as folder:
        files = {case.name: _written(case, Path(folder), number, workers) for number, case in enumerate(cases)}
        throughput = []
        for done, case in enumerate(cases):
            throughput.append(_throughput(case, files[case.name], loaded, workers, turns))
            on_progress("measuring", (done + 1) * turns, total)
        command = [sys.executable, "-m", "spectell", "scan", *([] if model is None else ["--model", os.fspath(model)])]
        one = files[cases[min(1, len(cases) - 1)].name][0]
        cold = [_seconds([*command, str(one), "--json"]) for _ in range(_COLD_STARTS)]
        on_progress("measuring", total - 1, total)
        many = [str(path) for path in files[cases[-1].name]] * 2 * workers
        memory = _peak_memory([*command, *many, "--workers", str(workers), "--json"])
        on_progress("measuring", total, total)
    height, width = cases[-1].size
    bound = _MEMORY_BYTES + _MEMORY_BYTES_PER_PIXEL * height * width
    return BenchReport(machine, loaded.name, workers, tuple(throughput), median(cold), memory, bound)


def _written(case: BenchCase, folder: Path, number: int, workers: int) -> list[Path]:
    paths = [folder / f"{number}-{seed}{case.suffix}" for seed in range(case.originals)]
    with _fresh_pool(min(workers, len(paths))) as pool:
        pool.starmap(write_image, [(path, case.size, seed) for seed, path in enumerate(paths)])
    return paths


def _fresh_pool(workers: int) -> Pool:
    """Start processes that share nothing with this one.

    A fork inherits a heap that has held a model, in which decoding is twice as fast as in a program of its own; and
    large images that were made here would do the same to the scan.
    """
    return multiprocessing.get_context("spawn").Pool(workers)


def _throughput(case: BenchCase, files: list[Path], model: Model, workers: int, turns: int) -> Throughput:
    n_images = case.each * workers
    paths = (files * -(-n_images // len(files)))[:n_images]
    rates = [(_decode_only(paths, workers), _scanned(paths, model, workers)) for _ in range(turns)]
    decoding, scanning = (median(each) for each in zip(*rates, strict=True))
    ratios = [scanned / decoded for decoded, scanned in rates]
    return Throughput(case.name, n_images, decoding, scanning, median(ratios), min(ratios), max(ratios))


def _decode_only(paths: list[Path], workers: int) -> float:
    chunk = max(min(32, len(paths) // (4 * workers)), 1)
    with _fresh_pool(workers) as pool:
        rate = _rate(pool.imap(decode, paths, chunk), len(paths))
        pool.close()
        pool.join()
    return rate


def _scanned(paths: list[Path], model: Model, workers: int) -> float:
    def verdicts() -> Iterable[object]:
        for verdict in scan(paths, model=model, fpr=model.thresholds.supported[1], workers=workers):
            if verdict.error:
                raise SpectellError(f"the scan of {paths[0].name} failed: {verdict.error}")
            yield verdict

    return _rate(verdicts(), len(paths))


def _rate(results: Iterable[object], total: int) -> float:
    """Return results per second, counted from the first few on."""
    n_warm = max(total // _WARM_SHARE, 1)
    start = end = time.perf_counter()
    for done, _ in enumerate(results, start=1):
        end = time.perf_counter()
        if done == n_warm and total > n_warm:
            start = end
    counted = total - n_warm if total > n_warm else total
    return counted / max(end - start, 1e-9)


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    _run(command)
    return time.perf_counter() - start


def _peak_memory(command: list[str]) -> int | None:
    """Return the bytes of the largest process of a command, or None where the system does not tell."""
    if find_spec("resource") is None:
        return None
    return int(_run([sys.executable, "-c", _LAUNCHER, *command])) * (1 if sys.platform == "darwin" else 1024)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - this program, on files of its own
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise SpectellError(f"spectell scan ended with status {done.returncode}: {lines[-1]}")
    return done.stdout.decode(errors="replace")


def _machine() -> dict[str, Any]:
    """Say what the figures were taken on."""
    return {
        "system": platform.system(),
        "processor": _processor(),
        "cores": available_cores(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        **{name: version(name) for name in ("spectell", "numpy", "Pillow")},
        "kernels": kernels.instructions if (kernels := load_kernels()) else None,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
