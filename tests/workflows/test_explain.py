"""Every number of an explanation beside a naive computation of it."""

import hashlib
import io
import json
import math

import numpy as np
import pytest
from PIL import Image

from spectell.detectors import load_model
from spectell.detectors.features import BlockFeatures, DCTFeatures
from spectell.detectors.layout import lay_out
from spectell.detectors.reference import load_reference
from spectell.detectors.stack import StackedFeatures
from spectell.errors import ImageError, ParameterError
from spectell.images import read_image
from spectell.workflows.explain import explain
from spectell.workflows.explaining.comparison import compare_spectrum
from spectell.workflows.explaining.reasons import BANDS, band_of_cells, cell_frequencies
from spectell.workflows.verdict import judge


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """Smooth noise of 150 x 200 pixels, as a JPEG."""
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 256, (38, 50, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((200, 150), Image.Resampling.BICUBIC), int)
    path = tmp_path_factory.mktemp("explain") / "picture.jpg"
    Image.fromarray((smooth + rng.normal(0, 6, smooth.shape)).clip(0, 255).astype(np.uint8)).save(path, quality=90)
    return path


@pytest.fixture(scope="module")
def model():
    return load_model()


@pytest.fixture(scope="module")
def found(picture, model):
    return explain(picture, model=model, fpr=0.02)


def test_the_verdict_is_that_of_a_scan(found, picture, model):
    image = read_image(picture)
    judged = judge(image, model, fpr=0.02)
    row = found.verdict
    assert (row.verdict, row.score, row.probability, row.warnings) == (
        judged.verdict,
        judged.score,
        judged.probability,
        judged.warnings,
    )
    assert (row.path, row.fpr, row.model, row.width, row.height) == (str(picture), 0.02, model.name, 200, 150)


def test_the_file_is_named_without_its_folder_and_by_its_hash(found, picture):
    content = picture.read_bytes()
    assert found.file.as_dict() == {
        "name": "picture.jpg",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def test_the_standing_counts_the_calibration_scores(found, model):
    scores = model.thresholds.real_scores.tolist()
    as_high = sum(score >= found.verdict.score for score in scores)
    assert found.standing.n_as_high == as_high
    assert found.standing.share_as_high == (as_high + 1) / (len(scores) + 1)
    assert found.standing.threshold == model.thresholds.at(0.02)
    assert found.standing.worst is None  # the card has rates at 1 % alone


def test_the_least_favourable_measurement_is_the_one_that_is_named(picture, model):
    standing = explain(picture, model=model).standing
    rates = [rate for rate in model.card.thresholds.verified if rate.fpr == 0.01]
    assert standing.worst == max(rates, key=lambda rate: rate.exceeded / rate.n)
    assert standing.overall == max(rates, key=lambda rate: rate.n)


def test_start_and_contributions_add_up_to_the_score(found):
    reasons = found.reasons
    assert reasons.score == pytest.approx(found.verdict.score, abs=1e-6)
    assert reasons.start + sum(reasons.kinds.values()) == pytest.approx(reasons.score + reasons.gap, abs=1e-6)
    assert abs(reasons.gap) < 0.002
    for kind, values in reasons.maps.items():
        assert values.sum() == pytest.approx(reasons.kinds[kind])
        assert sum(reasons.bands[kind].values()) == pytest.approx(reasons.kinds[kind])


def test_the_start_is_the_score_of_the_average_photograph(found, model):
    average = load_reference().features_for(model.front_end)
    raw = float(model.head.decide(model.standardisation.apply(average[np.newaxis]))[0])
    expected = model.card.calibration.slope * raw + model.card.calibration.intercept  # 150 x 200 is above full size
    assert found.reasons.start == pytest.approx(expected)


@pytest.mark.parametrize(
    ("front_end", "sides"),
    [
        (BlockFeatures(size=32), {"luma": [32], "colour": [32]}),
        (BlockFeatures(size=16), {"luma": [16], "colour": [16]}),
        (BlockFeatures(size=24, colour=False), {"luma": [24]}),
        (DCTFeatures(size=128), {"luma": [128]}),
        (
            StackedFeatures([BlockFeatures(size=32, colour=False), BlockFeatures(size=16)]),
            {"luma": [32, 16], "colour": [16]},
        ),
    ],
)
def test_a_cell_lies_where_the_coefficients_lie_that_are_summed_into_it(front_end, sides):
    found = cell_frequencies(front_end)
    assert list(found) == list(sides) == list(lay_out(front_end, np.zeros(front_end.n_features)).maps)
    for kind, each in sides.items():
        inside = {cell: [] for cell in range(16)}
        for side in each:
            for down in range(side):
                for across in range(side):
                    inside[down * 16 // side].append((down / (2 * side), across))
        means = [np.mean([frequency for frequency, _ in inside[cell]]) for cell in range(16)]
        assert found[kind] == pytest.approx(means, abs=1e-12)


def test_the_frequencies_of_the_default_model_are_those_of_its_blocks(found):
    assert found.reasons.frequencies["colour"].tolist() == [cell / 32 for cell in range(16)]
    offset = (4 * (1 / 128) + 1 * 0) / 5  # 2 x 2 coefficients of blocks of 32, and one of blocks of 16
    assert found.reasons.frequencies["luma"] == pytest.approx([cell / 32 + offset for cell in range(16)])
    places = {kind: set(values.tolist()) for kind, values in found.reasons.frequencies.items()}
    assert all(down in places[kind] and across in places[kind] for kind, down, across, _ in found.reasons.strongest())


def test_bands_are_those_of_the_frequencies_of_cells():
    ends = [end for _, _, end in BANDS]
    frequencies = cell_frequencies(BlockFeatures(size=32))["luma"]
    for row in range(16):
        for column in range(16):
            radius = math.hypot(row + 0.25, column + 0.25) / 32
            assert band_of_cells(frequencies)[row, column] == next(i for i, end in enumerate(ends) if radius < end)


def test_the_strongest_frequencies_come_first(found):
    strongest = [abs(cell[3]) for cell in found.reasons.strongest(10)]
    assert strongest == sorted(strongest, reverse=True)
    assert strongest[0] == max(float(np.abs(values).max()) for values in found.reasons.maps.values())


def test_a_linear_models_contributions_are_exact(toy_model_path, picture):
    model = load_model(toy_model_path)
    reasons = explain(picture, model=model, fpr=0.2).reasons
    rows = model.standardisation.apply(model.front_end.rows(read_image(picture).pixels)).astype(float)
    by_hand = model.card.calibration.slope * rows[0] * model.head.weights
    assert reasons.exact
    assert reasons.starts_from == "the model's average training image"
    assert sum(reasons.kinds.values()) == pytest.approx(by_hand.sum(), rel=1e-4)
    assert abs(reasons.gap) < 1e-5


def test_deviations_are_the_difference_over_the_spread(found):
    spectrum, norm = found.spectrum, load_reference().at(found.spectrum.n_blocks)
    decibels = 10 / math.log(10)
    z = (spectrum.power / decibels - norm.mean) / norm.sd
    assert spectrum.z == pytest.approx(z)
    assert spectrum.mean == pytest.approx(decibels * norm.mean)
    luma = z[..., 0].ravel()[1:]
    assert spectrum.deviation == pytest.approx(math.sqrt((luma**2).mean()))
    assert spectrum.unusual["luma"] == pytest.approx(np.mean([abs(value) > 2 for value in luma]))
    fine = [z[k, j, 0] for k in range(32) for j in range(32) if 1 / 8 <= math.hypot(k, j) / 64 < 1 / 4]
    assert spectrum.bands["luma"]["fine"] == pytest.approx(np.mean(fine))
    below = sum(value < low for value, low in zip(spectrum.profile, spectrum.percentiles[0], strict=True))
    assert spectrum.outside[0] == below


def test_a_photograph_like_the_mean_deviates_little(rng):
    assert compare_spectrum(np.zeros((31, 31, 3), np.uint8), load_reference()) is None
    flat = compare_spectrum(np.full((64, 64, 3), 90, np.uint8), load_reference())
    assert flat.outside == (16, 0)
    assert flat.share_below > 0.5


def test_trials_judge_what_they_say(found, picture, model):
    image = read_image(picture)
    buffer = io.BytesIO()
    Image.fromarray(image.pixels).save(buffer, "JPEG", quality=75, subsampling="4:2:0")
    compressed = judge(read_image(buffer.getvalue()), model, fpr=0.02)
    halved = np.asarray(Image.fromarray(image.pixels).resize((100, 75), Image.Resampling.BICUBIC))
    names = [trial.name for trial in found.trials]
    assert names == ["as found", "saved as JPEG 75", "halved in size"]
    assert found.trials[1].judgement == compressed
    assert found.trials[2].judgement.score == pytest.approx(model.score(np.array(halved)).score)
    assert (found.trials[2].width, found.trials[2].height) == (100, 75)


def test_json_has_every_part_and_no_nan(found):
    answer = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert set(answer) == {
        *("verdict", "file", "facts", "in_training", "standing", "reasons", "spectrum", "peaks", "evidence"),
        *("trials", "reference"),
    }
    assert answer["evidence"]["counts"] == found.evidence.counts()
    assert np.array(answer["spectrum"]["z"]).shape == (32, 32, 3)


@pytest.mark.parametrize("side", [1, 16, 31])
def test_what_is_too_small_for_the_model_is_explained_all_the_same(tmp_path, rng, side):
    path = tmp_path / "small.png"
    Image.fromarray(rng.integers(0, 256, (side, 40, 3), dtype=np.uint8)).save(path)
    found = explain(path)
    assert found.verdict.verdict == "inconclusive"
    assert (found.standing, found.reasons, found.spectrum, found.peaks, found.evidence) == (None,) * 5
    assert [trial.as_dict()["probability"] for trial in found.trials] == [None] * 3
    json.dumps(found.as_dict(), allow_nan=False)


def test_a_picture_of_the_smallest_size_loses_its_verdict_when_halved(tmp_path, rng):
    path = tmp_path / "tiny.png"
    Image.fromarray(rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(path)
    found = explain(path)
    assert [trial.judged for trial in found.trials] == [True, True, False]
    assert found.evidence is None
    assert found.spectrum.n_blocks == 1


@pytest.mark.shared_data
def test_a_training_picture_is_recognised(shared_data):
    path = min((shared_data / "faces256" / "real").iterdir())
    assert explain(path).in_training


def test_another_picture_is_not(found):
    assert not found.in_training


def test_a_broken_file_is_an_image_error(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ImageError, match=r"cannot read .*a\.jpg"):
        explain(tmp_path / "a.jpg")


def test_a_rate_that_cannot_be_had_is_said_before_the_file_is_read():
    with pytest.raises(ParameterError, match="fpr must lie between"):
        explain("no-such-file.jpg", fpr=1e-9)
