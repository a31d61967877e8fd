import numpy as np
import pytest

from spectell.experiments.group_draws import draw_groups


def test_copies_are_on_one_side_of_every_split(rng):
    groups = rng.integers(0, 40, 200)
    labels = (np.arange(200) % 2).astype(np.int8)
    for _ in range(20):
        drawn = draw_groups(groups, labels, 0.4, rng)
        assert not set(groups[drawn]) & set(groups[~drawn])
        assert len(set(groups[drawn])) == pytest.approx(0.4 * len(set(groups)), abs=2)


def test_the_share_holds_of_groups_of_each_kind(rng):
    """Ten groups have originals and what was made of them, thirty real images alone, fifty generated ones alone."""
    groups = np.concatenate([np.tile(np.arange(10), 2), np.arange(10, 90)])
    labels = np.repeat([0, 1, 0, 1], [10, 10, 30, 50]).astype(np.int8)
    drawn = set(groups[draw_groups(groups, labels, 0.6, rng)])
    assert [len(drawn & set(kind)) for kind in (range(10), range(10, 40), range(40, 90))] == [6, 18, 30]


def test_a_seed_draws_the_same_groups_and_another_draws_others():
    groups, labels = np.arange(100), np.repeat([0, 1], 50).astype(np.int8)
    first, again, other = (draw_groups(groups, labels, 0.5, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
