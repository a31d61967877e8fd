import csv
import hashlib

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from spectell.datasets import read_manifest
from spectell.errors import ArtifactError, ParameterError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from spectell.generators import trained  # noqa: E402
from spectell.generators.checkpoint import write_tensors  # noqa: E402
from spectell.generators.gan import Generator  # noqa: E402
from spectell.generators.sampling import write_samples  # noqa: E402
from spectell.generators.trained import load_generator, save_generator  # noqa: E402
from spectell.generators.training_config import GeneratorConfig  # noqa: E402

CONFIG = GeneratorConfig(width=6, seed=2)
CARD = {"name": "toy", "config": CONFIG.as_dict(), "step": 9, "resolution": 32, "alpha": 1.0}


@pytest.fixture
def path(tmp_path):
    torch.manual_seed(0)
    save_generator(tmp_path / "generator.safetensors", Generator(32, "nearest", 6), CARD)
    return tmp_path / "generator.safetensors"


def test_an_image_depends_on_seed_and_index_alone(path):
    generator = load_generator(path)
    nine = generator.images(3, 0, 9)
    np.testing.assert_array_equal(generator.images(3, 0, 4), nine[:4])
    for index in (0, 3, 7, 8):
        np.testing.assert_array_equal(generator.images(3, index, index + 1)[0], nine[index])
    assert len(np.unique(nine.reshape(9, -1), axis=0)) == 9
    assert (generator.images(4, 0, 9) != nine).any(axis=(1, 2, 3)).all()


def test_the_number_of_threads_changes_nothing(path):
    generator = load_generator(path)
    before = torch.get_num_threads()
    one = generator.images(0, 0, 8)
    torch.set_num_threads(2)
    try:
        two = generator.images(0, 0, 8)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(one, two)


def test_samples_are_lossless_files_that_their_manifest_describes(path, tmp_path):
    generator = load_generator(path)
    write_samples(generator, tmp_path / "out", 70, 3)
    manifest = read_manifest(tmp_path / "out" / "manifest.csv")
    assert len(manifest) == 70
    assert set(manifest.labels) == {1}
    assert manifest.class_names[-1] == "toy"
    assert len({entry.group for entry in manifest}) == 70
    expected = generator.images(3, 0, 70)
    for index in (0, 63, 64, 69):
        content = (tmp_path / "out" / manifest[index].path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == manifest[index].sha256
        np.testing.assert_array_equal(np.asarray(Image.open(manifest.file(index))), expected[index])
    rows = list(csv.DictReader((tmp_path / "out" / "samples.csv").read_text().splitlines()))
    assert [(row["loss"], row["upsampling"], row["seed"], row["index"]) for row in rows[:2]] == [
        ("sngan", "nearest", "3", "0"),
        ("sngan", "nearest", "3", "1"),
    ]


def test_half_precision_changes_few_pixels_by_a_level(path, tmp_path):
    generator = load_generator(path)
    save_generator(tmp_path / "half.safetensors", generator.network, CARD, half=True)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * path.stat().st_size
    halved = load_generator(tmp_path / "half.safetensors").images(0, 0, 8).astype(int)
    assert np.abs(halved - generator.images(0, 0, 8)).max() <= 2


def test_a_generator_that_has_not_grown_up_makes_its_smaller_images(tmp_path):
    network = Generator(32, "nearest", 6, progressive=True).eval()
    save_generator(tmp_path / "g", network, CARD | {"resolution": 16, "alpha": 0.5})
    young = load_generator(tmp_path / "g")
    assert young.images(0, 0, 2).shape == (2, 16, 16, 3)
    save_generator(tmp_path / "h", network, CARD)
    grown = load_generator(tmp_path / "h")
    assert list(grown.network.to_rgb) == ["32"]
    assert grown.images(0, 0, 2).shape == (2, 32, 32, 3)


def test_a_generator_is_found_by_folder_file_and_name(path, tmp_path, monkeypatch):
    monkeypatch.setattr(trained, "BUNDLED", tmp_path)
    for place in (path, tmp_path, "generator"):
        assert load_generator(place).name == "toy"
    with pytest.raises(ArtifactError, match=r"no generator 'nobody': .* which are: generator"):
        load_generator("nobody")


def test_files_that_are_no_generators_are_refused_in_one_line(path, tmp_path):
    (tmp_path / "noise").write_bytes(b"noise")
    (tmp_path / "empty").mkdir()
    write_tensors(tmp_path / "other", {"x": torch.ones(2)}, {"format": 1, **CARD})
    write_tensors(tmp_path / "future", {"x": torch.ones(2)}, {"format": 9})
    write_tensors(tmp_path / "bare", {"x": torch.ones(2)}, {"format": 1})
    save_file({}, tmp_path / "deep", metadata={"card": "[" * 200_000})
    reasons = {
        "noise": "cannot read",
        "deep": "cannot read",
        "empty": "holds no generator.safetensors",
        "other": "does not hold the generator that its card describes",
        "future": "is not a generator of format 1",
        "bare": "does not hold the generator that its card describes",
    }
    for name, reason in reasons.items():
        with pytest.raises(ArtifactError, match=reason) as caught:
            load_generator(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bounds", [(-1, 0, 1), (0, -1, 1), (0, 2, 2)])
def test_samples_outside_their_range_are_refused(path, bounds):
    with pytest.raises(ParameterError, match="seed and start must not be negative and stop above start"):
        load_generator(path).images(*bounds)


def test_no_samples_are_refused(path, tmp_path):
    with pytest.raises(ParameterError, match="n must be at least 1, got 0"):
        write_samples(load_generator(path), tmp_path / "out", 0, 0)
