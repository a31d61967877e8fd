"""Compiled loops against SciPy in double precision and against sums written out, for all that this processor knows."""

import shutil
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dctn

from spectell.compiled import Kernels, kernels, load_kernels
from spectell.errors import ParameterError, ShapeError

LEAST = 1e-24
WEIGHTS = np.array((0.299, 0.587, 0.114), np.float32)
SIDES = [side for side in range(16, 200) if Kernels.transforms(side, side)]

READ_ONLY = np.zeros((3, 16, 16), np.float32)
READ_ONLY.setflags(write=False)

FASTEST = load_kernels()
KNOWN = ("base", "avx2", "avx512")
INSTRUCTIONS = KNOWN[: KNOWN.index(FASTEST.instructions) + 1] if FASTEST else ()

needs_kernels = pytest.mark.skipif(FASTEST is None, reason="no kernels were compiled when the package was installed")


@pytest.fixture(params=INSTRUCTIONS)
def compiled(request):
    return Kernels(kernels.load_library(), request.param)


def transformed(compiled, pixels):
    """Transform into the middle of a larger array, whose ends must stay as they are."""
    height, width, _ = pixels.shape
    around = np.full(3 * height * width + 64, 7.0, np.float32)
    compiled.dct(pixels, around[32:-32].reshape(3, height, width))
    assert (around[:32] == 7.0).all()
    assert (around[-32:] == 7.0).all()
    return around[32:-32].reshape(3, height, width)


def summed(compiled, colours, pilot=None):
    n_values = colours.shape[2]
    pilot = np.zeros((2, 4, n_values), np.float32) if pilot is None else pilot
    around = np.ones(16 * n_values + 64, np.float32)
    compiled.add_moments(colours, WEIGHTS, LEAST, pilot, around[32:-32].reshape(4, 4, n_values))
    assert (around[:32] == 1.0).all()
    assert (around[-32:] == 1.0).all()
    return around[32:-32].reshape(4, 4, n_values) - 1.0


def by_channel(colours):
    """Coefficients of grey and each colour, shape (N, 4, K), and logarithms of their squares, in double precision."""
    values = colours.astype(np.float64)
    with_grey = np.concatenate([np.einsum("c,nck->nk", WEIGHTS.astype(np.float64), values)[:, np.newaxis], values], 1)
    return with_grey, np.log(np.maximum(with_grey**2, LEAST))


def written_out(colours, pilot=(0.0, 0.0)):
    """Sums of coefficients, squares, logarithms and the squares of these, about a pilot, in double precision."""
    about = [values - near for values, near in zip(by_channel(colours), pilot, strict=True)]
    return np.stack([power.sum(0) for values in about for power in (values, values**2)])


@pytest.mark.skipif(sys.platform == "win32" or not shutil.which("cc"), reason="there is no C compiler")
def test_where_there_is_a_compiler_the_installation_has_kernels():
    assert FASTEST is not None
    assert FASTEST.instructions in KNOWN


@needs_kernels
@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 31), (128, 128), (256, 96), (480, 640), (1024, 40)])
def test_the_transform_is_that_of_scipy(compiled, rng, height, width):
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    expected = dctn(pixels.transpose(2, 0, 1).astype(np.float64), type=2, norm="ortho", axes=(1, 2))
    error = np.abs(transformed(compiled, pixels) - expected)
    assert (error[:, 0, 0] < 1e-7 * expected[:, 0, 0]).all()
    error[:, 0, 0] = 0.0
    assert error.max() < 2e-6 * expected[:, 1:, 1:].std()


@needs_kernels
@given(st.data())
def test_the_transform_takes_every_size_that_it_says_it_takes(data):
    height, width = data.draw(st.sampled_from(SIDES)), data.draw(st.sampled_from(SIDES))
    compiled = Kernels(kernels.load_library(), data.draw(st.sampled_from(INSTRUCTIONS)))
    pixels = np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)
    expected = dctn(pixels.transpose(2, 0, 1).astype(np.float64), type=2, norm="ortho", axes=(1, 2))
    assert np.abs(transformed(compiled, pixels) - expected).max() < 3e-7 * expected.max()


@needs_kernels
@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_a_flat_image_has_a_mean_and_nothing_else(compiled, level):
    found = transformed(compiled, np.full((48, 80, 3), level, np.uint8))
    np.testing.assert_allclose(found[:, 0, 0], level * np.sqrt(48 * 80), rtol=1e-7)
    assert np.count_nonzero(found) == (3 if level else 0)


@needs_kernels
def test_a_single_cosine_is_a_single_coefficient(compiled):
    rows, columns = np.arange(48), np.arange(32)
    wave = np.outer(np.cos(np.pi * (2 * rows + 1) * 5 / 96), np.cos(np.pi * (2 * columns + 1) * 9 / 64))
    pixels = np.repeat((127.5 + 100 * wave).round().astype(np.uint8)[..., np.newaxis], 3, axis=2)
    found = transformed(compiled, pixels)[1]
    found[0, 0] = 0.0
    assert np.unravel_index(np.abs(found).argmax(), found.shape) == (5, 9)
    assert found[5, 9] == pytest.approx(100 * np.sqrt(48 * 32) / 2, rel=1e-2)


@needs_kernels
@pytest.mark.parametrize("n_values", [1, 15, 16, 100, 4096])
@pytest.mark.parametrize("n", [0, 1, 9])
def test_sums_are_those_written_out(compiled, rng, n, n_values):
    colours = (rng.standard_normal((n, 3, n_values)) * 10.0 ** rng.uniform(-3, 4, (n, 3, n_values))).astype(np.float32)
    expected = written_out(colours)
    found = summed(compiled, colours)
    # In grey colours may cancel; what is left is as exact as they were.
    size = written_out(np.abs(colours))
    np.testing.assert_array_less(np.abs(found - expected)[:2], 2e-6 * (1.0 + size[:2]))
    np.testing.assert_allclose(found[2:, 1:], expected[2:, 1:], rtol=3e-6, atol=1e-5)
    assert np.quantile(np.abs(found - expected)[2:, 0] / (1.0 + np.abs(expected[2:, 0])), 0.9) < 1e-5


@needs_kernels
@pytest.mark.parametrize("n_values", [1, 16, 100])
def test_sums_about_a_pilot_keep_what_images_differ_by(compiled, rng, n_values):
    pattern = rng.uniform(500.0, 1000.0, (3, n_values))
    colours = (pattern + rng.standard_normal((40, 3, n_values))).astype(np.float32)
    pilot = np.stack([values[:4].mean(axis=0) for values in by_channel(colours)]).astype(np.float32)
    found, expected = summed(compiled, colours, pilot), written_out(colours, pilot)
    # Grey is rounded to 6e-5 and logarithms to 1e-6, which vary by 3e-3. About zero, sums of squares are 2e7.
    np.testing.assert_allclose(found[0], expected[0], atol=1e-3)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-4)
    np.testing.assert_allclose(found[2], expected[2], atol=2e-4)
    np.testing.assert_allclose(found[3], expected[3], atol=1e-5)


@needs_kernels
def test_logarithms_hold_over_the_whole_range(compiled):
    powers = np.concatenate([np.geomspace(1e-12, 1e12, 5000), np.linspace(0.5, 2.0, 5000)])
    colours = np.repeat(np.sqrt(powers).astype(np.float32)[np.newaxis, np.newaxis], 3, axis=1)
    exact = np.log(np.square(colours[0, 0]).astype(np.float64))
    found = summed(compiled, colours)[2, 1]
    assert np.abs(found - exact).max() < 3e-6  # 1 was added and taken off again
    assert np.abs(found - exact)[np.abs(exact) < 0.5].max() < 2e-7


@needs_kernels
def test_squares_are_no_less_than_asked_in_their_logarithm(compiled):
    colours = np.zeros((2, 3, 5), np.float32)
    found = summed(compiled, colours)
    np.testing.assert_allclose(found[2], 2 * np.log(LEAST), rtol=1e-6)
    assert (found[:2] == 0.0).all()


@needs_kernels
def test_images_may_lie_apart(compiled, rng):
    wider = rng.standard_normal((4, 4, 50)).astype(np.float32)
    apart = wider[:, 1:]
    np.testing.assert_array_equal(summed(compiled, apart), summed(compiled, np.ascontiguousarray(apart)))


@needs_kernels
def test_threads_do_not_disturb_each_other(rng):
    large = rng.integers(0, 256, (2560, 3072, 3), dtype=np.uint8)
    expected = transformed(FASTEST, large)
    # Tables of more lengths than are kept, as long as those that are in use meanwhile.
    thin = [np.zeros((side, 16, 3), np.uint8) for side in range(1024, 4096) if Kernels.transforms(side, 16)]
    assert len(thin) > 30
    over = threading.Event()

    def push_tables_out():
        while not over.is_set():
            for image in thin:
                FASTEST.dct(image, np.empty((3, len(image), 16), np.float32))

    thread = threading.Thread(target=push_tables_out)
    thread.start()
    try:
        for _ in range(8):
            np.testing.assert_array_equal(transformed(FASTEST, large), expected)
    finally:
        over.set()
        thread.join()


@needs_kernels
@pytest.mark.parametrize(
    ("pixels", "out", "error", "named"),
    [
        (np.zeros((16, 16), np.uint8), np.zeros((3, 16, 16), np.float32), ShapeError, r"pixels .* \(16, 16\)"),
        (np.zeros((8, 16, 3), np.uint8), np.zeros((3, 8, 16), np.float32), ShapeError, r"pixels .* \(8, 16, 3\)"),
        (np.zeros((16, 16, 3), np.float32), np.zeros((3, 16, 16), np.float32), ParameterError, "pixels .* uint8"),
        (np.zeros((32, 16, 3), np.uint8)[::2], np.zeros((3, 16, 16), np.float32), ParameterError, "contiguous"),
        (np.zeros((16, 16, 3), np.uint8), np.zeros((3, 16, 17), np.float32), ShapeError, r"out .* \(3, 16, 16\)"),
        (np.zeros((16, 16, 3), np.uint8), np.zeros((3, 16, 16)), ParameterError, "out .* float32"),
        (np.zeros((16, 16, 3), np.uint8), READ_ONLY, ParameterError, "out must be writeable"),
    ],
)
def test_wrong_arrays_are_refused_by_the_transform(pixels, out, error, named):
    with pytest.raises(error, match=named):
        FASTEST.dct(pixels, out)


@needs_kernels
@pytest.mark.parametrize(
    ("changed", "error", "named"),
    [
        ({"colours": np.zeros((2, 4, 5), np.float32)}, ShapeError, "colours"),
        ({"colours": np.zeros((2, 3, 5))}, ParameterError, "colours"),
        ({"colours": np.zeros((2, 3, 10), np.float32)[..., ::2]}, ParameterError, "colours"),
        ({"pilot": np.zeros((4, 4, 5), np.float32)}, ShapeError, r"pilot .* \(2, 4, 5\)"),
        ({"pilot": np.zeros((2, 4, 5))}, ParameterError, "pilot .* float32"),
        ({"sums": np.zeros((4, 4, 6), np.float32)}, ShapeError, "sums"),
        ({"least": 0.0}, ParameterError, "least"),
        ({"least": float("nan")}, ParameterError, "least"),
        ({"least": 1e300}, ParameterError, "least"),
    ],
)
def test_wrong_arrays_are_refused_by_the_sums(changed, error, named):
    colours, pilot, sums = (np.zeros(shape, np.float32) for shape in ((2, 3, 5), (2, 4, 5), (4, 4, 5)))
    arguments = {"colours": colours, "weights": WEIGHTS, "least": LEAST, "pilot": pilot, "sums": sums}
    with pytest.raises(error, match=named):
        FASTEST.add_moments(**arguments | changed)


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """What was built, where a test may damage it."""
    for name in ("SOURCE", "LIBRARY", "HASHES"):
        path = getattr(kernels, name)
        monkeypatch.setattr(kernels, name, tmp_path / path.name)
        (tmp_path / path.name).write_bytes(path.read_bytes())
    load_kernels.cache_clear()
    yield tmp_path
    load_kernels.cache_clear()


@needs_kernels
def test_a_library_of_this_source_is_used(copied):
    assert load_kernels().instructions == FASTEST.instructions


@needs_kernels
@pytest.mark.parametrize("damage", ["another source", "cut off", "no hashes", "no text", "no library"])
def test_what_is_no_library_of_this_source_is_not_used(copied, damage):
    if damage == "another source":
        kernels.SOURCE.write_text(kernels.SOURCE.read_text() + "/* one line more */\n")
    elif damage == "cut off":
        kernels.LIBRARY.write_bytes(kernels.LIBRARY.read_bytes()[:20_000])
    elif damage == "no text":
        kernels.HASHES.write_bytes(b"\xff\xfe")
    else:
        {"no hashes": kernels.HASHES, "no library": kernels.LIBRARY}[damage].unlink()
    assert load_kernels() is None


@needs_kernels
def test_a_processor_that_knows_more_than_was_built_gets_the_base(monkeypatch):
    library = kernels.load_library()

    class Plain:
        def __init__(self):
            self.instruction_set = lambda: b"avx1024"
            self.dct_base, self.add_moments_base = library.dct_base, library.add_moments_base

        def __getitem__(self, name):
            return getattr(self, name)

    monkeypatch.setattr(kernels, "load_library", Plain)
    load_kernels.cache_clear()
    assert load_kernels().instructions == "base"
    load_kernels.cache_clear()
