"""Exact ridge regression on the DCT of whole images, more features than fit into memory, from a packed data set.

*bound* is the time of the Gram matrix alone at the rate of a bare `sgemm` of the same size: n² D multiplications and
additions, as the matrix is symmetric. What the fit takes beyond it is the transforms, the standardisation and the
weights. Peak memory is the resident memory of the process, measured by the kernel.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.harness import show_table
from benchmarks.images import natural_image
from spectell.datasets import Entry, Manifest, write_manifest
from spectell.datasets.packed import IMAGES_NAME, MANIFEST_NAME

__all__ = ["main"]

SIZE = 1024
ORIGINALS = 8
HEADER = ("images", "features", "seconds", "processor s", "GFLOP/s", "sgemm", "bound s", "of the bound", "peak memory")


def main(images: int = 300) -> None:
    """Fit to `images` synthetic images of 1024 x 1024 and print the table; the aim for 2,000: 5 minutes and 4 GB."""
    with tempfile.TemporaryDirectory() as place:
        write_packed(Path(place), images)
        command = [sys.executable, "-m", "benchmarks.ridge_fit", place]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    operations = found["images"] ** 2 * found["features"]
    bound = operations / found["sgemm_flops"]
    row = (
        f"{found['images']:,}",
        f"{found['features']:,}",
        f"{found['wall']:.0f}",
        f"{found['processor']:.0f}",
        f"{operations / found['wall'] / 1e9:.0f}",
        f"{found['sgemm_flops'] / 1e9:.0f}",
        f"{bound:.0f}",
        f"{bound / found['wall']:.2f}",
        f"{found['peak_bytes'] / 1e9:.2f} GB",
    )
    show_table("Ridge regression on the DCT of whole packed images (aim for 2,000: 300 s, 4 GB)", HEADER, [row])


def write_packed(folder: Path, count: int) -> None:
    """Write shifted copies of a few images, every second one with the faint grid of an up-sampling by two."""
    rng = np.random.default_rng(0)
    originals = [natural_image(rng, SIZE, SIZE) for _ in range(ORIGINALS)]
    grid = np.zeros((SIZE, SIZE, 1), np.uint8)
    grid[::2, ::2] = 1
    with (folder / IMAGES_NAME).open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": (count, SIZE, SIZE, 3)}
        np.lib.format.write_array_header_1_0(file, header)
        for number in range(count):
            image = np.roll(originals[number % ORIGINALS], rng.integers(SIZE, size=2), axis=(0, 1))
            image = image // 2 + rng.integers(0, 16, image.shape, np.uint8)
            file.write(image + grid if number % 2 else image)
    names = ("real", "generated")
    entries = [Entry(f"{number}.png", number % 2, names[number % 2], "synthetic") for number in range(count)]
    write_manifest(Manifest(entries, folder), folder / MANIFEST_NAME)
