import io

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ParameterError
from spectell.perturbations.webp import WebpRecompression


def test_the_quality_reaches_the_encoder(rng):
    rows, columns = np.indices((64, 90))
    image = np.clip(128 + 60 * np.sin(rows / 5 + columns / 9)[..., None] + rng.normal(0, 8, (64, 90, 3)), 0, 255)
    image = image.astype(np.uint8)
    errors = []
    for quality in (95, 60, 10):
        result = WebpRecompression().apply(image, {"quality": quality})
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, format="WEBP", quality=quality, method=4)
        np.testing.assert_array_equal(result, np.asarray(Image.open(buffer).convert("RGB")))
        errors.append(np.abs(result.astype(int) - image).mean())
    assert errors == sorted(errors)
    assert errors[0] < errors[-1]


def test_both_ends_of_the_quality_range_are_drawn(rng):
    assert {WebpRecompression(70, 72).draw(rng, (8, 8))["quality"] for _ in range(100)} == {70, 71, 72}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_quality": -1}, "quality must satisfy 0 <= min_quality"),
        ({"max_quality": 101}, "max_quality=101"),
        ({"method": 7}, "method must be an integer from 0 to 6, got 7"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        WebpRecompression(**settings)
