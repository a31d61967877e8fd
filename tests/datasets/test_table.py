import numpy as np
import pytest

from spectell.datasets import Entry, Manifest
from spectell.errors import ManifestError, ParameterError

ROWS = (
    Entry("real/a.png", 0, "real", "faces", "faces/a", "train", "0" * 64),
    Entry("gan/a.png", 1, "gan", "faces", "faces/a", "train"),
    Entry("real/b.png", 0, "real", "dogs", "dogs/b", "test"),
    Entry("vae/c.png", 1, "vae", "dogs", "dogs/c"),
)


@pytest.fixture
def manifest():
    return Manifest(ROWS, root="/data")


def test_entries_come_back_as_they_were(manifest):
    assert tuple(manifest) == ROWS
    assert tuple(manifest.entries) == ROWS
    assert manifest[-1] == ROWS[-1]
    assert manifest[1:3] == ROWS[1:3]
    assert len(manifest) == 4


def test_columns_are_arrays(manifest):
    assert manifest.labels.dtype == np.int8
    assert manifest.labels.tolist() == [0, 1, 0, 1]
    assert manifest.generators.tolist() == ["real", "gan", "real", "vae"]
    assert manifest.sources.tolist() == ["faces", "faces", "dogs", "dogs"]
    assert manifest.splits.tolist() == ["train", "train", "test", ""]
    groups = manifest.groups
    assert groups[0] == groups[1]
    assert len(set(groups.tolist())) == 3


def test_real_is_first_among_the_classes_whatever_the_order(manifest):
    assert manifest.select([3, 1, 0]).class_names == ("real", "gan", "vae")
    assert manifest.select([3, 1]).class_names == ("gan", "vae")


def test_counts_are_by_source_and_generator(manifest):
    assert manifest.counts() == {"dogs": {"real": 1, "vae": 1}, "faces": {"gan": 1, "real": 1}}


def test_select_takes_positions_and_masks(manifest):
    assert tuple(manifest.select([2, 0])) == (ROWS[2], ROWS[0])
    assert tuple(manifest.select(manifest.labels == 1)) == (ROWS[1], ROWS[3])
    assert len(manifest.select([])) == 0
    with pytest.raises(ParameterError, match=r"shape \(4,\), got \(2,\)"):
        manifest.select(np.array([True, False]))


def test_a_selection_of_nothing_has_empty_columns(manifest):
    empty = manifest.select([])
    assert empty.labels.shape == empty.groups.shape == empty.splits.shape == (0,)
    assert empty.counts() == {}


def test_with_values_leaves_the_original_alone(manifest):
    changed = manifest.with_values(splits=["x"] * 4, notes=["a note"])
    assert changed.splits.tolist() == ["x"] * 4
    assert changed.notes == ("a note",)
    assert manifest.splits.tolist() == ["train", "train", "test", ""]
    assert list(changed.paths) == list(manifest.paths)


def test_a_column_of_another_length_is_refused(manifest):
    with pytest.raises(ParameterError, match="split must have 4 rows, got 3"):
        manifest.with_values(splits=["x"] * 3)


def test_a_path_may_occur_once():
    with pytest.raises(ManifestError, match=r"path 'real/a\.png' occurs more than once"):
        Manifest([ROWS[0], ROWS[1], ROWS[0]], root=".")


def test_an_image_without_a_group_is_a_group_of_its_own():
    manifest = Manifest([Entry("a.png", 0, "real"), Entry("b.png", 0, "real")], root=".")
    assert len(set(manifest.groups.tolist())) == 2


@pytest.mark.parametrize(("rows", "missing"), [(ROWS[::2], "generated"), (ROWS[1::2], "real")])
def test_one_class_alone_is_nothing_to_tell_apart(rows, missing):
    with pytest.raises(ManifestError, match=f"no {missing} image among its 2; two classes are needed"):
        Manifest(rows, root=".").require_both_classes()


def test_the_digest_depends_on_every_column_and_not_on_the_root(manifest):
    assert Manifest(ROWS, root="/elsewhere").digest() == manifest.digest()
    changed = [
        manifest.with_values(splits=["x"] * 4),
        manifest.with_values(groups=["x"] * 4),
        manifest.select([1, 0, 2, 3]),
    ]
    assert len({manifest.digest(), *(other.digest() for other in changed)}) == 4


def test_files_are_found_from_the_root_unless_they_are_absolute():
    manifest = Manifest([Entry("a.png", 0, "real"), Entry("/b.png", 0, "real")], root="/data")
    assert [manifest.file(0), manifest.file(1)] == ["/data/a.png", "/b.png"]


def test_the_representation_names_the_classes(manifest):
    assert repr(manifest) == "<Manifest of 4 images in '/data': real, gan, vae>"
