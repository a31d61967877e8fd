"""A small study of spectra, and the pixels that it was made of."""

import numpy as np
import pytest
from PIL import Image

from spectell.workflows.spectrum import spectrum

SIZE = 32


@pytest.fixture(scope="module")
def pixels():
    """14 real pictures of one block each, and 11 that are noisier, above all in blue, and have a column of light."""
    rng = np.random.default_rng(11)
    real = rng.normal(128, 20, (14, SIZE, SIZE, 3))
    gan = rng.normal(128, 26, (11, SIZE, SIZE, 3))
    gan[..., 2] += rng.normal(0, 25, gan.shape[:3])
    gan[:, :, 7] += 30
    return {name: images.clip(0, 255).astype(np.uint8) for name, images in (("real", real), ("gan", gan))}


@pytest.fixture(scope="module")
def study(pixels, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    for name, images in pixels.items():
        (folder / "faces" / name).mkdir(parents=True)
        for number, image in enumerate(images):
            Image.fromarray(image).save(folder / "faces" / name / f"{number:02}.png")
    (folder / "faces" / "gan" / "broken.png").write_bytes(b"no picture")
    return spectrum([folder / "faces"], folder / "out")
