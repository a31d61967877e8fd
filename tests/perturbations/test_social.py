import io

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ParameterError
from spectell.images.jpeg import estimate_quality
from spectell.perturbations import Screenshot, SocialUpload, result_file
from spectell.spectra.resampling import resampling_trace


def test_an_upload_is_at_most_2048_pixels_wide_and_keeps_its_proportions(rng):
    assert SocialUpload().resulting_shape((), SocialUpload().draw(rng, (4096, 1024))) == (2048, 512)
    assert SocialUpload().resulting_shape((), SocialUpload().draw(rng, (2049, 1))) == (2048, 1)
    assert SocialUpload().resulting_shape((), SocialUpload().draw(rng, (2048, 700))) == (2048, 700)


def test_the_upload_is_a_jpeg_of_quality_71_to_85_with_halved_colour(rng):
    image = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    qualities = set()
    for _ in range(120):
        file = result_file(SocialUpload(max_side=30), image, SocialUpload(max_side=30).draw(rng, image.shape))
        decoded = Image.open(io.BytesIO(file.content))
        assert (decoded.format, decoded.size, decoded.layer[0][1:3]) == ("JPEG", (30, 20), (2, 2))
        qualities.add(estimate_quality(decoded.quantization[0]))
    assert qualities == set(range(71, 86))


def test_a_picture_that_fits_is_not_resized_before_it_is_compressed(rng):
    image = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    parameters = {"height": 20, "width": 30, "kernel": "no such kernel", "quality": 100, "subsampling": "4:2:0"}
    result = SocialUpload().apply(image, parameters | {"grid_row": 0, "grid_column": 0})
    assert result.shape == image.shape


def test_a_screenshot_has_the_screens_ratio_until_the_screen_is_full(rng):
    shot = Screenshot(ratios=(1.0, 1.5, 3.0))
    sizes = {shot.resulting_shape((), shot.draw(rng, (200, 300))) for _ in range(60)}
    assert sizes == {(200, 300), (300, 450), (600, 900)}
    assert {shot.resulting_shape((), shot.draw(rng, (2880, 100))) for _ in range(60)} == {(1440, 50)}
    assert shot.resulting_shape((), shot.draw(rng, (100, 100_000))) == (3, 2560)


def test_a_capture_is_a_png_or_a_jpeg_of_its_quality(rng):
    image = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    shot, formats = Screenshot(), []
    for _ in range(200):
        parameters = shot.draw(rng, image.shape)
        decoded = Image.open(io.BytesIO(result_file(shot, image, parameters).content))
        formats.append(decoded.format)
        if decoded.format == "JPEG":
            assert estimate_quality(decoded.quantization[0]) == parameters["jpeg"]["quality"]
            assert 85 <= parameters["jpeg"]["quality"] <= 95
    assert 70 < formats.count("JPEG") < 130
    assert set(formats) == {"JPEG", "PNG"}


def test_the_scaling_of_a_screen_leaves_the_trace_of_interpolation(rng):
    image = rng.integers(0, 256, (150, 150, 3), dtype=np.uint8)
    parameters = {"height": 225, "width": 225, "kernel": "bilinear", "jpeg": None}
    assert not resampling_trace(image).found
    trace = resampling_trace(Screenshot().apply(image, parameters))
    assert trace.found
    assert trace.frequency == pytest.approx(1 / 3, abs=0.01)  # of 1 / 1.5, folded


def test_a_ratio_of_one_leaves_every_pixel(rng):
    image = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    parameters = Screenshot(ratios=(1.0,), jpeg_share=0).draw(rng, image.shape)
    np.testing.assert_array_equal(Screenshot().apply(image, parameters), image)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SocialUpload(max_side=0), "max_side must be at least 1, got 0"),
        (lambda: SocialUpload(kernels=("cubic",)), "kernels must be some of nearest"),
        (lambda: SocialUpload(min_quality=0), "min_quality"),
        (lambda: Screenshot(ratios=()), "ratios must hold numbers above 0"),
        (lambda: Screenshot(ratios=(0.0,)), "ratios must hold numbers above 0"),
        (lambda: Screenshot(max_width=0), "max_height and max_width must be at least 1, got 1440 and 0"),
        (lambda: Screenshot(jpeg_share=1.5), "jpeg_share"),
    ],
)
def test_impossible_settings_are_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
