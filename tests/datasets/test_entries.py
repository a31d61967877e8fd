import pytest

from spectell.datasets import Entry
from spectell.errors import ManifestError


@pytest.mark.parametrize(("label", "generator"), [(0, "gan"), (1, "real"), (2, "gan")])
def test_a_label_that_contradicts_the_generator_is_refused(label, generator):
    with pytest.raises(ManifestError, match=f"label {label} contradicts generator '{generator}' of 'a.png'"):
        Entry("a.png", label, generator)


@pytest.mark.parametrize(("path", "generator", "what"), [("", "real", "path"), ("a.png", "", "generator")])
def test_an_empty_path_or_generator_is_refused(path, generator, what):
    with pytest.raises(ManifestError, match=f"{what} .*must not be empty"):
        Entry(path, 0, generator)
