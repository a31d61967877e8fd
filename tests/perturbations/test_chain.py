import io
import itertools

import numpy as np
import pytest
from PIL import Image

from spectell.errors import ParameterError
from spectell.images.jpeg import estimate_quality
from spectell.perturbations import JpegChain, JpegRecompression, result_file
from spectell.spectra.jpeg_history import jpeg_history


@pytest.fixture
def texture(rng):
    coarse = rng.integers(0, 256, (28, 30, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((120, 112), Image.Resampling.BICUBIC)).astype(float)
    return np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)


def test_the_grid_of_the_first_compression_is_found_where_the_draw_put_it(texture, rng):
    chain = JpegChain(min_quality=40, max_quality=40, subsamplings=("4:4:4",))
    for _ in range(4):
        first, _ = chain.draw(rng, texture.shape)
        history = jpeg_history(JpegRecompression().apply(texture, first))
        assert (history.row, history.column) == (first["grid_row"] % 8, first["grid_column"] % 8)
        assert (history.row, history.column) != (0, 0)


def test_the_file_has_the_last_quality_and_a_grid_at_its_first_pixel(texture, rng):
    parameters = JpegChain().draw(rng, texture.shape)
    parameters[0]["quality"], parameters[1]["quality"] = 90, 60
    file = result_file(JpegChain(), texture, parameters)
    decoded = Image.open(io.BytesIO(file.content))
    assert estimate_quality(decoded.quantization[0]) == 60
    history = jpeg_history(np.asarray(decoded))
    assert (history.row, history.column, history.quality) == (0, 0, 60)


def test_every_two_neighbours_lie_on_different_grids_and_every_shift_occurs(rng):
    chain = JpegChain(compressions=3)
    shifts = set()
    for _ in range(1500):
        drawn = chain.draw(rng, (16, 16))
        assert [(each["grid_row"], each["grid_column"]) for each in drawn[-1:]] == [(0, 0)]
        for earlier, later in itertools.pairwise(drawn):
            shifts.add(tuple((earlier[side] - later[side]) % 8 for side in ("grid_row", "grid_column")))
    assert shifts == {(row, column) for row in range(8) for column in range(8)} - {(0, 0)}


def test_a_chain_of_one_is_refused():
    with pytest.raises(ParameterError, match="compressions must be at least 2, got 1; for one, use jpeg"):
        JpegChain(compressions=1)
    with pytest.raises(ParameterError, match="min_quality"):
        JpegChain(min_quality=90, max_quality=80)
