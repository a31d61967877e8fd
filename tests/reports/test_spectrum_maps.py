"""What the heat maps of a study draw beside naive computations from the pixels."""

import numpy as np
import pytest
from scipy.fft import dctn

from spectell.figures.style import LIGHT
from spectell.reports.spectrum_maps import block_channel_drawing, block_drawings, channel_drawing, full_drawings
from spectell.workflows.spectrum import spectrum

BLUE_AND_RED = np.array([(-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312)])


def maps_of(figure):
    return {axes.get_title(loc="left"): axes.images[0] for axes in figure.axes if axes.images}


def decibels(images, weights, offset=0.0):
    """Of the power of every coefficient, image by image."""
    return 10 * np.log10(dctn(images.astype(float) @ np.array(weights), axes=(1, 2), norm="ortho") ** 2 + offset)


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
    differences = block_channel_drawing(study)
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
    means = block_channel_drawing(one)
    assert means.name == "blocks-channels"
    drawn = maps_of(means.make(LIGHT))
    assert list(drawn) == ["blue, real", "red, real"]
    for weights, image in zip(BLUE_AND_RED, drawn.values(), strict=True):
        expected = decibels(pixels["real"], weights, 1e-3).mean(axis=0)
        assert np.asarray(image.get_array()) == pytest.approx(expected, abs=0.01)


def test_means_of_logarithms_are_called_geometric_means(study):
    drawings = [*full_drawings(study, "32x32"), *block_drawings(study), block_channel_drawing(study)]
    labels = {each.name: each.make(LIGHT).axes[-1].get_ylabel() for each in drawings}
    assert {name for name, label in labels.items() if label == "geometric mean power (dB)"} == {"mean-32x32", "blocks"}
    assert "mean power (dB)" not in labels.values()
