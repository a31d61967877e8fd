"""Measure the spectra of real photographs for `spectell explain`: ``python -m recipes.photographs DATA``.

DATA is the folder of collections that the default model was trained on; only its photographs are used, every one of
them, and each collection weighs the same at each size. Photographs without colour are left out. A photograph gives
one window of native pixels at a random place for each size that fits into it, and, if it is large, its whole. Takes
about a minute on two cores; the same seed gives the same file. Runs after ``python -m recipes.default_model``, as it
averages the features of the model that ships.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import numpy.typing as npt

from recipes.default_model.corpus import Picture, collected_pictures
from spectell.detectors import Model, load_model
from spectell.detectors.container import write_container
from spectell.detectors.reference import (
    PERCENTILES,
    REFERENCE,
    REFERENCE_KEY,
    Spectrum,
    measure_spectrum,
    overall_deviation,
)

SEED = 20200611
WINDOWS = (32, 64, 128, 256)
"""Sides of the windows, in pixels: 1, 9, 49 and 225 blocks that overlap by half."""

LARGE_BLOCKS = 400
"""From this number of blocks on a photograph is also measured as a whole."""

HISTORY = {
    "faces256": "FFHQ faces, reduced from 1024 to 256 pixels, JPEG 75 (4:2:0)",
    "celeba128": "CelebA faces, 128 pixels, JPEG 75 (4:2:0)",
    "celeba178": "CelebA faces, 178 x 218 pixels, JPEG 75",
    "cifar32": "CIFAR-10 test images, reduced to 32 pixels, lossless",
    "photos": "ImageNet photographs, mostly 500 x 375 pixels, saved again as JPEG 96",
    "cameras": "camera and phone files, JPEG of all qualities, about a fifth edited or reduced",
    "apple2orange256": "ImageNet photographs of fruit, 256 pixels, JPEG once, then lossless",
}
LICENCE = (
    "Statistics only (means, deviations, percentiles) of collections with terms of their own: FFHQ CC BY-NC-SA 4.0, "
    "CelebA and ImageNet non-commercial research, camera samples CC BY-SA 4.0 in part, CIFAR-10 none stated. For "
    "non-commercial research and evaluation, like the weights of the default model."
)

Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """One photograph: a spectrum at every size that it has, and its features."""

    source: str
    spectra: dict[int, Spectrum]
    features: npt.NDArray[np.float32]


def main() -> None:
    """Measure every photograph and write the statistics."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=REFERENCE)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    pictures = [picture for picture in collected_pictures(options.data) if not picture.generated]
    with Pool(options.processes) as pool:
        found = pool.imap(measure, [(picture, SEED + i) for i, picture in enumerate(pictures)], 16)
        measured = [one for one in found if one is not None]
    write_reference(measured, options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e3:.0f} kB from {len(measured)} photographs")


def measure(task: tuple[Picture, int]) -> Measured | None:
    """Measure one photograph at every size; None for one without colour."""
    picture, seed = task
    pixels = picture.pixels
    if (pixels == pixels[..., :1]).all():
        return None
    rng = np.random.default_rng(seed)
    spectra = {}
    for side in WINDOWS:
        if min(pixels.shape[:2]) >= side:
            top, left = (int(rng.integers(0, length - side + 1)) for length in pixels.shape[:2])
            spectrum = measure_spectrum(pixels[top : top + side, left : left + side])
            spectra[spectrum.n_blocks] = spectrum
    whole = measure_spectrum(pixels)
    if whole.n_blocks >= LARGE_BLOCKS:
        spectra[LARGE_BLOCKS] = whole
    return Measured(picture.source, spectra, _default().front_end.row(pixels))


@lru_cache(maxsize=1)
def _default() -> Model:
    """Return the model that ships: its features are averaged, so this recipe runs after the model's own."""
    return load_model()


def write_reference(measured: Sequence[Measured], path: Path) -> None:
    """Write the statistics of photographs, each source with the same weight."""
    arrays: dict[str, npt.NDArray[np.float32]] = {}
    counts: dict[str, dict[str, int]] = {}
    levels = sorted({n for one in measured for n in one.spectra})
    for i, n_blocks in enumerate(levels):
        seen = [one for one in measured if n_blocks in one.spectra]
        counts[str(n_blocks)] = dict(sorted(Counter(one.source for one in seen).items()))
        for name, values in level([one.spectra[n_blocks] for one in seen], equal_weights(seen)).items():
            arrays[f"{i}.{name}"] = values.astype(np.float32)
    weights = equal_weights(measured)
    arrays["features"] = np.tensordot(weights, np.stack([one.features for one in measured]), 1).astype(np.float32)
    encode = _default().front_end
    card = {
        "name": "spectra of real photographs",
        "n_blocks": levels,
        "n_photographs": counts,
        "sources": {name: HISTORY[name] for name in sorted({one.source for one in measured})},
        "weighting": "every source the same at each number of blocks; photographs without colour left out",
        "front_end": {"name": encode.name, "config": encode.config},
        "licence": LICENCE,
        "seed": SEED,
        "recipe": "recipes/photographs.py",
    }
    write_container(path, arrays, {REFERENCE_KEY: json.dumps(card, sort_keys=True)})
    path.chmod(0o644)


def equal_weights(measured: Sequence[Measured]) -> Weights:
    """Weights of the photographs, which sum to one for all and to the same for each source."""
    counts = Counter(one.source for one in measured)
    return np.array([1 / (len(counts) * counts[one.source]) for one in measured])


def level(spectra: Sequence[Spectrum], weights: Weights) -> dict[str, Weights]:
    """Weighted statistics of spectra of one number of blocks."""
    power = np.stack([spectrum.power for spectrum in spectra]).astype(np.float64)
    mean = np.tensordot(weights, power, 1)
    # Unbiased for weights that tell how much a photograph counts, not how precisely it was measured.
    sd = np.sqrt(np.tensordot(weights, (power - mean) ** 2, 1) / (1 - np.square(weights).sum()))
    deviations = np.array([overall_deviation((one - mean) / sd) for one in power])
    profiles = np.stack([spectrum.profile for spectrum in spectra])
    rings = [weighted_percentiles(ring, weights, PERCENTILES) for ring in profiles.T]
    return {
        "mean": mean,
        "sd": sd,
        "profile": np.array(rings).T,
        "deviations": weighted_percentiles(deviations, weights, range(101)),
    }


def weighted_percentiles(values: Weights, weights: Weights, percents: Sequence[int]) -> Weights:
    """Return the smallest value that at least so many per cent of the weight do not exceed, for each percentage."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    places = np.searchsorted(reached, np.array(percents) / 100 * reached[-1] - 1e-12)
    return np.asarray(values[order][np.minimum(places, len(values) - 1)])


if __name__ == "__main__":
    main()
