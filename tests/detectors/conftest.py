"""A small model, made by hand, for every test of this room."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from spectell.detectors.card import CalibrationCard, DistanceCard, ModelCard, PartCard, ThresholdCard
from spectell.detectors.distance import BandDistance
from spectell.detectors.features import BlockFeatures, FrontEnd
from spectell.detectors.heads import Head, LinearHead
from spectell.detectors.model import Model
from spectell.detectors.standardisation import Standardisation


def make_model(front_end: FrontEnd | None = None, head: Head | None = None, **card: Any) -> Model:
    """A model with drawn weights and 100 real scores, -100 to -1."""
    rng = np.random.default_rng(7)
    front_end = front_end or BlockFeatures(size=4)
    n = front_end.n_features
    head = head or LinearHead(rng.normal(size=n) / n, 0.25)
    distance = BandDistance(np.zeros(8), np.eye(8), limit=2.0)
    fields: dict[str, Any] = {
        "name": "small",
        "front_end": PartCard(front_end.name, front_end.config),
        "head": PartCard(head.name, head.config),
        "log_offset": front_end.log_offset,
        "min_size": front_end.min_size,
        "calibration": CalibrationCard(2.0, -1.0, 100, 50, "drawn numbers", "there are no others"),
        "thresholds": ThresholdCard(-50.0, 100, 50, {"0.05": -5.0}, "drawn numbers"),
        "distance": DistanceCard(distance.name, 0.99, 2.0, 150, distance.config),
        "trained_on": "nothing",
        "not_good_at": "anything",
        "licence": "CC0",
        "seed": 7,
        "manifest_hash": "",
    }
    return Model(
        ModelCard(**{**fields, **card}),
        front_end=front_end,
        standardisation=Standardisation(rng.normal(size=n), rng.uniform(0.5, 2.0, n)),
        head=head,
        distance=distance,
        real_scores=np.arange(-100.0, 0.0),
        training_hashes=np.array([3, 1, 3], np.uint64),
    )


@pytest.fixture
def model_of() -> Callable[..., Model]:
    return make_model
