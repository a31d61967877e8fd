import json
import os

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import median_filter

from spectell.detectors.artifact import DEFAULT_MODEL
from spectell.errors import MismatchError, ParameterError
from spectell.workflows import demo
from spectell.workflows.demo import OUTCOMES, DemoRow, is_demo_picture, mean_spectrum, run_demo, write_demo_images
from spectell.workflows.verdict import Verdict


def verdict(path, kind="real"):
    error = "it is empty" if kind == "error" else None
    return Verdict(path, kind, None if error else 0.2, None if error else -1.4, 0.01, "default", 256, 256, error=error)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    return folder, write_demo_images(folder)


def test_the_folder_is_a_data_set_with_a_folder_for_each_generator(written):
    folder, images = written
    counts = {path.name: len(list(path.iterdir())) for path in folder.iterdir()}
    assert counts == {"real": 8, "nearest": 3, "transposed": 3, "shuffle": 3}
    assert sum(counts.values()) == len(images)


def test_what_is_returned_is_what_was_written(written):
    for path, truth, pixels in written[1]:
        with Image.open(path) as image:
            np.testing.assert_array_equal(np.asarray(image), pixels)
            assert image.format == "PNG"
        assert pixels.shape == (256, 256, 3)
        assert f"/{truth}/" in path


def test_the_real_images_are_native_pixels_of_the_photographs(written):
    photographs = demo.read_photographs()
    crops = [pixels for _, truth, pixels in written[1] if truth == "real"]
    for crop in crops:
        assert any(
            (photograph[top : top + 256, left : left + 256] == crop).all()
            for photograph in photographs.values()
            for top in range(photograph.shape[0] - 255)
            for left in range(photograph.shape[1] - 255)
            if (photograph[top, left : left + 256] == crop[0]).all()
        )
    assert len({crop.tobytes() for crop in crops}) == len(crops)


def test_the_seed_changes_the_generated_images_only(tmp_path, written):
    other = write_demo_images(tmp_path, seed=1)
    for (_, truth, before), (_, _, after) in zip(written[1], other, strict=True):
        assert (before == after).all() == (truth == "real")


def test_files_of_the_user_are_left_alone(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "mine.png").write_bytes(b"mine")
    write_demo_images(tmp_path)
    write_demo_images(tmp_path)
    assert (tmp_path / "real" / "mine.png").read_bytes() == b"mine"


def test_an_image_of_the_user_is_not_replaced_and_then_nothing_is_written(tmp_path):
    (tmp_path / "shuffle").mkdir()
    mine = tmp_path / "shuffle" / "shuffle-2.png"
    Image.new("RGB", (8, 8)).save(mine)
    before = mine.read_bytes()
    with pytest.raises(MismatchError, match=r"shuffle-2\.png is not a picture of the demonstration; choose another"):
        write_demo_images(tmp_path)
    assert mine.read_bytes() == before
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]


def test_pictures_of_the_demonstration_are_known_again_and_no_others(written, tmp_path):
    assert all(is_demo_picture(path) for path, _, _ in written[1])
    Image.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    (tmp_path / "short.png").write_bytes(b"\x89PNG")
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    assert not any(map(is_demo_picture, tmp_path.iterdir()))


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ParameterError, match=r"cannot write .*china-0.png: .*; choose another folder") as caught:
        write_demo_images(tmp_path / "file")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("truth", "said", "outcome"),
    [
        ("real", "real", "right"),
        ("real", "generated", "wrong"),
        ("nearest", "generated", "right"),
        ("nearest", "real", "wrong"),
        ("real", "inconclusive", "inconclusive"),
        ("shuffle", "inconclusive", "inconclusive"),
        ("shuffle", "error", "error"),
    ],
)
def test_the_outcome_compares_the_verdict_with_the_truth(truth, said, outcome):
    row = DemoRow(truth, verdict("a.png", said))
    assert row.outcome == outcome
    assert json.loads(json.dumps(row.as_dict()))["outcome"] == outcome


def test_rows_and_spectra_belong_to_their_class(tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "scan", lambda paths, **_: (verdict(path) for path in paths))
    result = run_demo(tmp_path)
    assert [row.verdict.path for row in result.rows] == [path for path, _, _ in write_demo_images(tmp_path)]
    assert result.counts == {"right": 8, "inconclusive": 0, "wrong": 9, "error": 0}
    assert tuple(result.counts) == OUTCOMES
    images = write_demo_images(tmp_path)
    np.testing.assert_array_equal(result.real_spectrum, mean_spectrum(image for _, t, image in images if t == "real"))
    assert result.generated_spectrum.shape == result.real_spectrum.shape == (64, 64)


def spectrum_of(written, name):
    return mean_spectrum(pixels for _, truth, pixels in written[1] if truth == name)


def peaks(spectrum, multiples):
    """Mean height, in nats, above the surroundings of each pair of frequencies."""
    heights = spectrum - median_filter(spectrum, 11, mode="nearest")
    return np.mean([heights[r - 1 : r + 1, c - 1 : c + 1].max() for r in multiples for c in multiples])


@pytest.mark.parametrize(("name", "expected"), [("transposed", True), ("shuffle", True), ("real", False)])
def test_learnt_up_sampling_leaves_peaks_that_photographs_lack(written, name, expected):
    """Three doublings repeat the spectrum at multiples of an eighth of a cycle per pixel, coefficient 16 of 64."""
    spectrum = spectrum_of(written, name)
    excess = peaks(spectrum, (16, 32, 48)) - peaks(spectrum, (8, 24, 40, 56))
    assert excess > 0.3 if expected else abs(excess) < 0.15


def test_repeated_pixels_leave_too_little_power_at_high_frequencies(written):
    """Convolutions have smoothed the peaks away; a decay that no photograph here has is what remains."""
    lack = spectrum_of(written, "real")[40:, 40:].mean() - spectrum_of(written, "nearest")[40:, 40:].mean()
    assert lack > 0.5


@pytest.mark.skipif(not DEFAULT_MODEL.is_file(), reason="the default model is not there yet")
def test_the_default_model_judges_every_image(tmp_path):
    result = run_demo(tmp_path)
    assert result.counts["error"] == 0
    assert result.counts["right"] > result.counts["wrong"]
