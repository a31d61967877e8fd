import json

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ImageError, ManifestError, ParameterError
from spectell.experiments import spectra, spectra_page
from spectell.experiments.config import resolve_config
from spectell.experiments.plan import Plan, PlannedCell
from spectell.experiments.registry import EXPERIMENTS, get_experiment
from spectell.experiments.sources import find_sources


def silent(*_):
    pass


def save(folder, number, seed, size=(32, 32)):
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for index in range(number):
        Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)).save(folder / f"{index}.png")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    save(folder / "faces" / "real", 4, 1)
    save(folder / "faces" / "gan", 4, 2)
    save(folder / "<script>" / "real", 3, 3)
    (folder / "more.tar").touch()
    (folder / "notes").mkdir()
    return folder


@pytest.fixture(scope="module")
def done(images, tmp_path_factory):
    config = resolve_config("spectra", images, output=tmp_path_factory.mktemp("out"), workers=1)
    return config, spectra.run(config, silent)


def test_sources_are_found_and_archives_are_named(images):
    sources, notes = find_sources(images)
    assert [source.name for source in sources] == ["<script>", "faces"]
    assert notes == ["more.tar is an archive; unpack it to include it", "notes holds no images"]


def test_a_folder_of_generators_is_one_source(images):
    sources, _ = find_sources(images / "faces")
    assert [source.path for source in sources] == [images / "faces"]


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="no data set in"):
        find_sources(tmp_path)


def test_a_plan_counts_images_and_computes_nothing(images, tmp_path):
    config = resolve_config("spectra", images, output=tmp_path / "new", workers=1)
    plan = spectra.plan(config)
    assert [(cell.name, cell.images, cell.done) for cell in plan.cells] == [("<script>", 3, False), ("faces", 8, False)]
    assert plan.images == 11
    assert plan.seconds > 0
    assert not (tmp_path / "new").exists()


def test_what_is_done_costs_no_time():
    cells = (PlannedCell("a", 1, "", 5.0, done=True), PlannedCell("b", 1, "", 7.0))
    assert Plan(cells).seconds == 7.0


def test_a_run_leaves_pages_figures_numbers_and_a_record(done):
    config, page = done
    folder = page.parent
    assert (folder / "faces" / "index.html").is_file()
    assert (folder / "faces" / "mean-32x32.png").is_file()
    assert (folder / "faces" / "spectra.json").is_file()
    record = json.loads((folder / "record.json").read_text())
    assert record["command"] == config.command
    assert {"seed", "versions", "thread_limits", "manifest", "config"} <= record.keys()
    assert record["sources"]["faces"]["images"] == 8


def test_every_generator_is_compared_with_the_real_images_of_its_source(done):
    summary = json.loads((done[1].parent / "faces" / "spectra.json").read_text())
    assert summary["reference"] == "faces/real"
    assert {comparison["name"] for comparison in summary["comparisons"]} == {"faces/gan"}


def test_names_of_folders_cannot_write_html(done):
    page = done[1].read_text(encoding="utf-8")
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_what_is_done_is_not_done_again(done, monkeypatch):
    config, page = done
    before = (page.parent / "faces" / "spectra.npz").stat().st_mtime_ns
    assert all(cell.done for cell in spectra.plan(config).cells)
    monkeypatch.setattr(spectra_page, "spectra_page", lambda *_: page.read_text(encoding="utf-8"))
    spectra.run(config, silent)
    assert (page.parent / "faces" / "spectra.npz").stat().st_mtime_ns == before


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (9, 9)])
def test_images_too_small_for_any_figure_have_a_page(tmp_path, size):
    for seed, name in enumerate(("real", "gan")):
        save(tmp_path / "images" / "dots" / name, 4, seed, size=size)
    config = resolve_config("spectra", tmp_path / "images", output=tmp_path / "out", workers=1)
    page = spectra.run(config, silent)
    assert "dots/gan" in page.read_text(encoding="utf-8")
    assert not list(tmp_path.glob("out/all-sources.*"))


def test_a_source_that_cannot_be_read_costs_no_other_source(tmp_path):
    save(tmp_path / "images" / "good" / "real", 4, 0)
    (tmp_path / "images" / "broken" / "real").mkdir(parents=True)
    (tmp_path / "images" / "broken" / "real" / "a.jpg").write_bytes(b"junk")
    config = resolve_config("spectra", tmp_path / "images", output=tmp_path / "out", workers=1)
    page = spectra.run(config, silent)
    assert "broken: none of 1 files can be read" in page.read_text(encoding="utf-8").partition("What was left out")[2]
    assert "good/real" in page.read_text(encoding="utf-8")
    (tmp_path / "images" / "good").rename(tmp_path / "good")
    config = resolve_config("spectra", tmp_path / "images", output=tmp_path / "other", workers=1)
    with pytest.raises(ImageError, match="no source has an image that can be read; broken: none of 1 files"):
        spectra.run(config, silent)


def test_the_command_of_a_configuration_is_fit_for_a_shell(images, tmp_path):
    config = resolve_config("spectra", images / "<script>", output=tmp_path, workers=1)
    assert "'" in config.command


@pytest.mark.parametrize(
    ("change", "message"), [({"scale": "huge"}, "scale must be"), ({"seed": -1}, "seed"), ({"workers": 0}, "workers")]
)
def test_wrong_settings_are_refused(images, change, message):
    with pytest.raises(ParameterError, match=message):
        resolve_config("spectra", images, **change)


def test_an_unknown_experiment_is_refused_with_those_that_exist():
    with pytest.raises(ParameterError, match="unknown experiment 'spectre'; choose one of spectra"):
        get_experiment("spectre")


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_has_a_plan_and_a_run(name):
    experiment = get_experiment(name)
    assert callable(experiment.plan)
    assert callable(experiment.run)


def test_a_folder_with_something_else_is_left_alone(images, done, tmp_path):
    config, _ = done
    with pytest.raises(ParameterError, match="differs in seed"):
        spectra.plan(resolve_config("spectra", images, output=config.output, seed=1))
    own = tmp_path / "mine"
    own.mkdir()
    (own / "index.html").write_text("mine")
    for name in (spectra.plan, lambda config: spectra.run(config, silent)):
        with pytest.raises(ParameterError, match="is not empty and holds no experiment"):
            name(resolve_config("spectra", images, output=own))
    assert (own / "index.html").read_text() == "mine"


@pytest.mark.parametrize("place", [".", "faces", "faces/new"])
def test_results_do_not_go_among_the_images(images, place):
    with pytest.raises(ParameterError, match="must lie outside data"):
        resolve_config("spectra", images, output=images / place)


def test_a_file_is_no_folder_of_results(images, tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(ParameterError, match="which is a file"):
        resolve_config("spectra", images, output=tmp_path / "a.txt")
