"""The page of a study: complete in itself, with its figures beside it."""

import dataclasses
import re

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ArtifactError, MismatchError
from spectell.reports.render import Drawing
from spectell.reports.spectrum import PAGE, findings, write_spectrum_report
from spectell.reports.spectrum_figures import in_parts
from spectell.workflows.mean_spectra.working import working_in
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
    place = np.unravel_index(np.where(found.significant, np.abs(found.effect), -1).argmax(), found.effect.shape)
    effect, low, high = (float(array[place]) for array in (found.effect, found.low, found.high))
    said = findings(study).replace("−", "-").replace("\xa0", " ")
    assert (
        f"the largest by {effect:+.2f} standard deviations (pointwise 95 % interval {low:+.2f} to {high:+.2f})" in said
    )
    assert f"{100 * found.share_significant:.1f} % of 1,024 coefficients of full-size spectra of 32x32 differ" in said
    assert low < effect < high


def test_few_coefficients_that_differ_are_not_none(study):
    compared = [dataclasses.replace(each, n_significant=1, n_coefficients=65536) for each in study.comparisons]
    changed = dataclasses.replace(study, comparisons=tuple(compared))
    assert "under 0.1\xa0% of 65,536 coefficients" in findings(changed)


def with_summary(study, n_significant=None, **values):
    """The study with other numbers in its comparisons."""
    compared = [
        dataclasses.replace(
            each,
            effect_summary={**each.effect_summary, **values},
            n_significant=each.n_significant if n_significant is None else n_significant,
        )
        for each in study.comparisons
    ]
    return dataclasses.replace(study, comparisons=tuple(compared))


def test_where_nothing_differs_no_largest_effect_is_named(study):
    said = findings(with_summary(study, n_significant=0))
    assert "0.0\xa0% of 1,024 coefficients" in said
    assert "largest" not in said


def test_an_absurd_effect_has_a_bound_and_no_interval(study):
    said = findings(with_summary(study, largest=-59354.9, largest_low=-96142.8, largest_high=-22567.0))
    assert "the largest by less than −1,000 standard deviations." in said


@pytest.mark.parametrize("median", [None, 96677573.9])
def test_sets_of_equal_images_are_not_measured_in_standard_deviations(study, median):
    said = findings(with_summary(study, median_absolute=median, largest=224344.0))
    assert "not comparable by full-size spectra of 32x32, since the images of a set do not differ" in said
    assert "standard deviations" not in said


def test_many_sets_share_several_figures_with_the_reference_in_each(study):
    real, gan = study.sets
    many = tuple(dataclasses.replace(gan, name=f"faces/{k}", generator=str(k)) for k in range(12))
    parts = []

    def draw(sets):
        parts.append([each.generator for each in sets])
        return [Drawing("one", None, "alt", "caption"), None]

    made = in_parts(dataclasses.replace(study, sets=(real, *many[:11])), draw)
    assert [each.name for each in made] == ["one"]
    parts.clear()
    made = in_parts(dataclasses.replace(study, sets=(real, *many)), draw)
    assert [each.name for each in made] == ["one", "one-2"]
    assert parts == [["real", *map(str, range(11))], ["real", "11"]]
    assert made[1].caption == "caption Figure 2 of 2, each with its own scale."


def test_images_too_small_for_anything_have_a_page_too(tmp_path):
    (tmp_path / "dots").mkdir()
    Image.new("RGB", (6, 5), "red").save(tmp_path / "dots" / "a.png")
    page = write_spectrum_report(spectrum([tmp_path / "dots"], tmp_path / "out"), tmp_path / "out")
    assert "What was left out" in page.read_text(encoding="utf-8")


def test_a_page_is_not_drawn_of_numbers_that_another_run_has_replaced(rng, tmp_path):
    def images(scale):
        for number in range(6):
            pixels = rng.normal(128, scale, (40, 40, 3)).clip(0, 255).astype(np.uint8)
            (tmp_path / f"{scale}" / "faces" / "real").mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / f"{scale}" / "faces" / "real" / f"{number}.png")
        return tmp_path / f"{scale}" / "faces"

    first = spectrum(images(10), tmp_path / "out", workers=1)
    spectrum(images(30), tmp_path / "out", workers=1)
    with pytest.raises(ArtifactError, match="another run has replaced"):
        write_spectrum_report(first, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"spectra.json", "spectra.npz"}


def test_no_page_is_drawn_where_another_run_measures(study, tmp_path):
    with working_in(tmp_path), pytest.raises(MismatchError, match="another spectrum is running"):
        write_spectrum_report(study, tmp_path)
    write_spectrum_report(study, tmp_path)
    assert not (tmp_path / ".spectrum-work").exists()
