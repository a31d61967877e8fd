import json

import numpy as np
import pytest
from scipy.fft import dctn

from spectell.detectors import load_model
from spectell.detectors.container import read_container, write_container
from spectell.detectors.features import BlockFeatures
from spectell.detectors.reference import (
    REFERENCE,
    REFERENCE_KEY,
    PhotographReference,
    SpectrumNorm,
    load_reference,
    measure_spectrum,
    read_reference,
    ring_frequencies,
)
from spectell.errors import ArtifactError, ParameterError, ShapeError
from spectell.spectra import sample_blocks

WEIGHTS = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])


def norm(value):
    square = np.full((32, 32, 3), float(value))
    return SpectrumNorm(square, square, np.full((5, 17), float(value)), np.arange(101.0), 10)


def test_the_spectrum_of_one_block_is_that_of_its_transform(rng):
    pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    channels = pixels.astype(float) @ WEIGHTS.T
    power = np.stack([dctn(channels[..., c], type=2, norm="ortho") ** 2 for c in range(3)], axis=-1)
    found = measure_spectrum(pixels)
    assert found.n_blocks == 1
    assert found.power == pytest.approx(np.log(power + 1e-3), abs=2e-3)


def test_the_profile_is_the_mean_power_of_each_ring(rng):
    pixels = rng.integers(0, 256, (40, 70, 3), dtype=np.uint8)
    found = measure_spectrum(pixels)
    power = np.exp(found.power[..., 0].astype(float))
    for ring in range(1, 17):
        members = [
            (power[k, j], np.hypot(k, j) / 64)
            for k in range(32)
            for j in range(32)
            if ring - 0.5 <= np.hypot(k, j) / 2 < ring + 0.5 or (ring == 1 and 0 < np.hypot(k, j) / 2 < 0.5)
        ]
        powers, radii = zip(*members, strict=True)
        assert found.profile[ring] == pytest.approx(np.log(np.mean(powers)), abs=1e-5)
        assert ring_frequencies()[ring] == pytest.approx(np.mean(radii))


@pytest.mark.parametrize("shape", [(32, 32), (32, 33), (48, 48), (64, 64), (100, 37), (256, 256), (375, 500)])
def test_blocks_are_counted_as_they_are_laid(shape):
    pixels = np.zeros((*shape, 3), np.uint8)
    assert measure_spectrum(pixels).n_blocks == len(sample_blocks(shape, size=32, max_blocks=None)[0])


def test_an_image_smaller_than_a_block_is_refused():
    with pytest.raises(ShapeError, match="smaller than one block"):
        measure_spectrum(np.zeros((31, 64, 3), np.uint8))


def test_between_two_levels_mean_and_variance_are_linear_in_the_inverse_number():
    reference = PhotographReference({}, [1, 9], [norm(3), norm(1)])
    share = (1 - 1 / 3) / (1 - 1 / 9)  # at three blocks
    found = reference.at(3)
    assert found.mean[0, 0, 0] == pytest.approx(3 - 2 * share)
    assert found.sd[5, 6, 2] == pytest.approx(np.sqrt(9 - 8 * share))
    assert found.profile[0, 0] == pytest.approx(3 - 2 * share)


@pytest.mark.parametrize(("n", "value"), [(1, 3), (9, 1), (10**6, 1)])
def test_at_a_level_and_beyond_the_last_the_level_stands(n, value):
    found = PhotographReference({}, [1, 9], [norm(3), norm(1)]).at(n)
    assert found.mean == pytest.approx(np.full((32, 32, 3), value))
    assert found.sd == pytest.approx(np.full((32, 32, 3), value))


def test_deviations_are_counted_in_standard_deviations():
    z = norm(2).z_scores(np.full((32, 32, 3), 5.0))
    assert z == pytest.approx(np.full((32, 32, 3), 1.5))


@pytest.mark.parametrize(("deviation", "share"), [(-1, 0), (49.5, 0.5), (1000, 1)])
def test_the_share_below_is_read_from_the_percentiles(deviation, share):
    assert norm(1).share_below(deviation) == share


def test_levels_must_be_in_order():
    with pytest.raises(ParameterError, match="n_blocks must increase"):
        PhotographReference({}, [9, 1], [norm(1), norm(1)])


def test_the_bundled_statistics_are_small_and_say_what_they_are():
    reference = load_reference()
    assert REFERENCE.stat().st_size < 300_000
    assert reference.n_blocks == sorted(reference.n_blocks)
    assert reference.n_blocks[0] == 1
    assert set(reference.card["sources"]) == {s for counts in reference.card["n_photographs"].values() for s in counts}
    assert "non-commercial" in reference.card["licence"]
    for level in reference.levels:
        assert (level.sd > 0).all()
        assert (np.diff(level.profile, axis=0) >= 0).all()
        assert (np.diff(level.deviations) >= 0).all()


def test_smaller_images_have_wider_reference_spectra():
    reference = load_reference()
    spread = [reference.at(n).sd[1:, 1:, 0].mean() for n in (1, 9, 49)]
    assert spread == sorted(spread, reverse=True)


def test_average_features_are_those_of_the_default_models_front_end():
    front_end = load_model().front_end
    found = load_reference().features_for(front_end)
    assert found is not None, "the default model has another front end: run python -m recipes.photographs"
    assert found.shape == (front_end.n_features,)
    assert load_reference().features_for(BlockFeatures(size=8)) is None


def test_a_file_that_does_not_fit_is_refused_in_one_line(tmp_path):
    arrays, metadata = read_container(REFERENCE)
    path = tmp_path / "reference.safetensors"
    write_container(path, {**arrays, "0.mean": np.zeros(3, np.float32)}, metadata)
    with pytest.raises(ArtifactError, match=r"cannot use the reference .*'mean' must have shape \(32, 32, 3\)"):
        read_reference(path)
    write_container(path, dict(arrays), {REFERENCE_KEY: json.dumps({})})
    with pytest.raises(ArtifactError, match="its card lacks 'n_blocks'"):
        read_reference(path)
    write_container(path, dict(arrays), {REFERENCE_KEY: "[" * 200_000})
    with pytest.raises(ArtifactError, match="cannot use the reference"):
        read_reference(path)
