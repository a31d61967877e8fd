import subprocess
import sys

import numpy as np
import pytest

from spectell.errors import ParameterError
from spectell.perturbations.presets import PERTURBATIONS, PRESETS, get_perturbation, get_preset


def drawn(preset, name, rng, count=600, shape=(100, 60)):
    """Draws of a preset, without those images that it leaves alone."""
    draws = [get_preset(preset, name).draw(rng, shape) for _ in range(count)]
    return [draw for draw in draws if draw is not None]


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_has_the_papers_five_experiments(preset):
    assert list(PRESETS[preset]) == ["blur", "crop", "jpeg", "noise", "combined"]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", ["blur", "crop", "jpeg", "noise"])
def test_half_of_the_images_are_perturbed(preset, name, rng):
    assert len(drawn(preset, name, rng, 2000)) == pytest.approx(1000, abs=100)


def test_the_papers_jpeg_has_qualities_10_to_75_and_the_codes_always_95(rng):
    assert {draw["quality"] for draw in drawn("frank2020", "jpeg", rng, 3000)} == set(range(10, 76))
    assert {draw["quality"] for draw in drawn("frank2020-code", "jpeg", rng)} == {95}


def test_the_papers_noise_has_a_variance_of_5_to_20_and_the_codes_a_deviation_of_that(rng):
    paper = np.array([draw["sigma"] for draw in drawn("frank2020", "noise", rng)])
    code = np.array([draw["sigma"] for draw in drawn("frank2020-code", "noise", rng)])
    assert (round(paper.min() ** 2), round(paper.max() ** 2)) == (5, 20)
    assert (round(code.min()), round(code.max())) == (5, 20)


def test_the_codes_blur_has_sigma_4_at_every_kernel_size(rng):
    paper = {(draw["kernel_size"], round(draw["sigma"], 2)) for draw in drawn("frank2020", "blur", rng)}
    code = {(draw["kernel_size"], draw["sigma"]) for draw in drawn("frank2020-code", "blur", rng)}
    assert paper == {(3, 0.8), (5, 1.1), (7, 1.4), (9, 1.7)}
    assert code == {(size, 4.0) for size in (3, 5, 7, 9)}


def test_the_papers_crop_keeps_the_size_and_the_codes_swaps_the_sides(rng):
    image = np.zeros((100, 60, 3), np.uint8)
    parameters = drawn("frank2020", "crop", rng)[0]
    assert get_preset("frank2020", "crop").apply(image, parameters).shape == (100, 60, 3)
    assert get_preset("frank2020-code", "crop").apply(image, parameters).shape == (60, 100, 3)


def test_the_papers_combination_may_do_all_and_the_codes_at_most_one(rng):
    counts = [sum(part is not None for part in draw) for draw in drawn("frank2020", "combined", rng)]
    assert set(counts) == {0, 1, 2, 3, 4}
    assert {draw["index"] for draw in drawn("frank2020-code", "combined", rng)} == {0, 1, 2, 3}


def test_every_perturbation_can_be_made_by_name():
    for name, kind in PERTURBATIONS.items():
        assert get_perturbation(name) == kind()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: get_perturbation("smear"),
            "unknown perturbation 'smear'; choose one of blur, crop, jpeg, jpeg-chain, ",
        ),
        (
            lambda: get_perturbation("noise", sigm=1),
            "perturbation 'noise' has no parameter 'sigm'; choose from min_sigma,",
        ),
        (
            lambda: get_preset("frank2021", "blur"),
            "unknown preset 'frank2021'; choose one of frank2020, frank2020-code",
        ),
        (
            lambda: get_preset("frank2020", "webp"),
            "preset 'frank2020' has no perturbation 'webp'; choose one of blur, ",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_exist(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


def test_importing_perturbations_leaves_scipy_unloaded():
    script = "import sys, spectell.perturbations; print('scipy' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"
