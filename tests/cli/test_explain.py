"""`spectell explain` through the entry point of the installed command."""

import json

import numpy as np
import pytest
from PIL import Image

from spectell.cli import main


@pytest.fixture
def picture(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "folder" / "odd.one.png"
    path.parent.mkdir()
    Image.fromarray(rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)).save(path)
    return path


@pytest.fixture(scope="module", params=["knn", "prnu"])
def voting_model(request, tmp_path_factory):
    """A model whose score is no weighted sum, trained by the command itself on 80 pictures of 48 x 48."""
    rng = np.random.default_rng(5)
    folder = tmp_path_factory.mktemp("voting")
    for name in ("real", "gan"):
        (folder / "images" / name).mkdir(parents=True)
        for number in range(40):
            pixels = rng.integers(60, 150, (48, 48, 3))
            pixels[::2, ::2] += 60 * (name == "gan")
            Image.fromarray(pixels.astype(np.uint8)).save(folder / "images" / name / f"{number:03}.png")
    domain = ["--domain", "dct"] if request.param == "knn" else []
    arguments = ["train", folder / "images", "--detector", request.param, *domain, "--size", 32, "-o", folder / "m"]
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    assert end.value.code == 0
    return folder / "m"


def run(capfd, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["explain", *map(str, arguments)])
    captured = capfd.readouterr()
    return end.value.code, captured.out, captured.err


def test_the_page_goes_beside_the_user_and_is_named_after_the_image(picture, tmp_path, capfd):
    status, out, err = run(capfd, picture)
    assert (status, err) == (0, "")
    assert out.endswith(": the explanation is in odd.one.spectell.html\n")
    assert (tmp_path / "odd.one.spectell.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "odd.one.spectell.html"]


def test_a_name_that_commands_the_terminal_is_shown_and_not_obeyed(picture, tmp_path, capfd):
    strange = picture.rename(picture.with_name("\x1b[31m\nred.png"))
    assert run(capfd, strange)[1].endswith(r": the explanation is in \x1b[31m\nred.spectell.html" + "\n")
    assert (tmp_path / "\x1b[31m\nred.spectell.html").is_file()
    for arguments, status in (([picture, "--model", strange], 1), ([picture, strange], 2)):
        found, _, err = run(capfd, *arguments)
        assert found == status
        assert r"\x1b[31m\nred.png" in err
        assert "\x1b" not in err


def test_a_hyphen_prints_the_page(picture, tmp_path, capfd):
    status, out, _ = run(capfd, picture, "-o", "-")
    assert status == 0
    assert out.startswith("<!doctype html>")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_json_is_printed_and_a_page_is_written_only_if_it_is_named(picture, tmp_path, capfd):
    status, out, _ = run(capfd, picture, "--json", "--fpr", "0.05")
    assert status == 0
    assert json.loads(out)["verdict"]["fpr"] == 0.05
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    status, out, _ = run(capfd, picture, "--json", "-o", "new/page.html")
    assert json.loads(out)["file"]["name"] == "odd.one.png"
    assert (tmp_path / "new" / "page.html").is_file()


def test_a_model_without_reasons_has_all_the_rest(voting_model, tmp_path, monkeypatch, capfd, rng):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(rng.integers(60, 150, (160, 192, 3), dtype=np.uint8)).save("a.png")
    capfd.readouterr()
    status, out, err = run(capfd, "a.png", "--model", voting_model, "--fpr", 0.5, "--json", "-o", "a.html")
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert found["reasons"] is None
    assert all(found[part] for part in ("verdict", "standing", "spectrum", "peaks", "evidence", "facts", "trials"))
    assert len(found["evidence"]["scores"]) * len(found["evidence"]["scores"][0]) == 4 * 5
    with pytest.raises(SystemExit):
        main(["scan", "a.png", "--model", str(voting_model), "--fpr", "0.5", "--json"])
    scanned = json.loads(capfd.readouterr().out.splitlines()[0])
    assert {**found["verdict"], "path": "a.png"} == {key: scanned[key] for key in found["verdict"]}
    page = (tmp_path / "a.html").read_text(encoding="utf-8")
    assert page.count("no sum that could be shared among frequencies, so this section says nothing") == 1
    for title in ("What would change the verdict", "Where the evidence lies", "What moved the score", "Regular peaks"):
        assert f"{title}</h2>" in page


def test_the_image_is_never_overwritten(picture, capfd):
    before = picture.read_bytes()
    link = picture.with_name("link.html")
    link.symlink_to(picture)
    for output in (picture, link):
        status, _, err = run(capfd, picture, "-o", output)
        assert status == 1
        assert err.startswith("Error: output must not be the image itself")
    assert picture.read_bytes() == before


def test_no_file_but_a_page_is_overwritten(picture, tmp_path, capfd):
    other = tmp_path / "b.png"
    other.write_bytes(picture.read_bytes())
    status, out, err = run(capfd, picture, "-o", other)
    assert (status, out) == (1, "")
    assert err == f"Error: --output would replace {str(other)!r}, which is not an HTML page; choose another name\n"
    assert other.read_bytes() == picture.read_bytes()
    for _ in range(2):
        assert run(capfd, picture, "-o", tmp_path / "page.html")[0] == 0


def test_a_folder_in_the_place_of_the_page_is_refused(picture, tmp_path, capfd):
    status, _, err = run(capfd, picture, "-o", tmp_path / "folder")
    assert (status, err.count("\n")) == (1, 1)
    assert "output must be a file, got the folder" in err


@pytest.mark.parametrize("content", [b"", b"not an image", b"\xff\xd8\xff\xe0 torn"])
def test_a_broken_file_is_one_line_and_leaves_no_page(tmp_path, monkeypatch, capfd, content):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(content)
    status, out, err = run(capfd, "a.jpg")
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("Error: cannot read a.jpg: ")
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_two_things_cannot_be_printed_at_once(picture, capfd):
    status, _, err = run(capfd, picture, "--json", "-o", "-")
    assert status == 2
    assert "--json and -o - both print: choose one" in err


def test_a_rate_that_the_model_does_not_support_is_one_line(picture, capfd):
    status, _, err = run(capfd, picture, "--fpr", "0.00001")
    assert (status, err.count("\n")) == (1, 1)
    assert "fpr must lie between" in err
