import numpy as np
import pytest

from spectell.errors import ParameterError
from spectell.perturbations.combine import OneOf, Sequence, Sometimes
from spectell.perturbations.crop import OffsetCrop, WindowCrop
from spectell.perturbations.noise import GaussianNoise
from spectell.perturbations.resize import Resize

DOUBLE = Resize(2.0, 2.0, kernels=("nearest",))
CUT_ONE = WindowCrop(height=1, width=1)


def test_steps_are_applied_in_order(rng):
    image = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    cut_then_double, double_then_cut = Sequence((CUT_ONE, DOUBLE)), Sequence((DOUBLE, CUT_ONE))
    assert cut_then_double.apply(image, cut_then_double.draw(rng, image.shape)).shape == (2, 2, 3)
    assert double_then_cut.apply(image, double_then_cut.draw(rng, image.shape)).shape == (1, 1, 3)


def test_a_step_is_drawn_for_the_size_that_the_earlier_ones_leave(rng):
    steps = Sequence((DOUBLE, DOUBLE, WindowCrop(39, 39)))
    corners = [steps.draw(rng, (10, 10))[2] for _ in range(50)]
    assert {(draw["height"], draw["width"]) for draw in corners} == {(39, 39)}
    assert {draw["top"] for draw in corners} == {0, 1}


def test_each_step_happens_with_its_probability_independently(rng):
    steps = Sequence((GaussianNoise(), OffsetCrop()), probability=0.25)
    happened = np.array([[part is not None for part in steps.draw(rng, (20, 20))] for _ in range(4000)])
    np.testing.assert_allclose(happened.mean(axis=0), 0.25, atol=0.03)
    assert happened.all(axis=1).mean() == pytest.approx(1 / 16, abs=0.02)


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0), (1.0, 1)])
def test_never_and_always_are_exact(rng, probability, share):
    draws = [Sometimes(GaussianNoise(), probability).draw(rng, (4, 4)) is not None for _ in range(200)]
    assert np.mean(draws) == share


def test_a_step_left_out_returns_an_equal_copy(rng):
    image = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    for step, parameters in ((Sometimes(DOUBLE), None), (Sequence((DOUBLE, DOUBLE)), [None, None])):
        result = step.apply(image, parameters)
        np.testing.assert_array_equal(result, image)
        assert not np.shares_memory(result, image)


@pytest.mark.parametrize(("weights", "shares"), [(None, [1 / 3] * 3), ((1, 0, 3), [0.25, 0, 0.75])])
def test_one_of_several_is_chosen_by_weight(rng, weights, shares):
    choice = OneOf((GaussianNoise(), OffsetCrop(), DOUBLE), weights)
    indices = [choice.draw(rng, (8, 8))["index"] for _ in range(3000)]
    np.testing.assert_allclose(np.bincount(indices, minlength=3) / 3000, shares, atol=0.03)


def test_the_choice_is_what_is_applied(rng):
    image = rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)
    choice = OneOf((CUT_ONE, DOUBLE))
    shapes = {
        draw["index"]: choice.apply(image, draw).shape for draw in (choice.draw(rng, image.shape) for _ in range(30))
    }
    assert shapes == {0: (1, 1, 3), 1: (12, 18, 3)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sometimes(DOUBLE, 1.5), "probability must lie between 0 and 1, got 1.5"),
        (lambda: Sequence((DOUBLE,), -0.1), "probability must lie between 0 and 1, got -0.1"),
        (lambda: Sequence(()), "perturbations must hold at least one"),
        (lambda: OneOf(()), "perturbations must hold at least one"),
        (lambda: OneOf((DOUBLE,), (0.0,)), "weights must hold one number >= 0 for each of the 1 perturbations"),
        (lambda: OneOf((DOUBLE,), (1.0, 1.0)), "weights must hold"),
        (lambda: OneOf((DOUBLE, DOUBLE), (-1.0, 3.0)), "weights must hold"),
    ],
)
def test_impossible_settings_are_refused(make, message):
    with pytest.raises(ParameterError, match=message):
        make()
