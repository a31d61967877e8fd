import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectell.errors import ManifestError
from spectell.workflows.copies.picture_copies import kept_names, plain_folder

NAMES = st.text(alphabet="aAb.1", min_size=1, max_size=4).filter(lambda name: name.strip("."))
PATHS = st.lists(st.builds("{}/{}.{}".format, NAMES, NAMES, st.sampled_from(["png", "jpg"])), unique=True, max_size=12)


@given(PATHS)
def test_names_are_unlike_even_where_case_does_not_count(paths):
    names = [name.casefold() for name in kept_names(paths)]
    assert len(set(names)) == len(paths)


@given(PATHS)
def test_names_stay_below_the_output(paths):
    for name in kept_names([f"../{path}" for path in paths] + [f"/root/{path}" for path in paths]):
        assert not name.startswith("/")
        assert ".." not in name.split("/")


def test_a_plain_folder_is_listed_in_order_without_hidden_files(tmp_path):
    for name in ("b.png", "deep/a.JPG", ".hidden.png", "notes.txt"):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).touch()
    manifest = plain_folder(tmp_path / "set")
    assert [(entry.path, entry.group) for entry in manifest] == [("b.png", "set/b"), ("deep/a.JPG", "set/deep/a")]
    with pytest.raises(ManifestError, match="does not exist"):
        plain_folder(tmp_path / "none")
