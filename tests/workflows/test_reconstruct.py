import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spectell.datasets import read_manifest
from spectell.errors import ManifestError, ParameterError
from spectell.images import read_image
from spectell.perturbations.jpeg import encode_jpeg
from spectell.workflows.copies.chosen_images import choose, output_names
from spectell.workflows.copies.pair_history import PairHistory
from spectell.workflows.reconstruct import MANIFEST_NAME, RECORD_NAME, ReconstructionConfig, reconstruct

SIMULATED = ReconstructionConfig(simulate=True)


@pytest.fixture
def photographs(tmp_path, rng):
    """Four files of several kinds and sizes, one that is broken, one that is too small."""
    folder = tmp_path / "album"
    (folder / "day2").mkdir(parents=True)
    rows, columns = np.mgrid[:49, :70]
    picture = (128 + 60 * np.sin(rows / 5) + 60 * np.cos(columns / 7))[..., None] * [0.9, 1.0, 0.7]
    picture = (picture + rng.normal(0, 6, (49, 70, 3))).clip(0, 255).astype(np.uint8)
    (folder / "a.jpg").write_bytes(encode_jpeg(picture, 80, "4:4:4"))
    (folder / "day2" / "a.jpg").write_bytes(encode_jpeg(picture[:40], 55, "4:2:0"))
    Image.fromarray(picture[:, :50]).save(folder / "c.png")
    Image.fromarray(picture[..., 0]).save(folder / "gray.png")
    (folder / "broken.png").write_bytes((folder / "c.png").read_bytes()[:900])
    Image.fromarray(picture[:20]).save(folder / "small.png")
    return folder


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def pixels(path):
    return read_image(path).pixels


def test_every_original_has_a_reconstruction_of_its_size_in_its_group(photographs, tmp_path):
    made = reconstruct(photographs, tmp_path / "out", SIMULATED, workers=2)
    assert made.generators == ("simulated",)
    assert (made.pictures, made.reused, len(made.skipped)) == (4, 0, 2)
    manifest = read_manifest(tmp_path / "out" / MANIFEST_NAME)
    assert len(manifest) == 8
    for real, fake in zip(manifest[::2], manifest[1::2], strict=True):
        assert (real.generator, fake.generator) == ("real", "simulated")
        assert (real.group, real.source) == (fake.group, fake.source)
        one, other = pixels(tmp_path / "out" / real.path), pixels(tmp_path / "out" / fake.path)
        assert one.shape == other.shape
        assert (one != other).any()
    assert {entry.group for entry in manifest} == {"album/a", "album/c", "album/day2/a", "album/gray"}


def test_broken_and_small_files_cost_a_line_each(photographs, tmp_path):
    made = reconstruct(photographs, tmp_path / "out", SIMULATED)
    reasons = {skipped.path: skipped.reason for skipped in made.skipped}
    assert sorted(reasons) == ["broken.png", "small.png"]
    assert "both sides must be at least 32" in reasons["small.png"]
    lines = [json.loads(line) for line in (tmp_path / "out" / RECORD_NAME).read_text().splitlines()[1:]]
    assert {line["path"] for line in lines if "error" in line} == set(reasons)


def test_without_a_history_the_original_is_the_file_pixel_by_pixel(photographs, tmp_path):
    reconstruct(photographs, tmp_path / "out", ReconstructionConfig(simulate=True, history="none"))
    for path in ("a.jpg", "day2/a.jpg", "c.png", "gray.png"):
        made = tmp_path / "out" / "real" / Path(path).with_suffix(".png")
        np.testing.assert_array_equal(pixels(made), pixels(photographs / path))


def test_both_get_the_compression_of_the_file(photographs, tmp_path):
    plain = reconstruct(photographs, tmp_path / "plain", ReconstructionConfig(simulate=True, history="none"))
    reconstruct(photographs, tmp_path / "jpeg", SIMULATED)
    settings = {"a.png": (80, "4:4:4"), "day2/a.png": (55, "4:2:0"), "c.png": None, "gray.png": None}
    for entry in plain.manifest:
        kind, _, name = entry.path.partition("/")
        before, after = pixels(tmp_path / "plain" / entry.path), pixels(tmp_path / "jpeg" / kind / name)
        if settings[name] is not None:
            before = read_image(encode_jpeg(before, *settings[name])).pixels
        np.testing.assert_array_equal(after, before, err_msg=entry.path)


def test_a_second_compression_hardly_changes_the_original(photographs):
    decoded = read_image(photographs / "a.jpg")
    history = PairHistory("original")
    drawn = history.draw(decoded.pixels, decoded.facts, np.random.default_rng(0))
    change = np.abs(history.apply(decoded.pixels, drawn).astype(int) - decoded.pixels)
    assert change.mean() < 0.5
    assert np.percentile(change, 99) <= 3


def test_a_drawn_history_is_one_for_the_pair_and_another_for_the_next(photographs, tmp_path):
    reconstruct(photographs, tmp_path / "out", ReconstructionConfig(simulate=True, history="resize"))
    lines = [json.loads(line) for line in (tmp_path / "out" / RECORD_NAME).read_text().splitlines()[1:]]
    sizes = []
    for line in lines:
        if "error" not in line:
            wanted = (line["history"]["height"], line["history"]["width"], 3)
            assert pixels(tmp_path / "out" / "real" / line["name"]).shape == wanted
            assert pixels(tmp_path / "out" / "simulated" / line["name"]).shape == wanted
            sizes.append(wanted)
    assert len(set(sizes)) == 4


def test_a_picture_without_colour_keeps_none(photographs, tmp_path):
    reconstruct(photographs, tmp_path / "out", SIMULATED)
    for kind in ("real", "simulated"):
        found = pixels(tmp_path / "out" / kind / "gray.png")
        assert (found == found[..., :1]).all()


def test_a_crop_is_native_and_keeps_the_grid(photographs, tmp_path):
    config = ReconstructionConfig(simulate=True, history="none", crop=32)
    reconstruct(photographs, tmp_path / "out", config)
    # (49 - 32) // 2 = 8 and (70 - 32) // 2 = 19, down to multiples of 16
    np.testing.assert_array_equal(pixels(tmp_path / "out/real/a.png"), pixels(photographs / "a.jpg")[:32, 16:48])


def test_the_result_depends_on_the_seed_and_not_on_the_workers(photographs, tmp_path):
    for name, workers, seed in (("one", 1, 0), ("three", 3, 0), ("other", 1, 1)):
        reconstruct(photographs, tmp_path / name, ReconstructionConfig(simulate=True, seed=seed), workers=workers)
    assert files(tmp_path / "one") == files(tmp_path / "three")
    assert files(tmp_path / "one")["simulated/c.png"] != files(tmp_path / "other")["simulated/c.png"]
    assert files(tmp_path / "one")["real/c.png"] == files(tmp_path / "other")["real/c.png"]


def test_a_limit_takes_the_same_pictures_and_draws_for_them(photographs, tmp_path):
    for path in ("broken.png", "small.png"):
        (photographs / path).unlink()
    reconstruct(photographs, tmp_path / "all", SIMULATED)
    made = reconstruct(photographs, tmp_path / "two", ReconstructionConfig(simulate=True, limit=2))
    assert made.pictures == 2
    everything = files(tmp_path / "all")
    for name, content in files(tmp_path / "two").items():
        if name.endswith(".png"):
            assert everything[name] == content


@pytest.mark.parametrize("torn", [b"", b'{"name": "c.p'])
def test_an_interrupted_run_goes_on_where_it_stopped(photographs, tmp_path, torn):
    reconstruct(photographs, tmp_path / "whole", SIMULATED, workers=1)

    def stop(stage, done, total):
        if done == 4:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        reconstruct(photographs, out, SIMULATED, workers=1, on_progress=stop)
    assert not (out / MANIFEST_NAME).exists()
    with (out / RECORD_NAME).open("ab") as record:
        record.write(torn)
    made = reconstruct(photographs, out, SIMULATED, workers=1, resume=True)
    assert 0 < made.reused < 4
    whole, resumed = files(tmp_path / "whole"), files(out)
    for found in (whole, resumed):  # a picture that failed is tried again, and said again
        del found[RECORD_NAME]
    assert resumed == whole


def test_files_that_were_lost_are_made_again(photographs, tmp_path):
    reconstruct(photographs, tmp_path / "out", SIMULATED)
    before = files(tmp_path / "out")
    (tmp_path / "out" / "simulated" / "c.png").unlink()
    made = reconstruct(photographs, tmp_path / "out", SIMULATED, resume=True)
    assert made.reused == 3
    assert files(tmp_path / "out")["simulated/c.png"] == before["simulated/c.png"]


def test_runs_are_not_mixed(photographs, tmp_path):
    reconstruct(photographs, tmp_path / "out", SIMULATED)
    with pytest.raises(ParameterError, match="is not empty"):
        reconstruct(photographs, tmp_path / "out", SIMULATED)
    with pytest.raises(ParameterError, match=r"other settings \(history\)"):
        reconstruct(photographs, tmp_path / "out", ReconstructionConfig(simulate=True, history="none"), resume=True)


def test_of_a_data_set_only_the_real_images_are_taken(photographs, tmp_path):
    shutil.move(photographs, tmp_path / "set" / "real")
    shutil.copytree(tmp_path / "set" / "real", tmp_path / "set" / "gan")
    made = reconstruct(tmp_path / "set", tmp_path / "out", SIMULATED)
    assert made.pictures == 4
    assert {entry.source for entry in made.manifest} == {"set"}


def test_what_makes_no_sense_is_refused(photographs, tmp_path):
    with pytest.raises(ParameterError, match="nothing would be reconstructed"):
        ReconstructionConfig()
    for wrong in ({"crop": 31}, {"limit": 0}, {"seed": -1}):
        with pytest.raises(ParameterError):
            ReconstructionConfig(simulate=True, **wrong)
    with pytest.raises(ParameterError, match="unknown history 'gif'"):
        reconstruct(photographs, tmp_path / "a", ReconstructionConfig(simulate=True, history="gif"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ManifestError):
        reconstruct(tmp_path / "empty", tmp_path / "b", SIMULATED)
    for path in ("a.jpg", "day2/a.jpg", "c.png", "gray.png"):
        (photographs / path).unlink()
    with pytest.raises(ParameterError, match="none of 2 pictures could be reconstructed"):
        reconstruct(photographs, tmp_path / "c", SIMULATED)


def test_names_differ_even_where_case_does_not_count():
    from spectell.datasets import Entry, Manifest

    paths = ["x/a.jpg", "x/A.png", "x/a.png", "../up/b.gif"]
    names = output_names(Manifest([Entry(path, 0, "real") for path in paths], root="."))
    assert len({name.casefold() for name in names}) == 4
    assert names[0] == "x/a.png"
    assert all(".." not in Path(name).parts and not Path(name).is_absolute() for name in names)
    assert choose(Manifest([], root="."), 3, 0) == []


def test_nothing_of_torch_is_loaded_to_simulate(photographs, tmp_path):
    script = (
        "import sys; from spectell.workflows.reconstruct import *;"
        f"reconstruct({str(photographs)!r}, {str(tmp_path / 'out')!r}, ReconstructionConfig(simulate=True));"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("False\n", "")


@pytest.mark.torch
def test_several_networks_share_one_original(photographs, tmp_path):
    pytest.importorskip("torch")
    from spectell.generators.small_autoencoder import build_autoencoder, save_autoencoder

    for upsampling in ("nearest", "transposed"):
        save_autoencoder(build_autoencoder(upsampling, 0), tmp_path / f"{upsampling}.safetensors", {})
    both = tuple(tmp_path / f"{name}.safetensors" for name in ("nearest", "transposed"))
    made = reconstruct(photographs, tmp_path / "out", ReconstructionConfig(both, simulate=True))
    assert made.generators == ("autoencoder-nearest", "autoencoder-transposed", "simulated")
    assert len(made.manifest) == 4 * made.pictures
    with pytest.raises(ParameterError, match="a name of its own"):
        reconstruct(photographs, tmp_path / "twice", ReconstructionConfig((both[0], both[0])))
