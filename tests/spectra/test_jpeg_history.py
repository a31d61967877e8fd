import io

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ShapeError
from spectell.images.jpeg import estimate_quality
from spectell.spectra.jpeg_history import jpeg_history, luminance_table


@pytest.fixture
def scene(rng):
    """Texture of all scales, 140 x 150."""
    rows, columns = np.fft.fftfreq(140)[:, None], np.fft.fftfreq(150)[None]
    spectrum = np.fft.fft2(rng.normal(size=(140, 150))) / np.maximum(np.hypot(rows, columns), 1 / 150)
    texture = np.fft.ifft2(spectrum).real
    grey = 128 + 40 * texture / texture.std()
    return np.clip(grey[..., None] + rng.normal(0, 2, (140, 150, 3)), 0, 255).astype(np.uint8)


def saved(pixels, quality, **keywords):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=quality, **keywords)
    return buffer.getvalue()


def decoded(content):
    return np.asarray(Image.open(io.BytesIO(content)))


@pytest.mark.parametrize("quality", [30, 50, 75, 90, 95])
def test_the_quality_of_the_file_is_found_in_its_pixels(scene, quality):
    content = saved(scene, quality)
    assert estimate_quality(Image.open(io.BytesIO(content)).quantization[0]) == quality
    history = jpeg_history(decoded(content))
    assert (history.found, history.row, history.column) == (True, 0, 0)
    assert abs(history.quality - quality) <= 1


@pytest.mark.parametrize(("top", "left"), [(1, 0), (0, 5), (3, 7), (8, 2)])
def test_a_crop_moves_the_grid_that_is_found(scene, top, left):
    history = jpeg_history(decoded(saved(scene, 70))[top:, left:])
    assert (history.row, history.column) == (-top % 8, -left % 8)


def test_the_place_is_counted_from_the_first_pixel_of_an_image_that_is_not_looked_at_whole(rng):
    blocks = rng.integers(0, 256, (60, 50, 3)).astype(np.uint8).repeat(7, axis=0).repeat(7, axis=1)
    history = jpeg_history(decoded(saved(blocks, 60, subsampling=0))[5:, 3:])
    assert (history.row, history.column) == (3, 5)


def test_pixels_that_were_never_compressed_have_no_grid(scene, rng):
    for image in (scene, rng.integers(0, 256, (80, 80, 3), dtype=np.uint8), np.full((80, 80, 3), 9, np.uint8)):
        history = jpeg_history(image)
        assert (history.found, history.row, history.column, history.quality) == (False, None, None, None)


def test_resizing_wipes_the_grid_out(scene):
    image = Image.fromarray(decoded(saved(scene, 75))).resize((110, 103), Image.Resampling.BICUBIC)
    assert not jpeg_history(np.asarray(image)).found


def test_the_false_alarms_of_noise_are_fewer_than_promised(rng):
    strengths = [jpeg_history(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).strength for _ in range(30)]
    assert max(strengths) < 3  # a thousandth of the chance for each of them


def test_small_images_get_no_statement_and_other_shapes_are_refused():
    assert not jpeg_history(np.zeros((63, 200, 3), np.uint8)).found
    with pytest.raises(ShapeError, match=r"pixels must have shape \(H, W, 3\), got \(64, 64\)"):
        jpeg_history(np.zeros((64, 64), np.uint8))


@pytest.mark.parametrize("quality", [1, 25, 50, 75, 100])
def test_the_tables_are_those_of_the_encoder(scene, quality):
    table = Image.open(io.BytesIO(saved(scene, quality))).quantization[0]
    assert luminance_table(quality).ravel().tolist() == list(table)


@pytest.mark.shared_data
def test_photographs_saved_as_png_are_told_from_translations_that_never_were_jpegs(shared_data):
    def found(folder):
        files = sorted((shared_data / "apple2orange256" / folder).iterdir())[:12]
        return sum(jpeg_history(np.asarray(Image.open(file).convert("RGB"))).found for file in files)

    assert found("real") >= 10
    assert found("cyclegan") == 0
