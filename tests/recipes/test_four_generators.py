import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from recipes import four_generators as recipe  # noqa: E402

from spectell.generators.gan import Generator, count_parameters  # noqa: E402
from spectell.generators.trained import BUNDLED, bundled_generators, load_generator  # noqa: E402
from spectell.generators.training_config import GeneratorConfig  # noqa: E402


def test_the_faces_are_the_photographs_and_the_first_column_of_the_grids(tmp_path, rng):
    celeba, grids = tmp_path / "data" / "celeba178" / "real", tmp_path / "data" / "celeba128-grids"
    celeba.mkdir(parents=True)
    grids.mkdir()
    Image.fromarray(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(celeba / "a.jpg")
    grid = np.full((256, 384, 3), 10, np.uint8)
    grid[:128, :128], grid[128:, :128] = 60, 200
    Image.fromarray(grid).save(grids / "1-images.jpg", quality=95)
    for _ in range(2):  # the second time it is there already
        folder = recipe.gather_faces(tmp_path / "data", tmp_path / "work" / "faces")
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["celeba128_1-images_00.png", "celeba128_1-images_01.png", "celeba178_a.jpg"]
    levels = [np.asarray(Image.open(folder / name)).mean() for name in names[:2]]
    np.testing.assert_allclose(levels, [60, 200], atol=2)
    assert [path.name for path in folder.parent.iterdir()] == ["faces"]


@pytest.mark.parametrize("size", [32, 64])
def test_every_specification_fits_the_package(size):
    sizes = []
    for options in recipe.SPECIFICATIONS.values():
        config = GeneratorConfig(size=size, **options)
        sizes.append(count_parameters(Generator(size, config.upsampling, config.channels)))
    assert max(sizes) <= 600_000
    assert 2 * sum(sizes) < 5_000_000


@pytest.mark.skipif(not bundled_generators(), reason="no generators are bundled yet")
def test_the_bundled_generators_are_small_and_make_pictures():
    assert set(bundled_generators()) == set(recipe.SPECIFICATIONS)
    assert sum(path.stat().st_size for path in BUNDLED.glob("*.safetensors")) < 5_000_000
    for name in bundled_generators():
        generator = load_generator(name)
        assert generator.name == name
        assert "non-commercial" in generator.card["licence"]
        images = generator.images(0, 0, 16).astype(float)
        assert images.std() > 30
        assert np.corrcoef(images[:, :, 1:].ravel(), images[:, :, :-1].ravel())[0, 1] > 0.8
        assert np.abs(images[0] - images[1]).mean() > 10
