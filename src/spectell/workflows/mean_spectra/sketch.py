"""A small sample of the images of a set that meets its like: the same images are in every sample that could hold them.

Results that are merged hold no list of their images, which would grow with them. Of the hashes of all images the
smallest are kept; what two such samples have in common says how much two sets have (Bar-Yossef and others 2002,
doi:10.1007/3-540-45726-7_1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

__all__ = ["Sketch"]

_MOST = 512
_SAMPLES = 16  # pixels of an image that are hashed, along each side: hashing all would take as long as the transform


class Sketch:
    """The smallest hashes of images that were seen.

    Parameters
    ----------
    hashes : iterable of int
        What `as_array` gave.

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(0, 256, (30, 32, 32, 3), np.uint8)
    >>> one, other = Sketch(), Sketch()
    >>> for image in images[:20]:
    ...     one.add(image)
    >>> for image in images[10:]:
    ...     other.add(image)
    >>> one.share_of(other), one.share_of(Sketch())
    (0.5, 0.0)
    """

    def __init__(self, hashes: Iterable[int] = ()) -> None:
        self._hashes = set(hashes)

    def add(self, pixels: npt.NDArray[np.uint8]) -> None:
        """See an image, shape (H, W, 3)."""
        height, width = pixels.shape[:2]
        some = pixels[:: -(-height // _SAMPLES), :: -(-width // _SAMPLES)].tobytes()
        digest = hashlib.blake2b(b"%d %d " % (height, width) + some, digest_size=8).digest()
        self._hashes.add(int.from_bytes(digest, "big"))
        self._trim()

    def merge(self, other: Sketch) -> None:
        """See all images that another has seen."""
        self._hashes |= other._hashes
        self._trim()

    def as_array(self) -> npt.NDArray[np.uint64]:
        """Return the hashes that are kept, at most 512, sorted."""
        return np.array(sorted(self._hashes)[:_MOST], np.uint64)

    def share_of(self, other: Sketch) -> float:
        """Return what share of the different images of another this one has seen too, as far as the samples tell.

        Images that agree in size and at the 16 x 16 places that are looked at count as one. Exact if both have seen
        fewer than 512; beyond that with a standard error of 0.022 at most if both are as many, and larger if the other
        is the smaller one: ten images among ten thousand are often not noticed.
        """
        one, two = self.as_array(), other.as_array()
        # Beyond the last hash of a full sample there are images that it does not hold.
        last = min((each[-1] for each in (one, two) if len(each) == _MOST), default=np.uint64(2**64 - 1))
        one, two = one[one <= last], two[two <= last]
        return float(np.isin(two, one).mean()) if len(two) else 0.0

    def _trim(self) -> None:
        """Forget hashes that no sample will hold, now and then: sorting each time would take longer than hashing."""
        if len(self._hashes) > 8 * _MOST:
            self._hashes = set(self.as_array().tolist())
