"""Rings against a loop over coefficients in exact fractions."""

import math
from fractions import Fraction

import numpy as np
import pytest

from spectell.errors import ParameterError
from spectell.spectra.rings import coefficient_rings


@pytest.mark.parametrize("transform", ["dct", "dft"])
@pytest.mark.parametrize("shape", [(8, 8), (9, 6), (1, 5), (1, 1)])
def test_every_coefficient_lies_in_the_ring_of_its_radius(shape, transform):
    rings = coefficient_rings(shape, transform=transform)
    for (row, column), ring in np.ndenumerate(rings.ring):
        down, across = (
            Fraction(index, 2 * n) if transform == "dct" else Fraction(min(index, n - index), n)
            for index, n in zip((row, column), shape, strict=True)
        )
        squared = 4 * (down**2 + across**2) * max(shape) ** 2  # of the radius in half rings: exact
        assert ring == 0 if row == column == 0 else (2 * ring - 1) ** 2 <= squared or ring == 1
        assert squared < (2 * ring + 1) ** 2
        assert rings.radius[row, column] == pytest.approx(math.hypot(down, across))
        assert rings.angle[row, column] == pytest.approx(math.degrees(math.atan2(down, across)))


def test_an_unknown_transform_is_an_error():
    with pytest.raises(ParameterError, match="'dct' or 'dft', got 'fft'"):
        coefficient_rings((4, 4), transform="fft")
