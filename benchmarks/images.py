"""Images that are as hard to decode as photographs: amplitude 1/f, correlated channels, a little grain."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["link_to", "natural_image", "write_images"]


def natural_image(rng: np.random.Generator, height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return an image of shape (height, width, 3) whose amplitude falls with frequency as in photographs."""
    radius = np.hypot(np.fft.fftfreq(height)[:, np.newaxis], np.fft.rfftfreq(width))
    radius[0, 0] = np.inf
    planes = []
    for _ in range(3):
        spectrum = np.fft.rfft2(rng.normal(size=(height, width)).astype(np.float32)) / radius
        plane = np.fft.irfft2(spectrum, s=(height, width))
        planes.append((plane / plane.std()).astype(np.float32))
    luma = planes[0]
    image = np.stack([luma + 0.25 * plane for plane in planes], axis=-1)
    grain = rng.normal(scale=1.5, size=(height, width, 1)).astype(np.float32)
    return np.clip(np.rint(120 + 45 * image + grain), 0, 255).astype(np.uint8)


def write_images(folder: Path, count: int, size: tuple[int, int], suffix: str, *, quality: int = 85) -> list[Path]:
    """Write `count` different images of `size` (height, width), seeded by their number."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:05}{suffix}" for number in range(count)]
    options: dict[str, Any] = {"quality": quality} if suffix == ".jpg" else {}
    for number, path in enumerate(paths):
        Image.fromarray(natural_image(np.random.default_rng(number), *size)).save(path, **options)
    return paths


def link_to(paths: list[Path], folder: Path, count: int) -> Path:
    """Make a folder of `count` links to `paths`, as many names for each as it takes."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        target = paths[number % len(paths)]
        (folder / f"{number:06}{target.suffix}").symlink_to(target)
    return folder
