"""The page of an explanation in a real browser: both colour schemes, a telephone's width, and paper."""

import importlib.util
import io
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spectell.reports.explanation import render_explanation
from spectell.reports.page import render_page
from spectell.reports.parts import table
from spectell.reports.spectrum import write_spectrum_report
from spectell.workflows.explain import explain
from spectell.workflows.photographs import PHOTOGRAPHS
from spectell.workflows.spectrum import spectrum

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WHY_NOT = os.environ.get("SPECTELL_NO_BROWSER", "apt-get install chromium")
"""Set by the project's own checks where they tried to install it."""

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason=f"there is no Chromium here: {WHY_NOT}"),
    pytest.mark.skipif(sys.platform == "win32", reason="pipes are handed to the browser as on POSIX"),
]
PHONE, DESK = 360, 1200


def browser_class():
    spec = importlib.util.spec_from_file_location("chromium", Path(__file__).with_name("chromium.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Browser


@pytest.fixture(scope="module")
def browser():
    found = browser_class()(PROGRAM)
    yield found
    found.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages of a photograph, of a stamp, and of a picture that is too small, under a long name."""
    folder = tmp_path_factory.mktemp("pages")
    rng = np.random.default_rng(5)
    stamp, dot = folder / "stamp.png", folder / f"{'a-long-name-' * 12}.png"
    Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(stamp)
    Image.new("RGB", (5, 7), "navy").save(dot)
    photograph = next(filter(None, (one.locate() for one in PHOTOGRAPHS)))
    made = {}
    for name, path in {"photograph": photograph, "stamp": stamp, "dot": dot}.items():
        made[name] = folder / f"{name}.html"
        made[name].write_text(render_explanation(explain(path)), encoding="utf-8")
    return made


def shown(png):
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("name", ["photograph", "stamp", "dot"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_page_fits_its_screen_asks_for_nothing_and_raises_no_complaint(browser, pages, name, width):
    browser.show(pages[name], width)
    assert browser.complaints() == []
    assert browser.requests() == [pages[name].resolve().as_uri()]
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate("[...document.images].every(one => one.naturalWidth > 0)")
    assert browser.evaluate("document.compatMode") == "CSS1Compat"


def test_both_schemes_are_drawn_and_differ(browser, pages):
    browser.show(pages["photograph"], DESK, "light")
    light = shown(browser.screenshot())
    browser.show(pages["photograph"], DESK, "dark")
    dark = shown(browser.screenshot())
    assert light.shape == dark.shape
    assert np.median(light) > 200
    assert np.median(dark) < 60
    for picture in (light, dark):
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 1000
        assert picture.std() > 10


def test_the_dark_scheme_shows_the_dark_figures(browser, pages):
    source = "[...document.querySelectorAll('picture img')].map(one => one.currentSrc.slice(-200))"
    browser.show(pages["photograph"], DESK, "light")
    light = browser.evaluate(source)
    browser.show(pages["photograph"], DESK, "dark")
    dark = browser.evaluate(source)
    assert len(light) >= 7
    assert not set(light) & set(dark)


def test_everything_that_scrolls_or_unfolds_can_be_reached_by_keyboard(browser, pages):
    browser.show(pages["photograph"], PHONE)
    scrolling = "[...document.querySelectorAll('.scroll')].every(one => one.tabIndex === 0)"
    assert browser.evaluate(scrolling)
    assert browser.evaluate(
        "[...document.querySelectorAll('details')].every(one => one.firstChild.tagName === 'SUMMARY')"
    )


OVERFLOWING = """[...document.querySelectorAll('.scroll')].filter(one => one.querySelector('table'))
    .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.getAttribute('aria-label'))"""
CAPTIONS = "[...document.querySelectorAll('caption > span')].map(one => one.getBoundingClientRect().width)"
PAPER = 680  # A4 less its borders, in CSS pixels


@pytest.fixture
def paper(browser):
    yield lambda path: (browser.show(path, PAPER), browser.call("Emulation.setEmulatedMedia", media="print"))
    browser.call("Emulation.setEmulatedMedia", media="")


def test_it_can_be_printed(browser, pages):
    browser.show(pages["photograph"], DESK)
    assert browser.print_pdf().startswith(b"%PDF")


def test_the_table_of_verdicts_fits_a_telephone(browser, pages):
    browser.show(pages["photograph"], PHONE)
    first = "document.querySelectorAll('.scroll')[0]"
    assert "as JPEG 75" in browser.evaluate(f"{first}.innerText")
    assert browser.evaluate(f"{first}.scrollWidth <= {first}.clientWidth")


def test_what_is_folded_away_is_printed(browser, pages, paper):
    paper(pages["photograph"])
    heights = browser.evaluate(
        "[...document.querySelectorAll('details')].map(one => one.lastElementChild.getBoundingClientRect().height)"
    )
    assert len(heights) == 3
    assert min(heights) > 40


@pytest.fixture(scope="module")
def wide_page(tmp_path_factory):
    """The page of sets with long names, whose pictures share a grid of 4 pixels."""
    folder = tmp_path_factory.mktemp("wide")
    rng = np.random.default_rng(6)
    for generator in ("real", "a-generator-with-a-long-name", "another_generator_with_a_name_longer_still"):
        place = folder / "photographs-of-a-long-name-2026" / generator
        place.mkdir(parents=True)
        for k in range(3):
            pixels = rng.normal(128, 20, (128, 128, 3))
            pixels[::4] += 40 * (generator != "real")
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(place / f"{k}.png")
    study = spectrum([folder / "photographs-of-a-long-name-2026"], folder / "out")
    return write_spectrum_report(study, folder / "out")


def test_the_tables_of_spectra_fit_a_desk_and_paper(browser, wide_page, paper):
    browser.show(wide_page, DESK)
    assert browser.complaints() == []
    assert browser.evaluate("document.querySelectorAll('table').length") >= 6
    assert browser.evaluate(OVERFLOWING) == []
    paper(wide_page)
    assert browser.evaluate(OVERFLOWING) == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= PAPER


def test_names_of_sets_break_between_their_parts_on_a_telephone(browser, tmp_path):
    made = table(
        ["set", *"abcdefgh"], [["apple2orange256/cyclegan", *["number"] * 8]], caption="wide", numeric=range(1, 9)
    )
    (tmp_path / "names.html").write_text(render_page("names", made), encoding="utf-8")
    browser.show(tmp_path / "names.html", PHONE)
    height = "document.querySelector('tbody th').getClientRects()[0].height"
    line = "parseFloat(getComputedStyle(document.querySelector('tbody th')).lineHeight)"
    assert 2 <= browser.evaluate(f"{height} / {line}") < 3
    assert browser.evaluate("document.documentElement.scrollWidth") <= PHONE


def test_a_page_of_spectra_does_not_scroll_sideways_and_its_figures_take_the_width_that_there_is(browser, wide_page):
    browser.show(wide_page, PHONE)
    assert browser.evaluate("document.documentElement.scrollWidth") <= PHONE
    browser.show(wide_page, DESK)
    column = browser.evaluate("document.querySelector('main section h2').getBoundingClientRect().width")
    widths = browser.evaluate("[...document.querySelectorAll('figure img')].map(one => one.clientWidth)")
    assert min(width for width in widths if width) > 0.85 * column


def test_captions_wrap_to_what_is_seen_of_a_table(browser, wide_page):
    browser.show(wide_page, PHONE)
    assert browser.evaluate(OVERFLOWING) != []
    assert max(browser.evaluate(CAPTIONS)) <= PHONE
