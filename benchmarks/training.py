"""The paper's network on images of 128 x 128, five classes: images a second, and milliseconds a tile in NumPy.

*plain* is a PyTorch loop over float32 coefficients that are already in memory; *channels last* the same loop with
PyTorch's other memory layout; *spectell* draws tiles, reads bytes, and computes DCT, logarithm and standardisation as
it goes. Each step is timed, the three in turns, and the median counts. *bound* is what 86 million operations an image
allow at the rate of a bare product of two matrices in the same run.
"""

import time
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.harness import show_table, time_call
from benchmarks.images import natural_image
from spectell.detectors.network_head import NetworkHead
from spectell.detectors.network_plan import ARCHITECTURES, count_parameters, make_plan, parameter_shapes
from spectell.detectors.networks.estimators import CNNDetector
from spectell.detectors.tiles import Tiles

__all__ = ["main"]

SIZE, CLASSES, BATCH = 128, 5, 32
OPERATIONS = 86e6
"""Multiplications and additions an image: 28.7 million forwards, twice that backwards."""

IMAGES = 384
TURNS = 3


def main() -> None:
    """Print both tables; the aim is 1.2 times the images a second of the plain loop."""
    if find_spec("torch") is None:
        print("\nTraining needs PyTorch, which is not installed: skipped")
        return
    import torch

    rng = np.random.default_rng(0)
    originals = np.stack([natural_image(rng, SIZE, SIZE) for _ in range(16)])
    pixels = originals[rng.integers(0, 16, IMAGES)] // 2 + rng.integers(0, 16, (IMAGES, SIZE, SIZE, 3), np.uint8)
    codes = np.arange(IMAGES) % CLASSES
    loops: dict[str, Callable[[], float]] = {
        "plain": lambda: plain_rate(pixels, codes, channels_last=False),
        "channels last": lambda: plain_rate(pixels, codes, channels_last=True),
        "spectell, DCT included": lambda: own_rate(pixels, codes),
    }
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(TURNS):
        for name, loop in loops.items():
            rates[name].append(loop())
    flops = product_rate()
    bound = flops / OPERATIONS
    rows = []
    for name, found in rates.items():
        ratios = _ratios(found, rates["plain"])
        rows.append([name, *_spread(found, "{:.0f}"), *_spread(ratios, "{:.2f}"), f"{median(found) / bound:.2f}"])
    threads = torch.get_num_threads()
    title = (
        f"Training, {threads} threads; a bare product reaches {flops / 1e9:.0f} GFLOP/s: at most {bound:,.0f} images/s"
    )
    header = ("loop", "images/s", "least", "most", "of plain", "least", "most", "of the bound")
    show_table(title, header, rows)
    answers = [_answer(name, rng) for name in ARCHITECTURES]
    show_table("A tile in NumPy, one thread, processor time", ("network", "parameters", "ms"), answers)


def _spread(values: list[float], form: str) -> list[str]:
    return [form.format(value) for value in (median(values), min(values), max(values))]


def _ratios(above: list[float], below: list[float]) -> list[float]:
    return [first / second for first, second in zip(above, below, strict=True)]


def plain_rate(pixels: np.ndarray, codes: np.ndarray, *, channels_last: bool) -> float:
    """Return images a second of a loop over coefficients in memory."""
    import torch

    from spectell.detectors.networks.input_layer import InputLayer
    from spectell.detectors.networks.modules import make_network

    layer = InputLayer(SIZE, 1e-12)
    network = make_network(make_plan("cnn", SIZE, CLASSES), seed=0)
    with torch.no_grad():
        features = torch.cat([layer(torch.from_numpy(part)) for part in np.array_split(pixels, 12)])
    if channels_last:
        network = network.to(memory_format=torch.channels_last)
        features = features.contiguous(memory_format=torch.channels_last)
    labels, optimiser = torch.from_numpy(codes), torch.optim.Adam(network.parameters(), lr=1e-3)
    stamps = [time.perf_counter()]
    for rows in torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0)).split(BATCH):
        loss = torch.nn.functional.cross_entropy(network(features[rows]), labels[rows])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        stamps.append(time.perf_counter())
    return BATCH / float(np.median(np.diff(stamps[1:])))


def own_rate(pixels: np.ndarray, codes: np.ndarray) -> float:
    """Return images a second of an epoch of ours."""
    tiles, few = Tiles.of_images(pixels), Tiles.of_images(pixels[: 2 * CLASSES])
    stamps: list[float] = []
    CNNDetector(epochs=1, batch=BATCH).fit_tiles(
        tiles, codes, few, codes[: 2 * CLASSES], on_progress=lambda *_: stamps.append(time.perf_counter())
    )
    return BATCH / float(np.median(np.diff(stamps)))


def product_rate() -> float:
    """Return operations a second of a product of two matrices of 1024 x 1024."""
    import torch

    matrix = torch.ones(1024, 1024)
    times = []
    for _ in range(12):
        start = time.perf_counter()
        matrix @ matrix
        times.append(time.perf_counter() - start)
    return 2 * 1024**3 / min(times)


def _answer(architecture: str, rng: np.random.Generator) -> list[str]:
    layers = make_plan(architecture, SIZE, CLASSES)
    arrays = {name: rng.normal(size=shape) * 0.05 for name, shape in parameter_shapes(layers).items()}
    head = NetworkHead(architecture, SIZE, CLASSES, arrays)
    rows = rng.normal(size=(1, head.n_features)).astype(np.float32)
    with threadpool_limits(1):
        seconds = time_call(lambda: head.decide(rows), repeats=9)
    return [architecture, f"{count_parameters(layers):,}", f"{1e3 * seconds:.1f}"]
