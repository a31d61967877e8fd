"""Real photographs that come with packages which Spectell needs anyway, all with a free licence.

They make a demonstration without a download, and they are what the demonstration's tiny generators learnt from. They
were JPEGs once, and keep the traces of that; nothing here resizes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from spectell.errors import ImageError
from spectell.images import read_image

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["PHOTOGRAPHS", "Photograph", "read_photographs"]


@dataclass(frozen=True, slots=True)
class Photograph:
    """Where a photograph lies and whom it is owed to.

    Parameters
    ----------
    name : str
        Without a suffix.
    package, path : str
        The package it comes with, and its place below it.
    credit : str
        Author and licence.
    address : str
        Where it was first published.
    """

    name: str
    package: str
    path: str
    credit: str
    address: str

    def locate(self) -> Path | None:
        """Return the file, or None where the package is absent or was installed without it."""
        spec = find_spec(self.package)
        # The package is not imported: that alone would take longer than everything else.
        file = Path(spec.origin).parent / self.path if spec is not None and spec.origin else None
        return file if file is not None and file.is_file() else None


PHOTOGRAPHS = (
    Photograph(
        "china",
        "sklearn",
        "datasets/images/china.jpg",
        "danielbuechele, CC BY 2.0",
        "https://www.flickr.com/photos/danielbuechele/6061409035/",
    ),
    Photograph(
        "flower",
        "sklearn",
        "datasets/images/flower.jpg",
        "vultilion, CC BY 2.0",
        "https://www.flickr.com/photos/vultilion/6056698931/",
    ),
    Photograph(
        "hopper",
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
        "U.S. Navy, public domain",
        "https://commons.wikimedia.org/wiki/File:Grace_Hopper.jpg",
    ),
)
"""All photographs; the licences are those in the packages' own notes and at the addresses.

(scikit-learn's note names the first one's author for the flower too, but links to the second's page.)
"""


def read_photographs() -> dict[str, npt.NDArray[np.uint8]]:
    """Read the photographs that are installed.

    Returns
    -------
    photographs : dict of str to ndarray of shape (H, W, 3), uint8
        By name, in the order of `PHOTOGRAPHS`; those that are absent are left out.

    Raises
    ------
    ImageError
        If there is none at all, or one cannot be read.

    Examples
    --------
    >>> read_photographs()["china"].shape
    (427, 640, 3)
    """
    files = {photograph.name: photograph.locate() for photograph in PHOTOGRAPHS}
    found = {name: read_image(file).pixels for name, file in files.items() if file is not None}
    if not found:
        places = " and ".join(sorted({photograph.package for photograph in PHOTOGRAPHS}))
        raise ImageError(f"{places} are installed without their sample photographs; install them from PyPI")
    return found
