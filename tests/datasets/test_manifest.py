import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectell.datasets import Entry, Manifest, read_manifest, write_manifest
from spectell.datasets.columns import decode_text
from spectell.errors import ManifestError

names = st.binary(min_size=1, max_size=12).filter(lambda name: b"\0" not in name).map(decode_text)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


def rows_of(manifest):
    return [(entry.path, entry.generator, entry.source, entry.group, entry.split, entry.sha256) for entry in manifest]


@pytest.fixture(params=[".csv", ".parquet"])
def suffix(request):
    return request.param


def write_csv(folder, text):
    path = folder / "m.csv"
    path.write_text(text, encoding="utf-8")
    return path


@given(st.lists(names, unique_by=lambda name: os.path.normpath(name), max_size=5), texts, texts)
def test_a_csv_gives_back_any_file_name_and_any_text(tmp_path_factory, paths, source, group):
    folder = tmp_path_factory.mktemp("m")
    paths = [path for path in paths if "//" not in path and "/./" not in path and not path.startswith(("./", "/"))]
    entries = [Entry(path, 1, "gan", source or "s", group or "g") for path in [*paths, "last.png"]]
    write_manifest(Manifest(entries, root=folder), folder / "m.csv")
    assert list(read_manifest(folder / "m.csv", check_files=False)) == entries


def test_both_formats_keep_every_column(tmp_path, suffix):
    entries = [
        Entry('real/ä,"1".png', 0, "real", "faces", "faces/1", "train", "ab" * 32),
        Entry("gan/1.png", 1, "gan", "faces", "faces/1"),
    ]
    write_manifest(Manifest(entries, root=tmp_path), tmp_path / f"m{suffix}")
    assert list(read_manifest(tmp_path / f"m{suffix}", check_files=False)) == entries


def test_rows_of_many_batches_keep_their_order(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr("spectell.datasets.manifest.BATCH_ROWS", 7)
    entries = [Entry(f"{number}.png", number % 2, "gan" if number % 2 else "real", "s", "g") for number in range(50)]
    write_manifest(Manifest(entries, root=tmp_path), tmp_path / f"m{suffix}")
    assert list(read_manifest(tmp_path / f"m{suffix}", check_files=False)) == entries


def test_paths_below_the_manifest_move_with_it_and_others_are_absolute(tmp_path, suffix):
    manifest = Manifest([Entry("in/a.png", 0, "real"), Entry("b.png", 0, "real")], root=tmp_path)
    write_manifest(manifest, tmp_path / "in" / f"m{suffix}")
    read = read_manifest(tmp_path / "in" / f"m{suffix}", check_files=False)
    assert list(read.paths) == ["a.png", str(tmp_path / "b.png")]
    assert [read.file(row) for row in range(2)] == [str(tmp_path / "in" / "a.png"), str(tmp_path / "b.png")]


def test_a_relative_root_is_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_manifest(Manifest([Entry("a.png", 0, "real")], root="."), "m.csv")
    assert list(read_manifest("m.csv", check_files=False).paths) == ["a.png"]


def test_missing_columns_are_filled_from_what_is_there(tmp_path):
    (tmp_path / "faces").mkdir()
    path = write_csv(tmp_path / "faces", "path,label\nreal/a.jpg,0\nfake/a.png,1\n")
    assert rows_of(read_manifest(path, check_files=False)) == [
        ("real/a.jpg", "real", "faces", "faces/a", "", ""),
        ("fake/a.png", "generated", "faces", "faces/fake/a", "", ""),
    ]


def test_a_photograph_and_its_reconstruction_are_one_group_without_a_group_column(tmp_path):
    path = write_csv(tmp_path, "path,generator\nreal/a.jpg,real\ngan/a.png,gan\n")
    assert len(set(read_manifest(path, check_files=False).groups.tolist())) == 1


def test_a_byte_order_mark_and_blank_lines_are_passed_over(tmp_path):
    path = write_csv(tmp_path, "\ufeffpath,label\n\na.jpg,0\n\n")
    assert list(read_manifest(path, check_files=False).paths) == ["a.jpg"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column 'path'; it may have path, label, generator, source, group, split, sha256"),
        ("path,label\n", "has no rows"),
        ("path,label,kind\n", "has the unknown column 'kind'; it may have path,"),
        ("path,path,label\n", "has a column twice"),
        ("path,source\n", "has neither the column 'label' nor 'generator'"),
        ("label,generator\n", "has no column 'path'"),
        ("path,label\na.png\n", "row 1 of .*: 1 cells for 2 columns"),
        ("path,label\na.png,0\nb.png,real\n", r"row 2 of .*: label must be 0 \(real\) or 1 \(generated\), got 'real'"),
        ("path,label,generator\na.png,1,real\n", "row 1 of .*: label 1 contradicts generator 'real' of 'a.png'"),
        ("path,label,generator\na.png,0,gan\n", "row 1 of .*: label 0 contradicts generator 'gan'"),
        ("path,label\n,0\n", "row 1 of .*: path must not be empty"),
        ("path,label\na.png,\n", "row 1 of .*: generator of 'a.png' must not be empty"),
        ("path,label,sha256\na.png,0,xyz\n", "row 1 of .*: sha256 must be 64 hexadecimal digits or empty, got 'xyz'"),
        ("path,label\na.png,0\n./a.png,0\n", "path 'a.png' occurs more than once"),
        ("path,label\na//b.png,0\na/b.png,0\n", "path 'a/b.png' occurs more than once"),
        ('path,label\n"a.png,0\n', "is not valid CSV"),
    ],
)
def test_a_manifest_that_does_not_say_what_it_must_is_refused(tmp_path, text, message):
    with pytest.raises(ManifestError, match=message) as caught:
        read_manifest(write_csv(tmp_path, text), check_files=False)
    assert "\n" not in str(caught.value)


def test_missing_files_are_counted_and_the_first_is_named(tmp_path):
    (tmp_path / "a.png").touch()
    path = write_csv(tmp_path, "path,label\na.png,0\nb.png,0\nc.png,1\n")
    with pytest.raises(ManifestError, match=r"2 of 3 files of the manifest do not exist, the first is '.*/b\.png'"):
        read_manifest(path)


def test_files_that_exist_are_found_from_the_folder_of_the_manifest(tmp_path, monkeypatch):
    (tmp_path / "a.png").touch()
    path = write_csv(tmp_path, "path,label\na.png,0\n")
    monkeypatch.chdir("/")
    assert read_manifest(path).file(0) == str(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["m.txt", "m", "m.csv.gz"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(ManifestError, match=r"must end in \.csv or \.parquet"):
        read_manifest(tmp_path / name)
    with pytest.raises(ManifestError, match=r"must end in \.csv or \.parquet"):
        write_manifest(Manifest([Entry("a.png", 0, "real")], root="."), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_is_not_there_is_one_error(tmp_path, suffix):
    with pytest.raises(ManifestError, match=r"cannot read manifest .*: No such file or directory"):
        read_manifest(tmp_path / f"m{suffix}")


def test_a_parquet_file_that_is_none_is_one_error(tmp_path):
    (tmp_path / "m.parquet").write_bytes(b"path,label\n" * 3)
    with pytest.raises(ManifestError, match="is not a readable Parquet file") as caught:
        read_manifest(tmp_path / "m.parquet")
    assert "\n" not in str(caught.value)


def test_parquet_refuses_a_name_that_is_not_utf8_and_says_what_to_do(tmp_path):
    manifest = Manifest([Entry("a\udcff.png", 0, "real")], root=tmp_path)
    with pytest.raises(ManifestError, match=r"which is not UTF-8; write a \.csv manifest"):
        write_manifest(manifest, tmp_path / "m.parquet")
    assert list(tmp_path.iterdir()) == []


def test_nulls_in_parquet_are_missing_values(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.table({"path": ["a.png", "b.png"], "label": [0, 1], "generator": [None, "gan"]})
    parquet.write_table(table, tmp_path / "m.parquet")
    manifest = read_manifest(tmp_path / "m.parquet", check_files=False)
    assert manifest.generators.tolist() == ["real", "gan"]
