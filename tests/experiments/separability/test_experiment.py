import html.parser
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ManifestError, ParameterError
from spectell.evaluation.intervals import Interval
from spectell.experiments.cells import read_cell
from spectell.experiments.config import resolve_config
from spectell.experiments.record import RECORD
from spectell.experiments.registry import EXPERIMENTS
from spectell.experiments.separability import experiment as separability
from spectell.experiments.separability import page as separability_page
from spectell.experiments.separability.cells import FOUND, JPEG, SCALES, Cell, SeparabilityScale
from spectell.experiments.separability.intervals import auc_interval, difference_interval, over_splits
from spectell.experiments.separability.measure import measure_cell, spectra_file
from spectell.experiments.separability.sources import list_comparisons
from spectell.experiments.separability.window import Window, choose_window

TINY = SeparabilityScale(60, 32, 3, 0.4, (10, 20), (0.01, 1.0), 40, None)


def silent(*_):
    pass


@pytest.fixture(scope="module", autouse=True)
def _one_figure():
    """Draw one figure a comparison: all are drawn alike, and most of the time would go there."""
    patch = pytest.MonkeyPatch()
    drawn = separability_page.drawings_of
    patch.setattr(separability_page, "drawings_of", lambda *given, **named: list(drawn(*given, **named))[:1])
    yield
    patch.undo()


def textures(rng, number, size=32):
    """Noise with a falling spectrum, as photographs have it."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    frequency[0, 0] = 1 / size
    spectrum = np.fft.rfft2(rng.normal(size=(number, 3, size, size))) / frequency
    planes = np.fft.irfft2(spectrum, s=(size, size))
    planes *= 30 / planes.std(axis=(2, 3), keepdims=True)
    return (128 + planes).transpose(0, 2, 3, 1)


def save(folder, images, suffix="png"):
    folder.mkdir(parents=True)
    for index, image in enumerate(images):
        Image.fromarray(np.clip(image, 0, 255).astype(np.uint8)).save(folder / f"{folder.name}-{index:03}.{suffix}")


def doubled(images):
    """Rows in equal pairs, as nearest-neighbour up-sampling leaves them: no pixel's mean tells, many magnitudes do."""
    made = images.copy()
    made[:, 1::2] = made[:, ::2]
    return made


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    """A trace that only magnitudes show; nothing; a format that leaks; sources that cannot be compared."""
    rng = np.random.default_rng(7)
    folder = tmp_path_factory.mktemp("collection")
    save(folder / "traced" / "real", textures(rng, 60))
    save(folder / "traced" / "gan", doubled(textures(rng, 60)))
    save(folder / "null" / "real", textures(rng, 60))
    save(folder / "null" / "none", textures(rng, 60))
    save(folder / "mixed" / "real", textures(rng, 30), "jpg")
    save(folder / "mixed" / "gan", textures(rng, 30))
    for name in ("real", "gan"):
        (folder / "mixed" / name / "broken.png").write_bytes(b"no image")
    save(folder / "photos" / "real", textures(rng, 3))
    save(folder / "art" / "diffusion", textures(rng, 3))
    save(folder / "few" / "real", textures(rng, 5))
    save(folder / "few" / "gan", textures(rng, 5))
    return folder


@pytest.fixture(scope="module")
def done(collection, tmp_path_factory):
    config = resolve_config("separability", collection, output=tmp_path_factory.mktemp("out") / "study", workers=1)
    page = separability.run(config, silent, TINY)
    record = json.loads((page.parent / RECORD).read_text())
    return config, page, {(one["source"], one["condition"]): one for one in record["comparisons"]}, record


def test_it_follows_upsampling_in_the_order_of_the_paper():
    names = list(EXPERIMENTS)
    assert names.index("separability") == names.index("upsampling") + 1


def test_a_trace_of_magnitudes_is_found_in_the_dct_and_not_in_pixels(done):
    found = done[2]["traced", FOUND]
    assert found["accuracy"]["DCT"]["ridge"]["estimate"] > 0.9
    assert found["accuracy"]["blocks"]["ridge"]["estimate"] > 0.9
    assert found["accuracy"]["pixel"]["ridge"]["low"] < 0.5
    assert found["gain"]["ridge"]["low"] > 0


def test_where_there_is_nothing_the_intervals_cover_chance(done):
    found = done[2]["null", FOUND]
    for domain in ("pixel", "DCT", "blocks", "thumbnails"):
        for kind in ("accuracy", "auc"):
            for interval in found[kind][domain].values():
                assert interval["low"] <= 0.5 <= interval["high"]
    assert found["gain"]["ridge"]["low"] <= 0 <= found["gain"]["ridge"]["high"]


def test_classes_of_different_formats_are_measured_after_one_history_too(done):
    _, _, found, _ = done
    assert "format" in found["mixed", FOUND]["prepared"]["histories_differ"]
    assert found["mixed", FOUND]["prepared"]["audit"]["facts"]["estimate"] == 1.0
    assert ("mixed", JPEG) in found
    assert ("traced", JPEG) not in found


def test_the_curve_ends_with_all_training_images_and_what_the_table_says(done):
    found = done[2]["traced", FOUND]
    points = [one for one in found["curve"] if one["domain"] == "DCT"]
    assert [one["images"] for one in points] == [10, 20, 36]
    assert points[-1]["estimate"] == found["accuracy"]["DCT"]["ridge"]["estimate"]


def test_what_cannot_be_compared_is_said(done):
    notes = done[3]["notes"]
    assert "photos: real images only, nothing to compare with" in notes
    assert "art: generated images only, nothing to compare with" in notes
    assert "few: gan: 5 images a class, fewer than 20" in notes
    assert "mixed: gan: 2 of 62 images, unreadable, of other sizes, or beyond balance" in notes


def test_the_spectra_differ_most_in_the_row_of_the_dct_that_doubled_rows_cannot_reach(done):
    """At half the rows' frequencies the cosine has opposite values in the rows of a pair: its coefficient is zero."""
    difference, effect, _ = np.load(spectra_file(done[1].parent, Cell("traced-gan", FOUND, 0)))
    assert np.abs(effect).mean(axis=1).argmax() == 16
    assert difference[16].max() < -10  # nats: down to what rounding leaves
    assert np.abs(difference[:8]).max() < 1


class Loaded(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in {"src", "srcset"} and not value.startswith("data:"):
                self.found.append(value)


def test_the_page_stands_by_itself_and_says_what_matters(done):
    config, page, *_ = done
    text = page.read_text()
    parser = Loaded()
    parser.feed(text)
    assert parser.found == []
    for said in (
        "as recalled, unverified",
        "75.78",
        "100.00",
        "chance is 50",
        "traced: gan",
        "Passed over",
        "not the trace",
    ):
        assert said in text
    assert config.command.split(" --data")[0] in text
    assert "Not by this command alone" in text  # sizes of its own


def test_a_second_run_finds_its_cells_and_measures_nothing(collection, done, tmp_path, monkeypatch):
    config = replace(done[0], data=str(collection / "traced"), output=str(tmp_path / "again"))
    page = separability.run(config, silent, TINY)
    first = json.loads((page.parent / RECORD).read_text())["comparisons"]

    def refuse(*_, **__):
        raise AssertionError("a cell was measured again")

    monkeypatch.setattr(separability, "measure_cell", refuse)
    assert all(cell.done for cell in separability.plan(config, TINY).cells)
    assert separability.run(config, silent, TINY) == page
    assert json.loads((page.parent / RECORD).read_text())["comparisons"] == first
    (before,) = first  # the same seed gives the same figures, whatever else lies beside
    assert before["accuracy"] == done[2]["traced", FOUND]["accuracy"]


def test_features_that_do_not_fit_in_memory_are_streamed_to_the_same_figures(done, monkeypatch):
    from spectell.workflows.training import steps as training_steps

    folder, cell = done[1].parent, Cell("mixed-gan", JPEG, 1)
    monkeypatch.setattr(training_steps, "FEATURE_BYTES", 0)
    streamed = measure_cell(cell, folder, TINY, done[0].seed)
    kept = read_cell(folder, cell)
    assert [one["accuracy"] for one in streamed["results"]] == [one["accuracy"] for one in kept["results"]]


def test_another_seed_in_the_same_folder_is_refused(done):
    config, *_ = done
    with pytest.raises(ParameterError, match="differs in seed"):
        separability.plan(replace(config, seed=1), TINY)


def test_a_plan_computes_nothing_and_lists_every_split(collection, tmp_path):
    config = resolve_config("separability", collection, output=tmp_path / "new", workers=1)
    found = separability.plan(config)
    assert not (tmp_path / "new").exists()
    splits = SCALES["small"].splits
    assert len(found.cells) == 3 * (1 + splits)
    assert found.cells[1].name == "mixed-gan-found-0"
    assert any("both classes saved as JPEG 75" in note for note in found.notes)


def test_the_command_plans_it(collection, tmp_path):
    command = [
        sys.executable,
        "-m",
        "spectell",
        "reproduce",
        "separability",
        "--data",
        collection,
        "--dry-run",
        "--json",
    ]
    done = subprocess.run([*command, "-o", tmp_path / "new"], capture_output=True, text=True, timeout=120, check=True)
    assert {cell["name"] for cell in json.loads(done.stdout)["cells"]} >= {"null-none", "traced-gan-found-0"}


def test_nothing_to_compare_is_refused(collection):
    with pytest.raises(ManifestError, match="expected folders such as faces/real"):
        list_comparisons(collection / "photos", 10)


def test_one_size_is_taken_natively_and_others_are_cut_and_never_resized():
    assert choose_window([(64, 64)] * 5 + [(99, 70)] * 9, [(64, 64)] * 9, 128) == Window(64, (64, 64))
    assert choose_window([(64, 80)] * 9, [(64, 80)] * 9, 48) == Window(48, (64, 80))
    mixed = choose_window([(100, 70), (90, 90), (80, 81), (77, 99), (10, 10)], [(200, 200)] * 5, 128)
    assert mixed == Window(64)
    assert mixed.takes((77, 99))
    assert not mixed.takes((10, 10))


@pytest.mark.parametrize("area", [0.0, 0.3, 0.5, 0.8, 0.99, 1.0])
def test_an_interval_of_an_area_holds_it_and_mirrors(area):
    found, mirrored = auc_interval(area, 40, 60), auc_interval(1 - area, 40, 60)
    assert found.low <= area <= found.high
    assert found.high - found.low > 0.01
    assert found.low == pytest.approx(1 - mirrored.high, abs=0.02)  # Hanley's variance is not quite symmetric


def test_the_interval_of_an_area_covers_it_as_often_as_it_says(rng):
    """Normal scores at a distance of one have an area of Phi(1 / sqrt 2)."""
    from spectell.evaluation.metrics import roc_auc

    truth, labels = 0.7602, np.repeat([0, 1], 40)
    hits = 0
    for _ in range(400):
        scores = rng.normal(labels.astype(float), 1.0)
        found = auc_interval(roc_auc(labels, scores), 40, 40)
        hits += found.low <= truth <= found.high
    assert 0.92 < hits / 400 < 0.985


def test_repeated_splits_widen_by_what_they_share():
    """Three values with deviation 0.1, 60 to 40: t(2) * sqrt((1/3 + 2/3) * 0.01)."""
    parts = [Interval(value, value, value) for value in (0.4, 0.5, 0.6)]
    found = over_splits(parts, 60, 40)
    assert found.high - found.estimate == pytest.approx(4.302653 * 0.1, abs=1e-6)


def test_a_group_counts_once_in_a_difference():
    labels = np.ones(8, np.int8)
    right, wrong = np.array([1.0] * 4 + [-1.0] * 4), np.array([-1.0] * 4 + [1.0] * 4)
    alone = difference_interval(labels, right, wrong, np.arange(8))
    together = difference_interval(labels, right, wrong, np.repeat([0, 1], 4))
    assert together.high > 1.8 * alone.high


@pytest.mark.shared_data
def test_cyclegan_pictures_are_known_by_their_jpeg_history(shared_data, tmp_path):
    config = resolve_config("separability", shared_data / "apple2orange256", output=tmp_path / "out", workers=1)
    small = replace(TINY, side=64, splits=1, curve=())
    page = separability.run(config, silent, small)
    found = json.loads((page.parent / RECORD).read_text())["comparisons"]
    assert [one["condition"] for one in found] == [FOUND, JPEG]
    assert "JPEG grid" in found[0]["prepared"]["histories_differ"]
