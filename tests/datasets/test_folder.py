import os
from pathlib import Path

import pytest

from spectell.datasets import read_dataset, read_datasets, write_manifest
from spectell.errors import ManifestError, ParameterError


@pytest.fixture
def tree(tmp_path):
    """Make files by name; a name that ends in a slash is a folder."""

    def make(*names, root="faces"):
        for name in names:
            path = tmp_path / root / name
            (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                path.touch()
        return tmp_path / root

    return make


def test_a_folder_with_a_sub_folder_per_generator_is_one_source(tree):
    manifest = read_dataset(tree("real/a.jpg", "stylegan/a.png", "vae/sub/b.PNG"))
    assert [(e.path, e.label, e.generator, e.source, e.group) for e in manifest] == [
        ("real/a.jpg", 0, "real", "faces", "faces/a"),
        ("stylegan/a.png", 1, "stylegan", "faces", "faces/a"),
        ("vae/sub/b.PNG", 1, "vae", "faces", "faces/sub/b"),
    ]
    assert manifest.notes == ()


def test_every_folder_of_a_folder_of_folders_is_a_source(tree):
    manifest = read_dataset(tree("dogs/0_real/a.png", "dogs/1_fake/a.png", "art/diffusion/c.png", root="all"))
    assert manifest.counts() == {"art": {"diffusion": 1}, "dogs": {"1_fake": 1, "real": 1}}
    assert [entry.group for entry in manifest] == ["art/c", "dogs/a", "dogs/a"]


def test_the_order_of_folders_does_not_decide_which_class_is_real(tree):
    manifest = read_dataset(tree("a_gan/a.png", "real/a.png", "z_gan/a.png"))
    assert manifest.labels.tolist() == [1, 0, 1]


def test_files_come_in_the_order_of_the_bytes_of_their_paths(tree):
    names = ["real/b.png", "real/B.png", "real/a/z.png", "real/a-b/z.png", "real/a.png", "real/ä.png", "real-x/a.png"]
    paths = list(read_dataset(tree(*names)).paths)
    assert paths == sorted(names, key=os.fsencode)


def test_the_caller_may_say_which_folder_is_real(tree):
    manifest = read_dataset(tree("photographs/a.png", "gan/a.png"), real="photographs")
    assert dict(zip(manifest.paths, manifest.labels.tolist(), strict=True)) == {"gan/a.png": 1, "photographs/a.png": 0}


@pytest.mark.parametrize("name", ["Real", "REAL", "0_Real"])
def test_a_folder_that_is_real_but_for_its_case_is_not_taken_for_a_generator(tree, name):
    with pytest.raises(ManifestError, match=f"sub-folder '{name}' looks real but is not called 'real'; rename it"):
        read_dataset(tree(f"{name}/a.png", "gan/a.png"))
    assert read_dataset(tree(), real=name).labels.sum() == 1


def test_a_folder_called_real_cannot_be_generated_when_another_one_is_real(tree):
    with pytest.raises(ManifestError, match="sub-folder 'real' looks real but is not called 'photographs'"):
        read_dataset(tree("real/a.png", "photographs/a.png"), real="photographs")


@pytest.mark.parametrize("names", [["real/a.png", "dogs/0_real/a.png"], ["x/dogs/real/a.png", "x/dogs/gan/a.png"]])
def test_photographs_one_level_too_deep_do_not_become_generated(tree, names):
    with pytest.raises(ManifestError, match=r"sub-folder '.*real' is real, but lies below the generator"):
        read_dataset(tree(*names))


def test_only_images_are_listed_and_the_rest_is_counted(tree):
    root = tree(
        "real/a.jpg", "real/.hidden.jpg", "real/.git/b.jpg", "real/notes.txt", "real/noext", "gan/c.webp", "d.png"
    )
    manifest = read_dataset(root)
    assert list(manifest.paths) == ["gan/c.webp", "real/a.jpg"]
    assert manifest.notes == (
        "left out 1 (images beside the sub-folders, so of no class), the first is 'd.png'",
        "left out 2 (names without the suffix of an image), the first is 'real/noext'",
    )


def test_names_that_are_not_utf8_are_listed_and_written(tree, tmp_path):
    manifest = read_dataset(tree("real/\udcff.png"))
    assert Path(manifest.file(0)).exists()
    write_manifest(manifest, tmp_path / "m.csv")
    assert b"real/\xff.png" in (tmp_path / "m.csv").read_bytes()
    assert list(read_dataset(tmp_path / "m.csv").paths) == ["faces/real/\udcff.png"]


def test_links_are_followed_and_circles_end(tree, tmp_path):
    root = tree("real/a.png", "real/sub/b.png", "gan/c.png")
    tree("d.png", root="elsewhere")
    (root / "real" / "sub" / "up").symlink_to(root / "real")
    (root / "real" / "there").symlink_to(tmp_path / "elsewhere")
    (root / "real" / "twice").symlink_to(tmp_path / "elsewhere")
    (root / "real" / "self").symlink_to("self")
    (root / "real" / "gone.png").symlink_to("nowhere")
    (root / "real" / "round.png").symlink_to("round.png")
    manifest = read_dataset(root)
    assert list(manifest.paths) == ["gan/c.png", "real/a.png", "real/sub/b.png", "real/there/d.png"]
    assert manifest.notes == (
        "left out 2 (broken links or special files), the first is 'real/gone.png'",
        "left out 1 (names without the suffix of an image), the first is 'real/self'",
    )


def test_a_fifo_is_not_opened(tree):
    root = tree("real/a.png")
    os.mkfifo(root / "real" / "b.png")
    assert list(read_dataset(root).paths) == ["real/a.png"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["x/"], "holds no images in sub-folders"),
        (["a.png"], "holds no images in sub-folders"),
        (["real/a.txt"], "holds no images in sub-folders"),
        (["gan/a.png", "vae/a.png"], "no sub-folder is called 'real' or '0_real', found gan, vae; say .* --real NAME"),
        (["a/gan/a.png"], "has no real class"),
    ],
)
def test_a_folder_that_is_no_data_set_says_what_is_missing(tree, names, message):
    with pytest.raises(ManifestError, match=message):
        read_dataset(tree(*names))


def test_generated_images_alone_are_a_data_set_for_who_asks(tree):
    manifest = read_dataset(tree("gan/a.png", "vae/a.png"), require_real=False)
    assert manifest.counts() == {"faces": {"gan": 1, "vae": 1}}


@pytest.mark.parametrize(("name", "message"), [("nowhere", "does not exist"), ("a.txt", "is not a folder, nor a .csv")])
def test_other_things_are_refused(tree, name, message):
    with pytest.raises(ManifestError, match=message):
        read_dataset(tree("a.txt") / name)


def test_a_folder_that_cannot_be_listed_is_one_error(tree):
    root = tree("real/a.png", "gan/locked/")
    (root / "gan" / "locked").chmod(0)
    if os.access(root / "gan" / "locked", os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(ManifestError, match=r"cannot list folder '.*locked': Permission denied"):
        read_dataset(root)


def test_real_is_not_for_manifests(tree, tmp_path):
    write_manifest(read_dataset(tree("real/a.png")), tmp_path / "m.csv")
    with pytest.raises(ParameterError, match="real='x' is for folders"):
        read_dataset(tmp_path / "m.csv", real="x")


def test_a_relative_path_names_its_source_by_the_folder(tree, monkeypatch):
    monkeypatch.chdir(tree("real/a.png"))
    assert read_dataset(".").counts() == {"faces": {"real": 1}}


def test_several_data_sets_are_one_and_every_file_is_found(tree, tmp_path):
    tree("real/a.png", root="x/photos")
    tree("diffusion/a.png", root="art")
    manifest = read_datasets([tmp_path / "x" / "photos", tmp_path / "art"])
    assert manifest.counts() == {"art": {"diffusion": 1}, "photos": {"real": 1}}
    assert all(Path(manifest.file(row)).exists() for row in range(len(manifest)))
    assert list(manifest.paths) == ["x/photos/real/a.png", "art/diffusion/a.png"]


def test_two_sources_of_one_name_are_refused(tree, tmp_path):
    tree("real/a.png", root="x/photos")
    tree("real/a.png", root="y/photos")
    with pytest.raises(ManifestError, match="several of the data sets have a source called 'photos'; rename"):
        read_datasets([tmp_path / "x" / "photos", tmp_path / "y" / "photos"])


def test_no_data_set_at_all_is_refused():
    with pytest.raises(ParameterError, match="at least one"):
        read_datasets([])
