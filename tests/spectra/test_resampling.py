"""Traces of interpolation, on images whose history is known."""

import io

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ShapeError
from spectell.spectra import ResamplingTrace, resampling_trace


def noise(rng, height, width):
    return rng.normal(128, 30, (height, width, 3)).clip(0, 255).astype(np.uint8)


def enlarged(pixels, scale, resample=Image.Resampling.BICUBIC):
    height, width = pixels.shape[:2]
    return np.asarray(Image.fromarray(pixels).resize((round(width * scale), round(height * scale)), resample))


def as_jpeg(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


@pytest.mark.parametrize("resample", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS])
@pytest.mark.parametrize("scale", [1.1, 1.25, 1.5, 1.7, 3.0])
def test_an_enlarged_image_is_found_at_the_inverse_of_its_scale_folded(rng, scale, resample):
    trace = resampling_trace(enlarged(noise(rng, 300, 400), scale, resample))
    folded = abs(1 / scale - round(1 / scale))
    multiples = np.abs(np.array([folded, 2 * folded % 1, 1 - 2 * folded % 1, 3 * folded % 1]) - trace.frequency)
    assert trace.found
    assert multiples.min() < 0.004


@pytest.mark.parametrize("quality", [95, 85])
def test_it_is_found_through_a_jpeg(rng, quality):
    assert resampling_trace(as_jpeg(enlarged(noise(rng, 300, 400), 1.5), quality)).found


def test_one_direction_alone_is_enough(rng):
    wide = np.asarray(Image.fromarray(noise(rng, 300, 300)).resize((450, 300), Image.Resampling.BILINEAR))
    trace = resampling_trace(wide)
    assert trace.found
    assert trace.frequency == pytest.approx(1 / 3, abs=0.004)


@pytest.mark.parametrize("shape", [(64, 64), (128, 128), (375, 500), (1200, 90)])
def test_about_one_in_a_hundred_unresized_images_is_flagged(rng, shape):
    images = [noise(rng, *shape) for _ in range(60)]
    assert sum(resampling_trace(image).found for image in images) <= 3
    assert sum(resampling_trace(as_jpeg(image, 75)).found for image in images) <= 3


@pytest.mark.parametrize("period", [2, 4, 8, 16])
def test_the_periods_of_colour_filters_and_jpeg_grids_do_not_count(rng, period):
    pixels = noise(rng, 256, 320)
    pixels[::period] = 128
    pixels[:, ::period] = 128
    assert not resampling_trace(pixels).found


def test_a_period_of_three_does_count(rng):
    pixels = noise(rng, 256, 320)
    pixels[:, ::3] = 128
    assert resampling_trace(pixels).frequency == pytest.approx(1 / 3, abs=0.004)


@pytest.mark.parametrize("shape", [(63, 500, 3), (500, 63, 3), (1, 1, 1)])
def test_nothing_is_said_of_small_images(shape):
    assert resampling_trace(np.zeros(shape, np.uint8)) == ResamplingTrace(False, None, 0.0)


@pytest.mark.parametrize("value", [0, 7, 255])
@pytest.mark.parametrize("shape", [(64, 64, 3), (101, 333, 1), (2000, 1100, 3)])
def test_a_flat_image_has_no_trace(shape, value):
    assert not resampling_trace(np.full(shape, value, np.uint8)).found


def test_the_largest_differences_do_not_overflow():
    checkers = (np.indices((400, 400)).sum(axis=0) % 2 * 255).astype(np.uint8)
    assert not resampling_trace(checkers[:, :, None]).found


def test_layout_channels_and_rotation_do_not_matter(rng):
    pixels = enlarged(noise(rng, 200, 300), 1.25)
    expected = resampling_trace(pixels)
    turned = resampling_trace(pixels.transpose(1, 0, 2))
    assert resampling_trace(np.asfortranarray(pixels)) == expected
    assert resampling_trace(np.ascontiguousarray(pixels[:, :, 1:2])) == expected
    assert (turned.found, turned.frequency) == (expected.found, expected.frequency)
    assert turned.strength == pytest.approx(expected.strength, abs=1e-3)


@pytest.mark.parametrize("shape", [(100, 100), (100, 100, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ShapeError, match="pixels must have shape"):
        resampling_trace(np.zeros(shape, np.uint8))


@pytest.mark.shared_data
def test_camera_files_are_seldom_flagged_and_their_enlargements_often(shared_data):
    crops = []
    for path in sorted((shared_data / "cameras" / "real").glob("jpg_gps_DSCN*.jpg")):
        with Image.open(path) as image:
            crops.append(np.asarray(image.convert("RGB"))[70:410, 95:545])
    assert len(crops) >= 5
    assert sum(resampling_trace(crop).found for crop in crops) <= 1
    assert sum(resampling_trace(enlarged(crop, 1.5)).found for crop in crops) >= 0.9 * len(crops)
