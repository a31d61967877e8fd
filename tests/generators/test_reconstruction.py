import shutil

import numpy as np
import pytest

from spectell.errors import ArtifactError, ParameterError, ShapeError
from spectell.generators.reconstruction import check_size, load_reconstructor, simulator
from spectell.generators.tiles import apply_in_tiles


def blur(image):
    """Mean of 5 x 5 pixels, zeros beyond the border: reaches two pixels."""
    padded = np.pad(image.astype(int), ((2, 2), (2, 2), (0, 0)))
    height, width = image.shape[:2]
    return sum(padded[r : r + height, c : c + width] for r in range(5) for c in range(5)).astype(np.uint8) // 25


@pytest.mark.parametrize("shape", [(64, 72), (40, 200), (61, 67)])
def test_tiles_with_enough_margin_give_what_the_whole_gives(rng, shape):
    image = rng.integers(0, 11, (*shape, 3), dtype=np.uint8)
    padded = np.pad(image, ((0, -shape[0] % 4), (0, -shape[1] % 4), (0, 0)), mode="symmetric")
    tiled = apply_in_tiles(blur, image, multiple=4, margin=4, tile=16)
    np.testing.assert_array_equal(tiled, blur(padded)[: shape[0], : shape[1]])


def test_tiles_without_margin_do_not(rng):
    image = rng.integers(0, 11, (64, 64, 3), dtype=np.uint8)
    assert (apply_in_tiles(blur, image, multiple=4, margin=0, tile=16) != blur(image)).any()


def test_unfit_tiles_are_refused():
    with pytest.raises(ParameterError, match="multiples of 4, got 2 and 16"):
        apply_in_tiles(blur, np.zeros((8, 8, 3), np.uint8), multiple=4, margin=2, tile=16)
    with pytest.raises(ShapeError):
        apply_in_tiles(blur, np.zeros((8, 0, 3), np.uint8), multiple=4, margin=4, tile=16)
    with pytest.raises(ParameterError, match="uint8"):
        apply_in_tiles(blur, np.zeros((8, 8, 3)), multiple=4, margin=4, tile=16)


def test_pictures_beyond_the_limits_are_refused():
    with pytest.raises(ParameterError, match="at least 32"):
        check_size(np.zeros((64, 31, 3), np.uint8))
    with pytest.raises(ParameterError, match="more than 20,000,000"):
        check_size(np.broadcast_to(np.zeros((1, 1, 3), np.uint8), (5000, 4001, 3)))


def test_the_simulator_draws_a_decoder_for_every_picture(rng):
    made, image = simulator(), rng.integers(0, 256, (40, 48, 3), dtype=np.uint8)
    one, other = made.draw(rng), made.draw(rng)
    assert one != other
    assert (made.apply(image, one) != made.apply(image, other)).any()


@pytest.mark.torch
class TestWeights:
    @pytest.fixture(autouse=True)
    def _torch(self):
        pytest.importorskip("torch")

    @pytest.fixture
    def own(self, tmp_path):
        from spectell.generators.small_autoencoder import build_autoencoder, save_autoencoder

        save_autoencoder(build_autoencoder("binomial", 0), tmp_path / "run" / "autoencoder.safetensors", {"size": 32})
        (tmp_path / "run" / "checkpoint.safetensors").write_bytes(b"")
        return tmp_path / "run"

    @pytest.mark.parametrize("shape", [(32, 32), (37, 50), (45, 33)])
    def test_our_own_is_known_by_its_card_and_keeps_any_size(self, own, rng, shape):
        image = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
        by_folder, by_file = load_reconstructor(own), load_reconstructor(own / "autoencoder.safetensors")
        assert by_folder.name == by_file.name == "autoencoder-binomial"
        made = by_folder.apply(image, None)
        assert made.shape == image.shape
        np.testing.assert_array_equal(made, by_file.apply(image, None))

    def test_tiles_of_our_own_meet_without_a_seam(self, own, rng):
        from spectell.generators.small_autoencoder import FACTOR, RADIUS, load_autoencoder
        from spectell.generators.tensors import run_in_batches

        network, _ = load_autoencoder(own / "autoencoder.safetensors")
        image = rng.integers(0, 256, (240, 244, 3), dtype=np.uint8)

        def run(part):
            return run_in_batches(network, part[np.newaxis])[0]

        tiled = apply_in_tiles(run, image, multiple=FACTOR, margin=RADIUS, tile=80)
        assert np.abs(tiled.astype(int) - run(image)).max() <= 1  # sums of another order round otherwise

    @pytest.mark.shared_data
    def test_foreign_weights_are_known_by_their_tensors(self, shared_data, tmp_path, rng):
        weights = shared_data / "weights"
        shutil.copy(weights / "taef2_encoder.safetensors", tmp_path / "one.safetensors")
        shutil.copy(weights / "taef2_decoder.safetensors", tmp_path / "two.safetensors")
        image = rng.integers(0, 256, (37, 42, 3), dtype=np.uint8)
        made = [load_reconstructor(tmp_path / name) for name in ("one.safetensors", "two.safetensors", "")]
        assert {maker.name for maker in made} == {"taef2"}
        first, *others = [maker.apply(image, None) for maker in made]
        assert first.shape == image.shape
        assert all((other == first).all() for other in others)
        srgan = load_reconstructor(weights / "srgan_x8.safetensors")
        assert (srgan.name, srgan.apply(image, None).shape) == ("srgan-x8", image.shape)
        with pytest.raises(ArtifactError, match="must hold one network, found 5"):
            load_reconstructor(weights)

    @pytest.mark.shared_data
    def test_half_a_network_is_refused(self, shared_data, tmp_path):
        shutil.copy(shared_data / "weights" / "taef2_decoder.safetensors", tmp_path)
        with pytest.raises(ArtifactError, match="exactly one encoder, found 0"):
            load_reconstructor(tmp_path / "taef2_decoder.safetensors")

    def test_what_is_unknown_is_refused(self, tmp_path):
        from safetensors.numpy import save_file

        save_file({"a": np.zeros(2, np.float32)}, tmp_path / "a.safetensors")
        with pytest.raises(ArtifactError, match="no network that is known here"):
            load_reconstructor(tmp_path)
        with pytest.raises(ArtifactError, match="cannot read weights"):
            load_reconstructor(tmp_path / "absent.safetensors")
