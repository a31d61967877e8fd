"""The command line with a model that does to its process what an image's first pixel says; run as a script.

``marked.py PIDS SECONDS ARGUMENTS...``: each worker writes its id into the folder PIDS, and every image takes SECONDS.
"""

import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import spectell.cli
import spectell.workflows.scan

SEGFAULT, KILL, HANG, EXIT, RAISE, INFINITE = range(1, 7)


class MarkedModel:
    """Scores the second channel of the first pixel: 0 real, 128 neither, 255 generated."""

    name = "marked"
    min_size = 8

    def __init__(self, pids: Path, seconds: float) -> None:
        self.pids, self.seconds = pids, seconds
        self.card = SimpleNamespace(as_text=lambda: "the card")
        self.thresholds = SimpleNamespace(at=lambda fpr: 100.0, verdict=self.verdict)

    def verdict(self, score, fpr):
        return "generated" if score >= 100 else "real" if score <= -100 else "inconclusive"

    def score(self, pixels, *, thorough=False):
        self.pids.joinpath(str(os.getpid())).touch()
        time.sleep(self.seconds)
        mark, value, distance = map(int, pixels[0, 0])
        if mark == SEGFAULT:
            os.kill(os.getpid(), signal.SIGSEGV)
        if mark == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        if mark == HANG:
            time.sleep(600)
        if mark == EXIT:
            os._exit(3)
        if mark == RAISE:
            raise RuntimeError("no such luck")
        score = float("nan") if mark == INFINITE else float(value) - 128
        return SimpleNamespace(score=score, distance=float(distance), classes=())


if __name__ == "__main__":
    pids, seconds, *arguments = sys.argv[1:]
    spectell.workflows.scan.load_model = lambda _: MarkedModel(Path(pids), float(seconds))
    spectell.cli.main(arguments)
