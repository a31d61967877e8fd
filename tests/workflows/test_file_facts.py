import math

import numpy as np
import pytest

from spectell.images import ImageFacts
from spectell.workflows.file_facts import FACTS, fact_features, fact_separation, fact_values

PNG = ImageFacts("PNG", 64, 32, "RGB")
JPEG = ImageFacts("JPEG", 64, 32, "RGB", jpeg_quality=75, jpeg_subsampling="4:2:0")


def test_every_fact_is_a_word_or_nothing():
    assert {name: read(PNG) for name, read in FACTS.items()} == {
        "format": "PNG",
        "size": "64x32",
        "JPEG quality": None,
        "JPEG subsampling": None,
        "mode": "RGB",
        "provenance": "none",
    }


@pytest.mark.parametrize(
    ("facts", "name", "value"),
    [
        (ImageFacts("GIF", 8, 8, "P", frames=3), "mode", "P, animated"),
        (ImageFacts("PNG", 8, 8, "RGBA", transparent=True), "mode", "RGBA with transparency"),
        (ImageFacts("PNG", 8, 8, "RGB", generation_parameters="parameters"), "provenance", "parameters"),
        (ImageFacts("PNG", 8, 8, "RGB", c2pa=True, digital_source_type="x"), "provenance", "x, C2PA"),
    ],
)
def test_marks_are_named(facts, name, value):
    assert FACTS[name](facts) == value


def test_files_without_a_fact_are_not_counted():
    assert fact_values([PNG, JPEG, JPEG], "JPEG quality") == {"75": 2}


def test_features_are_numbers_for_every_file():
    features = fact_features([PNG, JPEG])
    assert features.shape[0] == 2
    assert features[0, :2].tolist() == [0.0, 1.0]  # not JPEG, PNG
    assert np.allclose(features[:, 2:5], [[6, 5, 1]] * 2)
    assert features[:, 5].tolist() == [-1.0, 75.0]


def test_widths_and_heights_are_not_mixed_up():
    tall, wide = ImageFacts("PNG", 2, 8, "RGB"), ImageFacts("PNG", 8, 2, "RGB")
    assert fact_features([tall, wide], ["size"]).tolist() == [[1, 3, -2], [3, 1, 2]]


def test_a_fact_that_differs_separates_and_one_that_agrees_does_not():
    facts, labels = [PNG] * 30 + [JPEG] * 30, [0] * 30 + [1] * 30
    assert fact_separation(facts, labels, range(60)).estimate == 1.0
    alike = fact_separation(facts, labels, range(60), ["size"])
    assert (alike.estimate, alike.low, alike.high) == (0.5, 0.5, 0.5)


def test_the_estimate_is_that_of_the_shares():
    # a tree that knows the format scores JPEG above PNG; with 80 % and 20 % JPEG the AUC is 0.5 + 0.6 / 2
    facts = [*[PNG] * 400, *[JPEG] * 100, *[PNG] * 100, *[JPEG] * 400]
    auc = fact_separation(facts, [0] * 500 + [1] * 500, range(1000))
    assert math.isclose(auc.estimate, 0.8, abs_tol=0.02)
    assert auc.low < 0.8 < auc.high


def test_sizes_that_all_differ_say_nothing_when_both_classes_draw_them_alike(rng):
    low = 0
    for _ in range(20):
        sides = rng.integers(100, 900, (200, 2))
        facts = [ImageFacts("JPEG", int(w), int(h), "RGB", jpeg_quality=75) for w, h in sides]
        auc = fact_separation(facts, rng.permutation([0, 1] * 100), range(200))
        low += auc.low > 0.55
    assert low <= 1


def test_pairs_are_not_divided_between_growing_and_scoring(rng):
    # every picture has a size of its own, shared by both versions: only a tree that saw the pair could use it
    sides = rng.permutation(np.arange(100, 300))
    facts = [ImageFacts("PNG", int(side), 64, "RGB") for side in [*sides, *sides]]
    auc = fact_separation(facts, [0] * 200 + [1] * 200, [*range(200), *range(200)])
    assert abs(auc.estimate - 0.5) < 0.1


@pytest.mark.parametrize("n", [0, 1, 4])
def test_too_few_pictures_have_no_figure(n):
    assert fact_separation([PNG] * 20 + [JPEG] * n, [0] * 20 + [1] * n, range(20 + n)) is None
    assert fact_separation([PNG] * 20 + [JPEG] * 20, [0] * 20 + [1] * 20, [*range(20), *[99] * 20]) is None


def test_the_smallest_sets_that_have_a_figure_raise_no_warning():
    for n in (5, 6, 7):
        assert fact_separation([PNG] * 5 + [JPEG] * n, [0] * 5 + [1] * n, range(5 + n)).estimate > 0.5
