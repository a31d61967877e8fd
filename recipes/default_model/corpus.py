"""The pictures that the model learns from: what they show is irrelevant, where they come from is everything.

Each picture carries three names. *Source* is the collection it came with, *generator* what made it (`real` for a
photograph), *group* one picture and all that was made from it. Aligned fakes are photographs sent through a network
(an autoencoder, a super-resolution network, a simulated decoder) beside the very crop that went in, so that the pair
differs in nothing but the network's trace.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from spectell.generators.traces import TraceSimulator
from spectell.images import read_image

__all__ = ["Picture", "aligned_pictures", "collected_pictures"]

Pixels = npt.NDArray[np.uint8]

FOLDERS = (
    ("faces256", "real", "real"),
    ("faces256", "stylegan", "stylegan"),
    ("celeba178", "real", "real"),
    ("cifar32", "real", "real"),
    ("cifar32", "gan", "dcgan"),
    ("photos", "real", "real"),
    ("cameras", "real", "real"),
    ("apple2orange256", "real", "real"),
    ("apple2orange256", "cyclegan", "cyclegan"),
    ("diffusion512", "stable-diffusion", "stable-diffusion"),
)
GRID_TILE = 128
ALIGNED = {
    "photos": 430,
    "cameras": 90,
    "celeba178": 100,
    "apple2orange256": 56,
    "celeba128": 60,
    "faces256": 60,
    "cifar32": 60,
}
"""How many photographs of each source go through the networks: all of the varied ones, some of the faces."""

ALIGNED_SIDES = (128, 160, 192)
"""Sides of the crops that go through the networks, in pixels: enough blocks for a spectrum, and affordable."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: where it comes from, and its pixels or the file that holds them."""

    source: str
    generator: str
    group: str
    held: Pixels | None = None
    path: Path | None = None
    aligned: bool = False

    @property
    def pixels(self) -> Pixels:
        """Pixels of shape (H, W, 3), decoded at each call for a picture that is a file."""
        if self.held is not None:
            return self.held
        return read_image(str(self.path)).pixels

    @property
    def generated(self) -> bool:
        """Whether a generator made it."""
        return self.generator != "real"


def collected_pictures(data: Path) -> list[Picture]:
    """Every picture of the data folder, in a fixed order; the grids of faces are cut into their tiles."""
    pictures = []
    for source, folder, generator in FOLDERS:
        for path in sorted((data / source / folder).iterdir()):
            stem = re.sub(r"_(real|fake)_[AB]$", "", path.stem)
            group = f"{source}/{stem}" if source == "apple2orange256" else f"{source}/{folder}/{stem}"
            pictures.append(Picture(source, generator, group, path=path))
    return pictures + list(_grid_tiles(data / "celeba128-grids"))


def _grid_tiles(folder: Path) -> Iterator[Picture]:
    """Photograph and one of its five translations from each row; a grid is one group, since its rows share a batch."""
    for path in sorted(folder.glob("*.jpg"), key=lambda path: int(path.stem.split("-")[0])):
        pixels = read_image(str(path)).pixels
        number = int(path.stem.split("-")[0])
        for row in range(pixels.shape[0] // GRID_TILE):
            for column, generator in ((0, "real"), (1 + (number + row) % 5, "stargan")):
                tile = pixels[row * GRID_TILE :, column * GRID_TILE :][:GRID_TILE, :GRID_TILE]
                yield Picture("celeba128", generator, f"celeba128/{number}", held=np.ascontiguousarray(tile))


def aligned_pictures(data: Path, pictures: list[Picture], seed: int) -> Iterator[Picture]:
    """Crops of photographs, and the same crops after a network; needs the [torch] extra and the weights in `data`.

    Half of the crops of JPEG photographs are first reduced, which removes the grid of their JPEG: a network removes it
    too, and must not be recognised by that.
    """
    from spectell.generators.autoencoder import load_taef2
    from spectell.generators.superresolution import load_srgan

    weights = data / "weights"
    autoencoder = load_taef2(weights / "taef2_encoder.safetensors", weights / "taef2_decoder.safetensors")
    enlargers = {scale: load_srgan(weights / f"srgan_x{scale}.safetensors") for scale in (2, 4, 8)}
    simulator = TraceSimulator()
    rng = np.random.default_rng(seed)
    for source, n_wanted in ALIGNED.items():
        photographs = [p for p in pictures if p.source == source and not p.generated]
        for index in sorted(rng.permutation(len(photographs))[:n_wanted].tolist()):
            photograph = photographs[index]
            crop = _crop(photograph.pixels, rng, reduce=source in {"photos", "cameras"} and rng.random() < 0.5)
            made = {"real": crop, "taef2": autoencoder.reconstruct(crop[np.newaxis])[0]}
            if min(crop.shape[:2]) >= 64:
                scale = int(rng.choice([2, 4, 8], p=[0.45, 0.35, 0.2]))
                made["srgan"] = enlargers[scale].reconstruct(crop[np.newaxis])[0]
            made["simulated"] = simulator.apply(crop, simulator.draw(rng))
            for generator, pixels in made.items():
                yield Picture(source, generator, photograph.group, held=np.ascontiguousarray(pixels), aligned=True)


def _crop(pixels: Pixels, rng: np.random.Generator, *, reduce: bool) -> Pixels:
    """Cut a window whose sides are multiples of 8, at any offset to the grid of a JPEG."""
    height, width = pixels.shape[:2]
    if max(height, width) > 1024:
        top, left = (int(rng.integers(0, max(side - 640, 0) + 1)) for side in (height, width))
        pixels = pixels[top : top + 640, left : left + 640]
        height, width = pixels.shape[:2]
    if reduce and min(height, width) > 150:
        scale = rng.uniform(0.45, 0.8)
        filters = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)
        small = Image.fromarray(pixels).resize((int(width * scale), int(height * scale)), filters[rng.integers(3)])
        pixels = np.asarray(small)
        height, width = pixels.shape[:2]
    largest = int(rng.choice(ALIGNED_SIDES))
    rows, columns = min(height, largest) // 8 * 8, min(width, largest) // 8 * 8
    top, left = int(rng.integers(0, height - rows + 1)), int(rng.integers(0, width - columns + 1))
    return np.ascontiguousarray(pixels[top : top + rows, left : left + columns])
