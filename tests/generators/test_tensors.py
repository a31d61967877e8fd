import numpy as np
import pytest

from spectell.errors import ArtifactError, ParameterError, ShapeError

torch = pytest.importorskip("torch")
tensors = pytest.importorskip("spectell.generators.tensors")
save_file = pytest.importorskip("safetensors.torch").save_file

pytestmark = pytest.mark.torch


def test_a_round_trip_keeps_every_level_in_its_place(rng):
    images = rng.integers(0, 256, (3, 5, 7, 3), dtype=np.uint8)
    images.ravel()[:256] = np.arange(256)
    batch = tensors.as_tensor(images)
    assert batch.shape == (3, 3, 5, 7)
    assert float(batch[1, 2, 3, 4]) == pytest.approx(images[1, 3, 4, 2] / 255)
    np.testing.assert_array_equal(tensors.as_pixels(batch), images)


def test_values_outside_the_range_are_clamped_not_wrapped():
    batch = torch.tensor([-0.2, 1.3, 0.5]).reshape(1, 3, 1, 1)
    assert tensors.as_pixels(batch).ravel().tolist() == [0, 255, 128]


def test_the_tensor_does_not_share_memory_with_the_images():
    images = np.zeros((1, 2, 2, 3), np.uint8)
    tensors.as_tensor(images).add_(1.0)
    assert not images.any()


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (np.zeros((4, 4, 3), np.uint8), ShapeError, r"shape \(N, H, W, 3\), got \(4, 4, 3\)"),
        (np.zeros((1, 3, 4, 4), np.uint8), ShapeError, r"shape \(N, H, W, 3\)"),
        (np.zeros((1, 4, 4, 3)), ParameterError, "uint8 with values 0 to 255, got float64"),
    ],
)
def test_unfit_images_are_refused(images, error, message):
    with pytest.raises(error, match=message):
        tensors.as_tensor(images)


@pytest.mark.parametrize("batch_size", [1, 2, 3, 7])
def test_the_batch_size_does_not_change_the_result(rng, batch_size):
    images = rng.integers(0, 256, (5, 4, 4, 3), dtype=np.uint8)
    flipped = tensors.run_in_batches(lambda batch: batch.flip(2), images, batch_size=batch_size)
    np.testing.assert_array_equal(flipped, images[:, ::-1])


def test_no_image_and_no_batch_are_refused():
    with pytest.raises(ParameterError, match="at least one image"):
        tensors.run_in_batches(lambda batch: batch, np.zeros((0, 4, 4, 3), np.uint8))
    with pytest.raises(ParameterError, match="batch_size must be at least 1, got 0"):
        tensors.run_in_batches(lambda batch: batch, np.zeros((1, 4, 4, 3), np.uint8), batch_size=0)


def test_half_precision_weights_become_single_precision(tmp_path):
    network = torch.nn.Linear(2, 1)
    save_file({"weight": torch.tensor([[0.5, 2.0]]).half(), "bias": torch.tensor([1.0]).half()}, tmp_path / "w")
    tensors.load_weights(network, tmp_path / "w", name="x")
    assert network.weight.dtype == torch.float32
    assert network.weight.tolist() == [[0.5, 2.0]]
    assert not network.training


def test_weights_that_do_not_fit_are_named(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(1, 3), "scale": torch.zeros(1)}, path)
    network = torch.nn.Linear(2, 1)
    with pytest.raises(ArtifactError) as caught:
        tensors.load_weights(network, path, name="the test network")
    differences = "missing: bias; unexpected: scale; of another shape: weight"
    assert str(caught.value) == f"weights in {str(path)!r} do not fit the test network: {differences}"


def test_a_long_list_of_differences_is_counted(tmp_path):
    save_file({f"w{index}": torch.zeros(1) for index in range(9)}, tmp_path / "w")
    with pytest.raises(ArtifactError, match="unexpected: w0, w1, w2 and 6 more"):
        tensors.load_weights(torch.nn.ReLU(), tmp_path / "w", name="x")


def test_an_unreadable_file_is_one_line(tmp_path):
    (tmp_path / "broken").write_bytes(b"no weights here")
    for name in ("absent", "broken"):
        with pytest.raises(ArtifactError, match="cannot read weights from") as caught:
            tensors.load_weights(torch.nn.ReLU(), tmp_path / name, name="x")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["gpu", "meta:x"])
def test_a_device_that_torch_cannot_use_is_one_line(name):
    with pytest.raises(ParameterError, match=f"device '{name}' cannot be used: .*; use cpu") as caught:
        tensors.as_device(name)
    assert "\n" not in str(caught.value)
