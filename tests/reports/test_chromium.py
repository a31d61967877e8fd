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
from spectell.workflows.explain import explain
from spectell.workflows.photographs import PHOTOGRAPHS

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


def test_it_can_be_printed(browser, pages):
    browser.show(pages["photograph"], DESK)
    assert browser.print_pdf().startswith(b"%PDF")
