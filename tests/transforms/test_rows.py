import numpy as np
import pytest

from spectell.errors import ShapeError
from spectell.transforms import dct2
from spectell.transforms.rows import dct2_rows


@pytest.mark.parametrize("shape", [(8, 8, 3), (100, 70, 3), (65, 201, 1), (256, 256, 3)])
def test_the_rows_are_those_of_the_whole_transform(rng, shape):
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    whole = dct2(image.astype(np.float64))
    for start, stop in ((0, shape[0]), (0, 1), (3, 7), (shape[0] - 1, shape[0])):
        found = dct2_rows(image, start, stop)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, whole[start:stop], atol=1e-6 * np.abs(whole).max())


@pytest.mark.parametrize("shape", [(40, 40, 3), (100, 70, 3), (131, 256, 3)])
def test_the_bits_of_a_row_do_not_depend_on_the_others(rng, shape):
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    whole = dct2_rows(image, 0, shape[0])
    for start in range(0, shape[0], 13):
        stop = min(start + 13, shape[0])
        np.testing.assert_array_equal(dct2_rows(image, start, stop), whole[start:stop])


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (-1, 2), (3, 9), (5, 4)])
def test_rows_that_an_image_does_not_have_are_refused(start, stop):
    with pytest.raises(ShapeError, match=f"got {start} to {stop} of"):
        dct2_rows(np.zeros((8, 8, 3)), start, stop)
