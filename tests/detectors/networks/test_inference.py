import numpy as np
import pytest

from spectell.detectors.registry import get_detector
from spectell.detectors.tiles import Tiles

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


@pytest.mark.parametrize("name", ["mlp", "cnn", "resnet", "yu2019"])
@pytest.mark.parametrize(("domain", "n_classes"), [("dct", 3), ("pixel", 2)])
def test_many_images_at_a_time_get_the_answers_that_each_gets_alone(rng, name, domain, n_classes):
    from spectell.detectors.networks.inference import network_outputs

    images = rng.integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)
    labels = np.arange(20) % n_classes
    detector = get_detector(name)(domain=domain, epochs=1).fit(images, labels)
    alone = detector.decision_function(images).reshape(20, -1)
    assert network_outputs(detector, Tiles.of_images(images)) == pytest.approx(alone, abs=1e-4)
