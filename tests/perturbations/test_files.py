import io

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ParameterError
from spectell.perturbations import (
    PERTURBATIONS,
    PRESETS,
    GaussianNoise,
    JpegRecompression,
    OneOf,
    Sequence,
    Sometimes,
    WebpRecompression,
    result_file,
)
from spectell.perturbations.webp import MAX_SIDE

EVERY = {name: kind() for name, kind in PERTURBATIONS.items()}
EVERY |= {f"{preset} {name}": step for preset, members in PRESETS.items() for name, step in members.items()}
OWN = {"jpeg": {".jpg"}, "jpeg-chain": {".jpg"}, "social": {".jpg"}, "webp": {".webp"}, "screenshot": {".jpg", ".png"}}
OWN |= {"frank2020 jpeg": {".jpg", ".png"}}
FORMATS = {".png": "PNG", ".jpg": "JPEG", ".webp": "WEBP"}


def opened(file):
    return Image.open(io.BytesIO(file.content))


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("name", EVERY)
def test_the_file_holds_the_pixels_that_apply_returns(rng, name, lossless):
    image = rng.integers(0, 256, (33, 40, 3), dtype=np.uint8)
    suffixes = set()
    for _ in range(12):
        parameters = EVERY[name].draw(rng, image.shape)
        file = result_file(EVERY[name], image, parameters, lossless=lossless)
        decoded = opened(file)
        assert decoded.format == FORMATS[file.suffix]
        np.testing.assert_array_equal(np.asarray(decoded.convert("RGB")), EVERY[name].apply(image, parameters))
        suffixes.add(file.suffix)
    assert suffixes == ({".png"} if lossless else OWN.get(name, {".png"}))


def test_a_sequence_is_the_file_of_its_last_step_alone(rng):
    image = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    jpeg, noise = JpegRecompression(), GaussianNoise()

    def suffix(perturbation):
        return result_file(perturbation, image, perturbation.draw(rng, image.shape)).suffix

    assert suffix(Sequence((noise, jpeg))) == ".jpg"
    assert suffix(Sequence((jpeg, noise))) == ".png"
    assert suffix(OneOf((jpeg, noise), weights=(1, 0))) == ".jpg"
    assert suffix(Sometimes(jpeg, 0.0)) == ".png"


def test_a_moved_grid_is_no_file_of_its_own(rng):
    image = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    parameters = {"quality": 60, "subsampling": "4:2:0", "grid_row": 3, "grid_column": 0}
    assert result_file(JpegRecompression(), image, parameters).suffix == ".png"


def test_a_side_that_webp_cannot_hold_is_refused_with_the_limit():
    with pytest.raises(ParameterError, match=r"at most 16,383 pixels a side, got 1 x 16,384"):
        WebpRecompression().apply(np.zeros((1, MAX_SIDE + 1, 3), np.uint8), {"quality": 80})
