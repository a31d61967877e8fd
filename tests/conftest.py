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
