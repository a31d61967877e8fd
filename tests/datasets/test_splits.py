import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from spectell.datasets import Entry, Manifest, read_dataset
from spectell.datasets.splits import assign_splits
from spectell.errors import ParameterError


def toy(n, *kinds):
    kinds = kinds or ("real", "gan")
    return Manifest(
        [Entry(f"{kind}/{k}.png", int(kind != "real"), kind, "toy", f"toy/{k}") for kind in kinds for k in range(n)],
        ".",
    )


def by_group(manifest):
    return dict(zip(manifest.group_names, manifest.splits.tolist(), strict=True))


def test_a_group_is_never_divided():
    divided = assign_splits(toy(500, "real", "gan", "vae"), near_duplicates=False)
    assert (divided.splits.reshape(3, 500) == divided.splits[:500]).all()


def test_shares_are_met_on_average():
    splits = assign_splits(toy(20000, "real"), {"a": 0.2, "b": 0.5, "c": 0.3}, near_duplicates=False).splits
    shares = [np.mean(splits == name) for name in "abc"]
    assert np.allclose(shares, [0.2, 0.5, 0.3], atol=4 * np.sqrt(0.25 / 20000))


def test_the_place_of_a_group_is_part_of_the_format():
    # printf '0\0toy/0' | b2sum -l 64: the first eight bytes of BLAKE2b, as a fraction of 2**64
    expected = {k: int(digest, 16) / 2**64 for k, digest in GOLDEN.items()}
    for k, place in expected.items():
        for fraction in (place - 1e-9, place + 1e-9):
            divided = assign_splits(toy(3), {"low": fraction, "high": 1 - fraction}, near_duplicates=False)
            assert by_group(divided)[f"toy/{k}"] == ("low" if place < fraction else "high")


GOLDEN = {0: "ec7015a559c7aefd", 1: "84700bf819adb434", 2: "6996d411b9cba24b"}


@given(st.sets(st.integers(0, 10**6), min_size=1, max_size=30), st.sets(st.integers(0, 10**6), max_size=30))
def test_images_added_later_move_nothing(first, more):
    def splits(numbers):
        entries = [Entry(f"{k}.png", 0, "real", "s", f"s/{k}") for k in sorted(numbers)]
        return by_group(assign_splits(Manifest(entries, "."), near_duplicates=False))

    before, after = splits(first), splits(first | more)
    assert {group: after[group] for group in before} == before


def test_another_seed_is_another_assignment():
    one, two = (assign_splits(toy(200), seed=seed, near_duplicates=False).splits for seed in (0, 1))
    assert (one != two).any()
    assert (one == assign_splits(toy(200), near_duplicates=False).splits).all()


def test_a_share_of_nothing_gets_nothing():
    splits = assign_splits(toy(200), {"train": 1.0, "validation": 0.0, "test": 0.0}, near_duplicates=False).splits
    assert set(splits.tolist()) == {"train"}


@pytest.mark.parametrize(
    ("fractions", "message"),
    [
        ({"a": 0.5, "b": 0.4}, "must sum to 1, got a=0.5, b=0.4, which sum to 0.9"),
        ({"a": 1.5, "b": -0.5}, "must be named and not negative"),
        ({"": 1.0}, "must be named and not negative"),
        ({"a": float("nan")}, "must be named and not negative"),
        ({}, "must sum to 1"),
    ],
)
def test_shares_that_make_no_sense_are_refused(fractions, message):
    with pytest.raises(ParameterError, match=message):
        assign_splits(toy(2), fractions, near_duplicates=False)


def test_copies_become_one_group_and_share_a_split(faces):
    for number in range(6):  # every generated picture gets a shrunken copy among the real ones
        image = Image.open(faces / "gan" / f"{number}.png")
        image.resize((image.width // 2, image.height // 2)).save(faces / "real" / f"copy{number}.jpg", quality=75)
    halves = {"train": 0.5, "test": 0.5}
    divided = assign_splits(read_dataset(faces), halves)
    where = dict(zip(divided.paths, divided.splits.tolist(), strict=True))
    group = dict(zip(divided.paths, divided.group_names, strict=True))
    for number in range(6):
        assert where[f"real/copy{number}.jpg"] == where[f"gan/{number}.png"] == where[f"real/{number}.png"]
        assert group[f"real/copy{number}.jpg"] == group[f"gan/{number}.png"] == f"faces/{number}"
    assert set(where.values()) == {"train", "test"}
    assert all(len(digest) == 64 for digest in divided.sha256)


def test_a_split_of_a_split_is_the_same(faces):
    once = assign_splits(read_dataset(faces))
    assert list(assign_splits(once)) == list(once)


def test_a_copy_that_joins_two_groups_joins_their_splits(faces):
    before = by_group(assign_splits(read_dataset(faces), near_duplicates=True))
    (faces / "real" / "new.png").write_bytes((faces / "gan" / "3.png").read_bytes())
    after = assign_splits(read_dataset(faces))
    assert {name: split for name, split in by_group(after).items() if name in before} == before


def test_unreadable_files_are_said_and_split_all_the_same(faces):
    (faces / "real" / "broken.png").write_bytes(b"no image")
    divided = assign_splits(read_dataset(faces))
    assert "" not in divided.splits.tolist()
    assert divided.notes[-1].startswith("1 of 13 files cannot be read as images")
