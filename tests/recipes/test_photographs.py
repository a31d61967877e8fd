import numpy as np
import pytest
from recipes.photographs import Measured, equal_weights, level, weighted_percentiles, write_reference

from spectell.detectors import load_model
from spectell.detectors.reference import Spectrum, overall_deviation, read_reference


def measured(source, value, rng):
    spectrum = Spectrum(np.float32(value) + rng.normal(size=(32, 32, 3)).astype(np.float32), rng.normal(size=17), 1)
    return Measured(source, {1: spectrum}, np.full(4091, value, np.float32))


def test_sources_weigh_the_same_however_many_pictures_they_have(rng):
    found = [measured("many", 0, rng), measured("many", 0, rng), measured("many", 0, rng), measured("few", 6, rng)]
    assert equal_weights(found) == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_statistics_are_those_of_the_weighted_definition(rng):
    spectra = [measured("a", 0, rng).spectra[1] for _ in range(7)]
    weights = np.full(7, 1 / 7)
    power = np.stack([one.power for one in spectra]).astype(float)
    found = level(spectra, weights)
    assert found["mean"] == pytest.approx(power.mean(axis=0))
    assert found["sd"] == pytest.approx(power.std(axis=0, ddof=1))
    deviations = [overall_deviation((one - power.mean(axis=0)) / power.std(axis=0, ddof=1)) for one in power]
    assert found["deviations"][[0, 100]] == pytest.approx([min(deviations), max(deviations)])
    assert found["profile"][2] == pytest.approx(np.median([one.profile for one in spectra], axis=0))


def test_weighted_percentiles_are_those_of_repeated_values():
    values, counts = np.array([3.0, 1.0, 2.0, 9.0]), np.array([2, 5, 1, 2])
    repeated = np.sort(np.repeat(values, counts))
    found = weighted_percentiles(values, counts / 10, range(0, 101, 5))
    expected = [repeated[max(int(np.ceil(p / 100 * 10)) - 1, 0)] for p in range(0, 101, 5)]
    assert found.tolist() == expected


def test_what_is_written_can_be_read(tmp_path, rng):
    found = [measured("cameras", 0, rng), measured("cameras", 1, rng), measured("photos", 5, rng)]
    write_reference(found, tmp_path / "reference.safetensors")
    reference = read_reference(tmp_path / "reference.safetensors")
    assert reference.card["n_photographs"] == {"1": {"cameras": 2, "photos": 1}}
    assert reference.at(1).n_photographs == 3
    assert reference.features_for(load_model().front_end)[0] == pytest.approx((0.5 + 5) / 2)
