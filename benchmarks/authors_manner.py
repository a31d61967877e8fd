"""Statistics of a folder as a plain loop: Pillow, `scipy.fftpack.dct` along each axis, Welford in float64.

This is how the pipeline of Frank et al. (ICML 2020) goes about it, one image at a time in one process.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import fftpack

if __name__ == "__main__":
    mean, squared_deviation = np.zeros(()), np.zeros(())
    for count, path in enumerate(sorted(Path(sys.argv[1]).iterdir()), start=1):
        with Image.open(path) as image:
            coefficients = np.asarray(image.convert("RGB"))
        for axis in (0, 1):
            coefficients = fftpack.dct(coefficients, type=2, norm="ortho", axis=axis)
        delta = coefficients - mean
        mean = mean + delta / count
        squared_deviation = squared_deviation + delta * (coefficients - mean)
