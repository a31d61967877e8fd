"""The numbers of the tables beside naive computations from the pixels."""

import dataclasses
import html.parser

import numpy as np
import pytest
from PIL import Image
from scipy import stats
from scipy.fft import dctn

from spectell.figures.style import LIGHT
from spectell.reports.spectrum_figures import drawn_sizes, peak_drawing, profile_drawings
from spectell.reports.spectrum_maps import full_drawings
from spectell.reports.spectrum_names import set_label
from spectell.reports.spectrum_tables import (
    comparison_table,
    has_spread,
    largest_effect,
    left_out,
    peak_table,
    power_law_table,
    set_table,
)
from spectell.spectra.peak_meaning import grid_period, peak_meaning
from spectell.spectra.peaks import Peak
from spectell.workflows.spectrum import spectrum

CONFIDENCE_95 = 1.959964
WEIGHTS = {
    "grey": (0.299, 0.587, 0.114),
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "luma": (0.299, 0.587, 0.114),
    "blue difference": (-0.168736, -0.331264, 0.5),
    "red difference": (0.5, -0.418688, -0.081312),
}


class Cells(html.parser.HTMLParser):
    """Texts of the cells of a table, row by row, the headers first."""

    def __init__(self, markup):
        super().__init__()
        self.rows, self._inside = [], False
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        del attributes
        if tag == "tr":
            self.rows.append([])
        if tag in {"th", "td"}:
            self.rows[-1].append("")
            self._inside = True

    def handle_endtag(self, tag):
        self._inside = self._inside and tag not in {"th", "td"}

    def handle_data(self, data):
        if self._inside:
            self.rows[-1][-1] += data.replace("\xa0", " ").replace("−", "-")


def logarithms(images, kind, channel):
    """Of a single image each: of full-size coefficients, or of the power of the one block that it has."""
    coefficients = dctn(images.astype(np.float64) @ np.array(WEIGHTS[channel]), axes=(1, 2), norm="ortho")
    return np.log(np.abs(coefficients) + 1e-12) if kind == "log" else np.log(coefficients**2 + 1e-3)


@pytest.mark.parametrize("kind", ["log", "blocks"])
def test_the_comparison_has_the_numbers_of_a_naive_computation(study, pixels, kind):
    compared = [each for each in study.comparisons if each.kind == kind]
    headers, *rows = Cells(comparison_table(study, compared)).rows
    assert headers[3:] == [
        "differ",
        "median effect",
        "largest that differs",
        "its pointwise 95 % interval",
        "0.8 or more",
    ]
    assert len(rows) == {"log": 4, "blocks": 3}[kind]
    for name, what, counts, differ, median, largest, interval, large in rows:
        assert (name, counts) == ("faces/gan", "11 and 14")
        channel = what.removeprefix(f"{kind} ").removesuffix(", 32x32")
        ours, theirs = (logarithms(pixels[each], kind, channel) for each in ("gan", "real"))
        one, other = ours.var(axis=0, ddof=1), theirs.var(axis=0, ddof=1)
        pooled = (one + other) / 2
        effect = (ours.mean(axis=0) - theirs.mean(axis=0)) / np.sqrt(pooled)
        p_values = stats.ttest_ind(ours, theirs, equal_var=False).pvalue
        adjusted = stats.false_discovery_control(p_values.ravel()).reshape(p_values.shape)
        assert float(median) == pytest.approx(np.median(np.abs(effect)), abs=0.006)
        assert float(large.removesuffix(" %")) == pytest.approx(100 * np.mean(np.abs(effect) >= 0.8), abs=0.11)
        assert float(differ.removesuffix(" %")) == pytest.approx(100 * np.mean(adjusted <= 0.05), abs=0.11)
        if not (adjusted <= 0.05).any():
            assert (largest, interval) == ("none", "–")
            continue
        place = np.unravel_index(np.where(adjusted <= 0.05, np.abs(effect), -1).argmax(), effect.shape)
        d, a, b, s = effect[place], one[place], other[place], pooled[place]
        error = np.sqrt(d**2 * (a**2 / 10 + b**2 / 13) / (8 * s**2) + (a / 10 + b / 13) / s)
        assert float(largest) == pytest.approx(d, abs=0.006)
        ends = [float(end) for end in interval.split(" to ")]
        assert ends == pytest.approx([d - CONFIDENCE_95 * error, d + CONFIDENCE_95 * error], abs=0.006)


def test_an_effect_without_limit_has_no_number(study):
    found = next(each for each in study.comparisons if each.kind == "blocks" and each.channel == "luma")
    endless = dataclasses.replace(found, effect_summary={**found.effect_summary, "largest": None})
    assert largest_effect(endless) is None
    assert Cells(comparison_table(study, [endless])).rows[1][5:7] == ["no limit", "–"]
    absurd = dataclasses.replace(found, effect_summary={**found.effect_summary, "largest": 2e5})
    assert Cells(comparison_table(study, [absurd])).rows[1][5:7] == ["more than +1,000", "–"]


def test_where_nothing_differs_nothing_is_the_largest(study):
    found = next(each for each in study.comparisons if each.kind == "blocks" and each.channel == "luma")
    assert largest_effect(dataclasses.replace(found, n_significant=0)) is None
    same = dataclasses.replace(found, n_significant=0, effect_summary={**found.effect_summary, "largest": 2.0})
    assert Cells(comparison_table(study, [same])).rows[1][5:7] == ["none", "–"]


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """Equal pictures, other equal ones, black ones, and pictures of five sizes."""
    folder = tmp_path_factory.mktemp("odd")
    rng = np.random.default_rng(3)
    equal = {name: rng.integers(0, 256, (40, 40, 3), dtype=np.uint8) for name in ("real", "same")}
    for name, image in {**equal, "black": np.zeros((40, 40, 3), np.uint8)}.items():
        (folder / "odd" / name).mkdir(parents=True)
        for k in range(3):
            Image.fromarray(image).save(folder / "odd" / name / f"{k}.png")
    (folder / "odd" / "sizes").mkdir()
    for k in range(8):
        image = rng.integers(0, 256, (32 + 8 * (k // 2), 36, 3), dtype=np.uint8)
        Image.fromarray(image).save(folder / "odd" / "sizes" / f"{k}.png")
    return spectrum([folder / "odd"], folder / "out")


def test_equal_images_have_no_spread_to_measure_by(odd):
    found = odd.compared("odd/same", "log", "grey")
    assert not has_spread(found)
    row = Cells(comparison_table(odd, [found])).rows[1]
    assert row[4:] == ["no spread", "–", "–", "–"]
    drawn = [drawing.name for drawing in full_drawings(odd, "40x40")]
    assert "difference-40x40" in drawn
    assert "effect-40x40" not in drawn


def test_black_images_have_no_power_to_fit_a_law_to(odd):
    laws = {row[0]: row[1] for row in Cells(power_law_table(odd)).rows}
    assert laws["odd/black"] == "no power to fit"
    assert float(laws["odd/same"]) == pytest.approx(odd["odd/same"].tiles[0].radial.power_law.exponent, abs=0.006)
    radial = next(each for each in profile_drawings(odd) if each.name == "radial")
    assert "black" not in radial.alt.partition("Exponents")[2]


def test_sizes_without_figures_and_without_comparison_are_named(odd):
    drawn = drawn_sizes(odd)
    assert drawn == ["40x40", "36x32"]
    said = left_out(odd, drawn)
    assert "Full-size spectra of 36x40 (2 images), 36x48 (2 images), 36x56 (2 images) were measured" in said
    assert "odd/sizes and odd/real: no comparison of full-size spectra, no size was measured in both" in said
    assert "odd/same" not in said


@pytest.mark.parametrize("generator", ["a\udce9", "\u200b"])
def test_a_set_that_no_font_can_name_has_a_number_which_the_table_explains(study, generator):
    real, gan = study.sets
    gan = dataclasses.replace(gan, name=f"faces/{generator}", generator=generator)
    named = dataclasses.replace(study, sets=(real, gan))
    assert [set_label(each, named) for each in named.sets] == ["real", "set 2"]
    rows = Cells(set_table(named)).rows
    assert rows[1][0] == "faces/real (reference)"
    assert rows[2][0].endswith(" (set 2 in figures)")


def test_the_sets_are_counted(study):
    _, real, gan = Cells(set_table(study)).rows
    assert real == ["faces/real (reference)", "14", "–", "PNG", "32x32", "–", "32x32: 14"]
    assert gan == ["faces/gan", "11", "1", "PNG", "32x32", "–", "32x32: 11"]
    assert "broken.png" in left_out(study, ["32x32"])


def test_the_power_laws_are_those_of_the_study(study):
    _, *rows = Cells(power_law_table(study)).rows
    for row, each in zip(rows, study.sets, strict=True):
        band = each.tiles[0].radial
        if band.power_law is None:
            assert row[1:] == ["–"] * 4
            continue
        low, high = band.power_law.frequency_range
        assert row == [
            each.name,
            f"{band.power_law.exponent:z.2f}",
            f"{band.power_law.low:z.2f} to {band.power_law.high:z.2f}",
            f"{band.power_law.r_squared:z.3f}",
            f"{low:.3f} to {high:.3f}",
        ]


def with_peaks(study, peaks, jpeg_history):
    """The study with other peaks in the luma of its first set."""
    meanings = tuple(peak_meaning(peak, jpeg_history=jpeg_history, lossless=False) for peak in peaks)
    first = study.sets[0]
    search = dataclasses.replace(first.tiles[0].peaks, peaks=peaks)
    tiles = dataclasses.replace(first.tiles[0], peaks=search, meanings=meanings, activity=None)
    return dataclasses.replace(study, sets=(dataclasses.replace(first, tiles=(tiles,)),))


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_grid_is_read_as_its_own_peak_is_and_not_as_its_highest_harmonic(study, period):
    heights = {2: 12.0, 4: 9.0, 8: 6.0}
    peaks = tuple(Peak(0.0, 1 / p, heights[p], 1e-9, 8.0, 1 / 128) for p in (2, 4, 8) if p <= period)
    own = next(peak for peak in peaks if grid_period(peak) == period)
    changed = with_peaks(study, peaks, None)
    row = Cells(peak_table(changed)).rows[1]
    assert row[:4] == ["faces/real", "luma", str(period), str(len(peaks))]
    assert row[4:6] == ["+0.000, 0.500", "12.0 dB"]
    assert row[7] == peak_meaning(own, jpeg_history=None, lossless=False).text
    assert ("camera's colour filters" in row[7]) == (period == 2)
    (explained,) = peak_drawing(changed).make(LIGHT).legends
    assert [one.get_text().replace("\n", " ") for one in explained.get_texts()] == [row[7]]
