"""Peaks of sets: as rare in noise as stated, however few images a set has."""

import numpy as np
import pytest

from spectell.spectra import tile_periodogram
from spectell.workflows.mean_spectra.means import MeanSpectrum
from spectell.workflows.mean_spectra.study import SetFacts
from spectell.workflows.mean_spectra.summary import _peaks

FACTS = SetFacts(2, 2, 2, {"PNG": 2}, {}, {}, (), 0, lossless_files=True, lossless_origin=False)


def peaks_of(spectra):
    arrays = {"tiles/mean": np.mean(spectra, axis=0), "tiles/variance": np.var(spectra, axis=0, ddof=1)}
    return _peaks(MeanSpectrum(len(spectra), arrays, "tiles"), FACTS).search.peaks


@pytest.fixture(scope="module")
def spectra():
    """Of 320 images of noise, half of them with an amplitude of 1/f."""
    rng = np.random.default_rng(11)
    radius = np.hypot(np.fft.fftfreq(64)[:, None], np.fft.rfftfreq(64))
    radius[0, 0] = 1 / 64
    found = []
    for response in (radius**0, 1 / radius):
        signals = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(160, 64, 64))) * response, s=(64, 64))
        pixels = (128 + 30 * signals / signals.std()).round().clip(0, 255).astype(np.uint8)
        found.extend(tile_periodogram(image[..., None], size=64) for image in pixels)
    return np.array(found, float)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_noise_has_peaks_no_more_often_than_stated_however_small_the_set(spectra, n):
    sets = [spectra[first : first + n] for first in range(0, len(spectra) - n + 1, n)]
    assert sum(bool(peaks_of(images)) for images in sets) <= 6  # of 160 at 1 %; more has a probability of 0.001


def test_two_images_of_one_grey_have_none():
    flat = tile_periodogram(np.full((64, 64, 1), 200, np.uint8), size=64)
    assert peaks_of(np.array([flat, flat])) == ()


@pytest.mark.parametrize("n", [2, 6])
def test_a_pattern_is_found_in_a_small_set_too(rng, n):
    stripes = 12 * np.cos(2 * np.pi * np.arange(128) / 8)[:, None, None]
    images = (rng.normal(128, 15, (n, 128, 128, 1)) + stripes).clip(0, 255).astype(np.uint8)
    (peak,) = peaks_of(np.array([tile_periodogram(image, size=64) for image in images], float))
    assert (peak.vertical, peak.horizontal) == (pytest.approx(1 / 8, abs=0.003), 0)
