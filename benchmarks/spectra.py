"""What the transform of one image costs, and what was weighed against what on the way there; one core, least of many.

These are the figures behind `MATRIX_LIMIT`, behind the buffers of `block_spectra` and behind its default of luma only.
"""

from functools import partial

import numpy as np
import numpy.typing as npt
from scipy import fft
from threadpoolctl import threadpool_limits

from benchmarks.harness import show_table, time_call
from benchmarks.images import natural_image
from spectell.spectra import SpectrumStatistics, block_spectra, luma_and_differences, sample_blocks
from spectell.transforms import dct_matrix

__all__ = ["main"]

Float32Array = npt.NDArray[np.float32]

REPEATS = 60


def main() -> None:
    """Print the tables."""
    rng = np.random.default_rng(0)
    with threadpool_limits(1):
        _transforms(rng)
        _block_spectra(rng)
        _block_steps(rng)
        _statistics(rng)


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3f} ms"


def _transforms(rng: np.random.Generator) -> None:
    rows = []
    for size in (8, 16, 32, 64, 128, 256):
        planes = rng.random((3, size, size), np.float32)
        images = np.ascontiguousarray(np.moveaxis(planes, 0, -1))
        by_matrix = time_call(partial(_by_matrix, images, dct_matrix(size, "float32")), repeats=REPEATS)
        by_fft = time_call(partial(fft.dctn, images, norm="ortho", axes=(0, 1)), repeats=REPEATS)
        rows.append((f"{size}²", _milliseconds(by_matrix), _milliseconds(by_fft)))
    show_table("dct2 of one image of three channels, float32", ("size", "basis matrix", "scipy.fft.dctn"), rows)


def _by_matrix(images: Float32Array, basis: Float32Array) -> Float32Array:
    planes = np.ascontiguousarray(np.moveaxis(images, -1, 0))
    return np.ascontiguousarray(np.moveaxis(basis @ planes @ basis.T, 0, -1))


def _block_spectra(rng: np.random.Generator) -> None:
    rows = []
    for height, width in ((32, 32), (128, 128), (256, 256), (512, 512), (3000, 4000)):
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        n_blocks = block_spectra(pixels).n_blocks
        times = [time_call(partial(block_spectra, pixels, colour=colour), repeats=REPEATS) for colour in (False, True)]
        rows.append((f"{height} x {width}", str(n_blocks), *map(_milliseconds, times)))
    header = ("image", "blocks", "luma", "luma and differences")
    show_table("block_spectra, blocks of 32², at most 256", header, rows)


def _block_steps(rng: np.random.Generator) -> None:
    """Time the steps for 256 blocks in arrays that exist already, and two ways that were not taken."""
    pixels = natural_image(rng, 512, 512)
    tops, lefts = sample_blocks(pixels.shape)
    windows = np.moveaxis(np.lib.stride_tricks.sliding_window_view(pixels, (32, 32), axis=(0, 1)), 2, -1)
    chosen = windows[tops, lefts]
    blocks, basis = chosen.astype(np.float32), dct_matrix(32, "float32")
    flat, weights = blocks.reshape(len(blocks), -1, 3), np.array([0.299, 0.587, 0.114], np.float32)
    planes, product = np.empty((2, len(blocks), 32, 32), np.float32)
    luma = luma_and_differences(chosen)[..., 0].copy()
    power = np.square(luma) + np.float32(1e-3)
    steps = {
        "gather 8-bit blocks": lambda: windows[tops, lefts],
        "convert to float32": lambda: np.copyto(blocks, chosen),
        "luma, as a product with its weights": lambda: np.matmul(flat, weights, out=planes.reshape(len(flat), -1)),
        "DCT over the rows": lambda: np.matmul(basis, luma, out=product),
        "DCT over the columns": lambda: np.matmul(luma, basis.T, out=product),
        "square and add up": lambda: np.add.reduce(np.multiply(luma, luma, out=planes), axis=0),
        "logarithm and add up": lambda: np.add.reduce(np.log(power, out=planes), axis=0),
        "not taken: both products into fresh arrays": lambda: basis @ luma @ basis.T,
        "not taken: scipy.fft.dctn of the blocks": lambda: fft.dctn(luma, norm="ortho", axes=(1, 2)),
        "not taken: logarithm in float64": lambda: np.log(power, dtype=np.float64),
    }
    rows = [(name, _milliseconds(time_call(step, repeats=REPEATS))) for name, step in steps.items()]
    show_table(f"The steps of block_spectra for {len(tops)} blocks of 32²", ("step", "time"), rows)


def _statistics(rng: np.random.Generator) -> None:
    rows = []
    for size in (128, 256):
        images = rng.integers(0, 256, (64, size, size, 3), dtype=np.uint8)
        work = np.zeros((size, size, 3), np.float32)
        transform = partial(fft.dctn, work, norm="ortho", axes=(0, 1), overwrite_x=True)
        statistics = SpectrumStatistics(work.shape)
        ours = time_call(partial(statistics.update_dct, images), repeats=5) / len(images)
        rows.append((f"{size}²", _milliseconds(ours), _milliseconds(time_call(transform, repeats=REPEATS))))
    header = ("size", "update_dct", "the transform alone")
    show_table("SpectrumStatistics, time an image of three channels", header, rows)
