import json

import numpy as np
import pytest

from spectell.datasets.packed import open_packed
from spectell.experiments import robustness
from spectell.experiments.config import resolve_config
from spectell.experiments.identification.cells import IdentificationScale
from spectell.experiments.robustness_images import PERTURBATIONS, STRENGTHS, of_strength, perturb_all
from spectell.perturbations.presets import get_preset

TINY = IdentificationScale(32, 30, 1, ("ridge",), {}, 600.0)


def silent(*_):
    pass


@pytest.mark.parametrize("name", STRENGTHS)
def test_a_stronger_perturbation_changes_an_image_more(rng, name):
    noise = rng.normal(128, 30, (32, 32, 3)).cumsum(axis=0).cumsum(axis=1)
    image = np.interp(noise, (noise.min(), noise.max()), (0, 255)).astype(np.uint8)[np.newaxis]
    changes = []
    for strength in STRENGTHS[name]:
        copies, _ = perturb_all(of_strength(name, strength), image, [0], (5,))
        changes.append(np.square(copies[0].astype(float) - image[0]).mean())
    assert changes[-1] > changes[0]
    assert changes[-1] == max(changes)


def test_a_copy_does_not_depend_on_what_else_is_copied(rng):
    images = rng.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    perturbation = get_preset("frank2020", "combined")
    everything, draws = perturb_all(perturbation, images, range(6), (1, 2))
    some, drawn = perturb_all(perturbation, images, [4, 1], (1, 2))
    assert (some == everything[[4, 1]]).all()
    assert drawn == [draws[4], draws[1]]


def test_robustness_records_draws_that_make_the_copies_again_and_shows_both_trainings(three_sources, tmp_path):
    config = resolve_config("robustness", three_sources, output=tmp_path / "out", workers=1)
    page = robustness.run(config, silent, TINY)
    record = json.loads((page.parent / "record.json").read_text())
    images = open_packed(page.parent / "images").images
    for name in PERTURBATIONS:
        copies = np.load(page.parent / "perturbed" / f"{name}.npy")
        lines = (page.parent / record["perturbed"][name]["draws"]).read_text().splitlines()
        assert len(lines) == len(images) == 90
        for row in (0, 45, 89):
            parameters = json.loads(lines[row])["parameters"]
            assert (get_preset("frank2020", name).apply(images[row], parameters) == copies[row]).all()
    assert 0.3 < record["perturbed"]["blur"]["changed"] < 0.7
    assert record["perturbed"]["combined"]["changed"] > 0.8
    clean, trained = (record["cells"][name] for name in ("ridge-dct-0", "ridge-dct-0-blur"))
    assert set(clean["tests"]) == {"clean", *PERTURBATIONS}
    assert set(trained["tests"]) == {"clean", "blur"}
    assert [point["strength"] for point in clean["curves"]["jpeg"]] == list(STRENGTHS["jpeg"])
    assert set(trained["curves"]) == {"blur"}
    assert clean["tests"]["clean"]["estimate"] >= clean["tests"]["combined"]["estimate"]
    text = page.read_text(encoding="utf-8")
    assert config.command in text
    assert text.count("<picture") == 1
    assert "trained perturbed" in text
