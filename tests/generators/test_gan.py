import numpy as np
import pytest

from spectell.errors import ParameterError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from spectell.generators.gan import LATENTS, Critic, Generator, count_parameters  # noqa: E402
from spectell.generators.training_config import GeneratorConfig  # noqa: E402
from spectell.generators.upsampling import UPSAMPLINGS  # noqa: E402


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_the_default_generators_stay_under_600_000_numbers(upsampling):
    counts = [count_parameters(Generator(s, upsampling, GeneratorConfig(size=s).channels)) for s in (32, 64, 128)]
    assert max(counts) <= 600_000


def test_upsamplings_differ_in_a_few_numbers_only():
    counts = [count_parameters(Generator(32, upsampling, 24)) for upsampling in UPSAMPLINGS]
    assert max(counts) < 1.05 * min(counts)


@pytest.mark.parametrize("size", [32, 64, 128, 256])
def test_every_size_goes_there_and_back(size):
    images = Generator(size, "nearest", 2)(torch.randn(2, LATENTS))
    assert images.shape == (2, 3, size, size)
    assert images.abs().max() <= 1
    assert Critic(size, 2, outputs=5)(images).shape == (2, 5)


def test_a_size_that_is_no_power_of_two_is_refused():
    with pytest.raises(ParameterError, match="size must be a power of two from 8, got 48"):
        Generator(48, "nearest", 4)


def growing():
    return Generator(32, "nearest", 4, progressive=True).eval(), Critic(32, 4, progressive=True).eval()


def test_a_stage_that_has_not_faded_in_leaves_the_generators_image():
    generator, _ = growing()
    latents = torch.randn(3, LATENTS)
    before = generator(latents, 16)
    torch.testing.assert_close(
        generator(latents, 32, alpha=0.0), before.repeat_interleave(2, 2).repeat_interleave(2, 3)
    )


def test_a_stage_that_has_faded_in_is_alone():
    generator, critic = growing()
    latents = torch.randn(3, LATENTS)
    images = generator(latents, 32, alpha=1.0)
    with torch.no_grad():
        for layer in (generator.to_rgb["16"], critic.from_rgb["16"]):
            layer.weight.fill_(9.0)
    torch.testing.assert_close(generator(latents, 32), images)
    assert not torch.equal(generator(latents, 32, alpha=0.5), images)
    faded, mixed = critic(images), critic(images, alpha=0.5)
    assert not torch.equal(faded, mixed)


def test_a_stage_that_has_not_faded_in_leaves_the_critics_judgement():
    _, critic = growing()
    images = torch.rand(3, 3, 32, 32) * 2 - 1
    torch.testing.assert_close(critic(images, alpha=0.0), critic(torch.nn.functional.avg_pool2d(images, 2)))


def test_the_critic_judges_each_image_by_itself_unless_it_grows():
    images = torch.rand(4, 3, 32, 32)
    critic = Critic(32, 4)
    torch.testing.assert_close(critic(images)[:2], critic(images[:2]))
    _, grown = growing()
    assert not torch.allclose(grown(images)[:2], grown(images[:2]))


def test_spectral_normalisation_divides_by_the_largest_singular_value():
    critic = Critic(32, 4, spectrally_normalised=True).train()
    images = torch.rand(2, 3, 32, 32)
    for _ in range(60):
        critic(images)
    critic.eval()
    layers = [*critic.from_rgb.values(), *critic.stages.values(), critic.last]
    assert len(layers) == 5
    for layer in layers:
        original = layer.parametrizations.weight.original.detach().flatten(1).numpy()
        weight = layer.weight.detach().flatten(1).numpy()
        np.testing.assert_allclose(weight, original / np.linalg.norm(original, ord=2), rtol=0.02, atol=1e-4)


def test_smoothing_filters_with_a_binomial():
    plain, smooth = Generator(32, "nearest", 4).eval(), Generator(32, "nearest", 4, smoothing=True).eval()
    smooth.load_state_dict(plain.state_dict())
    latents = torch.randn(1, LATENTS)
    padded = np.pad(plain(latents).detach().numpy()[0], ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4
    expected = (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 4
    np.testing.assert_allclose(smooth(latents).detach().numpy()[0], expected, atol=1e-6)
