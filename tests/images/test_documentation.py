import doctest
from dataclasses import fields
from pathlib import Path

from spectell.images import ImageFacts
from spectell.images.formats import FORMATS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "images.md"


def test_the_examples_on_the_page_run_as_printed():
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0


def test_every_format_and_fact_is_on_the_page():
    page = PAGE.read_text(encoding="utf-8")
    assert not [name for name in FORMATS if name not in page.upper()]
    assert not [field.name for field in fields(ImageFacts) if field.name not in page]
