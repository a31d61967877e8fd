"""What the figures of a study draw beside naive computations from the pixels."""

import numpy as np
import pytest
from scipy.fft import dctn

from spectell.figures.style import LIGHT
from spectell.reports.spectrum_figures import (
    block_channel_drawings,
    block_drawings,
    channel_drawing,
    full_drawings,
    peak_drawing,
    profile_drawings,
)
from spectell.workflows.spectrum import spectrum

LUMA = np.array([0.299, 0.587, 0.114])
BLUE_AND_RED = np.array([(-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)])


def maps_of(figure):
    return {axes.get_title(loc="left"): axes.images[0] for axes in figure.axes if axes.images}


def decibels(images, weights, offset=0.0):
    """Of the power of every coefficient, image by image."""
    return 10 * np.log10(dctn(images.astype(float) @ np.array(weights), axes=(1, 2), norm="ortho") ** 2 + offset)


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


def test_red_green_and_blue_are_drawn_as_differences_with_one_scale(study, pixels):
    drawing = channel_drawing(study, "32x32")
    assert drawing.name == "difference-channels-32x32"
    drawn = maps_of(drawing.make(LIGHT))
    assert list(drawn) == ["red, gan", "green, gan", "blue, gan"]
    assert len({image.get_clim() for image in drawn.values()}) == 1
    for weights, channel, image in zip(np.eye(3), ("red", "green", "blue"), drawn.values(), strict=True):
        values = np.ma.masked_array(image.get_array())
        ours, theirs = (decibels(pixels[name], weights).mean(axis=0) for name in ("gan", "real"))
        shown = ~np.ma.getmaskarray(values)
        assert np.array_equal(shown, study.compared("faces/gan", "log", channel).significant)
        assert values.compressed() == pytest.approx((ours - theirs)[shown], abs=0.01)
    assert np.ma.count(drawn["blue, gan"].get_array()) > 30


def test_the_colour_differences_of_blocks_are_drawn(study, pixels):
    (differences,) = block_channel_drawings(study)
    assert differences.name == "difference-channels-blocks"
    drawn = maps_of(differences.make(LIGHT))
    assert list(drawn) == ["blue, gan", "red, gan"]
    for weights, image in zip(BLUE_AND_RED, drawn.values(), strict=True):
        gan, real = (decibels(pixels[name], weights, 1e-3).mean(axis=0) for name in ("gan", "real"))
        found = np.ma.getdata(image.get_array())  # beneath the mask of what does not differ significantly, too
        assert found == pytest.approx(gan - real, abs=0.01)


def test_a_single_set_has_the_means_of_its_channels(study, pixels, tmp_path):
    one = spectrum([study.directory.parent / "faces" / "real"], tmp_path / "one")
    drawing = channel_drawing(one, "32x32")
    assert drawing.name == "mean-channels-32x32"
    drawn = maps_of(drawing.make(LIGHT))
    assert list(drawn) == ["red, real", "green, real", "blue, real"]
    for weights, image in zip(np.eye(3), drawn.values(), strict=True):
        expected = decibels(pixels["real"], weights).mean(axis=0)
        assert np.asarray(image.get_array()) == pytest.approx(expected, abs=0.2)  # float32 close to zero
    (means,) = block_channel_drawings(one)
    assert means.name == "blocks-channels"
    drawn = maps_of(means.make(LIGHT))
    assert list(drawn) == ["blue, real", "red, real"]
    for weights, image in zip(BLUE_AND_RED, drawn.values(), strict=True):
        expected = decibels(pixels["real"], weights, 1e-3).mean(axis=0)
        assert np.asarray(image.get_array()) == pytest.approx(expected, abs=0.01)


def test_means_of_logarithms_are_called_geometric_means(study):
    drawings = [*full_drawings(study, "32x32"), *block_drawings(study), *block_channel_drawings(study)]
    labels = {each.name: each.make(LIGHT).axes[-1].get_ylabel() for each in [*drawings, peak_drawing(study)]}
    named = {name for name, label in labels.items() if label == "geometric mean power (dB)"}
    assert named == {"mean-32x32", "blocks", "peaks"}
    assert "mean power (dB)" not in labels.values()
