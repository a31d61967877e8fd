import json

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ArtifactError, ManifestError, ParameterError
from spectell.experiments.config import resolve_config
from spectell.experiments.photographs import choose_photographs
from spectell.experiments.upsampling import cells as upsampling_cells
from spectell.experiments.upsampling import experiment as upsampling
from spectell.experiments.upsampling.cells import SCALES, Cell, StudyScale, list_cells, make_cells
from spectell.experiments.upsampling.measure import (
    band_differences,
    line_excess,
    measure_accuracies,
    measure_spectrum,
    peak_facts,
    variety,
)
from spectell.experiments.upsampling.theory import image_frequencies, image_level_db, image_places, places_between
from spectell.spectra.peaks import Peak

TINY = StudyScale(32, gan_steps=1, autoencoder_steps=1, seeds=1, images=20, upsamplings=("nearest", "transposed"))


def silent(*_):
    pass


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


@pytest.mark.parametrize("doublings", [1, 2, 3])
def test_places_are_where_zero_insertion_of_a_constant_image_puts_lines(doublings):
    step = 2**doublings
    inserted = np.zeros((64, 64))
    inserted[::step, ::step] = 1.0
    found = np.argwhere(np.abs(np.fft.fft2(inserted)) > 1e-9) / 64
    wrapped = {tuple(float(x - 1 if x > 0.5 else x) for x in place) for place in found} - {(0.0, 0.0)}
    opposite = {tuple(0.5 if x == -0.5 else x for x in (-v, -h)) for v, h in image_places(doublings)}
    assert set(image_places(doublings)) | {(v + 0.0, h + 0.0) for v, h in opposite} == wrapped
    assert len(image_places(doublings)) == len(set(image_places(doublings)))


@pytest.mark.parametrize("doublings", [1, 2, 3, 5])
def test_places_between_are_none_of_theory(doublings):
    between = places_between(doublings)
    assert not set(between) & set(image_places(doublings))
    assert (0.0, 0.0) not in between


def test_a_peak_is_at_a_place_of_theory_to_within_half_a_bin():
    def peak(vertical, horizontal):
        return Peak(vertical, horizontal, 6.0, 1e-9, 8.0, 1 / 32)

    assert peak_facts(peak(-0.25, 0.26), 2)["theory"] == [-0.25, 0.25]
    assert peak_facts(peak(0.25, 0.25 + 1 / 32), 2)["theory"] is None
    assert peak_facts(peak(0.125, 0.0), 2)["theory"] is None
    assert peak_facts(peak(0.125, 0.0), 3)["theory"] == [0.125, 0.0]


def test_a_checkerboard_is_found_where_it_is(rng):
    clean = textures(rng, 60)
    rows, columns = np.indices((32, 32))
    board = (clean.astype(int) + 8 * ((rows + columns) % 2)[..., None]).clip(0, 255).astype(np.uint8)
    places = [(peak.vertical, peak.horizontal) for peak in measure_spectrum(board, 1).peaks]
    assert (0.5, 0.5) in places
    assert (0.5, 0.5) not in [(peak.vertical, peak.horizontal) for peak in measure_spectrum(clean, 1).peaks]


def test_lines_stand_out_where_a_grid_is_and_nowhere_else(rng):
    clean, other = textures(rng, 60), textures(rng, 60)
    rows, columns = np.indices((32, 32))
    grid = (clean.astype(int) + 8 * ((rows + columns) % 2)[..., None]).clip(0, 255).astype(np.uint8)
    of_clean, of_other, of_grid = (measure_spectrum(images, 1).lines_db for images in (clean, other, grid))
    alike = line_excess(of_other, of_clean, paired=False)
    apart = line_excess(of_grid, of_clean, paired=True)
    assert all(line["low"] - 0.5 < 0 < line["high"] + 0.5 for line in alike)
    found = dict(zip(image_places(1) + places_between(1), apart, strict=True))
    assert found[0.5, 0.5]["low"] > 3
    assert all(abs(found[place]["estimate"]) < 1 for place in [(0.0, 0.5), (0.5, 0.0), *places_between(1)])


def test_bands_are_of_the_larger_frequency():
    power = np.zeros((16, 16))
    power[15, :] = power[:, 15] = 1.0
    bands = band_differences(power, np.zeros((16, 16)))
    assert bands["low"] == bands["high"] == 0.0
    assert bands["edge"] == pytest.approx(31 / (16**2 - 14**2), abs=1e-3)  # frequencies from 14/32 on


def test_one_picture_over_and_over_has_no_variety(rng):
    real = rng.integers(0, 256, (30, 4, 4, 3), dtype=np.uint8)
    assert variety(real, real) == 1.0
    assert variety(np.repeat(real[:1], 30, axis=0), real) == 0.0
    halved = 128 + (real.astype(int) - 128) // 2
    assert variety(halved.astype(np.uint8), real) == pytest.approx(0.25, abs=0.01)


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


def test_the_plan_names_every_cell(photographs, tmp_path):
    config = resolve_config("upsampling", photographs, output=tmp_path / "out", workers=2)
    plan = upsampling.plan(config)
    assert len({cell.name for cell in plan.cells}) == len(plan.cells) == 20
    assert {cell.images for cell in plan.cells} == {24}
    assert plan.cells[0].work == "album, 1,000 steps at 32 x 32 pixels"
    assert 0 < plan.seconds < 3600
    assert not (tmp_path / "out").exists()
    with pytest.raises(ManifestError, match="has two real images with a shorter side of 256"):
        upsampling.plan(resolve_config("upsampling", photographs, scale="full"))


def test_small_ends_within_an_hour_on_two_cores(photographs):
    config = resolve_config("upsampling", photographs, workers=2)
    costs = upsampling.SECONDS_A_STEP["small"]
    training = sum(
        SCALES["small"].steps(cell.kind) * costs.get(cell.kind, costs["gan"]) for cell in list_cells(SCALES["small"])
    )
    images = len(list_cells(SCALES["small"])) * SCALES["small"].images * upsampling._SECONDS_AN_IMAGE["small"]
    assert (training + images) / 2 < 3600
    assert upsampling.plan(config).seconds < 3600


@pytest.fixture
def collections(tmp_path, rng):
    """Many small real pictures, fewer large ones, and large ones that nobody called real."""
    root = tmp_path / "collections"
    for place, number, side in (("small/real", 9, 40), ("large/real", 4, 70), ("large/gan", 6, 70), ("album", 8, 70)):
        (root / place).mkdir(parents=True)
        for index, picture in enumerate(textures(rng, number, size=side)):
            Image.fromarray(picture).save(root / place / f"{index}.png")
    return root


def test_of_several_collections_that_with_most_real_images_of_sufficient_size_is_taken(collections):
    chosen = choose_photographs(collections, 32)
    assert (chosen.name, chosen.images) == ("large", 4)
    assert chosen.notes == (
        "album: no folder of real images",
        "small: about 0 real images that are large enough, fewer",
    )
    assert choose_photographs(collections, 20).name == "small"


@pytest.mark.parametrize(("place", "number"), [("album", 8), ("large/real", 4), ("large", 4)])
def test_a_collection_that_is_named_is_taken(collections, place, number):
    chosen = choose_photographs(collections / place, 32)
    assert (chosen.path, chosen.images) == (collections / place, number)


def test_a_broken_picture_does_not_stop_the_choice(collections):
    (collections / "large" / "real" / "0.png").write_bytes(b"broken")
    assert choose_photographs(collections, 32).images == 3


@pytest.mark.torch
@pytest.mark.parametrize("workers", [1, 2])
def test_a_cell_that_fails_is_named(tmp_path, workers):
    """There is nothing to train on."""
    pytest.importorskip("torch")
    with pytest.raises(ArtifactError, match=r"cannot make sngan-nearest-0: .*images"):
        make_cells([Cell("sngan", "nearest", 0)], tmp_path, TINY, seed=0, workers=workers, on_progress=silent)


@pytest.mark.torch
def test_a_study_makes_a_page_and_goes_on_where_it_stopped(photographs, tmp_path):
    pytest.importorskip("torch")
    out = tmp_path / "study"
    config = resolve_config("upsampling", photographs, output=out, workers=1)

    def stop(stage, done, total):
        if (stage, done) == ("networks", 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upsampling.run(config, stop, TINY)
    assert not (out / "record.json").exists()
    assert [cell.done for cell in upsampling.plan(config, TINY).cells] == [True, True, True, False]
    made = out / upsampling_cells.CELLS / "autoencoder-nearest-0" / "generated.npy"
    kept = made.stat().st_mtime_ns
    page = upsampling.run(config, silent, TINY)
    assert made.stat().st_mtime_ns == kept
    record = json.loads((out / "record.json").read_text())
    assert list(record["training_seconds"]) == ["sngan-transposed-0"]
    assert (record["images"], record["command"]) == (20, config.command)
    text = page.read_text(encoding="utf-8")
    assert text.count("<picture") == 4
    assert all(cell in text for cell in record["cells"])
    assert config.command in text
    assert "The study was run from Python" in text
    assert (out / "autoencoder-difference.png").is_file()
    bands = record["cells"]["autoencoder-nearest-0"]["bands_db"]
    shown = [f"{bands[name]:+.2f}".replace("-", "−") for name in ("low", "high", "edge")]
    row = "".join(f'<td class="number">{value}</td>' for value in shown)
    assert row in text.split("Difference to the real images", 1)[1]
    again = json.loads((upsampling.run(config, silent, TINY).parent / "record.json").read_text())
    assert {**again, "seconds": 0, "training_seconds": 0} == {**record, "seconds": 0, "training_seconds": 0}
    with pytest.raises(ParameterError, match="differs in seed"):
        upsampling.plan(resolve_config("upsampling", photographs, output=out, seed=1), TINY)
    with pytest.raises(ParameterError, match="output must lie outside data"):
        upsampling.plan(resolve_config("upsampling", photographs, output=photographs), TINY)
