"""Pictures that the package's own networks make: samples of its four generators, and crops rebuilt by autoencoders.

Both have photographs beside them that differ in nothing but the network: samples the faces that the generators were
trained to imitate, brought to size in the one way of `spectell.generators.training_images`; rebuilt crops the crop.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from recipes.default_model.corpus import Picture

__all__ = ["FACES", "REBUILT", "SAMPLED", "SIDE", "rebuilt_pictures", "sampled_pictures"]

SAMPLED = ("sngan", "cramer", "mmd", "progan")
"""The generators of the package: trained on faces of CelebA at 32 pixels."""

SIDE = 32
"""Of the samples, and of the reduced faces beside them, in pixels."""

REBUILT = "autoencoder"
"""What the rebuilt crops are called, whichever up-sampling the decoder has."""

SAMPLES = 300
"""Of each generator: together about as many as there are faces."""

AUTOENCODERS = {"nearest": 0, "bilinear": 1, "binomial": 2, "transposed": 3, "pixelshuffle": 4}
"""Up-sampling → seed. One of each: what they leave differs most between up-samplings."""

AUTOENCODER_STEPS, AUTOENCODER_SIZE = 1500, 64
FACES = "celeba178"
"""Whose faces are reduced to the size of the samples."""


def sampled_pictures(pictures: Sequence[Picture], seed: int) -> Iterator[Picture]:
    """Every second face of a source, reduced, and samples of each generator.

    A reduced face belongs to the group of the file that it was made from. The faces of the other source that the
    generators were trained on stay out, so that it can be left out of training whole.
    """
    from spectell.generators.trained import load_generator
    from spectell.generators.training_images import reduce_image

    faces = [picture for picture in pictures if picture.source == FACES and not picture.generated]
    trained = {name: load_generator(name) for name in SAMPLED}
    for face in faces[::2]:
        yield Picture(FACES, "real", face.group, held=reduce_image(face.pixels, SIDE), aligned=True)
    for number, (name, generator) in enumerate(trained.items()):
        for index, pixels in enumerate(generator.images(seed + number, 0, SAMPLES)):
            yield Picture(FACES, name, f"{FACES}/{name}/{index:04}", held=pixels, aligned=True)


def rebuilt_pictures(crops: Sequence[Picture], photographs: Path, work: Path, seed: int) -> Iterator[Picture]:
    """Each crop after one of five autoencoders that differ in their up-sampling, which are trained first.

    Parameters
    ----------
    crops : sequence of Picture
        The real crops among the aligned pictures.
    photographs : Path
        Folder of what the autoencoders are trained on.
    work : Path
        Where their training is kept.
    seed : int
        Of the choice of an autoencoder for each crop.
    """
    from spectell.generators.autoencoder_config import AutoencoderConfig
    from spectell.generators.autoencoder_run import train_autoencoder_on
    from spectell.generators.autoencoder_training import WEIGHTS_FILE
    from spectell.generators.small_autoencoder import load_autoencoder
    from spectell.generators.tensors import run_in_batches

    networks = []
    for upsampling, own_seed in AUTOENCODERS.items():
        folder = work / f"autoencoder-{upsampling}"
        config = AutoencoderConfig(upsampling=upsampling, steps=AUTOENCODER_STEPS, seed=own_seed, batch_size=16)
        train_autoencoder_on(photographs, folder, AUTOENCODER_SIZE, config, resume=True)
        networks.append(load_autoencoder(folder / WEIGHTS_FILE)[0])
    rng = np.random.default_rng(seed)
    for crop in crops:
        network = networks[rng.integers(len(networks))]
        pixels = run_in_batches(network, crop.pixels[np.newaxis])[0]
        yield Picture(crop.source, REBUILT, crop.group, held=np.ascontiguousarray(pixels), aligned=True)
