"""Samples of images: the same ones whatever the order, and overlaps as they are."""

import numpy as np
import pytest

from spectell.workflows.mean_spectra.sketch import Sketch


def sketch(images):
    made = Sketch()
    for image in images:
        made.add(image)
    return made


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(3).integers(0, 256, (9000, 8, 8, 3), np.uint8)


def test_order_and_parts_do_not_matter(images):
    whole = sketch(images[::-1])
    parts = sketch(images[4000:])
    parts.merge(sketch(images[:6000]))
    assert whole.as_array().tolist() == parts.as_array().tolist()
    assert Sketch(whole.as_array().tolist()).as_array().tolist() == whole.as_array().tolist()
    assert len(whole.as_array()) == 512


@pytest.mark.parametrize("shared", [0, 1, 30, 300])
def test_the_share_of_few_images_is_exact(images, shared):
    one, other = sketch(images[:300]), sketch(images[300 - shared : 600 - shared])
    assert one.share_of(other) == shared / 300
    assert other.share_of(one) == shared / 300


@pytest.mark.parametrize("shared", [0.0, 0.1, 0.5, 1.0])
def test_the_share_of_many_is_estimated(images, shared):
    start = 4500 - round(4500 * shared)
    one, other = sketch(images[:4500]), sketch(images[start : start + 4500])
    assert one.share_of(other) == pytest.approx(shared, abs=5 * 0.022)
    assert (one.share_of(other) == 0) == (shared == 0)


def test_a_small_part_of_a_large_set_is_found_in_it(images):
    assert sketch(images).share_of(sketch(images[:2000])) == 1.0
    assert 0.1 < sketch(images[:2000]).share_of(sketch(images)) < 0.35


def test_size_and_every_part_of_a_picture_count():
    wide = np.zeros((8, 16, 3), np.uint8)
    assert sketch([wide]).share_of(sketch([wide.transpose(1, 0, 2)])) == 0.0
    large = np.zeros((500, 333, 3), np.uint8)
    changed = large.copy()
    changed[-32:, -32:] = 9
    assert sketch([large]).share_of(sketch([changed])) == 0.0


def test_what_is_kept_does_not_grow_with_the_number_of_parts():
    whole = Sketch()
    for part in range(100):
        whole.merge(Sketch(range(part * 512, (part + 1) * 512)))
        assert len(whole._hashes) <= 8 * 512
    assert whole.as_array().tolist() == list(range(512))


def test_nothing_shares_nothing():
    assert Sketch().share_of(Sketch()) == 0.0
