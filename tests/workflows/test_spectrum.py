"""Spectra of sets: every number against its definition in double precision, and the same bits however computed."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from spectell.errors import ArtifactError, ImageError, ManifestError, ParameterError
from spectell.images import read_image
from spectell.spectra import (
    block_spectra,
    compare_spectra,
    group_peaks,
    radial_profile,
    tile_periodogram,
    unfold_periodogram,
)
from spectell.workflows.mean_spectra import batch as spectrum_batch
from spectell.workflows.mean_spectra import sets as spectrum_sets
from spectell.workflows.mean_spectra.one_pass import batch_bounds
from spectell.workflows.mean_spectra.tiles import log_profile, power_law, ring_frequencies
from spectell.workflows.spectrum import load_study, spectrum, study_as_dict

GREY = (0.299, 0.587, 0.114)


def picture(rng, height, width, scale=30.0):
    return rng.normal(128, scale, (height, width, 3)).clip(0, 255).astype(np.uint8)


def save(folder, pictures, suffix=".png"):
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{number:03}{suffix}")


@pytest.fixture
def faces(rng, tmp_path):
    """20 real and 19 generated pictures of 40 x 48 (rows, columns), in two batches each."""
    save(tmp_path / "faces" / "real", [picture(rng, 40, 48) for _ in range(20)])
    save(tmp_path / "faces" / "gan", [picture(rng, 40, 48, scale=20.0) for _ in range(19)])
    return tmp_path / "faces"


def pixels_of(folder):
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.iterdir())]


def coefficients(folder, channel):
    pictures = np.stack(pixels_of(folder)).astype(np.float64)
    planes = pictures @ np.array(GREY) if channel == "grey" else pictures[..., ("red", "green", "blue").index(channel)]
    return dctn(planes, type=2, norm="ortho", axes=(1, 2))


def arrays_of(output):
    with np.load(output / "spectra.npz", allow_pickle=False) as file:
        return {name: file[name] for name in file.files if name != "metadata"}


def assert_same_bits(one, other):
    first, second = arrays_of(one), arrays_of(other)
    assert first.keys() == second.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], err_msg=name)


def assert_close(one, other, *, rtol=1e-5, atol=1e-5):
    first, second = arrays_of(one), arrays_of(other)
    assert first.keys() == second.keys()
    for name, values in first.items():
        if not name.startswith("comparisons/"):
            np.testing.assert_allclose(values, second[name], rtol=rtol, atol=atol, err_msg=name)


@pytest.mark.parametrize("channel", ["grey", "red", "green", "blue"])
def test_full_size_spectra_are_means_and_variances_of_the_dct(faces, tmp_path, channel):
    (full,) = spectrum(faces, tmp_path / "out", workers=1)["faces/real"].full
    expected = coefficients(faces / "real", channel)
    assert (full.height, full.width, full.count) == (40, 48, 20)
    # The logarithm of a coefficient near zero magnifies the rounding of single precision: of 20 * 1920 some are.
    for found, values, most, nearly_all in (
        (full.signed, expected, 3e-5, 5e-6),
        (full.log, np.log(np.abs(expected) + 1e-12), 1e-2, 1e-3),
    ):
        deviation = values.std(axis=0, ddof=1)
        off = np.abs((found[channel].mean - values.mean(axis=0)) / deviation)
        spread_off = np.abs(found[channel].std / deviation - 1)
        assert max(off.max(), spread_off.max()) < most
        assert max(np.quantile(off, 0.995), np.quantile(spread_off, 0.995)) < nearly_all


def test_block_and_tile_spectra_are_means_and_variances_over_images(faces, tmp_path):
    found = spectrum(faces, tmp_path / "out", workers=1)["faces/gan"]
    pictures = pixels_of(faces / "gan")
    blocks = np.stack([block_spectra(each, size=32, max_blocks=16, colour=True).mean_log_power for each in pictures])
    for index, channel in enumerate(("luma", "blue_difference", "red_difference")):
        np.testing.assert_allclose(found.blocks[channel].mean, blocks[..., index].mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(found.blocks[channel].variance, blocks[..., index].var(axis=0, ddof=1), rtol=1e-4)
    tiles = np.stack([tile_periodogram(each, size=32, max_tiles=4) for each in pictures]).astype(np.float64)
    (tile,) = found.tiles
    assert (tile.size, tile.count) == (32, 19)
    np.testing.assert_allclose(tile.log_power.mean, tiles.mean(axis=0), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(tile.log_power.variance, tiles.var(axis=0, ddof=1), rtol=1e-4, atol=1e-8)


def test_the_radial_band_is_that_of_each_images_own_profile(faces, tmp_path):
    (tile,) = spectrum(faces, tmp_path / "out", workers=1)["faces/real"].tiles
    powers = [np.exp(tile_periodogram(each, size=32, max_tiles=4).astype(float)) for each in pixels_of(faces / "real")]
    profiles = [radial_profile(unfold_periodogram(power), transform="dft") for power in powers]
    logs = np.log([profile.power for profile in profiles])
    band = tile.radial
    np.testing.assert_allclose(band.frequency, profiles[0].frequency)
    np.testing.assert_allclose(band.mean, logs.mean(axis=0), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(band.std, logs.std(axis=0, ddof=1), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(band.median, np.quantile(logs, 0.5, axis=0, method="inverted_cdf"), atol=0.051)
    np.testing.assert_allclose(band.high, np.quantile(logs, 0.95, axis=0, method="inverted_cdf"), atol=0.051)


def test_the_exponent_of_the_mean_profile_is_the_mean_of_the_images_exponents(rng):
    frequency = np.maximum(ring_frequencies(64), 1e-3)
    logs = -rng.uniform(1, 3, (500, 1)) * np.log(frequency) + rng.normal(0, 2, (500, 1))
    slopes = [np.polyfit(np.log(frequency[5:20]), log[5:20], 1)[0] for log in logs]
    law = power_law(logs.mean(axis=0), 64, 500)
    assert law.exponent == pytest.approx(-np.mean(slopes), rel=1e-9)
    loud = np.exp(logs - logs.max())
    assert power_law(np.log(loud.mean(axis=0)) + logs.max(), 64, 500).exponent > law.exponent + 0.1


def test_sets_are_compared_with_the_real_images(faces, tmp_path):
    study = spectrum(faces, tmp_path / "out", workers=1)
    found = study.compared("faces/gan", "signed", "red")
    gan, real = (coefficients(faces / name, "red") for name in ("gan", "real"))
    expected = compare_spectra(gan.mean(0), gan.var(0, ddof=1), len(gan), real.mean(0), real.var(0, ddof=1), len(real))
    assert (study.reference, found.counts) == ("faces/real", (19, 20))
    np.testing.assert_allclose(found.difference, expected.difference, atol=0.05)
    np.testing.assert_allclose(found.effect, expected.effect_size, atol=2e-3)
    np.testing.assert_allclose(found.low, expected.low, atol=2e-3)
    assert found.n_significant == found.significant.sum()
    log = study.compared("faces/gan", "log", "grey")
    np.testing.assert_allclose(log.ratio, np.exp(log.difference), rtol=1e-5)


def test_any_number_of_workers_gives_the_same_bits(faces, tmp_path):
    spectrum(faces, tmp_path / "one", workers=1)
    spectrum(faces, tmp_path / "two", workers=2)
    assert_same_bits(tmp_path / "one", tmp_path / "two")
    assert (tmp_path / "one" / "spectra.npz").read_bytes() == (tmp_path / "two" / "spectra.npz").read_bytes()


def test_white_noise_falls_with_no_power(rng):
    for size, most in ((32, 0.1), (64, 0.06)):
        noise = rng.normal(128, 30, (100, size, size, 1)).round().clip(0, 255).astype(np.uint8)
        profiles = log_profile(np.array([tile_periodogram(image, size=size) for image in noise]))
        assert abs(power_law(profiles.mean(axis=0), size, len(noise)).exponent) < most


def test_two_parts_merged_equal_one_run(faces, rng, tmp_path):
    save(tmp_path / "other" / "faces" / "real", [picture(rng, 40, 48) for _ in range(7)])
    for name in ("faces", "other/faces"):
        spectrum(tmp_path / name, tmp_path / "parts" / name, workers=1)
    parts = [tmp_path / "parts" / name / "spectra.npz" for name in ("faces", "other/faces")]
    merged = spectrum((), tmp_path / "merged", merge=parts)
    mixed = spectrum(tmp_path / "other" / "faces", tmp_path / "mixed", merge=parts[:1], workers=1)
    for number, path in enumerate(sorted((tmp_path / "other" / "faces" / "real").iterdir())):
        path.rename(faces / "real" / f"9{number}.png")
    whole = spectrum(faces, tmp_path / "whole", workers=1)
    assert merged["faces/real"].facts == mixed["faces/real"].facts == whole["faces/real"].facts
    assert_close(tmp_path / "merged", tmp_path / "whole", rtol=1e-5, atol=2e-5)
    assert {each.name for each in mixed.sets} == {"faces/real", "faces/gan"}


def test_a_result_is_not_added_to_itself(faces, tmp_path):
    spectrum(faces, tmp_path / "out", workers=1)
    part = tmp_path / "out" / "spectra.npz"
    with pytest.raises(ParameterError, match="same files of 'faces/real'"):
        spectrum((), tmp_path / "merged", merge=[part, part])


def test_images_that_are_in_two_results_are_noticed(rng, tmp_path):
    images = [picture(rng, 40, 48) for _ in range(12)]
    for name, chosen in (("one", images[:8]), ("two", images[6:]), ("three", images[8:])):
        save(tmp_path / name / "faces" / "real", chosen)
        spectrum(tmp_path / name / "faces", tmp_path / "out" / name, workers=1)
    parts = {name: tmp_path / "out" / name / "spectra.npz" for name in ("one", "two", "three")}
    apart = spectrum((), tmp_path / "apart", merge=[parts["one"], parts["three"]])
    assert not any("count twice" in note for note in apart.notes)
    merged = spectrum((), tmp_path / "merged", merge=list(parts.values()))
    said = "of the images of {} seem to be in another of the results too, and count twice"
    assert [note for note in merged.notes if "count twice" in note] == [
        "faces/real: about 33.3 % " + said.format(parts["two"]),
        "faces/real: all " + said.format(parts["three"]),
    ]
    again = spectrum((), tmp_path / "again", merge=[tmp_path / "merged" / "spectra.npz"])
    assert next(note for note in again.notes if "count twice" in note).startswith("faces/real: about 33.3 % of")


KILLED = """
import os, signal, sys
from spectell.workflows.mean_spectra import one_pass as spectrum_pass
spectrum_pass.SAVE_SECONDS = 0.0
def report(name, done, total):
    if name == "faces/gan" and done > 15:
        report.seen = getattr(report, "seen", 0) + 1
        if report.seen == int(sys.argv[3]):
            os.kill(os.getpid(), getattr(signal, sys.argv[4]))
from spectell.workflows.spectrum import spectrum
spectrum(sys.argv[1], sys.argv[2], workers=1, on_progress=report)
"""


NOTED = """
import sys
from pathlib import Path
from spectell.workflows.mean_spectra.batch import Measuring
original = Measuring._measure
def noted(self, batch, gate):  # in a worker, forked from this process; hence the file
    with open(sys.argv[3], "a") as file:
        file.writelines(f"{Path(path).parent.name} {Path(path).stem}\\n" for path in batch.files)
    return original(self, batch, gate)
Measuring._measure = noted
from spectell.workflows.spectrum import spectrum
print(*spectrum(sys.argv[1], sys.argv[2], workers=1).notes)
"""


@pytest.mark.parametrize("n_files", [0, 1, 15, 16, 17, 1600, 5100, 100_000])
def test_every_file_is_in_one_batch_of_16_to_512(n_files):
    bounds = np.array(batch_bounds(n_files))
    sizes = np.diff(bounds)
    assert (bounds[0], bounds[-1]) == (0, n_files)
    assert (sizes[:-1] >= 16).all()
    assert ((sizes > 0) & (sizes <= 512)).all()
    assert (np.diff(sizes) <= 0).all()


@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(faces, tmp_path, how):
    arguments = [sys.executable, "-c", KILLED, str(faces), str(tmp_path / "stopped"), "1", how]
    assert subprocess.run(arguments, capture_output=True, check=False).returncode != 0
    assert not (tmp_path / "stopped" / "spectra.npz").exists()
    assert list((tmp_path / "stopped" / ".spectrum-work").glob("set*.npz"))
    read = tmp_path / "read"
    command = [sys.executable, "-c", NOTED, str(faces), str(tmp_path / "stopped"), str(read)]
    resumed = subprocess.run(command, check=True, capture_output=True, text=True)
    spectrum(faces, tmp_path / "whole", workers=1)
    assert "went on with unfinished work" in resumed.stdout
    # The first set was finished, and the first batch of the second; whoever is killed has no time to save that.
    first = 16 if how == "SIGINT" else 0
    assert sorted(read.read_text().splitlines()) == [f"gan {number:03}" for number in range(first, 19)]
    for name in ("spectra.npz", "spectra.json"):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not (tmp_path / "stopped" / ".spectrum-work").exists()


def test_unfinished_work_of_changed_files_is_begun_anew(faces, rng, tmp_path):
    arguments = [sys.executable, "-c", KILLED, str(faces), str(tmp_path / "out"), "1", "SIGKILL"]
    subprocess.run(arguments, capture_output=True, check=False)
    save(faces / "real", [picture(rng, 40, 48)])
    os.utime(faces / "real" / "000.png", (1, 1))
    changed = spectrum(faces, tmp_path / "out", workers=1)
    spectrum(faces, tmp_path / "whole", workers=1)
    assert any("begun anew" in note for note in changed.notes)
    assert_same_bits(tmp_path / "out", tmp_path / "whole")


def test_sizes_are_grouped_and_never_mixed(rng, tmp_path):
    sizes = [(40, 48)] * 6 + [(64, 64)] * 4 + [(20, 90)] + [(300, 200)]
    save(tmp_path / "in" / "real", [picture(rng, *size) for size in sizes])
    study = spectrum(tmp_path / "in", tmp_path / "out", workers=2)
    found = study["in/real"]
    assert [(full.name, full.count) for full in found.full] == [("48x40", 6), ("64x64", 4)]
    assert [(tile.size, tile.count) for tile in found.tiles] == [(32, 6), (64, 4), (128, 1)]
    assert (found.blocks["luma"].count, found.facts.n_detailed, found.facts.n_images) == (11, 11, 12)
    assert found.facts.sizes == {"48x40": 6, "64x64": 4, "200x300": 1, "90x20": 1}
    assert any("2 images" in note and "no full-size spectrum" in note for note in study.notes)
    assert any("1 images are below 32 x 32" in note for note in study.notes)


def test_merging_counts_the_images_of_a_size_that_one_part_alone_measured(rng, tmp_path):
    # The second part has too many sizes for each to get its spectrum.
    for part, sizes in (
        ("a", [(40, 48)] * 4),
        ("b", [(size, size) for size in range(50, 54) for _ in range(3)] + [(40, 48)]),
    ):
        save(tmp_path / part / "faces" / "real", [picture(rng, *size) for size in sizes])
        spectrum(tmp_path / part / "faces", tmp_path / "out" / part, workers=1)
    merged = spectrum((), tmp_path / "merged", merge=[tmp_path / "out" / part / "spectra.npz" for part in "ab"])
    assert {full.name: full.count for full in merged["faces/real"].full}["48x40"] == 4
    assert any("faces/real: 1 images, of sizes other than 50x50" in note for note in merged.notes)


def test_results_do_not_go_among_the_images(faces):
    for inside in (faces, faces / "out"):
        with pytest.raises(ParameterError, match="lies in the folder of the images"):
            spectrum(faces, inside, workers=1)


def test_the_sizes_that_get_a_spectrum_are_the_most_frequent_ones(rng, tmp_path):
    sizes = [(40, 41), (40, 42), (40, 43), (40, 44)] * 20 + [(40, 45), (40, 46), (40, 47)] * 12
    save(tmp_path / "in" / "real", [picture(rng, *size) for size in rng.permutation(sizes)])
    study = spectrum(tmp_path / "in", tmp_path / "out", workers=1)
    assert sorted(full.name for full in study["in/real"].full) == ["41x40", "42x40", "43x40", "44x40"]


def test_files_that_cannot_be_read_are_counted_with_their_reasons(faces, tmp_path):
    (faces / "gan" / "broken.png").write_bytes(b"not an image")
    study = spectrum(faces, tmp_path / "out", workers=1)
    facts = study["faces/gan"].facts
    assert (facts.n_files, facts.n_images, facts.n_unreadable) == (20, 19, 1)
    assert "broken.png" in facts.unreadable[0]
    assert any("broken.png" in note for note in study.notes)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is the kernel's")
@pytest.mark.usefixtures("forked")
def test_a_file_that_takes_too_much_memory_costs_itself_alone(faces, tmp_path, monkeypatch):
    def read(path, **options):
        if path.endswith("gan/003.png"):
            np.zeros(8_000_000_000, np.uint8)  # pages that are never touched: without a limit this would do no harm
        return read_image(path, **options)

    monkeypatch.setattr(spectrum_batch, "read_image", read)
    study = spectrum(faces, tmp_path / "out", workers=1)
    (reason,) = study["faces/gan"].facts.unreadable
    assert "003.png" in reason
    assert reason.endswith(": it needs more memory than a worker may use")
    assert (study["faces/gan"].facts.n_images, study["faces/real"].facts.n_images) == (18, 20)


def test_a_set_without_one_readable_image_is_an_error(tmp_path):
    (tmp_path / "in" / "real").mkdir(parents=True)
    (tmp_path / "in" / "real" / "a.png").write_bytes(b"")
    with pytest.raises(ImageError, match=r"none of 1 files .*a\.png"):
        spectrum(tmp_path / "in", tmp_path / "out", workers=1)


def test_an_empty_folder_is_an_error(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(ManifestError, match="no images"):
        spectrum(tmp_path / "in", tmp_path / "out")
    with pytest.raises(ParameterError, match="at least one data set"):
        spectrum((), tmp_path / "out")


def test_one_grey_image_has_a_spectrum_and_no_spread(rng, tmp_path):
    (tmp_path / "grey").mkdir()
    pixels = rng.integers(0, 256, (33, 37), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "grey" / "a.png")
    study = spectrum(tmp_path / "grey", tmp_path / "out", workers=1)
    (found,) = study.sets
    expected = dctn(pixels.astype(float), type=2, norm="ortho")
    for channel in ("grey", "red", "green", "blue"):
        np.testing.assert_allclose(found.full[0].signed[channel].mean, expected, atol=0.01)
        assert not found.full[0].signed[channel].variance.any()
    assert study.comparisons == ()
    json.dumps(study_as_dict(study), allow_nan=False)


def test_equal_images_have_no_variance(rng, tmp_path):
    save(tmp_path / "in" / "real", [picture(rng, 64, 64)] * 40)
    (full,) = spectrum(tmp_path / "in", tmp_path / "out", workers=1)["in/real"].full
    assert full.count == 40
    assert (full.signed["red"].std <= 1e-5 * np.abs(full.signed["red"].mean) + 1e-5).all()


def test_a_limit_chooses_at_random_by_the_seed(faces, tmp_path):
    one = spectrum(faces, tmp_path / "a", limit=5, seed=1, workers=1)
    spectrum(faces, tmp_path / "b", limit=5, seed=1, workers=2)
    spectrum(faces, tmp_path / "c", limit=5, seed=2, workers=1)
    assert [each.facts.n_images for each in one.sets] == [5, 5]
    assert_same_bits(tmp_path / "a", tmp_path / "b")
    name = "faces/real/48x40/signed/grey/mean"
    assert (arrays_of(tmp_path / "a")[name] != arrays_of(tmp_path / "c")[name]).any()


def test_detailed_spectra_are_of_a_bounded_number_of_images(faces, tmp_path, monkeypatch):
    monkeypatch.setattr(spectrum_sets, "DETAILED_IMAGES", 7)
    found = spectrum(faces, tmp_path / "out", workers=1)["faces/real"]
    assert (found.full[0].count, found.blocks["luma"].count, found.tiles[0].count) == (20, 7, 7)
    assert found.facts.n_detailed == 7


def test_the_reference_is_the_only_real_set_or_the_one_that_is_named(faces, rng, tmp_path):
    save(tmp_path / "more" / "real", [picture(rng, 40, 48)] * 2)
    assert spectrum([tmp_path / "more", faces], tmp_path / "a", workers=1).reference == "more/real"
    assert spectrum(faces, tmp_path / "b", reference="gan", workers=1).reference == "faces/gan"
    plain = spectrum([faces / "gan", faces / "real"], tmp_path / "c", workers=1)
    assert [each.name for each in plain.sets] == ["faces/gan", "faces/real"]
    assert plain.reference == "faces/real"
    with pytest.raises(ParameterError, match="reference must name one set, got 'nobody'"):
        spectrum(faces, tmp_path / "d", reference="nobody")


def without_images(folder):
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"no picture")


def test_a_set_without_images_is_the_reference_only_if_it_is_named(faces, tmp_path):
    (faces / "real").rename(faces / "photos")
    for name in ("real", "aaa"):
        without_images(faces / name)
    study = spectrum(faces, tmp_path / "a", workers=1)
    assert study.reference == "faces/gan"
    assert "the others are compared with faces/gan, as faces/real and faces/aaa have no readable image" in study.notes
    assert study.compared("faces/photos", "log", "grey") is not None
    named = spectrum(faces, tmp_path / "b", reference="aaa", workers=1)
    assert (named.reference, named.comparisons) == ("faces/aaa", ())
    why = "nothing can be compared with the reference faces/aaa, which has no readable image; name another one"
    assert why in named.notes
    assert not any("compared" in note for note in spectrum(faces, tmp_path / "c", reference="gan", workers=1).notes)


def test_the_only_real_set_with_images_is_the_reference(faces, tmp_path):
    without_images(tmp_path / "empty" / "real")
    study = spectrum([tmp_path / "empty", faces], tmp_path / "out", workers=1)
    assert study.reference == "faces/real"
    assert "the others are compared with faces/real, as empty/real has no readable image" in study.notes


def test_what_is_merged_keeps_its_settings(faces, rng, tmp_path):
    save(tmp_path / "more" / "real", [picture(rng, 40, 48)] * 2)
    spectrum(faces, tmp_path / "one", limit=5, seed=3, workers=1)
    part = str(tmp_path / "one" / "spectra.npz")
    mixed = spectrum(tmp_path / "more", tmp_path / "two", merge=[part], workers=1)
    assert (mixed.settings["limit"], mixed.settings["seed"]) == (None, 0)
    (told,) = mixed.merged
    assert (told["file"], told["sets"]) == (part, ["faces/real", "faces/gan"])
    assert (told["settings"]["limit"], told["settings"]["seed"], told["merged"]) == (5, 3, [])
    assert f"what {part} measured was chosen with the limit 5, seed 3" in mixed.notes
    again = spectrum((), tmp_path / "three", merge=[tmp_path / "two" / "spectra.npz"])
    assert (again.settings["limit"], again.settings["seed"]) == (None, None)
    assert again.merged[0]["merged"] == list(mixed.merged)
    only = spectrum((), tmp_path / "only", merge=[part])
    limited = spectrum(
        tmp_path / "more", tmp_path / "limited", merge=[only.directory / "spectra.npz"], limit=5, seed=3, workers=1
    )
    assert not any("was chosen" in note for note in limited.notes)
    unlimited = spectrum(tmp_path / "more", tmp_path / "all", merge=[only.directory / "spectra.npz"], workers=1)
    assert f"what {part} measured was chosen with the limit 5, seed 3" in unlimited.notes
    assert json.loads((tmp_path / "three" / "spectra.json").read_text())["merged"] == list(again.merged)
    same = spectrum(tmp_path / "more", tmp_path / "four", merge=[part], limit=5, seed=3, workers=1)
    assert not any("was chosen" in note for note in same.notes)
    with pytest.raises(ParameterError, match="limit chooses among the images of data sets, and none is named, got 5"):
        spectrum((), tmp_path / "five", merge=[part], limit=5)


def test_a_merged_set_is_lossless_if_all_its_parts_are(faces, rng, tmp_path):
    save(tmp_path / "other" / "faces" / "real", [picture(rng, 40, 48) for _ in range(3)])
    parts = {}
    for name, data, lossless in (
        ("both", faces, ["real", "gan"]),
        ("yes", tmp_path / "other" / "faces", ["real"]),
        ("no", tmp_path / "other" / "faces", []),
    ):
        spectrum(data, tmp_path / name, lossless=lossless, workers=1)
        parts[name] = tmp_path / name / "spectra.npz"

    def merged(*names, **options):
        study = spectrum(options.pop("data", ()), tmp_path / "out", merge=[parts[name] for name in names], **options)
        return [each.name for each in study.sets if each.facts.lossless_origin], study.notes

    assert merged("both", "yes")[0] == ["faces/real", "faces/gan"]
    some, notes = merged("both", "no")
    assert some == ["faces/gan"]
    assert "faces/real: no up-sampling factor is suggested, as only some of its parts are lossless" in notes
    assert merged("both", data=tmp_path / "other" / "faces", workers=1)[0] == ["faces/gan"]
    assert merged("both", "no", lossless=["real"])[0] == ["faces/real", "faces/gan"]


def test_unfinished_work_is_not_merged(faces, tmp_path):
    arguments = [sys.executable, "-c", KILLED, str(faces), str(tmp_path / "out"), "1", "SIGKILL"]
    subprocess.run(arguments, capture_output=True, check=False)
    (found, *_) = sorted((tmp_path / "out" / ".spectrum-work").glob("set*.npz"))
    with pytest.raises(ArtifactError, match="unfinished work"):
        spectrum((), tmp_path / "merged", merge=[found])


def test_only_who_says_so_makes_a_set_lossless_in_origin(rng, tmp_path):
    checks = 6 * (-1) ** np.indices((64, 64)).sum(axis=0)[..., np.newaxis]  # as a transposed convolution leaves them
    checked = [np.clip(picture(rng, 64, 64) + checks, 0, 255).astype(np.uint8) for _ in range(6)]
    save(tmp_path / "in" / "real", checked)
    for lossless, expected in (((), {None}), (("real",), {2})):
        (tile,) = spectrum(tmp_path / "in", tmp_path / "out", lossless=lossless, workers=1)["in/real"].tiles
        assert {meaning.upsampling_factor for meaning in tile.meanings} == expected


@pytest.mark.parametrize("how", [Image.Resampling.NEAREST, Image.Resampling.BILINEAR])
def test_an_enlargement_by_four_suggests_four_at_every_peak_of_its_grid(rng, tmp_path, how):
    small = rng.normal(size=(8, 64, 64, 3)).cumsum(axis=1).cumsum(axis=2)
    pictures = (128 + 40 * small / small.std()).clip(0, 255).astype(np.uint8)
    save(tmp_path / "in" / "gan", [np.asarray(Image.fromarray(each).resize((256, 256), how)) for each in pictures])
    (tile,) = spectrum(tmp_path / "in", tmp_path / "out", lossless=["gan"], workers=1)["in/gan"].tiles
    found = [meaning for meaning in tile.activity.meanings if meaning.period in {2, 4}]
    assert {meaning.period for meaning in found} == {2, 4}
    assert {meaning.upsampling_factor for meaning in found} == {4}


def test_nobody_vouches_for_a_jpeg(rng, tmp_path):
    save(tmp_path / "in" / "real", [picture(rng, 64, 64) for _ in range(4)])
    Image.fromarray(picture(rng, 64, 64)).save(tmp_path / "in" / "real" / "one.jpg")
    study = spectrum(tmp_path / "in", tmp_path / "out", lossless=["real"], workers=1)
    assert not study["in/real"].facts.lossless_origin
    assert any("no up-sampling factor is suggested" in note for note in study.notes)


def test_the_summary_repeats_the_numbers_of_the_arrays(faces, tmp_path):
    study = spectrum(faces, tmp_path / "out", workers=1)
    summary = json.loads((tmp_path / "out" / "spectra.json").read_text())
    assert summary == study_as_dict(load_study(tmp_path / "out"))
    tile = summary["sets"][0]["tiles"][0]
    np.testing.assert_allclose(tile["radial"]["mean"], study.sets[0].tiles[0].radial.mean)
    key = tile["key"]
    np.testing.assert_array_equal(arrays_of(tmp_path / "out")[f"{key}/mean"], study.sets[0].tiles[0].log_power.mean)
    assert summary["settings"]["seed"] == 0
    compared = summary["comparisons"][0]
    effect, low, high = (arrays_of(tmp_path / "out")[f"{compared['key']}/{name}"] for name in ("effect", "low", "high"))
    significant = arrays_of(tmp_path / "out")[f"{compared['key']}/significant"]
    assert significant.any()
    place = np.unravel_index(np.where(significant, np.abs(effect), 0).argmax(), effect.shape)
    found = [compared["effect_summary"][name] for name in ("largest", "largest_low", "largest_high")]
    assert found == pytest.approx([effect[place], low[place], high[place]], rel=1e-6)
    assert compared["effect_summary"]["maximum_absolute"] == pytest.approx(np.abs(effect).max(), rel=1e-6)


def test_a_file_that_no_study_wrote_is_refused(tmp_path):
    for arrays in ({"a": np.zeros(3)}, {"metadata": "[" * 200_000}):
        np.savez(tmp_path / "spectra.npz", **arrays)
        with pytest.raises(ArtifactError, match="not a file that spectell spectrum wrote"):
            load_study(tmp_path)
    with pytest.raises(ArtifactError, match="No such file"):
        spectrum((), tmp_path / "out", merge=[tmp_path / "absent.npz"])


def test_the_grid_of_a_jpeg_is_found_in_the_activity_and_not_in_the_luma(rng, tmp_path):
    folder = tmp_path / "photos" / "real"
    folder.mkdir(parents=True)
    smooth = rng.normal(size=(12, 128, 128, 3)).cumsum(axis=1).cumsum(axis=2)
    noisy = 128 + 8 * smooth / smooth.std() * 5 + rng.normal(scale=6.0, size=smooth.shape)
    for number, pixels in enumerate(noisy.clip(0, 255).astype(np.uint8)):
        Image.fromarray(pixels).save(folder / f"{number}.jpg", quality=50)
    study = spectrum(folder.parent, tmp_path / "out", workers=1)
    (tiles,) = study["photos/real"].tiles
    assert group_peaks(tiles.activity.search.peaks)[0].period == 8
    assert 8 not in {grid.period for grid in group_peaks(tiles.peaks.peaks)}
    naive = np.mean([tile_periodogram(each, size=128, max_tiles=4, signal="activity") for each in pixels_of(folder)], 0)
    np.testing.assert_allclose(tiles.activity.log_power.mean, naive, rtol=1e-5)
    stated = study_as_dict(study)["sets"][0]["tiles"][0]["activity"]
    assert [peak["height_db"] for peak in stated["peaks"]] == [peak.height_db for peak in tiles.activity.search.peaks]


def test_small_tiles_have_no_activity(faces, tmp_path):
    assert all(tiles.activity is None for tiles in spectrum(faces, tmp_path / "out", workers=1)["faces/real"].tiles)
