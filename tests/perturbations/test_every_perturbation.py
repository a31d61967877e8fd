"""What holds for every perturbation, elementary, combined or preset."""

import json

import numpy as np
import pytest

from spectell.errors import ShapeError
from spectell.perturbations import (
    PERTURBATIONS,
    PRESETS,
    JpegRecompression,
    MarginCrop,
    OneOf,
    Resize,
    Sequence,
    Sometimes,
    WindowCrop,
    perturb,
)

SIZES = [(1, 1), (1, 9), (9, 1), (2, 3), (17, 40), (64, 33)]
EVERY = {name: kind() for name, kind in PERTURBATIONS.items()}
EVERY |= {f"{preset} {name}": step for preset, members in PRESETS.items() for name, step in members.items()}
EVERY |= {
    "all in a row": Sequence(tuple(kind() for kind in PERTURBATIONS.values()), probability=0.7),
    "one of all": OneOf(tuple(kind() for kind in PERTURBATIONS.values())),
    "nested": Sequence((Sometimes(OneOf((MarginCrop(resize_back=False), Resize(restore=True)))), WindowCrop(8, 8))),
    "jpeg with a moved grid": JpegRecompression(random_grid=True, subsamplings=("4:4:4", "4:2:2", "4:2:0")),
}


def picture(rng, height, width):
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("perturbation", EVERY.values(), ids=EVERY.keys())
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_draw_survives_json_and_replays_to_the_same_pixels(rng, perturbation, height, width):
    image = picture(rng, height, width)
    for _ in range(4):
        result, parameters = perturb(perturbation, image, rng)
        replayed = json.loads(json.dumps(parameters, allow_nan=False))
        assert replayed == parameters
        np.testing.assert_array_equal(perturbation.apply(image, replayed), result)


@pytest.mark.parametrize("perturbation", EVERY.values(), ids=EVERY.keys())
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_result_is_a_new_image_of_the_size_foretold(rng, perturbation, height, width):
    image = picture(rng, height, width)
    before = image.copy()
    for _ in range(4):
        result, parameters = perturb(perturbation, image, rng)
        assert result.shape == (*perturbation.resulting_shape(image.shape, parameters), 3)
        assert perturbation.resulting_shape((height, width), parameters) == result.shape[:2]
        assert result.dtype == np.uint8
        assert result.flags.c_contiguous
        assert result.flags.writeable
        assert not np.shares_memory(result, image)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("perturbation", EVERY.values(), ids=EVERY.keys())
def test_a_view_that_is_not_contiguous_or_writeable_is_treated_alike(rng, perturbation):
    image = picture(rng, 40, 60)
    view = image[::-1, ::2]
    view.flags.writeable = False
    parameters = perturbation.draw(rng, view.shape)
    np.testing.assert_array_equal(
        perturbation.apply(view, parameters), perturbation.apply(np.ascontiguousarray(view), parameters)
    )


@pytest.mark.parametrize("perturbation", EVERY.values(), ids=EVERY.keys())
def test_the_seed_decides_the_draw(perturbation):
    draws = [
        [perturbation.draw(rng, (640, 480)) for _ in range(20)] for rng in (np.random.default_rng(s) for s in (1, 1, 2))
    ]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]


@pytest.mark.parametrize("perturbation", EVERY.values(), ids=EVERY.keys())
@pytest.mark.parametrize(
    "image",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
    ids=["grayscale", "alpha", "float", "empty"],
)
def test_anything_but_an_rgb_image_of_8_bit_is_refused(rng, perturbation, image):
    with pytest.raises(ShapeError, match="image must"):
        perturbation.apply(image, perturbation.draw(rng, (4, 4)))


@pytest.mark.parametrize("perturbation", EVERY.values(), ids=EVERY.keys())
@pytest.mark.parametrize("shape", [(4,), (0, 4), (4, 4, 1)])
def test_a_shape_that_is_no_image_is_refused(rng, perturbation, shape):
    with pytest.raises(ShapeError, match="shape must be"):
        perturbation.draw(rng, shape)


@pytest.mark.parametrize("perturbation", EVERY.values(), ids=EVERY.keys())
def test_settings_can_be_compared_and_hashed(perturbation):
    assert perturbation in {perturbation}
