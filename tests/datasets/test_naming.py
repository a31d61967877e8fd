import pytest

from spectell.datasets.naming import default_group, path_below_class


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("0001.png", "faces/0001"),
        ("a.tar.png", "faces/a.tar"),
        ("sub/0001.jpeg", "faces/sub/0001"),
        ("no_suffix", "faces/no_suffix"),
        (".png", "faces/.png"),
        ("n7_real_A.png", "faces/n7"),
        ("n7_fake_B.png", "faces/n7"),
        ("n7_rec_A.png", "faces/n7"),
        ("n7_fake.png", "faces/n7"),
        ("_fake.png", "faces/_fake"),
        ("unreal_B.png", "faces/unreal_B"),
    ],
)
def test_the_default_group_is_the_name_without_suffix_and_role(path, group):
    assert default_group("faces", path) == group


def test_numbers_that_start_anew_in_every_folder_are_different_pictures():
    assert default_group("faces", "dog/1.png") != default_group("faces", "cat/1.png")


@pytest.mark.parametrize(
    ("path", "generator"), [("x/real/a.png", "real"), ("x/0_real/a.png", "real"), ("x/gan/a.png", "gan")]
)
def test_the_folder_that_names_the_class_is_not_part_of_the_picture(path, generator):
    assert path_below_class(path, generator) == "x/a.png"


def test_a_file_called_like_its_class_keeps_its_name():
    assert path_below_class("gan/gan", "gan") == "gan"
