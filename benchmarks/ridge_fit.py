"""Fit ridge regression to a packed data set of whole-image DCTs and print what it took as JSON; a program of its own.

``python -m benchmarks.ridge_fit FOLDER``: so that peak memory and processor time are those of the fit.
"""

import json
import resource
import sys
import time

import numpy as np

from spectell.detectors.features import DCTFeatures
from spectell.detectors.ridge import RidgeDetector
from spectell.workflows.reading.image_passes import open_images
from spectell.workflows.reading.image_set import ImageSet
from spectell.workflows.training.config import STREAMED_BYTES
from spectell.workflows.training.steps import ImageFeatures

_SLICE = 8192


def _sgemm_rate(n_rows: int) -> float:
    """Multiplications and additions a second of a bare product in single precision, the best of three."""
    rng = np.random.default_rng(0)
    left = rng.standard_normal((n_rows, _SLICE), np.float32)
    right = rng.standard_normal((_SLICE, n_rows), np.float32)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        left @ right
        times.append(time.perf_counter() - start)
    return 2 * n_rows**2 * _SLICE / min(times[1:])


def main(folder: str) -> None:
    """Time the bare product, then the fit."""
    manifest, read = open_images(folder)
    rate = _sgemm_rate(len(manifest))
    images = ImageSet(manifest, read=read)
    front_end = DCTFeatures(size=int(images.sides.min()))
    before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    source = ImageFeatures(images, front_end, np.arange(len(images)))
    detector = RidgeDetector(memory=STREAMED_BYTES).fit_streamed(source, manifest.labels)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
    raw = np.array([float(detector.head.decide(detector.standardisation.apply(source(i, i + 1)))[0]) for i in range(4)])
    found = {
        "images": len(images),
        "features": front_end.n_features,
        "sgemm_flops": rate,
        "wall": wall,
        "processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_bytes": after.ru_maxrss * 1024,
        "raw": raw.tolist(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1])
