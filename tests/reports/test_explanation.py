"""The page says what was found, loads nothing, and holds nothing of the file but what it lists."""

import base64
import dataclasses
import html.parser
import io
import re

import numpy as np
import pytest
from PIL import Image

from spectell.reports.explanation import render_explanation
from spectell.reports.explanation_figures import PREVIEW_SIDE, preview
from spectell.reports.explanation_words import (
    HEADLINES,
    MEANINGS,
    SHAPES,
    TOO_SMALL,
    evidence_sentence,
    peaks_sentence,
    profile_sentence,
    reasons_sentence,
    spectrum_sentence,
    standing_sentences,
    trials_sentence,
)
from spectell.reports.file_section import WARNING_MEANINGS
from spectell.spectra import Peak
from spectell.workflows import verdict as verdicts
from spectell.workflows.explain import explain
from spectell.workflows.explaining.image_peaks import ImagePeaks, PeakGroup
from spectell.workflows.explaining.standing import Standing

GPS, MAKE, SERIAL, OWNER = 0x8825, 0x010F, 0xA431, 0xA430
SECRETS = (b"SN-4711-SECRET", b"Erika Mustermann", b"Planted Maker", b"SECRETPLACE", b"planted comment", b"planted xmp")


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A JPEG with a place, a serial number, an owner, a maker, a comment and XMP."""
    rng = np.random.default_rng(3)
    coarse = Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).resize((160, 160))
    exif = Image.Exif()
    exif[MAKE] = "Planted Maker"
    exif.get_ifd(0x8769).update({SERIAL: "SN-4711-SECRET", OWNER: "Erika Mustermann"})
    exif.get_ifd(GPS).update({1: "N", 2: (52.0, 31.0, 12.0), 27: "SECRETPLACE"})
    path = tmp_path_factory.mktemp("erika") / "a&<b>.jpg"
    coarse.save(path, "JPEG", quality=88, exif=exif, comment=b"planted comment", xmp=b"<x>planted xmp</x>")
    content = path.read_bytes()
    assert all(secret in content for secret in SECRETS)
    return path


@pytest.fixture(scope="module")
def found(planted):
    return explain(planted)


@pytest.fixture(scope="module")
def page(found):
    return render_explanation(found)


class Outline(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.images, self.loaded, self.headings, self.embedded = [], [], [], []
        self._heading = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self._heading = tag == "h2"
        if tag == "img":
            self.images.append(named)
        for name in ("src", "srcset", "href", "data", "poster"):
            value = named.get(name) or ""
            if value.startswith("data:"):
                self.embedded.append(base64.b64decode(value.partition(",")[2]))
            elif value and not value.startswith("#"):
                self.loaded.append(value)

    def handle_data(self, data):
        if self._heading:
            self.headings.append(data)
            self._heading = False


def test_the_page_loads_nothing_and_is_small(page):
    outline = Outline(page)
    assert outline.loaded == []
    assert "@import" not in page
    assert "<script" not in page
    assert len(page.encode()) < 600_000
    assert page.startswith("<!doctype html>")


def test_every_picture_says_what_it_shows(page):
    images = Outline(page).images
    assert len(images) >= 8
    assert all(len(image["alt"]) > 30 for image in images)


def test_the_sections_come_in_the_order_in_which_they_are_needed(page):
    assert Outline(page).headings == [
        "How sure is this?",
        "What would change the verdict",
        "Where the evidence lies",
        "What moved the score",
        "The spectrum beside those of photographs",
        "Regular peaks",
        "The file",
        "What it was compared with",
    ]


def test_the_page_has_the_sentences_with_the_numbers(found, page):
    import html as entities

    text = entities.unescape(page)
    sentences = [*standing_sentences(found.standing), trials_sentence(found.trials), evidence_sentence(found.evidence)]
    for sentence in [*sentences, profile_sentence(found.spectrum), peaks_sentence(found.peaks)]:
        assert sentence in text
    assert HEADLINES[found.verdict.verdict] in text
    assert SHAPES[found.verdict.verdict] in text
    assert found.file.sha256 in text


def test_a_hostile_name_is_text(page):
    assert "<b>.jpg" not in page
    assert "a&amp;&lt;b&gt;.jpg" in page


def test_nothing_of_the_files_metadata_reaches_the_page(found, page, planted):
    everything = [page.encode(), repr(found.as_dict()).encode(), *Outline(page).embedded]
    for content in everything:
        for secret in (*SECRETS, b"Exif\0", planted.parent.name.encode()):
            if content is not everything[1] or secret != planted.parent.name.encode():  # the row has the path as given
                assert secret not in content


def test_the_preview_is_made_of_pixels_alone(found):
    with Image.open(io.BytesIO(preview(found.pixels))) as image:
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert not image.getexif()
        assert image.size == (160, 160)


def test_a_large_picture_is_shown_reduced():
    with Image.open(io.BytesIO(preview(np.zeros((1200, 3000, 3), np.uint8)))) as image:
        assert image.size == (PREVIEW_SIDE, 320)


@pytest.mark.parametrize("verdict", ["real", "generated", "inconclusive"])
def test_each_verdict_has_its_words_and_its_shape(found, verdict):
    changed = dataclasses.replace(found, verdict=dataclasses.replace(found.verdict, verdict=verdict))
    page = render_explanation(changed)
    assert MEANINGS[verdict] in page
    assert f'aria-hidden="true" style="font-size:.8em;margin-right:.35em">{SHAPES[verdict]}<' in page


def test_a_tiny_picture_has_a_page_too(tmp_path):
    Image.new("RGB", (9, 9), "red").save(tmp_path / "tiny.png")
    page = render_explanation(explain(tmp_path / "tiny.png"))
    assert "Too small for this model" in page
    assert "the model judges images from 32 × 32 pixels up" in page
    assert TOO_SMALL in page
    assert "This spectrum does not tell" not in page


@pytest.mark.parametrize(
    ("below", "above", "expected"),
    [
        (0, 0, "At all 16 frequencies it lies within the band"),
        (0, 11, "At 11 of 16 frequencies it lies above the band"),
        (16, 0, "At all 16 frequencies it lies below the band"),
        (3, 2, "At 3 of 16 frequencies it lies below and at 2 above the band"),
        (15, 1, "At 15 of 16 frequencies it lies below and at 1 above the band"),
    ],
)
def test_the_sentence_on_the_profile_counts_the_rings_outside_the_band(found, below, above, expected):
    bounds = np.repeat(np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]]), 16, axis=1)
    profile = np.zeros(16)
    profile[:below], profile[16 - above :] = -2.5, 2.5
    compared = dataclasses.replace(
        found.spectrum, frequencies=np.arange(16) / 32, profile=profile, percentiles=bounds, n_blocks=1000
    )
    assert profile_sentence(compared).startswith(f"{expected} that 90 of 100 photographs keep to")


def test_the_rings_of_a_picture_are_counted_against_the_reference(found):
    compared = found.spectrum
    below = sum(one < bound for one, bound in zip(compared.profile, compared.percentiles[0], strict=True))
    above = sum(one > bound for one, bound in zip(compared.profile, compared.percentiles[4], strict=True))
    said = profile_sentence(compared)
    assert below + above > 0
    for number, word in ((below, "below"), (above, "above")):
        assert (word in said) == (number > 0)
        assert number in {0, len(compared.profile)} or re.search(rf"\b{number}\b", said)


def test_almost_all_photographs_are_not_all(found):
    assert "; more than 99 of 100 photographs" in spectrum_sentence(
        dataclasses.replace(found.spectrum, share_below=0.999)
    )
    assert "; fewer than 1 of 100" in spectrum_sentence(dataclasses.replace(found.spectrum, share_below=0.001))


def test_the_start_of_a_small_picture_is_said_to_belong_to_its_size(tmp_path, found, page):
    rng = np.random.default_rng(4)
    Image.fromarray(rng.integers(0, 256, (32, 40, 3), dtype=np.uint8)).save(tmp_path / "small.png")
    small = explain(tmp_path / "small.png")
    assert abs(small.reasons.start) != pytest.approx(abs(found.reasons.start), rel=0.05)
    assert "would have at this image's size" in reasons_sentence(small.reasons)
    said = "The score of a small image is scaled down with its size"
    assert said in render_explanation(small)
    assert (said in page) == (found.model.trust(160 * 160) < 1)


def test_every_warning_has_a_meaning():
    names = [name for name in vars(verdicts) if name.isupper() and isinstance(getattr(verdicts, name), str)]
    assert set(WARNING_MEANINGS) == {getattr(verdicts, name) for name in names}


def test_peaks_are_told_with_their_place_and_possible_causes(found):
    group = PeakGroup(8, "JPEG grid or up-sampling.", (Peak(-0.125, 0.25, 7.25, 1e-6, 6.0, 1 / 128),))
    page = render_explanation(dataclasses.replace(found, peaks=ImagePeaks(128, 0.01, (group,))))
    assert "One narrow peak stands out of the spectrum." in page
    assert "7.2 dB above its surroundings, at 0.125 cycles per pixel down and 0.250 across" in page
    assert "JPEG grid or up-sampling." in page


def test_no_sentence_claims_proof(page):
    words = re.sub(r"data:[^\"]*", "", page).lower()
    assert "no proof" in words or "not a proof" in words
    assert "fake" not in words


@pytest.mark.parametrize(
    ("n_as_high", "said"),
    [(0, "none is at least as high as that of this image: 0.5\xa0%"), (1, "one is"), (29, "29 are at least")],
)
def test_the_share_as_high_is_the_same_on_the_page_and_in_the_json(n_as_high, said):
    standing = Standing(1.0, 0.01, 0.9, 0.1, n_real=199, n_as_high=n_as_high, n_generated=100)
    sentence = standing_sentences(standing)[0]
    assert said in sentence
    assert f"{100 * standing.as_dict()['share_as_high']:.2g}\xa0%, with this image counted among them." in sentence
