"""Small data sets of pictures that look like nothing else."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

Pixels = npt.NDArray[np.uint8]


@pytest.fixture
def picture(rng: np.random.Generator) -> Callable[..., Pixels]:
    """Make a new picture of soft blotches: (height, width, 3), uint8."""

    def make(height: int = 48, width: int = 64) -> Pixels:
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8))
        return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))

    return make


@pytest.fixture
def faces(tmp_path: Path, picture: Callable[..., Pixels]) -> Path:
    """Six photographs and six generated pictures of the same names, all different."""
    for kind in ("real", "gan"):
        folder = tmp_path / "faces" / kind
        folder.mkdir(parents=True)
        for number in range(6):
            Image.fromarray(picture()).save(folder / f"{number}.png")
    return tmp_path / "faces"
