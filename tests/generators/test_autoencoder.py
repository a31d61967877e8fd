import numpy as np
import pytest
from PIL import Image

from spectell.errors import ArtifactError, ParameterError, ShapeError

torch = pytest.importorskip("torch")
autoencoder = pytest.importorskip("spectell.generators.autoencoder")

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def taef2(shared_data):
    weights = shared_data / "weights"
    return autoencoder.load_taef2(weights / "taef2_encoder.safetensors", weights / "taef2_decoder.safetensors")


@pytest.fixture
def untrained():
    torch.manual_seed(0)
    return autoencoder.TAEF2(autoencoder.build_encoder().eval(), autoencoder.build_decoder().eval())


@pytest.mark.shared_data
def test_the_goldfish_is_reconstructed_at_the_published_quality(taef2, shared_data):
    with Image.open(shared_data / "photos/real/n01443537_goldfish.JPEG") as image:
        photograph = np.asarray(image.convert("RGB"))
    reconstruction = taef2.reconstruct(photograph[np.newaxis])[0]
    height, width = reconstruction.shape[:2]
    assert (height, width) == tuple(size - size % 8 for size in photograph.shape[:2])
    error = np.mean((photograph[:height, :width].astype(float) - reconstruction) ** 2)
    assert 10 * np.log10(255**2 / error) == pytest.approx(33.1, abs=0.05)


def test_the_latents_have_an_eighth_of_the_sides():
    with torch.inference_mode():
        latents = autoencoder.build_encoder()(torch.zeros(1, 3, 24, 16))
        assert latents.shape == (1, autoencoder.LATENT_CHANNELS, 3, 2)
        assert autoencoder.build_decoder()(latents).shape == (1, 3, 24, 16)


def test_a_block_without_weights_passes_what_is_positive():
    for mixes in (False, True):
        block = autoencoder.Block(mixes=mixes)
        for parameter in block.parameters():
            torch.nn.init.zeros_(parameter)
        x = torch.tensor([-2.0, 3.0]).repeat(32).reshape(1, 64, 1, 1)
        torch.testing.assert_close(block(x), x.clamp(min=0))


def test_sides_are_cut_to_multiples_of_eight_at_the_bottom_and_the_right(untrained, rng):
    images = rng.integers(0, 256, (2, 23, 17, 3), dtype=np.uint8)
    reconstructions = untrained.reconstruct(images)
    assert reconstructions.shape == (2, 16, 16, 3)
    np.testing.assert_array_equal(reconstructions, untrained.reconstruct(images[:, :16, :16]))


def test_unfit_images_are_refused(untrained):
    with pytest.raises(ParameterError, match=r"at least 8 pixels high and wide, got \(7, 9\)"):
        untrained.reconstruct(np.zeros((1, 7, 9, 3), np.uint8))
    with pytest.raises(ShapeError, match=r"shape \(N, H, W, 3\)"):
        untrained.reconstruct(np.zeros((16, 16, 3), np.uint8))


@pytest.mark.shared_data
def test_swapped_files_are_refused(shared_data):
    weights = shared_data / "weights"
    with pytest.raises(ArtifactError, match=r"taef2_decoder.*do not fit the TAEF2 encoder: missing: 0\.bias"):
        autoencoder.load_taef2(weights / "taef2_decoder.safetensors", weights / "taef2_encoder.safetensors")
