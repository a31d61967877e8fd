import json

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ParameterError
from spectell.experiments import upsampling, upsampling_cells, upsampling_page
from spectell.experiments.upsampling_cells import StudyScale, list_cells
from spectell.experiments.upsampling_measure import band_differences, measure_accuracies, measure_spectrum
from spectell.experiments.upsampling_theory import image_frequencies, image_level_db, nearest_image

TINY = StudyScale(32, gan_steps=1, autoencoder_steps=1, seeds=1, images=20, minutes=5.0)


def textures(rng, number, size=32):
    """Noise with a falling spectrum, as photographs have it."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    frequency[0, 0] = 1 / size
    spectrum = np.fft.rfft2(rng.normal(size=(number, 3, size, size))) / frequency
    planes = np.fft.irfft2(spectrum, s=(size, size))
    planes *= 40 / planes.std(axis=(2, 3), keepdims=True)
    return (128 + planes).clip(0, 255).astype(np.uint8).transpose(0, 2, 3, 1)


@pytest.fixture
def photographs(tmp_path, rng):
    folder = tmp_path / "album"
    folder.mkdir()
    for index, picture in enumerate(textures(rng, 24, size=72)):
        Image.fromarray(picture).save(folder / f"{index}.png")
    return folder


@pytest.mark.parametrize("upsampling_name", ["nearest", "bilinear", "binomial"])
def test_the_stated_level_of_an_image_is_what_up_sampling_a_wave_leaves(upsampling_name):
    """A cosine of the small grid, zero-inserted and filtered: amplitudes at f and 1/2 - f by projection."""
    kernel = {"nearest": [1, 1], "bilinear": [1, 2, 1], "binomial": [1, 3, 3, 1]}[upsampling_name]
    n, k = 64, 5
    inserted = np.zeros(2 * n)
    inserted[::2] = np.cos(2 * np.pi * k * np.arange(n) / n)
    filtered = np.fft.ifft(np.fft.fft(inserted) * np.fft.fft(kernel, 2 * n))
    spectrum = np.abs(np.fft.fft(filtered))
    level = 20 * np.log10(spectrum[n - k] / spectrum[k])
    assert image_level_db(upsampling_name, k / (2 * n)) == pytest.approx(level, abs=1e-9)


def test_learned_kernels_have_no_stated_level():
    assert image_level_db("transposed", 0.1) is None
    with pytest.raises(ParameterError):
        image_level_db("nearest", 0.25)


@pytest.mark.parametrize("doublings", [1, 2, 3])
def test_images_lie_where_repeating_a_constant_by_zero_insertion_puts_them(doublings):
    step = 2**doublings
    inserted = np.zeros(64)
    inserted[::step] = 1.0
    lines = np.flatnonzero(np.abs(np.fft.rfft(inserted)) > 1e-9) / 64
    assert lines.tolist() == [0.0, *image_frequencies(doublings)]
    assert nearest_image(image_frequencies(doublings)[0] + 0.001, doublings)[0] == image_frequencies(doublings)[0]


def test_a_checkerboard_is_found_where_it_is(rng):
    clean = textures(rng, 60)
    rows, columns = np.indices((32, 32))
    board = (clean.astype(int) + 8 * ((rows + columns) % 2)[..., None]).clip(0, 255).astype(np.uint8)
    places = [(peak.vertical, peak.horizontal) for peak in measure_spectrum(board).peaks]
    assert (0.5, 0.5) in places
    assert (0.5, 0.5) not in [(peak.vertical, peak.horizontal) for peak in measure_spectrum(clean).peaks]


def test_bands_are_of_the_larger_frequency():
    power = np.zeros((16, 16))
    power[15, :] = power[:, 15] = 1.0
    bands = band_differences(power, np.zeros((16, 16)))
    assert bands["low"] == bands["high"] == 0.0
    assert bands["edge"] == pytest.approx(31 / (16**2 - 14**2), abs=1e-3)  # frequencies from 14/32 on


def test_what_is_alike_is_not_told_apart_and_what_differs_is(rng):
    one, other = textures(rng, 150), textures(rng, 150)
    doubled = one.copy()
    doubled[:, 1::2] = doubled[:, ::2]
    groups = np.arange(150)
    alike = list(measure_accuracies(one, other, groups, paired=False, seed=0))
    apart = list(measure_accuracies(one, doubled, groups, paired=True, seed=0))
    assert len(alike) == len(apart) == 12
    assert all(found.interval.low < 0.5 + 0.1 for found in alike)
    easy = [found for found in apart if (found.condition, found.domain) == ("as made", "DCT")]
    assert all(found.interval.estimate > 0.95 for found in easy)
    assert {found.n_test for found in apart} == {60}  # pairs
    assert {found.n_test for found in alike} == {120}


def test_no_group_is_on_both_sides(rng):
    from spectell.experiments.upsampling_measure import _split

    groups = np.concatenate([rng.integers(0, 30, 100), np.arange(30, 130)])
    labels = np.repeat([0, 1], 100).astype(np.int8)
    train = _split(groups, labels, 3)
    assert not set(groups[train]) & set(groups[~train])
    assert 0 < train[:100].mean() < 1
    assert 0 < train[100:].mean() < 1


def test_the_plan_names_every_cell_and_reads_no_image(photographs):
    (photographs / "0.png").write_bytes(b"broken")
    plan = upsampling.plan_upsampling(photographs, "small", workers=2)
    assert plan.images == 24
    assert len(plan.cells) == 20
    assert 0 < plan.minutes < 60
    assert len(plan.lines()) == 21
    assert len({cell.name for cell in list_cells(2)}) == 20
    with pytest.raises(ParameterError, match="unknown scale 'huge'"):
        upsampling.plan_upsampling(photographs, "huge")


def test_the_time_allowed_cuts_the_steps_of_all_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(upsampling, "seconds_a_step", lambda kind, *_, **__: 0.1 if kind == "autoencoder" else 0.3)
    scale = StudyScale(32, gan_steps=1000, autoencoder_steps=1000, seeds=2, images=20, minutes=10.0)
    # 10 networks of each kind: (100 + 300) * 10 s on 2 workers are 33.3 minutes, of which 10 are 0.3
    assert upsampling._steps(tmp_path, scale, "sngan", 2, "cpu") == {"autoencoder": 300, "sngan": 300}
    monkeypatch.setattr(upsampling, "seconds_a_step", lambda *_, **__: 99.0)
    assert upsampling._steps(tmp_path, scale, "sngan", 2, "cpu") == {"autoencoder": 300, "sngan": 300}  # kept


@pytest.mark.torch
def test_a_study_makes_a_page_and_goes_on_where_it_stopped(photographs, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    for module in (upsampling_cells, upsampling_page):
        monkeypatch.setattr(module, "UPSAMPLINGS", ("nearest", "transposed"))
    monkeypatch.setattr(upsampling, "seconds_a_step", lambda *_, **__: 0.1)
    out = tmp_path / "study"

    def stop(stage, done, total):
        if (stage, done) == ("networks", 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upsampling.run_upsampling(photographs, out, TINY, workers=1, on_progress=stop)
    assert not (out / "study.json").exists()
    kept = (out / "cells" / "autoencoder-nearest-0" / "generated.npy").stat().st_mtime_ns
    study = upsampling.run_upsampling(photographs, out, TINY, workers=1)
    assert (out / "cells" / "autoencoder-nearest-0" / "generated.npy").stat().st_mtime_ns == kept
    assert list(study["training_seconds"]) == ["sngan-transposed-0"]
    assert json.loads((out / "study.json").read_text()) == study
    assert (study["images"], set(study["steps"].values())) == (20, {1})
    page = (out / "index.html").read_text()
    assert page.count("<img") == 4
    assert all(cell in page for cell in study["cells"])
    again = upsampling.run_upsampling(photographs, out, TINY, workers=1)
    assert {**again, "seconds": 0, "training_seconds": 0} == {**study, "seconds": 0, "training_seconds": 0}
    with pytest.raises(ParameterError, match=r"other settings \(seed\)"):
        upsampling.run_upsampling(photographs, out, TINY, seed=1)
