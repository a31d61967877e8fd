"""Fixtures that every test may use."""

from pathlib import Path

import numpy as np
import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator with the one seed of this suite."""
    return np.random.default_rng(20200611)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The image collections beside the project, which a user's clone does not have."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no image collections at {SHARED_DATA}")
    return SHARED_DATA


def save_pictures(folder: Path, number: int, *, generated: bool, seed: int) -> None:
    """Save noise of 40 x 44 pixels: independent pixels, or pixels that repeat in pairs as up-sampling leaves them."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(number):
        pixels = rng.normal(128, rng.uniform(20, 40), (40, 44, 3))
        if generated:
            pixels[1::2] = 0.6 * pixels[::2] + 0.4 * pixels[1::2]
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{index:03}.png")


@pytest.fixture(scope="session")
def toy_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of one source, 120 real and 120 generated pictures, which block features tell apart."""
    folder = tmp_path_factory.mktemp("toy") / "toy"
    save_pictures(folder / "real", 120, generated=False, seed=1)
    save_pictures(folder / "pairs", 120, generated=True, seed=2)
    return folder


@pytest.fixture(scope="session")
def toy_photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 real pictures that are in no data set."""
    folder = tmp_path_factory.mktemp("photographs")
    save_pictures(folder / "a", 150, generated=False, seed=3)
    save_pictures(folder / "b", 50, generated=False, seed=4)
    return folder


@pytest.fixture(scope="session")
def toy_model_path(toy_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model file trained on the toy data set."""
    from spectell.detectors import save_model
    from spectell.workflows.train import TrainingConfig, train_model

    path = tmp_path_factory.mktemp("models") / "toy.safetensors"
    save_model(train_model(toy_dataset, TrainingConfig(size=8), audit=False).model, path)
    return path
