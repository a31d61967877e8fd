"""Verdicts from Python: lazily, in order, with the workers gone when the reader is."""

import pickle
import sys
import threading
from collections import Counter
from contextlib import closing
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import spectell
from spectell.errors import ArtifactError, ParameterError
from spectell.evaluation.thresholds import Thresholds
from spectell.workflows.scan import scan, scan_to_file
from spectell.workflows.verdict import Verdict
from spectell.workflows.workers.pending import PENDING

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the model of these tests reaches workers by forking"),
    pytest.mark.usefixtures("forked"),
]


class BrightnessModel:
    """Calls an image generated whose mean is above 95, at a rate of 5 %, and real up to 20."""

    name = "brightness"
    min_size = 8
    thresholds = Thresholds(np.arange(1.0, 100.0), fake_floor=20.0)
    card = SimpleNamespace(as_text=lambda: "the card")

    def score(self, pixels, *, thorough=False):
        return SimpleNamespace(score=float(pixels.mean()) + thorough, distance=0.0, classes=())


@pytest.fixture
def model():
    return BrightnessModel()


@pytest.fixture
def pictures(tmp_path):
    for name, level in (("a.png", 10), ("b.png", 50), ("c.png", 200)):
        Image.fromarray(np.full((16, 24, 3), level, np.uint8)).save(tmp_path / name)
    return tmp_path


def test_a_verdict_carries_everything_that_the_row_has(pictures, model):
    (verdict,) = scan(pictures / "a.png", model=model, fpr=0.05)
    probability = 1 / (1 + np.exp(-10.0))
    assert verdict == Verdict(
        *(str(pictures / "a.png"), "real", pytest.approx(probability), 10.0, 0.05, "brightness", 24, 16, "PNG")
    )


@pytest.mark.parametrize("workers", [None, 1, 3])
def test_files_folders_and_repetitions_come_in_order(pictures, model, workers):
    paths = [pictures / "c.png", str(pictures), pictures / "c.png"]
    found = [verdict.verdict for verdict in scan(paths, model=model, fpr=0.05, workers=workers)]
    assert found == ["generated", "real", "inconclusive", "generated", "generated"]


def test_options_reach_the_reader_and_the_model(pictures, model):
    (thorough,) = scan(pictures / "a.png", model=model, fpr=0.05, thorough=True)
    assert thorough.score == 11.0
    (large,) = scan(pictures / "a.png", model=model, fpr=0.05, max_pixels=383)
    assert large.verdict == "error"
    assert "max_pixels = 383" in large.error


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fpr": 0.01}, "fpr must lie between 0.0304 and 0.5 with 99 calibration images"),
        ({"max_pixels": 0}, "max_pixels must be at least 1, got 0"),
        ({"workers": 0}, "workers must be at least 1, got 0"),
        ({"timeout": -1.0}, r"timeout must be at least 0\.1 s, got -1\.0"),
    ],
)
def test_arguments_are_refused_when_called_and_leave_no_output(tmp_path, model, options, message):
    options = {"fpr": 0.05, "model": model, **options}
    with pytest.raises(ParameterError, match=message):
        scan("a.jpg", **options)
    with pytest.raises(ParameterError, match=message):
        scan_to_file("a.jpg", tmp_path / "rows.csv", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_is_not_there_is_refused_when_called():
    with pytest.raises(ArtifactError, match=r"no-such\.safetensors"):
        scan("a.jpg", model="no-such.safetensors")


def test_paths_are_taken_lazily_and_closing_stops(pictures, model):
    taken = Counter()

    def endless():
        while True:
            taken["paths"] += 1
            yield pictures / "a.png"

    with closing(scan(endless(), model=model, fpr=0.05)) as verdicts:
        assert len(list(islice(verdicts, 5))) == 5
    assert taken["paths"] < 3000


def test_memory_does_not_grow_with_the_files(model):
    import tracemalloc

    def peak(n):
        done = 0

        def paths():
            for number in range(n):
                while number - done >= 128:  # on a busy machine 2,048 answers may wait for one, with 600 kB
                    yield PENDING
                yield f"missing-{number}.jpg"

        tracemalloc.start()
        for done, _ in enumerate(scan(paths(), model=model, fpr=0.05), start=1):  # noqa: B007 - read by paths
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(100)
    assert peak(6000) < peak(1000) + 100_000


def test_rows_are_written_before_they_are_handed_out(pictures, model):
    output = pictures / "rows.jsonl"
    for number, _ in enumerate(scan_to_file(pictures, output, model=model, fpr=0.05), start=1):
        assert output.read_bytes().count(b"\n") == number


def test_an_abandoned_run_can_be_resumed(pictures, model):
    output, finished = pictures / "rows.csv", Counter()
    with closing(scan_to_file(pictures, output, model=model, fpr=0.05)) as verdicts:
        next(verdicts)
    resumed = scan_to_file(pictures, output, resume=True, finished=finished, model=model, fpr=0.05)
    assert [verdict.verdict for verdict in resumed] == ["inconclusive", "generated"]
    assert finished == {"real": 1}


def test_another_model_cannot_resume(pictures, model):
    output = pictures / "rows.csv"
    list(scan_to_file(pictures, output, model=model, fpr=0.05))
    model.card = SimpleNamespace(as_text=lambda: "another card")
    with pytest.raises(ParameterError, match="made with model_sha256 = "):
        scan_to_file(pictures, output, resume=True, model=model, fpr=0.05)


def test_a_verdict_survives_pickling(pictures, model):
    (verdict,) = scan(pictures / "a.png", model=model, fpr=0.05)
    assert pickle.loads(pickle.dumps(verdict)) == verdict


def test_a_program_with_threads_gets_the_same_verdicts(pictures, tmp_path_factory, monkeypatch):
    monkeypatch.undo()  # fork no more
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    try:
        path = tmp_path_factory.mktemp("model") / "small.safetensors"
        spectell.save_model(_small_model(), path)
        verdicts = list(scan(pictures, model=path, fpr=0.05, workers=1))
    finally:
        release.set()
        thread.join()
    assert [verdict.error for verdict in verdicts] == [None] * 3


def _small_model():
    from spectell.detectors.card import CalibrationCard, DistanceCard, ModelCard, PartCard, ThresholdCard
    from spectell.detectors.distance import BandDistance
    from spectell.detectors.features import BlockFeatures
    from spectell.detectors.heads import LinearHead
    from spectell.detectors.standardisation import Standardisation

    front_end = BlockFeatures(size=4)
    n = front_end.n_features
    card = ModelCard(
        name="small",
        front_end=PartCard(front_end.name, front_end.config),
        head=PartCard("linear", LinearHead(np.zeros(n), 0.0).config),
        log_offset=front_end.log_offset,
        min_size=front_end.min_size,
        calibration=CalibrationCard(1.0, 0.0, 100, 50, "numbers", "there are no others"),
        thresholds=ThresholdCard(-50.0, 100, 50, {"0.05": -5.0}, "numbers"),
        distance=DistanceCard("bands", 0.99, 2.0, 150, BandDistance(np.zeros(8), np.eye(8), limit=2.0).config),
        **{"trained_on": "nothing", "not_good_at": "anything", "licence": "CC0", "seed": 7, "manifest_hash": ""},
    )
    return spectell.Model(
        card,
        front_end=front_end,
        standardisation=Standardisation(np.zeros(n), np.ones(n)),
        head=LinearHead(np.zeros(n), 0.0),
        distance=BandDistance(np.zeros(8), np.eye(8), limit=2.0),
        real_scores=np.arange(-100.0, 0.0),
    )


@pytest.mark.shared_data
def test_every_shared_photograph_is_read(shared_data, model):
    verdicts = list(scan(shared_data / "cameras" / "real", model=model, fpr=0.05))
    assert len(verdicts) == 90
    assert all(verdict.error is None for verdict in verdicts)
