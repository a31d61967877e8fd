"""What theory says about the traces of up-sampling, in numbers that a page can print.

Doubling the rows and columns by zero-insertion repeats the spectrum: a component at frequency f of the enlarged image
(0 to 1/4 cycle per pixel) is seen at 1/2 - f too. Content is strongest near f = 0, so its image is strongest near 1/2,
and after k doublings near every multiple of ``1 / 2**k``. A kernel passes the image at 1/2 - f with its response there.
The fixed kernels are zero at exactly 1/2, so they leave a dip, and a rise of what lies beside it: ``sin(pi f)**n``
with n = 1, 2, 3 for nearest, bilinear, binomial. A learned kernel (transposed convolution, pixel
shuffle) has no such zero: where the sums of its phases differ, a line stands at exactly 1/2 as well.

The convolutions and bends after an up-sampling may weaken or strengthen what it left, and bends make sums of its
frequencies: an image at 1/2 - f and content at f give 1/2, so that a fixed kernel may show lines as well. So the places
are certain, the heights are not.

References
----------
.. [1] Odena, Dumoulin, Olah (2016). Deconvolution and checkerboard artifacts. Distill. :doi:`10.23915/distill.00003`
.. [2] Frank et al. (2020). Leveraging frequency analysis for deep fake image recognition. ICML. :arxiv:`2003.08685`
"""

from __future__ import annotations

import math

from spectell.errors import ParameterError

__all__ = [
    "DOUBLINGS",
    "ORDERS",
    "doublings_of",
    "image_frequencies",
    "image_level_db",
    "image_places",
    "places_between",
]

DOUBLINGS = {"autoencoder": 2, "generator": 3}
"""Up-samplings by two in a network that makes 32 pixels; a generator has one more for every doubling of the size."""
ORDERS = {"nearest": 1, "bilinear": 2, "binomial": 3}
"""Power of the cosine that is the response of a fixed kernel."""


def doublings_of(kind: str, size: int) -> int:
    """Return the number of up-samplings in a network of a kind that makes images of a size.

    Examples
    --------
    >>> doublings_of("autoencoder", 128), doublings_of("sngan", 32), doublings_of("sngan", 128)
    (2, 3, 5)
    """
    return DOUBLINGS["autoencoder"] if kind == "autoencoder" else DOUBLINGS["generator"] + int(math.log2(size // 32))


def image_frequencies(doublings: int) -> list[float]:
    """Where the images of a spectrum's centre lie along one axis, in cycles per pixel of the final image.

    Parameters
    ----------
    doublings : int >= 1
        Up-samplings by two.

    Examples
    --------
    >>> image_frequencies(1), image_frequencies(2), image_frequencies(3)
    ([0.5], [0.25, 0.5], [0.125, 0.25, 0.375, 0.5])

    Raises
    ------
    ParameterError
        If `doublings` is not positive.
    """
    if doublings < 1:
        raise ParameterError(f"doublings must be at least 1, got {doublings}")
    period = 2**doublings
    return [k / period for k in range(1, period // 2 + 1)]


def image_level_db(upsampling: str, offset: float) -> float | None:
    """How much of the image of a component is left, along one axis, relative to the component itself.

    Parameters
    ----------
    upsampling : str
    offset : float, 0 < offset < 1/4
        Frequency of the component, and distance of its image from 1/2, in cycles per pixel of the enlarged image.

    Returns
    -------
    level : float or None
        ``20 log10(tan(pi offset)**n)`` decibels; None for a kernel that is learned.

    Raises
    ------
    ParameterError
        If `offset` is outside its range.

    Examples
    --------
    >>> round(image_level_db("nearest", 1 / 32), 1), round(image_level_db("binomial", 1 / 32), 1)
    (-20.1, -60.4)
    """
    if not 0 < offset < 0.25:
        raise ParameterError(f"offset must be between 0 and 1/4, got {offset}")
    order = ORDERS.get(upsampling)
    return None if order is None else 20 * order * math.log10(math.tan(math.pi * offset))


def image_places(doublings: int) -> list[tuple[float, float]]:
    """Where lines of a learned kernel stand in the half plane: multiples of one frequency along both axes, but zero.

    Parameters
    ----------
    doublings : int >= 1

    Returns
    -------
    places : list of (vertical, horizontal)
        In cycles per pixel, each frequency once, in the half plane of `spectell.spectra.peaks.Peak`.

    Examples
    --------
    >>> image_places(1), len(image_places(2)), len(image_places(3))
    ([(0.0, 0.5), (0.5, 0.0), (0.5, 0.5)], 9, 33)
    """
    positive = image_frequencies(doublings)
    places = []
    for horizontal in [0.0, *positive]:
        on_edge = horizontal in {0.0, 0.5}
        negative = [] if on_edge else [-value for value in positive if value != 0.5]
        places += [(vertical, horizontal) for vertical in [*negative, 0.0, *positive] if vertical or horizontal]
    return sorted(places)


def places_between(doublings: int) -> list[tuple[float, float]]:
    """Places between those of `image_places`, where theory puts nothing: each half a step nearer to zero.

    What is zero stays zero, so that a place on an axis is compared with one on the same axis.

    Examples
    --------
    >>> places_between(1), places_between(2)[-1]
    ([(0.0, 0.25), (0.25, 0.0), (0.25, 0.25)], (0.375, 0.375))
    """
    step = 1 / 2 ** (doublings + 1)

    def nearer(value: float) -> float:
        return value - math.copysign(step, value) if value else value

    return [(nearer(vertical), nearer(horizontal)) for vertical, horizontal in image_places(doublings)]
