import numpy as np
import pytest
from PIL import Image

from spectell.errors import ArtifactError, ParameterError, ShapeError

torch = pytest.importorskip("torch")
superresolution = pytest.importorskip("spectell.generators.superresolution")

pytestmark = pytest.mark.torch


@pytest.mark.shared_data
@pytest.mark.parametrize(("scale", "decibels"), [(2, 34.6), (4, 30.9), (8, 27.9)])
def test_the_goldfish_is_enlarged_at_the_published_quality(shared_data, scale, decibels):
    network = superresolution.load_srgan(shared_data / f"weights/srgan_x{scale}.safetensors")
    with Image.open(shared_data / "photos/real/n01443537_goldfish.JPEG") as image:
        photograph = np.asarray(image.convert("RGB"))
    reconstruction = network.reconstruct(photograph[np.newaxis])[0]
    height, width = reconstruction.shape[:2]
    assert network.scale == scale
    assert (height, width) == tuple(size - size % scale for size in photograph.shape[:2])
    error = np.mean((photograph[:height, :width].astype(float) - reconstruction) ** 2)
    assert 10 * np.log10(255**2 / error) == pytest.approx(decibels, abs=0.05)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_both_sides_grow_by_the_factor(scale, rng):
    network = superresolution.SRGAN(superresolution.SRGANNetwork(scale).eval(), scale)
    images = rng.integers(0, 256, (2, 3, 5, 3), dtype=np.uint8)
    assert network.enlarge(images).shape == (2, 3 * scale, 5 * scale, 3)
    assert network.reconstruct(rng.integers(0, 256, (1, 17, 25, 3), dtype=np.uint8)).shape == (1, 16, 24, 3)


def test_unfit_images_are_refused():
    network = superresolution.SRGAN(superresolution.SRGANNetwork(4).eval(), 4)
    with pytest.raises(ParameterError, match="4 pixels a side"):
        network.reconstruct(np.zeros((1, 3, 9, 3), np.uint8))
    with pytest.raises(ShapeError, match=r"shape \(N, H, W, 3\)"):
        network.reconstruct(np.zeros((16, 16, 3), np.uint8))
    with pytest.raises(ParameterError, match="uint8"):
        network.reconstruct(np.zeros((1, 16, 16, 3)))


@pytest.mark.shared_data
def test_the_weights_of_another_network_are_refused(shared_data):
    with pytest.raises(ArtifactError, match=r"do not fit SRGAN x2: missing: block1\.0\.bias"):
        superresolution.load_srgan(shared_data / "weights/taef2_decoder.safetensors")


def test_an_absent_file_is_one_line(tmp_path):
    with pytest.raises(ArtifactError, match=r"cannot read weights from .*absent"):
        superresolution.load_srgan(tmp_path / "absent.safetensors")
