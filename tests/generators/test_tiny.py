import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from spectell.errors import ArtifactError, ParameterError
from spectell.generators.tiny import (
    LATENT_CHANNELS,
    SCALE,
    UPSAMPLINGS,
    TinyGenerator,
    draw_latents,
    forward,
    load_tiny_generators,
)


@pytest.fixture(scope="module")
def generators():
    return load_tiny_generators()[0]


@pytest.mark.torch
@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_the_forward_pass_equals_the_trained_module(generators, rng, upsampling):
    torch = pytest.importorskip("torch")
    from spectell.generators.tiny_network import TinyNetwork

    weights = generators[upsampling].weights
    network = TinyNetwork(upsampling)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
    latents = draw_latents(rng, 7, 11)
    with torch.inference_mode():
        expected = network(torch.from_numpy(latents)[None])[0].numpy()
    made = forward(weights, upsampling, latents)
    assert made.shape == (3, 7 * SCALE, 11 * SCALE)
    np.testing.assert_allclose(made, expected, atol=1e-4)


@pytest.mark.torch
def test_the_module_refuses_an_unknown_upsampling():
    pytest.importorskip("torch")
    from spectell.generators.tiny_network import TinyNetwork

    with pytest.raises(ParameterError, match="unknown upsampling 'cubic'; choose one of nearest, transposed, shuffle"):
        TinyNetwork("cubic")


def test_the_forward_pass_refuses_an_unknown_upsampling():
    with pytest.raises(ParameterError, match="unknown upsampling 'cubic'"):
        forward({}, "cubic", np.zeros((LATENT_CHANNELS, 2, 2), np.float32))


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_seed_and_index_decide_the_image(generators, upsampling):
    generator = generators[upsampling]
    image = generator.generate(3, 1, height=48, width=64)
    generator.generate(3, 2, height=40, width=40)
    np.testing.assert_array_equal(generator.generate(3, 1, height=48, width=64), image)
    for seed, index in ((3, 2), (4, 1), (1, 3)):
        assert (generator.generate(seed, index, height=48, width=64) != image).mean() > 0.5


@pytest.mark.parametrize("size", [(256, 256), (8, 8), (33, 50), (1, 9)])
def test_any_size_can_be_asked_for(generators, size):
    image = generators["nearest"].generate(0, 0, height=size[0], width=size[1])
    assert image.shape == (*size, 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_the_images_are_pictures_and_not_noise(generators, upsampling):
    images = np.stack([generators[upsampling].generate(0, index) for index in range(2)]).astype(float)
    assert images.std() > 20
    assert images.std(axis=-1).mean() > 4
    neighbours = np.corrcoef(images[:, :, :-1].ravel(), images[:, :, 1:].ravel())[0, 1]
    assert neighbours > 0.8


def test_the_border_is_made_like_the_rest(generators):
    """The zeros that pad the convolutions must not be seen: they would be a trace of the border, not of the network."""
    generator = generators["transposed"]
    images = np.stack([generator.generate(5, index) for index in range(6)]).astype(float)
    activity = np.abs(np.diff(images, axis=2)).mean(axis=(0, 1, 3))
    assert 0.5 < activity[:16].mean() / activity[100:150].mean() < 2


@pytest.mark.parametrize(
    "arguments",
    [{"seed": -1, "index": 0}, {"seed": 0, "index": -1}, {"seed": 0, "index": 0, "height": 0}],
)
def test_arguments_outside_their_range_are_refused(generators, arguments):
    with pytest.raises(ParameterError, match="seed and index must not be negative"):
        generators["nearest"].generate(**arguments)


def test_the_latents_are_standard_normal_and_partly_smooth(rng):
    latents = np.stack([draw_latents(rng, 40, 24) for _ in range(60)])
    np.testing.assert_allclose(latents.mean(axis=(0, 2, 3)), 0, atol=0.15)
    np.testing.assert_allclose(latents.var(axis=(0, 2, 3)), 1, atol=0.2)
    alike = [np.corrcoef(latents[:, c, 1:].ravel(), latents[:, c, :-1].ravel())[0, 1] for c in range(LATENT_CHANNELS)]
    assert np.sum(np.array(alike) > 0.9) == 6
    assert np.sum(np.abs(alike) < 0.05) == 10


@pytest.mark.parametrize("size", range(1, 20))
def test_any_grid_of_latents_can_be_drawn(rng, size):
    assert draw_latents(rng, size, 2 * size).shape == (LATENT_CHANNELS, size, 2 * size)


def test_the_card_says_what_the_weights_are():
    _, card = load_tiny_generators()
    assert card["licence"] == "MIT"
    assert len(card["trained_on"]) == 3
    assert all("CC BY 2.0" in source or "public domain" in source for source in card["trained_on"])
    assert card["recipe"].startswith("recipes/demo_generator.py")
    assert isinstance(card["seed"], int)


def test_the_bundled_weights_are_small(generators):
    assert sorted(generators) == sorted(UPSAMPLINGS)
    for generator in generators.values():
        assert isinstance(generator, TinyGenerator)
        assert sum(array.size for array in generator.weights.values()) <= 120_000
        assert all(array.dtype == np.float32 for array in generator.weights.values())


def test_a_file_without_a_card_is_refused(tmp_path):
    save_file({"nearest.first.bias": np.zeros(1, np.float16)}, tmp_path / "bare")
    (tmp_path / "broken").write_bytes(b"nothing")
    save_file({}, tmp_path / "odd", metadata={"card": "{"})
    save_file({}, tmp_path / "deep", metadata={"card": "[" * 200_000})
    for name in ("bare", "broken", "odd", "deep", "absent"):
        with pytest.raises(ArtifactError, match="cannot read tiny generators from"):
            load_tiny_generators(tmp_path / name)


def test_another_file_can_be_loaded(tmp_path, generators):
    arrays = {f"{name}.{key}": array for name, one in generators.items() for key, array in one.weights.items()}
    save_file(arrays, tmp_path / "copy", metadata={"card": json.dumps({"licence": "none"})})
    loaded, card = load_tiny_generators(tmp_path / "copy")
    assert card == {"licence": "none"}
    np.testing.assert_array_equal(
        loaded["shuffle"].generate(0, 0, height=8, width=8), generators["shuffle"].generate(0, 0, height=8, width=8)
    )
