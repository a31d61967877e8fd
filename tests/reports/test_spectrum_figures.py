"""What the profiles and the peaks of a study draw beside naive computations from the pixels."""

import numpy as np
import pytest

from spectell.figures.style import LIGHT
from spectell.reports.spectrum_figures import peak_drawing, profile_drawings

LUMA = np.array([0.299, 0.587, 0.114])


def periodograms(images):
    """Log power, in nats, of one Hann-windowed tile an image."""
    side = images.shape[1]
    window = np.outer(*[np.hanning(side + 1)[:-1]] * 2)
    luma = images.astype(float) @ LUMA
    luma = luma - (luma * window).sum(axis=(1, 2), keepdims=True) / window.sum()
    logs = np.log(np.abs(np.fft.fft2(luma * window)) ** 2 / (window**2).sum() + 1e-3)
    for place in ((0, side // 2), (side // 2, 0), (side // 2, side // 2)):  # where a power has one degree of freedom
        logs[:, *place] += np.log(2)
    return logs


def rings_of(side):
    frequency = np.abs(np.fft.fftfreq(side))
    radius = np.hypot(frequency[:, np.newaxis], frequency)
    ring = np.maximum(np.floor(radius * side + 0.5).astype(int), 1)
    ring[0, 0] = 0
    angle = np.degrees(np.arctan2(frequency[:, np.newaxis] + 0 * radius, frequency + 0 * radius))
    return radius, ring, angle


def curves_of(axes, number):
    return [(line.get_xdata(), line.get_ydata()) for line in axes.lines if line.get_linestyle() == "-"][:number]


def test_the_radial_profile_is_the_geometric_mean_of_the_rings_of_images(study, pixels):
    drawing = next(each for each in profile_drawings(study) if each.name == "radial")
    axes = drawing.make(LIGHT).axes[0]
    radius, ring, _ = rings_of(32)
    for (frequency, power), name in zip(curves_of(axes, 2), ("real", "gan"), strict=True):
        powers = np.exp(periodograms(pixels[name]))
        expected = {
            radius[ring == k].mean(): np.mean(10 * np.log10(powers[:, ring == k].mean(axis=1)))
            for k in range(1, ring.max() + 1)
        }
        drawn = {f: value for f, value in expected.items() if f <= 0.5}
        assert frequency == pytest.approx(list(drawn))
        assert power == pytest.approx(list(drawn.values()), abs=1e-3)
        arithmetic = [10 * np.log10(powers[:, ring == k].mean()) for k in range(1, len(drawn) + 1)]
        assert (power < np.array(arithmetic) + 1e-3).all()
    assert axes.get_ylabel() == "mean power of a ring, geometric mean of images (dB)"


def test_the_directions_are_the_geometric_mean_of_bins_and_images(study, pixels):
    drawing = next(each for each in profile_drawings(study) if each.name == "directions")
    panels = drawing.make(LIGHT).axes
    _, ring, angle = rings_of(32)
    for axes, middle in zip(panels, (0, 90, 45), strict=False):
        for (frequency, power), name in zip(curves_of(axes, 2), ("real", "gan"), strict=True):
            logs = 10 / np.log(10) * periodograms(pixels[name]).mean(axis=0)
            for k, value in zip(range(1, len(frequency) + 1), power, strict=True):
                chosen = (ring == k) & (np.abs(angle - middle) <= 15 + 1e-9)
                assert np.isnan(value) if not chosen.any() else value == pytest.approx(logs[chosen].mean(), abs=1e-3)
    assert panels[0].get_ylabel() == "geometric mean power of bins and images (dB)"
    assert "lies below the mean" in drawing.caption


def test_means_of_logarithms_under_peaks_are_called_geometric_means(study):
    assert peak_drawing(study).make(LIGHT).axes[-1].get_ylabel() == "geometric mean power (dB)"
