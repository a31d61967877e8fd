"""The row, the rule that makes it, and the text of paths."""

import json
import math
import os
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from spectell.errors import ParameterError
from spectell.evaluation.thresholds import Thresholds
from spectell.images import DecodedImage, ImageFacts
from spectell.workflows.verdict import FIELDS, Verdict, judge, path_from_text, printable_path, probability

file_names = st.binary(min_size=1).filter(lambda name: b"\0" not in name)


def image(side: int = 64, **facts) -> DecodedImage:
    values = {"format": "PNG", "width": side, "height": side, "mode": "RGB", **facts}
    return DecodedImage(np.zeros((side, side, 3), np.uint8), ImageFacts(**values))


NAMES = ("real", "progan", "stylegan")


def model(score: float = 0.0, distance: float = 0.5, classes: tuple[float, ...] = ()) -> SimpleNamespace:
    """Real calibration scores 1 to 99: at 5 %, generated from just above 95 up, real up to 20."""
    thresholds = Thresholds(np.arange(1.0, 100.0), fake_floor=20.0)
    found = SimpleNamespace(score=score, distance=distance, classes=classes)
    card = SimpleNamespace(class_names=NAMES)
    return SimpleNamespace(
        name="fake", min_size=32, card=card, thresholds=thresholds, score=lambda pixels, *, thorough: found
    )


def test_the_fields_are_those_of_the_contract_in_their_order():
    contract = "path verdict probability score fpr model width height format jpeg_quality warnings error generator"
    assert " ".join(FIELDS) == contract


@pytest.mark.parametrize(("score", "verdict"), [(96.0, "generated"), (50.0, "inconclusive"), (20.0, "real")])
def test_the_thresholds_decide(score, verdict):
    judged = judge(image(), model(score), fpr=0.05)
    assert (judged.verdict, judged.score, judged.warnings) == (verdict, score, ())


@pytest.mark.parametrize(
    ("score", "distance", "classes", "generator"),
    [
        (96.0, 0.5, (-1.0, 0.2, 0.9), "stylegan"),
        (96.0, 0.5, (2.0, 0.2, -0.9), "progan"),  # the thresholds said that it is generated
        (50.0, 0.5, (-1.0, 0.2, 0.9), None),
        (20.0, 0.5, (2.0, 0.2, 0.9), None),
        (96.0, 1.5, (-1.0, 0.2, 0.9), None),  # unlike anything in training
        (96.0, 0.5, (), None),
    ],
)
def test_a_generator_is_named_beside_that_verdict_alone(score, distance, classes, generator):
    assert judge(image(), model(score, distance, classes), fpr=0.05).generator == generator


def test_an_image_below_the_smallest_size_is_inconclusive_and_never_scored():
    unused = model()
    unused.score = None
    judged = judge(image(31), unused, fpr=0.05)
    assert (judged.verdict, judged.probability, judged.warnings) == ("inconclusive", 0.5, ("too small for this model",))


@pytest.mark.parametrize("distance", [1.01, math.inf, math.nan])
def test_an_image_unlike_the_training_is_inconclusive_whatever_its_score(distance):
    judged = judge(image(), model(1e6, distance), fpr=0.05)
    assert (judged.verdict, judged.warnings) == ("inconclusive", ("unlike anything in training",))


def test_a_distance_at_its_limit_is_still_like_the_training():
    assert judge(image(), model(96.0, 1.0), fpr=0.05).verdict == "generated"


@pytest.mark.parametrize(
    ("facts", "warning"),
    [
        ({"format": "JPEG", "jpeg_quality": 49}, "heavily compressed"),
        ({"frames": 2}, "only the first frame was judged"),
        ({"transparent": True}, "transparency was ignored"),
        ({"c2pa": True}, "carries a C2PA manifest, which is no evidence"),
        ({"digital_source_type": "trainedAlgorithmicMedia"}, "declares a digital source type, which is no evidence"),
        ({"generation_parameters": "parameters"}, "carries a generator's parameters, which are no evidence"),
    ],
)
@pytest.mark.parametrize("score", [96.0, 20.0])
def test_facts_are_told_and_never_move_the_verdict(facts, warning, score):
    told, plain = judge(image(**facts), model(score), fpr=0.05), judge(image(), model(score), fpr=0.05)
    assert told.warnings == (warning,)
    assert (told.verdict, told.score, told.probability) == (plain.verdict, plain.score, plain.probability)


def test_a_jpeg_of_quality_50_is_not_heavily_compressed():
    assert judge(image(format="JPEG", jpeg_quality=50), model(), fpr=0.05).warnings == ()


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_refused(score):
    with pytest.raises(ParameterError, match="a score must be finite"):
        judge(image(), model(score), fpr=0.05)


def test_thorough_reaches_the_model():
    seen = []
    listening = model()
    found = SimpleNamespace(score=0.0, distance=0.0, classes=())
    listening.score = lambda pixels, *, thorough: seen.append(thorough) or found
    judge(image(), listening, fpr=0.05, thorough=True)
    assert seen == [True]


@given(st.floats(-700, 700))
def test_probability_is_the_logistic_of_the_score(score):
    assert math.isclose(probability(score), 0.5 * (1 + math.tanh(score / 2)), abs_tol=1e-12)
    assert math.isclose(probability(score) + probability(-score), 1.0)


@given(file_names)
def test_every_name_becomes_valid_text_and_comes_back(raw):
    path = os.fsdecode(raw)
    text = printable_path(path)
    text.encode("utf-8")
    assert os.fsencode(path_from_text(text)) == raw


@given(st.from_regex(r"(\\|x|[0-9a-f]|\udce9){1,8}", fullmatch=True))
def test_names_that_look_like_escapes_come_back(path):
    assert path_from_text(printable_path(path)) == os.fsdecode(os.fsencode(path))


def test_an_ordinary_name_is_left_alone():
    for path in ("a b.jpg", "Zürich/ñ.png", "C:\\photos\\a.jpg", "日本.jpg"):
        assert printable_path(path) == path


@given(file_names, st.text())
def test_a_row_is_always_valid_json(raw, error):
    row = Verdict.failed(os.fsdecode(raw), os.fsdecode(raw) + error, fpr=0.01, model="fake")
    text = json.dumps(row.as_dict(), ensure_ascii=False, allow_nan=False).encode("utf-8")
    assert json.loads(text) == row.as_dict()
    assert tuple(row.as_dict()) == FIELDS


@pytest.mark.parametrize("score", [96.0, 50.0, 20.0])
def test_resizing_is_told_and_never_moves_the_verdict(rng, score):
    noise = rng.integers(0, 256, (100, 100, 3), dtype=np.uint8)
    resized = np.asarray(Image.fromarray(noise).resize((150, 150), Image.Resampling.BILINEAR))
    plain, told = (
        judge(DecodedImage(pixels, image(len(pixels)).facts), model(score), fpr=0.05) for pixels in (noise, resized)
    )
    assert plain.warnings == ()
    assert told.warnings == ("looks resized, which hides what generators leave",)
    assert (told.verdict, told.score, told.probability) == (plain.verdict, plain.score, plain.probability)
