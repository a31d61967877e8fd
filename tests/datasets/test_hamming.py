import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from spectell.datasets import hamming
from spectell.datasets.hamming import near_pairs
from spectell.errors import ParameterError, ShapeError


def distance(a, b):
    return sum((int(x) ^ int(y)).bit_count() for x, y in zip(a, b, strict=True))


def components(n, pairs):
    """Plain union of sets, to compare with."""
    sets = [{row} for row in range(n)]
    for a, b in pairs:
        merged = sets[a] | sets[b]
        for row in merged:
            sets[row] = merged
    return {frozenset(each) for each in sets}


def scattered(rng, n, max_flips):
    """Clusters of fingerprints around a few centres, each some flips away."""
    centres = rng.integers(0, 1 << 16, (max(1, n // 5), 8), dtype=np.uint16)
    hashes = centres[rng.integers(0, len(centres), n)]
    for row in hashes:
        for bit in rng.choice(128, rng.integers(0, max_flips + 1), replace=False):
            row[bit // 16] ^= np.uint16(1 << (bit % 16))
    return hashes


@pytest.mark.parametrize("max_distance", [0, 1, 7, 13, 15])
def test_the_pairs_are_those_of_a_comparison_of_all_with_all(rng, max_distance):
    hashes = np.unique(scattered(rng, 200, 12), axis=0)
    expected = [
        [a, b]
        for a, b in itertools.combinations(range(len(hashes)), 2)
        if distance(hashes[a], hashes[b]) <= max_distance
    ]
    assert near_pairs(hashes, max_distance).tolist() == expected
    assert bool(expected) == (max_distance > 0)


@settings(max_examples=50)
@given(hnp.arrays(np.uint16, st.tuples(st.integers(0, 12), st.just(8)), elements=st.integers(0, 3)), st.integers(0, 15))
def test_equal_fingerprints_connect_the_same_rows_as_all_pairs_do(hashes, max_distance):
    n = len(hashes)
    every = [(a, b) for a, b in itertools.combinations(range(n), 2) if distance(hashes[a], hashes[b]) <= max_distance]
    assert components(n, near_pairs(hashes, max_distance)) == components(n, every)


def test_many_equal_fingerprints_give_few_pairs():
    assert len(near_pairs(np.ones((1000, 8), dtype=np.uint16), 13)) == 999


def test_small_pieces_find_the_same(rng, monkeypatch):
    hashes = scattered(rng, 300, 10)
    whole = near_pairs(hashes, 13)
    monkeypatch.setattr(hamming, "_CANDIDATES", 3)
    assert np.array_equal(near_pairs(hashes, 13), whole)


def test_numpy_1_counts_the_same_bits(rng, monkeypatch):
    words = rng.integers(0, 1 << 63, (50, 2), dtype=np.uint64)
    expected = [sum(int(word).bit_count() for word in row) for row in words]
    assert hamming._bit_count(words).tolist() == expected
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    assert hamming._bit_count(words).tolist() == expected


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_fingerprints_have_no_pairs(n):
    assert near_pairs(np.zeros((n, 8), dtype=np.uint16), 13).shape == (0, 2)


def test_a_distance_at_which_pairs_would_be_missed_is_refused():
    with pytest.raises(ParameterError, match="between 0 and 15, got 16"):
        near_pairs(np.zeros((2, 8), dtype=np.uint16), 16)


def test_other_shapes_are_refused():
    with pytest.raises(ShapeError, match=r"\(N, 8\), got \(2, 4\)"):
        near_pairs(np.zeros((2, 4), dtype=np.uint16), 13)
