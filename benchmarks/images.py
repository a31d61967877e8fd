"""Folders of images that are as hard to decode as photographs."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from spectell.workflows.bench_images import natural_image

__all__ = ["link_to", "natural_image", "write_images"]


def write_images(folder: Path, count: int, size: tuple[int, int], suffix: str, *, quality: int = 85) -> list[Path]:
    """Write `count` different images of `size` (height, width), seeded by their number."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{number:05}{suffix}" for number in range(count)]
    options: dict[str, Any] = {"quality": quality} if suffix == ".jpg" else {}
    for number, path in enumerate(paths):
        Image.fromarray(natural_image(np.random.default_rng(number), *size)).save(path, **options)
    return paths


def link_to(paths: list[Path], folder: Path, count: int) -> Path:
    """Make a folder of `count` names for `paths`, files like any other, as many for each as it takes."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        target = paths[number % len(paths)]
        (folder / f"{number:06}{target.suffix}").hardlink_to(target)
    return folder
