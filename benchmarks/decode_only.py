"""The floor: decode every file of a folder in so many processes and do nothing else.

A program of its own, started as any other would be; the same as the decode-only loop that the project's acceptance
test compares with.
"""

import sys
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from PIL import Image


def decode(path: Path) -> tuple[int, ...]:
    """Decode one file to RGB pixels."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).shape


if __name__ == "__main__":
    files = sorted(Path(sys.argv[1]).iterdir())
    with Pool(int(sys.argv[2])) as pool:
        pool.map(decode, files, min(32, -(-len(files) // int(sys.argv[2]))))
