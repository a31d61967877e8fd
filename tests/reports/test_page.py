import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spectell.errors import ParameterError
from spectell.reports.markup import Markup, element, join, text
from spectell.reports.page import render_page, section, write_page
from spectell.reports.parts import callout, details, facts, figure, file_link, items, paragraph, table

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
HOSTILE = ["<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "a\udce9\udcff", "&amp;", "\u202egpj.exe"]


class Page(HTMLParser):
    VOID = ("br", "hr", "img", "meta", "source", "wbr")

    def __init__(self, page):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


def everything(name):
    return render_page(
        name,
        section(
            name,
            paragraph(name),
            items(name),
            facts([(name, name)]),
            callout(name, name, kind="bad"),
            details(name, name),
        ),
        section(
            name, table([name, "n"], [[name, 1]], caption=name), figure(PNG, dark=PNG + b"1", alt=name, caption=name)
        ),
        section("links", file_link(name)),
        lead=name,
        eyebrow=name,
        footer=name,
        contents=True,
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_markup(name):
    page, harmless = Page(everything(name)), Page(everything("name"))
    page.tags = [tag for tag in page.tags if tag != ("wbr", {})]  # a slash in a row's name may end a line
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    assert [sorted(found) for _, found in page.tags] == [sorted(found) for _, found in harmless.tags]


@given(st.text())
def test_any_text_can_be_encoded_and_read_again(name):
    page = Page(render_page("x", paragraph(name)))
    page_text = "".join(page.words)
    assert text(name).encode("utf-8").decode() in render_page("x", paragraph(name))
    if name.isprintable():
        assert name in page_text


def test_bytes_that_are_not_utf_8_are_shown_as_escapes(tmp_path):
    write_page(tmp_path / "page.html", render_page("caf\udce9", section("a\udcff")))
    assert "caf\\xe9" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere():
    page = everything("name")
    for _, attributes in Page(page).tags:
        for key in ("src", "srcset", "href", "data", "poster"):
            assert attributes.get(key, "#").startswith(("data:", "#", "./"))
    assert not any(word in page for word in ("@import", "url(", "<script", "<link", "http:", "https:"))


def test_every_picture_has_words_and_both_schemes():
    tags = Page(everything("name")).tags
    assert all(attributes["alt"].strip() for tag, attributes in tags if tag == "img")
    (source,) = (attributes for tag, attributes in tags if tag == "source")
    (image,) = (attributes for tag, attributes in tags if tag == "img")
    assert source["media"] == "screen and (prefers-color-scheme: dark)"
    assert source["srcset"] != image["src"]
    with pytest.raises(ParameterError, match="alt must say"):
        figure(PNG, alt="  ")


def test_the_page_has_its_landmarks_and_its_language():
    tags = Page(everything("name")).tags
    names = [tag for tag, _ in tags]
    assert names[0] == "html"
    assert tags[0][1]["lang"].startswith("en")
    assert {"header", "main", "nav", "footer", "title", "h1"} <= set(names)
    assert any(attributes.get("name") == "viewport" for _, attributes in tags)


def test_headings_of_one_name_have_places_of_their_own():
    tags = Page(everything("name")).tags
    places = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(places) == len(set(places))
    targets = {attributes["href"] for tag, attributes in tags if tag == "a" and attributes["href"].startswith("#")}
    assert targets == {f"#{place}" for place in places}


def test_what_scrolls_can_be_reached_by_the_keyboard():
    regions = [attributes for _, attributes in Page(everything("name")).tags if attributes.get("role") == "region"]
    assert regions
    assert all(attributes["tabindex"] == "0" and attributes["aria-label"] for attributes in regions)


def test_every_way_of_joining_strings_escapes():
    assert Markup("<b>") + "<" == "<b>&lt;"
    assert "<" + Markup("<b>") == "&lt;<b>"
    assert join(["<", Markup("<br>")], "&") == "&lt;&amp;<br>"
    assert f"{element('p', Markup('<b>').upper())}" == "<p>&lt;B&gt;</p>"


@pytest.mark.parametrize(("name", "attributes"), [("p", {"onclick": "x"}), ("P", {}), ("p x", {}), ("p", {"a b": "x"})])
def test_what_is_no_name_or_runs_a_script_is_refused(name, attributes):
    with pytest.raises(ParameterError, match=r"must be a lower-case name|is not an element"):
        element(name, **attributes)


def test_markup_cannot_end_an_attribute():
    assert Page(element("p", title=Markup('"><script>'))).tags == [("p", {"title": '"><script>'})]


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ParameterError, match="a row must have 2 values, one for each header, got 1"):
        table(["a", "b"], [["x"]], caption="c")


def test_a_narrow_figure_fits_a_telephone_and_a_wide_one_stays_legible():
    def least(width):
        style = re.search(r"min-width:min\(36rem,(\d+)px\)", figure(b"<svg/>", alt="map", wide=True, width=width))
        return int(style[1])

    assert least(498) <= 328
    assert least(1040) > 576
