"""What of a set took no part in what, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from spectell.workflows.mean_spectra.batch import BLOCK_SIZE
from spectell.workflows.mean_spectra.one_pass import FULL_PIXELS

__all__ = ["left_out"]


def left_out(entry: Mapping[str, Any]) -> Iterator[str]:
    """Say which images of a set took part in what, and why others did not.

    Parameters
    ----------
    entry : mapping
        Of the set, in a study's metadata.

    Yields
    ------
    note : str
        For a person to see.
    """
    tally, name = entry["tally"], entry["name"]
    if tally["n_unreadable"]:
        yield f"{name}: {tally['n_unreadable']:,} files could not be read, the first: {tally['unreadable'][0]}"
    sizes = {size: tuple(map(int, size.split("x"))) for size in tally["sizes"]}
    thin = sum(tally["sizes"][size] for size, sides in sizes.items() if min(sides) == 1)
    if thin:
        yield f"{name}: {thin:,} images are one pixel high or wide, and have no full-size spectrum"
    full = {key.split("/")[0]: count for key, count in entry["counts"].items() if key.endswith("/log/grey")}
    left = tally["n_images"] - thin - sum(full.values())
    if left:
        whole = [size for size, count in full.items() if count == tally["sizes"].get(size)]
        which = f"sizes other than {', '.join(sorted(whole))}" if whole else "various sizes" if full else "every size"
        yield (
            f"{name}: {left:,} images, of {which}, have no full-size spectrum; nothing is resized, and the sizes that "
            f"have one hold at most {FULL_PIXELS:,} pixels together. Block, tile and radial spectra are of all sizes "
            "from 32 x 32"
        )
    small = sum(tally["sizes"][size] for size, sides in sizes.items() if min(sides) < BLOCK_SIZE)
    if small:
        yield f"{name}: {small:,} images are below 32 x 32 pixels: they have no block, tile or radial spectra"
