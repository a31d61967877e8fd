"""The page of a study: complete in itself, with its figures beside it."""

import dataclasses
import re

import numpy as np
import pytest
from PIL import Image

from spectell.reports.spectrum import PAGE, findings, write_spectrum_report
from spectell.workflows.spectrum import spectrum


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    place = tmp_path_factory.mktemp("page")
    assert write_spectrum_report(study, place) == place / PAGE
    return place


def test_every_figure_of_the_page_lies_beside_it(folder):
    page = (folder / PAGE).read_text(encoding="utf-8")
    linked = set(re.findall(r'href="\./([^"]+)"', page))
    assert linked == {path.name for path in folder.iterdir()} - {PAGE} | {"spectra.npz", "spectra.json"}
    assert {"difference-channels-32x32.png", "difference-channels-blocks.png"} <= linked
    assert len(page.encode()) < 1_500_000


def test_the_finding_has_the_largest_effect_with_its_interval(study):
    found = study.compared("faces/gan", "log", "grey")
    place = np.unravel_index(np.abs(found.effect).argmax(), found.effect.shape)
    effect, low, high = (float(array[place]) for array in (found.effect, found.low, found.high))
    said = findings(study).replace("−", "-").replace("\xa0", " ")
    assert f"the largest by {effect:+.2f} standard deviations (95 % interval {low:+.2f} to {high:+.2f})" in said
    assert f"{100 * found.share_significant:.1f} % of 1,024 coefficients of full-size spectra of 32x32 differ" in said
    assert low < effect < high


def test_few_coefficients_that_differ_are_not_none(study):
    compared = [dataclasses.replace(each, n_significant=1, n_coefficients=65536) for each in study.comparisons]
    changed = dataclasses.replace(study, comparisons=tuple(compared))
    assert "under 0.1\xa0% of 65,536 coefficients" in findings(changed)


def test_images_too_small_for_anything_have_a_page_too(tmp_path):
    (tmp_path / "dots").mkdir()
    Image.new("RGB", (6, 5), "red").save(tmp_path / "dots" / "a.png")
    page = write_spectrum_report(spectrum([tmp_path / "dots"], tmp_path / "out"), tmp_path / "out")
    assert "What was left out" in page.read_text(encoding="utf-8")
