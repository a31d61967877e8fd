import numpy as np
import pytest

from spectell.errors import ArtifactError, ParameterError, ShapeError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from spectell.generators.autoencoder_config import AutoencoderConfig  # noqa: E402
from spectell.generators.autoencoder_training import LOG_FILE, WEIGHTS_FILE, psnr, train_autoencoder  # noqa: E402
from spectell.generators.checkpoint import CHECKPOINT_NAME  # noqa: E402
from spectell.generators.small_autoencoder import (  # noqa: E402
    FACTOR,
    RADIUS,
    build_autoencoder,
    load_autoencoder,
    read_autoencoder_card,
    save_autoencoder,
)
from spectell.generators.upsampling import UPSAMPLINGS  # noqa: E402

SHORT = {"steps": 4, "batch_size": 4, "checkpoint_every": 2, "log_every": 1}


@pytest.fixture(scope="module")
def pictures():
    """Smooth colour gradients of 32 x 32 pixels."""
    rng = np.random.default_rng(5)
    rows, columns = np.mgrid[:32, :32] / 31
    planes = (
        rng.uniform(-90, 90, (40, 1, 1, 3)) * rows[..., None] + rng.uniform(-90, 90, (40, 1, 1, 3)) * columns[..., None]
    )
    return (128 + planes / 2).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_every_up_sampling_gives_back_the_size(upsampling):
    with torch.inference_mode():
        assert build_autoencoder(upsampling, 0)(torch.zeros(2, 3, 8, 12)).shape == (2, 3, 8, 12)


def test_networks_that_differ_in_the_up_sampling_start_alike():
    states = {name: build_autoencoder(name, 3).state_dict() for name in UPSAMPLINGS}
    shared = set.intersection(*(set(state) for state in states.values()))
    assert len(shared) == len(states["nearest"])  # the fixed kernels have no weights
    for state in states.values():
        for name in shared:
            assert torch.equal(state[name], states["nearest"][name]), name
    assert not torch.equal(
        build_autoencoder("nearest", 4).encoder[0].weight, build_autoencoder("nearest", 3).encoder[0].weight
    )


def test_building_leaves_the_random_state_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    build_autoencoder("transposed", 0)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_no_pixel_depends_on_one_beyond_the_stated_radius(upsampling):
    """The gradient of every pixel of a cell, whose place in it decides how far it sees."""
    network = build_autoencoder(upsampling, 0).double()
    side = 2 * RADIUS + 4 * FACTOR
    image = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    middle = side // 2
    network(image)[..., middle : middle + FACTOR, middle : middle + FACTOR].sum().backward()
    rows = torch.nonzero(image.grad.abs().sum(dim=(0, 1, 3)))[:, 0]
    assert middle - int(rows.min()) <= RADIUS
    assert int(rows.max()) - (middle + FACTOR - 1) <= RADIUS
    assert middle - int(rows.min()) > RADIUS // 2  # or the test saw nothing


def test_weights_and_card_survive_the_file(tmp_path):
    network = build_autoencoder("pixelshuffle", 1)
    save_autoencoder(network, tmp_path / "a.safetensors", {"size": 32})
    loaded, card = load_autoencoder(tmp_path / "a.safetensors")
    assert (card["upsampling"], card["size"]) == ("pixelshuffle", 32)
    assert not loaded.training
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)


def test_other_files_are_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(2, np.float32)}, tmp_path / "other.safetensors")
    assert read_autoencoder_card(tmp_path / "other.safetensors") is None
    with pytest.raises(ArtifactError, match="no autoencoder of ours"):
        load_autoencoder(tmp_path / "other.safetensors")
    (tmp_path / "text.safetensors").write_text("no weights")
    save_file({}, tmp_path / "deep.safetensors", metadata={"card": "[" * 200_000})
    for name in ("text.safetensors", "deep.safetensors"):
        with pytest.raises(ArtifactError, match="cannot read weights"):
            load_autoencoder(tmp_path / name)


def test_training_lowers_the_error_on_images_it_never_saw(pictures, tmp_path):
    rates = {"batch_size": 16, "log_every": 10, "learning_rate": 3e-3}
    little = train_autoencoder(pictures, tmp_path / "little", AutoencoderConfig(steps=1, **rates))
    more = train_autoencoder(pictures, tmp_path / "more", AutoencoderConfig(steps=60, **rates))
    assert more.psnr > little.psnr + 6
    assert more.held_out == 2


def test_a_resumed_training_takes_the_same_steps(pictures, tmp_path):
    config = AutoencoderConfig(upsampling="transposed", **SHORT)
    train_autoencoder(pictures, tmp_path / "whole", config)

    def stop(done, total):
        if done == 3:  # one step after a checkpoint
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_autoencoder(pictures, tmp_path / "stopped", config, on_progress=stop)
    assert not (tmp_path / "stopped" / WEIGHTS_FILE).exists()
    train_autoencoder(pictures, tmp_path / "stopped", config, resume=True)
    for name in (WEIGHTS_FILE, CHECKPOINT_NAME, LOG_FILE):
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_a_checkpoint_of_other_settings_or_images_is_refused(pictures, tmp_path):
    train_autoencoder(pictures, tmp_path, AutoencoderConfig(**SHORT))
    with pytest.raises(ArtifactError, match="other settings or images"):
        train_autoencoder(pictures, tmp_path, AutoencoderConfig(seed=1, **SHORT), resume=True)
    with pytest.raises(ArtifactError, match="other settings or images"):
        train_autoencoder(255 - pictures, tmp_path, AutoencoderConfig(**SHORT), resume=True)


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_checkpoint(pictures, tmp_path):
    train_autoencoder(pictures, tmp_path, AutoencoderConfig(**SHORT))
    kept = (tmp_path / CHECKPOINT_NAME).read_bytes()
    with pytest.raises(ParameterError, match=r"the loss is (nan|inf).*lower learning_rate"):
        train_autoencoder(pictures, tmp_path, AutoencoderConfig(learning_rate=1e30, **SHORT))
    assert (tmp_path / CHECKPOINT_NAME).read_bytes() == kept


def test_the_spectral_term_changes_the_training(pictures, tmp_path):
    plain = train_autoencoder(pictures, tmp_path / "a", AutoencoderConfig(**SHORT))
    spectral = train_autoencoder(pictures, tmp_path / "b", AutoencoderConfig(spectral=0.5, **SHORT))
    assert plain.path.read_bytes() != spectral.path.read_bytes()


@pytest.mark.parametrize(
    ("shape", "error"),
    [
        ((4, 32, 40, 3), ShapeError),
        ((4, 28, 28, 3), ParameterError),
        ((4, 34, 34, 3), ParameterError),
        ((1, 32, 32, 3), ParameterError),
        ((4, 260, 260, 3), ParameterError),
    ],
)
def test_unfit_images_are_refused(shape, error, tmp_path):
    with pytest.raises(error):
        train_autoencoder(np.zeros(shape, np.uint8), tmp_path)


def test_unfit_settings_are_refused():
    for wrong in ({"steps": 0}, {"learning_rate": 0.0}, {"loss": "l3"}, {"spectral": -1.0}, {"seed": -1}):
        with pytest.raises(ParameterError):
            AutoencoderConfig(**wrong)


def test_psnr_of_images_of_other_shapes_is_refused():
    with pytest.raises(ShapeError, match="one shape"):
        psnr(np.zeros((2, 2)), np.zeros((2, 3)))
